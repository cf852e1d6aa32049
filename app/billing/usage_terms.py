"""What usage terms do over the life of an item: included and prepaid units, caps and commitments (decision 0010.22).

An allowance counts in intervals. Where a full billing period holds one or more of them, each period counts by itself:
a stub gets whole allowances and caps, and its part of a commitment. Longer intervals hold several periods; they are
counted from the deal's start, and a period belongs to the interval in which it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import pairwise

from app.billing.calendar import MAX_MONTHS, Grid, Interval, Period, add_months, months_until
from app.billing.deal import Allowance, Billing, Prepaid
from app.billing.money import Money

# How many intervals a period is worth: exactly a whole number where it is one, a fraction for a stub.
GridShare = Callable[[Period, Interval], Fraction]
_NONE = Fraction(0)
_DAYS_A_MONTH = Fraction(1461, 48)


@dataclass(frozen=True, slots=True)
class Course:
    """What the intervals of an item are measured on.

    `start`: the deal's start. `first`: the item's first day due. `term_end`: the first day after the term, None when
    open ended. `ends`: the days on which service may end for good, so that nothing of an interval is still to come.
    """

    start: date
    first: date
    term_end: date | None
    ends: frozenset[date]
    billing: Billing
    share: GridShare

    def term(self) -> Interval:
        """Return the term as an interval from the deal's start; an open end is a hundred years away."""
        if self.term_end is None or self.term_end <= self.start:
            return Interval(months=MAX_MONTHS)
        months = months_until(self.start, self.term_end)
        if 0 < months <= MAX_MONTHS and add_months(self.start, months) == self.term_end:
            return Interval(months=months)
        return Interval(days=(self.term_end - self.start).days)


@dataclass(frozen=True, slots=True)
class Windows:
    """The intervals of one allowance. `each_period`: a billing period holds whole ones and counts by itself."""

    course: Course
    allowance: Allowance
    per: Interval
    each_period: bool

    @classmethod
    def of(cls, allowance: Allowance, course: Course) -> Windows:
        """Return the intervals of `allowance` over the periods of `course`."""
        if allowance.is_period:
            return cls(course, allowance, course.billing.interval, True)
        if allowance.per is None:
            return cls(course, allowance, course.term(), False)
        return cls(course, allowance, allowance.per, _days(allowance.per) <= _period_days(course.billing))

    @property
    def grid(self) -> Grid:
        """The boundaries of the intervals, counted from the deal's start."""
        return Grid.anchored(self.per, self.course.start)

    def count(self, period: Period) -> int:
        """Return how many whole intervals a period stands for: a stub is not prorated, so at least one."""
        if self.allowance.is_period:
            return 1
        if not self.course.billing.dates and self.course.billing.interval.times(self.per):
            share = self.course.share(period, self.per)
            return max(-(-share.numerator // share.denominator), 1)
        return max(self.grid.first_from(period.end) - self.grid.first_from(period.start), 1)

    def worth(self, period: Period) -> Fraction:
        """Return how many intervals a period is worth; a stub is a part of one."""
        if self.allowance.is_period and self.course.billing.dates:
            return Fraction(1)
        return self.course.share(period, self.per)

    def words(self) -> str:
        """Say how often: "a month", "every 6 months", "a billing period", "for the term"."""
        if self.allowance.is_period:
            return "a billing period"
        return "for the term" if self.allowance.per is None else self.per.per()


@dataclass(slots=True)
class _Lot:
    """Units granted together for the interval up to `end`; a period that starts on or after `expires` gets none."""

    end: date
    expires: date
    left: Fraction

    def take(self, wanted: Fraction) -> Fraction:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


@dataclass(slots=True)
class Included:
    """Units that cost nothing; what is left of them lives on for `rollover_months`, the oldest used first."""

    windows: Windows
    _lots: list[_Lot] = field(default_factory=list)
    _granted: int | None = None

    def use(self, period: Period, quantity: Fraction) -> tuple[Fraction, Fraction]:
        """Take what a period uses; return the units taken, and how many of them were left from before."""
        self._lots = [lot for lot in self._lots if lot.expires > period.start and lot.left > 0]
        self._grant(period)
        taken = left_over = _NONE
        for lot in self._lots:
            part = lot.take(quantity - taken)
            taken += part
            left_over += part if lot.end <= period.start else 0
        return taken, left_over

    def _grant(self, period: Period) -> None:
        windows, quantity = self.windows, Fraction(self.windows.allowance.quantity)
        if windows.each_period:
            self._add(period.end, quantity * windows.count(period))
            return
        grid = windows.grid
        first = grid.index(period.start) if self._granted is None else self._granted + 1
        for n in range(first, grid.index(period.last_day) + 1):
            self._add(grid.at(n + 1), quantity)
            self._granted = n

    def _add(self, end: date, quantity: Fraction) -> None:
        self._lots.append(_Lot(end, later(end, self.windows.allowance.rollover_months), quantity))


@dataclass(slots=True)
class PrepaidUnits:
    """Units bought beforehand; a period that starts on or after `expires` gets none of them."""

    left: Fraction
    expires: date

    @classmethod
    def of(cls, prepaid: Prepaid, bought: date) -> PrepaidUnits:
        """Return what was bought on `bought`."""
        expires = date.max if prepaid.expires_months is None else later(bought, prepaid.expires_months)
        return cls(Fraction(prepaid.quantity), expires)

    def use(self, period: Period, quantity: Fraction) -> Fraction:
        """Take what a period uses and return it."""
        taken = min(quantity, self.left) if period.start < self.expires else _NONE
        self.left -= taken
        return taken


@dataclass(slots=True)
class Cap:
    """The most that usage costs per interval. It counts rounded amounts, so the lines never add up to more."""

    windows: Windows
    _charged: dict[int, Fraction] = field(default_factory=dict)

    def room(self, period: Period) -> Fraction:
        """Return what may still be charged for a period."""
        amount = self.windows.allowance.amount
        if self.windows.each_period:
            return amount * self.windows.count(period)
        return max(amount - self._charged.get(self.windows.grid.index(period.start), _NONE), _NONE)

    def charge(self, period: Period, rounded: Fraction) -> None:
        """Count what was charged for a period."""
        if not self.windows.each_period:
            n = self.windows.grid.index(period.start)
            self._charged[n] = self._charged.get(n, _NONE) + rounded


@dataclass(frozen=True, slots=True)
class Spent:
    """What usage cost in one billing period, rounded as its line is; None when its price is not known."""

    period: Period
    amount: Fraction | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What usage fell short of a commitment: due with the billing period in which the commitment ends."""

    period: Period
    exact: Fraction
    words: str
    complete: bool


def shortfalls(commit: Allowance, course: Course, spent: Sequence[Spent], currency: str) -> list[Shortfall]:
    """Return the shortfalls of a commitment that has ended by the last of the periods of `spent`."""
    windows = Windows.of(commit, course)
    groups: dict[tuple[date, date], list[Spent]] = {}
    for one in spent:
        groups.setdefault(_settled_over(windows, one.period), []).append(one)
    found = []
    for (_, end), group in groups.items():
        last = group[-1].period.end
        if last < end and (group[-1] is not spent[-1] or last not in course.ends):
            continue
        committed = _committed(windows, [one.period for one in group], last)
        used = sum((one.amount or _NONE for one in group), _NONE)
        if committed > used:
            complete = all(one.complete and one.amount is not None for one in group)
            words = _shortfall_words(windows, committed, used, currency)
            found.append(Shortfall(group[-1].period, committed - used, words, complete))
    return found


def _settled_over(windows: Windows, period: Period) -> tuple[date, date]:
    """Return the days whose usage counts against one shortfall: a period, an interval, or the term."""
    if windows.allowance.at_term_end:
        return _window(windows.course, Grid.anchored(windows.course.term(), windows.course.start), period)
    if windows.each_period:
        return period.start, period.end
    return _window(windows.course, windows.grid, period)


def _window(course: Course, grid: Grid, period: Period) -> tuple[date, date]:
    """Return the interval in which a period starts; the end of the term cuts it, because it is settled there."""
    n = grid.index(period.start)
    start, end = grid.at(n), grid.at(n + 1)
    if course.term_end is None or not start < course.term_end < end:
        return start, end
    return (start, course.term_end) if period.start < course.term_end else (course.term_end, end)


def _committed(windows: Windows, periods: Sequence[Period], served_to: date) -> Fraction:
    """Return what was committed for `periods`, the part of a stub for a stub."""
    amount = windows.allowance.amount
    if windows.each_period:
        return amount * sum((windows.worth(period) for period in periods), _NONE)
    parts: dict[tuple[date, date], list[Period]] = {}
    for period in periods:
        parts.setdefault(_window(windows.course, windows.grid, period), []).append(period)
    return amount * sum((_part(windows, *window, inside, served_to) for window, inside in parts.items()), _NONE)


def _part(windows: Windows, start: date, end: date, periods: Sequence[Period], served_to: date) -> Fraction:
    """Return the part of one interval [start, end) that is served: all of it, or what its periods are worth."""
    course, n = windows.course, windows.grid.index(start)
    is_cut = (start, end) != (windows.grid.at(n), windows.grid.at(n + 1))
    if windows.allowance.per is None:
        # A term is as long as it was served when its end is open, and an item added later has its own term.
        is_whole = course.term_end is None or served_to >= end
    else:
        is_whole = not is_cut and course.first <= start and served_to >= end
    return Fraction(1) if is_whole else min(sum((windows.worth(period) for period in periods), _NONE), Fraction(1))


def _shortfall_words(windows: Windows, committed: Fraction, used: Fraction, currency: str) -> str:
    amount = windows.allowance.amount
    text = f"commitment of {Money.rounded(amount, currency).amount()} {windows.words()}"
    if committed != amount:
        text += f" x {committed / amount} = {Money.rounded(committed, currency).amount()}"
    return f"{text}, less {Money.rounded(used, currency).amount()} of usage"


def later(day: date, months: int) -> date:
    """Return the day `months` later; what lies beyond the calendar is its last day."""
    return date.max if day.year + months // 12 >= date.max.year else add_months(day, months)


def _days(interval: Interval) -> Fraction:
    """Return how long an interval is, in days of an average year."""
    return interval.months * _DAYS_A_MONTH if interval.months else Fraction(interval.days)


def _period_days(billing: Billing) -> Fraction:
    """Return how long a full billing period is; with explicit dates the shortest time between two of them."""
    days = sorted(one.on for one in billing.dates)
    if not days:
        return _days(billing.interval)
    gaps = [Fraction((after - before).days) for before, after in pairwise(days)]
    return min(gaps, default=_days(Interval(months=MAX_MONTHS)))
