"""From the core's answer to what the drafts of a subscription should be. Compares and decides; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from app.billing import Answer, PlannedDocument, preview
from app.invoices import edits, queries
from app.invoices.edits import DRAFT_GONE, DROPPED, LIVE, ONCE, Shown
from app.invoices.ground import Ground
from app.invoices.models import Invoice
from app.portals.models import APPROVAL
from app.subscriptions.models import Subscription
from app.subscriptions.settled import item_names

LATE_DAYS = 31
# How far a change waits for a regular invoice, where the portal chose so (convention 10).
CARRY_DAYS = 31
# The one reason that says nothing about the draft itself.
ROUTINE = "This portal approves every invoice."
CATCH_UP = "Several invoices of this deal are late at once."
CREDIT = "Credits are always approved by a person."
FIRST = "It is this customer's first invoice."
EDITED = "A person changed it."

Key = tuple[date, str, str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft as it should be. `invoice` is the one that exists, and `is_changed` whether it says something else.

    `payer` is empty where the deal's own customer pays. `reasons` say why a person has to approve it.
    """

    shown: Shown
    json: dict[str, Any]
    payer: str
    invoice: Invoice | None
    is_changed: bool
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one subscription's drafts should be: `drafts`; `zeros` (with payer) are not sent; `dropped` go."""

    subscription: Subscription
    answer: Answer
    today: date
    names: Mapping[str, str]
    amended: frozenset[str] = frozenset()
    drafts: tuple[Draft, ...] = ()
    zeros: tuple[tuple[PlannedDocument, str], ...] = ()
    dropped: tuple[Invoice, ...] = ()
    blocked: str | None = None


def plan(ground: Ground, subscription: Subscription) -> Plan:
    """Ask the core what is due for a locked subscription, and compare with the drafts it has."""
    today = ground.today(subscription)
    until = today + timedelta(days=ground.portal.draft_ahead)
    # A change that may wait for the next regular invoice has to see it.
    carry = ground.portal.carry_changes
    shown = until + timedelta(days=CARRY_DAYS if carry else 0)
    document = ground.document(subscription)
    version = ground.versions[subscription.deal_version_id]
    answer = _within_reason(preview(document | {"until": shown.isoformat()}, as_of=today, carry=carry))
    amended = frozenset(one.change for one in ground.amendments[subscription.id])
    bare = Plan(subscription, answer, today, item_names(version, document), amended)
    if answer.status != "ok":
        return bare
    wanted = [planned for planned in answer.documents if planned.dated <= until]
    existing = {key_of(invoice): invoice for invoice in ground.drafts[subscription.id]}
    by_payer = bool(document.get("bill_to"))
    found = []
    for planned in wanted:
        payer = planned.bill_to if by_payer else ""
        if planned.sent:
            invoice = existing.pop((planned.dated, planned.kind, payer, planned.change or ""), None)
            found.append(_draft(bare, document, planned, payer, invoice))
    drafts = _with_orphans(found, list(existing.values()))
    return replace(
        bare,
        drafts=_judged(ground, subscription, drafts, today),
        zeros=tuple((planned, planned.bill_to if by_payer else "") for planned in wanted if not planned.sent),
        dropped=tuple(existing.values()),
        blocked=ground.blocker(subscription.currency) if drafts else None,
    )


def _within_reason(answer: Answer) -> Answer:
    """An amount that no invoice can hold is a question, as everything is that can't be billed."""
    if not any(edits.is_too_large(line) for document in answer.documents for line in document.lines):
        return answer
    return Answer("rejected", reason="What was agreed comes to an amount that is too large to be invoiced.")


def key_of(invoice: Invoice) -> Key:
    """Return what tells a draft of a subscription from its others."""
    return invoice.scheduled_on, invoice.kind, invoice.bill_to, invoice.change


def _draft(
    bare: Plan, document: Mapping[str, Any], planned: PlannedDocument, payer: str, invoice: Invoice | None
) -> Draft:
    kept = edits.standing(edits.read(invoice.edits), bare.amended) if invoice is not None else ()
    shown = edits.shown(document, planned, kept, bare.today)
    json = shown.document.to_json()
    is_changed = invoice is None or invoice.document != json or _lines_differ(bare, invoice, shown)
    return Draft(shown, json, payer, invoice, is_changed, [])


def _lines_differ(bare: Plan, invoice: Invoice, shown: Shown) -> bool:
    """Whether the lines of an equal document differ all the same: in their names, or in what is due beside an edit.

    The core's document has keys; the names that people and the ledger read come with the deal's version.
    """
    if invoice.deal_version_id == bare.subscription.deal_version_id and not invoice.edits:
        return False
    for line in queries.lines([invoice.id]).get(invoice.id, []):
        due = shown.due.get(line.position)
        if line.name != bare.names.get(line.item_key, line.item_key):
            return True
        if line.due_amount_minor != (None if due is None else due.amount.minor):
            return True
    return False


def _with_orphans(drafts: list[Draft], dropped: Sequence[Invoice]) -> list[Draft]:
    """Let an edit whose whole draft is gone be seen on the next one: nobody's decision disappears in silence."""
    gone = [
        replace(edit, state=DROPPED, note=DRAFT_GONE, id=f"{edit.id}-{invoice.id}")
        for invoice in dropped for edit in edits.read(invoice.edits) if edit.state == LIVE and edit.scope == ONCE
    ]  # fmt: skip
    if not gone or not drafts:
        return drafts
    first = drafts[0]
    shown = replace(first.shown, edits=(*first.shown.edits, *gone))
    return [replace(first, shown=shown), *drafts[1:]]


def _judged(ground: Ground, subscription: Subscription, drafts: Sequence[Draft], today: date) -> tuple[Draft, ...]:
    """Note why each draft needs a person."""
    late = [draft for draft in drafts if draft.shown.document.dated < today]
    common = [ROUTINE] if ground.portal.invoice_mode == APPROVAL else []
    is_first = ground.portal.first_invoice_by_person and subscription.customer_id not in ground.billed
    judged = []
    for draft in drafts:
        document = draft.shown.document
        before = draft.invoice.needs_person if draft.invoice is not None else []
        reasons = [*common]
        if document.kind == "credit_note":
            reasons.append(CREDIT)
        if (today - document.dated).days > LATE_DAYS:
            reasons.append(f"It is dated more than {LATE_DAYS} days back.")
        # Once one of several, always one: approving the others by hand doesn't let the last go by itself.
        if draft in late and (len(late) > 1 or CATCH_UP in before):
            reasons.append(CATCH_UP)
        if is_first:
            reasons.append(FIRST)
        if any(edit.state == LIVE for edit in draft.shown.edits):
            reasons.append(EDITED)
        reasons += _cannot_be_sent(ground, subscription, draft)
        judged.append(replace(draft, reasons=reasons))
    return tuple(judged)


def _cannot_be_sent(ground: Ground, subscription: Subscription, draft: Draft) -> list[str]:
    if draft.payer and draft.payer != ground.customers[subscription.customer_id]:
        return [other_payer(draft.payer)]
    blocked = ground.blocker(subscription.currency)
    return [blocked] if blocked is not None and draft.shown.document.kind == "invoice" else []


def other_payer(name: str) -> str:
    """Return why a document of another payer than the deal's customer waits."""
    return f"{name} pays it, and Dealwright doesn't send invoices to another payer than the deal's customer yet."
