"""Usage on documents: what is complete and not settled yet, and corrections of what was (conventions 8, 11 and 12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from app.billing.answer import Question
from app.billing.calendar import Interval, Period
from app.billing.course import Course
from app.billing.deal import Discount, Item, Settled
from app.billing.discounts import ZERO, discounted
from app.billing.due import applies_to, end_of
from app.billing.measure import NOTHING, Measure, measure
from app.billing.plan import Move
from app.billing.reckoning import Reckoner
from app.billing.schedule import size
from app.billing.usage import Rate, UsageCharge, usage_charges


@dataclass(frozen=True, slots=True)
class Metered:
    """Lines of usage, questions about readings, and notes on what waits for them."""

    moves: tuple[Move, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]


def usage_moves(reckoner: Reckoner, as_of: date, until: date) -> Metered:
    """Return every usage line dated up to `until` that is not settled yet."""
    moves: list[Move] = []
    questions: list[Question] = []
    notes: list[str] = []
    for item in reckoner.items:
        if item.kind == "usage":
            metered = _Meter(reckoner, item, as_of, until)
            questions.extend(metered.run())
            moves.extend(metered.moves)
            notes.extend(metered.notes)
    return Metered(tuple(moves), tuple(questions), tuple(notes))


class _Meter:
    """One usage item: its charges beside what was settled, period by period."""

    def __init__(self, reckoner: Reckoner, item: Item, as_of: date, until: date) -> None:
        course = reckoner.final.course(item.key)
        assert course is not None
        self.reckoner, self.item, self.course, self.as_of, self.until = reckoner, item, course, as_of, until
        self.moves: list[Move] = []
        self.notes: list[str] = []

    def run(self) -> Sequence[Question]:
        """Find the item's lines; return what a person has to answer."""
        deal = self.reckoner.deal
        life = self.reckoner.final.life
        outcome = usage_charges(
            self.item, self._periods(), deal.usage, deal.currency, deal.start,
            life.term_end(0) if life.is_fixed else None, self._share, service_end=_cancelled(self.course),
            rate_on=self._rate,
        )  # fmt: skip
        pools: dict[Period, list[UsageCharge]] = {}
        for charge in outcome.charges:
            pools.setdefault(charge.period, []).append(charge)
        entries = self._by_pool(list(pools))
        for days, charges in pools.items():
            self._pool(days, charges, entries[days])
        return outcome.questions

    def _periods(self) -> list[Period]:
        found = []
        for period in self.reckoner.periods(self.item):
            served = self.course.served(period.start, end_of(self.course, period))
            if served:
                found.append(Period(served[0].start, served[-1].end))
        return found

    def _share(self, days: Period, interval: Interval) -> Fraction:
        grid = self.item.billing.grid(interval, self.reckoner.deal.start)
        return measure(grid, days.start, days.end).units

    def _rate(self, day: date) -> Rate:
        state = self.course.state_at(day)
        return Rate(state.unit_price, state.uplift)

    def _by_pool(self, pools: Sequence[Period]) -> dict[Period, list[Settled]]:
        """Give each settled entry to the charges of its own days, else to the first ones it shares a day with."""
        found: dict[Period, list[Settled]] = {days: [] for days in pools}
        for entry in self.reckoner.deal.issued:
            if entry.item != self.item.key:
                continue
            longest = sorted(pools, key=lambda days: (days != entry.period, -days.days))
            days = next((days for days in longest if days.overlap(entry.period)), None)
            if days is not None:
                found[days].append(entry)
        return found

    def _pool(self, days: Period, charges: Sequence[UsageCharge], entries: Sequence[Settled]) -> None:
        dated = days.start if charges[0].kind == "prepaid" else days.end
        if dated > self.until:
            return
        complete = [charge for charge in charges if charge.complete]
        if len(complete) < len(charges) and dated <= self.as_of:
            self.notes.append(f"{self.item.name}, {days}, waits until its usage is complete.")
        for payer in range(max(len(self.reckoner.deal.payers), 1)):
            mine = [entry for entry in entries if self._payer_of(entry) == payer]
            self._of_payer(complete, mine, payer, dated)

    def _payer_of(self, entry: Settled) -> int:
        names = [payer.name for payer in self.reckoner.deal.payers]
        if len(names) < 2:
            return 0
        return names.index(entry.bill_to) if entry.bill_to in names else len(names) - 1

    def _of_payer(self, charges: Sequence[UsageCharge], entries: Sequence[Settled], payer: int, dated: date) -> None:
        parts = {id(charge): self._part(charge, payer) for charge in charges}
        due = sum(part[1] for part in parts.values())
        if entries and (any(e.kind != "billed" for e in entries) or sum(e.net.minor for e in entries) == due):
            return
        left = list(entries)
        for charge in sorted(charges, key=lambda charge: charge.kind == "usage"):
            gross, part = parts[id(charge)]
            if not entries:
                continue
            own = left if charge.kind == "usage" else [e for e in left if _names(e, charge)]
            left = [entry for entry in left if entry not in own]
            if own:
                self._correct(charge, part, own, payer)
            else:
                self._charge(charge, gross, part, payer, dated)
        if not entries:
            for charge in charges:
                self._charge(charge, *parts[id(charge)], payer, dated)

    def _part(self, charge: UsageCharge, payer: int) -> tuple[int, int]:
        """Return a payer's part of a charge before and after discounts, in minor units."""
        reckoner = self.reckoner
        net = charge.exact
        if charge.kind == "usage":
            rates = [(d, self._off(d, charge)) for d in self._discounts(charge) if d.covers(charge.period.start)]
            net = discounted(charge.exact, rates)
        before = reckoner.split(reckoner.rounded(charge.exact), charge.exact)[payer]
        return before, reckoner.split(reckoner.rounded(net), net)[payer]

    def _discounts(self, charge: UsageCharge) -> list[Discount]:
        """Return the item's own discounts, then the deal's that name it (an unscoped one is not for usage)."""
        own = self.course.state_at(charge.period.start).discounts
        return [*own, *(d for d in self.reckoner.deal.discounts if applies_to(d, self.item))]

    def _off(self, discount: Discount, charge: UsageCharge) -> Fraction:
        amount = discount.amount or ZERO
        if discount.per == "unit":
            return amount * Fraction(charge.quantity)
        if discount.per == "month":
            return amount * size(self.item.billing.interval)
        is_first = charge.period.start == self.course.start or discount.start == charge.period.start
        return amount if discount.per != "once" or is_first else ZERO

    def _charge(self, charge: UsageCharge, gross: int, part: int, payer: int, dated: date) -> None:
        self.moves.append(
            Move(
                self.item, dated, payer, charge.period.start, charge.period.end, (charge.quantity, charge.unit_price),
                part, gross, Measure(1), None, exact=charge.exact, words=charge.words,
            )
        )  # fmt: skip

    def _correct(self, charge: UsageCharge, part: int, entries: Sequence[Settled], payer: int) -> None:
        """Correct what was settled of a charge; never more back than was charged."""
        net = sum(entry.net.minor for entry in entries)
        amount = max(part - net, -max(net, 0))
        if not amount:
            return
        self.moves.append(
            Move(
                self.item, self.as_of, payer, charge.period.start, charge.period.end,
                (charge.quantity, charge.unit_price), amount, amount, NOTHING, None,
                corrects=entries[0].document or str(entries[0].period), charged=net, due=part, is_correction=True,
            )
        )  # fmt: skip


def _cancelled(course: Course) -> date | None:
    """Return where service ends before it was agreed to."""
    if course.end is None or course.end == course.agreed_end:
        return None
    return course.end


def _names(entry: Settled, charge: UsageCharge) -> bool:
    return entry.quantity == charge.quantity and entry.unit_price == charge.unit_price
