"""What holds for every deal without changes, whatever its dates, prices, intervals and discounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing import Line, Money, preview, read_document
from app.billing.calendar import Interval
from app.billing.money import decimals_of

from .builders import Json, deal, entries_of, recurring
from .strategies import CURRENCIES, STARTS, bill_to, changed_deals, plain_deals

_few = settings(max_examples=60, deadline=None, derandomize=True, database=None)
_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_NAMES = st.sampled_from(sorted([*deal(), "billing", "issued", "terms", "renewal", "changes"])) | st.text(max_size=5)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)


def units(fraction: str) -> Fraction:
    """Read a line's `fraction`: "1", "9/30", "2 + 9/30"."""
    return sum((Fraction(part) for part in fraction.split(" + ")), Fraction(0))


class TestSumOfPartsIsTheWhole:
    @_few
    @given(price=st.integers(0, 10**7), currency=CURRENCIES, billing=st.sampled_from(["P1M", "P2M", "P3M", "P6M"]))
    def test_instalments_of_a_year_add_up_to_the_price(self, price: int, currency: str, billing: str) -> None:
        item = recurring(unit_price=Money(price, currency).plain(), price_interval="P1Y")
        document = deal(item, currency=currency, term_months=36, billing={"interval": billing})
        answer = preview(document)
        amounts = [line.amount.minor for planned in answer.documents for line in planned.lines]
        per_year = len(amounts) // 3
        assert [sum(amounts[n * per_year : (n + 1) * per_year]) for n in range(3)] == [price] * 3
        assert min(amounts) >= 0

    @_few
    @given(
        price=st.integers(0, 10**7),
        currency=CURRENCIES,
        start=STARTS,
        anchor=st.sampled_from([1, 15, 28, 29, 30, 31, "calendar"]),
        rhythm=st.sampled_from([("P1Y", "P1M"), ("P1Y", "P3M"), ("P1Y", "P6M"), ("P3M", "P1M"), ("P2Y", "P1Y")]),
        timing=st.sampled_from(["advance", "arrears"]),
        stub=st.sampled_from(["own", "with_first", "with_last"]),
    )
    def test_the_two_stubs_of_a_whole_term_are_one_unit(
        self, price: int, currency: str, start: date, anchor: object, rhythm: tuple[str, str], timing: str, stub: str
    ) -> None:
        price_interval, interval = rhythm
        item = recurring(unit_price=Money(price, currency).plain(), price_interval=price_interval)
        billing = {"interval": interval, "anchor": anchor, "timing": timing, "stub": stub}
        answer = preview(deal(item, currency=currency, start=start.isoformat(), term_months=24, billing=billing))
        assert answer.totals is not None
        assert answer.totals.net.minor == price * (24 // Interval.parse(price_interval).months)
        assert all(line.amount.minor >= 0 for planned in answer.documents for line in planned.lines)

    @_few
    @given(
        price=st.integers(0, 10**7),
        currency=CURRENCIES,
        start=STARTS,
        anchor=st.sampled_from([1, 15, 28, 29, 30, 31, "calendar"]),
        interval=st.sampled_from(["P1M", "P3M", "P1Y"]),
    )
    def test_two_stubs_on_lines_of_their_own_round_apart_by_at_most_one_minor_unit(
        self, price: int, currency: str, start: date, anchor: object, interval: str
    ) -> None:
        item = recurring(unit_price=Money(price, currency).plain())
        billing = {"interval": interval, "anchor": anchor}
        answer = preview(deal(item, currency=currency, start=start.isoformat(), term_months=12, billing=billing))
        whole = 12 // Interval.parse(interval).months
        assert answer.totals is not None
        # Both halves of an odd minor unit round up: each line is rounded by itself.
        assert answer.totals.net.minor - price * whole in (0, 1)
        served = sum((units(line.fraction) for planned in answer.documents for line in planned.lines), Fraction(0))
        assert served == whole

    @_few
    @given(plain_deals())
    def test_lines_add_up_to_documents_and_documents_to_totals(self, document: Json) -> None:
        answer = preview(document)
        assert answer.status == "ok"
        assert answer.totals is not None
        for planned in answer.documents:
            assert planned.net.minor == sum(line.amount.minor for line in planned.lines)
            assert planned.sent is any(line.amount.minor for line in planned.lines)
            assert all(line.gross == line.amount + line.discount for line in planned.lines)
            assert all(line.discount.minor >= 0 for line in planned.lines)
        net = sum(planned.net.minor for planned in answer.documents)
        assert answer.totals.net.minor == net == sum(amount.minor for _, amount in answer.totals.by_item)

    @_few
    @given(plain_deals(payers=False))
    def test_each_gross_is_within_half_a_minor_unit_of_its_exact_value_or_the_rest(self, document: Json) -> None:
        read = read_document(document)
        by_month = "from_month" in json.dumps(document)
        items = {item.key: item for item in read.items if item.kind == "recurring" and not item.steps and not by_month}
        for planned in preview(document).documents:
            for line in planned.lines:
                item = items.get(line.item)
                if item is None:
                    continue
                price, interval = item.price_interval, item.billing.interval
                if not price.times(interval) and not interval.times(price):
                    continue
                parts = price.times(interval) or 1
                exact = Fraction(line.quantity) * Fraction(line.unit_price) * units(line.fraction) / parts
                off = abs(line.gross.minor - exact * 10 ** decimals_of(read.currency))
                assert off <= Fraction(parts + 1, 2), line

    @_few
    @given(plain_deals())
    def test_service_days_meet_without_gap_or_overlap(self, document: Json) -> None:
        for payer in {planned.bill_to for planned in preview(document).documents}:
            for item in read_document(document).items:
                found = [line.period for line in lines_of(document, item.key, payer)]
                assert all(before.end == after.start for before, after in pairwise(sorted(found)))
                if item.kind == "recurring" and found:
                    assert min(found).start == item.first_due

    @_few
    @given(plain_deals(payers=False), bill_to())
    def test_splitting_payers_changes_no_total(self, document: Json, payers: list[Json]) -> None:
        assert by_day(document) == by_day({**document, "bill_to": payers})

    @_few
    @given(changed_deals(payers=False), bill_to())
    def test_splitting_payers_changes_no_total_of_an_amendment(self, document: Json, payers: list[Json]) -> None:
        assert by_day(document) == by_day({**document, "bill_to": payers})


def lines_of(document: Json, item: str, payer: str) -> list[Line]:
    return [
        line
        for planned in preview(document).documents
        for line in planned.lines
        if line.item == item and planned.bill_to == payer
    ]


def by_day(document: Json) -> Mapping[tuple[date, str | None, str], int]:
    """Return the sum of each day, change and item over all payers."""
    found: dict[tuple[date, str | None, str], int] = {}
    for planned in preview(document).documents:
        for line in planned.lines:
            key = (planned.dated, planned.change, line.item)
            found[key] = found.get(key, 0) + line.amount.minor
    return {key: amount for key, amount in found.items() if amount}


class TestRunningAgain:
    @_few
    @given(plain_deals())
    def test_with_everything_issued_yields_nothing(self, document: Json) -> None:
        first = preview(document)
        again = preview({**document, "issued": entries_of(first.documents)})
        assert (again.status, again.documents) == ("ok", ())


class TestAnswer:
    @_few
    @given(changed_deals())
    def test_is_plain_json(self, document: Json) -> None:
        body = preview(document).to_json()
        assert json.loads(json.dumps(body)) == body

    @_few
    @given(_JSON)
    def test_of_any_json_is_an_answer_and_never_a_crash(self, anything: object) -> None:
        document = {**deal(), **anything} if isinstance(anything, dict) else anything
        answer = preview(document)
        assert answer.status in ("ok", "needs_clarification", "rejected", "invalid")
        assert (answer.status == "invalid") is bool(answer.errors)
