"""Whatever HubSpot holds: a deal is a question, or a document that the core can read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing import preview
from app.ports import CrmDeal, CrmLine
from tests.app.deals.readings import document, read
from tests.app.deals.test_service import EVERY_FREQUENCY, PAYMENTS
from tests.app.deals.test_tiers import PRICES, RANGES, tiered
from tests.factories import crm_deal, crm_line, setup_line

RENEWS = {"hs_recurring_billing_terms": "AUTOMATICALLY_RENEW"}
LATER = crm_line("503", name="Support", hs_recurring_billing_start_date="2027-04-15")
OPEN = crm_line("504", name="Hosting", hs_recurring_billing_period=None, **{PAYMENTS: None})


def is_valid(deal: CrmDeal) -> bool:
    """Say whether the core can read the document of a deal that is understood; it may have a question of its own."""
    answer = preview(document(deal), as_of=date(2027, 3, 1))
    return answer.status != "invalid"


class TestDocuments:
    @pytest.mark.parametrize(
        "lines",
        [
            (crm_line(), setup_line()),
            (crm_line(hs_discount_percentage="10"),),
            (crm_line(discount="5", amount="950"),),
            (crm_line(**tiered()),),
            (crm_line(**tiered(hs_pricing_model="graduated")),),
            (crm_line(**tiered(hs_pricing_model="stairstep", hs_discount_percentage="5")),),
            (setup_line(**tiered()),),
            (crm_line(), LATER, setup_line(hs_recurring_billing_start_date="2027-06-01")),
            (crm_line(), crm_line("503", hs_recurring_billing_period="P2Y")),
            (crm_line(), OPEN, LATER),
            (OPEN,),
            (crm_line(**RENEWS), LATER),
            (crm_line(), crm_line("503", recurringbillingfrequency="weekly", hs_recurring_billing_period="P26W")),
            (setup_line(hs_billing_start_delay_months="3"),),
            (crm_line(quantity="0", price="0"),),
        ],
    )
    def test_of_every_kind_of_deal_are_valid(self, lines: tuple[CrmLine, ...]) -> None:
        assert is_valid(crm_deal(*lines))

    @pytest.mark.parametrize("frequency", EVERY_FREQUENCY)
    def test_of_every_frequency_are_valid(self, frequency: str) -> None:
        term = "P52W" if frequency.endswith("weekly") else "P60M"

        assert is_valid(crm_deal(crm_line(recurringbillingfrequency=frequency, hs_recurring_billing_period=term)))


def one_of(*values: str | None) -> st.SearchStrategy[str | None]:
    return st.sampled_from(values)


ODD = st.text(max_size=12)
# Lines that are understood, and what a hand or another app may make of one of their properties.
LINES: list[dict[str, str | None]] = [
    dict(crm_line().properties),
    dict(setup_line().properties),
    dict(setup_line(hs_recurring_billing_start_date="2027-06-01").properties),
    dict(crm_line(**tiered(hs_pricing_model="graduated")).properties),
    dict(crm_line(discount="5", amount="950").properties),
    dict(crm_line(recurringbillingfrequency="weekly", hs_recurring_billing_period="P52W").properties),
    dict(crm_line(recurringbillingfrequency="per_two_years", hs_recurring_billing_period="P4Y").properties),
    dict(crm_line(**RENEWS).properties),
    dict(LATER.properties),
    dict(OPEN.properties),
]
CHANGES = {
    "name": one_of("Platform", "", "  ", None),
    "quantity": one_of("1", "150", "0", "2.5", "0.123456789012", "-1", "1e30", None),
    "price": one_of(None, "0", "0.000000000001", "1e-13", "99999999999", "99999999999999999999999999", "-3"),
    "amount": one_of(None, "100", "15000", "0"),
    "discount": one_of("0", "5", "150", "1e13") | ODD,
    "hs_discount_percentage": one_of("0", "12.5", "0.000000000001", "100", "101"),
    "hs_pricing_model": one_of(None, "flat", "volume", "graduated", "stairstep"),
    "hs_tier_ranges": one_of(None, RANGES, '[{"start":0}]', '[{"start":1,"end":149}]') | ODD,
    "hs_tier_prices": one_of(None, PRICES, '[{"index":0,"price":1e25}]'),
    "recurringbillingfrequency": one_of(None, *EVERY_FREQUENCY),
    "hs_recurring_billing_period": one_of("P1Y", "P1200M", "P5000W", "P9999W", "P7D", "P36500D") | ODD,
    "hs_recurring_billing_terms": one_of("FIXED", "AUTOMATICALLY_RENEW"),
    "hs_recurring_billing_start_date": one_of("2027-04-15", "1969-12-31", "1970-01-01", "2199-12-31") | ODD,
    "hs_billing_start_delay_days": one_of("14", "3650"),
    "hs_billing_start_delay_months": one_of("0", "120"),
    "hs_line_item_currency_code": one_of("USD", "EUR"),
    "hs_sku": one_of("", " ", "PLAT"),
    PAYMENTS: one_of("12", "1", "9999", None),
}
CHANGE = st.just({}) | st.one_of([st.fixed_dictionaries({name: value}) for name, value in CHANGES.items()])
LINE = st.builds(lambda line, change: line | change, st.sampled_from(LINES), CHANGE)


class TestAnyDeal:
    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(st.lists(LINE, min_size=1, max_size=3), one_of("2027-03-01", "2028-02-29", "1970-01-01", "2199-12-31", None))
    def test_is_a_question_or_a_valid_document(self, lines: list[dict[str, str | None]], closedate: str | None) -> None:
        made = [CrmLine(str(501 + n), properties) for n, properties in enumerate(lines)]
        found = read(crm_deal(*made, closedate=closedate))

        assert (found.document is None) is bool(found.findings)
        if found.document is not None:
            short = found.document | {"until": found.document["start"]}
            assert preview(short, as_of=date(2027, 3, 1)).status != "invalid"


class TestFirstInvoice:
    """What the core bills for a whole period is the net price that HubSpot shows on the line."""

    @pytest.mark.parametrize(
        ("properties", "net"),
        [
            ({}, "1000.00"),
            ({"hs_discount_percentage": "12.5"}, "875.00"),
            ({"discount": "5"}, "950.00"),
            (tiered(), "12075.00"),
            (tiered(hs_pricing_model="graduated", quantity="250"), "21010.00"),
            (tiered(hs_pricing_model="stairstep"), "80.50"),
            (tiered(hs_discount_percentage="10"), "10867.50"),
            (tiered(discount="5"), "11325.00"),
        ],
    )
    @pytest.mark.parametrize("frequency", EVERY_FREQUENCY)
    def test_is_hubspots_net_price(self, frequency: str, properties: dict[str, str | None], net: str) -> None:
        term = "P52W" if frequency.endswith("weekly") else "P60M"
        line = crm_line(
            **properties, amount=net, recurringbillingfrequency=frequency, hs_recurring_billing_period=term
        )  # fmt: skip
        answer = preview(document(crm_deal(line)), as_of=date(2027, 3, 1))

        assert answer.status == "ok"
        assert answer.to_json()["documents"][0]["net"] == net

    def test_of_a_line_that_starts_later_is_whole_on_its_own_day(self) -> None:
        documents = preview(document(crm_deal(crm_line(), LATER)), as_of=date(2027, 3, 1)).to_json()["documents"]
        support = [(each["date"], each["net"]) for each in documents if each["lines"][0]["item"] == "item-503"]

        assert (support[0], support[-1], len(support)) == (("2027-04-15", "1000.00"), ("2028-03-15", "1000.00"), 12)

    def test_of_a_one_time_line_is_on_the_day_it_names(self) -> None:
        deal = crm_deal(crm_line(), setup_line(hs_recurring_billing_start_date="2027-05-20"))
        documents = preview(document(deal), as_of=date(2027, 3, 1)).to_json()["documents"]

        assert [each["net"] for each in documents if each["date"] == "2027-05-20"] == ["2500.00"]
