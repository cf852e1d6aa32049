"""Tiered prices: the pricing models onto the document's, and a question for every form that isn't HubSpot's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.problems.actions import FINANCE
from tests.app.deals.readings import document, item, only_finding, question, read
from tests.factories import crm_deal, crm_line, setup_line

RANGES = '[{"start":0,"end":99},{"start":100,"end":199},{"start":200}]'
PRICES = '[{"index":0,"price":100},{"index":1,"price":80.50},{"index":2,"price":60}]'
TIERS = [
    {"up_to": "99", "unit_price": "100"}, {"up_to": "199", "unit_price": "80.5"}, {"up_to": None, "unit_price": "60"},
]  # fmt: skip


def tiered(**properties: str | None) -> dict[str, str | None]:
    base: dict[str, str | None] = {
        "price": None, "quantity": "150", "hs_pricing_model": "volume", "hs_tier_ranges": RANGES,
        "hs_tier_prices": PRICES,
    }  # fmt: skip
    return base | properties


def why(**properties: str | None) -> str:
    """Return what the question about a tiered line says after its beginning."""
    code, sentence = question(**tiered(**properties))
    assert code == "bad_tiers"
    beginning = 'The tiers of "Platform" can\'t be read: '
    assert sentence.startswith(beginning)
    return sentence.removeprefix(beginning)


class TestModels:
    @pytest.mark.parametrize("model", ["volume", "graduated", "stairstep", " graduated "])
    def test_are_the_documents_price(self, model: str) -> None:
        found = item(**tiered(hs_pricing_model=model))

        assert found["price"] == {"model": model.strip(), "tiers": TIERS}
        assert "unit_price" not in found
        assert (found["kind"], found["quantity"], found["price_interval"]) == ("recurring", "150", "P1M")

    def test_name_where_the_price_came_from(self) -> None:
        found = read(crm_deal(crm_line(**tiered())))

        assert found.sources["item-501.price"] == "the line item's pricing model and tiers"

    def test_hold_on_a_one_time_item(self) -> None:
        (found,) = document(crm_deal(setup_line(**tiered())))["items"]

        assert (found["kind"], found["price"]["model"]) == ("one_time", "volume")

    @pytest.mark.parametrize("model", ["Volume", "tiered", "Flat rate", "package"])
    def test_ask_finance_when_they_are_unknown(self, model: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_pricing_model=model)))

        assert (code, who) == ("not_supported", FINANCE)
        assert sentence == f'"Platform" has the pricing model "{model}", which Dealwright doesn\'t bill yet.'

    @pytest.mark.parametrize("properties", [{}, {"hs_pricing_model": ""}, {"hs_pricing_model": "flat"},
                                            {"hs_pricing_model": "flat", "hs_tier_ranges": RANGES},
                                            {"hs_tier_ranges": "[]"}])  # fmt: skip
    def test_that_are_flat_have_a_unit_price(self, properties: dict[str, str]) -> None:
        assert item(**properties)["unit_price"] == "100"

    def test_are_asked_for_when_there_are_tiers_without_one(self) -> None:
        code, sentence = question(hs_tier_ranges=RANGES)

        assert (code, sentence) == ("bad_tiers", '"Platform" has tiers of prices but no pricing model.')

    def test_ask_when_there_is_a_unit_price_as_well(self) -> None:
        code, sentence = question(**tiered(price="100.00"))

        assert code == "bad_tiers"
        assert sentence == '"Platform" has tiered prices and a unit price of 100.00, and only one can hold.'

    @pytest.mark.parametrize("price", ["", "0", "0.00"])
    def test_take_a_unit_price_of_nothing_as_none(self, price: str) -> None:
        assert "unit_price" not in item(**tiered(price=price))


class TestCurrencies:
    PRICES = json.dumps(
        [{"index": n, "price": price, "currency": "USD"} for n, price in enumerate((100, 80.5, 60))]
        + [{"index": n, "price": price, "currency": "GBP"} for n, price in enumerate((50, 40, 20))]
    )

    @pytest.mark.parametrize(("currency", "first"), [("USD", "100"), ("GBP", "50")])
    def test_are_chosen_by_the_deal(self, currency: str, first: str) -> None:
        deal = crm_deal(crm_line(**tiered(hs_tier_prices=self.PRICES)), deal_currency_code=currency)

        assert document(deal)["items"][0]["price"]["tiers"][0]["unit_price"] == first

    def test_ask_when_the_deals_own_has_no_prices(self) -> None:
        deal = crm_deal(crm_line(**tiered(hs_tier_prices=self.PRICES)), deal_currency_code="EUR")

        assert only_finding(deal)[1].endswith("the range number 1 has no price in EUR.")

    def test_ask_when_only_some_prices_name_one(self) -> None:
        mixed = '[{"index":0,"price":1,"currency":"USD"},{"index":1,"price":2},{"index":2,"price":3}]'

        assert why(hs_tier_prices=mixed) == "some prices name a currency and some don't."


class TestRanges:
    @pytest.mark.parametrize(
        ("ranges", "up_to"),
        [
            ('[{"start":0}]', [None]),
            ('[{"start":1,"end":null}]', [None]),
            ('[{"start":1,"end":10}]', ["10"]),
            ('[{"end":9,"start":0},{"start":10}]', ["9", None]),
            ('[{"start":0,"end":0},{"start":1}]', ["0", None]),
        ],
    )
    def test_end_at_their_last_unit(self, ranges: str, up_to: list[str | None]) -> None:
        prices = json.dumps([{"index": n, "price": 5} for n in range(len(up_to))])
        found = item(**tiered(quantity="5", hs_tier_ranges=ranges, hs_tier_prices=prices))

        assert [tier["up_to"] for tier in found["price"]["tiers"]] == up_to

    @pytest.mark.parametrize(
        ("ranges", "words"),
        [
            (None, "there are no ranges."),
            (" ", "there are no ranges."),
            ("[", "the ranges are not the JSON that HubSpot writes."),
            ("0-99: 100", "the ranges are not the JSON that HubSpot writes."),
            ('[{"start":NaN}]', "the ranges are not the JSON that HubSpot writes."),
            ("[" * 100_000, "the ranges are not the JSON that HubSpot writes."),
            ("[]", "the ranges are not a list of tiers."),
            ("null", "the ranges are not a list of tiers."),
            ('{"start":0}', "the ranges are not a list of tiers."),
            ("[0, 100]", "the ranges are not a list of tiers."),
            ('[{"start":0,"end":9},"x"]', "the ranges are not a list of tiers."),
            ('[{"start":0,"start":5}]', "a tier says one thing twice."),
            ('[{"start":0,"to":9}]', 'the ranges have "to", which Dealwright doesn\'t know.'),
            ('[{"end":9}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":"0"}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":true}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":-1}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":0,"end":9.5}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":0,"end":1e2}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":0,"end":"9"}]', "a range doesn't start and end at a whole number of units."),
            ('[{"start":5,"end":4}]', "the range 5 - 4 ends before it starts."),
            ('[{"start":2}]', "the first range starts at 2."),
            ('[{"start":0},{"start":10}]', "the range from 10 doesn't start right after the one before it."),
            ('[{"start":0,"end":9},{"start":9}]', "the range from 9 doesn't start right after the one before it."),
            ('[{"start":0,"end":9},{"start":11}]', "the range from 11 doesn't start right after the one before it."),
        ],
    )
    def test_ask_about_any_other_form(self, ranges: str | None, words: str) -> None:
        assert why(hs_tier_ranges=ranges) == words

    @pytest.mark.parametrize("quantity", ["0", "99", "100", "150.5", "1000"])
    def test_hold_the_quantity(self, quantity: str) -> None:
        assert item(**tiered(quantity=quantity))["quantity"] == quantity

    @pytest.mark.parametrize(
        ("quantity", "ranges", "shown"),
        [("99.5", RANGES, "99.5"), ("1201", RANGES.replace("200}", '200,"end":1200}'), "1,201")],
    )
    def test_ask_when_none_is_for_the_quantity(self, quantity: str, ranges: str, shown: str) -> None:
        code, sentence = question(**tiered(quantity=quantity, hs_tier_ranges=ranges))

        assert code == "bad_tiers"
        assert sentence == f'None of the tiers of "Platform" is for a quantity of {shown}.'


class TestPrices:
    def test_belong_to_the_range_they_name(self) -> None:
        turned = json.dumps(list(reversed(json.loads(PRICES))))

        assert item(**tiered(hs_tier_prices=turned))["price"]["tiers"] == TIERS

    @pytest.mark.parametrize(
        ("raw", "read_as"), [("0", "0"), ("0.0015", "0.0015"), ("1e2", "100"), ("12.340", "12.34")]
    )
    def test_are_exact(self, raw: str, read_as: str) -> None:
        prices = f'[{{"index":0,"price":{raw}}},{{"index":1,"price":80.50}},{{"index":2,"price":60}}]'

        assert item(**tiered(hs_tier_prices=prices))["price"]["tiers"][0]["unit_price"] == read_as

    @pytest.mark.parametrize(
        ("first", "words"),
        [
            ('{"index":0,"price":-1}', "a price is no amount for one of the ranges."),
            ('{"index":0,"price":"100"}', "a price is no amount for one of the ranges."),
            ('{"index":0,"price":true}', "a price is no amount for one of the ranges."),
            ('{"index":0,"price":null}', "a price is no amount for one of the ranges."),
            ('{"index":0}', "a price is no amount for one of the ranges."),
            ('{"index":0,"price":0.1234567890123}', "a price is no amount for one of the ranges."),
            ('{"index":0,"price":1e9999999999}', "a price is no amount for one of the ranges."),
            ('{"index":3,"price":1}', "a price is no amount for one of the ranges."),
            ('{"index":-1,"price":1}', "a price is no amount for one of the ranges."),
            ('{"index":"0","price":1}', "a price is no amount for one of the ranges."),
            ('{"price":1}', "a price is no amount for one of the ranges."),
            ('{"index":1,"price":1}', "the range number 2 has two prices."),
            ('{"index":0,"price":1,"flatFee":5}', 'the prices have "flatFee", which Dealwright doesn\'t know.'),
            ('{"index":0,"price":1,"index":0}', "a tier says one thing twice."),
            ('{"index":0,"price":1e99999999999999999999}', "the prices are not the JSON that HubSpot writes."),
            ('{"index":0,"price":Infinity}', "the prices are not the JSON that HubSpot writes."),
            ("7", "the prices are not a list of tiers."),
        ],
    )
    def test_ask_about_any_other_form(self, first: str, words: str) -> None:
        assert why(hs_tier_prices=f'[{first},{{"index":1,"price":80}},{{"index":2,"price":60}}]') == words

    def test_ask_when_a_range_has_none(self) -> None:
        assert why(hs_tier_prices='[{"index":0,"price":1},{"index":2,"price":1}]') == (
            "the range number 2 has no price in USD."
        )

    def test_ask_when_there_are_none(self) -> None:
        assert why(hs_tier_prices=None) == "there are no prices."

    def test_ask_when_a_currency_is_none(self) -> None:
        assert why(hs_tier_prices='[{"index":0,"price":1,"currency":5}]') == (
            "a price is no amount for one of the ranges."
        )


class TestNetPrice:
    @pytest.mark.parametrize(
        ("model", "quantity", "amount"),
        [
            ("volume", "99", "9900"), ("volume", "100", "8050"), ("volume", "150", "12075.00"),
            ("volume", "200", "12000"), ("graduated", "99", "9900"), ("graduated", "100", "9980.50"),
            ("graduated", "199", "17950"),
            ("graduated", "250", "21010"), ("stairstep", "1", "100"), ("stairstep", "150", "80.50"),
            ("stairstep", "5000", "60"), ("volume", "0", "0"), ("graduated", "0", "0"), ("stairstep", "0", "0"),
        ],
    )  # fmt: skip
    def test_agrees_with_the_model(self, model: str, quantity: str, amount: str) -> None:
        item(**tiered(hs_pricing_model=model, quantity=quantity, amount=amount))

    @pytest.mark.parametrize("model", ["volume", "graduated", "stairstep"])
    def test_asks_when_it_is_another_models(self, model: str) -> None:
        code, sentence = question(**tiered(hs_pricing_model=model, amount="7.00"))

        assert code == "net_differs"
        assert sentence.startswith(f'"Platform" is 150 at {model} prices, which is ')

    @pytest.mark.parametrize(
        ("properties", "discounts"),
        [
            ({"hs_discount_percentage": "10", "amount": "10867.50"}, [{"percent": "10"}]),
            ({"discount": "5", "amount": "11325"}, [{"amount": "5", "per": "unit"}]),
            ({"discount": "5", "amount": "11471.25"}, [{"percent": "5"}]),
        ],
    )
    def test_decides_the_discount(self, properties: dict[str, str], discounts: list[dict[str, Any]]) -> None:
        assert item(**tiered(**properties))["discounts"] == discounts
