"""What stands at the end of a month: MRR, list and committed MRR, CARR (convention 14, decision 0010.23)."""

from __future__ import annotations

from datetime import date

import pytest

from app.billing.metrics import metrics

from .builders import Json, deal, one_time, recurring
from .metrics_builders import level, rows, yearly

USAGE: Json = {"key": "calls", "kind": "usage", "unit_price": "1.00", "meter": "calls"}
GRADUATED: Json = {
    "model": "graduated",
    "tiers": [{"up_to": "10", "unit_price": "10.00"}, {"up_to": None, "unit_price": "8.00"}],
}
PRICED = recurring(quantity="15", price=GRADUATED, price_interval="P3M")
del PRICED["unit_price"]
MORE, TWO_MORE = recurring("more"), recurring("more", quantity="2")
HALF_AT_FIRST: Json = {"percent": "50", "to_month": 1}
DATES = [{"date": f"2027-{month:02}-01"} for month in (1, 4, 7, 10)]


def open_ended(*items: Json, **fields: object) -> Json:
    return deal(*items, term_months=None, **fields)


class TestMonthlyValue:
    @pytest.mark.parametrize(
        ("items", "value"),
        [
            ([recurring(quantity="10")], "1000.00"),
            ([recurring(unit_price="1200.00", price_interval="P1Y")], "100.00"),
            ([recurring(unit_price="100.00", price_interval="P3M")], "33.33"),
            ([recurring(unit_price="2400.00", price_interval="P2Y", billing={"interval": "P1M"})], "100.00"),
            ([recurring(billing={"interval": "P1Y"})], "100.00"),
            ([recurring(price_interval="P1W")], "433.33"),
            ([recurring(price_interval="P14D")], "216.67"),
            ([recurring(price_interval="P2W")], "216.67"),
            ([recurring(price_interval="P1D")], "3041.67"),
            ([recurring(price_interval="P10D")], "304.17"),
            ([PRICED], "46.67"),
            ([recurring(quantity="0")], "0.00"),
            ([recurring(unit_price="0.01")], "0.01"),
            ([recurring(unit_price="0.005")], "0.01"),
            ([one_time()], "0.00"),
            ([USAGE], "0.00"),
            ([recurring(), one_time(), USAGE], "100.00"),
            # 33.333.. twice is 66.67 when rounded once, not 66.66.
            ([recurring("a", price_interval="P3M"), recurring("b", price_interval="P3M")], "66.67"),
        ],
    )
    def test_is_that_of_the_recurring_items(self, items: list[Json], value: str) -> None:
        row = rows([deal(*items)], "2027-06", "2027-06")["2027-06"]
        assert (row["mrr"], row["list_mrr"], row["committed_mrr"]) == (value, value, value)

    @pytest.mark.parametrize(("currency", "mrr", "arr"), [("JPY", "3753", "45030"), ("KWD", "3752.500", "45030.000")])
    def test_has_the_decimals_of_the_currency(self, currency: str, mrr: str, arr: str) -> None:
        document = deal(recurring(quantity="2.5", unit_price="1501"), currency=currency)
        row = rows([document], "2027-06", "2027-06")["2027-06"]
        assert (row["mrr"], row["arr"]) == (mrr, arr)

    def test_of_several_documents_is_added_before_it_is_rounded(self) -> None:
        documents = [yearly("100.00", customer=name) for name in ("Acme", "Birch")]
        row = rows(documents, "2027-06", "2027-06")["2027-06"]
        assert (row["mrr"], row["arr"]) == ("16.67", "200.00")

    @pytest.mark.parametrize(
        ("document", "months"),
        [
            (deal(start="2027-01-31"), {"2026-12": "0.00", "2027-01": "100.00", "2028-01": "0.00"}),
            (deal(start="2028-02-29", term_months=1), {"2028-01": "0.00", "2028-02": "100.00", "2028-03": "0.00"}),
            (deal(), {"2026-12": "0.00", "2027-01": "100.00", "2027-12": "100.00", "2028-01": "0.00"}),
            (open_ended(), {"2050-01": "100.00"}),
            (deal(renewal={"auto": True}), {"2050-01": "100.00"}),
            (deal(recurring(start="2027-02-28", end="2027-04-30")), {"2027-02": "100.00", "2027-04": "0.00"}),
            (deal(recurring(trial_until="2027-03-31")), {"2027-02": "0.00", "2027-03": "100.00"}),
            (deal(recurring(trial_until="2027-04-01")), {"2027-03": "0.00", "2027-04": "100.00"}),
            (deal(recurring(steps=[{"from_month": 3, "quantity": "2"}])), {"2027-02": "100.00", "2027-03": "200.00"}),
            (deal(recurring(steps=[{"from": "2027-02-28", "quantity": "2"}])), {"2027-02": "200.00"}),
            (
                deal(renewal={"auto": True, "price": {"uplift_percent": "5"}}),
                {"2027-12": "100.00", "2028-01": "105.00", "2029-01": "110.25"},
            ),
            # Nobody knows the index yet: the price that is known stands.
            (deal(renewal={"auto": True, "price": {"index": "CPI"}}), {"2027-12": "100.00", "2028-01": "100.00"}),
        ],
    )  # fmt: skip
    def test_is_that_of_the_last_day(self, document: Json, months: dict[str, str]) -> None:
        assert level("mrr", [document], list(months)) == months

    @pytest.mark.parametrize(
        ("change", "months"),
        [
            ({"effective": "2027-03-31", "cancel": "at"}, {"2027-02": "100.00", "2027-03": "0.00"}),
            ({"effective": "2027-04-01", "cancel": "at"}, {"2027-03": "100.00", "2027-04": "0.00"}),
            ({"effective": "2027-03-10", "cancel": "period_end"}, {"2027-03": "100.00", "2027-04": "0.00"}),
            ({"effective": "2027-03-31", "pause": {"until": "2027-04-30"}}, {"2027-03": "0.00", "2027-04": "100.00"}),
            ({"effective": "2027-04-01", "pause": {"until": "2027-04-30"}}, {"2027-03": "100.00", "2027-04": "100.00"}),
            ({"effective": "2027-03-31", "item": "platform", "quantity": "3"}, {"2027-03": "300.00"}),
            ({"effective": "2027-03-15", "item": "platform", "unit_price": "40.00"}, {"2027-03": "40.00"}),
            ({"effective": "2027-03-15", "remove": "platform"}, {"2027-02": "100.00", "2027-03": "0.00"}),
            ({"effective": "2027-03-15", "add": recurring("more")}, {"2027-02": "100.00", "2027-03": "200.00"}),
        ],
    )  # fmt: skip
    def test_follows_changes_from_the_day_they_bite(self, change: Json, months: dict[str, str]) -> None:
        assert level("mrr", [open_ended(changes=[change])], list(months)) == months

    def test_keeps_what_stays_due_after_a_decrease_inside_a_fixed_term(self) -> None:
        change = {"effective": "2027-03-15", "item": "platform", "unit_price": "40.00"}
        months = {"2027-03": "100.00", "2027-12": "100.00", "2028-01": "40.00"}
        assert level("mrr", [deal(renewal={"auto": True}, changes=[change])], list(months)) == months
        at_once = deal(changes=[{**change, "settle": "unused"}])
        assert level("mrr", [at_once], ["2027-02", "2027-03"]) == {"2027-02": "100.00", "2027-03": "40.00"}

    def test_knows_only_what_was_recorded_by_then(self) -> None:
        change = {"effective": "2027-03-15", "recorded": "2027-03-20", "item": "platform", "quantity": "3"}
        document = deal(changes=[change])
        assert level("mrr", [document], ["2027-03"]) == {"2027-03": "100.00"}
        assert level("mrr", [{**document, "as_of": "2027-03-20"}], ["2027-03"]) == {"2027-03": "300.00"}
        row = metrics([document], "2027-03", "2027-03", as_of=date(2027, 3, 20)).to_json()["months"][0]  # type: ignore[index]  # a list of rows
        assert row["mrr"] == "300.00"
        del document["as_of"]
        assert level("mrr", [document], ["2027-03"]) == {"2027-03": "300.00"}
        assert level("mrr", [document], ["2027-02"]) == {"2027-02": "100.00"}


class TestDiscounts:
    @pytest.mark.parametrize(
        ("fields", "value"),
        [
            ({"percent": "20"}, "160.00"),
            ({"percent": "20", "to_month": 6}, "160.00"),
            ({"percent": "20", "to_month": 5}, "200.00"),
            ({"percent": "20", "from_month": 7}, "200.00"),
            ({"percent": "20", "from": "2027-06-30", "to": "2027-07-01"}, "160.00"),
            ({"percent": "100"}, "0.00"),
            ({"amount": "30"}, "140.00"),
            ({"amount": "30", "per": "unit"}, "140.00"),
            ({"amount": "30", "per": "month"}, "170.00"),
            ({"amount": "30", "per": "period"}, "190.00"),
            ({"amount": "30", "per": "invoice"}, "190.00"),
            ({"amount": "30", "per": "once"}, "200.00"),
            ({"amount": "900", "per": "month"}, "0.00"),
        ],
    )
    def test_of_an_item_count_while_they_are_in_force(self, fields: Json, value: str) -> None:
        item = recurring(quantity="2", billing={"interval": "P3M"}, price_interval="P1M", discounts=[fields])
        row = rows([deal(item)], "2027-06", "2027-06")["2027-06"]
        assert (row["mrr"], row["list_mrr"]) == (value, "200.00")

    @pytest.mark.parametrize(
        ("discounts", "value"),
        [
            ([{"percent": "10"}], "405.00"),
            ([{"percent": "10", "items": ["b"]}], "430.00"),
            ([{"percent": "10"}, {"percent": "10"}], "364.50"),
            ([{"percent": "10"}, {"percent": "10", "mode": "additive"}], "355.00"),
            ([{"amount": "10", "per": "unit", "items": ["b"]}], "430.00"),
            ([{"amount": "50", "per": "month"}], "400.00"),
            ([{"amount": "50", "per": "invoice"}], "400.00"),
            ([{"amount": "500", "per": "month"}], "0.00"),
            ([{"amount": "50", "per": "once"}], "450.00"),
            # 450 less 50, then 10% of what is left.
            ([{"amount": "50", "per": "month"}, {"percent": "10"}], "360.00"),
        ],
    )
    def test_of_the_deal_count_after_those_of_its_items(self, discounts: list[Json], value: str) -> None:
        items = [recurring("a", unit_price="300.00", discounts=[{"amount": "50"}]), recurring("b", quantity="2")]
        row = rows([deal(*items, one_time(), discounts=discounts)], "2027-06", "2027-06")["2027-06"]
        assert (row["mrr"], row["list_mrr"]) == (value, "500.00")

    def test_of_the_deal_are_taken_in_each_rhythm_as_they_are_invoiced(self) -> None:
        items = [recurring("a"), recurring("b", billing={"interval": "P1Y"})]
        document = deal(*items, discounts=[{"amount": "24", "per": "invoice"}])
        assert level("mrr", [document], ["2027-06"]) == {"2027-06": "174.00"}

    def test_per_invoice_with_explicit_dates_count_as_often_as_there_are_dates(self) -> None:
        item = recurring(discounts=[{"amount": "30", "per": "invoice"}])
        assert level("mrr", [deal(item, billing={"dates": DATES})], ["2027-06"]) == {"2027-06": "90.00"}

    def test_drop_at_a_renewal_at_list_price(self) -> None:
        item = recurring(discounts=[{"percent": "10"}])
        document = deal(item, discounts=[{"percent": "50"}], renewal={"auto": True, "price": {"list": True}})
        assert level("mrr", [document], ["2027-12", "2028-01"]) == {"2027-12": "45.00", "2028-01": "100.00"}


class TestCommitted:
    @pytest.mark.parametrize(
        ("fields", "months"),
        [
            ({}, {"2027-01": "150.00", "2027-05": "150.00"}),
            ({"cancel": "at", "effective": "2027-06-01"}, {"2027-01": "0.00", "2027-05": "0.00"}),
            (
                {"cancel": "at", "effective": "2027-06-01", "recorded": "2027-03-31"},
                {"2027-02": "150.00", "2027-03": "0.00"},
            ),
            (
                {"remove": "more", "effective": "2027-06-01", "recorded": "2027-04-01"},
                {"2027-03": "150.00", "2027-04": "100.00"},
            ),
            ({"remove": "more", "effective": "2027-06-01"}, {"2027-01": "100.00", "2027-06": "100.00"}),
            # The contract goes on with another item.
            (
                {"replace": {"from": "more", "to": recurring("next", unit_price="80.00")}, "effective": "2027-06-01"},
                {"2027-05": "150.00", "2027-06": "180.00"},
            ),
        ],
    )  # fmt: skip
    def test_leaves_out_what_a_change_known_that_day_ends(self, fields: Json, months: dict[str, str]) -> None:
        document = open_ended(recurring(), recurring("more", unit_price="50.00"), as_of="2027-12-31")
        document["changes"] = [fields] if fields else []
        assert level("committed_mrr", [document], list(months)) == months

    @pytest.mark.parametrize(
        "cancel",
        [{"cancel": "at", "effective": "2027-06-01"}, {"cancel": "period_end", "effective": "2027-02-10"}],
    )
    def test_comes_back_when_the_cancellation_is_taken_back(self, cancel: Json) -> None:
        changes: list[Json] = [
            {**cancel, "recorded": "2027-02-10"},
            {"uncancel": True, "effective": "2027-04-15", "recorded": "2027-04-15"},
        ]
        item = recurring(price_interval="P1M")
        document = open_ended(item, billing={"interval": "P6M"}, changes=changes, as_of="2027-12-31")
        months = {"2027-01": "100.00", "2027-02": "0.00", "2027-03": "0.00", "2027-04": "100.00", "2027-07": "100.00"}
        assert level("committed_mrr", [document], list(months)) == months
        assert level("mrr", [document], list(months)) == dict.fromkeys(months, "100.00")

    @pytest.mark.parametrize(
        ("fields", "value"),
        [
            ({}, "150.00"),
            ({"end": "2028-01-01"}, "150.00"),
            ({"end": "2028-06-01"}, "150.00"),
            ({"end": "2027-12-31"}, "100.00"),
            ({"term_months": 11}, "100.00"),
        ],
    )
    def test_leaves_out_an_item_that_ends_before_its_contract(self, fields: Json, value: str) -> None:
        item = recurring("more", unit_price="50.00", **fields)
        assert level("committed_mrr", [deal(recurring(), item)], ["2027-06"]) == {"2027-06": value}

    def test_leaves_out_an_item_with_an_end_in_a_contract_without_one(self) -> None:
        item = recurring("more", end="2030-01-01")
        for document in (open_ended(recurring(), item), deal(recurring(), item, renewal={"auto": True})):
            assert level("committed_mrr", [document], ["2027-06"]) == {"2027-06": "100.00"}


class TestSigned:
    @pytest.mark.parametrize(
        ("document", "months"),
        [
            (deal(start="2027-03-01"), {"2027-02": "1200.00", "2027-03": "1200.00", "2028-03": "0.00"}),
            (deal(recurring(trial_until="2027-03-01")), {"2027-01": "1200.00", "2027-03": "1200.00"}),
            (deal(recurring(), recurring("more", start="2027-03-01")), {"2027-02": "2400.00", "2027-03": "2400.00"}),
            (deal(recurring(), USAGE, one_time()), {"2027-01": "1200.00"}),
            (deal(start="2027-01-31"), {"2026-12": "1200.00", "2027-01": "1200.00"}),
            # At the price and discount of its first day, not of a later one.
            (
                deal(recurring(steps=[{"from_month": 2, "quantity": "2"}], discounts=[HALF_AT_FIRST])),
                {"2026-12": "600.00", "2027-01": "600.00", "2027-02": "2400.00"},
            ),
            (
                deal(changes=[{"effective": "2027-03-01", "add": MORE, "recorded": "2027-02-10"}], as_of="2027-12-31"),
                {"2027-01": "1200.00", "2027-02": "2400.00", "2027-03": "2400.00"},
            ),
            # Paused is neither live nor still to come.
            (open_ended(changes=[{"effective": "2027-02-10", "pause": {}}]), {"2027-01": "1200.00", "2027-02": "0.00"}),
            (
                deal(changes=[{"effective": "2027-03-01", "replace": {"from": "platform", "to": TWO_MORE}}]),
                {"2027-02": "2400.00", "2027-03": "2400.00"},
            ),
        ],
    )  # fmt: skip
    def test_adds_what_is_signed_but_not_live_yet(self, document: Json, months: dict[str, str]) -> None:
        assert level("carr", [document], list(months)) == months

    @pytest.mark.parametrize("kind", ["renewal", "replaces"])
    @pytest.mark.parametrize(("price", "carr"), [("53000.00", "53000.00"), ("30000.00", "40000.00")])
    def test_adds_only_what_a_renewal_brings_on_top(self, kind: str, price: str, carr: str) -> None:
        follower = yearly(price, id="D-2", start="2028-01-01", relation={"kind": kind, "of": ["D-1"]})
        documents = [follower, yearly("40000.00", id="D-1")]
        assert level("carr", documents, ["2027-12", "2028-01"]) == {"2027-12": carr, "2028-01": price}

    def test_adds_all_of_a_further_deal(self) -> None:
        further = yearly("500.00", start="2027-09-01", relation={"kind": "adds", "of": ["D-1"]})
        assert level("carr", [yearly("1000.00", id="D-1"), further], ["2027-02"]) == {"2027-02": "1500.00"}

    def test_adds_all_that_is_still_to_come_of_a_renewal_that_is_live(self) -> None:
        items = [recurring(), recurring("more", unit_price="50.00", start="2028-02-01")]
        follower = deal(*items, id="D-2", start="2027-11-01", relation={"kind": "renewal", "of": ["D-1"]})
        months = {"2027-10": "1800.00", "2027-11": "3000.00", "2028-01": "1800.00", "2028-02": "1800.00"}
        assert level("carr", [deal(id="D-1"), follower], list(months)) == months
