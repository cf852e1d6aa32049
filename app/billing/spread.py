"""Amounts that belong to a document: from an item's due of a period, or spread over the items of a deal.

Such an amount leaves the same part of each day's value of the period (decision 0010.11), so a period that is shortened
later shrinks it too. A deal's amount is spread by largest remainder, ties by position, over what the regular document
of the period sees; an item keeps its share whatever changes later (convention 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from app.billing.agreed import State
from app.billing.calendar import Period
from app.billing.course import Back, Course
from app.billing.deal import Discount, Item
from app.billing.discounts import Kept
from app.billing.due import ZERO, View, applies_to, by_state, end_of, is_spread, on_one_day, stretches, whole_price
from app.billing.measure import measure
from app.billing.money import round_half_up
from app.billing.schedule import BillingPeriod, period_at, size

if TYPE_CHECKING:
    from app.billing.reckoning import Reckoner

# One item in one of its periods, as that period's regular document sees it.
Sharer = tuple[Course, BillingPeriod]


def largest_remainder(total: int, weights: Sequence[Fraction]) -> list[int]:
    """Split `total` minor units in proportion to `weights`; what rounding down leaves goes by largest remainder."""
    whole = sum(weights, ZERO)
    if not whole:
        return [0] * len(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(weights)), key=lambda n: (parts[n] - exact[n], n))
    for n in order[: total - sum(parts)]:
        parts[n] += 1
    return parts


class Spread:
    """The amounts of all documents of one deal."""

    def __init__(self, reckoner: Reckoner) -> None:
        self._reckoner = reckoner
        self._deal = reckoner.deal
        self._of_deal = [d for d in self._deal.discounts if is_spread(d)]
        own = [d for item in reckoner.items for d in item.discounts]
        own += [d for change in reckoner.changes for d in change.discounts or ()]
        self._is_needed = bool(self._of_deal) or any(not d.is_rate for d in own)
        self._firsts: dict[int, date | None] = {}
        # Each item's share of the deal's amounts, in major units, by item and by the first day of its period.
        self._shares: dict[tuple[str, date], Kept] = {}
        self._shared: set[date] = set()

    def kept(self, course: Course, period: BillingPeriod) -> Kept:
        """Return the part that each amount of a document leaves of an item's due in a period."""
        if not self._is_needed:
            return {}
        found = course.kept.get(period.start)
        if found is None:
            found = self._own(course, period)
            shares = self._shares_of(course.item, period)
            for discount in self._of_deal:
                if id(discount) in shares:
                    self._take(found, course, period, discount, shares[id(discount)])
            course.kept[period.start] = found
        return found

    def back(self, view: View, item: Item, back: Back) -> int:
        """Return an item's part of a fixed amount that a change gives back."""
        mine = view.course(item.key)
        sharers: list[tuple[Item, Fraction]] = []
        for other in view.items.values():
            course = view.course(other.key)
            if course is None or not any(b.change == back.change for b in course.backs):
                continue
            at = period_at(self._reckoner.periods(other), back.day)
            weight = self._reckoner.unserved(view, other, at, back.day) if at is not None else ZERO
            sharers.append((other, weight))
        assert mine is not None
        parts = largest_remainder(back.amount.minor, [weight for _, weight in sharers])
        return next((part for (other, _), part in zip(sharers, parts, strict=True) if other.key == item.key), 0)

    def _own(self, course: Course, period: BillingPeriod) -> Kept:
        """Take the item's own amounts off, in the order written."""
        found: Kept = {}
        for state in _states(course, period):
            for discount in () if state.is_listed else state.discounts:
                if discount.is_rate or id(discount) in found or not self._is_due(discount, course, period):
                    continue
                self._take(found, course, period, discount, discount.amount or ZERO)
        return found

    def _take(self, found: Kept, course: Course, period: BillingPeriod, discount: Discount, amount: Fraction) -> None:
        left = self._left(course, period, found, discount)
        if left > 0:
            found[id(discount)] = max(1 - amount / left, ZERO)

    def _is_due(self, discount: Discount, course: Course, period: BillingPeriod) -> bool:
        """Say whether an item's own amount falls on this period: each its window touches, or the first of them.

        Periods before the item had the discount don't count.
        """
        if not discount.touches(period.start, period.end):
            return False
        if discount.per != "once":
            return True
        return not any(
            before.start < period.start
            and discount.touches(before.start, before.end)
            and any(discount is other for state in _states(course, before) for other in state.discounts)
            for before in self._reckoner.periods(course.item)
        )

    def _shares_of(self, item: Item, period: BillingPeriod) -> Kept:
        if self._of_deal and period.start not in self._shared:
            self._shared.add(period.start)
            self._share(period.start)
        return self._shares.get((item.key, period.start), {})

    def _share(self, start: date) -> None:
        """Share the deal's amounts out over the periods that begin on `start`, one after the other."""
        group = self._together(start)
        kept = [self._own(course, at) for course, at in group]
        for discount in self._of_deal:
            scoped = [n for n, (course, _) in enumerate(group) if applies_to(discount, course.item)]
            scoped = [n for n in scoped if discount.touches(group[n][1].start, group[n][1].end)]
            if not scoped or (discount.per == "once" and self._first(discount) != start):
                continue
            left = [self._left(*group[n], kept[n], discount) for n in scoped]
            scale = self._reckoner.scale
            most = round_half_up(sum((value * scale for value in left), ZERO))
            amount = round_half_up(self._amount(discount, *group[scoped[0]]) * scale)
            for n, part in zip(scoped, largest_remainder(min(amount, most), left), strict=True):
                course, at = group[n]
                share = Fraction(part, scale)
                self._shares.setdefault((course.item.key, start), {})[id(discount)] = share
                self._take(kept[n], course, at, discount, share)

    def _together(self, start: date) -> list[Sharer]:
        """Return the items of which a period begins on `start` and is due, in the deal's order."""
        found = []
        for item in self._reckoner.items:
            at = period_at(self._reckoner.periods(item), start) if item.kind != "usage" else None
            if at is None or at.start != start:
                continue
            course = self._reckoner.base(max(self._reckoner.dated(item, at), start)).course(item.key)
            if course is not None and (item.kind == "one_time" or course.served(start, end_of(course, at))):
                found.append((course, at))
        return found

    def _first(self, discount: Discount) -> date | None:
        """Return the first day of the first period that a deal's discount touches."""
        if id(discount) not in self._firsts:
            starts = [
                period.start
                for item in self._reckoner.items
                if item.kind != "usage" and applies_to(discount, item)
                for period in self._reckoner.periods(item)
                if discount.touches(period.start, period.end)
            ]
            self._firsts[id(discount)] = min(starts, default=None)
        return self._firsts[id(discount)]

    def _amount(self, discount: Discount, course: Course, period: BillingPeriod) -> Fraction:
        """Return what a deal's amount is worth on one period's document, exactly."""
        amount = discount.amount or ZERO
        if not discount.is_rate:
            return amount
        months = self._intervals(course, period, discount) * size(course.item.price_interval)
        return amount * months if discount.per == "month" else amount * months / size(period.rhythm.billing.interval)

    def _intervals(self, course: Course, period: BillingPeriod, discount: Discount) -> Fraction:
        """Return the price intervals of a period inside a discount's window."""
        if course.item.kind == "one_time":
            return Fraction(1)
        rhythm = course.rhythm_at(period.start)
        if period.share is not None:
            assert course.agreed_end is not None
            whole = measure(rhythm.units, course.start, course.agreed_end, course.last)
            return period.share * whole.units / rhythm.per_price
        days = _window(discount, Period(period.start, end_of(course, period)))
        return measure(rhythm.units, days.start, days.end, course.last).units / rhythm.per_price if days else ZERO

    def _left(self, course: Course, period: BillingPeriod, kept: Kept, before: Discount) -> Fraction:
        """Return what the discounts before one leave of the item's days in its window, as agreed for the period."""
        if course.item.kind == "one_time":
            return on_one_day(self._deal, course, course.state_at(period.start), period, kept, before).net
        if period.share is not None:
            return period.share * whole_price(self._deal, course, kept, before)[1]
        days: Period | None = Period(period.start, end_of(course, period))
        if days is not None and before.is_rate:
            days = _window(before, days)
        total = ZERO
        for start, end, state in by_state(course, days) if days is not None else ():
            if before in self._of_deal or any(before is other for other in state.discounts):
                parts = stretches(self._deal, course, state, Period(start, end), kept, before)
                total += sum((part.net for part in parts), ZERO) if not state.is_listed else ZERO
        return total


def _states(course: Course, period: BillingPeriod) -> list[State]:
    """Return the states of a course in a period, in order."""
    if course.item.kind == "one_time":
        return [course.state_at(period.start)]
    return [state for _, _, state in by_state(course, Period(period.start, end_of(course, period)))]


def _window(discount: Discount, days: Period) -> Period | None:
    """Return the days of a period that are in a discount's window."""
    start = max(days.start, discount.start) if discount.start else days.start
    end = min(days.end, discount.end) if discount.end else days.end
    return Period(start, end) if start < end else None
