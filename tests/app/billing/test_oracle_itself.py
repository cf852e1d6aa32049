"""The day-by-day biller against tables worked out by hand: what it says is taken from the page, not from the engine."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.oracle.amounts import all_dues
from tests.oracle.biller import Biller, oracle, spread, total
from tests.oracle.dates import Grid, Interval, add_months, grid_for
from tests.oracle.documents import document_of, features_of
from tests.oracle.prices import rounded
from tests.oracle.reading import read_deal

Body = dict[str, Any]
WORKED: Body = {
    "customer": "Acme Inc",
    "currency": "USD",
    "start": "2027-01-01",
    "items": [
        {
            "key": "platform",
            "name": "Platform",
            "kind": "recurring",
            "quantity": "10",
            "unit_price": "100.00",
            "price_interval": "P1M",
        },
        {"key": "setup", "name": "Set-up", "kind": "one_time", "unit_price": "2500.00"},
    ],
    "discounts": [{"percent": "20", "to_month": 2}, {"percent": "10", "from_month": 3, "to_month": 5}],
    "as_of": "2026-11-21",
}


def plain(item: Body | None = None, **deal: Any) -> Body:
    """Return a deal of one item of 100.00 a month."""
    base = {
        "key": "seat",
        "name": "Seat",
        "kind": "recurring",
        "quantity": "1",
        "unit_price": "100.00",
        "price_interval": "P1M",
    }
    body: Body = {"customer": "Acme Inc", "currency": "USD", "start": "2027-01-01", "as_of": "2027-01-01"}
    return {**body, "items": [{**base, **(item or {})}], **deal}


def nets(body: Body) -> list[tuple[str, str]]:
    """Return (date, net) of each document that isn't zero, nets without trailing zeros."""
    answer = oracle(body)
    assert answer.status == "ok", answer.reason
    found = [(one.date.isoformat(), Decimal(one.net.numerator) / one.net.denominator) for one in answer.documents]
    return [(day, f"{net:.3f}".rstrip("0").rstrip(".")) for day, net in found if net]


class TestWorkedExample:
    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            ("P1M", ["3300", "800", "900", "900", "900", *["1000"] * 7]),
            ("P3M", ["5000", "2800", "3000", "3000"]),
            ("P1Y", ["13800"]),
        ],
    )
    def test_bills_as_the_page_says(self, interval: str, expected: list[str]) -> None:
        body = deepcopy(WORKED)
        body["billing"] = {"interval": interval}
        assert [net for _, net in nets(body)] == expected


class TestBoundaries:
    @pytest.mark.parametrize(
        ("start", "months", "expected"),
        [
            ("2027-01-31", 1, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
            ("2028-01-30", 1, ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"]),
            ("2028-02-29", 12, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28"]),
        ],
    )
    def test_are_counted_from_the_anchor(self, start: str, months: int, expected: list[str]) -> None:
        grid = grid_for("deal_date", Interval(months=months), date.fromisoformat(start))
        assert [grid.boundary(n).isoformat() for n in range(4)] == expected

    def test_of_an_annual_29_february_come_back_in_leap_years(self) -> None:
        assert Grid(2028, 2, 29, Interval(months=12)).boundary(4) == date(2032, 2, 29)

    def test_of_a_day_that_the_month_lacks_come_back(self) -> None:
        grid = grid_for(31, Interval(months=1), date(2027, 2, 10))
        assert [grid.boundary(n) for n in (-1, 0, 1)] == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]

    def test_of_calendar_weeks_are_mondays(self) -> None:
        grid = grid_for("calendar", Interval(days=7), date(2027, 1, 1))
        assert grid.boundary(grid.cell_of(date(2027, 1, 1))) == date(2026, 12, 28)

    def test_clamp_after_adding_months(self) -> None:
        assert add_months(date(2027, 10, 31), 4) == date(2028, 2, 29)


class TestStubs:
    def test_leading_one_is_measured_by_the_unit_that_ends_at_the_anchor(self) -> None:
        # 1-10 July with anchor 10 is 9 of the 30 days 10 June - 10 July; the tail is the rest of the 12 months.
        found = nets(plain(start="2027-07-01", billing={"anchor": 10}))
        assert found[0] == ("2027-07-01", "30")
        assert found[-1] == ("2028-06-10", "70")
        assert sum(Fraction(net) for _, net in found) == 1200

    def test_merges_into_the_first_period(self) -> None:
        assert nets(plain(start="2027-07-01", billing={"anchor": 10, "stub": "with_first"}))[:2] == [
            ("2027-07-01", "130"),
            ("2027-08-10", "100"),
        ]

    def test_merges_into_the_last_period(self) -> None:
        assert nets(plain(start="2027-07-01", billing={"anchor": 10, "stub": "with_last"}))[-1] == ("2028-05-10", "170")


class TestDatesOfInvoices:
    def test_advance_comes_earlier_by_the_lead_days(self) -> None:
        assert nets(plain(term_months=2, billing={"lead_days": 10})) == [("2026-12-22", "100"), ("2027-01-22", "100")]

    def test_arrears_comes_at_the_end(self) -> None:
        assert nets(plain(term_months=2, billing={"timing": "arrears"})) == [
            ("2027-02-01", "100"),
            ("2027-03-01", "100"),
        ]

    def test_arrears_comes_the_day_after_a_cancellation(self) -> None:
        body = plain(
            billing={"timing": "arrears"},
            changes=[{"id": "c", "effective": "2027-01-11", "cancel": "at", "settle": "unused"}],
        )
        assert nets(body) == [("2027-01-11", "32.26")]


class TestInstalments:
    def test_of_an_annual_price_sum_to_it(self) -> None:
        found = nets(plain({"unit_price": "1000.00", "price_interval": "P1Y"}))
        assert [net for _, net in found] == [*["83.33"] * 11, "83.37"]

    def test_never_take_more_than_is_left(self) -> None:
        found = nets(plain({"unit_price": "7", "price_interval": "P1Y"}, currency="JPY"))
        assert [net for _, net in found] == ["1"] * 7

    def test_with_stubs_are_one_group(self) -> None:
        found = nets(
            plain({"unit_price": "1000.00", "price_interval": "P1Y"}, start="2027-07-01", billing={"anchor": 10})
        )
        assert sum(Fraction(net) for _, net in found) == 1000


class TestDiscounts:
    def test_apply_in_the_order_written(self) -> None:
        body = plain({"discounts": [{"percent": "10"}, {"amount": "5.00", "per": "unit"}]}, term_months=1)
        assert nets(body) == [("2027-01-01", "85")]

    def test_written_additive_add_up(self) -> None:
        parts = [{"percent": "10", "mode": "additive"}, {"percent": "15", "mode": "additive"}]
        assert nets(plain(term_months=1, discounts=parts)) == [("2027-01-01", "75")]

    def test_once_takes_the_first_period_only(self) -> None:
        body = plain({"discounts": [{"amount": "30.00", "per": "once"}]}, term_months=2)
        assert nets(body) == [("2027-01-01", "70"), ("2027-02-01", "100")]

    def test_never_go_below_zero(self) -> None:
        assert nets(plain({"discounts": [{"amount": "500.00"}]}, term_months=1)) == []


class TestChanges:
    def test_of_quantity_credits_the_old_and_charges_the_new(self) -> None:
        body = plain(
            {"quantity": "10"}, changes=[{"id": "more", "effective": "2027-01-17", "item": "seat", "quantity": "12"}]
        )
        own = [found for found in oracle(body).documents if found.change == "more"]
        assert len(own) == 1
        assert own[0].date == date(2027, 1, 17)
        # 16 of 31 days of 1,000.00 stay; 15 of 31 days of 1,200.00 come.
        assert [line.amount for line in own[0].lines] == [Fraction("-483.87"), Fraction("580.65")]

    def test_down_inside_a_fixed_term_stays_due_to_its_end(self) -> None:
        body = plain(
            {"quantity": "10"}, changes=[{"id": "less", "effective": "2027-01-17", "item": "seat", "quantity": "4"}]
        )
        assert nets(body) == nets(plain({"quantity": "10"}))

    def test_down_without_a_fixed_end_shortens_the_draft(self) -> None:
        changes = [{"id": "less", "effective": "2027-01-17", "item": "seat", "quantity": "4"}]
        body = plain({"quantity": "10"}, term_months=None, until="2027-02-01", changes=changes)
        assert nets(body) == [("2027-01-01", "709.68"), ("2027-02-01", "400")]

    def test_pause_is_not_due_and_may_extend_the_term(self) -> None:
        changes = [{"id": "p", "effective": "2027-02-01", "pause": {"until": "2027-03-01", "extends_term": True}}]
        assert nets(plain(term_months=3, until="2028-01-01", changes=changes)) == [
            ("2027-01-01", "100"),
            ("2027-03-01", "100"),
            ("2027-04-01", "93.33"),
        ]

    def test_sum_given_back_is_on_the_changes_document(self) -> None:
        changes = [{"id": "c", "effective": "2027-02-15", "cancel": "at", "settle": "12.34"}]
        assert nets(plain(changes=changes)) == [("2027-01-01", "100"), ("2027-02-01", "100"), ("2027-02-15", "-12.34")]

    def test_that_clash_are_rejected(self) -> None:
        twice = [{"id": str(n), "effective": "2027-02-15", "item": "seat", "quantity": str(n)} for n in (1, 2)]
        assert oracle(plain(changes=twice)).status == "rejected"

    def test_taken_back_before_they_bite_never_were(self) -> None:
        changes = [
            {"id": "c", "effective": "2027-02-15", "cancel": "at", "settle": "unused"},
            {"id": "u", "effective": "2027-02-10", "uncancel": {}},
            {"id": "x", "effective": "2027-02-15", "uncancel": {}},
        ]
        assert nets(plain(changes=[changes[0], changes[2]])) == nets(plain())


class TestWholeTerm:
    def test_stubs_without_instalments_round_together(self) -> None:
        # 0.3125 a month from 7 February, 1st of the month: 0.2455 and 0.0670 are 0.31 together, not 0.25 + 0.07.
        found = nets(plain({"quantity": "2.5", "unit_price": "0.125"}, start="2027-02-07", billing={"anchor": 1}))
        assert (found[0][1], found[-1][1]) == ("0.25", "0.06")

    def test_cancelled_inside_the_last_unit_keeps_its_weight(self) -> None:
        # 1-10 July is 9/30, so the last 21/30 are spread over the 21 days 10 June - 1 July: ten of them are 33.33.
        changes = [{"id": "c", "effective": "2028-06-20", "cancel": "at", "settle": "unused"}]
        assert nets(plain(start="2027-07-01", billing={"anchor": 10}, changes=changes))[-1] == ("2028-06-10", "33.33")

    def test_one_time_item_on_its_last_day_is_a_question(self) -> None:
        setup = {"key": "setup", "name": "Set-up", "kind": "one_time", "unit_price": "5.00", "when": "2028-01-01"}
        body = plain()
        assert oracle({**body, "items": [*body["items"], setup]}).status == "needs_clarification"


class TestAmountsInCommon:
    def test_are_spread_over_the_lines_in_proportion(self) -> None:
        body = plain(term_months=1, discounts=[{"amount": "10.00", "per": "invoice"}])
        body["items"] = [body["items"][0], {**body["items"][0], "key": "other", "unit_price": "200.00"}]
        assert oracle(body).by_item() == {"seat": Fraction("96.67"), "other": Fraction("193.33")}

    def test_are_taken_once(self) -> None:
        assert nets(plain(term_months=2, discounts=[{"amount": "30.00", "per": "once"}])) == [
            ("2027-01-01", "70"),
            ("2027-02-01", "100"),
        ]

    def test_per_month_reduce_the_days_of_their_window_only(self) -> None:
        # The 500.00 can take no more than the 15 of 30 days from 16 April on.
        discounts = [{"amount": "1000.00", "per": "month", "from": "2027-04-16", "to": "2027-05-01"}]
        assert ("2027-04-01", "50") in nets(plain(term_months=4, discounts=discounts))


class TestCredits:
    def test_are_carried_until_used(self) -> None:
        assert nets(plain(term_months=2, credits=[{"amount": "130.00"}])) == [("2027-02-01", "70")]

    def test_without_carry_lose_the_rest(self) -> None:
        assert nets(plain(term_months=2, credits=[{"amount": "130.00", "carry": False}])) == [("2027-02-01", "100")]

    def test_over_invoices_give_the_rest_to_the_last(self) -> None:
        found = nets(plain(term_months=4, credits=[{"amount": "10.00", "invoices": 3}]))
        assert [net for _, net in found] == ["96.67", "96.67", "96.66", "100"]


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "expected"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0"), ("2.675", "2.68")]
    )
    def test_rounds_half_away_from_zero(self, value: str, expected: str) -> None:
        assert rounded(Fraction(value), 2) == Fraction(expected)

    def test_spreads_by_largest_remainder_ties_by_position(self) -> None:
        assert spread(Fraction("1.00"), [Fraction(1)] * 3, 2) == [Fraction("0.34"), Fraction("0.33"), Fraction("0.33")]


class TestGenerator:
    def test_draws_the_same_document_for_the_same_seed(self) -> None:
        features = features_of([])
        assert document_of(7, features) == document_of(7, features)

    def test_refuses_a_feature_nobody_knows(self) -> None:
        with pytest.raises(ValueError, match="no such feature"):
            features_of(["weather"])

    def test_uses_nothing_but_what_it_is_asked_for(self) -> None:
        for seed in range(50):
            body = document_of(seed, features_of(["currencies"]))
            assert set(body) == {"customer", "currency", "start", "term_months", "items", "as_of", "until"}

    def test_documents_sum_to_what_the_last_word_says_is_due(self) -> None:
        """Whatever the changes wrote in between, all documents of an item add up to its due under every change."""
        features = features_of([]) - {"open", "renewal", "amount_settle", "one_time"}
        seen = 0
        for seed in range(150):
            body = document_of(seed, features)
            answer = oracle(body)
            if answer.status != "ok":
                continue
            biller = Biller(read_deal(body))
            sums = answer.by_item()
            for item in biller.recurring:
                life, values, _ = biller.view(item, biller.changes)
                due = sum((total(dues) for dues in all_dues(life, values, biller.deal).values()), Fraction(0))
                assert sums.get(item.key, Fraction(0)) == due, f"seed {seed}: {item.key}"
                seen += 1
        assert seen > 150
