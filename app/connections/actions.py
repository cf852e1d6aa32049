"""Verbs of connections: install, connect, keep tokens, notice revocation."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select, update

from app.connections import queries
from app.connections.models import (
    CONNECTED,
    DISCONNECTED,
    HUBSPOT,
    NEEDS_RECONNECT,
    QUICKBOOKS,
    Connection,
    ExternalRef,
    Token,
)
from app.core import clock, events, work
from app.core.crypto import KeyRing
from app.core.db import bound_portal, db
from app.core.errors import Conflict, Invalid
from app.core.outcome import FailureKind, Rejected
from app.portals.actions import Actor
from app.portals.models import ADMIN
from app.ports import Company, Grant
from app.problems import actions as problems
from app.problems.actions import OPERATOR, PORTAL_ADMIN, Finding

LANE_OF = {HUBSPOT: "hubspot", QUICKBOOKS: "quickbooks"}
_NAMES = {HUBSPOT: "HubSpot", QUICKBOOKS: "QuickBooks"}


def account_digest(ring: KeyRing, provider: str, environment: str, account_id: str) -> str:
    """Return the keyed digest under which an account id can be found again."""
    return ring.lookup_digest(f"{provider}:{environment}", account_id)


def connect(
    ring: KeyRing, *, provider: str, environment: str, account_id: str, name: str, grant: Grant, by: str
) -> Connection:
    """Store a grant for an account of the bound portal; the same account again updates in place.

    A second account of the same provider is refused while the first is live: another realm inherits nothing.
    """
    digest = account_digest(ring, provider, environment, account_id)
    live = queries.live(provider)
    if live is not None and live.account_digest != digest:
        raise Conflict(f"This portal is connected to another {_NAMES[provider]} account. Disconnect that one first.")
    connection = (
        live
        or db.session.execute(
            select(Connection).where(Connection.provider == provider, Connection.account_digest == digest)
        ).scalar_one_or_none()
    )
    if connection is None:
        sealed = ring.seal(account_id, table="connection", portal_id=bound_portal(), column="account")
        connection = Connection(
            provider=provider, environment=environment, account_digest=digest, account_sealed=sealed
        )
        db.session.add(connection)
    connection.name, connection.state, connection.state_reason = name, CONNECTED, ""
    connection.connected_by, connection.connected_at = by, clock.now()
    db.session.flush()
    store_grant(ring, connection.id, grant)
    problems.close_problems("connection", connection.id)
    lane = work.lane(LANE_OF[provider], connection.id)
    lane.paused = None
    work.ring(lane.id)
    events.audit(by, f"connected {_NAMES[provider]}", "connection", connection.id)
    return connection


def describe_company(connection: Connection, company: Company) -> None:
    """Keep what concerns us of the ledger company's settings.

    Of several income accounts the admin names one; where there is exactly one, or one was named before, it stands.
    """
    connection.name, connection.currency, connection.country = company.name, company.currency, company.country
    connection.facts = dict(company.facts) | {
        "multi_currency": company.multi_currency, "custom_numbers": company.custom_numbers,
        "timezone": company.timezone,
    }  # fmt: skip
    accounts = [account["id"] for account in company.facts.get("income_accounts", [])]
    if connection.income_account_id not in accounts:
        connection.income_account_id = accounts[0] if len(accounts) == 1 else None


def choose_accounts(actor: Actor, *, income_account_id: str, tax_code_id: str | None) -> Connection:
    """Name the account that new items book into and, where the ledger needs one, the tax code of our lines."""
    actor.must_be(ADMIN)
    connection = queries.ledger()
    if connection is None:
        raise Conflict("QuickBooks is not connected.")
    if income_account_id not in {account["id"] for account in connection.facts.get("income_accounts", [])}:
        raise Invalid("Choose one of the company's income accounts.", field="income_account_id")
    codes = {code["id"] for code in connection.facts.get("tax_codes", [])}
    if tax_code_id is not None and tax_code_id not in codes:
        raise Invalid("Choose one of the company's tax codes.", field="tax_code_id")
    connection.income_account_id, connection.tax_code_id = income_account_id, tax_code_id
    problems.rearm(("no_income_account", "no_tax_code"), actor.email)
    events.audit(actor.email, "chose the income account", "connection", connection.id, account=income_account_id)
    return connection


def store_grant(ring: KeyRing, connection_id: int, grant: Grant) -> None:
    """Write the newest tokens; called before they are used for anything."""
    portal_id = bound_portal()
    token = db.session.execute(select(Token).where(Token.connection_id == connection_id)).scalar_one_or_none()
    if token is None:
        token = Token(connection_id=connection_id)
        db.session.add(token)
    token.access_sealed = ring.seal(grant.access_token, table="token", portal_id=portal_id, column="access")
    token.refresh_sealed = ring.seal(grant.refresh_token, table="token", portal_id=portal_id, column="refresh")
    token.access_expires_at, token.refresh_expires_at = grant.access_expires_at, grant.refresh_expires_at
    token.scopes, token.refreshed_at = list(grant.scopes) or token.scopes or [], clock.now()
    db.session.flush()


def expire_access(connection_id: int) -> None:
    """The provider refused the access token: the next use refreshes it first."""
    db.session.execute(
        update(Token).where(Token.connection_id == connection_id).values(access_expires_at=func.clock_timestamp())
    )


def lost(connection: Connection, rejected: Rejected, lane_id: int) -> None:
    """The grant is gone: hold the lane, keep its queue, and ask an admin to connect again."""
    name = _NAMES[connection.provider]
    connection.state, connection.state_reason = NEEDS_RECONNECT, rejected.message
    lane = db.session.execute(select(work.Lane).where(work.Lane.id == lane_id)).scalar_one()
    lane.paused = f"{name} has to be connected again."
    finding = Finding(
        code="reconnect", sentence=f"{name} no longer accepts our connection: {rejected.message}",
        holds=f"Everything that goes to or comes from {name} waits; nothing is lost.",
        who=PORTAL_ADMIN, action=f"Connect {name} again.",
    )  # fmt: skip
    problems.open_problem(finding, "connection", connection.id)
    events.audit("rule", f"{name} connection lost", "connection", connection.id, reason=rejected.message)


def misconfigured(connection: Connection, rejected: Rejected) -> None:
    """The provider refuses our own credentials: an operator's alarm, never a mark against the customer."""
    finding = Finding(
        code="configuration", sentence=f"Dealwright's own access to {_NAMES[connection.provider]} is refused.",
        holds="Deliveries wait; nothing is lost.", who=OPERATOR,
        action="Dealwright's operators have to check the app's client id and secret.",
        data={"detail": rejected.message},
    )  # fmt: skip
    problems.open_problem(finding, "connection", connection.id)


def call_failed(connection: Connection, outcome: Rejected, row: work.Work) -> None:
    """React to what a row's failed call says about the connection itself; the row waits for the new connection."""
    if outcome.kind is FailureKind.EXPIRED and row.state != work.PARKED:
        expire_access(connection.id)
    elif outcome.kind in (FailureKind.REVOKED, FailureKind.EXPIRED):
        lost(connection, outcome, row.lane_id)
        row.state, row.failures, row.failure_kind = work.WAITING, 0, None
    elif outcome.kind is FailureKind.CONFIGURATION:
        misconfigured(connection, outcome)


def link(
    connection_id: int, resource: str, external_id: str, local_id: int, sync_token: str | None, snapshot: dict[str, Any]
) -> ExternalRef:
    """Link one of our records to theirs, or refresh the link's snapshot."""
    ref = queries.ref_of_local(connection_id, resource, local_id)
    if ref is None:
        ref = ExternalRef(connection_id=connection_id, resource=resource, external_id=external_id, local_id=local_id)
        db.session.add(ref)
    elif ref.external_id != external_id:
        raise Conflict(f"Our {resource} {local_id} is linked to another record already.")
    ref.sync_token, ref.snapshot = sync_token, snapshot
    db.session.flush()
    return ref


def disconnect(connection: Connection, by: str, today: date) -> None:
    """End a connection: its tokens go at once, links and history stay."""
    connection.state, connection.state_reason = DISCONNECTED, f"Disconnected by {by} on {today.isoformat()}."
    token = db.session.execute(select(Token).where(Token.connection_id == connection.id)).scalar_one_or_none()
    if token is not None:
        db.session.delete(token)
    work.lane(LANE_OF[connection.provider], connection.id).paused = "disconnected"
    events.audit(by, f"disconnected {_NAMES[connection.provider]}", "connection", connection.id)
