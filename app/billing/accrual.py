"""What an item accrues by: its rhythms over time, its unit, and the last unit of its term (conventions 3, 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from app.billing.deal import Change, DealDocument, Item
from app.billing.life import FAR, Life
from app.billing.measure import LastUnit, last_unit, measure
from app.billing.schedule import Rhythm, rhythm_of


def rhythms_of(
    deal: DealDocument, item: Item, life: Life, changes: Sequence[Change], early: frozenset[int]
) -> tuple[Rhythm, ...]:
    """Return how an item is billed over time: as agreed, then by each change of the deal's billing."""
    by_month = _by_month(deal, item, item.end or (None if deal.renewal.auto else life.agreed_end) or FAR, changes)
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


def agreed_last_unit(
    deal: DealDocument, item: Item, rhythms: Sequence[Rhythm], end: date, whole: int | None
) -> LastUnit | None:
    """Return the last unit of a term of whole price intervals (convention 4): of the item's own service.

    An item that joined later and ends with the contract shares the contract's own last unit, also after changes.
    """
    start = rhythms[0].start
    if whole is None and item.end is None and item.start > deal.start:
        start, whole = deal.start, whole_intervals(item, deal.start, end)
    if whole is None or rhythms[-1].start >= end:
        return None
    left = Fraction(whole)
    for n, (rhythm, following) in enumerate(pairwise(rhythms)):
        left -= measure(rhythm.units, rhythm.start if n else start, following.start).units / rhythm.per_price
    final = rhythms[-1]
    return last_unit(final.units, final.start if len(rhythms) > 1 else start, end, left * final.per_price)


def whole_intervals(item: Item, start: date, end: date) -> int | None:
    """Return how many price intervals [start, end) is, or None when it is no whole number of them."""
    if item.kind != "recurring" or end <= start:
        return None
    interval = item.price_interval
    if interval.days:
        n, rest = divmod((end - start).days, interval.days)
        return n if n and not rest else None
    n = ((end.year - start.year) * 12 + end.month - start.month) // interval.months
    return n if n > 0 and interval.add_to(start, n) == end else None
