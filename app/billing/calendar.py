"""Days, half-open periods, and boundaries that are always counted from their anchor.

Months are clamped to their last day but the anchor's day is never forgotten: 31 January plus one month is 28 February,
plus two months is 31 March. There is no zone here: every date is a local date of the portal's billing zone.
"""

from __future__ import annotations

import calendar as _gregorian
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEARS_MONTHS = re.compile(r"P(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?")
_WEEKS_OR_DAYS = re.compile(r"P([0-9]{1,4})([WD])")
MAX_MONTHS = 1200


def last_day_of_month(year: int, month: int) -> date:
    """Return the last day of a month: 28, 29, 30 or 31."""
    return date(year, month, _gregorian.monthrange(year, month)[1])


def add_months(anchor: date, months: int) -> date:
    """Return the day `months` after `anchor` with the anchor's day of the month, clamped to the month's last day."""
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = last_day_of_month(year, month0 + 1)
    return last if anchor.day >= last.day else last.replace(day=anchor.day)


def months_until(anchor: date, day: date) -> int:
    """Return the largest n with add_months(anchor, n) <= day (negative before the anchor)."""
    n = (day.year - anchor.year) * 12 + day.month - anchor.month
    return n if add_months(anchor, n) <= day else n - 1


def people_date(day: date) -> str:
    """Write a day as people do: "1 Mar 2027"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


@dataclass(frozen=True, slots=True)
class Interval:
    """An ISO 8601 interval of whole months (`months` > 0) or of whole days (`days` > 0), never both.

    Two spellings of one length are equal: P12M is P1Y, P2W is P14D.
    """

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if (self.months > 0) == (self.days > 0) or self.months < 0 or self.days < 0 or self.months > MAX_MONTHS:
            raise ValueError("an interval is whole months (at most 1200) or whole days")

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read P1M, P3M, P1Y, P1Y6M, P2W, P10D. Raises ValueError."""
        if found := _WEEKS_OR_DAYS.fullmatch(text):
            return cls(days=int(found[1]) * (7 if found[2] == "W" else 1))
        found = _YEARS_MONTHS.fullmatch(text)
        if not found or text == "P":
            raise ValueError("not an ISO 8601 interval")
        return cls(months=int(found[1] or 0) * 12 + int(found[2] or 0))

    def add_to(self, day: date, count: int = 1) -> date:
        """Return the day `count` intervals after `day`, its day of the month clamped."""
        return add_months(day, self.months * count) if self.months else day + timedelta(days=self.days * count)

    def times(self, other: Interval) -> int | None:
        """Return how many whole `other` make this interval, or None when no whole number does."""
        if bool(self.months) != bool(other.months):
            return None
        k, rest = divmod(self.months or self.days, other.months or other.days)
        return k if k and not rest else None

    def iso(self) -> str:
        """Write the interval in its shortest form: P1Y, P18M, P2W, P10D."""
        if self.months:
            return f"P{self.months // 12}Y" if self.months % 12 == 0 else f"P{self.months}M"
        return f"P{self.days // 7}W" if self.days % 7 == 0 else f"P{self.days}D"

    def noun(self, count: int = 1) -> str:
        """Write `count` intervals in words: "month", "3 months", "2 quarters", "6 months", "2 x 6 months"."""
        size, word = self._size()
        if size == 1:
            return word if count == 1 else f"{count} {word}s"
        return f"{size} {word}s" if count == 1 else f"{count} x {size} {word}s"

    def per(self) -> str:
        """Write the interval as a price's rhythm: "a month", "a quarter", "every 6 months"."""
        size, word = self._size()
        return f"a {word}" if size == 1 else f"every {size} {word}s"

    def _size(self) -> tuple[int, str]:
        if self.months == 3:
            return 1, "quarter"
        if self.months:
            return (self.months // 12, "year") if self.months % 12 == 0 else (self.months, "month")
        return (self.days // 7, "week") if self.days % 7 == 0 else (self.days, "day")


@lru_cache(maxsize=8192)
def _day_in(month_index: int, day: int) -> date:
    """Return a day of the month counted from year 0, clamped to the month's last day."""
    year, month0 = divmod(month_index, 12)
    return date(year, month0 + 1, min(day, _gregorian.monthrange(year, month0 + 1)[1]))


@dataclass(frozen=True, slots=True)
class Grid:
    """Boundaries counted from one anchor, forwards and backwards, never from the previous boundary (convention 2).

    Intervals of months count from a virtual day (`month` = year x 12 + month - 1 and `day` 1-31, which the month need
    not have); intervals of days from `origin`.
    """

    interval: Interval
    origin: date
    month: int
    day: int

    @classmethod
    def anchored(cls, interval: Interval, anchor: date, day: int | None = None) -> Grid:
        """Return the grid of `interval` through `anchor`; `day` is the anchor's day where the month has no such day."""
        return cls(interval, anchor, anchor.year * 12 + anchor.month - 1, day or anchor.day)

    def at(self, n: int) -> date:
        """Return the n-th boundary."""
        if self.interval.months:
            return _day_in(self.month + n * self.interval.months, self.day)
        return self.origin + timedelta(days=n * self.interval.days)

    def index(self, day: date) -> int:
        """Return the largest n with at(n) <= day."""
        if not self.interval.months:
            return (day - self.origin).days // self.interval.days
        n = (day.year * 12 + day.month - 1 - self.month) // self.interval.months
        return n if self.at(n) <= day else n - 1

    def first_from(self, day: date) -> int:
        """Return the smallest n with at(n) >= day."""
        n = self.index(day)
        return n if self.at(n) == day else n + 1


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `start` up to but without `end`. Never empty: raises ValueError when start >= end."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a period ends after it starts: {self.start} - {self.end}")

    @classmethod
    def of_day(cls, day: date) -> Period:
        """Return the period of one day."""
        return cls(day, day + timedelta(days=1))

    @property
    def days(self) -> int:
        """Number of days served."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        """The last day included, which is what people read."""
        return self.end - timedelta(days=1)

    def overlap(self, other: Period) -> Period | None:
        """Return the days of both, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def contains(self, day: date) -> bool:
        """Say whether `day` is one of the period's days."""
        return self.start <= day < self.end

    def without(self, taken: Sequence[Period]) -> list[Period]:
        """Return the days that no period of `taken` covers, as periods in order."""
        free: list[Period] = []
        at = self.start
        for period in sorted(taken):
            if period.end <= at or period.start >= self.end:
                continue
            if period.start > at:
                free.append(Period(at, period.start))
            at = max(at, period.end)
        if at < self.end:
            free.append(Period(at, self.end))
        return free

    def __str__(self) -> str:
        """Write the period for people, last day included: "1 Mar - 31 Mar 2027", "1 Dec 2026 - 30 Nov 2027"."""
        last = self.last_day
        if last == self.start:
            return people_date(last)
        first = people_date(self.start)
        if last.year == self.start.year:
            first = first.rsplit(" ", 1)[0]
        return f"{first} - {people_date(last)}"


def merged(periods: Iterable[Period]) -> list[Period]:
    """Return the days of all `periods` as disjoint periods in order; those that touch become one."""
    result: list[Period] = []
    for period in sorted(periods):
        if result and period.start <= result[-1].end:
            result[-1] = Period(result[-1].start, max(result[-1].end, period.end))
        else:
            result.append(period)
    return result
