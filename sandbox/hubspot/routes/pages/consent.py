"""The consent page of OAuth, also usable by a script as a plain POST of its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import Context, context
from sandbox.hubspot.errors import HubSpotError
from sandbox.hubspot.scopes import DESCRIPTIONS
from sandbox.kit.app import note, operation

blueprint = Blueprint("consent", __name__)


@dataclass(frozen=True)
class _Ask:
    """A checked request of the app for access."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]
    state: str | None

    def back(self, **answer: str) -> ResponseReturnValue:
        """Send the browser back to the app; `state` goes along unchanged."""
        pairs = {**answer, **({"state": self.state} if self.state is not None else {})}
        joint = "&" if "?" in self.redirect_uri else "?"
        return redirect(f"{self.redirect_uri}{joint}{urlencode(pairs)}")


@blueprint.get("/oauth/authorize")
@operation("oauth.authorize")
def choose_account() -> ResponseReturnValue:
    """Show what the app asks for, and the accounts to choose from."""
    return _page(None)


@blueprint.get("/oauth/<int:hub_id>/authorize")
@operation("oauth.authorize")
def confirm_account(hub_id: int) -> ResponseReturnValue:
    """The same with the account chosen already."""
    return _page(hub_id)


@blueprint.post("/oauth/authorize")
@operation("oauth.consent")
def decide() -> ResponseReturnValue:
    """Take the decision: the fields of the query, `hub_id`, `decision` connect or cancel, `withhold_optional`."""
    here = context()
    ask = _asked(here, request.form)
    if request.form.get("decision") == "cancel":
        return ask.back(error="access_denied", error_description="The user did not grant access")
    with here.kit.store.lock:
        portal = here.portals.get(request.form.get("hub_id", ""))
        note(account=portal.hub_id)
        withheld = request.form.get("withhold_optional") == "1"
        scopes = ask.scopes if withheld else ask.scopes + ask.optional_scopes
        code = here.tokens.new_code(portal, ask.redirect_uri, scopes)
    return ask.back(code=code)


def _page(hub_id: int | None) -> ResponseReturnValue:
    here = context()
    ask = _asked(here, request.args)
    with here.kit.store.lock:
        portals = [here.portals.get(hub_id)] if hub_id is not None else here.portals.all()
        return render_template(
            "consent.html",
            ask=ask,
            portals=portals,
            app_name=here.settings.app_name,
            descriptions=DESCRIPTIONS,
        )


def _asked(here: Context, fields: Mapping[str, str]) -> _Ask:
    """Check the request. What is wrong is shown on HubSpot's page and never reaches the app."""
    ask = _Ask(
        fields.get("client_id", ""),
        fields.get("redirect_uri", ""),
        tuple(fields.get("scope", "").split()),
        tuple(fields.get("optional_scope", "").split()),
        fields.get("state"),
    )
    if ask.client_id != here.settings.client_id:
        raise HubSpotError(400, "BAD_CLIENT_ID", "No app with this client_id exists.")
    if ask.redirect_uri not in here.settings.redirect_urls:
        raise HubSpotError(400, "BAD_REDIRECT_URI", "The redirect_uri is not one that the app has registered.")
    unknown = [scope for scope in ask.scopes + ask.optional_scopes if scope not in DESCRIPTIONS]
    if not ask.scopes or unknown:
        raise HubSpotError(400, "BAD_SCOPES", f"Unknown or missing scopes: {' '.join(unknown) or 'scope is empty'}")
    missing = [scope for scope in here.settings.required_scopes if scope not in ask.scopes]
    if missing:
        raise HubSpotError(400, "BAD_SCOPES", f"The install URL lacks required scopes of the app: {' '.join(missing)}")
    return ask
