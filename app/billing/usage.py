"""What a usage item costs in each of its billing periods, from the readings of its meter (decision 0010.22).

A period's quantity is the aggregate of the readings that start in it. Included units come off first, then prepaid ones;
the price model (its free units, its minimum and maximum) is applied to the rest, period by period; the cap comes last.
A commitment that was not reached adds a shortfall. Nothing is due before the meter is declared complete through the
period's end; such charges are returned as they look so far, marked as not complete.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from app.billing.answer import Question
from app.billing.calendar import Period, people_date
from app.billing.deal import Item, UsageReading, UsageTerms
from app.billing.money import Money, decimals_of, people_decimal
from app.billing.pricing import Priced, TierExceeded, decimal_of, price_of, unit_price_of
from app.billing.usage_terms import Cap, Course, GridShare, Included, PrepaidUnits, Spent, Windows, shortfalls

_NONE = Fraction(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """What is agreed on a day: the price of one unit without a model, and what a model's amount is multiplied by."""

    unit_price: Fraction
    uplift: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class UsageCharge:
    """One charge of a usage item for one billing period, before discounts; `exact` is in major units.

    `usage`: one for every period, of nothing too. `quantity` is the aggregate as read, before anything was taken off;
    `unit_price` the price of one unit when quantity x price is the amount, else the average at 12 places (with no
    units, the whole amount). `shortfall`: of the commitment that ends with this period. `prepaid`: what was bought,
    on the first day. Both have quantity 1. `complete` False: not due yet, the amount is what is known so far.
    """

    item: Item
    period: Period
    kind: Literal["usage", "shortfall", "prepaid"]
    quantity: Decimal
    unit_price: Decimal
    exact: Fraction
    words: str
    complete: bool


@dataclass(frozen=True, slots=True)
class UsageOutcome:
    """The charges in the order of their days, and what a person has to say before they are right."""

    charges: tuple[UsageCharge, ...]
    questions: tuple[Question, ...] = ()


def usage_charges(
    item: Item,
    periods: Sequence[Period],
    readings: Sequence[UsageReading],
    currency: str,
    start: date,
    term_end: date | None,
    grid_share: GridShare,
    *,
    service_end: date | None = None,
    rate_on: Callable[[date], Rate] | None = None,
) -> UsageOutcome:
    """Return what the billing `periods` of a usage item cost, all of them from its first day on, in order.

    `start`: the deal's start, from which `per` intervals count. `term_end`: the first day after the term (an item's own
    end comes before it). `service_end`: where the service ends for good before that, for a cancellation: commitments
    in progress are settled there, in proportion. `grid_share`: how many intervals a period is worth, exactly a whole
    number where it is one. `rate_on`: the price in force on a period's first day, when steps or changes move it.
    A period that the last, closed tier is too small for has no charge but a question. Days of a trial cost nothing.
    """
    assert item.usage is not None
    served = [Period(max(one.start, item.first_due), one.end) for one in periods if one.end > item.first_due]
    mine = [reading for reading in readings if reading.meter == item.usage.meter]
    ends = frozenset() if service_end is None else frozenset({service_end})
    course = Course(start, item.first_due, item.end or term_end, ends, item.billing, grid_share)
    if not served:
        return UsageOutcome(())
    run = _Run(item, item.usage, currency, course, rate_on or _agreed(item))
    run.go(served, mine)
    return UsageOutcome(tuple(run.charges), (*_crossings(item, served, mine), *run.questions))


def _agreed(item: Item) -> Callable[[date], Rate]:
    rate = Rate(Fraction(item.unit_price))
    return lambda day: rate


@dataclass(slots=True)
class _Run:
    """Goes through the periods of one item once, in order."""

    item: Item
    terms: UsageTerms
    currency: str
    course: Course
    rate_on: Callable[[date], Rate]
    charges: list[UsageCharge] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def go(self, periods: Sequence[Period], readings: Sequence[UsageReading]) -> None:
        terms, course = self.terms, self.course
        included = Included(Windows.of(terms.included, course)) if terms.included else None
        prepaid = PrepaidUnits.of(terms.prepaid, course.first) if terms.prepaid else None
        cap = Cap(Windows.of(terms.cap, course)) if terms.cap else None
        known_to = max((one.period.end for one in readings if one.complete), default=date.min)
        spent = []
        for period, inside in zip(periods, _by_period(periods, readings), strict=True):
            charge = self._usage(period, inside, period.end <= known_to, included, prepaid, cap)
            amount = Money.rounded(charge.exact, self.currency).exact() if charge else None
            spent.append(Spent(period, amount, period.end <= known_to))
            self.charges += [charge] if charge else []
        if terms.prepaid:
            self.charges.append(self._prepaid())
        for short in shortfalls(terms.commit, course, spent, self.currency) if terms.commit else ():
            self.charges.append(self._once(short.period, "shortfall", short.exact, short.words, short.complete))
        # The sort is stable: prepaid units come first on their day, a shortfall after the usage it belongs to.
        self.charges.sort(key=lambda one: (one.period.start, one.kind != "prepaid"))

    def _usage(
        self, period: Period, readings: Sequence[UsageReading], complete: bool,
        included: Included | None, prepaid: PrepaidUnits | None, cap: Cap | None,
    ) -> UsageCharge | None:  # fmt: skip
        """Charge one period; None when its price is a question."""
        total = _aggregate(self.terms.aggregate, readings)
        words, left = [self._read(total)], total
        if included:
            taken, left_over = included.use(period, left)
            left -= taken
            before = f" ({_people(left_over)} of it left over from before)" if left_over else ""
            words += [f"less {_people(taken)} included{before}"] if taken else []
        if prepaid and (taken := prepaid.use(period, left)):
            left -= taken
            words.append(f"less {_people(taken)} prepaid")
        try:
            priced = self._priced(period, left)
        except TierExceeded as exceeded:
            self.questions.append(self._exceeded(period, exceeded, readings))
            return None
        exact, capped = priced.amount, ""
        if cap:
            exact, capped = self._capped(cap, period, exact)
        unit_price = self._unit_price(period, total, exact)
        text = f"{', '.join(words)}: {priced.words}{capped}"
        return UsageCharge(self.item, period, "usage", decimal_of(total), unit_price, exact, text, complete)

    def _priced(self, period: Period, quantity: Fraction) -> Priced:
        rate = self.rate_on(period.start)
        if self.item.price is None:
            price = people_decimal(decimal_of(rate.unit_price), decimals_of(self.currency))
            return Priced(quantity * rate.unit_price, f"{_people(quantity)} x {price}")
        priced = price_of(self.item.price, decimal_of(quantity), self.currency)
        if rate.uplift == 1:
            return priced
        return Priced(priced.amount * rate.uplift, f"({priced.words}) x {_people(rate.uplift)}")

    def _capped(self, cap: Cap, period: Period, exact: Fraction) -> tuple[Fraction, str]:
        room = cap.room(period)
        charged = min(exact, room)
        cap.charge(period, Money.rounded(charged, self.currency).exact())
        if charged == exact:
            return exact, ""
        most = f"the cap of {self._money(cap.windows.allowance.amount)} {cap.windows.words()}"
        return charged, f"; {most} leaves {self._money(room)}"

    def _unit_price(self, period: Period, total: Fraction, exact: Fraction) -> Decimal:
        rate = self.rate_on(period.start)
        each = unit_price_of(self.item.price) if self.item.price else None
        price = Fraction(each) * rate.uplift if each is not None else rate.unit_price
        if (each is not None or self.item.price is None) and total * price == exact:
            return decimal_of(price)
        return decimal_of(exact / total) if total else decimal_of(exact)

    def _prepaid(self) -> UsageCharge:
        assert self.terms.prepaid is not None
        units, months = self.terms.prepaid, self.terms.prepaid.expires_months
        words = f"{people_decimal(units.quantity)} {self.terms.meter} prepaid"
        if months is not None:
            words += f", to be used within {months} month{'' if months == 1 else 's'}"
        return self._once(Period.of_day(self.course.first), "prepaid", units.amount, words, True)

    def _once(
        self, period: Period, kind: Literal["shortfall", "prepaid"], exact: Fraction, words: str, complete: bool
    ) -> UsageCharge:
        return UsageCharge(self.item, period, kind, Decimal(1), decimal_of(exact), exact, words, complete)

    def _read(self, total: Fraction) -> str:
        kinds = {"sum": "", "max": ", the highest reading", "last": ", the last reading"}
        return f"{_people(total)} {self.terms.meter}{kinds[self.terms.aggregate]}"

    def _money(self, amount: Fraction) -> str:
        return Money.rounded(amount, self.currency).amount()

    def _exceeded(self, period: Period, exceeded: TierExceeded, readings: Sequence[UsageReading]) -> Question:
        above = people_decimal(exceeded.up_to)
        text = f"{self.item.name}, {period}: {exceeded}. What does usage above {above} cost?"
        return Question(text, readings[-1].field)


def _people(value: Fraction) -> str:
    return people_decimal(decimal_of(value))


def _aggregate(how: str, readings: Sequence[UsageReading]) -> Fraction:
    """Return the period's quantity; nothing was used where nothing was read."""
    quantities = [Fraction(reading.quantity) for reading in readings]
    if how == "sum" or not readings:
        return sum(quantities, _NONE)
    if how == "max":
        return max(quantities)
    # The reading that ends last, and of several the one written last.
    last = max(range(len(readings)), key=lambda n: (readings[n].period.end, n))
    return quantities[last]


def _by_period(periods: Sequence[Period], readings: Sequence[UsageReading]) -> list[list[UsageReading]]:
    """Return the readings that start in each period; others belong to no period."""
    starts = [period.start for period in periods]
    found: list[list[UsageReading]] = [[] for _ in periods]
    for reading in readings:
        n = bisect_right(starts, reading.period.start) - 1
        if n >= 0 and periods[n].contains(reading.period.start):
            found[n].append(reading)
    return found


def _crossings(item: Item, periods: Sequence[Period], readings: Sequence[UsageReading]) -> list[Question]:
    """Ask about each reading that goes over a boundary: how much of it belongs to which period is not known."""
    boundaries = sorted({day for period in periods for day in (period.start, period.end)})
    found = []
    for reading in readings:
        n = bisect_right(boundaries, reading.period.start)
        if reading.quantity and n < len(boundaries) and boundaries[n] < reading.period.end:
            day = people_date(boundaries[n])
            text = (
                f"{item.name}: {people_decimal(reading.quantity)} {reading.meter} were read for {reading.period}, "
                f"but a billing period begins or ends on {day}. How much was used before {day}?"
            )
            found.append(Question(text, reading.field))
    return found
