"""Puts the stand-in together."""

from __future__ import annotations

import uuid

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from sandbox.hubspot import errors, routes
from sandbox.hubspot.context import Context
from sandbox.hubspot.errors import HubSpotError
from sandbox.hubspot.model.events import Events
from sandbox.hubspot.model.portal import Portals
from sandbox.hubspot.model.tokens import Tokens
from sandbox.hubspot.seed import plant
from sandbox.hubspot.settings import Settings
from sandbox.kit.app import create_base, get_kit

_PAGES = ("/portals/", "/contacts/")


def create_app(settings: Settings) -> Flask:
    """Return the stand-in as a Flask application, seeded unless its state file has an earlier state."""
    app = create_base("hubspot")
    kit = get_kit(app)
    kit.fault_body = errors.fault_body
    events = Events(kit, settings)
    portals = Portals(kit, events)
    app.extensions["hubspot"] = Context(settings, kit, portals, Tokens(kit.store), events)
    app.register_error_handler(HubSpotError, _refused)
    app.register_error_handler(HTTPException, _not_served)
    for blueprint in routes.ALL:
        app.register_blueprint(blueprint)
    kit.on_reset(lambda: plant(portals))
    kit.seed_if_new()
    portals.add_new_properties()
    return app


def _refused(error: HubSpotError) -> ResponseReturnValue:
    if _is_page():
        return render_template("error.html", title="That did not work", message=error.message), error.status
    return error.body(), error.status


def _not_served(error: HTTPException) -> ResponseReturnValue:
    """Unknown paths, the undated ones of the old API versions among them."""
    status = error.code or 500
    if _is_page():
        return render_template("error.html", title="Nothing here", message=error.description or ""), status
    message = "resource not found" if status == 404 else (error.description or "")
    return {"status": "error", "message": message, "correlationId": str(uuid.uuid4())}, status


def _is_page() -> bool:
    return request.path == "/" or request.path.startswith(_PAGES) or request.path.endswith("/authorize")
