"""Verbs of draft editing: another quantity or discount of a line, with a reason, and its undoing before approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.billing import Line, PlannedDocument
from app.billing.money import Money, MoneyError, decimals_of, parse_decimal, plain_decimal
from app.core import clock, events
from app.core.db import db
from app.core.errors import Conflict, Invalid
from app.invoices import approval, drafting, edits, ground, queries
from app.invoices.edits import LIVE, ONCE, ONWARDS, UNDONE, Edit
from app.invoices.models import Invoice
from app.invoices.planning import key_of, plan
from app.portals.actions import Actor
from app.problems import queries as problem_queries
from app.subscriptions import amending
from app.subscriptions import queries as subscription_queries
from app.subscriptions.amending import Writing
from app.subscriptions.models import CONSOLE, Subscription

PERCENT, AMOUNT, NO_DISCOUNT = "percent", "amount", "none"
LONGEST_REASON = 500
_NOTHING_LEFT = "That leaves nothing to pay on this invoice. Skipping a whole invoice isn't possible here yet."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person typed for one line: texts as they came. An empty quantity or discount kind leaves it as it is.

    `discount_kind`: percent, amount (off this line on each invoice), none (take every discount of the line away).
    """

    position: int
    scope: str
    quantity: str
    discount_kind: str
    discount: str
    reason: str


@dataclass(frozen=True, slots=True)
class Editable:
    """A line of a draft as a person may edit it.

    `values` are its quantity and discounts as the draft shows them, `agreed` as they are without the live edit.
    """

    line: Line
    item: Mapping[str, Any]
    values: Mapping[str, Any]
    agreed: Mapping[str, Any]
    live: Edit | None

    @property
    def is_once(self) -> bool:
        """Whether it is charged a single time, so that nothing can count "from now on"."""
        return bool(self.item.get("kind") == "one_time")


def editable(actor: Actor, invoice_id: int, position: int) -> Editable:
    """Return a draft's line that this person may edit. Raises Conflict for one that corrects or credits, or is gone."""
    shown = queries.one(invoice_id).invoice
    subscription, invoice = approval.draft_as_shown(actor, invoice_id, shown.version)
    return _editable(_Case.of(subscription, invoice), position)


def edit(actor: Actor, invoice_id: int, version: int, wish: Wish) -> Invoice:
    """Change one line of a draft in the version that was shown, and write the draft anew at once. Approvers may.

    "Once" is kept on the draft and settled as an override at its approval; "onwards" is an amendment from the line's
    first day. An earlier edit of the same line gives way. Raises Invalid for what can't be read or changes nothing,
    DraftChanged and Conflict as approval does.
    """
    subscription, invoice = approval.draft_as_shown(actor, invoice_id, version)
    case = _Case.of(subscription, invoice)
    at = _editable(case, wish.position)
    fields = _fields(wish, at, subscription.currency)
    made = replace(_made(actor, wish, at, fields, len(invoice.edits)), deal_version=subscription.deal_version_id)
    if wish.scope == ONWARDS:
        made = _amend(subscription, at, made)
    kept = [_given_way(subscription, actor, one, at.live) for one in edits.read(invoice.edits)]
    invoice.edits = [one.to_json() for one in (*kept, made)]
    return _written_anew(actor, invoice, made, version)


def undo(actor: Actor, invoice_id: int, version: int, edit_id: str) -> Invoice:
    """Take back an edit of a draft in the version that was shown. Approvers may.

    One that counts from now on comes back only while nothing was issued with it.
    """
    subscription, invoice = approval.draft_as_shown(actor, invoice_id, version)
    known = edits.read(invoice.edits)
    found = next((one for one in known if one.id == edit_id and one.state == LIVE), None)
    if found is None:
        raise Conflict("This change was taken back already.")
    invoice.edits = [_given_way(subscription, actor, one, found).to_json() for one in known]
    db.session.flush()
    _draft(invoice)
    _grow(invoice, version)
    events.audit(
        actor.email, "took back a change of the draft", "invoice", invoice.id, version=invoice.version,
        edit=found.to_json(),
    )  # fmt: skip
    return invoice


@dataclass(frozen=True, slots=True)
class _Case:
    """A draft beside the core's answer of this moment."""

    subscription: Subscription
    invoice: Invoice
    document: Mapping[str, Any]
    planned: PlannedDocument
    today: date

    @classmethod
    def of(cls, subscription: Subscription, invoice: Invoice) -> _Case:
        known = ground.read([subscription])
        now = plan(known, subscription)
        for draft in now.drafts:
            document = draft.shown.document
            if (document.dated, document.kind, draft.payer, document.change or "") == key_of(invoice):
                return cls(subscription, invoice, known.document(subscription), document, now.today)
        raise Conflict("The deal changed meanwhile, and this draft is being written anew. Look at it again.")


def _editable(case: _Case, position: int) -> Editable:
    lines = case.planned.lines
    if not 0 <= position < len(lines):
        raise Conflict("This line is no longer on the draft.")
    line = lines[position]
    if not edits.is_editable(line):
        raise Conflict("This line corrects or credits something that was issued, so it can't be edited.")
    item = edits.find_item(case.document, line.item)
    if item is None or item["kind"] == "usage":
        raise Conflict("This line comes from measured usage, so it can't be edited here.")
    live = next((one for one in edits.read(case.invoice.edits) if one.state == LIVE and one.is_of(line)), None)
    values = edits.values_of(case.document, line)
    if live is not None and live.scope == ONCE:
        values = values | dict(live.set)
    return Editable(line, item, values, values | dict(live.before) if live is not None else values, live)


def _fields(wish: Wish, at: Editable, currency: str) -> dict[str, Any]:
    """Return what is to differ from what was agreed of the item, in the core's format."""
    wanted = dict(at.values)
    if wish.quantity.strip():
        quantity = _decimal(wish.quantity, "quantity", "Write the units as a plain number, for example 12 or 2.5.")
        wanted["quantity"] = plain_decimal(quantity)
    discounts = _discounts(wish, at, currency)
    if discounts is not None:
        wanted["discounts"] = discounts
    if wanted == at.values and (at.live is None or at.live.scope == wish.scope):
        raise Invalid("The draft says just that already. Write other units or another discount.", field="quantity")
    fields = {name: value for name, value in wanted.items() if value != at.agreed[name]}
    if not fields:
        raise Invalid("That is what was agreed. Take the change back instead.", field="quantity")
    return fields


def _discounts(wish: Wish, at: Editable, currency: str) -> list[dict[str, str]] | None:
    if wish.discount_kind == NO_DISCOUNT:
        # A number beside "no discount" is what stood there, or a discount that was meant: that is not guessed.
        standing = [str(one.get("percent", one.get("amount"))) for one in at.values["discounts"]]
        if wish.discount.strip() not in ("", *standing):
            raise Invalid("Choose what kind of discount it is, or leave its number empty.", field="discount_kind")
        return []
    if wish.discount_kind == PERCENT:
        percent = _decimal(wish.discount, "discount", "Write the discount in percent, for example 10.")
        if percent > 100:
            raise Invalid("A discount is at most 100 percent.", field="discount")
        return [{"percent": plain_decimal(percent)}] if percent else []
    if wish.discount_kind == AMOUNT:
        try:
            amount = Money.parse(wish.discount.strip(), currency)
        except MoneyError:
            places = decimals_of(currency)
            example = "50" if not places else f"50.{'0' * places}"
            raise Invalid(f"Write the discount as an amount, for example {example}.", field="discount") from None
        if amount.minor < 0:
            raise Invalid("A discount is not below zero.", field="discount")
        per = "once" if at.is_once else "invoice"
        return [{"amount": amount.plain(), "per": per}] if amount.minor else []
    if wish.discount_kind:
        raise Invalid("Choose what kind of discount it is.", field="discount_kind")
    return None


def _decimal(text: str, field: str, sentence: str) -> Decimal:
    try:
        value = parse_decimal(text.strip())
    except MoneyError:
        raise Invalid(sentence, field=field) from None
    if value < 0:
        raise Invalid(sentence, field=field)
    return value


def _made(actor: Actor, wish: Wish, at: Editable, fields: dict[str, Any], number: int) -> Edit:
    reason = " ".join("".join(c for c in wish.reason if c.isprintable() or c.isspace()).split())
    if not reason:
        raise Invalid("Say why, in a few words: it is shown with the invoice.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(
            f"The reason has {len(reason)} characters; at most {LONGEST_REASON} are kept. Shorten it.", field="reason"
        )
    if wish.scope not in (ONCE, ONWARDS):
        raise Invalid("Choose whether it counts for this invoice only or from now on.", field="scope")
    if wish.scope == ONWARDS and at.is_once:
        raise Invalid("This is charged a single time, so it can only be changed on this invoice.", field="scope")
    period = at.line.period
    return Edit(
        id=f"edit-{number + 1}", item=at.line.item, start=period.start.isoformat(), end=period.end.isoformat(),
        scope=wish.scope, set=fields, before={name: at.agreed[name] for name in fields},
        amount_before=at.live.amount_before if at.live else at.line.amount.plain(), reason=reason,
        by=actor.email, at=clock.now().isoformat(),
    )  # fmt: skip


def _amend(subscription: Subscription, at: Editable, made: Edit) -> Edit:
    start = at.line.period.start
    if _issued_after(subscription, at.line.item, start):
        raise Conflict("A later period of this item is invoiced already, so only this invoice can be changed.")
    writing = Writing(made.by, clock.today(subscription.zone), CONSOLE, made.reason)
    if at.live is not None and at.live.scope == ONWARDS:
        _withdraw(subscription, at.live, made.by)
    body = {"item": at.line.item, **made.set, "settle": "unused"}
    return replace(made, amendment=amending.add(subscription, start, body, made.before, writing).change)


def _issued_after(subscription: Subscription, item: str, start: date) -> bool:
    entries = subscription_queries.live_entries(subscription.id)
    return any(one.item_key == item and one.period.upper is not None and one.period.upper > start for one in entries)


def _given_way(subscription: Subscription, actor: Actor, one: Edit, gone: Edit | None) -> Edit:
    """Return an edit as it stands once `gone` was taken back."""
    if gone is None or one.id != gone.id:
        return one
    _withdraw(subscription, one, actor.email)
    return replace(one, state=UNDONE, note=f"Taken back by {actor.email}.")


def _withdraw(subscription: Subscription, one: Edit, by: str) -> None:
    live = subscription_queries.amendments(subscription.id)
    amendment = next((found for found in live if found.change == one.amendment), None)
    if amendment is None:
        return
    if _issued_after(subscription, one.item, amendment.effective):
        raise Conflict("An invoice was approved with this change already. Make another change instead.")
    amending.withdraw(subscription, amendment, Writing(by, clock.today(subscription.zone), CONSOLE, "Taken back."))


def _written_anew(actor: Actor, invoice: Invoice, made: Edit, version: int) -> Invoice:
    """Write the draft with its edit; refuse one that the core doesn't take, or that leaves nothing to pay."""
    db.session.flush()
    _draft(invoice)
    question = problem_queries.first_open("deal", queries.deal_of(invoice), *approval.QUESTIONS)
    if question is not None:
        raise Conflict(f"That can't be billed so: {question.sentence}")
    if not queries.exists(invoice.id):
        raise Conflict(_NOTHING_LEFT)
    now = queries.locked(invoice.id)
    kept = next((one for one in edits.read(now.edits) if one.id == made.id), None)
    if kept is None or kept.state != LIVE:
        raise Conflict("That can't be billed so. Write other units or another discount.")
    if not any(line.amount_minor for line in queries.lines([now.id])[now.id]):
        raise Conflict(_NOTHING_LEFT)
    _grow(now, version)
    events.audit(actor.email, "changed the draft", "invoice", now.id, version=now.version, edit=made.to_json())
    return now


def _draft(invoice: Invoice) -> None:
    """Bring the drafts up to date. Of its own edit the draft tells by itself, so that is no rewriting of it."""
    invoice_id, superseded, followed = invoice.id, invoice.superseded, invoice.deal_version_id
    drafting.draft(invoice.subscription_id)
    if not queries.exists(invoice_id):
        return
    now = queries.locked(invoice_id)
    if now.deal_version_id == followed and now.superseded != superseded:
        now.superseded = superseded
        db.session.flush()


def _grow(invoice: Invoice, shown: int) -> None:
    """What a person decided is a new version, even where it comes to the same amounts: nobody approves it unseen."""
    if invoice.version == shown:
        invoice.version += 1
