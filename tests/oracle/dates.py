"""Calendar arithmetic of the oracle: intervals, grids of boundaries, service months."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """Either a number of months or a number of days; never both."""

    months: int = 0
    days: int = 0

    @property
    def is_months(self) -> bool:
        """Claim that the interval counts months."""
        return self.months > 0

    @property
    def size(self) -> int:
        """Return the count, in its own kind."""
        return self.months or self.days


def interval_of(text: str) -> Interval:
    """Read `P1M`, `P2Y`, `P1W`, `P10D`."""
    match = re.fullmatch(r"P(\d+)([YMWD])", text)
    if match is None:
        raise ValueError(text)
    count, letter = int(match[1]), match[2]
    if letter in "YM":
        return Interval(months=count * (12 if letter == "Y" else 1))
    return Interval(days=count * (7 if letter == "W" else 1))


def day_in(year: int, month: int, day: int) -> date:
    """Return that day, or the month's last day where the month is shorter."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def months_after(year: int, month: int, day: int, months: int) -> date:
    """Return the virtual (year, month, day) plus whole months, clamped only at the end."""
    index = year * 12 + month - 1 + months
    return day_in(index // 12, index % 12 + 1, day)


def add_months(start: date, months: int) -> date:
    """Return `start` plus whole months, clamped to the month's last day."""
    return months_after(start.year, start.month, start.day, months)


def add_interval(start: date, interval: Interval, times: int) -> date:
    """Return `start` plus `times` intervals, counted from `start` itself."""
    if interval.is_months:
        return add_months(start, interval.months * times)
    return start + timedelta(days=interval.days * times)


def whole_intervals(start: date, end: date, interval: Interval) -> int:
    """Return N when [start, end) is exactly N intervals by calendar from `start`, else 0."""
    times = 1
    while add_interval(start, interval, times) < end:
        times += 1
    return times if add_interval(start, interval, times) == end else 0


def days_between(start: date, end: date) -> Iterator[date]:
    """Yield each day of [start, end)."""
    day = start
    while day < end:
        yield day
        day += ONE_DAY


@dataclass(frozen=True, slots=True)
class Grid:
    """Boundaries counted from a virtual anchor (year, month, day may not exist); rule 0010.2."""

    year: int
    month: int
    day: int
    interval: Interval

    def boundary(self, index: int) -> date:
        """Return boundary `index` (0 is the anchor, negative ones lie before it)."""
        if self.interval.is_months:
            return months_after(self.year, self.month, self.day, self.interval.months * index)
        return day_in(self.year, self.month, self.day) + timedelta(days=self.interval.days * index)

    def cell_of(self, day: date) -> int:
        """Return n with boundary(n) <= day < boundary(n + 1)."""
        anchor = day_in(self.year, self.month, self.day)
        if self.interval.is_months:
            index = ((day.year - anchor.year) * 12 + day.month - anchor.month) // self.interval.months
        else:
            index = (day - anchor).days // self.interval.days
        while self.boundary(index) > day:
            index -= 1
        while self.boundary(index + 1) <= day:
            index += 1
        return index


def grid_for(anchor: object, interval: Interval, start: date, *, unit_of: Interval | None = None) -> Grid:
    """Return the grid of a billing `anchor` (`deal_date`, `calendar`, a day, a full date) for a deal that starts then.

    `unit_of` is the billing interval when the grid wanted is the price unit's.
    """
    if anchor == "calendar":
        if interval.is_months:
            return Grid(start.year, 1, 1, interval)
        if interval.days % 7 == 0:
            monday = start - timedelta(days=start.weekday())
            return Grid(monday.year, monday.month, monday.day, interval)
        return Grid(start.year, start.month, start.day, interval)
    if isinstance(anchor, int):
        return Grid(start.year, start.month, anchor, interval)
    from_day = start if anchor == "deal_date" else date.fromisoformat(str(anchor))
    return Grid(from_day.year, from_day.month, from_day.day, interval)
