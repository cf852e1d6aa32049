"""Amounts that belong to a document, spread over its items: largest remainder, ties by position (convention 7).

An item keeps its share for a period whatever changes later, so the spread is computed from what the regular document
of that period sees, without changes that come after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from app.billing.course import Back, Course
from app.billing.deal import Discount, Item
from app.billing.due import ZERO, Shares, View, applies_to, end_of, is_spread, stretches
from app.billing.measure import measure
from app.billing.money import round_half_up
from app.billing.schedule import BillingPeriod, period_at, size

if TYPE_CHECKING:
    from app.billing.reckoning import Reckoner


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
    """The shares of all items and periods of one deal."""

    def __init__(self, reckoner: Reckoner) -> None:
        self._reckoner = reckoner
        self._deal = reckoner.deal
        self._of_deal = [d for d in self._deal.discounts if is_spread(d)]
        own = [d for item in reckoner.items for d in item.discounts]
        own += [d for change in reckoner.changes for d in change.discounts or ()]
        self._is_needed = bool(self._of_deal) or any(not d.is_rate for d in own)
        self._found: dict[tuple[str, object], Shares] = {}

    def shares(self, item: Item, period: BillingPeriod) -> Shares:
        """Return the amount per price interval of each document discount of an item in a period."""
        if not self._is_needed:
            return {}
        key = (item.key, period.start)
        if key not in self._found:
            self._found[key] = {}
            self._find(item, period)
        return self._found[key]

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

    def _find(self, item: Item, period: BillingPeriod) -> None:
        view = self._reckoner.base(max(self._reckoner.dated(item, period), period.start))
        group = self._together(view, item, period)
        for other, at in group:
            self._found.setdefault((other.key, at.start), {})
            self._own(view, other, at)
        done: list[Discount] = []
        for discount in self._deal.discounts:
            if is_spread(discount):
                self._of_document(view, discount, done, group)
            done.append(discount)

    def _together(self, view: View, item: Item, period: BillingPeriod) -> list[tuple[Item, BillingPeriod]]:
        """Return the items that are billed for the very same days, in the deal's order."""
        found = []
        for other in self._reckoner.items:
            course = view.course(other.key)
            if course is None:
                continue
            for at in self._reckoner.periods(other):
                if at.start == period.start and at.end == period.end and self._intervals(course, at):
                    found.append((other, at))
        return found or [(item, period)]

    def _own(self, view: View, item: Item, period: BillingPeriod) -> None:
        course = view.course(item.key)
        if course is None:
            return
        for discount in course.state_at(period.start).discounts:
            if discount.is_rate or not self._is_due(discount, item, period):
                continue
            intervals = self._intervals(course, period)
            if intervals:
                self._found[item.key, period.start][id(discount)] = (discount.amount or ZERO) / intervals

    def _is_due(self, discount: Discount, item: Item, period: BillingPeriod) -> bool:
        """Say whether a document discount falls on this period: each its window touches, or the first of them."""
        if not discount.touches(period.start, period.end):
            return False
        if discount.per != "once":
            return True
        return not any(
            p.start < period.start and discount.touches(p.start, p.end) for p in self._reckoner.periods(item)
        )

    def _intervals(self, course: Course, period: BillingPeriod, discount: Discount | None = None) -> Fraction:
        """Return the price intervals served in a period; of a rate discount only the days in its window count."""
        if course.item.kind == "one_time":
            return Fraction(1)
        rhythm = course.rhythm_at(period.start)
        if period.share is not None:
            assert course.agreed_end is not None
            return (
                period.share
                * measure(rhythm.units, course.start, course.agreed_end, course.last).units
                / rhythm.per_price
            )
        units = ZERO
        for days in course.served(period.start, end_of(course, period)):
            start, end = days.start, days.end
            if discount is not None and discount.is_rate:
                start = max(start, discount.start) if discount.start else start
                end = min(end, discount.end) if discount.end else end
            units += measure(rhythm.units, start, end, course.last).units
        return units / rhythm.per_price

    def _of_document(
        self, view: View, discount: Discount, done: Sequence[Discount], group: Sequence[tuple[Item, BillingPeriod]]
    ) -> None:
        scoped = [(item, at) for item, at in group if applies_to(discount, item)]
        if not scoped or not discount.touches(scoped[0][1].start, scoped[0][1].end):
            return
        if not discount.is_rate and not self._is_due(discount, *scoped[0]):
            return
        left = [self._left(view, item, at, done) for item, at in scoped]
        amount = self._amount(view, discount, *scoped[0])
        scale = self._reckoner.scale
        most = sum((value * scale for value in left), ZERO)
        parts = largest_remainder(min(round_half_up(amount * scale), round_half_up(most)), left)
        for (item, at), part in zip(scoped, parts, strict=True):
            course = view.course(item.key)
            assert course is not None
            intervals = self._intervals(course, at, discount)
            if intervals:
                self._found[item.key, at.start][id(discount)] = Fraction(part, scale) / intervals

    def _amount(self, view: View, discount: Discount, item: Item, period: BillingPeriod) -> Fraction:
        """Return what the discount is worth on this period's document, exactly."""
        amount = discount.amount or ZERO
        if not discount.is_rate:
            return amount
        course = view.course(item.key)
        assert course is not None
        intervals = self._intervals(course, period, discount)
        length = size(item.price_interval)
        if discount.per == "month":
            return amount * intervals * length
        return amount * intervals * length / size(period.rhythm.billing.interval)

    def _left(self, view: View, item: Item, period: BillingPeriod, done: Sequence[Discount]) -> Fraction:
        """Return what is left of an item in a period after its own discounts and the deal's earlier ones."""
        course = view.course(item.key)
        assert course is not None
        shares = self._found[item.key, period.start]
        deal = replace(self._deal, discounts=tuple(done))
        if item.kind == "one_time":
            return course.state_at(period.start).price(item, self._deal.currency)
        total = ZERO
        for days in course.served(period.start, end_of(course, period)):
            total += sum(
                (part.net for part in stretches(deal, course, course.state_at(days.start), days, shares)), ZERO
            )
        return total
