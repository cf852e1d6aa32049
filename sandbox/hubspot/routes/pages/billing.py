"""The app's card on a record page, and the way into the app."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import context
from sandbox.hubspot.fetch import Asker, fetch, readable
from sandbox.kit.app import page
from sandbox.kit.outgoing import NoAnswer

blueprint = Blueprint("billing", __name__)


class NoCard(Exception):
    """The app gave no usable answer; the message is a sentence for the person on the page."""


@blueprint.get("/portals/<int:hub_id>/<any('companies', 'deals'):kind>/<record_id>/billing")
@page
def card(hub_id: int, kind: str, record_id: str) -> ResponseReturnValue:
    """Return the card as a piece of HTML. An app that fails is a sentence on it, with status 200."""
    try:
        answer = _ask(hub_id, "GET", f"/cards/v1/{kind}/{record_id}/billing")
    except NoCard as problem:
        return render_template("card.html", card=None, problem=str(problem), portal=_portal(hub_id))
    return render_template("card.html", card=answer, problem=None, portal=_portal(hub_id))


@blueprint.post("/portals/<int:hub_id>/open-app")
@page
def open_app(hub_id: int) -> ResponseReturnValue:
    """Ask the app for a one-time link, and go there."""
    try:
        answer = _ask(hub_id, "POST", "/cards/v1/signin-link", {})
        url = answer.get("url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise NoCard("The app answered without an address to open.")
    except NoCard as problem:
        return render_template("error.html", title="The app could not be opened", message=str(problem)), 502
    return redirect(url, code=303)


def _portal(hub_id: int) -> Any:
    return context().portals.get(hub_id)


def _ask(hub_id: int, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Call the app as this account's user. Raises NoCard."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        if not portal.is_installed:
            raise NoCard(f"{here.settings.app_name} is not installed in {portal.data['name']}.")
        asker = Asker(portal.hub_id, portal.user["id"], portal.user["email"])
    try:
        answer = fetch(here.settings, asker, method, f"{here.settings.app_origin}{path}", body)
    except NoAnswer as error:
        raise NoCard("The app did not answer. Is it running?") from error
    content = readable(answer)
    if not 200 <= answer.status < 300:
        raise NoCard(f"The app answered with an error ({answer.status}){_said(content)}")
    if not isinstance(content, dict):
        raise NoCard("The app's answer could not be read: it is not a JSON object.")
    return content


def _said(content: Any) -> str:
    """What the app says about its error, where it says something."""
    if isinstance(content, dict):
        for name in ("message", "detail", "error", "title"):
            text = content.get(name)
            if isinstance(text, dict):
                text = text.get("message")
            if isinstance(text, str) and text:
                return f": {text[:300]}"
    return "."
