"""What is settled, by item, billing period and payer; compared with what is due by overlap of days (convention 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from app.billing.agreed import State
from app.billing.calendar import Period, merged
from app.billing.deal import DealDocument, Item, Settled
from app.billing.due import Bucket, Key, View, end_of, key_of, trimmed
from app.billing.money import Money
from app.billing.reckoning import Reckoner
from app.billing.schedule import BillingPeriod, period_at

BILLED = "billed"


@dataclass(slots=True)
class Booked:
    """What is settled of one bucket for one payer. `net`: what counts as charged, `money`: what really was.

    `blocks`: the days that were settled together, each with a rounding of its own; `days`: all of them.
    """

    net: int = 0
    money: int = 0
    days: list[Period] = field(default_factory=list)
    blocks: list[list[Period]] = field(default_factory=list)
    label: str = ""

    def add(self, net: int, money: int, days: Sequence[Period], label: str = "") -> None:
        """Settle some days with an amount; days that were settled before stay in their block."""
        self.net += net
        self.money += money
        if fresh := minus(days, self.days):
            self.blocks.append(fresh)
            self.days = merged([*self.days, *fresh])
        self.label = self.label or label


def common(one: Sequence[Period], other: Sequence[Period]) -> list[Period]:
    """Return the days of both lists, in order."""
    return merged([days for mine in one for theirs in other if (days := mine.overlap(theirs)) is not None])


def minus(days: Sequence[Period], taken: Sequence[Period]) -> list[Period]:
    """Return the days of the first list that the second doesn't have, in order."""
    return [left for one in merged(days) for left in one.without(taken)]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A settled entry that no agreed day of its item meets: nothing is due for it."""

    entry: Settled
    payer: int


class Books:
    """Everything settled so far, and what the plan settles as it goes."""

    def __init__(self, reckoner: Reckoner) -> None:
        self._reckoner = reckoner
        self._deal: DealDocument = reckoner.deal
        self._found: dict[tuple[str, date], dict[int, dict[Key, Booked]]] = {}
        self._actual: dict[tuple[str, date], tuple[Item, BillingPeriod]] = {}
        self.orphans: list[Orphan] = []
        self.by_item: dict[str, list[Settled]] = {}
        self.settled_by: dict[int, set[str]] = {}
        items = {item.key: item for item in reckoner.items}
        for entry in self._deal.issued:
            self.by_item.setdefault(entry.item, []).append(entry)
            item = items.get(entry.item)
            if item is not None and item.kind != "usage":
                self._book(item, entry)

    def of(self, item: Item, period: BillingPeriod) -> dict[int, dict[Key, Booked]] | None:
        """Return what is settled of a period by payer and bucket, or None when nothing is."""
        return self._found.get((item.key, period.start))

    def actual(self) -> list[tuple[Item, BillingPeriod]]:
        """Return the items and periods of which something was really settled, in order of their days."""
        return sorted(self._actual.values(), key=lambda pair: pair[1].start)

    def booked(self, item: Item, period: BillingPeriod, payer: int, key: Key) -> Booked:
        """Return the record of a bucket, made empty when there is none."""
        return self._found.setdefault((item.key, period.start), {}).setdefault(payer, {}).setdefault(key, Booked())

    def payer_of(self, entry: Settled) -> int:
        """Return the number of the payer an entry was billed to; an unknown name is the last payer's."""
        names = [payer.name for payer in self._deal.payers]
        if len(names) < 2:
            return 0
        return names.index(entry.bill_to) if entry.bill_to in names else len(names) - 1

    def _book(self, item: Item, entry: Settled) -> None:
        if len(self._deal.payers) > 1 and entry.bill_to is None:
            for part in self._by_payer(entry):
                self._book(item, part)
            return
        payer = self.payer_of(entry)
        if entry.change is not None:
            self.settled_by.setdefault(payer, set()).add(entry.change)
        portions = self._portions(item, entry)
        if not portions:
            self.orphans.append(Orphan(entry, payer))
            return
        label = entry.document or f"{entry.item} {entry.period.start.isoformat()}/{entry.period.end.isoformat()}"
        if len(portions) == 1 and entry.kind == BILLED and entry.quantity is not None and entry.unit_price is not None:
            # The usual entry: one document's line, which says itself what it was for.
            period, days = portions[0]
            key = (trimmed(entry.quantity), trimmed(entry.unit_price))
            self.booked(item, period, payer, key).add(entry.net.minor, entry.net.minor, [days], label)
            self._actual[item.key, period.start] = (item, period)
            return
        left, money = entry.net.minor, entry.net.minor
        for n, (period, days) in enumerate(portions):
            if len(portions) == 1 and self._settles_all(item, period, days, entry, payer, label):
                return
            state, due = self._due_then(item, period, days, entry, payer)
            is_last = n + 1 == len(portions)
            net = left if is_last else due
            left -= net
            share = money if is_last else net
            money -= share
            key = key_of(state, item, self._deal.currency)
            booked = self.booked(item, period, payer, key)
            # A person's decision moves what is due: it stands for what was due when it was recorded.
            booked.add(net if entry.kind == BILLED else due, share, [days], label)
            self._actual[item.key, period.start] = (item, period)

    def _by_payer(self, entry: Settled) -> list[Settled]:
        """Split an entry that names no payer as a line would be."""
        split = self._reckoner.split
        charged = split(entry.charged.minor, entry.charged.exact())
        credited = split(entry.credited.minor, entry.credited.exact())
        currency = self._deal.currency
        return [
            replace(
                entry, bill_to=payer.name, charged=Money(charged[n], currency), credited=Money(credited[n], currency)
            )
            for n, payer in enumerate(self._deal.payers)
        ]

    def _settles_all(
        self, item: Item, period: BillingPeriod, days: Period, entry: Settled, payer: int, label: str
    ) -> bool:
        """Settle several states of a period with one amount that names no quantity and price, where it is theirs."""
        reckoner = self._reckoner
        if item.kind != "recurring" or entry.kind != BILLED or entry.quantity is not None:
            return False
        parts = []
        for bucket, split in reckoner.parts(reckoner.final, item, period):
            mine = common([Period(s.start, s.end) for s in bucket.stretches], [days])
            exact = reckoner.value(reckoner.final, item, period, bucket, mine) if mine else Fraction(0)
            whole = sum(one.days for one in mine) == bucket.days
            parts.append(
                (bucket, mine, split[payer] if whole else reckoner.split(reckoner.rounded(exact), exact)[payer])
            )
        if len(parts) < 2 or sum(due for _, _, due in parts) != entry.net.minor:
            return False
        for bucket, mine, due in parts:
            if mine:
                self.booked(item, period, payer, bucket.key).add(due, due, mine, label)
        self._actual[item.key, period.start] = (item, period)
        return True

    def _portions(self, item: Item, entry: Settled) -> list[tuple[BillingPeriod, Period]]:
        """Return the billing periods an entry settles, each with its days."""
        periods = self._reckoner.periods(item)
        if item.kind == "one_time":
            return [(period, Period(period.start, period.end)) for period in periods]
        if cut := self._cut_by(periods, entry):
            return [(cut, entry.period)]
        found = []
        at = max(entry.period.start, periods[0].start) if periods else entry.period.end
        while at < entry.period.end:
            period = period_at(periods, at)
            if period is None:
                break
            until = min(entry.period.end, max(period.end, period.uncut_end))
            found.append((period, Period(at, until)))
            at = until
        return found

    @staticmethod
    def _cut_by(periods: Sequence[BillingPeriod], entry: Settled) -> BillingPeriod | None:
        """Return the period whose cut-off days a credit gives back: those after the change of rhythm that made it."""
        if entry.net.minor >= 0 or entry.change is None:
            return None
        for period, following in pairwise(periods):
            if period.uncut_end > period.end and following.rhythm.change == entry.change:
                inside = period.end <= entry.period.start and entry.period.end <= period.uncut_end
                return period if inside else None
        return None

    def _view(self, item: Item, period: BillingPeriod, change: str | None) -> View:
        """Return what was known when an entry was made: its document's day and, for a change's own, that change."""
        return self._reckoner.then(max(self._reckoner.dated(item, period), period.start), change)

    def _due_then(
        self, item: Item, period: BillingPeriod, days: Period, entry: Settled, payer: int
    ) -> tuple[State, int]:
        """Return the state that an entry was made in, and what was due for its days then."""
        reckoner = self._reckoner
        view = self._view(item, period, entry.change)
        course = view.course(item.key)
        if course is None:
            # Settled before the change that adds the item is in force: seen as if it were.
            view = reckoner.final
            course = view.course(item.key)
        assert course is not None
        state = self._state_then(course.state_at(days.start), item, entry)
        key = key_of(state, item, self._deal.currency)
        for bucket, parts in reckoner.parts(view, item, period):
            if bucket.key == key and all(days.start <= s.start and s.end <= days.end for s in bucket.stretches):
                return state, parts[payer]
        served = course.served(days.start, min(days.end, end_of(course, period)))
        if item.kind == "one_time" or not served:
            served = [days]
        exact = reckoner.value(view, item, period, Bucket(key, state, course.rhythm_at(days.start)), served)
        if item.kind == "one_time":
            exact = state.price(item, self._deal.currency)
        return state, reckoner.split(reckoner.rounded(exact), exact)[payer]

    def _state_then(self, state: State, item: Item, entry: Settled) -> State:
        """Return the state an entry was made in: the one whose quantity and price it says.

        A document says what it charged for. What a person decided may say anything: it counts only where it is one of
        the item's states, else the state in force on its first day does.
        """
        if entry.quantity is None or entry.unit_price is None:
            return state
        said = (trimmed(entry.quantity), trimmed(entry.unit_price))
        if said == key_of(state, item, self._deal.currency):
            return state
        days = [date.min, *(change.effective for change in self._reckoner.changes)]
        for day in days:
            course = self._reckoner.base(day).course(item.key)
            for segment in course.segments if course else ():
                if key_of(segment.state, item, self._deal.currency) == said:
                    return segment.state
        if entry.kind != BILLED:
            return state
        return replace(state, quantity=entry.quantity, unit_price=Fraction(entry.unit_price))
