"""What approval settles: an entry for each line, and which earlier entry a correction names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy.dialects.postgresql import Range

from app.billing import PlannedDocument
from app.billing.calendar import people_date
from app.core import events
from app.core.bulk import insert_rows
from app.core.db import bound_portal
from app.invoices.models import Invoice, InvoiceLine
from app.subscriptions.models import BilledEntry, Subscription

BILLED, OVERRIDE = "billed", "override"


def entry(
    subscription: Subscription, invoice_id: int | None, item: str, start: date, end: date, amount_minor: int
) -> BilledEntry:
    """Return an entry that settles an item's days with an amount."""
    return BilledEntry(
        subscription_id=subscription.id, invoice_id=invoice_id, item_key=item, period=Range(start, end, bounds="[)"),
        currency=subscription.currency, charged_minor=max(amount_minor, 0), credited_minor=max(-amount_minor, 0),
    )  # fmt: skip


def entries(
    subscription: Subscription, invoice: Invoice, lines: Iterable[InvoiceLine], live: Sequence[BilledEntry]
) -> list[BilledEntry]:
    """Return the entries that settle an approved document. `live`: what was settled before, for what lines correct.

    A line that a person changed settles, as an override, what was due for it: the due quantity and price, and the
    amount that was asked for instead.
    """
    made = []
    for line in lines:
        one = entry(subscription, invoice.id, line.item_key, line.start_on, line.end_on, line.amount_minor)
        is_edited = line.due_amount_minor is not None
        one.kind = OVERRIDE if is_edited else BILLED
        one.quantity = line.due_quantity if is_edited else line.quantity
        one.unit_price = line.due_unit_price if is_edited else line.unit_price
        one.change, one.bill_to, one.document = line.change, invoice.bill_to, label(invoice)
        one.corrects = _corrected(one, line.corrects, live) if line.corrects else None
        made.append(one)
    return made


def write(entries: Sequence[BilledEntry]) -> None:
    """Write entries; the database refuses those that overlap."""
    insert_rows("billed_entry", [
        {"subscription_id": one.subscription_id, "invoice_id": one.invoice_id, "item_key": one.item_key,
         "portal_id": bound_portal(), "bill_to": one.bill_to, "change": one.change, "kind": one.kind,
         "period": f"[{one.period.lower},{one.period.upper})", "currency": one.currency,
         "charged_minor": one.charged_minor, "credited_minor": one.credited_minor, "quantity": one.quantity,
         "unit_price": one.unit_price, "corrects": one.corrects, "document": one.document}
        for one in entries
    ])  # fmt: skip


def label(invoice: Invoice) -> str:
    """Return what people call an approved document before it has a number: "invoice of 1 Mar 2027"."""
    assert invoice.issued_on is not None
    return f"{'credit note' if invoice.kind == 'credit_note' else 'invoice'} of {people_date(invoice.issued_on)}"


def not_sent(zeros: Iterable[tuple[Subscription, PlannedDocument, str]]) -> None:
    """A document whose every line is zero by itself goes to nobody; its periods are recorded as settled."""
    told, settled = [], []
    for subscription, document, payer in zeros:
        for line in document.lines:
            one = entry(subscription, None, line.item, line.period.start, line.period.end, line.amount.minor)
            one.quantity, one.unit_price = line.quantity, line.unit_price
            one.change, one.bill_to, one.kind = line.change or "", payer, BILLED
            settled.append(one)
        told.append((subscription.id, {"date": document.dated.isoformat()}))
    write(settled)
    events.record_all("invoice.not_sent_zero", "subscription", told)


def _corrected(one: BilledEntry, named: str, live: Sequence[BilledEntry]) -> int | None:
    """Return the entry that a line says it corrects: of its item, payer and days; of several, the best and last."""
    near = [
        other
        for other in live
        if (other.item_key, other.bill_to) == (one.item_key, one.bill_to) and other.period.overlaps(one.period)
    ]
    if not near:
        return None

    def fits(other: BilledEntry) -> tuple[bool, bool, bool, int]:
        same = (other.quantity, other.unit_price) == (one.quantity, one.unit_price)
        return other.document == named, same, other.charged_minor > 0, other.id

    return max(near, key=fits).id
