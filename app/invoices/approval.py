"""Approval: by the rule or by a person who saw exactly this version. It freezes what will be sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from app.billing.states import InvoiceEvent, transition
from app.core import clock, events
from app.core.db import db
from app.core.errors import Conflict, DomainError
from app.customers.models import Customer
from app.invoices import enqueue, queries, settling
from app.invoices.folding import LedgerLine, folded
from app.invoices.identity import mark
from app.invoices.models import Invoice, InvoiceLine
from app.invoices.planning import other_payer
from app.portals.actions import Actor
from app.portals.models import APPROVER
from app.problems import queries as problem_queries
from app.subscriptions import amending
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import ACTIVE, BilledEntry, Subscription

# Problems that the billing run opens on a deal whose drafts may be older than what it asks about.
QUESTIONS = (*amending.QUESTIONS, "core_question")


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
    subscription, invoice = draft_as_shown(actor, invoice_id, version)
    customer_name = db.session.execute(select(Customer.name).where(Customer.id == invoice.customer_id)).scalar_one()
    if invoice.bill_to and invoice.bill_to != customer_name:
        raise Conflict(other_payer(invoice.bill_to))
    approve([(subscription, invoice)], by=actor.email, today=clock.today(subscription.zone))
    return invoice


def draft_as_shown(actor: Actor, invoice_id: int, version: int) -> tuple[Subscription, Invoice]:
    """Lock and return a draft that a person may decide on, with its subscription, in the version that was shown.

    Raises DraftChanged when there is a newer one, Conflict while its deal is held or a question about it is open.
    """
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
    question = problem_queries.first_open("deal", subscription.first_deal_id, *QUESTIONS)
    if question is not None:
        raise Conflict(f"The deal has an open question: {question.sentence}")
    return subscription, invoice


def approve(drafts: Sequence[tuple[Subscription, Invoice]], *, by: str, today: date) -> None:
    """Freeze drafts, record their periods as settled and queue their delivery: one transaction.

    The caller holds the subscriptions' locks. Dated on the scheduled day or, when that is over, today. A credit note
    is settled and frozen in the same way, and then waits to be issued by hand: no work is queued for it.
    """
    if not drafts:
        return
    ids = [invoice.id for _, invoice in drafts]
    lines = queries.lines(ids)
    customers = queries.customers_of(ids)
    corrected = {s.id for s, invoice in drafts if any(line.corrects for line in lines[invoice.id])}
    live = subscription_queries.live_entries_of(corrected)
    entries: list[BilledEntry] = []
    delivered = []
    for subscription, invoice in drafts:
        sent = _sent(invoice, lines[invoice.id])
        _mark_approved(invoice, by, today)
        invoice.frozen = _frozen(invoice, sent, customers[invoice.customer_id])
        entries += settling.entries(subscription, invoice, lines[invoice.id], live.get(subscription.id, ()))
        if invoice.kind == "invoice":
            delivered.append((invoice, {line.item for line in sent}))
    db.session.flush()
    settling.write(entries)
    enqueue.deliveries(delivered)
    told = [(i.id, {"version": i.version, "net_minor": i.net_minor}) for _, i in drafts]
    events.record_all("invoice.approved", "invoice", [(i, {"by": by, "version": d["version"]}) for i, d in told])
    events.audit_all(by, "approved", "invoice", told)


def _mark_approved(invoice: Invoice, by: str, today: date) -> None:
    invoice.state = transition(invoice.state, InvoiceEvent.APPROVE)
    invoice.issued_on = max(invoice.scheduled_on, today)
    invoice.due_on = invoice.issued_on + timedelta(days=invoice.net_days)
    invoice.approved_by, invoice.approved_at = by, clock.now()


def take_back(invoice: Invoice, why: str) -> None:
    """Make an approved invoice that never began to be sent a draft again; both versions stay to be shown.

    The caller holds the subscription's lock.
    """
    state = transition(invoice.state, InvoiceEvent.TAKE_BACK)
    _make_room(invoice)
    invoice.state = state
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


def _make_room(invoice: Invoice) -> None:
    """Drop the draft that came to stand in the place of an approved one; what is due is written anew after this."""
    same = (Invoice.subscription_id, Invoice.scheduled_on, Invoice.kind, Invoice.bill_to, Invoice.change)
    place = (invoice.subscription_id, invoice.scheduled_on, invoice.kind, invoice.bill_to, invoice.change)
    wanted = [column == value for column, value in zip(same, place, strict=True)]
    other = db.session.execute(select(Invoice.id).where(Invoice.state == "draft", *wanted)).scalar_one_or_none()
    if other is not None:
        db.session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id == other))
        db.session.execute(delete(Invoice).where(Invoice.id == other))


def _sent(invoice: Invoice, lines: Iterable[InvoiceLine]) -> list[LedgerLine]:
    """Return the lines as they are sent: an invoice's without amounts below zero, a credit note's as they are."""
    plain = [
        LedgerLine(line.name, line.start_on, line.end_on, line.quantity, line.unit_price, line.amount_minor, line.why)
        for line in lines
    ]
    return folded(plain, invoice.currency) if invoice.kind == "invoice" else plain


def _frozen(invoice: Invoice, lines: Sequence[LedgerLine], customer: Customer) -> bytes:
    """Return the canonical bytes of what is approved; the ledger's ids are filled in when it is planned."""
    assert invoice.issued_on is not None
    content: dict[str, Any] = {
        "invoice_id": invoice.id, "kind": invoice.kind, "customer": customer.name, "currency": invoice.currency,
        "issued_on": invoice.issued_on.isoformat(), "due_on": invoice.due_on.isoformat(),
        "email": customer.billing_email, "net_minor": invoice.net_minor,
        "marker": mark("invoice", invoice.id, invoice.created_at),
        "lines": [
            {"item": line.item, "start": line.start.isoformat(), "end": line.end.isoformat(),
             "quantity": format(line.quantity, "f"), "unit_price": format(line.unit_price, "f"),
             "amount_minor": line.amount_minor, "why": line.why}
            for line in lines
        ],
    }  # fmt: skip
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
