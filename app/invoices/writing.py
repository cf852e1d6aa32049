"""Writes what was planned: drafts of many subscriptions in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from app.billing import Line
from app.core import events
from app.core.bulk import fresh_ids, insert_rows
from app.core.db import db
from app.invoices.models import Invoice, InvoiceLine
from app.invoices.planning import Draft, Plan

Planned = tuple[Plan, Draft]
DEAL_EDITED = "The deal was edited in HubSpot."


def write(plans: Sequence[Plan]) -> list[tuple[Plan, Invoice]]:
    """Make the drafts of these subscriptions equal to their plans; return the rows of those that need no person."""
    _drop([invoice for plan in plans for invoice in plan.dropped])
    every = [(plan, draft) for plan in plans for draft in plan.drafts]
    ids = _write_new([one for one in every if one[1].invoice is None])
    changed = [(invoice.id, plan, draft) for plan, draft, invoice in _bring_up_to_date(every)]
    _write_lines([*ids, *changed], again=[invoice_id for invoice_id, _, _ in changed])
    return _ready(every, ids)


def _write_new(new: Sequence[Planned]) -> list[tuple[int, Plan, Draft]]:
    if not new:
        return []
    numbered = [(i, *one) for i, one in zip(fresh_ids("invoice", len(new)), new, strict=True)]
    insert_rows("invoice", [_columns(*one) for one in numbered])
    events.record_all("invoice.drafted", "invoice", [
        (invoice_id, {"version": 1, "net_minor": draft.shown.document.net.minor}) for invoice_id, _, draft in numbered
    ])  # fmt: skip
    return numbered


def _columns(invoice_id: int, plan: Plan, draft: Draft) -> dict[str, Any]:
    subscription, document = plan.subscription, draft.shown.document
    return {
        "id": invoice_id, "subscription_id": subscription.id, "customer_id": subscription.customer_id,
        "deal_version_id": subscription.deal_version_id, "portal_id": subscription.portal_id, "kind": document.kind,
        "state": "draft", "version": 1, "scheduled_on": document.dated, "due_on": document.due,
        "net_days": (document.due - document.dated).days, "bill_to": draft.payer, "change": document.change or "",
        "currency": subscription.currency, "net_minor": document.net.minor, "document": draft.json,
        "needs_person": draft.reasons, "edits": [edit.to_json() for edit in draft.shown.edits],
    }  # fmt: skip


def _bring_up_to_date(every: Sequence[Planned]) -> list[tuple[Plan, Draft, Invoice]]:
    """Write what differs into the drafts that exist; return those whose lines are to be written again."""
    changed = []
    for plan, draft in every:
        invoice, document = draft.invoice, draft.shown.document
        if invoice is None:
            continue
        if draft.is_changed:
            invoice.version += 1
            superseded = _superseded(plan, draft, invoice)
            if invoice.superseded != superseded:
                invoice.superseded = superseded
            invoice.due_on, invoice.net_days = document.due, (document.due - document.dated).days
            invoice.net_minor, invoice.document = document.net.minor, draft.json
            events.record(
                "invoice.drafted", "invoice", invoice.id, version=invoice.version, net_minor=invoice.net_minor
            )
            changed.append((plan, draft, invoice))
        invoice.deal_version_id = plan.subscription.deal_version_id
        kept = [edit.to_json() for edit in draft.shown.edits]
        if invoice.edits != kept:
            invoice.edits = kept
        if invoice.needs_person != draft.reasons:
            invoice.needs_person = draft.reasons
    db.session.flush()
    return changed


def _superseded(plan: Plan, draft: Draft, invoice: Invoice) -> dict[str, Any] | None:
    """Return what the draft said before something else than a person's edit of it rewrote it.

    Of several rewritings the first counts, so that all that came since is told; one that set everything back is none.
    What was approved once and taken back stays: that is what a person saw last.
    """
    kept = invoice.superseded
    if kept is not None and kept.get("state") != "draft":
        return kept
    deal_changed = invoice.deal_version_id != plan.subscription.deal_version_id
    is_own = invoice.edits != [edit.to_json() for edit in draft.shown.edits]
    if kept is None and is_own and not deal_changed:
        return None
    before = kept or {"state": "draft", "document": invoice.document, "why": ""}
    if before["document"] == draft.json:
        return None
    return before | {"why": DEAL_EDITED if deal_changed else before["why"]}


def _write_lines(drafts: Iterable[tuple[int, Plan, Draft]], *, again: Sequence[int]) -> None:
    if again:
        db.session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id.in_(again)))
    rows = []
    for invoice_id, plan, draft in drafts:
        frame = {"invoice_id": invoice_id, "portal_id": plan.subscription.portal_id}
        for n, line in enumerate(draft.shown.document.lines):
            name = plan.names.get(line.item, line.item)
            said = {"position": n, "name": name, "change": line.change or ""}
            rows.append(frame | said | _line(line, draft.shown.due.get(n)))
    insert_rows("invoice_line", rows)


def _line(line: Line, due: Line | None) -> dict[str, Any]:
    return {
        "item_key": line.item, "start_on": line.period.start, "end_on": line.period.end,
        "quantity": Decimal(line.quantity), "unit_price": Decimal(line.unit_price), "gross_minor": line.gross.minor,
        "discount_minor": line.discount.minor, "amount_minor": line.amount.minor, "fraction": line.fraction,
        "corrects": line.corrects or "", "why": line.why,
        "due_quantity": None if due is None else due.quantity,
        "due_unit_price": None if due is None else due.unit_price,
        "due_amount_minor": None if due is None else due.amount.minor,
    }  # fmt: skip


def _ready(every: Sequence[Planned], new: Sequence[tuple[int, Plan, Draft]]) -> list[tuple[Plan, Invoice]]:
    """Return the drafts that the rule may approve, with their rows."""
    wanted = {invoice_id: plan for invoice_id, plan, draft in new if not draft.reasons}
    found = (
        db.session.execute(select(Invoice).where(Invoice.id.in_(wanted)).order_by(Invoice.id)).scalars()
        if wanted
        else ()
    )
    ready = [(plan, draft.invoice) for plan, draft in every if draft.invoice is not None and not draft.reasons]
    return [*ready, *((wanted[invoice.id], invoice) for invoice in found)]


def _drop(invoices: Iterable[Invoice]) -> None:
    gone = list(invoices)
    if not gone:
        return
    ids = [invoice.id for invoice in gone]
    db.session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id.in_(ids)))
    db.session.execute(delete(Invoice).where(Invoice.id.in_(ids)))
    events.record_all("invoice.draft_dropped", "subscription", [
        (i.subscription_id, {"scheduled_on": i.scheduled_on.isoformat(), "edits": i.edits}) for i in gone
    ])  # fmt: skip
