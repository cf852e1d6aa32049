"""How the recurring revenue of one customer moved between two month ends (convention 14, decision 0010.23).

All amounts are exact and a month's worth; the report multiplies by twelve. For each customer
end = start + new + reactivation + expansion + discount_end - contraction - churn holds exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction

from app.billing.due import ZERO
from app.billing.recurring import Contract


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved; contraction and churn are positive. `customers` had something at the start, `churned` lost it all.

    `renewal` is no movement: it says how much of what stayed was renewed.
    """

    start: Fraction = ZERO
    new: Fraction = ZERO
    reactivation: Fraction = ZERO
    expansion: Fraction = ZERO
    discount_end: Fraction = ZERO
    contraction: Fraction = ZERO
    churn: Fraction = ZERO
    renewal: Fraction = ZERO
    customers: int = 0
    churned: int = 0

    def __add__(self, other: Movement) -> Movement:
        return Movement(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(slots=True)
class _Renewal:
    """Contracts whose term ended, and those that carry them on; an automatic renewal carries itself on."""

    old: list[Contract]
    new: list[Contract]

    @property
    def contracts(self) -> list[Contract]:
        return self.old + [contract for contract in self.new if contract not in self.old]


def movement(contracts: Sequence[Contract], before: date, day: date, *, is_known: bool) -> Movement:
    """Return how the MRR of one customer, who holds `contracts`, moved from `before` to `day`, two month ends.

    `is_known`: the customer had some at an earlier month end.
    """
    start, end = _mrr(contracts, before), _mrr(contracts, day)
    if not start:
        return Movement(reactivation=end) if is_known else Movement(new=end)
    if not end:
        return Movement(start=start, churn=start, customers=1, churned=1)
    renewals = _renewals(contracts, before, day)
    renewing = [contract for renewal in renewals for contract in renewal.contracts]
    discount_end = sum((_renewal_discount_end(renewal, before, day) for renewal in renewals), ZERO)
    for contract in contracts:
        if contract not in renewing:
            discount_end += _discount_end(contract, before, day)
    rest = end - start - discount_end
    return Movement(
        start=start,
        expansion=max(rest, ZERO),
        discount_end=discount_end,
        contraction=max(-rest, ZERO),
        renewal=sum((_renewed(renewal, before, day) for renewal in renewals), ZERO),
        customers=1,
    )


def _mrr(contracts: Sequence[Contract], day: date) -> Fraction:
    return sum((contract.mrr(day) for contract in contracts), ZERO)


def _renewals(contracts: Sequence[Contract], before: date, day: date) -> list[_Renewal]:
    """Return the renewals of the month; contracts that share a successor are one."""
    found: list[_Renewal] = []
    for old in contracts:
        if not old.mrr(before):
            continue
        if _renews_itself(old, before, day):
            found.append(_Renewal([old], [old]))
        elif old.end is not None and before < old.end <= day:
            # A contract that began earlier and renews itself in this very month is its own renewal already.
            carried = [
                one for one in contracts if _carries(one, old) and one.mrr(day) and not _renews_itself(one, before, day)
            ]
            if carried:
                found = _joined(found, _Renewal([old], carried))
    return found


def _renews_itself(contract: Contract, before: date, day: date) -> bool:
    return contract.renews_between(before, day) and contract.mrr(before) > 0 and contract.mrr(day) > 0


def _carries(contract: Contract, old: Contract) -> bool:
    """Say whether a contract renews an old one. One that `replaces` it inside its term is no renewal."""
    if contract is old or old.deal.id is None or old.deal.id not in contract.deal.related:
        return False
    relation = contract.deal.relation
    return relation == "renewal" or (relation == "replaces" and old.ends_with_term)


def _joined(found: Sequence[_Renewal], added: _Renewal) -> list[_Renewal]:
    apart = [each for each in found if not any(one in each.new for one in added.new)]
    for each in found:
        if each not in apart:
            new = each.new + [one for one in added.new if one not in each.new]
            added = _Renewal(each.old + added.old, new)
    return [*apart, added]


def _renewed(renewal: _Renewal, before: date, day: date) -> Fraction:
    """Return min(old, new): what ran out, or all of it for a contract that renews by itself, against what goes on."""
    if renewal.old == renewal.new:
        return min(_mrr(renewal.old, before), _mrr(renewal.new, day))
    # An item that outlives its contract's term did not run out.
    ended = sum((max(old.mrr(before) - old.mrr(day), ZERO) for old in renewal.old), ZERO)
    return min(ended, _mrr(renewal.new, day))


def _discount_end(contract: Contract, before: date, day: date) -> Fraction:
    """Return what a contract gained because discounts ended: of each item at most what it grew."""
    if contract.worths(before) == contract.worths(day):
        return ZERO
    now = {worth.key: worth.net for worth in contract.worths(day)}
    relieved = contract.relieved(before, day)
    found = ZERO
    for worth in contract.worths(before):
        grown = now.get(worth.key, ZERO) - worth.net
        found += max(min(relieved[worth.key] - worth.net, grown), ZERO)
    return found


def _renewal_discount_end(renewal: _Renewal, before: date, day: date) -> Fraction:
    """Return what a renewed contract gained because discounts ended: at most its uplift.

    Items of another document cannot be told by their keys, so the discounts that the new document gives are looked at
    as a whole: as the part of its list price that they leave.
    """
    uplift = _mrr(renewal.contracts, day) - _mrr(renewal.contracts, before)
    start = _mrr(renewal.old, before)
    ended = sum((sum(old.relieved(before, day).values(), ZERO) for old in renewal.old), ZERO) - start
    if renewal.old != renewal.new:
        listed = sum((old.list_mrr(before) for old in renewal.old), ZERO)
        new_list = sum((new.list_mrr(day) for new in renewal.new), ZERO)
        ended = min(ended, listed * _mrr(renewal.new, day) / new_list - start)
    return max(min(ended, uplift), ZERO)
