"""The course of one item: which quantity, price and discounts are due on which days, under a set of changes.

The old amount may stay due after a decrease (`settle: none`): then the new state waits until the term or the billing
period ends (conventions 10 and decision 0010.13).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from app.billing.accrual import agreed_last_unit, rhythms_of, whole_intervals
from app.billing.agreed import State, after_steps, fields_of, raised, stepped
from app.billing.calendar import Period, merged
from app.billing.deal import Change, DealDocument, Item, Step
from app.billing.discounts import Kept, own_rate
from app.billing.life import AT_ONCE, PERIOD, Ending, Life, mode_of
from app.billing.measure import LastUnit
from app.billing.money import Money
from app.billing.schedule import Rhythm, period_end, period_start

# Of one day: a renewal, then a change that puts other steps in place of the old ones, steps, other changes.
_RENEWAL, _OTHER_STEPS, _STEP, _CHANGE, _PENDING = range(5)


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
    # What is due of its periods, by their first day: `due.Bucket`s, which only the module that makes them looks into.
    buckets: dict[date, list[Any]] = field(default_factory=dict, compare=False)
    # By the first day of a period: what the amounts taken from its document leave of the item.
    kept: dict[date, Kept] = field(default_factory=dict, compare=False)

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
    rhythms = rhythms_of(deal, item, life, changes, early)
    walk = _Walk(deal, item, life, rhythms, early, until)
    walk.run([c for c in changes if c.item == item.key and c.kind in ("item", "remove")])
    agreed_end = item.end or life.agreed_end
    end = _due_end(item, life, walk, agreed_end)
    gaps = [Period(day, back) for ending, back in life.gaps if (day := _ends(item, life, walk, ending)) < back]
    away = tuple(merged([*life.pauses, *gaps] if item.kind == "recurring" else gaps))
    is_natural = bool(life.shift) and item.end is None
    whole = whole_intervals(item, item.start, agreed_end) if agreed_end and not is_natural else None
    last = agreed_last_unit(deal, item, rhythms, agreed_end, whole) if agreed_end and not is_natural else None
    return Course(
        item, rhythms, tuple(walk.segments), item.first_due, end, agreed_end, away, last, bool(whole), tuple(walk.backs)
    )


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


# An old amount that stays due until a day, and what is due from that day on: a state that was waiting, or (None) the
# last one agreed.
Wait = tuple[date, State | None]


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
        self.later: list[Step] = []
        self.edges_from = item.start
        # Old amounts that stay due, in order of their ends; empty when what is agreed is due.
        self.waits: list[Wait] = []
        # What was agreed since the first of them began to wait.
        self.waiting: list[Segment] = []
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
                    (self.waits[0][0] if self.waits else None, _PENDING),
                    (self._edge(), _PENDING),
                    (renewal, _RENEWAL),
                    (self.steps[0].on if self.steps else None, _STEP),
                    self._turn(waiting[0]) if waiting else (None, _CHANGE),
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
                if not any(self._replaces(change, step) for change in waiting):
                    self._step(step, day)
            elif rank in (_CHANGE, _OTHER_STEPS):
                self._change(waiting.pop(0))
            else:
                self._go_on(day)

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
        if day <= self.item.first_due:
            return day
        rhythm = self._rhythm(day)
        return period_end(rhythm.boundaries, rhythm.billing.stub, self.item.start, end, day, merges_first=merges)

    def _rhythm(self, day: date) -> Rhythm:
        return [rhythm for rhythm in self.rhythms if rhythm.start <= day or rhythm is self.rhythms[0]][-1]

    def _bite(self, change: Change) -> date:
        """Return the day from which a change counts; without proration the start of the period it falls in."""
        if change.prorated:
            return max(change.effective, self.item.start)
        rhythm, merges = self._rhythm(change.effective), self.item.start == self.deal.start
        end = self.item.end or self.life.agreed_end
        start = period_start(
            rhythm.boundaries, rhythm.billing.stub, self.item.start, end, change.effective, merges_first=merges
        )
        # After a trial the period in progress is the one that its end began.
        first = self.item.first_due if change.effective >= self.item.first_due else self.item.start
        return max(start, first)

    def _renewals(self) -> Iterator[date]:
        if not self.life.deal.renewal.auto or self.item.end or not self.life.is_fixed or self.item.kind == "one_time":
            return
        n = 0
        while (day := self.life.term_end(n)) <= self.until:
            yield day
            n += 1

    def _renewed(self, state: State) -> State:
        renewal = self.deal.renewal
        if renewal.form == "uplift_percent":
            return raised(state, renewal.uplift)
        if renewal.form == "list":
            return replace(state, discounts=(), is_listed=True)
        if renewal.form in ("index", "cap_percent"):
            return replace(state, is_known=False)
        return state

    def _both(self, day: date, follow: Callable[[State], State]) -> None:
        """Apply a step to what is agreed and to what is due, which differ while a decrease waits."""
        self.agreed = follow(self.agreed)
        self.waits = [(until, follow(state) if state else None) for until, state in self.waits]
        self._apply(day, follow)

    def _apply(self, day: date, follow: Callable[[State], State]) -> None:
        """Apply a change of some fields from `day` on, to every state that is due from then."""
        last = self.segments[-1]
        if last.start < day:
            # Nearly every change comes after all others.
            if (state := follow(last.state)) != last.state:
                self.segments.append(Segment(day, state))
                self.due = state
            return
        before = [segment for segment in self.segments if segment.start < day]
        after = [Segment(s.start, follow(s.state)) for s in self.segments if s.start > day]
        at = next((s.state for s in reversed(self.segments) if s.start <= day), self.segments[0].state)
        found = [*before, Segment(day, follow(at)), *after]
        self.segments = [s for n, s in enumerate(found) if not n or s.state != found[n - 1].state]
        self.due = self.segments[-1].state

    def _set(self, day: date, state: State) -> None:
        if state == self.due:
            return
        self.due = state
        while self.segments and self.segments[-1].start >= day:
            self.segments.pop()
        self.segments.append(Segment(day, state))

    def _net(self, state: State, day: date) -> Fraction:
        return own_rate(state.price(self.item, self.deal.currency), self.item, state.quantity, state.discounts, day)

    def _turn(self, change: Change) -> tuple[date, int]:
        day = max(change.effective, self.item.start)
        return day, _CHANGE if change.steps is None else _OTHER_STEPS

    def _replaces(self, change: Change, step: Step) -> bool:
        """Say whether a later change of steps counts from before this one, which then never was."""
        is_of_steps = change.steps is not None and not change.prorated and change.position not in self.early
        return is_of_steps and self._bite(change) <= step.on < change.effective

    def _step(self, step: Step, day: date) -> None:
        """Take a step. One agreed after a decrease belongs to the state that waits, not to the old amount."""
        if not self.waits or step not in self.later:
            self._both(day, partial(stepped, step))
            return
        self.agreed = stepped(step, self.agreed)
        self.waiting.append(Segment(day, self.agreed))
        if self._is_enough(day):
            self._end_waiting(day)

    def _go_on(self, day: date) -> None:
        """Let what waited be due: where an old amount ends, or where it is less than what is agreed."""
        while self.waits and self.waits[0][0] <= day:
            _, state = self.waits.pop(0)
            self._set(day, state or self.agreed)
        self.edges_from = day
        if not self.waits or self._is_enough(day):
            self._end_waiting(day)

    def _is_enough(self, day: date) -> bool:
        """Say whether what is agreed costs as much as the old amount; where both are nothing, nobody can tell."""
        agreed = self._net(self.agreed, day)
        return agreed > 0 and agreed >= self._net(self.due, day)

    def _end_waiting(self, day: date) -> None:
        self.waits, self.waiting = [], []
        self._set(day, self.agreed)

    def _edge(self) -> date | None:
        """Return the next day on which a discount of an old amount or of what waits begins or ends."""
        if not self.waits:
            return None
        discounts = [*self.due.discounts, *self.agreed.discounts]
        edges = [day for d in discounts if d.is_rate for day in (d.start, d.end) if day and day > self.edges_from]
        return min(edges, default=None)

    def _change(self, change: Change) -> None:
        day = self._bite(change)
        inside_term = self.item.end is not None or self.life.end_of_term(day) is not None
        mode = mode_of(change, inside_term=inside_term)
        if change.kind == "remove":
            ends = self.ending(change.effective if mode == PERIOD else day, mode)
            self.removed = min(ends, self.removed) if self.removed else ends
            self._back(change)
            return
        fields = fields_of(change)
        agreed = replace(self.agreed, **fields)
        now = self._due_on(day)
        # Of other steps, those that would be taken on this day count: it belongs to the new state.
        ended = [step for step in self.steps if step.on == day] if change.steps is not None else []
        begun = [step for step in change.steps or () if step.on <= day]
        before = self._net(after_steps(ended, now), day)
        after = self._net(after_steps(begun, agreed if self.waits else replace(now, **fields)), day)
        if change.position in self.early and (after >= before or mode != AT_ONCE):
            return
        waiting, self.agreed = self.agreed, agreed
        if change.steps is not None:
            self._replace_steps(change.steps, day)
        if after >= before or mode == AT_ONCE:
            self._take(day, agreed, fields)
            return
        if change.steps is not None:
            self._apply(day, partial(after_steps, ended))
            self.later = list(self.steps)
        until = self.ending(change.effective if mode == PERIOD else day, mode)
        # What was going to be due before it stays due: also a state that waited for an old amount to end.
        still = [(end, state or waiting) for end, state in self.waits if end < until]
        self.waits, self.edges_from = [*still, (until, None)], day
        self.waiting.append(Segment(day, agreed))
        self._back(change)

    def _replace_steps(self, steps: Sequence[Step], day: date) -> None:
        agreed = [replace(step, on=max(step.on, day)) for step in steps]
        self.steps = [step for step in self.steps if step.on < day] + agreed
        self.later = agreed if self.waits else []

    def _take(self, day: date, agreed: State, fields: Mapping[str, Any]) -> None:
        """Let a change count from `day`: what waited with it, else only the fields it sets."""

        def follow(state: State) -> State:
            return replace(state, **fields)

        self._apply(day, follow)
        if self.waits:
            # Without proration a change may count from before what waits was agreed: that keeps its own day.
            for segment in self.waiting:
                self._set(max(segment.start, day), follow(segment.state))
            self._set(max(self.waiting[-1].start, day), agreed)
        self.waits, self.later, self.waiting = [], [], []

    def _due_on(self, day: date) -> State:
        """Return what is due on `day` so far, which may lie before changes that were applied already."""
        return next((s.state for s in reversed(self.segments) if s.start <= day), self.segments[0].state)

    def _back(self, change: Change) -> None:
        if isinstance(change.settle, Money) and change.position not in self.early:
            self.backs.append(Back(change.effective, change.settle, change.id))
