"""Queues an approved invoice's delivery: customer, items, invoice, mail, each its own replay-safe row."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.connections import queries as connections
from app.core import work
from app.core.db import bound_portal, db
from app.core.errors import Conflict
from app.core.work import PARKED, Wanted, Work
from app.invoices.models import Invoice, LedgerItem

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


def deliveries(approved: Sequence[tuple[Invoice, set[str]]]) -> None:
    """Queue the four kinds of steps for invoices, each with the names of its items; nothing leaves before its date.

    Raises Conflict where one of them can't go to the ledger at present.
    """
    if not approved:
        return
    for currency in sorted({invoice.currency for invoice, _ in approved}):
        if (why := blocker(currency)) is not None:
            raise Conflict(why)
    connection = connections.ledger()
    assert connection is not None
    lane_id = work.lane("quickbooks", connection.id).id
    customers = work.want_all(
        lane_id, CUSTOMER, [Wanted(i) for i in {invoice.customer_id for invoice, _ in approved}], priority=20
    )
    items = _items(set().union(*(names for _, names in approved)))
    rows = work.want_all(lane_id, ITEM, [Wanted(i) for i in items.values()], priority=20)
    before = {
        invoice.id: [customers[str(invoice.customer_id)], *sorted(rows[str(items[name])] for name in names)]
        for invoice, names in approved
    }
    sent = _arm(lane_id, INVOICE, [Wanted(i.id, before[i.id], i.issued_on) for i, _ in approved], priority=30)
    _arm(lane_id, MAIL, [Wanted(i.id, [sent[str(i.id)]], i.issued_on) for i, _ in approved], priority=40)


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


def _arm(lane_id: int, kind: str, wanted: Sequence[Wanted], *, priority: int) -> dict[str, int]:
    """Ask for steps of invoices; those that an earlier approval left parked go again."""
    ids = work.want_all(lane_id, kind, wanted, priority=priority)
    parked = db.session.execute(
        select(Work).where(Work.id.in_(ids.values()), Work.state == PARKED).execution_options(populate_existing=True)
    ).scalars()
    for row in parked.all():
        work.again(row, new_epoch=False)
    return ids


def _items(names: set[str]) -> dict[str, int]:
    """Return {name: our id} of these items, made where they are new."""
    ordered = sorted(names)
    values = [{"portal_id": bound_portal(), "name": name} for name in ordered]
    db.session.execute(insert(LedgerItem).values(values).on_conflict_do_nothing(index_elements=["portal_id", "name"]))
    rows = db.session.execute(select(LedgerItem.name, LedgerItem.id).where(LedgerItem.name.in_(ordered)))
    return {row.name: row.id for row in rows}
