"""The billing periods of an item: boundaries, stubs, instalment groups and explicit dates (conventions 2-4 and 12).

A period here is agreed, not due: a pause or a cancellation shortens what is due of it, never its boundaries.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from app.billing.calendar import Grid, Interval
from app.billing.deal import Billing, Item

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One stretch of time in which an item is billed in one way: from `start` until the next rhythm.

    `unit`: in what the item's value accrues; `per_price`: how many units make a price interval, `per_period` how many
    a billing interval (both may be broken numbers when neither interval is a whole number of the other).
    """

    start: date
    billing: Billing
    boundaries: Grid
    unit: Interval
    units: Grid
    per_price: Fraction
    per_period: Fraction
    change: str | None = None


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """Agreed days [start, end) that are billed together. `uncut_end`: its end before a change of rhythm cut it.

    `group` and `is_last`: the instalments of one price interval; None when it is not billed in parts. `share` of the
    item's whole price for an explicit invoice date, dated `on`.
    """

    start: date
    end: date
    uncut_end: date
    rhythm: Rhythm
    group: int | None = None
    is_last: bool = False
    on: date | None = None
    share: Fraction | None = None
    is_stub: bool = False

    @property
    def dated(self) -> date:
        """The scheduled date in advance (convention 12)."""
        return self.on or self.start - timedelta(days=self.rhythm.billing.lead_days)


def unit_of(item: Item, billing: Billing, *, by_month: bool) -> Interval:
    """Return the unit: the shorter interval when it divides the longer, else the price interval (convention 3).

    One month for prices in months when a term in service months touches the item.
    """
    price, rhythm = item.price_interval, billing.interval
    if by_month and price.months:
        return Interval(months=1)
    if billing.dates:
        return price
    return rhythm if price.times(rhythm) else price


def size(interval: Interval) -> Fraction:
    """Return an interval's length in months; a week is 12/52 of a month, a day 12/365 (convention 14)."""
    if interval.months:
        return Fraction(interval.months)
    weeks, days = divmod(interval.days, 7)
    return Fraction(weeks * 12, 52) if not days else Fraction(interval.days * 12, 365)


def rhythm_of(
    item: Item, billing: Billing, start: date, deal_start: date, *, by_month: bool, change: str | None = None
) -> Rhythm:
    """Return how an item is billed from `start` on under `billing`."""
    unit = unit_of(item, billing, by_month=by_month)
    return Rhythm(
        start=start,
        billing=billing,
        boundaries=billing.grid(billing.interval, deal_start),
        unit=unit,
        units=billing.grid(unit, deal_start),
        per_price=_ratio(item.price_interval, unit),
        per_period=_ratio(billing.interval, unit),
        change=change,
    )


def _ratio(long: Interval, short: Interval) -> Fraction:
    if long.months and short.months:
        return Fraction(long.months, short.months)
    if long.days and short.days:
        return Fraction(long.days, short.days)
    return size(long) / size(short)


def billing_periods(
    item: Item, rhythms: Sequence[Rhythm], start: date, end: date | None, until: date, *, merges_first: bool
) -> list[BillingPeriod]:
    """Return the periods of agreed service [start, end) that start on or before `until`, in whole instalment groups.

    They tile the service without a gap. `merges_first`: the leading stub may be merged with the first full period.
    """
    found: list[BillingPeriod] = []
    for n, rhythm in enumerate(rhythms):
        first = max(start, rhythm.start)
        following = rhythms[n + 1].start if n + 1 < len(rhythms) else None
        last = _earlier(end, following)
        if last is not None and first >= last:
            continue
        if first > until and found:
            break
        here = _periods_of(rhythm, first, last, until, item, merges_first=merges_first and first == start)
        if here and following is not None and (end is None or following < end):
            here[-1] = replace(here[-1], uncut_end=_uncut(rhythm, here[-1], end))
        found.extend(here)
    return found


def _earlier(one: date | None, other: date | None) -> date | None:
    return other if one is None else one if other is None else min(one, other)


def _uncut(rhythm: Rhythm, period: BillingPeriod, end: date | None) -> date:
    """Return where the last period before a change of rhythm would have ended."""
    boundaries = rhythm.boundaries
    full = boundaries.at(boundaries.index(period.end - timedelta(days=1)) + 1)
    return min(full, end) if end else full


def _periods_of(
    rhythm: Rhythm, start: date, end: date | None, until: date, item: Item, *, merges_first: bool
) -> list[BillingPeriod]:
    if rhythm.billing.dates and end is not None:
        return _by_dates(rhythm, start, end)
    boundaries = rhythm.boundaries
    n = boundaries.first_from(start)
    days = [start] if boundaries.at(n) != start else []
    is_stub = bool(days)
    instalments = instalments_of(item, rhythm, is_closed=end is not None)
    count = 0
    while (day := boundaries.at(n)) <= until or count % instalments:
        if end is not None and day >= end:
            break
        days.append(day)
        n, count = n + 1, count + 1
    if not days:
        return []
    closed = end is not None and boundaries.at(n) >= end
    days.append(end if closed and end is not None else boundaries.at(n))
    periods = _grouped(rhythm, days, instalments, is_stub=is_stub, closed=closed)
    return _merged(periods, rhythm, end, is_stub=is_stub and merges_first)


def instalments_of(item: Item, rhythm: Rhythm, *, is_closed: bool) -> int:
    """Return how many billing periods share one price: the parts of a price interval that billing divides.

    Where neither interval divides the other, all periods of a service with an end do, so that the term adds up.
    """
    price, billing = item.price_interval, rhythm.billing.interval
    if parts := price.times(billing):
        return parts
    return 1 if billing.times(price) or not is_closed else _ALL


def _grouped(
    rhythm: Rhythm, days: Sequence[date], instalments: int, *, is_stub: bool, closed: bool
) -> list[BillingPeriod]:
    """Number the groups of periods that add up to a price, from the first boundary; a leading stub is group -1.

    Without instalments only the two stubs of a service with an end are such a group.
    """
    offset, last = (1 if is_stub else 0), len(days) - 2
    periods = []
    for n, (first, following) in enumerate(pairwise(days)):
        place = n - offset
        group: int | None = place // instalments
        if instalments == _ALL:
            group = 0
        elif instalments == 1:
            group = (min(place, 0) if n in (0, last) else None) if is_stub and closed else None
        is_last = place >= 0 and (place % instalments == instalments - 1 or (closed and n == last))
        periods.append(BillingPeriod(first, following, following, rhythm, group, is_last, is_stub=is_stub and n == 0))
    return periods


def _merged(periods: list[BillingPeriod], rhythm: Rhythm, end: date | None, *, is_stub: bool) -> list[BillingPeriod]:
    """Merge stubs as the billing says: a leading one with the first full period, a trailing one with the last."""
    stub = rhythm.billing.stub
    if stub == "with_first" and is_stub and len(periods) > 1 and _is_full(rhythm, periods[1]):
        head, first = periods[0], periods[1]
        group = head.group if first.group is None else first.group
        periods[:2] = [replace(first, start=head.start, is_stub=True, group=group)]
    if stub == "with_last" and end is not None and len(periods) > 1 and periods[-1].end == end:
        last, before = periods[-1], periods[-2]
        if not _is_full(rhythm, last) and not before.is_stub:
            periods[-2:] = [replace(before, end=end, uncut_end=end, is_last=last.is_last, group=last.group)]
    return periods


def _is_full(rhythm: Rhythm, period: BillingPeriod) -> bool:
    return rhythm.boundaries.at(rhythm.boundaries.first_from(period.end)) == period.end


def _by_dates(rhythm: Rhythm, start: date, end: date) -> list[BillingPeriod]:
    """Return one period for each explicit invoice date; shares that are missing divide what is left of 100."""
    dates = rhythm.billing.dates
    left = Fraction(100) - sum((entry.share for entry in dates if entry.share is not None), Fraction(0))
    missing = sum(entry.share is None for entry in dates)
    firsts = [start, *(entry.on for entry in dates[1:]), end]
    if any(day >= following for day, following in pairwise(firsts)):
        # Instalments that are paid before service begins or after it ended: each is a slice of the service by days.
        firsts = [start + timedelta(days=(end - start).days * n // len(dates)) for n in range(len(dates))] + [end]
    periods = []
    rest = Fraction(100)
    for n, entry in enumerate(dates):
        share = left / missing if entry.share is None else entry.share
        share = rest if n + 1 == len(dates) else share
        rest -= share
        first, following = firsts[n], firsts[n + 1]
        if first < following:
            periods.append(
                BillingPeriod(
                    first,
                    following,
                    following,
                    rhythm,
                    group=0,
                    is_last=n + 1 == len(dates),
                    on=entry.on,
                    share=share / 100,
                )
            )
    return periods


def period_end(
    boundaries: Grid, stub: str, start: date, end: date | None, day: date, *, merges_first: bool = True
) -> date:
    """Return the end of the billing period in progress on `day`; on a period's first day nothing of it is in progress.

    `start` and `end` are the agreed service, in which stubs may be merged.
    """
    first = boundaries.first_from(start)
    is_merged = stub == "with_first" and merges_first and boundaries.at(first) != start
    if is_merged and start < day < boundaries.at(first + 1):
        return boundaries.at(first + 1)
    n = boundaries.index(day)
    if day <= start or boundaries.at(n) == day:
        return day
    following = boundaries.at(n + 1)
    # A trailing stub is merged with a full period only, not with the leading stub.
    is_full = boundaries.at(n) >= start
    is_taken = is_full and stub == "with_last" and end is not None and following < end < boundaries.at(n + 2)
    return end if is_taken and end is not None else following


def period_start(
    boundaries: Grid, stub: str, start: date, end: date | None, day: date, *, merges_first: bool = True
) -> date:
    """Return the first day of the billing period that `day` falls in, in the agreed service [start, end)."""
    n, first = boundaries.index(day), boundaries.first_from(start)
    if stub == "with_first" and merges_first and n <= first and boundaries.at(first) != start:
        return start
    is_tail = stub == "with_last" and end is not None and boundaries.at(n) < end < boundaries.at(n + 1)
    if is_tail and boundaries.at(n - 1) >= start:
        return boundaries.at(n - 1)
    return max(boundaries.at(n), start)


def period_at(periods: Sequence[BillingPeriod], day: date) -> BillingPeriod | None:
    """Return the period that holds `day`; periods are in order and tile the service."""
    n = bisect_right(periods, day, key=lambda period: period.start) - 1
    return periods[n] if n >= 0 and day < max(periods[n].end, periods[n].uncut_end) else None


def touched(periods: Iterable[BillingPeriod], start: date, end: date) -> list[BillingPeriod]:
    """Return the periods that share a day with [start, end)."""
    return [period for period in periods if period.start < end and start < period.end]
