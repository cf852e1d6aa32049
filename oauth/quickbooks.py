"""QuickBooks: connect from a signed-in session of the portal, by a POST that names it."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, request
from flask.typing import ResponseReturnValue

from app import sessions
from app.access.actions import make_state, take_state
from app.connections import actions as connections
from app.connections.models import QUICKBOOKS
from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotAllowed
from app.edge import wiring
from app.portals import queries as portals
from app.portals.models import ADMIN
from app.ports import Company, Grant, LedgerAccount
from app.subscriptions import actions as subscriptions
from app.subscriptions import queries as subscription_queries
from oauth import cookies
from oauth.answers import value_of

blueprint = Blueprint("quickbooks_connect", __name__)
_QUICKBOOKS = ("QuickBooks", "Start again from Dealwright's settings")
_TEST_ACCOUNTS = ("DEVELOPER_TEST", "SANDBOX", "APP_DEVELOPER")


@blueprint.post("/oauth/quickbooks/connect")
def connect() -> ResponseReturnValue:
    """Begin: the form names the portal, which must be the session's own; then QuickBooks' consent page."""
    actor = sessions.require(form=True)
    actor.must_be(ADMIN)
    portal = portals.current()
    if request.form.get("portal") != str(portal.hubspot_portal_id):
        raise Conflict("You are signed in to another portal than this page was made for. Reload the page.")
    if portal.account_type in _TEST_ACCOUNTS and wiring().settings.quickbooks_environment == "production":
        raise Conflict("This is a HubSpot test account: its deals never go into a real company's books.")
    secret = cookies.fresh_secret(QUICKBOOKS)
    state = make_state(QUICKBOOKS, secret, portal_id=portal.id, actor=actor.email)
    response = make_response(redirect(wiring().issuers[QUICKBOOKS].authorize_url(state), code=303))
    cookies.set_browser_secret(response, QUICKBOOKS, secret)
    return response


@blueprint.get("/oauth/quickbooks/callback")
def callback() -> ResponseReturnValue:
    """Finish: take the state, exchange the code, read the company file. Always a redirect: the URL holds secrets."""
    state = request.args.get("state", "")
    taken = take_state(QUICKBOOKS, state, cookies.browser_secret(QUICKBOOKS))
    if request.args.get("error"):
        raise NotAllowed("QuickBooks was not connected: the request was declined there. You can connect at any time.")
    code, realm_id = request.args.get("code", ""), request.args.get("realmId", "")
    if not code or not realm_id.isdigit() or taken.portal_id is None:
        raise Invalid("This address needs what QuickBooks adds to it. Start again from Dealwright's settings.")
    wired = wiring()
    grant = value_of(wired.issuers[QUICKBOOKS].exchange(code), Grant, *_QUICKBOOKS)
    asked = wired.accounting.company(LedgerAccount(realm_id, grant.access_token))
    company = value_of(asked, Company, *_QUICKBOOKS)
    with transaction(taken.portal_id):
        portals.locked()
        connection = connections.connect(
            wired.ring,
            provider=QUICKBOOKS,
            environment=wired.settings.quickbooks_environment,
            account_id=realm_id,
            name=company.name,
            grant=grant,
            by=taken.actor,
        )
        connections.describe_company(connection, company)
        for subscription_id in subscription_queries.active_ids():
            subscriptions.want_billing(subscription_id)
    response = make_response(redirect("/settings?connected=quickbooks", code=302))
    cookies.clear_browser_secret(response, QUICKBOOKS)
    return response
