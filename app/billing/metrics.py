"""Recurring revenue over many deals, month by month, and what one deal is worth (convention 14, decision 0010.23).

What each figure counts, with a worked example, is in docs/metrics.md. Everything is exact until it is shown: each
figure is rounded once, half away from zero, so rounded figures of a row need not add up to the last cent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from app.billing.answer import FieldError
from app.billing.books import Books
from app.billing.calendar import add_months, last_day_of_month
from app.billing.changes import Clash
from app.billing.deal import DealDocument, InvalidDocument
from app.billing.due import ZERO
from app.billing.intake import read_document
from app.billing.money import Money, plain_decimal, round_half_up
from app.billing.movements import Movement, movement
from app.billing.plan import Planner
from app.billing.pricing import TierExceeded
from app.billing.reckoning import Reckoner
from app.billing.recurring import Contract

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
# As the dates of a document.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
_SHOWN_MONTHS_OPEN_ENDED = 12
_PER_YEAR = 12


class Month(NamedTuple):
    """A calendar month."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month of a day."""
        return cls(day.year, day.month)

    @property
    def last_day(self) -> date:
        """The month's last day, of which its figures are."""
        return last_day_of_month(self.year, self.number)

    @property
    def day_before(self) -> date:
        """The last day of the month before."""
        return date(self.year, self.number, 1) - timedelta(days=1)

    def until(self, last: Month) -> Iterator[Month]:
        """Yield this month and those that follow, up to and with `last`."""
        month = self
        while month <= last:
            yield month
            month = Month.of(month.last_day + timedelta(days=1))

    def __str__(self) -> str:
        """Write the month as "2027-01"."""
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class MonthRow:
    """The figures of a month: levels on its last day, movements of the month a year's worth each, rates in percent.

    A rate is a text with at most two decimals ("132.5"), None where the month before had nothing.
    """

    month: str
    mrr: Money
    list_mrr: Money
    committed_mrr: Money
    arr: Money
    carr: Money
    new: Money
    expansion: Money
    discount_end: Money
    contraction: Money
    churn: Money
    reactivation: Money
    renewal: Money
    grr: str | None
    nrr: str | None
    customer_churn: str | None
    revenue_churn: str | None

    def to_json(self) -> dict[str, object]:
        """Return the row; amounts are plain decimal strings of the documents' currency."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value.plain() if isinstance(value, Money) else value for name, value in values}


@dataclass(frozen=True, slots=True)
class MetricsAnswer:
    """A row a month or, when anything asked cannot be read, every fault and no row."""

    months: tuple[MonthRow, ...] = ()
    errors: tuple[FieldError, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return `{"months": [row, ..]}` or `{"status": "invalid", "errors": [{field, value, allowed}, ..]}`."""
        if self.errors:
            return {"status": "invalid", "errors": [error.to_json() for error in self.errors]}
        return {"months": [row.to_json() for row in self.months]}


@dataclass(frozen=True, slots=True)
class ContractValue:
    """What one deal is worth as agreed: `tcv` over its term, `acv` a year; None where it is open ended."""

    tcv: Money | None
    acv: Money | None

    def to_json(self) -> dict[str, object]:
        """Return `{tcv, acv}`, amounts as plain decimal strings or None."""
        return {"tcv": self.tcv.plain() if self.tcv else None, "acv": self.acv.plain() if self.acv else None}


def metrics(
    documents: Sequence[object], first: str | None = None, last: str | None = None, *, as_of: date | None = None
) -> MetricsAnswer:
    """Return the figures of each month from `first` to `last` ("YYYY-MM", both included) over all `documents`.

    `first` is by default the month of the earliest start; `last` that of the latest known end, or twelve months from
    the later of the earliest start and `as_of` where a deal goes on without a known end. `as_of` wins over each
    document's own; without either all that is recorded up to the last month shown is known. Open questions
    of a document don't stop its figures. Never raises for bad input: documents that are invalid, contradict
    themselves or are in another currency than the first are all named at once. No documents make no rows.
    """
    if isinstance(documents, str) or not isinstance(documents, Sequence):
        return MetricsAnswer(errors=(FieldError("documents", documents, "a list of deal documents"),))
    faults: list[FieldError] = []
    begins, ends = _month("from", first, faults), _month("to", last, faults)
    if begins and ends and begins > ends:
        faults.append(FieldError("to", last, "a month on or after `from`"))
    deals = _read(documents, as_of, faults)
    contracts = _contracts(deals, ends, faults)
    if faults or not contracts:
        return MetricsAnswer(errors=tuple(faults))
    if ends is None:
        ends = _last_month(contracts)
        ends = max(ends, begins) if begins else ends
        contracts = _contracts(deals, ends, faults)
        if faults:
            return MetricsAnswer(errors=tuple(faults))
    if begins is None:
        begins = min(ends, min(Month.of(contract.deal.start) for contract in contracts))
    return MetricsAnswer(tuple(_rows(contracts, begins, ends)))


def contract_value(document: Mapping[str, object]) -> ContractValue:
    """Return what a deal is worth as it was agreed: its initial term, before any change, credit or renewal.

    `tcv` is what a fixed term bills in all, without usage and milestones that are not confirmed, net of discounts: the
    sum of its rounded lines. `acv` is the recurring part of it for twelve months, rounded once. Raises InvalidDocument.
    """
    deal = read_document(document)
    if deal.end is None or deal.term_months is None:
        return ContractValue(None, None)
    plain = replace(deal, changes=(), issued=(), renewal=replace(deal.renewal, auto=False))
    dates = [entry.on for item in deal.items for entry in item.billing.dates]
    until = max([deal.end, *dates, *(item.end for item in deal.items if item.end)])
    try:
        reckoner = Reckoner(plain, (), frozenset(), until)
        moves = Planner(reckoner, Books(reckoner), until, until).run()
    except TierExceeded as exceeded:
        raise InvalidDocument((FieldError("items", None, str(exceeded)),)) from exceeded
    recurring = sum(move.amount for move in moves if move.item.kind == "recurring")
    yearly = Fraction(recurring * _PER_YEAR, deal.term_months)
    return ContractValue(
        Money(sum(move.amount for move in moves), deal.currency), Money(round_half_up(yearly), deal.currency)
    )


def _month(name: str, text: str | None, faults: list[FieldError]) -> Month | None:
    if text is None:
        return None
    found = _MONTH.fullmatch(text) if isinstance(text, str) else None
    if found and _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        return Month(int(found[1]), int(found[2]))
    faults.append(FieldError(name, text, "a month YYYY-MM"))
    return None


def _read(documents: Sequence[object], as_of: date | None, faults: list[FieldError]) -> dict[int, DealDocument]:
    """Return the documents that can be read, by their position; all are in the currency of the first of them."""
    found: dict[int, DealDocument] = {}
    for n, document in enumerate(documents):
        if not isinstance(document, Mapping):
            faults.append(FieldError(f"documents[{n}]", document, "an object with the fields of a deal document"))
            continue
        known = document if as_of is None else {**document, "as_of": as_of.isoformat()}
        try:
            found[n] = read_document(known)
        except InvalidDocument as invalid:
            faults += [replace(error, field=f"documents[{n}].{error.field}") for error in invalid.errors]
    first = next(iter(found), 0)
    for n, deal in found.items():
        if deal.currency != (currency := found[first].currency):
            allowed = f"{currency}, as in documents[{first}]: several currencies don't add up to one figure"
            faults.append(FieldError(f"documents[{n}].currency", deal.currency, allowed))
    return found


def _contracts(deals: Mapping[int, DealDocument], last: Month | None, faults: list[FieldError]) -> list[Contract]:
    """Return the deals with what is known of them; while the last month is not known yet, everything is."""
    horizon = last.last_day if last else date.max
    found = []
    for n, deal in deals.items():
        known_by = deal.as_of or horizon
        starts = [item.first_due for item in deal.all_items()]
        until = max([deal.start, *starts, *([horizon] if last else [])])
        try:
            found.append(Contract(deal, known_by, until))
        except Clash as clash:
            faults.append(FieldError(f"documents[{n}].changes", [c.id for c in deal.changes], str(clash)))
        except TierExceeded as exceeded:
            faults.append(FieldError(f"documents[{n}].items", str(exceeded.quantity), str(exceeded)))
    return found


def _last_month(contracts: Sequence[Contract]) -> Month:
    """Return the month of the latest known end, with twelve months for deals that go on."""
    ends = [end for contract in contracts if (end := contract.last_end) is not None]
    if len(ends) < len(contracts):
        known = [contract.deal.as_of for contract in contracts if contract.deal.as_of is not None]
        begin = min(contract.deal.start for contract in contracts)
        ends.append(add_months(max([begin, *known]), _SHOWN_MONTHS_OPEN_ENDED))
    return Month.of(max(ends))


def _rows(contracts: Sequence[Contract], first: Month, last: Month) -> Iterator[MonthRow]:
    """Go through the months from the earliest start, so that it is known who was a customer before `first`."""
    by_customer: dict[str, list[Contract]] = {}
    for contract in contracts:
        by_customer.setdefault(contract.deal.customer, []).append(contract)
    known: set[str] = set()
    starts = [item.start for contract in contracts for item in contract.deal.all_items()]
    for month in min(first, Month.of(min(starts))).until(last):
        before, day = month.day_before, month.last_day
        moved = Movement()
        for customer, held in by_customer.items():
            moved += movement(held, before, day, is_known=customer in known)
            if any(contract.mrr(day) for contract in held):
                known.add(customer)
        if month >= first:
            carr = sum((_committed_to(held, day) for held in by_customer.values()), ZERO)
            yield _row(month, contracts, moved, carr)


def _row(month: Month, contracts: Sequence[Contract], moved: Movement, carr: Fraction) -> MonthRow:
    currency, day = contracts[0].deal.currency, month.last_day

    def money(monthly: Fraction, times: int = 1) -> Money:
        return Money.rounded(monthly * times, currency)

    mrr = sum((contract.mrr(day) for contract in contracts), ZERO)
    lost = moved.contraction + moved.churn
    return MonthRow(
        month=str(month),
        mrr=money(mrr),
        list_mrr=money(sum((contract.list_mrr(day) for contract in contracts), ZERO)),
        committed_mrr=money(sum((contract.committed(day) for contract in contracts), ZERO)),
        arr=money(mrr, _PER_YEAR),
        carr=money(carr, _PER_YEAR),
        new=money(moved.new, _PER_YEAR),
        expansion=money(moved.expansion, _PER_YEAR),
        discount_end=money(moved.discount_end, _PER_YEAR),
        contraction=money(moved.contraction, _PER_YEAR),
        churn=money(moved.churn, _PER_YEAR),
        reactivation=money(moved.reactivation, _PER_YEAR),
        renewal=money(moved.renewal, _PER_YEAR),
        grr=_percent(min(moved.start - lost, moved.start), moved.start),
        nrr=_percent(moved.start + moved.expansion + moved.discount_end - lost, moved.start),
        customer_churn=_percent(Fraction(moved.churned), Fraction(moved.customers)),
        revenue_churn=_percent(moved.churn, moved.start),
    )


def _committed_to(contracts: Sequence[Contract], day: date) -> Fraction:
    """Return a customer's MRR with what is signed but not live yet.

    Of a contract that renews or replaces another one only what it brings on top: the two are never live together.
    """
    standing: dict[str, Fraction] = {}
    found = ZERO
    for contract in sorted(contracts, key=lambda one: one.deal.start):
        live, signed = contract.mrr(day), contract.signed(day)
        found += live
        if not live and contract.deal.relation in ("renewal", "replaces"):
            left = signed
            for old in contract.deal.related:
                taken = min(left, standing.get(old, ZERO))
                left -= taken
                standing[old] = standing.get(old, ZERO) - taken
            found += left
        else:
            found += signed
        if contract.deal.id is not None:
            standing[contract.deal.id] = standing.get(contract.deal.id, ZERO) + live + signed
    return found


def _percent(part: Fraction, whole: Fraction) -> str | None:
    if not whole:
        return None
    return plain_decimal(Decimal(round_half_up(part / whole * 100_00)).scaleb(-2))
