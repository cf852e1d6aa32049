"""Queues an approved invoice's delivery: customer, items, invoice, mail, each its own replay-safe row."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.connections import queries as connections
from app.core import work
from app.core.db import bound_portal, db
from app.core.errors import Conflict
from app.core.work import PARKED, Work
from app.invoices.models import Invoice, InvoiceLine, LedgerItem

CUSTOMER, ITEM, INVOICE, MAIL = "quickbooks.customer", "quickbooks.item", "quickbooks.invoice", "quickbooks.mail"
READ_INVOICE, READ_PAYMENT = "quickbooks.read_invoice", "quickbooks.read_payment"


def blocker(currency: str) -> str | None:
    """Return why nothing in this currency can go to the ledger at present, as a sentence; None if it can."""
    connection = connections.ledger()
    if connection is None:
        return "QuickBooks is not connected."
    if connection.currency and connection.currency != currency:
        return f"The deal is in {currency}, but {connection.name} keeps its books in {connection.currency}."
    return None


def delivery(invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    """Queue the four kinds of steps on the ledger's lane; nothing leaves before the invoice's own date."""
    if (why := blocker(invoice.currency)) is not None:
        raise Conflict(why)
    connection = connections.ledger()
    assert connection is not None
    lane_id = work.lane("quickbooks", connection.id).id
    before = [_arm(lane_id, CUSTOMER, invoice.customer_id, priority=20)]
    for item_id in _items({line.name for line in lines}):
        before.append(_arm(lane_id, ITEM, item_id, priority=20))
    sent = _arm(lane_id, INVOICE, invoice.id, after=before, priority=30)
    mailed = _arm(lane_id, MAIL, invoice.id, after=[sent], priority=40)
    for row_id in (sent, mailed):
        db.session.get_one(Work, row_id).due_on = invoice.issued_on


def withdraw(invoice: Invoice) -> None:
    """Take an invoice's delivery out of the queue; its rows are re-armed by the next approval."""
    for kind in (INVOICE, MAIL):
        row = work.find(kind, invoice.id)
        if row is not None:
            row.state, row.lease_until, row.last_error = PARKED, None, "The invoice was taken back to draft."
            # What was sent and definitely refused has used its request id up; other bytes need another one.
            if row.send_began_at is not None and not row.outcome_unknown:
                row.epoch += 1
            row.request = row.request_id = row.request_hash = None


def _arm(lane_id: int, kind: str, subject: int, *, after: Sequence[int] = (), priority: int) -> int:
    work_id = work.want(lane_id, kind, subject, after=after, priority=priority)
    row = db.session.execute(
        select(Work).where(Work.id == work_id).execution_options(populate_existing=True)
    ).scalar_one()
    row.after = list(after)
    if kind in (INVOICE, MAIL) and row.state == PARKED:
        work.again(row, new_epoch=False)
    return work_id


def _items(names: set[str]) -> list[int]:
    ordered = sorted(names)
    values = [{"portal_id": bound_portal(), "name": name} for name in ordered]
    db.session.execute(insert(LedgerItem).values(values).on_conflict_do_nothing(index_elements=["portal_id", "name"]))
    rows = db.session.execute(select(LedgerItem.id).where(LedgerItem.name.in_(ordered)).order_by(LedgerItem.id))
    return list(rows.scalars())
