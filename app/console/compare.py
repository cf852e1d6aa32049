"""Two versions of one draft beside each other: what was approved or written before, and what it says now."""

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
    """A draft that was approved once and taken back, or rewritten as a draft: both nets, every line, and why.

    `approved_by` is empty where nobody had approved it. `why` is empty where no edit of the deal did it.
    """

    approved_by: str
    why: str
    before: Money
    now: Money
    lines: tuple[Change, ...]

    @property
    def was_approved(self) -> bool:
        """Whether it had been approved; otherwise it was a draft all along."""
        return self.approved_by != ""

    @property
    def changed_names(self) -> list[str]:
        """The names of the lines that differ, each once."""
        return list(dict.fromkeys(line.name for line in self.lines if line.is_changed))


def comparison(invoice: Invoice, lines: Iterable[InvoiceLine]) -> Comparison | None:
    """Return both versions of a draft that was taken back or rewritten, None for any other.

    Lines pair by item, first day and, beside what a change charges or gives back, by that change.
    """
    if invoice.superseded is None:
        return None
    before = invoice.superseded["document"]
    names = {line.item_key: line.name for line in lines}
    was_draft = invoice.superseded.get("state") == "draft"
    return Comparison(
        approved_by="" if was_draft else invoice.superseded.get("approved_by") or "rule",
        why=invoice.superseded.get("why") or "",
        before=Money.parse(before["net"], invoice.currency),
        now=Money(invoice.net_minor, invoice.currency),
        lines=_changes(before, invoice.document, names, invoice.currency),
    )


def _changes(
    before: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str], currency: str
) -> tuple[Change, ...]:
    old = {_key(line): line for line in before["lines"]}
    new = {_key(line): line for line in now["lines"]}
    every = [*new, *(key for key in old if key not in new)]
    return tuple(_change(old.get(key), new.get(key), names, currency) for key in every)


def _key(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return line["item"], line["start"], line.get("change"), line.get("corrects")


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
