"""From exact values to money: one rounding a bucket, instalments, payers, stretches (rules 0010.8-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.oracle.dates import ONE_DAY, days_between
from tests.oracle.periods import Period, billing_grid, divides
from tests.oracle.prices import rounded
from tests.oracle.reading import Deal
from tests.oracle.states import Life
from tests.oracle.values import Bucket, DayValues, holds_whole

Key = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a bucket that one line shows: [start, end), amounts by payer."""

    start: date
    end: date
    amounts: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """What is due of one bucket: amounts by payer, and the stretches of its days."""

    key: Key
    exact: Fraction
    amounts: tuple[Fraction, ...]
    stretches: tuple[Stretch, ...]


def groups_of(life: Life, deal: Deal) -> list[list[Period]]:
    """Return the periods that make a price interval together, where billing pays it in instalments.

    Where neither interval divides the other, all periods of a service with an end are one group; without instalments
    the two stubs of a term of whole price intervals are one.
    """
    item = life.item
    if not divides(item.billing.interval, item.price_interval) and not divides(
        item.price_interval, item.billing.interval
    ):
        return [life.periods] if life.end is not None else []
    size = divides(item.billing.interval, item.price_interval)
    if size < 2:
        ends = [*life.periods[:1], *life.periods[-1:]]
        stubs_of_one = len(life.periods) > 1 and ends[0].leading and not ends[1].whole and holds_whole(life)
        return [ends] if stubs_of_one else []
    grid = billing_grid(item, deal)
    first = grid.cell_of(item.start)
    has_stub = grid.boundary(first) < item.start
    first += has_stub
    groups: dict[int, list[Period]] = {}
    stubs: list[Period] = []
    for period in life.periods:
        if period.last < first:
            stubs.append(period)
        else:
            groups.setdefault((period.last - first) // size, []).append(period)
    found = list(groups.values())
    if has_stub and found and holds_whole(life):
        found[-1] = [*stubs, *found[-1]]
    return found


def in_instalments(
    group: Sequence[Period], life: Life, buckets: dict[date, list[Bucket]], decimals: int
) -> dict[date, Fraction] | None:
    """Return each period's amount in a group, the last the rest; None when the group isn't served whole at one price.

    Trial days are served, only free: they leave a smaller group.
    """
    keys = {(bucket.quantity, bucket.unit_price) for period in group for bucket in buckets[period.start]}
    trial = life.item.trial_until or date.min
    days = (day for period in group for day in days_between(max(period.start, min(trial, period.end)), period.end))
    if len(keys) != 1 or not all(life.is_due(day) for day in days):
        return None
    group = [period for period in group if buckets[period.start]]
    left = rounded(sum((buckets[period.start][0].exact for period in group), Fraction(0)), decimals)
    amounts: dict[date, Fraction] = {}
    for period in group[:-1]:
        amounts[period.start] = min(left, rounded(buckets[period.start][0].exact, decimals))
        left -= amounts[period.start]
    amounts[group[-1].start] = left
    return amounts


def split(amount: Fraction, exact: Fraction, deal: Deal) -> tuple[Fraction, ...]:
    """Return `amount` by payer: rounded shares of the exact value, none more than is left, the last one the rest."""
    parts: list[Fraction] = []
    left = amount
    for _, share in deal.payers[:-1]:
        parts.append(min(left, rounded(exact * share / 100, deal.decimals)))
        left -= parts[-1]
    return (*parts, left)


def stretches_of(buckets: Sequence[Bucket]) -> dict[int, list[tuple[date, date, Fraction]]]:
    """Return for each bucket its runs of days (pauses don't interrupt, other buckets do), with their exact values."""
    days = sorted(
        (day, number, value) for number, b in enumerate(buckets) for day, value in zip(b.days, b.values, strict=True)
    )
    found: dict[int, list[tuple[date, date, Fraction]]] = {}
    before = None
    for day, number, value in days:
        runs = found.setdefault(number, [])
        if before == number:
            start, _, sum_so_far = runs[-1]
            runs[-1] = (start, day + ONE_DAY, sum_so_far + value)
        else:
            runs.append((day, day + ONE_DAY, value))
        before = number
    return found


def dues_of(buckets: Sequence[Bucket], amounts: Sequence[Fraction], deal: Deal) -> list[Due]:
    """Return what is due of each bucket of one period, given the buckets' rounded amounts."""
    runs = stretches_of(buckets)
    found: list[Due] = []
    for number, (bucket, amount) in enumerate(zip(buckets, amounts, strict=True)):
        by_payer = split(amount, bucket.exact, deal)
        left = list(by_payer)
        stretches: list[Stretch] = []
        for start, end, exact in runs[number][:-1]:
            parts = split(rounded(exact, deal.decimals), exact, deal)
            left = [rest - part for rest, part in zip(left, parts, strict=True)]
            stretches.append(Stretch(start, end, parts))
        start, end, _ = runs[number][-1]
        stretches.append(Stretch(start, end, tuple(left)))
        found.append(Due((bucket.quantity, bucket.unit_price), bucket.exact, by_payer, tuple(stretches)))
    return found


def all_dues(life: Life, values: DayValues, deal: Deal) -> dict[date, list[Due]]:
    """Return what is due of each billing period of the item, by the period's first day."""
    buckets = {period.start: values.buckets(period) for period in life.periods}
    agreed: dict[date, Fraction] = {}
    for group in groups_of(life, deal):
        agreed |= in_instalments(group, life, buckets, deal.decimals) or {}
    return {
        start: dues_of(found, [agreed.get(start, rounded(bucket.exact, deal.decimals)) for bucket in found], deal)
        for start, found in buckets.items()
    }
