"""What is due of an item in one billing period: exact values by stretch of days, in buckets of one rounding each.

A bucket is one quantity and price of an item in a billing period (convention 6). Its days may be interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise

from app.billing.agreed import State
from app.billing.calendar import Period
from app.billing.course import Course, course_of
from app.billing.deal import Change, DealDocument, Discount, Item
from app.billing.discounts import Kept, amount_rate, discounted
from app.billing.life import Life, life_of
from app.billing.measure import NOTHING, Measure, measure
from app.billing.money import decimals_of
from app.billing.pricing import decimal_of
from app.billing.schedule import BillingPeriod, Rhythm

ZERO = Fraction(0)
# More digits than a quantity or a price of a document can have.
_EXACT = Context(prec=60)
Key = tuple[Decimal, Decimal]
# Courses by item and the changes that touch it (position, and whether it is early).
Courses = dict[tuple[str, tuple[tuple[int, bool], ...]], Course]
_OF_ONE_ITEM = ("item", "add", "remove")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days with one rate: `gross` before and `net` after discounts, exact, in major units.

    `percents`: the discounts in force, where all of them are percentages.
    """

    start: date
    end: date
    measure: Measure
    gross: Fraction
    net: Fraction
    percents: tuple[Fraction, ...] = ()


@dataclass(slots=True)
class Bucket:
    """What is due of one quantity and price in one period. `runs`: its stretches, by line."""

    key: Key
    state: State
    rhythm: Rhythm
    runs: list[list[Stretch]] = field(default_factory=list)

    @property
    def stretches(self) -> list[Stretch]:
        """All its days in order."""
        return [stretch for run in self.runs for stretch in run]

    @property
    def net(self) -> Fraction:
        """The exact amount due."""
        return exact_sum([stretch.net for run in self.runs for stretch in run])

    @property
    def days(self) -> int:
        """The number of days due."""
        return sum((stretch.end - stretch.start).days for run in self.runs for stretch in run)


def exact_sum(values: Sequence[Fraction]) -> Fraction:
    """Add exact amounts; most sums have one value, which then costs nothing."""
    return values[0] if len(values) == 1 else sum(values, ZERO)


class View:
    """Everything as one document sees it: the changes in force, and early ones that only lessen what is due."""

    def __init__(
        self, deal: DealDocument, changes: Sequence[Change], early: frozenset[int], until: date, courses: Courses
    ) -> None:
        """See `changes` (in order), of which `early` only lessen what is due; views of a deal share their `courses`."""
        self.deal = deal
        self._shared = courses
        self.changes = changes
        self.early = early
        self.until = until
        self.life: Life = life_of(
            deal, [c for c in changes if c.kind != "billing"], deal.billing.grid(deal.billing.interval, deal.start)
        )
        self.items = {item.key: item for item in deal.items} | {
            c.added.key: c.added for c in changes if c.added is not None and c.position not in early
        }
        self._courses: dict[str, Course] = {}
        self.totals: dict[tuple[str, date], list[int]] = {}
        # What instalments add up to, for the period that takes the rest.
        self.wholes: dict[tuple[str, date], int] = {}
        # What changes give back of a period, in minor units by bucket; the totals are less by it already.
        self.backs: dict[tuple[str, date], dict[int, int]] = {}
        self.given: set[tuple[str, date]] = set()

    def course(self, key: str) -> Course | None:
        """Return an item's course, or None when this view doesn't know the item yet."""
        item = self.items.get(key)
        if item is None:
            return None
        found = self._courses.get(key)
        if found is None:
            # A change of another item makes no difference, so views with the same changes of this one share its course.
            touching = [c for c in self.changes if c.kind not in _OF_ONE_ITEM or key in c.items]
            known = (key, tuple((c.position, c.position in self.early) for c in touching))
            found = self._shared.get(known)
            if found is None:
                found = course_of(self.deal, item, self.life, touching, self.early, self.until)
                self._shared[known] = found
            self._courses[key] = found
        return found

    def buckets(self, item: Item, period: BillingPeriod, kept: Kept) -> list[Bucket]:
        """Return what is due of a recurring or one-time item in a period, in order of days."""
        course = self.course(item.key)
        if course is None:
            return []
        cached = course.buckets.get(period.start)
        if cached is None:
            cached = course.buckets[period.start] = _buckets(self.deal, course, period, kept)
        return cached


def end_of(course: Course, period: BillingPeriod) -> date:
    """Return where a period ends for this course: a change of rhythm it doesn't know yet doesn't cut it."""
    if period.end == period.uncut_end or any(rhythm.start == period.end for rhythm in course.rhythms[1:]):
        return period.end
    return period.uncut_end


def _buckets(deal: DealDocument, course: Course, period: BillingPeriod, kept: Kept) -> list[Bucket]:
    if course.item.kind == "one_time":
        return _one_time(deal, course, period, kept)
    end = end_of(course, period)
    served = course.served(period.start, end)
    if period.share is not None:
        return _shared(deal, course, period, served, kept)
    return _collect(deal, course, served, kept)


def _collect(deal: DealDocument, course: Course, served: Sequence[Period], kept: Kept) -> list[Bucket]:
    found: dict[Key, Bucket] = {}
    before: Key | None = None
    for days in served:
        for start, end, state in by_state(course, days):
            key = known_key(course, state, deal.currency)
            bucket = found.get(key)
            if bucket is None:
                bucket = found[key] = Bucket(key, state, course.rhythm_at(start))
            pieces = stretches(deal, course, state, Period(start, end), kept)
            if key == before:
                bucket.runs[-1].extend(pieces)
            else:
                bucket.runs.append(pieces)
            before = key
    return list(found.values())


def by_state(course: Course, days: Period) -> list[tuple[date, date, State]]:
    """Cut days where the agreed state changes."""
    segments = course.segments
    if len(segments) == 1:
        return [(days.start, days.end, segments[0].state)]
    cuts = [segment.start for segment in segments[1:] if days.start < segment.start < days.end]
    edges = [days.start, *cuts, days.end]
    return [(edges[n], edges[n + 1], course.state_at(edges[n])) for n in range(len(edges) - 1)]


def key_of(state: State, item: Item, currency: str) -> Key:
    """Return what makes a line of its own: quantity and price, without needless zeros."""
    return (trimmed(state.quantity), trimmed(shown_price(state, item, currency)))


def trimmed(value: Decimal) -> Decimal:
    """Return a decimal without needless zeros, exactly: 10.50 -> 10.5, 100 -> 1E+2."""
    return value.normalize(_EXACT)


def known_key(course: Course, state: State, currency: str) -> Key:
    """Return `key_of` a state of a course, computed once."""
    found = course.keys.get(id(state))
    if found is None:
        found = course.keys[id(state)] = key_of(state, course.item, currency)
    return found


def shown_price(state: State, item: Item, currency: str) -> Decimal:
    """Return the unit price that a line shows: exact, or of a price model the average to 12 places."""
    if item.price is None:
        return decimal_of(state.unit_price)
    price = state.price(item, currency)
    return decimal_of(price / Fraction(state.quantity) if state.quantity else price)


def stretches(
    deal: DealDocument, course: Course, state: State, days: Period, kept: Kept, before: Discount | None = None
) -> list[Stretch]:
    """Return the value of `days` in `state`, cut where a discount begins or ends; gaps in service are not looked at.

    With `before` only the discounts that come before that one are taken off.
    """
    item = course.item
    rhythm = course.rhythm_at(days.start)
    price = course.price_of(state, deal.currency)
    discounts = _in_order(deal, item, state, kept, before)
    edges = sorted(
        {
            edge
            for d in discounts
            if d.is_rate
            for edge in (d.start, d.end)
            if edge is not None and days.start < edge < days.end
        }
    )
    edges = [days.start, *edges, days.end]
    found = []
    for start, end in pairwise(edges):
        worth = measure(rhythm.units, start, end, course.last)
        intervals = worth.units if rhythm.per_price == 1 else worth.units / rhythm.per_price
        gross = price if intervals == 1 else price * intervals
        rates = [
            (d, amount_rate(d, item, state.quantity, rhythm.billing.interval))
            for d in discounts
            if not d.is_rate or d.covers(start)
        ]
        net = discounted(price, rates, kept) * intervals if rates else gross
        found.append(Stretch(start, end, worth, gross, net, percents_of(rates)))
    return found


def percents_of(rates: Sequence[tuple[Discount, Fraction]]) -> tuple[Fraction, ...]:
    """Return the percentages of some discounts, or nothing when one of them is an amount."""
    found = tuple(d.percent for d, _ in rates if d.percent is not None)
    return found if len(found) == len(rates) else ()


def _in_order(
    deal: DealDocument, item: Item, state: State, kept: Kept, before: Discount | None = None
) -> list[Discount]:
    """Return the discounts that lower what the item is worth: its own first, then the deal's in the order written."""
    found: list[Discount] = []
    for d in () if state.is_listed else state.discounts:
        if d is before:
            return found
        if id(d) in kept or d.is_rate:
            found.append(d)
    for d in () if state.is_listed else deal.discounts:
        if d is before:
            return found
        if applies_to(d, item) and (id(d) in kept or (d.is_rate and not is_spread(d))):
            found.append(d)
    return found


def applies_to(discount: Discount, item: Item) -> bool:
    """Say whether a deal's discount covers the item; an unscoped one covers recurring items (convention 7)."""
    return item.kind == "recurring" if discount.items is None else item.key in discount.items


def is_spread(discount: Discount) -> bool:
    """Say whether a deal's discount is one amount for several items."""
    return discount.amount is not None and discount.per != "unit"


def _one_time(deal: DealDocument, course: Course, period: BillingPeriod, kept: Kept) -> list[Bucket]:
    day = course.item.on
    if day is None or (course.end is not None and day >= course.end) or any(p.contains(day) for p in course.away):
        return []
    state = course.state_at(day)
    stretch = on_one_day(deal, course, state, period, kept)
    bucket = Bucket(key_of(state, course.item, deal.currency), state, course.rhythms[0])
    bucket.runs.append([stretch])
    return [bucket]


def on_one_day(
    deal: DealDocument, course: Course, state: State, period: BillingPeriod, kept: Kept, before: Discount | None = None
) -> Stretch:
    """Return what a one-time item is worth: each of its amounts is of the whole, only `unit` is of each."""
    price = state.price(course.item, deal.currency)
    rates = [
        (d, (d.amount or ZERO) * (Fraction(state.quantity) if d.per == "unit" else 1))
        for d in _in_order(deal, course.item, state, kept, before)
        if d.covers(period.start)
    ]
    net = discounted(price, rates, kept) if rates else price
    return Stretch(period.start, period.end, Measure(1), price, net, percents_of(rates))


def _shared(
    deal: DealDocument, course: Course, period: BillingPeriod, served: Sequence[Period], kept: Kept
) -> list[Bucket]:
    """Return the share of an explicit invoice date: of the item's whole price, by the days served of its slice."""
    if not served or course.agreed_end is None or period.share is None:
        return []
    state = course.state_at(served[0].start)
    bucket = Bucket(key_of(state, course.item, deal.currency), state, course.rhythm_at(served[0].start))
    gross, net = whole_price(deal, course, kept)
    of = (period.end - period.start).days
    run = []
    for days in served:
        worth = period.share * Fraction(days.days, of)
        part = NOTHING if not worth else Measure(0, ((worth.numerator, worth.denominator),))
        run.append(Stretch(days.start, days.end, part, gross * worth, net * worth))
    bucket.runs.append(run)
    return [bucket]


def whole_price(
    deal: DealDocument, course: Course, kept: Kept, before: Discount | None = None
) -> tuple[Fraction, Fraction]:
    """Return the whole agreed price of a service with an end, exactly: before and after discounts."""
    assert course.agreed_end is not None
    gross = net = ZERO
    for start, end, state in by_state(course, Period(course.start, course.agreed_end)):
        for part in stretches(deal, course, state, Period(start, end), kept, before):
            gross += part.gross
            net += part.net
    return gross, net


def scale_of(currency: str) -> int:
    """Return how many minor units make one of the currency."""
    return int(10 ** decimals_of(currency))
