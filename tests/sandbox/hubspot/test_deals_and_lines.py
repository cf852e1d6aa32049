"""What follows from a deal's stage and from a line item's numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot.client import ACME_DEAL, Client

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
        ],
    )
    def test_refuses_what_contradicts(self, installed: Client, properties: dict[str, str], code: str) -> None:
        answer = installed.call("POST", "/crm/objects/2026-09/line_items", {"properties": properties})

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)

    def test_writing_lines_by_api_leaves_the_amount_of_the_deal(self, installed: Client) -> None:
        line = {"properties": {"price": "999"}, "associations": []}
        line_id = installed.call("POST", "/crm/objects/2026-09/line_items", line).json()["id"]
        path = f"/crm/objects/2026-09/line_items/{line_id}/associations/default/deals/{ACME_DEAL}"
        assert installed.call("PUT", path).status_code == 200

        assert installed.get(f"{DEALS}/{ACME_DEAL}")["properties"]["amount"] == "3500.00"
