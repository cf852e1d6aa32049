"""Two versions of one draft beside each other: what was approved before, and what it says now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.billing.money import Money
from app.invoices.models import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True)
class Change:
    """One line of both versions. A side is None where that version has no such line."""

    name: str
    start: date
    end: date
    before: Money | None
    now: Money | None
    why_before: str
    why_now: str

    @property
    def is_changed(self) -> bool:
        """Whether the two versions differ here, in the amount or in its reason."""
        return self.before != self.now or self.why_before != self.why_now


@dataclass(frozen=True, slots=True)
class Comparison:
    """A draft that was approved once and taken back: both nets, every line, who approved, why it came back."""

    approved_by: str
    why: str
    before: Money
    now: Money
    lines: tuple[Change, ...]


def comparison(invoice: Invoice, lines: Iterable[InvoiceLine]) -> Comparison | None:
    """Return both versions of a draft that was taken back, None for any other. Lines pair by item and first day."""
    if invoice.superseded is None:
        return None
    before = invoice.superseded["document"]
    names = {line.item_key: line.name for line in lines}
    return Comparison(
        approved_by=invoice.superseded.get("approved_by") or "rule",
        why=invoice.superseded.get("why") or "",
        before=Money.parse(before["net"], invoice.currency),
        now=Money(invoice.net_minor, invoice.currency),
        lines=_changes(before, invoice.document, names, invoice.currency),
    )


def _changes(
    before: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str], currency: str
) -> tuple[Change, ...]:
    old = {(line["item"], line["start"]): line for line in before["lines"]}
    new = {(line["item"], line["start"]): line for line in now["lines"]}
    every = [*new, *(key for key in old if key not in new)]
    return tuple(_change(old.get(key), new.get(key), names, currency) for key in every)


def _change(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, names: Mapping[str, str], currency: str
) -> Change:
    shown = new or old
    assert shown is not None
    return Change(
        name=names.get(shown["item"], shown["item"]),
        start=date.fromisoformat(shown["start"]),
        end=date.fromisoformat(shown["end"]),
        before=Money.parse(old["amount"], currency) if old else None,
        now=Money.parse(new["amount"], currency) if new else None,
        why_before=old["why"] if old else "",
        why_now=new["why"] if new else "",
    )
