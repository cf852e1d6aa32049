"""Changes that a person made "from now on", told on every draft that they reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.console.edited import changed_words
from app.invoices import edits
from app.invoices.models import Invoice, InvoiceLine
from app.subscriptions import queries as subscriptions
from app.subscriptions.models import CONSOLE, Amendment, BilledEntry

_SAID = ("quantity", "discounts")


@dataclass(frozen=True, slots=True)
class Onwards:
    """Who changed what of an item from which day on, and why. `is_new`: no invoice was approved with it yet."""

    name: str
    words: str
    effective: date
    by: str
    reason: str
    is_new: bool


def of_drafts(drafts: Iterable[tuple[Invoice, Sequence[InvoiceLine]]]) -> dict[int, list[Onwards]]:
    """Return by invoice id what reaches it, oldest first, but the changes that were made on that very draft."""
    given = list(drafts)
    by_subscription = {
        subscription_id: found
        for subscription_id, found in subscriptions.amendments_of({i.subscription_id for i, _ in given}).items()
        if any(one.source == CONSOLE for one in found)
    }
    issued = subscriptions.live_entries_of(by_subscription)
    told: dict[int, list[Onwards]] = {}
    for invoice, lines in given:
        known = by_subscription.get(invoice.subscription_id, [])
        own = {edit.amendment for edit in edits.read(invoice.edits)}
        for n, one in enumerate(known):
            line = None if one.source != CONSOLE or one.change in own else _reached(one, known[n + 1 :], lines)
            if line is not None:
                entries = issued[invoice.subscription_id]
                told.setdefault(invoice.id, []).append(_told(one, line, entries, invoice.currency))
    return told


def _reached(one: Amendment, later: Sequence[Amendment], lines: Sequence[InvoiceLine]) -> InvoiceLine | None:
    """Return the first line that a change reaches: its own, or one of its item that no later change speaks for."""
    for line in lines:
        if line.change and line.change == one.change:
            return line
        is_of_item = line.item_key == one.body.get("item") and line.start_on >= one.effective and not line.corrects
        if is_of_item and not any(_replaces(other, one, line) for other in later):
            return line
    return None


def _replaces(other: Amendment, one: Amendment, line: InvoiceLine) -> bool:
    said = {field for field in _SAID if field in one.body}
    return other.body.get("item") == line.item_key and other.effective <= line.start_on and said <= set(other.body)


def _told(one: Amendment, line: InvoiceLine, entries: Sequence[BilledEntry], currency: str) -> Onwards:
    fields = {field: one.body[field] for field in _SAID if field in one.body}
    is_issued = any(
        entry.item_key == line.item_key and entry.period.upper is not None and entry.period.upper > one.effective
        for entry in entries
    )
    words = changed_words(fields, one.before, currency) or "what was agreed"
    return Onwards(line.name, words, one.effective, one.made_by, one.reason, not is_issued)
