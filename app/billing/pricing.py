"""What a recurring item is worth over any days: units, whole and in part (conventions 3 and 4).

An item's unit is the shorter of its price interval and its billing interval (the first width asks when neither is a
whole number of the other). A price interval of k units is worth price/k in each; inside a unit value accrues by whole
days over that unit's real days.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from app.billing.calendar import Interval, Period, add_months, boundary, months_until
from app.billing.document import DealDocument, RecurringItem


@dataclass(frozen=True, slots=True)
class Accrual:
    """Exact value of an item over some days, in major units, and the units it is made of.

    `whole` units are served from first to last day; `parts` are (days served, days of the unit).
    """

    value: Fraction
    whole: int
    parts: tuple[tuple[int, int], ...] = ()

    def fraction(self) -> str:
        """Write the units served: "1", "3", "9/30", "2 + 9/30"."""
        whole = [str(self.whole)] if self.whole else []
        return " + ".join(whole + [f"{days}/{of}" for days, of in self.parts])


def unit_of(item: RecurringItem) -> Interval:
    """Return the unit in which the item's value accrues."""
    return min(item.price_interval, item.billing_interval, key=lambda interval: interval.months)


def unit_value(item: RecurringItem) -> Fraction:
    """Return the exact value of one whole unit, in major units."""
    return item.price * unit_of(item).months / item.price_interval.months


def served_days(deal: DealDocument, days: Period) -> Period | None:
    """Return the days of `days` that the contract serves, or None."""
    end = deal.end or add_months(max(deal.start, days.end), 1)
    return days.overlap(Period(deal.start, end))


def accrue(deal: DealDocument, item: RecurringItem, days: Period) -> Accrual:
    """Return what `item` is worth over `days`; days outside the contract are worth nothing."""
    served = served_days(deal, days)
    if served is None:
        return Accrual(Fraction(0), 0)
    months = unit_of(item).months
    whole, parts = 0, []
    n = months_until(deal.start, served.start) // months
    while (start := boundary(deal.start, months, n)) < served.end:
        unit = Period(start, boundary(deal.start, months, n + 1))
        part = unit.overlap(served)
        if part == unit:
            whole += 1
        elif part:
            parts.append((part.days, unit.days))
        n += 1
    units = whole + sum((Fraction(days_served, of) for days_served, of in parts), Fraction(0))
    return Accrual(unit_value(item) * units, whole, tuple(parts))
