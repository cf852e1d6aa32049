"""The stand-in as a Flask application."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, request

from sandbox.kit.app import create_base
from sandbox.kit.faults import Fault
from sandbox.quickbooks import api, consent, control_routes, pages, refusals, standin
from sandbox.quickbooks.settings import Settings
from sandbox.quickbooks.settings import read as read_settings

_OAUTH_ERRORS = {400: "invalid_grant", 401: "invalid_client", 429: "slow_down"}


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; settings come from the environment unless given."""
    app = create_base("quickbooks")
    kit = app.extensions["kit"]
    stand_in = standin.StandIn(kit, settings or read_settings())
    standin.install(app, stand_in)
    kit.fault_body = _fault_body
    for blueprint in (api.blueprint, consent.blueprint, control_routes.blueprint, pages.blueprint):
        app.register_blueprint(blueprint)
    kit.seed_if_new()
    return app


def _fault_body(fault: Fault) -> Any:
    """Return what QuickBooks says with a status, for a fault that was ordered without a body."""
    if not request.path.startswith("/v3/"):
        return {"error": _OAUTH_ERRORS.get(fault.status, "server_error")}
    if fault.status == 401:
        return refusals.bad_token_body("Token revoked", int(time.time() * 1000))
    if fault.status == 403:
        return {"Fault": refusals.forbidden_company().fault()}
    if fault.status == 429:
        message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
        error = {"Message": message, "Detail": "Too many requests", "code": "3001"}
        return {"Fault": {"Error": [error], "type": "SERVICE"}}
    message = "An application error has occurred while processing your request"
    error = {"Message": message, "Detail": "System Failure Error", "code": "10000"}
    return {"Fault": {"Error": [error], "type": "SystemFault"}}
