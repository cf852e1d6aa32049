"""What holds for every document of this width, whatever its dates, prices, intervals and order of runs."""

from __future__ import annotations

import json
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing import Money, preview, read_document
from app.billing.calendar import Period, add_months
from app.billing.document import RecurringItem
from app.billing.money import decimals_of
from app.billing.timeline import charges

from .builders import Json, deal, entries_of, entry, recurring

_CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
_STARTS = st.one_of(
    st.dates(date(2026, 1, 1), date(2029, 12, 31)),
    st.sampled_from([date(2027, 1, 31), date(2028, 1, 31), date(2028, 2, 29), date(2027, 12, 31), date(2027, 8, 30)]),
)
# Pairs in which one is a whole number of the other, as this width asks for.
_RHYTHMS = st.sampled_from(
    [(price, billing) for price in (1, 3, 6, 12, 24) for billing in (1, 3, 6, 12, 24)]
    + [(2, 4), (4, 2), (1, 5), (10, 5)]
)
_PRICES = st.decimals(0, 99999, places=3).map(lambda price: format(price, "f"))
_QUANTITIES = st.decimals(0, 500, places=1).map(lambda quantity: format(quantity, "f"))
_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_NAMES = st.sampled_from(sorted([*deal(), "billing", "issued", "terms", "renewal"])) | st.text(max_size=5)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)
_few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@st.composite
def _items(draw: st.DrawFn, key: str, start: date, months: int) -> Json:
    item: Json = {"key": key, "name": key.title(), "unit_price": draw(_PRICES), "quantity": draw(_QUANTITIES)}
    if draw(st.integers(0, 3)) == 0:
        last = add_months(start, months) - start
        day = start + timedelta(days=draw(st.integers(0, last.days - 1)))
        return {**item, "kind": "one_time", "when": draw(st.sampled_from(["start", day.isoformat()]))}
    price, billing = draw(_RHYTHMS)
    return {**item, "kind": "recurring", "price_interval": f"P{price}M", "billing": {"interval": f"P{billing}M"}}


@st.composite
def _deals(draw: st.DrawFn, *, open_ended: bool = True) -> Json:
    start, months = draw(_STARTS), draw(st.integers(1, 30))
    ends = not open_ended or draw(st.integers(0, 4)) > 0
    return deal(
        *[draw(_items(f"item{n}", start, months)) for n in range(draw(st.integers(1, 3)))],
        currency=draw(_CURRENCIES),
        start=start.isoformat(),
        term_months=months if ends else None,
        as_of=draw(_STARTS).isoformat(),
    )


class TestSumOfPartsIsTheWhole:
    @_few
    @given(price=st.integers(0, 10**7), currency=_CURRENCIES, billing=st.sampled_from(["P1M", "P2M", "P3M", "P6M"]))
    def test_instalments_of_a_year_add_up_to_the_price(self, price: int, currency: str, billing: str) -> None:
        item = recurring(unit_price=Money(price, currency).plain(), price_interval="P1Y")
        document = deal(item, currency=currency, term_months=36, billing={"interval": billing})
        answer = preview(document)
        amounts = [line.amount.minor for planned in answer.documents for line in planned.lines]
        per_year = len(amounts) // 3
        assert [sum(amounts[n * per_year : (n + 1) * per_year]) for n in range(3)] == [price] * 3
        assert min(amounts) >= 0

    @_few
    @given(_deals())
    def test_lines_add_up_to_documents_and_documents_to_totals(self, document: Json) -> None:
        answer = preview(document)
        assert answer.status == "ok"
        assert answer.totals is not None
        for planned in answer.documents:
            assert planned.net.minor == sum(line.amount.minor for line in planned.lines)
            assert planned.sent is any(line.amount.minor for line in planned.lines)
            assert all(line.gross == line.amount + line.discount for line in planned.lines)
        net = sum(planned.net.minor for planned in answer.documents)
        assert answer.totals.net.minor == net == sum(amount.minor for _, amount in answer.totals.by_item)

    @_few
    @given(_deals())
    def test_each_line_is_within_half_a_minor_unit_of_its_exact_value_or_the_rest(self, document: Json) -> None:
        read = read_document(document)
        for item in read.items:
            for charge in charges(read, item, date(2031, 1, 1)):
                scale = 10 ** decimals_of(read.currency)
                off = abs(charge.due.minor - charge.accrual.value * scale)
                parts = charge.instalment.of if charge.instalment else 1
                assert off <= Fraction(parts, 2)

    @_few
    @given(_deals(open_ended=False))
    def test_service_days_meet_without_gap_or_overlap(self, document: Json) -> None:
        answer = preview(document)
        read = read_document(document)
        for item in read.items:
            days = [line.period for planned in answer.documents for line in planned.lines if line.item == item.key]
            if isinstance(item, RecurringItem):
                assert days[0].start == read.start
                assert days[-1].end == read.end
                assert all(before.end == after.start for before, after in pairwise(days))
            else:
                assert days == [Period.of_day(item.on)]


class TestRunningAgain:
    @_few
    @given(_deals())
    def test_with_everything_issued_yields_nothing(self, document: Json) -> None:
        first = preview(document)
        again = preview({**document, "issued": entries_of(first.documents)})
        assert (again.status, again.documents) == ("ok", ())

    @_few
    @given(_deals(), st.randoms(use_true_random=False))
    def test_line_by_line_in_any_order_ends_in_the_same_books(self, document: Json, random: Random) -> None:
        proposed = entries_of(preview(document).documents)
        books: list[Json] = []
        while answers := entries_of(preview({**document, "issued": books}).documents):
            books.append(random.choice(answers))
        key = json.dumps
        assert sorted(books, key=key) == sorted(proposed, key=key)

    @_few
    @given(_deals(), st.dates(date(2026, 1, 1), date(2032, 1, 1)))
    def test_on_another_day_changes_no_amount(self, document: Json, as_of: date) -> None:
        until = {"until": "2029-12-31"}
        assert preview({**document, **until}).documents == preview({**document, **until}, as_of=as_of).documents


class TestSettledDays:
    @_few
    @given(
        _deals(open_ended=False),
        st.lists(st.tuples(st.integers(-10, 900), st.integers(1, 90)), max_size=4),
        st.sampled_from(["skipped", "waived", "held", "override"]),
    )
    def test_are_never_issued_and_the_rest_stays_the_rest(
        self, document: Json, stretches: list[tuple[int, int]], kind: str
    ) -> None:
        read = read_document(document)
        issued, at = [], read.start
        for gap, length in stretches:
            first = max(at, read.start + timedelta(days=gap))
            at = first + timedelta(days=length)
            issued.append(entry("item0", first.isoformat(), at.isoformat(), kind=kind))
        answer = preview({**document, "issued": issued})
        assert answer.status == "ok"
        settled = read_document({**document, "issued": issued}).issued
        left = [line.period for planned in answer.documents for line in planned.lines if line.item == "item0"]
        assert not any(taken.period.overlap(days) for taken in settled for days in left)
        whole = [
            line.period for planned in preview(document).documents for line in planned.lines if line.item == "item0"
        ]
        days_settled = sum(p.days for days in whole for p in days.without(days.without([s.period for s in settled])))
        assert sum(days.days for days in left) == sum(days.days for days in whole) - days_settled


class TestAnswer:
    @_few
    @given(_deals())
    def test_is_plain_json(self, document: Json) -> None:
        body = preview(document).to_json()
        assert json.loads(json.dumps(body)) == body

    @_few
    @given(_JSON)
    def test_of_any_json_is_an_answer_and_never_a_crash(self, anything: object) -> None:
        document = {**deal(), **anything} if isinstance(anything, dict) else anything
        answer = preview(document)
        assert answer.status in ("ok", "needs_clarification", "invalid")
        assert (answer.status == "invalid") is bool(answer.errors)
