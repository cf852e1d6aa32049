"""Short ways to write a usage item, its periods and its readings, and to read what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.billing.calendar import Grid, Interval, Period, add_months
from app.billing.deal import Allowance, Billing, Item, PriceModel, Tier, UsageReading, UsageTerms
from app.billing.usage import UsageOutcome, usage_charges

START = date(2027, 1, 1)
MONTH, QUARTER, YEAR, WEEK = Interval(months=1), Interval(months=3), Interval(months=12), Interval(days=7)


def day(text: str) -> date:
    """Read "05-01" as a day of 2027, or a whole date."""
    return date.fromisoformat(text if len(text) > 5 else f"2027-{text}")


def days(start: str, end: str) -> Period:
    """Return the period [start, end)."""
    return Period(day(start), day(end))


def months(count: int, start: date = START, every: int = 1) -> list[Period]:
    """Return `count` periods of `every` months from `start`."""
    return [Period(add_months(start, n * every), add_months(start, (n + 1) * every)) for n in range(count)]


def by_calendar(period: Period, interval: Interval) -> Fraction:
    """Measure a period on the 1st of each month: days of a month count as days of that month."""
    if interval.days:
        return Fraction(period.days, interval.days)
    grid, worth = Grid.anchored(MONTH, START), Fraction(0)
    for n in range(grid.index(period.start), grid.index(period.last_day) + 1):
        month = Period(grid.at(n), grid.at(n + 1))
        part = month.overlap(period)
        worth += Fraction(part.days if part else 0, month.days)
    return worth / interval.months


def item(
    price: PriceModel | str = "1", *, start: date = START, billing: Billing | None = None, **terms: object
) -> Item:
    """Return a usage item of meter "calls": 1.00 a unit unless `price` says otherwise."""
    return Item(
        key="calls",
        name="Calls",
        kind="usage",
        quantity=Decimal(1),
        unit_price=Decimal(price) if isinstance(price, str) else Decimal(0),
        price=None if isinstance(price, str) else price,
        price_interval=MONTH,
        billing=billing or Billing(),
        start=start,
        usage=replace(UsageTerms("calls"), **terms),  # type: ignore[arg-type]  # any of its fields
    )


def read(*quantities: str | int, periods: Sequence[Period], complete: bool = True) -> list[UsageReading]:
    """Return one reading for each period."""
    pairs = zip(quantities, periods, strict=False)
    return [
        UsageReading("calls", period, Decimal(quantity), complete, f"usage[{n}].quantity")
        for n, (quantity, period) in enumerate(pairs)
    ]


def run(
    usage: Item, periods: Sequence[Period], readings: Sequence[UsageReading], currency: str = "USD", *,
    term_end: date | None = date(2028, 1, 1), **more: date,
) -> UsageOutcome:  # fmt: skip
    """Return the charges of a deal that starts with 2027."""
    return usage_charges(usage, periods, readings, currency, START, term_end, by_calendar, **more)


def amounts(outcome: UsageOutcome, kind: str = "usage") -> list[str]:
    """Return the exact amounts of one kind, in order."""
    return [str(charge.exact) for charge in outcome.charges if charge.kind == kind]


def told(outcome: UsageOutcome) -> list[tuple[str, str, str]]:
    """Return (kind, last day, amount) of every charge."""
    return [(one.kind, one.period.last_day.isoformat()[5:], str(one.exact)) for one in outcome.charges]


def allow(
    per: Interval | str, quantity: str = "0", amount: str = "0", rollover: int = 0, at_end: bool = False
) -> Allowance:
    """Return an allowance per interval, "period" or "term"."""
    interval = per if isinstance(per, Interval) else None
    return Allowance(interval, per == "period", Decimal(quantity), Fraction(amount), rollover, at_end)


TIERS = PriceModel("graduated", (Tier(Decimal(100), Decimal(2), None, None), Tier(None, Decimal(1), None, None)))
