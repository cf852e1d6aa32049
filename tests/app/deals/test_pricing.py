"""Discounts of a line item, and HubSpot's own net price as the second opinion on every price."""

from __future__ import annotations

from typing import Any

import pytest

from app.problems.actions import FINANCE
from tests.app.deals.readings import document, item, only_finding, question, read
from tests.factories import crm_deal, crm_line, setup_line


class TestDiscountInPercent:
    @pytest.mark.parametrize(
        ("raw", "percent"), [("10", "10"), ("12.50", "12.5"), ("100", "100"), ("0.01", "0.01"), ("1E+1", "10")]
    )
    def test_is_the_items_own(self, raw: str, percent: str) -> None:
        assert item(hs_discount_percentage=raw)["discounts"] == [{"percent": percent}]

    def test_leaves_the_price_as_it_was_before(self) -> None:
        found = item(hs_discount_percentage="10", amount="900.00")

        assert (found["quantity"], found["unit_price"]) == ("10", "100")

    def test_holds_on_a_one_time_item_too(self) -> None:
        (found,) = document(crm_deal(setup_line(hs_discount_percentage="20", amount="2000")))["items"]

        assert found["discounts"] == [{"percent": "20"}]

    @pytest.mark.parametrize("raw", ["100.01", "110", "1000"])
    def test_asks_above_the_price(self, raw: str) -> None:
        code, sentence = question(hs_discount_percentage=raw)

        assert code == "discount"
        assert sentence == f'"Platform" has a discount of {raw} percent, which is more than its price.'

    @pytest.mark.parametrize("raw", ["-10", "ten", "10%", "NaN"])
    def test_asks_when_it_is_no_number(self, raw: str) -> None:
        assert question(hs_discount_percentage=raw) == (
            "bad_number", f'HubSpot has "{raw}" as the discount percentage of "Platform".',
        )  # fmt: skip


class TestUnitDiscount:
    """The property is told to be an amount off each unit or a percentage: HubSpot's own numbers decide."""

    @pytest.mark.parametrize(
        ("discount", "evidence", "read_as"),
        [
            ("5", {"amount": "950.00"}, {"amount": "5", "per": "unit"}),
            ("5.00", {"amount": "950"}, {"amount": "5", "per": "unit"}),
            ("0.015", {"amount": "999.85"}, {"amount": "0.015", "per": "unit"}),
            ("100", {"amount": "0.00"}, {"amount": "100", "per": "unit"}),
            ("5", {"amount": None, "hs_total_discount": "50.00"}, {"amount": "5", "per": "unit"}),
        ],
    )
    def test_is_an_amount_where_the_net_price_says_so(
        self, discount: str, evidence: dict[str, str | None], read_as: dict[str, str]
    ) -> None:
        # 10 x 100.00: five off each unit and five percent are the same 50.00, and the property's own label wins.
        assert item(discount=discount, **evidence)["discounts"] == [read_as]

    @pytest.mark.parametrize(
        ("evidence", "read_as"),
        [
            ({"amount": "1960.00"}, {"amount": "20", "per": "unit"}),
            ({"amount": "1600.00"}, {"percent": "20"}),
            ({"hs_total_discount": "40"}, {"amount": "20", "per": "unit"}),
            ({"hs_total_discount": "400"}, {"percent": "20"}),
            ({"amount": "1960.00", "hs_total_discount": "400"}, {"amount": "20", "per": "unit"}),
        ],
    )
    def test_is_decided_where_the_two_meanings_differ(self, evidence: dict[str, str], read_as: dict[str, str]) -> None:
        assert item(quantity="2", price="1000", discount="20", **evidence)["discounts"] == [read_as]

    def test_names_where_an_unexpected_meaning_came_from(self) -> None:
        found = read(crm_deal(crm_line(quantity="2", price="1000", discount="20", amount="1600.00")))

        assert found.sources["item-501.discounts"] == "the unit discount, which is a percentage by HubSpot's net price"

    @pytest.mark.parametrize(("amount", "is_read"), [("1960.01", True), ("1959.99", True), ("1960.02", False)])
    def test_may_differ_by_a_cent(self, amount: str, is_read: bool) -> None:
        found = read(crm_deal(crm_line(quantity="2", price="1000", discount="20", amount=amount)))

        assert (found.document is not None) is is_read

    def test_asks_when_neither_meaning_gives_the_net_price(self) -> None:
        code, sentence = question(quantity="2", price="1000", discount="20", amount="1800")

        assert code == "discount"
        assert sentence == (
            '"Platform" has a unit discount of 20, but HubSpot takes 200.00 USD off 2 x 1,000.00: '
            "neither 40.00 USD (20 off each unit) nor 400.00 USD (20 percent)."
        )

    def test_asks_when_hubspot_gives_nothing_to_decide_by(self) -> None:
        code, sentence = question(discount="5", amount=None)

        assert code == "discount"
        assert sentence == (
            '"Platform" has a unit discount of 5, and HubSpot gives no net price that tells whether it is an amount '
            "or a percentage."
        )

    @pytest.mark.parametrize(("evidence", "words"), [({"amount": "-500"}, "150.00 USD"), ({}, "150")])
    def test_asks_above_the_price(self, evidence: dict[str, str], words: str) -> None:
        code, sentence = question(discount="150", **evidence)

        assert code == "discount"
        assert sentence == f'"Platform" has a discount of {words}, which is more than its price.'

    @pytest.mark.parametrize("raw", ["-5", "5 EUR", "1e30"])
    def test_asks_when_it_is_no_number(self, raw: str) -> None:
        assert question(discount=raw) == ("bad_number", f'HubSpot has "{raw}" as the unit discount of "Platform".')

    def test_asks_when_there_is_a_percentage_as_well(self) -> None:
        code, sentence = question(discount="5", hs_discount_percentage="10", amount="900")

        assert code == "discount"
        assert sentence == '"Platform" has a unit discount of 5 and a discount of 10 percent.'

    @pytest.mark.parametrize("value", [None, "", " ", "0", "0.0", "0.00", "0.000000"])
    def test_of_nothing_is_none(self, value: str | None) -> None:
        assert "discounts" not in item(discount=value, hs_discount_percentage=value, amount="1000.00")

    def test_of_nothing_beside_a_percentage_is_none(self) -> None:
        assert item(discount="0", hs_discount_percentage="10")["discounts"] == [{"percent": "10"}]


class TestNetPrice:
    @pytest.mark.parametrize(
        "properties",
        [
            {"amount": "1000.00"},
            {"amount": "1000.01"},
            {"amount": "999.99"},
            {"amount": "1E+3"},
            {"amount": None},
            {"amount": ""},
            {"quantity": "3", "price": "33.333", "amount": "100.00"},
            {"quantity": "0", "amount": "0"},
            {"price": "0", "amount": "0.00"},
            {"hs_discount_percentage": "33.333", "amount": "666.67"},
        ],
    )
    def test_agrees(self, properties: dict[str, str | None]) -> None:
        item(**properties)

    @pytest.mark.parametrize("amount", ["1000.02", "999.98", "900", "0", "-1000", "12000.00"])
    def test_asks_when_it_is_another(self, amount: str) -> None:
        code, sentence = question(amount=amount)

        assert code == "net_differs"
        assert sentence.startswith(
            '"Platform" is 10 x 100.00, which is 1,000.00 USD, but HubSpot shows a net price of '
        )

    def test_names_both_amounts_and_the_discount(self) -> None:
        code, sentence = question(hs_discount_percentage="10", amount="990.00")

        assert code == "net_differs"
        assert sentence == (
            '"Platform" is 10 x 100.00, less 10 percent, which is 900.00 USD, '
            "but HubSpot shows a net price of 990.00 USD."
        )

    @pytest.mark.parametrize("raw", ["NaN", "x", "--5"])
    def test_asks_when_it_is_no_number(self, raw: str) -> None:
        code, sentence = question(amount=raw)

        assert code == "bad_number"
        assert sentence == f'HubSpot has "{raw}" as the net price of "Platform".'

    @pytest.mark.parametrize(
        ("currency", "amount", "is_read"),
        [("JPY", "1001", True), ("JPY", "1002", False), ("KWD", "1000.01", True), ("KWD", "1000.011", False)],
    )
    def test_may_differ_by_what_hubspot_rounds(self, currency: str, amount: str, is_read: bool) -> None:
        found = read(crm_deal(crm_line(amount=amount), deal_currency_code=currency))

        assert (found.document is not None) is is_read


class TestNumbers:
    @pytest.mark.parametrize("price", ["99999999999999", "1e20"])
    def test_ask_when_an_amount_is_beyond_any_invoice(self, price: str) -> None:
        code, sentence = question(price=price)

        assert code == "bad_number"
        assert sentence.startswith('"Platform" comes to ')

    @pytest.mark.parametrize("raw", ["0.1234567890123", "1e27", "1E+999999", "1E-999999", "9" * 27])
    def test_ask_when_a_deal_document_cannot_hold_them(self, raw: str) -> None:
        assert question(price=raw) == ("bad_number", f'HubSpot has "{raw}" as the price of "Platform".')

    @pytest.mark.parametrize("name", ["quantity", "price"])
    def test_may_be_zero(self, name: str) -> None:
        properties: dict[str, Any] = {name: "0"}

        assert item(**properties)[{"quantity": "quantity", "price": "unit_price"}[name]] == "0"


class TestTax:
    def test_asks_finance_about_a_tax_rate(self) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_tax_rate_group_id="77")))

        assert (code, who) == ("not_supported", FINANCE)
        assert sentence == '"Platform" has a tax rate, which Dealwright doesn\'t bill yet.'
