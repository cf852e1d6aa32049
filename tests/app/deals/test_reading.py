"""Every property of a deal and its line items: what is read from it, and the sentence where it can't be."""

from __future__ import annotations

from datetime import date

import pytest

from app.problems.actions import SALES
from tests.app.deals.readings import document, item, only_finding, read
from tests.factories import ACME, crm_deal, crm_line, setup_line, without_lines


class TestWholeDeal:
    def test_becomes_a_document_of_the_core(self) -> None:
        deal = crm_deal(crm_line(hs_sku="PLAT"), setup_line(), deal_currency_code="EUR", closedate="2027-03-01")

        assert document(deal, net_days=14) == {
            "id": "301",
            "customer": "Acme Inc",
            "currency": "EUR",
            "start": "2027-03-01",
            "term_months": 12,
            "payment": {"net_days": 14},
            "billing": {"interval": "P1M"},
            "items": [
                {
                    "key": "item-501", "name": "Platform", "kind": "recurring", "sku": "PLAT", "quantity": "10",
                    "unit_price": "100", "price_interval": "P1M",
                },
                {"key": "item-502", "name": "Set-up", "kind": "one_time", "quantity": "1", "unit_price": "2500"},
            ],
        }  # fmt: skip

    def test_names_where_each_value_came_from(self) -> None:
        assert read(crm_deal(deal_currency_code=None)).sources == {
            "currency": "the HubSpot account",
            "item-501": "line item 501",
            "start": "the line items' billing start date or the close date",
            "term_months": "the line items' term",
        }

    def test_tells_everything_that_is_wrong_at_once(self) -> None:
        broken = crm_line(price=None, recurringbillingfrequency="daily", hs_recurring_billing_period=None)
        found = read(crm_deal(broken, company=None, company_ids=(), closedate=None))

        assert [f.code for f in found.findings] == ["no_company", "no_close_date", "bad_number", "frequency", "no_term"]


class TestCloseDate:
    @pytest.mark.parametrize(
        ("raw", "zone", "day"),
        [
            ("2027-03-01T04:59:59Z", "America/New_York", date(2027, 2, 28)),
            ("2027-03-01T05:00:00Z", "America/New_York", date(2027, 3, 1)),
            ("2027-07-01T03:59:59.999Z", "America/New_York", date(2027, 6, 30)),
            ("2027-07-01T04:00:00Z", "America/New_York", date(2027, 7, 1)),
            ("2027-02-28T22:59:59Z", "Europe/Berlin", date(2027, 2, 28)),
            ("2027-02-28T23:00:00Z", "Europe/Berlin", date(2027, 3, 1)),
            ("2027-06-30T22:00:00Z", "Europe/Berlin", date(2027, 7, 1)),
            ("2027-12-31T10:59:59Z", "Pacific/Auckland", date(2027, 12, 31)),
            ("2027-12-31T11:00:00Z", "Pacific/Auckland", date(2028, 1, 1)),
            ("2028-02-29T12:00:00Z", "UTC", date(2028, 2, 29)),
            ("1803877199000", "America/New_York", date(2027, 2, 28)),
            ("1803877200000", "America/New_York", date(2027, 3, 1)),
            ("1830250800000", "Pacific/Auckland", date(2028, 1, 1)),
            ("2027-03-01T00:30:00+02:00", "UTC", date(2027, 2, 28)),
            ("2027-03-01T00:30:00", "America/New_York", date(2027, 2, 28)),
            ("2027-03-01", "Pacific/Auckland", date(2027, 3, 1)),
        ],
    )
    def test_is_a_day_in_the_billing_zone(self, raw: str, zone: str, day: date) -> None:
        found = read(crm_deal(closedate=raw), zone=zone)

        assert (found.won_on, found.start_on) == (day, day)

    @pytest.mark.parametrize("raw", [None, "", "soon", "2027-02-30", "99999999999999999999", "9999-12-31T23:59:59Z"])
    def test_is_asked_for_when_missing_or_unreadable(self, raw: str | None) -> None:
        code, sentence, who = only_finding(crm_deal(closedate=raw), zone="Pacific/Auckland")

        assert (code, who) == ("no_close_date", SALES)
        assert sentence.startswith("The deal has no close date")

    @pytest.mark.parametrize("raw", ["9999-12-01", "0002-01-01T12:00:00Z", "2200-06-01"])
    def test_is_asked_about_when_it_is_a_slip(self, raw: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_billing_start_delay_days="60"), closedate=raw))

        assert (code, who) == ("no_close_date", SALES)
        assert sentence == f"The deal's close date is {raw[:10]}."


class TestCurrency:
    @pytest.mark.parametrize(
        ("on_deal", "on_line", "home", "expected"),
        [
            ("USD", None, "EUR", "USD"),
            (None, None, "EUR", "EUR"),
            ("", None, "GBP", "GBP"),
            ("usd", "USD", "EUR", "USD"),
            (None, "EUR", "EUR", "EUR"),
            ("JPY", "JPY", "USD", "JPY"),
        ],
    )
    def test_is_the_deals_or_else_the_accounts(
        self, on_deal: str | None, on_line: str | None, home: str, expected: str
    ) -> None:
        deal = crm_deal(crm_line(hs_line_item_currency_code=on_line), deal_currency_code=on_deal)

        assert document(deal, home_currency=home)["currency"] == expected

    @pytest.mark.parametrize(("on_deal", "home"), [("USD", "EUR"), (None, "USD")])
    def test_asks_when_a_line_has_another_one(self, on_deal: str | None, home: str) -> None:
        deal = crm_deal(crm_line(hs_line_item_currency_code="EUR"), deal_currency_code=on_deal)
        code, sentence, who = only_finding(deal, home_currency=home)

        assert (code, who) == ("currency", SALES)
        assert sentence == '"Platform" is priced in EUR, but the deal is in USD.'

    def test_asks_when_it_is_none(self) -> None:
        code, sentence, who = only_finding(crm_deal(deal_currency_code="XXX"))

        assert (code, who) == ("currency", SALES)
        assert sentence == 'The deal is in "XXX", which is no currency that can be invoiced.'


class TestNumbers:
    @pytest.mark.parametrize(
        ("raw", "read_as"),
        [
            ("100.00", "100"), ("1E+2", "100"), ("1e2", "100"), ("0.10", "0.1"), ("12.345", "12.345"), ("0", "0"),
            ("0.00", "0"), ("-0.00", "0"), ("0E-10", "0"), ("100", "100"), ("1E-3", "0.001"), ("  7 ", "7"),
        ],
    )  # fmt: skip
    def test_are_exact_plain_decimals(self, raw: str, read_as: str) -> None:
        found = item(price=raw, quantity=raw)

        assert (found["unit_price"], found["quantity"]) == (read_as, read_as)

    @pytest.mark.parametrize(
        "raw", ["NaN", "-NaN", "sNaN", "Infinity", "-1", "-0.01", "1,000.00", "1_000", "ten", "$5"]
    )
    def test_ask_when_they_are_no_amount(self, raw: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(price=raw)))

        assert (code, who) == ("bad_number", SALES)
        assert sentence == f'HubSpot has "{raw}" as the price of "Platform".'

    @pytest.mark.parametrize("raw", [None, ""])
    def test_ask_for_an_empty_price(self, raw: str | None) -> None:
        assert only_finding(crm_deal(crm_line(price=raw)))[1] == 'HubSpot has empty as the price of "Platform".'

    def test_name_the_quantity_that_is_wrong(self) -> None:
        assert only_finding(crm_deal(crm_line(quantity="-3")))[1] == 'HubSpot has "-3" as the quantity of "Platform".'

    def test_an_empty_quantity_is_one(self) -> None:
        assert document(crm_deal(crm_line(quantity=None)))["items"][0]["quantity"] == "1"


class TestLines:
    def test_are_asked_for_when_there_are_none(self) -> None:
        code, sentence, who = only_finding(without_lines(crm_deal()))

        assert (code, who) == ("no_lines", SALES)
        assert sentence == "The deal has no line items, so there is nothing to bill."

    @pytest.mark.parametrize("name", [None, "", "  "])
    def test_without_a_name_are_called_by_their_id(self, name: str | None) -> None:
        assert document(crm_deal(crm_line(name=name)))["items"][0]["name"] == "Line item 501"

    def test_with_two_faults_make_two_sentences(self) -> None:
        found = read(crm_deal(crm_line(price="x"), crm_line("503", name="Support", price="y")))

        assert [finding.sentence for finding in found.findings] == [
            'HubSpot has "x" as the price of "Platform".', 'HubSpot has "y" as the price of "Support".',
        ]  # fmt: skip


class TestCompany:
    def test_is_asked_for_when_there_is_none(self) -> None:
        code, sentence, who = only_finding(crm_deal(company=None, company_ids=()))

        assert (code, who) == ("no_company", SALES)
        assert sentence == "The deal has no company, so nobody can be billed."

    @pytest.mark.parametrize(
        ("primary", "words"), [((), "none of them is the primary one"), (("1", "2"), "2 of them are primary ones")]
    )
    def test_is_asked_for_when_no_one_is_primary(self, primary: tuple[str, ...], words: str) -> None:
        deal = crm_deal(company=None, company_ids=("1", "2", "3"), primary_company_ids=primary)
        code, sentence, who = only_finding(deal)

        assert (code, who) == ("several_companies", SALES)
        assert sentence == f"The deal has 3 companies and {words}."

    def test_is_the_primary_one_of_several(self) -> None:
        deal = crm_deal(company_ids=("901", "902"), primary_company_ids=("901",))

        assert document(deal)["customer"] == "Acme Inc"

    @pytest.mark.parametrize(
        ("name", "domain", "shown"),
        [
            ("Acme Inc", "acme.example", "Acme Inc"),
            (None, "acme.example", "acme.example"),
            ("", None, "Company 901"),
            (" Acme Inc ", None, "Acme Inc"),
            ("  ", " ", "Company 901"),
        ],
    )
    def test_is_called_by_name_domain_or_id(self, name: str | None, domain: str | None, shown: str) -> None:
        assert document(crm_deal(company={**ACME, "name": name, "domain": domain}))["customer"] == shown
