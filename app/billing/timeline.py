"""From the deal to its charges: what is due per item and billing period, whatever was settled already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import count

from app.billing.calendar import Period, add_months, boundary
from app.billing.document import DealDocument, Item, OneTimeItem, RecurringItem
from app.billing.money import Money
from app.billing.pricing import Accrual, accrue

_SHOWN_MONTHS_OPEN_ENDED = 12


@dataclass(frozen=True, slots=True)
class Instalment:
    """One of the parts in which a price interval worth `whole` is billed; `is_rest` when it is what is left of it."""

    number: int
    of: int
    whole: Money
    is_rest: bool


@dataclass(frozen=True, slots=True)
class Charge:
    """What is due for one item over one billing period: `exact` before and `due` after its one rounding."""

    item: Item
    period: Period
    accrual: Accrual
    due: Money
    instalment: Instalment | None = None


def last_document_day(deal: DealDocument, as_of: date) -> date:
    """Return the last document date shown, included: `until`, else the end of the term.

    An open-ended deal is shown for twelve months from the later of its start and `as_of`.
    """
    if deal.until is not None:
        return deal.until
    return deal.end or add_months(max(deal.start, as_of), _SHOWN_MONTHS_OPEN_ENDED)


def charges_by_item(deal: DealDocument, last_day: date) -> dict[str, list[Charge]]:
    """Return the charges of each item up to `last_day`, or further where something later was settled already."""
    settled = max((entry.period.last_day for entry in deal.issued), default=last_day)
    horizon = max(last_day, settled)
    return {item.key: list(charges(deal, item, horizon)) for item in deal.items}


def charges(deal: DealDocument, item: Item, last_day: date) -> Iterator[Charge]:
    """Yield the item's charges in order, for every billing period that starts on or before `last_day`."""
    if isinstance(item, OneTimeItem):
        if item.on <= last_day:
            yield Charge(item, Period.of_day(item.on), Accrual(item.price, 1), Money.rounded(item.price, deal.currency))
        return
    running = _Instalments(deal, item)
    for period in billing_periods(deal, item, last_day):
        accrual = accrue(deal, item, period)
        due, instalment = running.take(period, accrual.value)
        yield Charge(item, period, accrual, due, instalment)


def billing_periods(deal: DealDocument, item: RecurringItem, last_day: date) -> Iterator[Period]:
    """Yield the billing periods that start on or before `last_day`; the last one ends with the contract."""
    months = item.billing_interval.months
    for n in count():
        start = boundary(deal.start, months, n)
        if start > last_day or (deal.end and start >= deal.end):
            return
        end = boundary(deal.start, months, n + 1)
        yield Period(start, min(end, deal.end) if deal.end else end)


class _Instalments:
    """Rounds one period after the other so that a price interval billed in parts sums to its price.

    The last part is the rest (conventions 4 and 6), taken from what is due and never from what was settled, so the
    amounts do not depend on when or in which order documents were issued. A price so small that rounded parts would
    exceed it is used up before its last part: no part is ever negative.
    """

    def __init__(self, deal: DealDocument, item: RecurringItem) -> None:
        self._deal = deal
        self._item = item
        self._of = max(item.price_interval.months // item.billing_interval.months, 1)
        self._taken = 0
        self._left = self._whole = Money.zero(deal.currency)

    def take(self, period: Period, exact: Fraction) -> tuple[Money, Instalment | None]:
        rounded = Money.rounded(exact, self._deal.currency)
        if self._of == 1:
            return rounded, None
        number = self._taken % self._of + 1
        if number == 1:
            self._left = self._whole = self._price_served(self._taken // self._of)
        self._taken += 1
        is_last = number == self._of or period.end == self._deal.end
        due = self._left if is_last or rounded.minor > self._left.minor else rounded
        self._left = self._left - due
        return due, Instalment(number, self._of, self._whole, is_rest=due != rounded)

    def _price_served(self, n: int) -> Money:
        """Round what the n-th price interval is worth: its price, or less when the contract ends inside it."""
        months = self._item.price_interval.months
        interval = Period(boundary(self._deal.start, months, n), boundary(self._deal.start, months, n + 1))
        return Money.rounded(accrue(self._deal, self._item, interval).value, self._deal.currency)
