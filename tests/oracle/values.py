"""What each day of an item is worth, exactly (conventions 3, 4 and 7; rules 0010.3-5 and 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from tests.oracle.dates import ONE_DAY, days_between, whole_intervals
from tests.oracle.periods import Period, covered, unit_grid, unit_of
from tests.oracle.prices import RATES, less, list_cost
from tests.oracle.reading import Deal, Discount, Model
from tests.oracle.states import Life, State

Kind = tuple[int, State, tuple[bool, ...]]


@dataclass(slots=True)
class Bucket:
    """The days of one quantity and price in one period, and their exact value."""

    quantity: Fraction
    unit_price: Fraction
    days: list[date] = field(default_factory=list)
    values: list[Fraction] = field(default_factory=list)
    state: State | None = None

    @property
    def exact(self) -> Fraction:
        """Return the bucket's exact value."""
        return sum(self.values, Fraction(0))


def end_of(life: Life) -> date | None:
    """Return the end of agreed service; a contract that renews by itself has one when cancelled to a term's end."""
    return life.end or life.ended


def ends_as_agreed(life: Life) -> bool:
    """Claim that the item's agreed service has an end that no pause moved; a cancellation inside it moves nothing."""
    end = end_of(life)
    return end is not None and not life.moved and end > life.item.start


def holds_whole(life: Life) -> int:
    """Return N when rule 5 holds: agreed service of exactly N price intervals, the end the agreed one; else 0."""
    end = end_of(life)
    if not ends_as_agreed(life) or end is None:
        return 0
    return whole_intervals(life.item.start, end, life.item.price_interval)


def shares_whole(life: Life, deal: Deal) -> int:
    """Return N when an item that joined later shares the last unit of a contract of N price intervals; else 0."""
    end = end_of(life)
    joined = life.item.start > deal.start and life.item.own_end is None
    if not joined or not ends_as_agreed(life) or end is None or holds_whole(life):
        return 0
    return whole_intervals(deal.start, end, life.item.price_interval)


class Weights:
    """How much of a unit each day of an item is worth."""

    def __init__(self, life: Life, deal: Deal) -> None:
        self.unit, self.count = unit_of(life.item, deal)
        self.grid = unit_grid(life.item, deal, self.unit)
        self.last_cell: int | None = None
        self.last_weight = Fraction(0)
        if whole := holds_whole(life):
            self._share_the_rest(life, whole, life.item.start)
        elif whole := shares_whole(life, deal):
            self._share_the_rest(life, whole, deal.start)

    def _share_the_rest(self, life: Life, whole: int, start: date) -> None:
        end = end_of(life)
        assert end is not None
        cell = self.grid.cell_of(end - ONE_DAY)
        low = max(self.grid.boundary(cell), start)
        before = Fraction(0)
        for day in days_between(start, low):
            before += self.natural(self.grid.cell_of(day))
        self.last_cell = cell
        self.last_weight = (whole * self.count - before) / (end - low).days

    def natural(self, cell: int) -> Fraction:
        """Return one day's part of the unit `cell`."""
        return Fraction(1, (self.grid.boundary(cell + 1) - self.grid.boundary(cell)).days)

    def of(self, cell: int) -> Fraction:
        """Return what one day of unit `cell` weighs."""
        return self.last_weight if cell == self.last_cell else self.natural(cell)


def discounts_of(state: State, life: Life, deal: Deal) -> list[Discount]:
    """Return the discounts of a state in order: its own, then the deal's that cover the item."""
    own = list(state.discounts)
    if state.deal_discounts:
        own += [part for part in deal.discounts if covered(part.items, life.item)]
    return own


def in_common(part: Discount, deal: Deal) -> bool:
    """Claim that a deal discount is an amount for all its lines of a period together."""
    return part.amount is not None and part.per != "unit" and any(part is other for other in deal.discounts)


class DayValues:
    """The exact value of each day due of one item, under one set of changes."""

    def __init__(self, life: Life, deal: Deal, shares: Mapping[tuple[date, int], Fraction] | None = None) -> None:
        self.life, self.deal, self.shares = life, deal, shares or {}
        self.weights = Weights(life, deal)
        self.once: dict[Discount, Period] = {}

    def of_period(self, period: Period) -> dict[date, Fraction]:
        """Return the value of each day of `period` as agreed, whether or not it was shortened or paused since."""
        kinds: dict[date, Kind] = {}
        cell, high = 0, date.min
        for day in days_between(period.start, period.end):
            state = self.life.due.get(day) or self.life.full.get(day)
            if state is None or (self.life.item.trial_until is not None and day < self.life.item.trial_until):
                continue
            if day >= high:
                cell = self.weights.grid.cell_of(day)
                high = self.weights.grid.boundary(cell + 1)
            kinds[day] = (cell, state, tuple(d.covers(day) for d in discounts_of(state, self.life, self.deal)))
        worth = self._worth(period, kinds)
        return {day: worth[kind] for day, kind in kinds.items()}

    def _worth(self, period: Period, kinds: Mapping[date, Kind]) -> dict[Kind, Fraction]:
        """Return one day's value for each kind of day, taking the discounts one after the other."""
        listed: dict[Kind, Fraction] = {}
        for kind in set(kinds.values()):
            cell, state, _ = kind
            assert state.model is None or isinstance(state.model, Model)
            price = list_cost(state.quantity, state.unit_price * state.uplift, state.model, state.uplift)
            listed[kind] = price / self.weights.count * self.weights.of(cell)
        worth = dict(listed)
        # Its own discounts by position, then the deal's: a state with fewer of its own waits for the others.
        most = max((len(kind[1].discounts) for kind in worth), default=0)
        found: dict[Kind, dict[int, tuple[Discount, bool]]] = {}
        for kind in worth:
            own = len(kind[1].discounts)
            flagged = zip(discounts_of(kind[1], self.life, self.deal), kind[2], strict=True)
            found[kind] = {n if n < own else n - own + most: entry for n, entry in enumerate(flagged)}
        for number in sorted({n for slots in found.values() for n in slots}):
            having = {kind: slots[number] for kind, slots in found.items() if number in slots}
            for kind, (part, covers) in having.items():
                if covers and not in_common(part, self.deal):
                    worth[kind] = self._less(worth[kind], listed[kind], kind, part)
            self._take_amounts(period, kinds, worth, having)
        return worth

    def _less(self, value: Fraction, list_value: Fraction, kind: Kind, part: Discount) -> Fraction:
        """Return what one discount of the rate leaves of a day's value."""
        cell, state, _ = kind
        weights = self.weights
        return less(
            value, list_value, weights.of(cell), part, state.quantity, self.life.item, weights.unit, weights.count
        )

    def _take_amounts(
        self,
        period: Period,
        kinds: Mapping[date, Kind],
        worth: dict[Kind, Fraction],
        having: Mapping[Kind, tuple[Discount, bool]],
    ) -> None:
        """Take amounts per invoice, once, or of the deal in common: the same part of each day of the period."""
        for part in {id(found): found for found, _ in having.values()}.values():
            amount = self._amount_for(part, period)
            if amount is None:
                continue
            mine = [kind for kind in kinds.values() if kind in having and having[kind][0] is part]
            if part.per in RATES:
                mine = [kind for kind in mine if having[kind][1]]
            total = sum((worth[kind] for kind in mine), Fraction(0))
            if total > 0:
                left = max(Fraction(0), 1 - amount / total)
                for kind in set(mine):
                    worth[kind] *= left

    def _amount_for(self, part: Discount, period: Period) -> Fraction | None:
        """Return the amount that `part` takes from the whole `period` of this item, None when it takes none."""
        if part.amount is None or (part.per not in ("invoice", "once") and not in_common(part, self.deal)):
            return None
        if in_common(part, self.deal):
            index = next(index for index, other in enumerate(self.deal.discounts) if other is part)
            return self.shares.get((period.start, index))
        if not touched(part, period, self.life.item.trial_until):
            return None
        if part.per == "once" and first_touched(part, self.life) != period:
            return None
        return part.amount

    def measured(self, part: Discount, period: Period) -> Fraction:
        """Return what a deal's amount is worth for the whole `period`, exact: by months or by full periods served."""
        assert part.amount is not None
        if part.per in ("invoice", "once"):
            return part.amount
        unit = self.weights.unit
        rate = (
            Fraction(unit.months) if part.per == "month" else Fraction(unit.size, self.life.item.billing.interval.size)
        )
        days = [day for day in days_between(period.start, period.end) if part.covers(day) and day in self.life.full]
        return part.amount * rate * sum((self.weights.of(self.weights.grid.cell_of(day)) for day in days), Fraction(0))

    def left_before(self, period: Period, index: int) -> Fraction:
        """Return what the discounts before the deal's discount `index` leave of the `period`'s days it covers."""
        part = self.deal.discounts[index]
        if not covered(part.items, self.life.item):
            return Fraction(0)
        earlier = replace(self.deal, discounts=self.deal.discounts[:index])
        values = DayValues(self.life, earlier, self.shares)
        values.weights = self.weights
        worth = values.of_period(period)
        return sum((worth[day] for day in worth if part.per not in RATES or part.covers(day)), Fraction(0))

    def buckets(self, period: Period) -> list[Bucket]:
        """Return the buckets of `period` with the days that are due."""
        values = self.of_period(period)
        found: dict[tuple[Fraction, Fraction], Bucket] = {}
        for day in days_between(period.start, period.end):
            if self.life.is_due(day):
                state = self.life.due[day]
                bucket = found.setdefault(state.key, Bucket(*state.key, state=state))
                bucket.days.append(day)
                bucket.values.append(values[day])
        return list(found.values())


def touched(part: Discount, period: Period, trial: date | None) -> bool:
    """Claim that the discount's window holds a day of the period that is not free anyway."""
    start = max(period.start, trial) if trial else period.start
    return any(part.covers(day) for day in days_between(start, period.end))


def first_touched(part: Discount, life: Life) -> Period | None:
    """Return the first period that the discount's window touches while the item has it."""
    trial = life.item.trial_until
    return next((period for period in life.periods if touched(part, period, trial) and has(life, period, part)), None)


def has(life: Life, period: Period, part: Discount) -> bool:
    """Claim that the item has the discount on some day of the period, as agreed."""
    days = days_between(period.start, period.end)
    states = (life.due.get(day) or life.full.get(day) for day in days)
    return any(part is other for state in states if state is not None for other in state.discounts)


def due_days(life: Life, period: Period) -> Sequence[date]:
    """Return the days of `period` to be paid."""
    return [day for day in days_between(period.start, period.end) if life.is_due(day)]
