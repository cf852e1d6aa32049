"""Approval: by the rule or by a person who saw exactly this version. It freezes what will be sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range

from app.billing.states import InvoiceEvent, transition
from app.core import clock, events
from app.core.db import db
from app.core.errors import Conflict, DomainError
from app.customers.models import Customer
from app.invoices import enqueue, queries
from app.invoices.identity import mark
from app.invoices.models import Invoice, InvoiceLine
from app.portals.actions import Actor
from app.portals.models import APPROVER
from app.problems import queries as problem_queries
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import ACTIVE, BilledEntry, Subscription

# Problems that the billing run opens on a deal whose drafts may be older than what it asks about.
_QUESTIONS = ("changed_after_billing", "core_question")


class DraftChanged(Conflict):
    code = "draft_changed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one draft of a batch; `error` is a sentence where it was not approved."""

    invoice_id: int
    error: str | None = None


def approve_many(actor: Actor, shown: Iterable[tuple[int, int]]) -> list[Verdict]:
    """Approve drafts, each only in the version that was shown; one that can't be is told and stops no other."""
    actor.must_be(APPROVER)
    verdicts = []
    # In one order, so that two people who approve the same drafts never lock each other out.
    for invoice_id, version in sorted(shown):
        try:
            with db.session.begin_nested():
                approve_one(actor, invoice_id, version)
            verdicts.append(Verdict(invoice_id))
        except DomainError as error:
            verdicts.append(Verdict(invoice_id, error.message))
    return verdicts


def approve_one(actor: Actor, invoice_id: int, version: int) -> Invoice:
    """Approve one draft in the version that was shown. Raises DraftChanged when there is a newer one."""
    actor.must_be(APPROVER)
    subscription = subscription_queries.locked(queries.one(invoice_id).invoice.subscription_id)
    invoice = queries.locked(invoice_id)
    if invoice.state != "draft":
        raise Conflict(f"This invoice is {invoice.state.replace('_', ' ')} already.", state=invoice.state)
    if invoice.version != version:
        raise DraftChanged(
            "The draft changed since you saw it. Look at the new version and approve again.",
            shown=version, current=invoice.version,
        )  # fmt: skip
    if subscription.state != ACTIVE:
        raise Conflict(f"This draft is held: {subscription.held_because}")
    # BILLING: while any question is open, no document of that deal is approved, by rule or by hand.
    question = problem_queries.first_open("deal", subscription.first_deal_id, *_QUESTIONS)
    if question is not None:
        raise Conflict(f"The deal has an open question: {question.sentence}")
    approve(invoice, subscription, by=actor.email, today=clock.today(subscription.zone))
    return invoice


def approve(invoice: Invoice, subscription: Subscription, *, by: str, today: date) -> None:
    """Freeze a draft, record its periods as settled and queue its delivery: one transaction.

    The caller holds the subscription's lock. Dated on its scheduled day or, when that is over, today.
    """
    invoice.state = transition(invoice.state, InvoiceEvent.APPROVE)
    invoice.issued_on = max(invoice.scheduled_on, today)
    invoice.due_on = invoice.issued_on + timedelta(days=invoice.net_days)
    invoice.approved_by, invoice.approved_at = by, clock.now()
    lines = queries.lines([invoice.id])[invoice.id]
    customer = db.session.execute(select(Customer).where(Customer.id == invoice.customer_id)).scalar_one()
    invoice.frozen = _frozen(invoice, lines, customer)
    for line in lines:
        settled = entry(subscription, invoice.id, line.item_key, line.start_on, line.end_on, line.amount_minor)
        settled.quantity, settled.unit_price = line.quantity, line.unit_price
        db.session.add(settled)
    db.session.flush()
    enqueue.delivery(invoice, lines)
    events.record("invoice.approved", "invoice", invoice.id, by=by, version=invoice.version)
    events.audit(by, "approved", "invoice", invoice.id, version=invoice.version, net_minor=invoice.net_minor)


def take_back(invoice: Invoice, why: str) -> None:
    """Make an approved invoice that never began to be sent a draft again; both versions stay to be shown.

    The caller holds the subscription's lock.
    """
    invoice.state = transition(invoice.state, InvoiceEvent.TAKE_BACK)
    db.session.execute(
        update(BilledEntry)
        .where(BilledEntry.invoice_id == invoice.id, BilledEntry.released_at.is_(None))
        .values(released_at=func.clock_timestamp())
    )
    invoice.superseded = {"document": invoice.document, "approved_by": invoice.approved_by, "why": why}
    invoice.frozen = invoice.approved_by = invoice.approved_at = invoice.issued_on = None
    invoice.version += 1
    enqueue.withdraw(invoice)
    db.session.flush()
    events.record("invoice.taken_back", "invoice", invoice.id, why=why)
    events.audit("rule", f"took the approval back: {why}", "invoice", invoice.id)


def entry(
    subscription: Subscription, invoice_id: int | None, item: str, start: date, end: date, amount_minor: int
) -> BilledEntry:
    """Return an entry that settles an item's days with an amount."""
    return BilledEntry(
        subscription_id=subscription.id, invoice_id=invoice_id, item_key=item, period=Range(start, end, bounds="[)"),
        currency=subscription.currency, charged_minor=max(amount_minor, 0), credited_minor=max(-amount_minor, 0),
    )  # fmt: skip


def _frozen(invoice: Invoice, lines: Sequence[InvoiceLine], customer: Customer) -> bytes:
    """Return the canonical bytes of what is approved; the ledger's ids are filled in when it is planned."""
    assert invoice.issued_on is not None
    content: dict[str, Any] = {
        "invoice_id": invoice.id, "kind": invoice.kind, "customer": customer.name, "currency": invoice.currency,
        "issued_on": invoice.issued_on.isoformat(), "due_on": invoice.due_on.isoformat(),
        "email": customer.billing_email, "net_minor": invoice.net_minor,
        "marker": mark("invoice", invoice.id, invoice.created_at),
        "lines": [
            {"item": line.name, "start": line.start_on.isoformat(), "end": line.end_on.isoformat(),
             "quantity": format(line.quantity, "f"), "unit_price": format(line.unit_price, "f"),
             "amount_minor": line.amount_minor, "why": line.why}
            for line in lines
        ],
    }  # fmt: skip
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
