"""Billing periods, units and invoice dates of an item (rules 0010.1-3, 6, 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from tests.oracle.dates import Grid, Interval, add_interval, grid_for
from tests.oracle.reading import Deal, Item, month_start, read_discount, read_step

MONTH = Interval(months=1)


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) of service, made of the grid's cells `first` to `last`; `stub` says it holds less than whole cells.

    `leading` marks a period that holds the days before the first boundary.
    """

    start: date
    end: date
    first: int
    last: int
    leading: bool
    whole: bool


def agreed_end(item: Item, deal: Deal, moved_days: int = 0) -> date | None:
    """Return the first day no longer agreed for `item`, None when nothing ends it."""
    if item.own_end is not None:
        return item.own_end + timedelta(days=moved_days)
    return deal.end + timedelta(days=moved_days) if deal.end is not None else None


def horizon_of(deal: Deal) -> date:
    """Return a day safely behind everything that can matter to a document dated on or before `until`."""
    ends = [deal.until, deal.as_of, deal.start, *(end for item in deal.items if (end := agreed_end(item, deal)))]
    longest = max(
        (interval for item in deal.items for interval in (item.price_interval, item.billing.interval)),
        key=lambda interval: interval.months * 30 + interval.days,
    )
    lead = max(item.billing.lead_days for item in deal.items)
    return add_interval(max(ends), longest, 2) + timedelta(days=lead + 62)


def billing_grid(item: Item, deal: Deal) -> Grid:
    """Return the grid of the item's billing boundaries."""
    return grid_for(item.billing.anchor, item.billing.interval, deal.start)


def periods_of(item: Item, deal: Deal, end: date | None, horizon: date) -> list[Period]:
    """Return the billing periods of [item.start, end), stubs merged as agreed; trial days belong to no period."""
    grid = billing_grid(item, deal)
    found: list[Period] = []
    cell = grid.cell_of(item.start)
    last_day = end or horizon
    while grid.boundary(cell) < last_day:
        low, high = grid.boundary(cell), grid.boundary(cell + 1)
        start, stop = max(low, item.start), min(high, last_day)
        leading = low < item.start
        found.append(Period(start, stop, cell, cell, leading, (start, stop) == (low, high)))
        cell += 1
    found = merged(found, item, deal, end)
    free = item.trial_until or item.start
    return [replace(period, start=max(period.start, free)) for period in found if period.end > free] or found[-1:]


def merged(found: list[Period], item: Item, deal: Deal, end: date | None) -> list[Period]:
    """Merge the leading stub (only at the deal's own start) or the trailing one into its full neighbour."""
    if len(found) < 2:
        return found
    if item.billing.stub == "with_first" and item.start == deal.start:
        head, second = found[0], found[1]
        if head.leading and second.whole:
            return [replace(head, end=second.end, last=second.last), *found[2:]]
    if item.billing.stub == "with_last" and end is not None:
        before, tail = found[-2], found[-1]
        if not tail.whole and before.whole:
            return [*found[:-2], replace(before, end=tail.end, last=tail.last, whole=False)]
    return found


def period_of(day: date, periods: list[Period]) -> Period:
    """Return the period that `day` falls in; the nearest one for a day outside of all."""
    inside = [period for period in periods if period.start <= day < period.end]
    if inside:
        return inside[0]
    return periods[0] if day < periods[0].start else periods[-1]


def divides(small: Interval, large: Interval) -> int:
    """Return how many `small` make `large`, 0 when no whole number does."""
    if small.is_months != large.is_months or large.size % small.size:
        return 0
    return large.size // small.size


def unit_of(item: Item, deal: Deal) -> tuple[Interval, int]:
    """Return the item's unit and k, the units in a price interval (rule 0010.3)."""
    price, billing = item.price_interval, item.billing.interval
    if price.is_months and touched_by_months(item, deal):
        return MONTH, price.months
    if times := divides(billing, price):
        return billing, times
    return price, 1


def touched_by_months(item: Item, deal: Deal) -> bool:
    """Claim that a service-month term of the item's discounts, steps or of a deal discount touches its life."""
    end = agreed_end(item, deal)
    windows = [(part.since, part.to) for part in item.discounts if part.by_month]
    windows += [(part.since, part.to) for part in deal.discounts if part.by_month and covered(part.items, item)]
    windows += [(step.day, None) for step in item.steps if step.by_month]
    for change in deal.changes:
        if change.kind == "item" and change.key == item.key:
            discounts = [read_discount(part, deal.start) for part in change.body.get("discounts", ())]
            windows += [(part.since, part.to) for part in discounts if part.by_month]
            steps = [read_step(part, deal.start) for part in change.body.get("steps", ())]
            windows += [(step.day, None) for step in steps if step.by_month]
    return any(
        (end is None or since is None or since < end) and (to is None or to > item.start) for since, to in windows
    )


def covered(items: tuple[str, ...] | None, item: Item) -> bool:
    """Claim that a deal discount with that scope covers the item; unscoped ones cover recurring items only."""
    return item.key in items if items is not None else item.kind == "recurring"


def unit_grid(item: Item, deal: Deal, unit: Interval) -> Grid:
    """Return the grid of the item's units: the billing anchor with the unit's interval."""
    return grid_for(item.billing.anchor, unit, deal.start)


def invoice_date(item: Item, period: Period, last_due: date | None) -> date:
    """Return the scheduled date of a period whose last day due is `last_due` (rule 0010.7)."""
    if item.billing.timing == "advance":
        return period.start - timedelta(days=item.billing.lead_days)
    return min(period.end, last_due + timedelta(days=1)) if last_due else period.end


def one_time_day(item: Item, deal: Deal) -> date | None:
    """Return the day of a one-time item, None for a milestone nobody confirmed."""
    if item.when == "start":
        return item.start
    if isinstance(item.when, dict):
        if "month" in item.when:
            return month_start(deal.start, item.when["month"])
        confirmed = item.when.get("confirmed_on")
        return date.fromisoformat(confirmed) if confirmed else None
    return date.fromisoformat(str(item.when))


def one_time_date(item: Item, day: date) -> date:
    """Return the invoice date of a one-time item on `day`: earlier by the lead days unless it is a milestone."""
    if (isinstance(item.when, dict) and "event" in item.when) or item.billing.timing != "advance":
        return day
    return day - timedelta(days=item.billing.lead_days)
