"""Connections and deals as an installed portal has them, for the tests of the doors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from app.connections import actions as connections
from app.connections.models import HUBSPOT, QUICKBOOKS, Connection
from app.core.db import db, transaction
from app.core.work import Work
from app.customers.models import Customer
from app.deals.models import Deal
from app.edge import Wiring
from app.ports import Grant
from tests.conftest import USER_EMAIL

GRANT = Grant("access-token", "refresh-token", datetime.now(UTC) + timedelta(hours=1), None, ("oauth",))


def connect_hubspot(app: Flask, portal_id: int, hub_id: int) -> int:
    """Connect a portal to HubSpot; return the connection's id. Needs an app context."""
    return _connect(app, portal_id, HUBSPOT, "", str(hub_id))


def connect_quickbooks(app: Flask, portal_id: int, realm_id: str) -> int:
    """Connect a portal to a QuickBooks company; return the connection's id. Needs an app context."""
    wired: Wiring = app.extensions["dealwright"]
    return _connect(app, portal_id, QUICKBOOKS, wired.settings.quickbooks_environment, realm_id)


def _connect(app: Flask, portal_id: int, provider: str, environment: str, account_id: str) -> int:
    wired: Wiring = app.extensions["dealwright"]
    with transaction(portal_id):
        made: Connection = connections.connect(
            wired.ring, provider=provider, environment=environment, account_id=account_id, name="Their company",
            grant=GRANT, by=USER_EMAIL,
        )  # fmt: skip
        return made.id


def plant_deal(
    portal_id: int,
    hubspot_deal_id: int,
    company_id: int,
    *,
    lines: tuple[str, ...] = (),
    contacts: tuple[str, ...] = (),
) -> None:
    """Write a deal as if it had been read with these line items and contacts. Needs an app context."""
    with transaction(portal_id):
        customer = db.session.execute(
            select(Customer).where(Customer.hubspot_company_id == company_id)
        ).scalar_one_or_none()
        if customer is None:
            customer = Customer(hubspot_company_id=company_id, name="Acme")
            db.session.add(customer)
            db.session.flush()
        db.session.add(
            Deal(
                hubspot_deal_id=hubspot_deal_id, customer_id=customer.id, line_ids=list(lines),
                contact_ids=list(contacts),
            )
        )  # fmt: skip


def wanted(app: Flask, portal_id: int) -> dict[str, list[str]]:
    """Return the subjects of all work of a portal that waits, by kind."""
    with app.app_context(), transaction(portal_id):
        rows = db.session.execute(select(Work.kind, Work.subject).where(Work.state == "waiting").order_by(Work.subject))
        found: dict[str, list[str]] = {}
        for kind, subject in rows:
            found.setdefault(kind, []).append(subject)
        return found
