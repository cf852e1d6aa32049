"""Settings: QuickBooks, the billing choices, people and their roles. Admins change them, everybody reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.billing.calendar import add_months
from app.connections import actions as connection_actions
from app.connections import queries as connections
from app.connections.models import CONNECTED
from app.console import queries, shell
from app.core.errors import Conflict, DomainError, Invalid
from app.edge import wiring
from app.portals import actions
from app.portals import queries as portals
from app.portals.models import ADMIN, APPROVER, VIEWER, Portal
from app.subscriptions import actions as subscriptions
from app.subscriptions import queries as subscription_queries

blueprint = Blueprint("settings", __name__)
ROLES = {
    VIEWER: "Viewer: reads everything, changes nothing",
    APPROVER: "Approver: lets drafts out and settles problems",
    ADMIN: "Admin: also connects QuickBooks, chooses the rules, grants roles",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up invoice, a month from now, on which each billing choice is explained."""

    dated: date
    drafted: date
    due: date


@blueprint.get("/settings")
def index() -> str:
    """Show the connection, the choices and the people; the forms only to those who may use them."""
    sessions.require()
    return _page()


@blueprint.post("/settings/ledger")
def choose_ledger() -> ResponseReturnValue:
    """Name the income account of new items and, where the company has tax codes, the code of our lines."""
    actor = sessions.require(form=True)
    try:
        connection_actions.choose_accounts(
            actor,
            income_account_id=request.form.get("income_account_id", ""),
            tax_code_id=request.form.get("tax_code_id") or None,
        )
    except DomainError as error:
        return shell.refused(error, _page)
    return redirect(url_for("settings.index", done="ledger"), code=303)


@blueprint.post("/settings/disconnect")
def disconnect() -> ResponseReturnValue:
    """End the QuickBooks connection; what is in QuickBooks stays there."""
    actor = sessions.require(form=True)
    try:
        actor.must_be(ADMIN)
        ledger = connections.ledger()
        if ledger is None:
            raise Conflict("QuickBooks is not connected.")
        connection_actions.disconnect(ledger, actor.email, shell.today())
    except DomainError as error:
        return shell.refused(error, _page)
    return redirect(url_for("settings.index", done="disconnected"), code=303)


@blueprint.post("/settings/billing")
def choose_billing() -> ResponseReturnValue:
    """Change the billing choices and have every draft judged anew."""
    actor = sessions.require(form=True)
    try:
        actions.choose(
            actor,
            invoice_mode=request.form.get("invoice_mode", ""),
            first_invoice_by_person="first_invoice_by_person" in request.form,
            draft_ahead_days=_days("draft_ahead_days") if request.form.get("draft_ahead_days", "").strip() else None,
            net_days=_days("net_days"),
            carry_changes="carry_changes" in request.form,
        )
    except DomainError as error:
        return shell.refused(error, _page)
    subscriptions.want_billing_of(subscription_queries.active_ids())
    return redirect(url_for("settings.index", done="billing"), code=303)


@blueprint.post("/settings/people")
def invite() -> ResponseReturnValue:
    """Add a person with a role before they open their first card."""
    actor = sessions.require(form=True)
    try:
        actions.invite(actor, request.form.get("email", ""), request.form.get("role", VIEWER))
    except DomainError as error:
        return shell.refused(error, _page)
    return redirect(url_for("settings.index", done="invited", _anchor="people"), code=303)


@blueprint.post("/settings/people/<record:person_id>/role")
def grant(person_id: int) -> ResponseReturnValue:
    """Change a person's role."""
    actor = sessions.require(form=True)
    try:
        actions.grant_role(actor, person_id, request.form.get("role", ""))
    except DomainError as error:
        if error.status == 404:
            raise
        return shell.refused(error, _page)
    return redirect(url_for("settings.index", done="role", _anchor="people"), code=303)


def example(portal: Portal, today: date) -> Example:
    """Return an invoice of the first of next month as the present choices would treat it."""
    dated = add_months(today.replace(day=1), 1)
    return Example(dated, dated - timedelta(days=portal.draft_ahead), dated + timedelta(days=portal.net_days))


def form_targets(authorize_url: str) -> str:
    """Return where the connect form may lead: the consent page's origin, and its sign-in pages at Intuit."""
    parts = urlsplit(authorize_url)
    own = f"{parts.scheme}://{parts.netloc}"
    return f"{own} https://*.intuit.com" if (parts.hostname or "").endswith(".intuit.com") else own


def _days(field: str) -> int:
    raw = request.form.get(field, "").strip()
    if not raw.isdecimal() or len(raw) > 4:
        raise Invalid("Write a whole number of days, for example 30.", field=field)
    return int(raw)


def _page() -> str:
    # Browsers hold a form's redirects to this list too, and the connect form ends on QuickBooks' consent page.
    g.form_targets = form_targets(wiring().settings.quickbooks_authorize_url)
    portal, ledger = portals.current(), connections.ledger()
    return shell.page(
        "settings.html", at="settings", portal=portal, ledger=ledger, is_admin=g.actor.may(ADMIN), roles=ROLES,
        is_live=ledger is not None and ledger.state == CONNECTED, people=queries.people(),
        example=example(portal, shell.today()), typed=request.form, crm=connections.crm(),
    )  # fmt: skip
