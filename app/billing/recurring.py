"""What the recurring items of one contract are worth a month, on any day (convention 14, decision 0010.23).

Exact fractions of the currency's major unit; nothing rounds here. Usage, one-time items, tax and trial days are never
part of it. It is computed from the same courses and discounts as the invoices.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from app.billing.agreed import State
from app.billing.calendar import Grid
from app.billing.changes import Clash, known_changes
from app.billing.course import Course
from app.billing.deal import Change, DealDocument, Discount, Item
from app.billing.discounts import amount_rate, discounted
from app.billing.due import ZERO, applies_to, is_spread
from app.billing.life import Life, life_of
from app.billing.measure import measure
from app.billing.reckoning import Reckoner
from app.billing.schedule import Rhythm, size


@dataclass(frozen=True, slots=True)
class Worth:
    """What an item that is live on a day is worth a month: `listed` before discounts, `net` after those in force."""

    key: str
    listed: Fraction
    net: Fraction


@dataclass(slots=True)
class _Live:
    """An item on a day of service: its price per price interval and, in order, what lowers it."""

    course: Course
    state: State
    rhythm: Rhythm
    price: Fraction
    rates: list[tuple[Discount, Fraction]] = field(default_factory=list)

    @property
    def item(self) -> Item:
        return self.course.item

    def net(self) -> Fraction:
        """The monthly value after the discounts looked at so far."""
        return discounted(self.price, self.rates) / size(self.item.price_interval)

    def lower(self, discount: Discount, monthly: Fraction) -> None:
        """Take an amount a month off."""
        self.rates.append((discount, monthly * size(self.item.price_interval)))


class Contract:
    """One deal document with what is known of it.

    What was recorded after `known_by` is not known. Prices are followed up to `until`. Raises Clash when what is known
    contradicts itself, and TierExceeded when a quantity is more than a closed last tier holds: there is no price for
    it, so no figure either.
    """

    def __init__(self, deal: DealDocument, known_by: date, until: date) -> None:
        self.deal = deal
        self._known_by = known_by
        self._changes = changes = known_changes(deal, known_by)
        self._view = Reckoner(deal, changes, frozenset(), until).final
        items = [*deal.items, *(c.added for c in changes if c.added is not None)]
        found = [self._view.course(item.key) for item in items if item.kind == "recurring"]
        self._courses = [course for course in found if course is not None]
        for course in self._courses:
            for segment in course.segments:
                course.price_of(segment.state, deal.currency)
        self._signed_on = {c.added.key: c.recorded for c in changes if c.added is not None}
        removed = {c.position: c.item for c in changes if c.kind == "remove"}
        self._takes_over = {c.added.key: removed.get(c.position) for c in changes if c.added is not None}
        self._firsts = {course.item.key: _first_served(course, until) for course in self._courses}
        self._renewals = _renewals(self.life, until)
        self._worths: dict[tuple[date, date], list[Worth]] = {}
        self._mrr: dict[date, Fraction] = {}

    @property
    def life(self) -> Life:
        """The contract's terms, pauses and cancellation."""
        return self._view.life

    @property
    def end(self) -> date | None:
        """The first day that the contract is not due any more; None while nothing ends it.

        An item that outlives the contract's term does not prolong it.
        """
        following = [course.end for course in self._courses if course.item.end is None]
        ends = following or [course.end for course in self._courses] or [self.life.agreed_end]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    @property
    def last_end(self) -> date | None:
        """The first day that no item is due any more; None while one of them goes on."""
        ends = [course.end for course in self._courses] or [self.life.agreed_end or self.deal.start]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    @property
    def ends_with_term(self) -> bool:
        """Whether it ends where one of its fixed terms does, rather than inside one."""
        if self.end is None or not self.life.is_fixed:
            return False
        return self.life.term_end(self.life.term_of(self.end - timedelta(days=1))) == self.end

    def renews_between(self, before: date, day: date) -> bool:
        """Say whether a term ends and the next one begins by itself after `before`, up to and with `day`."""
        return bisect_right(self._renewals, before) < bisect_right(self._renewals, day)

    def worths(self, day: date) -> list[Worth]:
        """Return what each item that is live on `day` is worth a month."""
        return self._on(day, day)

    def mrr(self, day: date) -> Fraction:
        """Return the monthly value of all items live on `day`, net of discounts in force."""
        found = self._mrr.get(day)
        if found is None:
            found = self._mrr[day] = sum((worth.net for worth in self.worths(day)), ZERO)
        return found

    def list_mrr(self, day: date) -> Fraction:
        """Return the monthly value before discounts."""
        return sum((worth.listed for worth in self.worths(day)), ZERO)

    def relieved(self, day: date, later: date) -> dict[str, Fraction]:
        """Return what the items live on `day` would have been worth under the discounts that are in force `later`.

        What this is more than their worth is the part of an increase that comes from the end of a discount. Discounts
        that a renewal at list price drops count as still there: that increase is the renewal's uplift.
        """
        return {worth.key: worth.net for worth in self._on(day, later)}

    def committed(self, day: date) -> Fraction:
        """Return the part of the MRR that nothing known on `day` will end before the contract ends.

        A recorded cancellation ends every item, a removal its item. An item that is replaced goes on as another one.
        """
        known = self._known(day)
        boundaries = self.deal.billing.grid(self.deal.billing.interval, self.deal.start)
        life = life_of(self.deal, [c for c in known if c.kind != "billing"], boundaries)
        if life.ending is not None:
            return ZERO
        replaced = {c.position for c in known if c.added is not None}
        ending = {c.item for c in known if c.kind == "remove" and c.position not in replaced}
        for course in self._courses:
            end = course.item.end
            if end is not None and (life.agreed_end is None or end < life.agreed_end):
                ending.add(course.item.key)
        return sum((worth.net for worth in self.worths(day) if worth.key not in ending), ZERO)

    def signed(self, day: date) -> Fraction:
        """Return the MRR, at their start, of items that are signed on `day` but not live yet (a trial is not live).

        Of an item that replaces another one only what it brings on top.
        """
        brings = {
            key: next((worth.net for worth in self.worths(first) if worth.key == key), ZERO)
            for key, first in self._firsts.items()
            if first is not None and first > day and (self._signed_on.get(key) or day) <= day
        }
        standing = brings | {worth.key: worth.net for worth in self.worths(day)}
        found = ZERO
        for key, net in brings.items():
            found += max(net - standing.get(self._takes_over.get(key) or "", ZERO), ZERO)
        return found

    def _known(self, day: date) -> Sequence[Change]:
        """Return the changes known on `day`, with a cancellation that was taken back only later."""
        try:
            return known_changes(self.deal, min(day, self._known_by))
        except Clash:
            # What was recorded later resolves it, like an un-cancelling before a change: judge by what is in force.
            return [c for c in self._changes if c.recorded is None or c.recorded <= day]

    def _on(self, day: date, under: date) -> list[Worth]:
        """Return the worth of the items live on `day`, under the discounts in force on the day `under`."""
        found = self._worths.get((day, under))
        if found is None:
            found = self._worths[day, under] = self._worth(day, under)
        return found

    def _worth(self, day: date, under: date) -> list[Worth]:
        following = day + timedelta(days=1)
        live = [self._live(course, day, under) for course in self._courses if course.served(day, following)]
        for discount in self.deal.discounts:
            if _counts(discount, under):
                self._lower(discount, [one for one in live if applies_to(discount, one.item)])
        return [Worth(one.item.key, one.price / size(one.item.price_interval), one.net()) for one in live]

    def _live(self, course: Course, day: date, under: date) -> _Live:
        state, then = course.state_at(day), course.state_at(under)
        live = _Live(course, state, course.rhythm_at(day), course.price_of(state, self.deal.currency))
        for discount in state.discounts if then.is_listed else then.discounts:
            if _counts(discount, under) and not state.is_listed:
                live.rates.append((discount, _own_rate(discount, live)))
        return live

    def _lower(self, discount: Discount, live: Sequence[_Live]) -> None:
        """Apply a deal's discount; an amount that is not per unit is shared by the items invoiced in one rhythm."""
        together: dict[Grid, list[_Live]] = {}
        for one in live:
            if one.state.is_listed:
                continue
            if not is_spread(discount):
                one.rates.append((discount, _own_rate(discount, one)))
            else:
                together.setdefault(one.rhythm.boundaries, []).append(one)
        for sharers in together.values():
            left = [one.net() for one in sharers]
            whole = sum(left, ZERO)
            off = _monthly(discount, sharers[0])
            for one, net in zip(sharers, left, strict=True):
                one.lower(discount, off * net / whole if whole else ZERO)


def _counts(discount: Discount, day: date) -> bool:
    """Say whether a discount is in force on `day`; an amount taken off once is no part of a month's worth."""
    return discount.covers(day) and (discount.percent is not None or discount.per != "once")


def _own_rate(discount: Discount, live: _Live) -> Fraction:
    """Return an amount off per price interval of one item; nothing for a percentage."""
    if discount.amount is None or discount.per == "unit":
        return amount_rate(discount, live.item, live.state.quantity, live.rhythm.billing.interval)
    return _monthly(discount, live) * size(live.item.price_interval)


def _monthly(discount: Discount, live: _Live) -> Fraction:
    """Return the monthly value of an amount per month, period or invoice."""
    amount = discount.amount or ZERO
    if discount.per == "month":
        return amount
    billing, course = live.rhythm.billing, live.course
    if discount.per == "invoice" and billing.dates and course.agreed_end is not None:
        # Explicit invoice dates: as many invoices as dates, over all of the service.
        units = measure(live.rhythm.units, course.start, course.agreed_end, course.last).units
        months = units / live.rhythm.per_price * size(live.item.price_interval)
        return amount * len(billing.dates) / months
    return amount / size(billing.interval)


def _renewals(life: Life, until: date) -> list[date]:
    """Return the first day of each term that begins by itself, up to `until`."""
    found: list[date] = []
    if life.is_fixed and life.deal.renewal.auto:
        while (day := life.term_end(len(found))) <= until:
            found.append(day)
    return found


def _first_served(course: Course, until: date) -> date | None:
    """Return the first day that the item is due, or None when it never is up to `until`."""
    served = course.served(course.start, max(until, course.start) + timedelta(days=1))
    return served[0].start if served else None
