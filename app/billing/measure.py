"""How many of an item's units some days are: whole ones, and days of a unit by its real length (conventions 3, 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from app.billing.calendar import Grid

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Measure:
    """Units served: `whole` from first to last day, and `parts` as (share, of) like 9 of 30 days."""

    whole: int = 0
    parts: tuple[tuple[int, int], ...] = ()

    @property
    def units(self) -> Fraction:
        """The exact number of units."""
        found = Fraction(self.whole)
        for days, of in self.parts:
            found += Fraction(days, of)
        return found

    def __add__(self, other: Measure) -> Measure:
        return Measure(self.whole + other.whole, self.parts + other.parts)

    def fraction(self) -> str:
        """Write the units served: "1", "3", "9/30", "2 + 9/30"; days of one unit length are added up."""
        if not self.parts:
            return str(self.whole)
        merged: dict[int, int] = {}
        for days, of in self.parts:
            merged[of] = merged.get(of, 0) + days
        whole = self.whole + sum(days // of for of, days in merged.items())
        words = [str(whole)] if whole else []
        words += [f"{days % of}/{of}" for of, days in merged.items() if days % of]
        return " + ".join(words) or "0"


NOTHING = Measure()


@dataclass(frozen=True, slots=True)
class LastUnit:
    """The unit at the end of a term of whole price intervals: from `start` to `end` it is worth `worth` units.

    Convention 4: the two stubs together are one unit, so the tail is what the rest of the term leaves.
    """

    start: date
    end: date
    worth: Fraction
    of: int = 1


def measure(units: Grid, start: date, end: date, last: LastUnit | None = None) -> Measure:
    """Return how many units [start, end) is; empty days are nothing."""
    if start >= end:
        return NOTHING
    if last is None or end <= last.start or last.end <= start:
        return _natural(units, start, end)
    head = _natural(units, start, last.start) if start < last.start else NOTHING
    first, after = max(start, last.start), min(end, last.end)
    worth = last.worth * Fraction((after - first).days, (last.end - last.start).days)
    tail = Measure(int(worth)) if worth.denominator == 1 else Measure(0, (_part(worth, last.of),))
    result = head + tail
    return result + _natural(units, last.end, end) if last.end < end else result


def _part(worth: Fraction, of: int) -> tuple[int, int]:
    """Write the tail in the days of the leading stub's unit, where they are whole."""
    days = worth * of
    return (int(days), of) if days.denominator == 1 else (worth.numerator, worth.denominator)


def _natural(units: Grid, start: date, end: date) -> Measure:
    n = units.index(start)
    first, following = units.at(n), units.at(n + 1)
    if end < following or start != first:
        part = ((min(end, following) - start).days, (following - first).days)
        if end <= following:
            return Measure(0, (part,))
        rest = _natural(units, following, end)
        return Measure(rest.whole, (part, *rest.parts))
    m = units.index(end)
    tail = units.at(m)
    if tail == end:
        return Measure(m - n)
    return Measure(m - n, (((end - tail).days, (units.at(m + 1) - tail).days),))


def last_unit(units: Grid, start: date, end: date, whole: Fraction) -> LastUnit | None:
    """Return the last unit of a service [start, end) worth `whole` units, or None when it is natural anyway."""
    tail = max(units.at(units.index(end - timedelta(days=1))), start)
    before = measure(units, start, tail)
    worth = whole - before.units
    if worth == measure(units, tail, end).units:
        return None
    return LastUnit(tail, end, worth, before.parts[0][1] if before.parts else 1)
