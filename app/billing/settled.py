"""Due minus settled: which days of which charge are still to issue, and where the books disagree with the deal.

Settled days are compared by overlap, never by equal periods. Whatever the entry's kind (billed, skipped, waived, held,
override), the days it covers are not issued again. First width: a billed amount that differs from what is due for its
days becomes a question, since corrections and credit notes are not drafted yet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from app.billing.answer import Question
from app.billing.calendar import Period, merged
from app.billing.document import DealDocument, Item, OneTimeItem, Settled
from app.billing.money import Money, total
from app.billing.pricing import Accrual, accrue
from app.billing.timeline import Charge

Charges = dict[str, list[Charge]]


@dataclass(frozen=True, slots=True)
class OpenPart:
    """Days of a charge that are still to issue, with their amount. `is_whole` when nothing of the charge is settled."""

    charge: Charge
    period: Period
    accrual: Accrual
    amount: Money
    is_whole: bool


def value_of(deal: DealDocument, item: Item, days: Period) -> Accrual:
    """Return what `item` is worth over `days`: by units for a recurring item, on its day for a one-time one."""
    if not isinstance(item, OneTimeItem):
        return accrue(deal, item, days)
    return Accrual(item.price, 1) if days.contains(item.on) else Accrual(Fraction(0), 0)


def open_parts(deal: DealDocument, due: Charges, last_day: date) -> list[OpenPart]:
    """Return everything still to issue on documents dated up to `last_day`, in the deal's item order.

    A charge of which some days are settled gives one part for each run of days left; the last of them takes the rest,
    so that settled and open days together are worth what the whole charge is.
    """
    parts: list[OpenPart] = []
    for item in deal.items:
        taken = merged(entry.period for entry in deal.issued if entry.item == item.key)
        for charge in due[item.key]:
            if charge.period.start <= last_day:
                parts.extend(_open_parts_of(deal, charge, _near(taken, charge.period)))
    return parts


def _near(taken: list[Period], period: Period) -> list[Period]:
    """Return those of the disjoint, sorted periods that overlap `period`, without walking all of them."""
    first = bisect_right(taken, period.start, key=lambda settled: settled.end)
    return taken[first : bisect_left(taken, period.end, key=lambda settled: settled.start)]


def _open_parts_of(deal: DealDocument, charge: Charge, taken: list[Period]) -> list[OpenPart]:
    gaps = charge.period.without(taken)
    if gaps == [charge.period]:
        return [OpenPart(charge, charge.period, charge.accrual, charge.due, is_whole=True)]
    if not gaps:
        return []
    rest = charge.due
    for settled in charge.period.without(gaps):
        rest = rest - Money.rounded(value_of(deal, charge.item, settled).value, deal.currency)
    parts = []
    for gap in gaps:
        accrual = value_of(deal, charge.item, gap)
        rounded = Money.rounded(accrual.value, deal.currency)
        # Rounded parts of an amount of very few minor units may exceed it: then nothing is left, never less.
        left = rest if rest.minor > 0 else Money.zero(deal.currency)
        amount = left if gap is gaps[-1] or rounded.minor > left.minor else rounded
        rest = rest - amount
        parts.append(OpenPart(charge, gap, accrual, amount, is_whole=False))
    return parts


def disagreements(deal: DealDocument, due: Charges) -> list[Question]:
    """Return a question for each billed entry that is not what the deal says is due for its days.

    Two entries for the same days of an item are a question as well: one of them would otherwise be lost in silence.
    """
    items = {item.key: item for item in deal.items}
    settled: defaultdict[str, list[Period]] = defaultdict(list)
    questions: list[Question] = []
    for n, entry in sorted(enumerate(deal.issued), key=lambda numbered: numbered[1].period):
        item = items.get(entry.item)
        name = item.name if item else entry.item
        before = settled[entry.item]
        overlap = entry.period.overlap(before[-1]) if before else None
        before[:] = merged([*before[-1:], entry.period])
        if entry.change is not None:
            text = f"{name}, {entry.period}, was settled for the change {entry.change}; changes are not billed yet."
            questions.append(Question(text, f"issued[{n}].change"))
        elif overlap:
            text = f"{name}, {overlap}, is settled twice. Which of the two entries holds?"
            questions.append(Question(text, f"issued[{n}]"))
        elif entry.kind == "billed" and entry.item not in deal.other_items:
            rightly = _due_for(deal, item, due[item.key], entry.period) if item else [Money.zero(deal.currency)]
            if entry.net not in rightly:
                questions.append(_difference(name, entry, rightly[0], f"issued[{n}]"))
    return questions


def _difference(name: str, entry: Settled, due: Money, field: str) -> Question:
    text = (
        f"{name} was billed {entry.net} for {entry.period}, but the deal now says {due}. "
        "Corrections are not drafted yet: set the deal back, or settle the difference by hand."
    )
    return Question(text, field)


def _due_for(deal: DealDocument, item: Item, charges: list[Charge], days: Period) -> list[Money]:
    """Return what may rightly have been billed for `days`.

    Usually one amount. Days that are exactly some charges of the deal may also carry those charges' own rounding (the
    last instalment of a price is the rest).
    """
    exact = Money.rounded(value_of(deal, item, days).value, deal.currency)
    first = bisect_left(charges, days.start, key=lambda charge: charge.period.start)
    inside = charges[first : bisect_left(charges, days.end, key=lambda charge: charge.period.start)]
    if not inside or inside[0].period.start != days.start or inside[-1].period.end != days.end:
        return [exact]
    return [total((charge.due for charge in inside), deal.currency), exact]
