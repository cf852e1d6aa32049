"""Every property of a deal and its line items: what is read from it, and the sentence where it can't be."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.deals import reading
from app.deals.reading import Reading
from app.ports import CrmDeal
from app.problems.actions import FINANCE, SALES
from tests.factories import ACME, ZONE, crm_deal, crm_line, setup_line, without_lines


def read(deal: CrmDeal, *, zone: str = ZONE, home_currency: str = "USD", net_days: int = 30) -> Reading:
    keys = {line.id: f"item-{line.id}" for line in deal.lines}
    return reading.read(deal, zone=zone, home_currency=home_currency, net_days=net_days, keys=keys)


def document(deal: CrmDeal, **options: Any) -> dict[str, Any]:
    """Return the document of a deal that is understood."""
    found = read(deal, **options)
    assert found.findings == ()
    assert found.document is not None
    return found.document


def only_finding(deal: CrmDeal, **options: Any) -> tuple[str, str, str]:
    """Return (code, sentence, who) of the one thing that isn't understood."""
    found = read(deal, **options)
    assert found.document is None
    (finding,) = found.findings
    assert finding.holds == "Billing of this deal waits."
    assert finding.action.endswith(".")
    return finding.code, finding.sentence, finding.who


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
        broken = crm_line(price=None, recurringbillingfrequency="weekly", hs_recurring_billing_period=None)
        found = read(crm_deal(broken, company=None, company_ids=(), closedate=None))

        assert [f.code for f in found.findings] == ["no_company", "no_close_date", "bad_number", "frequency", "no_term"]


class TestFrequency:
    @pytest.mark.parametrize(
        ("frequency", "interval"), [("monthly", "P1M"), ("quarterly", "P3M"), ("annually", "P1Y"), (" monthly ", "P1M")]
    )
    def test_is_read(self, frequency: str, interval: str) -> None:
        got = document(crm_deal(crm_line(recurringbillingfrequency=frequency)))

        assert got["items"][0]["price_interval"] == interval
        assert got["billing"] == {"interval": interval}

    @pytest.mark.parametrize("frequency", ["weekly", "biweekly", "per_six_months", "per_two_years", "Monthly", "x"])
    def test_asks_about_an_unknown_one(self, frequency: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(recurringbillingfrequency=frequency)))

        assert (code, who) == ("frequency", SALES)
        assert sentence == (
            f'"Platform" is billed "{frequency}". Dealwright bills monthly, quarterly and annually so far.'
        )

    @pytest.mark.parametrize("frequency", [None, "", " "])
    def test_makes_an_item_without_one_a_one_time_item(self, frequency: str | None) -> None:
        got = document(crm_deal(setup_line(recurringbillingfrequency=frequency)))

        assert got["items"][0]["kind"] == "one_time"
        assert "price_interval" not in got["items"][0]
        assert "billing" not in got

    def test_gives_lines_of_another_frequency_their_own_billing(self) -> None:
        yearly = crm_line("503", name="Support", recurringbillingfrequency="annually")
        got = document(crm_deal(crm_line(), yearly, setup_line()))

        assert got["billing"] == {"interval": "P1M"}
        assert [item.get("billing") for item in got["items"]] == [None, {"interval": "P1Y"}, None]


class TestTerm:
    @pytest.mark.parametrize(
        ("term", "months"), [("P12M", 12), ("P1Y", 12), ("P1Y6M", 18), ("P36M", 36), (" P1M ", 1), ("P2Y", 24)]
    )
    def test_is_read_in_months(self, term: str, months: int) -> None:
        assert document(crm_deal(crm_line(hs_recurring_billing_period=term)))["term_months"] == months

    @pytest.mark.parametrize("term", ["P7D", "P", "P0M", "12", "1 year", "P1Y2W", "P1.5Y", "p12m", "PT12M", "P-1M"])
    def test_asks_about_one_that_is_no_months(self, term: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_recurring_billing_period=term)))

        assert (code, who) == ("bad_term", SALES)
        assert sentence == f'"Platform" has the term "{term}". Dealwright bills terms in whole months so far.'

    @pytest.mark.parametrize("term", [None, "", "  "])
    def test_asks_for_a_missing_one(self, term: str | None) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_recurring_billing_period=term)))

        assert (code, who) == ("no_term", SALES)
        assert sentence == '"Platform" has no term, so Dealwright doesn\'t know how long to bill it.'

    def test_asks_when_lines_differ(self) -> None:
        other = crm_line("503", name="Support", hs_recurring_billing_period="P2Y")
        code, sentence, who = only_finding(crm_deal(crm_line(), other))

        assert (code, who) == ("several_terms", SALES)
        assert sentence == "The line items have different terms (12 months, 24 months)."

    def test_is_the_same_however_it_is_written(self) -> None:
        other = crm_line("503", name="Support", hs_recurring_billing_period="P1Y")

        assert document(crm_deal(crm_line(), other))["term_months"] == 12

    def test_is_twelve_months_where_only_one_time_items_are_sold(self) -> None:
        assert document(crm_deal(setup_line(hs_recurring_billing_period="P7D")))["term_months"] == 12


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


class TestStart:
    def test_is_the_lines_billing_start_date(self) -> None:
        deal = crm_deal(crm_line(hs_recurring_billing_start_date="2027-04-15"), setup_line())
        found = read(deal)

        assert found.document is not None
        assert (found.document["start"], found.won_on) == ("2027-04-15", date(2027, 3, 1))

    def test_ignores_a_start_date_on_a_one_time_line(self) -> None:
        deal = crm_deal(setup_line(hs_recurring_billing_start_date="2027-05-01"))

        assert document(deal)["start"] == "2027-03-01"

    def test_asks_when_lines_start_on_different_days(self) -> None:
        later = crm_line("503", name="Support", hs_recurring_billing_start_date="2027-04-01")
        code, sentence, who = only_finding(crm_deal(crm_line(), later))

        assert (code, who) == ("several_starts", SALES)
        assert sentence == (
            "The line items start on different days (2027-03-01, 2027-04-01), which Dealwright doesn't bill yet."
        )

    @pytest.mark.parametrize("raw", ["soon", "2027-02-29", "1803877200000", "01/03/2027"])
    def test_asks_about_one_that_is_no_date(self, raw: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_recurring_billing_start_date=raw)))

        assert (code, who) == ("bad_start", SALES)
        assert sentence == f'HubSpot has "{raw}" as the billing start date of "Platform".'


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


class TestNumbers:
    @pytest.mark.parametrize(
        ("raw", "read_as"),
        [
            ("100.00", "100"), ("1E+2", "100"), ("1e2", "100"), ("0.10", "0.1"), ("12.345", "12.345"), ("0", "0"),
            ("0.00", "0"), ("-0.00", "0"), ("0E-10", "0"), ("100", "100"), ("1E-3", "0.001"), ("  7 ", "7"),
        ],
    )  # fmt: skip
    def test_are_exact_plain_decimals(self, raw: str, read_as: str) -> None:
        item = document(crm_deal(crm_line(price=raw, quantity=raw)))["items"][0]

        assert (item["unit_price"], item["quantity"]) == (read_as, read_as)

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


class TestWhatIsNotBilledYet:
    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("discount", "5.00", "a discount per unit"),
            ("hs_discount_percentage", "10", "a discount in percent"),
            ("hs_tier_ranges", '[{"up_to": 10}]', "tiered prices"),
            ("hs_billing_start_delay_days", "14", "a billing start delayed by days"),
            ("hs_billing_start_delay_months", "1", "a billing start delayed by months"),
            ("hs_tax_rate_group_id", "77", "a tax rate"),
        ],
    )
    def test_asks_finance(self, name: str, value: str, words: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(**{name: value})))

        assert (code, who) == ("not_supported", FINANCE)
        assert sentence == f'"Platform" has {words}, which Dealwright doesn\'t bill yet.'

    @pytest.mark.parametrize("value", [None, "", " ", "0", "0.0", "0.00", "0.000000"])
    def test_takes_a_discount_of_nothing_as_none(self, value: str | None) -> None:
        document(crm_deal(crm_line(discount=value, hs_discount_percentage=value)))

    @pytest.mark.parametrize("model", ["volume", "graduated", "stairstep", "Flat rate"])
    def test_asks_about_a_pricing_model(self, model: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(hs_pricing_model=model)))

        assert (code, who) == ("not_supported", FINANCE)
        assert sentence == f'"Platform" has the pricing model "{model}", which Dealwright doesn\'t bill yet.'

    @pytest.mark.parametrize("model", [None, "", "flat"])
    def test_bills_flat_prices(self, model: str | None) -> None:
        document(crm_deal(crm_line(hs_pricing_model=model)))


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
        [("Acme Inc", "acme.example", "Acme Inc"), (None, "acme.example", "acme.example"), ("", None, "Company 901")],
    )
    def test_is_called_by_name_domain_or_id(self, name: str | None, domain: str | None, shown: str) -> None:
        assert document(crm_deal(company={**ACME, "name": name, "domain": domain}))["customer"] == shown
