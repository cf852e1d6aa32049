"""One row in every table of a portal: what the tests of the tenant wall look at.

Ids may start anywhere, so that the ids of one portal can be told from all ids of another.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import Range

from app.access.models import ConsoleSession, SignInLink
from app.connections.models import Connection, ExternalRef, Token
from app.core.db import db, transaction
from app.core.events import Audit, Event
from app.core.idempotency import Idempotency
from app.core.work import Lane, Work
from app.customers.models import Customer
from app.deals.models import Deal, DealItem, DealVersion
from app.inbox.models import InboxEvent
from app.invoices.models import Invoice, InvoiceLine, LedgerItem
from app.payments.models import PaymentApplied
from app.portals.models import Person
from app.problems.models import Problem
from app.subscriptions.models import Amendment, BilledEntry, Subscription

DAY = date(2026, 3, 1)
INSTANT = datetime(2026, 3, 1, tzinfo=UTC)
DOCUMENT = {
    "id": "1", "customer": "Acme", "currency": "USD", "start": "2026-03-01", "term_months": 12,
    "payment": {"net_days": 30}, "billing": {"interval": "P1M"},
    "items": [{"key": "seats", "name": "Seats", "kind": "recurring", "quantity": "10", "unit_price": "50",
               "price_interval": "P1M"}],
}  # fmt: skip


@dataclass(frozen=True)
class Ids:
    """Ids of a portal's rows by table, and the outside ids of its customer and deal."""

    portal_id: int
    hubspot_company_id: int
    hubspot_deal_id: int
    by_table: dict[str, int]

    def named(self) -> set[int]:
        """Return the ids that addresses and rows of work may name, inside and outside ones."""
        tables = ("connection", "customer", "deal", "invoice", "ledger_item", "person", "problem", "subscription")
        return {self.hubspot_company_id, self.hubspot_deal_id, *(self.by_table[table] for table in tables)}


def fill(portal_id: int, first_id: int) -> Ids:
    """Write a row into every tenant table, with ids from `first_id` on. Needs an app context without transaction."""
    ids = itertools.count(first_id)
    company, deal = next(ids), next(ids)
    made: dict[str, int] = {}
    with transaction(portal_id):
        for row in _rows(ids, str(first_id), company, deal, made):
            made[row.__tablename__] = row.id
            db.session.add(row)
            db.session.flush()
    return Ids(portal_id, company, deal, made)


def _rows(ids: Iterator[int], mark: str, company: int, deal: int, at: dict[str, int]) -> Iterator[Any]:
    """Yield a row per table, parents first; `at` has the ids of those that were written."""
    subject = {"subject_kind": "deal", "subject_id": mark}
    yield Audit(id=next(ids), actor="ada@x.example", action="did", **subject)
    yield Event(id=next(ids), kind="deal.won", **subject)
    yield InboxEvent(id=next(ids), source="hubspot", dedupe_key=mark, kind="deal.creation", object_id=mark, payload={})
    yield Idempotency(id=next(ids), door="console", key=mark, body_hash="h", answer={})
    yield Person(id=next(ids), email=f"grace-{mark}@x.example", role="admin")
    person = at["person"]
    later = INSTANT + timedelta(days=36500)
    yield SignInLink(id=next(ids), person_id=person, digest=f"link-{mark}", expires_at=later)
    yield ConsoleSession(id=next(ids), person_id=person, digest=f"session-{mark}", csrf="c", expires_at=later)
    yield Connection(
        id=next(ids), provider="quickbooks", account_digest=mark, account_sealed=b"x", environment="sandbox"
    )
    connection = at["connection"]
    yield Token(
        id=next(ids), connection_id=connection, access_sealed=b"x", refresh_sealed=b"y", access_expires_at=later,
        refreshed_at=INSTANT,
    )  # fmt: skip
    yield Lane(id=next(ids), kind="quickbooks", connection_id=connection)
    yield Work(id=next(ids), lane_id=at["lane"], kind="quickbooks.invoice", subject=mark, state="parked")
    yield Customer(id=next(ids), hubspot_company_id=company, name="Acme", billing_email="ap@acme.example")
    customer = at["customer"]
    yield Deal(id=next(ids), hubspot_deal_id=deal, customer_id=customer, name="Acme deal", state="won")
    yield DealItem(id=next(ids), deal_id=at["deal"], key=f"seats-{mark}", name="Seats", hubspot_line_id=mark)
    yield DealVersion(
        id=next(ids), deal_id=at["deal"], number=int(mark), document=DOCUMENT, sources={}, document_hash="h"
    )
    version = at["deal_version"]
    yield Subscription(
        id=next(ids), customer_id=customer, first_deal_id=at["deal"], deal_version_id=version,
        wanted_version_id=version, start_on=DAY, zone="UTC", currency="USD", state="waiting_relation",
    )  # fmt: skip
    subscription = at["subscription"]
    yield Amendment(
        id=next(ids), subscription_id=subscription, change=f"c{mark}", effective=DAY, recorded_on=DAY, source="console",
        made_by="ada@x.example", body={"item": "seats", "quantity": "11"},
    )  # fmt: skip
    yield Invoice(
        id=next(ids), subscription_id=subscription, customer_id=customer, deal_version_id=version, scheduled_on=DAY,
        due_on=DAY + timedelta(days=30), net_days=30, currency="USD", net_minor=50000, document={}, needs_person=["x"],
    )  # fmt: skip
    invoice = at["invoice"]
    yield InvoiceLine(
        id=next(ids), invoice_id=invoice, position=int(mark), item_key="seats", name="Seats", start_on=DAY,
        end_on=DAY + timedelta(days=31), quantity=Decimal(10), unit_price=Decimal(50), amount_minor=50000,
        why="10 x 50",
    )  # fmt: skip
    yield LedgerItem(id=next(ids), name="Seats")
    yield BilledEntry(
        id=next(ids), subscription_id=subscription, invoice_id=invoice, item_key="seats", currency="USD",
        period=Range(DAY, DAY + timedelta(days=31), bounds="[)"), charged_minor=50000,
    )  # fmt: skip
    yield PaymentApplied(
        id=next(ids), connection_id=connection, external_payment_id=mark, invoice_id=invoice, amount_minor=1,
        currency="USD", paid_on=DAY,
    )  # fmt: skip
    yield ExternalRef(
        id=next(ids), connection_id=connection, resource="invoice", external_id=f"e{mark}", local_id=invoice
    )
    yield Problem(
        id=next(ids), code="invoice_refused", sentence="Refused.", holds="It waits.", who="finance", action="Retry.",
        work_id=at["work"], customer_id=customer, deal_id=at["deal"], **subject,
    )  # fmt: skip
