"""What follows from a deal's stage and from a line item's numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.hubspot.client import ACME_DEAL, Client

RANGES = '[{"start":0,"end":99},{"start":100,"end":199},{"start":200}]'
PRICES = '[{"index":0,"price":10},{"index":2,"price":5.50},{"index":1,"price":8}]'
DEALS = "/crm/objects/2026-09/deals"


class TestStages:
    def test_pipelines_tell_won_by_metadata_in_text(self, installed: Client) -> None:
        pipelines = installed.get("/crm/pipelines/2026-09/deals")["results"]

        won = [
            stage["id"]
            for pipeline in pipelines
            for stage in pipeline["stages"]
            if stage["metadata"] == {"isClosed": "true", "probability": "1.0"}
        ]
        assert won == ["closedwon", "148302214"]

    @pytest.mark.parametrize(
        ("pipeline", "stage", "closed", "won"),
        [
            ("default", "closedwon", "true", "true"),
            ("default", "closedlost", "true", "false"),
            ("75283014", "148302214", "true", "true"),
            ("75283014", "148302213", "false", "false"),
        ],
    )
    def test_deal_is_closed_by_its_stage(
        self, installed: Client, pipeline: str, stage: str, closed: str, won: str
    ) -> None:
        installed.person_changes("deals", ACME_DEAL, pipeline=pipeline, dealstage=stage)

        asked = "hs_is_closed,hs_is_closed_won"
        properties = installed.get(f"{DEALS}/{ACME_DEAL}?properties={asked}")["properties"]
        assert (properties["hs_is_closed"], properties["hs_is_closed_won"]) == (closed, won)

    def test_closing_sets_the_close_date_to_the_day_people_see(self, installed: Client) -> None:
        installed.control("clock", {"date": "2027-03-05"})
        installed.person_changes("deals", ACME_DEAL, dealstage="closedwon")

        deal = installed.get(f"{DEALS}/{ACME_DEAL}")["properties"]
        assert deal["closedate"][:10] in ("2027-03-05", "2027-03-06")
        assert deal["hs_lastmodifieddate"] < "2027-03"


class TestLineItems:
    def _create(self, installed: Client, **properties: str) -> Any:
        answer = installed.call("POST", "/crm/objects/2026-09/line_items", {"properties": properties})
        assert answer.status_code == 201, answer.text
        names = "amount,hs_recurring_billing_number_of_payments,hs_recurring_billing_end_date,hs_term_in_months"
        return installed.get(f"/crm/objects/2026-09/line_items/{answer.json()['id']}?properties={names}")["properties"]

    @pytest.mark.parametrize(
        ("properties", "amount"),
        [
            ({"quantity": "10", "price": "100.00"}, "1000.00"),
            ({"quantity": "2", "price": "390", "discount": "40"}, "700.00"),
            ({"quantity": "15", "price": "330.00", "hs_discount_percentage": "10"}, "4455.00"),
            ({"price": "5"}, "5.00"),
        ],
    )
    def test_amount_is_the_net_price(self, installed: Client, properties: dict[str, str], amount: str) -> None:
        assert self._create(installed, **properties)["amount"] == amount

    @pytest.mark.parametrize(
        ("model", "quantity", "amount"),
        [
            ("volume", "99", "990.00"), ("volume", "100", "800.00"), ("graduated", "99", "990.00"),
            ("graduated", "100", "998.00"), ("graduated", "250.5", "2073.25"), ("stairstep", "99", "10.00"),
            ("stairstep", "300", "5.50"), ("volume", "0", "0.00"),
        ],
    )  # fmt: skip
    def test_amount_of_tiers_follows_their_model(
        self, installed: Client, model: str, quantity: str, amount: str
    ) -> None:
        found = self._create(
            installed, quantity=quantity, hs_pricing_model=model, hs_tier_ranges=RANGES, hs_tier_prices=PRICES
        )

        assert found["amount"] == amount

    @pytest.mark.parametrize(
        ("ranges", "prices"),
        [
            ("0-99", PRICES),
            (RANGES, ""),
            (RANGES, '[{"index":0,"price":1}]'),
            ('[{"start":0,"end":5}]', '[{"index":0,"price":1}]'),
            ("[1]", "[1]"),
            ("{}", PRICES),
            ('[{"start":0,"end":"99"}]', PRICES),
            ('[{"start":0}]', '[{"index":0,"price":NaN}]'),
            ('[{"start":0}]', '[{"index":0,"price":1e99}]'),
            ("[" * 50_000, PRICES),
        ],
    )
    @pytest.mark.parametrize("model", ["volume", "graduated", "stairstep"])
    def test_tiers_that_give_no_price_have_no_amount(
        self, installed: Client, model: str, ranges: str, prices: str
    ) -> None:
        found = self._create(
            installed, quantity="10", hs_pricing_model=model, hs_tier_ranges=ranges, hs_tier_prices=prices
        )

        assert found["amount"] is None

    def test_tier_prices_are_those_of_the_lines_currency(self, installed: Client) -> None:
        prices = [{"index": 0, "price": 9, "currency": "EUR"}, {"index": 0, "price": 10, "currency": "USD"}]
        tiers = {"hs_tier_ranges": '[{"start":0}]', "hs_tier_prices": json.dumps(prices)}
        euro = self._create(
            installed, quantity="2", hs_pricing_model="volume", hs_line_item_currency_code="EUR", **tiers
        )

        assert euro["amount"] == "18.00"
        assert self._create(installed, quantity="2", hs_pricing_model="volume", **tiers)["amount"] == "20.00"

    def test_a_line_without_term_has_no_number_of_payments(self, installed: Client) -> None:
        found = self._create(installed, price="1", recurringbillingfrequency="monthly")

        assert found["hs_recurring_billing_number_of_payments"] is None

    def test_term_and_frequency_give_the_payments(self, installed: Client) -> None:
        found = self._create(
            installed,
            price="1",
            recurringbillingfrequency="quarterly",
            hs_recurring_billing_period="P2Y",
            hs_recurring_billing_start_date="2026-01-31",
        )

        assert found["hs_recurring_billing_number_of_payments"] == "8"
        assert (found["hs_term_in_months"], found["hs_recurring_billing_end_date"]) == ("24", "2028-01-30")

    @pytest.mark.parametrize(
        ("properties", "code"),
        [
            (
                {"recurringbillingfrequency": "monthly", "hs_recurring_billing_period": "P10D"},
                "BILLING_PERIOD_TO_FREQUENCY_FORM_MISMATCH",
            ),
            (
                {"recurringbillingfrequency": "weekly", "hs_recurring_billing_period": "P12M"},
                "BILLING_PERIOD_TO_FREQUENCY_FORM_MISMATCH",
            ),
            ({"recurringbillingfrequency": "daily"}, "INVALID_OPTION"),
            ({"price": "-1"}, "INVALID_PRICE"),
            ({"hs_pricing_model": "package"}, "INVALID_OPTION"),
            ({"hs_billing_start_delay_type": "hs_other"}, "INVALID_OPTION"),
        ],
    )
    def test_refuses_what_contradicts(self, installed: Client, properties: dict[str, str], code: str) -> None:
        answer = installed.call("POST", "/crm/objects/2026-09/line_items", {"properties": properties})

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)

    @pytest.mark.parametrize("model", ["volume", "graduated", "stairstep"])
    @pytest.mark.parametrize("price", ["5", "0"])
    def test_tiered_line_has_no_price(self, installed: Client, model: str, price: str) -> None:
        line = {"price": price, "hs_pricing_model": model, "hs_tier_ranges": RANGES, "hs_tier_prices": PRICES}
        answer = installed.call("POST", "/crm/objects/2026-09/line_items", {"properties": line})

        assert (answer.status_code, answer.json()["errors"][0]["context"]) == (400, {"propertyName": ["price"]})

    def test_price_is_refused_when_it_comes_to_a_tiered_line(self, installed: Client) -> None:
        line = {"hs_pricing_model": "volume", "hs_tier_ranges": RANGES, "hs_tier_prices": PRICES}
        path = "/crm/objects/2026-09/line_items"
        made = installed.call("POST", path, {"properties": line}).json()["id"]

        refused = installed.call("PATCH", f"{path}/{made}", {"properties": {"price": "5"}})
        assert (refused.status_code, refused.json()["message"]) == (
            400, "price must not be set with a tiered pricing model",
        )  # fmt: skip
        flat = installed.call("PATCH", f"{path}/{made}", {"properties": {"price": "5", "hs_pricing_model": "flat"}})
        assert flat.status_code == 200

    def test_writing_lines_by_api_leaves_the_amount_of_the_deal(self, installed: Client) -> None:
        line = {"properties": {"price": "999"}, "associations": []}
        line_id = installed.call("POST", "/crm/objects/2026-09/line_items", line).json()["id"]
        path = f"/crm/objects/2026-09/line_items/{line_id}/associations/default/deals/{ACME_DEAL}"
        assert installed.call("PUT", path).status_code == 200

        assert installed.get(f"{DEALS}/{ACME_DEAL}")["properties"]["amount"] == "3500.00"
