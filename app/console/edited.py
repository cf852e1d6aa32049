"""What people changed on a draft or an invoice, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.billing.money import Money, people_decimal
from app.invoices import edits
from app.invoices.editing import AMOUNT, NO_DISCOUNT, PERCENT
from app.invoices.edits import DROPPED, LIVE, ONCE, ONWARDS, Edit
from app.invoices.models import Invoice, InvoiceLine

SCOPES = {ONCE: "on this invoice only", ONWARDS: "from now on"}


@dataclass(frozen=True, slots=True)
class Told:
    """An edit as people read it: who changed what of which line, from which amount to which, when and why.

    `is_before_deal`: it is in force, and the deal changed in HubSpot after it was made.
    """

    edit: Edit
    name: str
    start: date
    end: date
    words: str
    before: Money
    now: Money | None
    at: datetime
    is_before_deal: bool

    @property
    def counts(self) -> bool:
        """Whether it is in force; one that was dropped is shown with the reason."""
        return self.edit.state == LIVE

    @property
    def scope(self) -> str:
        """How long it counts, in words."""
        return SCOPES[self.edit.scope]


def told(invoice: Invoice, lines: Sequence[InvoiceLine]) -> list[Told]:
    """Return what people changed on an invoice, as far as it counts or was dropped, oldest first."""
    by_days = {(line.item_key, line.start_on.isoformat(), line.end_on.isoformat()): line for line in lines}
    names = {line.item_key: line.name for line in lines}
    found = []
    for edit in edits.read(invoice.edits):
        line = by_days.get((edit.item, edit.start, edit.end))
        now = None if line is None else Money(line.amount_minor, invoice.currency)
        if edit.state in (LIVE, DROPPED):
            found.append(_told(edit, names.get(edit.item, edit.item), now, invoice))
    return found


def _told(edit: Edit, name: str, now: Money | None, invoice: Invoice) -> Told:
    currency = invoice.currency
    return Told(
        edit=edit, name=name, start=date.fromisoformat(edit.start), end=date.fromisoformat(edit.end),
        words=words(edit, currency), before=Money.parse(edit.amount_before, currency), now=now,
        at=datetime.fromisoformat(edit.at),
        is_before_deal=edit.state == LIVE and edit.deal_version not in (None, invoice.deal_version_id),
    )  # fmt: skip


def words(edit: Edit, currency: str) -> str:
    """Return what was changed, for people: "units 10 → 12, discount none → 10%"."""
    return changed_words(edit.set, edit.before, currency)


def changed_words(fields: Mapping[str, Any], before_: Mapping[str, Any], currency: str) -> str:
    """Return other units and discounts of an item for people, from the core's fields as they are and as they were."""
    said = []
    for field, value in fields.items():
        before = before_.get(field)
        if field == "quantity":
            said.append(f"units {people_decimal(Decimal(before or '1'))} → {people_decimal(Decimal(value))}")
        elif field == "discounts":
            said.append(f"discount {discount_words(before or [], currency)} → {discount_words(value, currency)}")
    return ", ".join(said)


def discount_words(discounts: Sequence[Mapping[str, Any]], currency: str) -> str:
    """Return an item's discounts for people: "10%", "50.00 off", "none"."""
    said = []
    for one in discounts:
        if "percent" in one:
            said.append(f"{people_decimal(Decimal(one['percent']))}%")
        else:
            per = {"unit": " per unit", "month": " a month", "period": " a period"}.get(one.get("per", "unit"), "")
            said.append(f"{Money.parse(one['amount'], currency).amount()} off{per}")
    return " and ".join(said) or "none"


def discount_typed(discounts: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return how the form shows an item's discounts: kind and number. An empty kind: as agreed, whatever that is."""
    if not discounts:
        return NO_DISCOUNT, ""
    if len(discounts) == 1 and set(discounts[0]) == {"percent"}:
        return PERCENT, str(discounts[0]["percent"])
    if len(discounts) == 1 and set(discounts[0]) == {"amount", "per"} and discounts[0]["per"] in ("invoice", "once"):
        return AMOUNT, str(discounts[0]["amount"])
    return "", ""
