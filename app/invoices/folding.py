"""Lines as the ledger takes them: none below zero, and the same net.

A charge and the credit of one amendment stand beside each other on our document. QuickBooks takes amounts below zero
only on discount items that an account is mapped to, which no portal has yet; so what is credited is taken off the
lines of the same item first, then off the others, and both reasons stand in the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from app.billing.money import Money


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line to send. `amount_minor` in minor units of the document's currency."""

    item: str
    start: date
    end: date
    quantity: Decimal
    unit_price: Decimal
    amount_minor: int
    why: str


def folded(lines: Iterable[LedgerLine], currency: str) -> list[LedgerLine]:
    """Return lines of zero or more whose sum is that of `lines`, which must not be below zero.

    Lines that a credit uses up entirely disappear, unless nothing else is left to send.
    """
    given = list(lines)
    credits = [line for line in given if line.amount_minor < 0]
    if not credits:
        return given
    left = [line for line in given if line.amount_minor >= 0]
    used: set[int] = set()
    for credit in credits:
        _take_off(left, used, credit, currency)
    kept = [line for n, line in enumerate(left) if line.amount_minor > 0 or n not in used]
    return kept or left[:1]


def _take_off(left: list[LedgerLine], used: set[int], credit: LedgerLine, currency: str) -> None:
    rest = -credit.amount_minor
    for n in _in_order(left, credit.item):
        part = min(rest, left[n].amount_minor)
        if part > 0:
            said = f"{left[n].why}; less {Money(part, currency).amount()}: {credit.item}, {credit.why}"
            left[n] = replace(left[n], amount_minor=left[n].amount_minor - part, why=said)
            used.add(n)
            rest -= part
    if rest:
        raise ValueError(f"credits exceed charges by {Money(rest, currency)}")


def _in_order(left: Sequence[LedgerLine], item: str) -> list[int]:
    return sorted(range(len(left)), key=lambda n: left[n].item != item)
