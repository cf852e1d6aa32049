"""The course of one item: which quantity, price and discounts are due on which days, under a set of changes.

The old amount may stay due after a decrease (`settle: none`): then the new state waits until the term or the billing
period ends (conventions 10 and decision 0010.13).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from app.billing.calendar import Period, merged
from app.billing.deal import Change, DealDocument, Discount, Item, Step
from app.billing.discounts import own_rate
from app.billing.life import AT_ONCE, FAR, PERIOD, Ending, Life, mode_of
from app.billing.measure import LastUnit, last_unit, measure
from app.billing.money import Money
from app.billing.pricing import price_of
from app.billing.schedule import Rhythm, period_end, rhythm_of

_RENEWAL, _STEP, _CHANGE, _PENDING = range(4)


@dataclass(frozen=True, slots=True)
class State:
    """What is agreed of an item from one day on. `uplift` multiplies a price model; prices are exact.

    `is_listed`: a renewal at list price dropped all discounts. `is_known` False: the renewal price is not known yet.
    """

    quantity: Decimal
    unit_price: Fraction
    uplift: Fraction
    discounts: tuple[Discount, ...]
    is_listed: bool = False
    is_known: bool = True

    def price(self, item: Item, currency: str) -> Fraction:
        """Return the exact price of the whole quantity for one price interval, before discounts."""
        if item.price is None:
            return Fraction(self.quantity) * self.unit_price
        return price_of(item.price, self.quantity, currency).amount * self.uplift


@dataclass(frozen=True, slots=True)
class Segment:
    """A state and the first day it is due."""

    start: date
    state: State


@dataclass(frozen=True, slots=True)
class Back:
    """A fixed amount that a change gives back (`settle: "123.45"`), in the billing period of `day`."""

    day: date
    amount: Money
    change: str


@dataclass(frozen=True, slots=True)
class Course:
    """What is due of an item over time. `end` None: open; `away`: days inside that are never due, in order."""

    item: Item
    rhythms: tuple[Rhythm, ...]
    segments: tuple[Segment, ...]
    start: date
    end: date | None
    agreed_end: date | None
    away: tuple[Period, ...]
    last: LastUnit | None
    is_whole: bool
    backs: tuple[Back, ...]
    keys: dict[int, tuple[Decimal, Decimal]] = field(default_factory=dict, compare=False)
    prices: dict[int, Fraction] = field(default_factory=dict, compare=False)

    def price_of(self, state: State, currency: str) -> Fraction:
        """Return the price of one of the course's states, computed once."""
        found = self.prices.get(id(state))
        if found is None:
            found = self.prices[id(state)] = state.price(self.item, currency)
        return found

    def rhythm_at(self, day: date) -> Rhythm:
        """Return how the item is billed on `day`."""
        found = self.rhythms[0]
        for rhythm in self.rhythms[1:]:
            if rhythm.start > day:
                break
            found = rhythm
        return found

    def state_at(self, day: date) -> State:
        """Return what is due on `day`, as if it were a day of service."""
        found = self.segments[0].state
        for segment in self.segments[1:]:
            if segment.start > day:
                break
            found = segment.state
        return found

    def served(self, start: date, end: date) -> list[Period]:
        """Return the due days of [start, end), in order."""
        start = max(start, self.start)
        end = min(end, self.end) if self.end else end
        return Period(start, end).without(self.away) if start < end else []


def course_of(
    deal: DealDocument, item: Item, life: Life, changes: Sequence[Change], early: frozenset[int], until: date
) -> Course:
    """Return an item's course under `changes` (in order) up to at least `until`.

    `early` holds the positions of changes that are not in force yet for the document in hand: of these only what
    makes an item due for less counts (convention 10).
    """
    rhythms = _rhythms(deal, item, life, changes, early)
    walk = _Walk(deal, item, life, rhythms, early, until)
    walk.run([c for c in changes if c.item == item.key and c.kind in ("item", "remove")])
    agreed_end = item.end or life.agreed_end
    end = _due_end(item, life, walk, agreed_end)
    gaps = [Period(day, back) for ending, back in life.gaps if (day := _ends(item, life, walk, ending)) < back]
    away = tuple(merged([*life.pauses, *gaps] if item.kind == "recurring" else gaps))
    is_natural = bool(life.shift) and item.end is None
    whole = _whole_intervals(item, item.start, agreed_end) if agreed_end and not is_natural else None
    last = _last_unit(deal, item, rhythms, agreed_end, whole) if agreed_end and not is_natural else None
    return Course(
        item, rhythms, tuple(walk.segments), item.first_due, end, agreed_end, away, last, bool(whole), tuple(walk.backs)
    )


def _rhythms(
    deal: DealDocument, item: Item, life: Life, changes: Sequence[Change], early: frozenset[int]
) -> tuple[Rhythm, ...]:
    by_month = _by_month(deal, item, item.end or life.agreed_end or FAR, changes)
    if item.own_billing:
        return (rhythm_of(item, item.billing, item.start, deal.start, by_month=by_month),)
    billing = deal.billing
    found = [rhythm_of(item, billing, item.start, deal.start, by_month=by_month)]
    for change in changes:
        if change.kind != "billing" or change.billing is None or change.position in early:
            continue
        given = {name: getattr(change.billing, name) for name in change.billing_fields}
        billing = replace(billing, **given)
        day = change.effective
        if not change.prorated:
            day = found[-1].boundaries.at(found[-1].boundaries.index(day))
        rhythm = rhythm_of(item, billing, max(day, item.start), deal.start, by_month=by_month, change=change.id)
        found = [old for old in found if old.start < rhythm.start] + [rhythm]
    return tuple(found)


def _by_month(deal: DealDocument, item: Item, end: date, changes: Sequence[Change]) -> bool:
    """Say whether a term in service months touches the item's service (convention 3)."""
    if item.kind != "recurring":
        return False
    discounts = [*item.discounts]
    steps = [*item.steps]
    for change in changes:
        if change.item == item.key:
            discounts += change.discounts or ()
            steps += change.steps or ()
    discounts += [d for d in deal.discounts if d.items is None or item.key in d.items]
    return any(step.by_month and step.on < end for step in steps) or any(
        d.by_month and d.touches(item.start, end) for d in discounts
    )


def _last_unit(
    deal: DealDocument, item: Item, rhythms: Sequence[Rhythm], end: date, whole: int | None
) -> LastUnit | None:
    """Return the last unit of a term of whole price intervals (convention 4): of the item's own service.

    An item that joined later and ends with the contract shares the contract's own last unit, also after changes.
    """
    start = rhythms[0].start
    if whole is None and item.end is None and item.start > deal.start:
        start, whole = deal.start, _whole_intervals(item, deal.start, end)
    if whole is None or rhythms[-1].start >= end:
        return None
    left = Fraction(whole)
    for n, (rhythm, following) in enumerate(pairwise(rhythms)):
        left -= measure(rhythm.units, rhythm.start if n else start, following.start).units / rhythm.per_price
    final = rhythms[-1]
    return last_unit(final.units, final.start if len(rhythms) > 1 else start, end, left * final.per_price)


def _whole_intervals(item: Item, start: date, end: date) -> int | None:
    """Return how many price intervals [start, end) is, or None when it is no whole number of them."""
    if item.kind != "recurring" or end <= start:
        return None
    interval = item.price_interval
    if interval.days:
        n, rest = divmod((end - start).days, interval.days)
        return n if n and not rest else None
    n = ((end.year - start.year) * 12 + end.month - start.month) // interval.months
    return n if n > 0 and interval.add_to(start, n) == end else None


def _due_end(item: Item, life: Life, walk: _Walk, agreed_end: date | None) -> date | None:
    ends = [end for end in (agreed_end, walk.removed) if end is not None]
    if life.ending is not None:
        ends.append(_ends(item, life, walk, life.ending))
        change = life.ending.change
        if isinstance(change.settle, Money) and change.position not in walk.early:
            walk.backs.append(Back(_kept_on(life.ending), change.settle, change.id))
    return min(ends, default=None)


def _ends(item: Item, life: Life, walk: _Walk, ending: Ending) -> date:
    """Return the day until which the item stays due after a cancellation."""
    inside_term = item.end is not None or life.end_of_term(ending.stop) is not None
    mode = ending.mode or mode_of(ending.change, inside_term=inside_term)
    return walk.ending(_kept_on(ending) if mode == PERIOD else ending.stop, mode)


def _kept_on(ending: Ending) -> date:
    """Return the day whose billing period is kept: also where a cancellation counts from that period's start."""
    return ending.change.effective if ending.change.cancel == "at" else ending.stop


class _Walk:
    """Steps through renewals, steps and changes of one item in order of their days."""

    def __init__(
        self,
        deal: DealDocument,
        item: Item,
        life: Life,
        rhythms: tuple[Rhythm, ...],
        early: frozenset[int],
        until: date,
    ) -> None:
        self.deal, self.item, self.life, self.rhythms, self.early = deal, item, life, rhythms, early
        self.until = until
        self.due = self.agreed = State(item.quantity, Fraction(item.unit_price), Fraction(1), item.discounts)
        self.segments = [Segment(item.start, self.due)]
        self.steps = list(item.steps)
        self.pending: date | None = None
        self.removed: date | None = None
        self.backs: list[Back] = []

    def run(self, changes: Sequence[Change]) -> None:
        renewals = self._renewals()
        renewal = next(renewals, None)
        waiting = list(changes)
        while True:
            turns = [
                (day, rank)
                for day, rank in (
                    (self.pending, _PENDING),
                    (renewal, _RENEWAL),
                    (self.steps[0].on if self.steps else None, _STEP),
                    (self._bite(waiting[0]) if waiting else None, _CHANGE),
                )
                if day is not None
            ]
            if not turns:
                return
            day, rank = min(turns)
            if rank == _RENEWAL:
                self._both(day, self._renewed)
                renewal = next(renewals, None)
            elif rank == _STEP:
                step = self.steps.pop(0)
                self._both(day, lambda state, step=step: _stepped(state, step))
            elif rank == _CHANGE:
                self._change(waiting.pop(0), day)
            else:
                self.pending = None
                self._set(day, self.agreed)

    def ending(self, day: date, mode: str) -> date:
        """Return the day until which the old amount is due after an end on `day`."""
        if mode == AT_ONCE:
            return day
        if mode == PERIOD:
            return self._period_end(day)
        return self.item.end or self.life.end_of_term(day) or day

    def _period_end(self, day: date) -> date:
        merges = self.item.start == self.deal.start
        end = self.item.end or self.life.agreed_end
        return period_end(self._rhythm(day), self.item.start, end, day, merges_first=merges)

    def _rhythm(self, day: date) -> Rhythm:
        return [rhythm for rhythm in self.rhythms if rhythm.start <= day or rhythm is self.rhythms[0]][-1]

    def _bite(self, change: Change) -> date:
        """Return the day from which a change counts; without proration the start of the period it falls in."""
        if change.prorated:
            return max(change.effective, self.item.start)
        boundaries = self._rhythm(change.effective).boundaries
        return max(boundaries.at(boundaries.index(change.effective)), self.item.start)

    def _renewals(self) -> Iterator[date]:
        if not self.life.deal.renewal.auto or self.item.end or not self.life.is_fixed:
            return
        n = 0
        while (day := self.life.term_end(n)) <= self.until:
            yield day
            n += 1

    def _renewed(self, state: State) -> State:
        renewal = self.deal.renewal
        if renewal.form == "uplift_percent":
            return _raised(state, renewal.uplift)
        if renewal.form == "list":
            return replace(state, discounts=(), is_listed=True)
        if renewal.form in ("index", "cap_percent"):
            return replace(state, is_known=False)
        return state

    def _both(self, day: date, follow: object) -> None:
        assert callable(follow)
        self.agreed = follow(self.agreed)
        self._set(day, follow(self.due))

    def _set(self, day: date, state: State) -> None:
        if state == self.due:
            return
        self.due = state
        self.segments = [segment for segment in self.segments if segment.start < day]
        self.segments.append(Segment(day, state))

    def _net(self, state: State, day: date) -> Fraction:
        return own_rate(state.price(self.item, self.deal.currency), self.item, state.quantity, state.discounts, day)

    def _change(self, change: Change, day: date) -> None:
        inside_term = self.item.end is not None or self.life.end_of_term(day) is not None
        mode = mode_of(change, inside_term=inside_term)
        if change.kind == "remove":
            ends = self.ending(change.effective if mode == PERIOD else day, mode)
            self.removed = min(ends, self.removed) if self.removed else ends
            self._back(change)
            return
        agreed = self._agreed(change)
        before, after = self._net(self.due, day), self._net(agreed, day)
        if change.position in self.early and (after >= before or mode != AT_ONCE):
            return
        if change.steps is not None:
            self.steps = [step for step in self.steps if step.on < day]
            self.steps += [replace(step, on=max(step.on, day)) for step in change.steps]
        self.agreed = agreed
        if after >= before or mode == AT_ONCE:
            self.pending = None
            self._set(day, agreed)
            return
        self.pending = self.ending(change.effective if mode == PERIOD else day, mode)
        self._back(change)

    def _agreed(self, change: Change) -> State:
        state = self.agreed
        if change.quantity is not None:
            state = replace(state, quantity=change.quantity)
        if change.unit_price is not None:
            state = replace(state, unit_price=Fraction(change.unit_price), is_known=True)
        if change.discounts is not None:
            state = replace(state, discounts=change.discounts)
        return state

    def _back(self, change: Change) -> None:
        if isinstance(change.settle, Money) and change.position not in self.early:
            self.backs.append(Back(change.effective, change.settle, change.id))


def _raised(state: State, percent: Fraction) -> State:
    factor = 1 + percent / 100
    return replace(state, unit_price=state.unit_price * factor, uplift=state.uplift * factor)


def _stepped(state: State, step: Step) -> State:
    if step.unit_price is not None:
        state = replace(state, unit_price=Fraction(step.unit_price), is_known=True)
    if step.quantity is not None:
        state = replace(state, quantity=step.quantity)
    return _raised(state, step.uplift) if step.uplift is not None else state


__all__ = ["FAR", "Back", "Course", "Segment", "State", "course_of"]
