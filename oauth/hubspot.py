"""HubSpot: the plain install. It makes or updates the portal; it signs nobody in."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.access import actions as access
from app.connections import actions as connections
from app.connections.models import HUBSPOT
from app.core import clock, work
from app.core.db import transaction
from app.core.errors import Invalid, NotAllowed
from app.edge import wiring
from app.portals import actions as portals
from app.portals import queries as portal_queries
from app.ports import AccountDetails, Grant, Installation
from oauth import cookies
from oauth.answers import value_of

blueprint = Blueprint("hubspot_install", __name__)
_HUBSPOT = ("HubSpot", "Start the installation again")


@blueprint.get("/oauth/hubspot/install")
def install() -> ResponseReturnValue:
    """Begin: send the browser to HubSpot's consent page with a state only this browser can bring back."""
    secret = cookies.fresh_secret(HUBSPOT)
    state = access.make_state(HUBSPOT, secret)
    response = make_response(redirect(wiring().issuers[HUBSPOT].authorize_url(state), code=302))
    cookies.set_browser_secret(response, HUBSPOT, secret)
    return response


@blueprint.get("/oauth/hubspot/callback")
def callback() -> ResponseReturnValue:
    """Finish: take the state, exchange the code, ask HubSpot who installed, and write it all down."""
    if request.args.get("error"):
        raise NotAllowed("HubSpot was not connected: the request was declined there. You can start again at any time.")
    code, state = request.args.get("code", ""), request.args.get("state", "")
    if not code or not state:
        raise Invalid("This address needs the code and state that HubSpot adds. Start the installation again.")
    access.take_state(HUBSPOT, state, cookies.browser_secret(HUBSPOT))
    grant, installed, account = _ask_hubspot(code)
    portal_id = portals.open_portal(installed.hub_id)
    with transaction(portal_id):
        _write_down(grant, installed, account)
        name = portal_queries.current().name
    page = render_template("installed.html", portal_name=name, installer=installed.user_email)
    response = make_response(page)
    cookies.clear_browser_secret(response, HUBSPOT)
    return response


def _ask_hubspot(code: str) -> tuple[Grant, Installation, AccountDetails]:
    wired = wiring()
    grant = value_of(wired.issuers[HUBSPOT].exchange(code), Grant, *_HUBSPOT)
    installed = value_of(wired.issuers[HUBSPOT].introspect(grant.access_token), Installation, *_HUBSPOT)
    account = value_of(wired.crm.account(grant.access_token), AccountDetails, *_HUBSPOT)
    if installed.app_id != wired.settings.hubspot_app_id or installed.hub_id != account.hub_id:
        raise NotAllowed("HubSpot answered for another app or account. Start the installation again.")
    return grant, installed, account


def _write_down(grant: Grant, installed: Installation, account: AccountDetails) -> None:
    wired = wiring()
    portal = portal_queries.locked()
    zone = portals.checked_zone(account.timezone)
    portals.describe(
        portal,
        name=installed.hub_domain or f"Portal {installed.hub_id}",
        ui_domain=account.ui_domain,
        account_type=account.account_type,
        zone=zone,
        currency=account.currency,
        today=clock.today(zone),
    )
    person = portals.signed_person(hubspot_user_id=installed.user_id, email=installed.user_email, first_admin=True)
    connections.connect(
        wired.ring,
        provider=HUBSPOT,
        environment="",
        account_id=str(installed.hub_id),
        name=portal.name,
        grant=grant,
        by=person.email,
    )
    work.want(work.lane("portal").id, "billing.run", "daily")
