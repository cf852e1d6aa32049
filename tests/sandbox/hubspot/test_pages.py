"""The pages, without a browser."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.hubspot.app import create_app
from sandbox.hubspot.model import associations, objects
from sandbox.hubspot.object_types import DEAL, LINE_ITEM
from sandbox.hubspot.settings import Settings
from sandbox.kit.app import get_kit
from tests.sandbox.hubspot.client import ACME, ACME_DEAL, ALPENGLOW, NORTHWIND, Client
from tests.sandbox.support import Receiver

PORTAL = f"/portals/{NORTHWIND}"
INITECH_TIERS = "30200000004"
CARD: dict[str, Any] = {
    "status": {"text": "Acme Inc owes $1,000.00.", "tone": "warning"},
    "totals": [{"currency": "USD", "open": "1000.00", "overdue": "0.00"}],
    "next_charge": {"date": "2026-12-01", "amount": "1000.00", "currency": "USD", "why": "10 seats"},
    "invoices": [
        {
            "number": "1042",
            "date": "2026-11-01",
            "due": "2026-12-01",
            "total": "1000.00",
            "balance": "500.00",
            "currency": "USD",
            "status": "partly_paid",
            "status_text": "Partly paid",
            "url": "javascript:alert(1)",
        }
    ],
    "churn_risk": {"score": 62, "level": "medium", "reasons": ["Paid late twice"]},
    "problems": [{"text": "<b>The term</b> is empty", "who": "sales rep", "action": "Set the term"}],
    "connections": {"hubspot": "connected", "quickbooks": "revoked"},
    "as_of": "2026-11-24T23:10:00Z",
}


def _page(hubspot: Client, path: str) -> str:
    answer = hubspot.http.get(f"{hubspot.url}{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


class TestBoard:
    def test_lists_the_accounts(self, installed: Client) -> None:
        page = _page(installed, "/")

        assert "Northwind Software" in page
        assert "Dealwright installed" in page

    def test_shows_deals_in_their_columns(self, hubspot: Client) -> None:
        page = _page(hubspot, f"{PORTAL}/board")

        column = page.split('data-stage="contractsent"')[1].split("</section>")[0]
        assert [text for text in ("Acme - Platform", "$3,500.00", "Acme Inc", "1 Dec 2026") if text not in column] == []

    def test_shows_another_pipeline(self, hubspot: Client) -> None:
        page = _page(hubspot, f"{PORTAL}/board?pipeline=75283014")

        assert "Initech - More seats" in page
        assert "Acme - Platform" not in page

    def test_moving_a_deal_is_told_to_the_app(self, installed: Client, receiver: Receiver) -> None:
        answer = installed.http.post(f"{installed.url}{PORTAL}/deals/{ACME_DEAL}/stage", data={"stage": "closedwon"})

        assert answer.status_code == 200
        event = json.loads(receiver.wait_for(1)[0].body)[0]
        assert (event["propertyValue"], event["changeSource"]) == ("closedwon", "CRM_UI")

    def test_adding_a_deal_makes_its_company(self, hubspot: Client) -> None:
        form = {"dealname": "Hooli - Try", "pipeline": "default", "company": "Hooli"}
        page = hubspot.http.post(f"{hubspot.url}{PORTAL}/deals", data=form).text

        assert "Hooli - Try" in page
        assert "Hooli</a>" in page

    def test_unknown_account_is_a_page_too(self, hubspot: Client) -> None:
        answer = hubspot.http.get(f"{hubspot.url}/portals/1/board")

        assert answer.status_code == 404
        assert "<h1>" in answer.text

    def test_address_of_hubspot_leads_to_the_record(self, hubspot: Client) -> None:
        answer = hubspot.http.get(f"{hubspot.url}/contacts/{NORTHWIND}/record/0-2/{ACME}")

        assert answer.url.endswith(f"{PORTAL}/companies/{ACME}")


class TestDealPage:
    def test_line_items_can_be_changed_added_and_removed(self, hubspot: Client) -> None:
        lines = f"{hubspot.url}{PORTAL}/deals/{ACME_DEAL}/lines"
        hubspot.http.post(f"{lines}/30200000001", data={"action": "save", "quantity": "12"})
        hubspot.http.post(f"{lines}/30200000002", data={"action": "remove"})
        page = hubspot.http.post(lines, data={"name": "Training", "quantity": "1", "price": "50"}).text

        assert "Training" in page
        assert "Set-up" not in page
        assert "$1,250.00" in page

    def test_tiers_discounts_and_delays_can_be_changed(self, hubspot: Client) -> None:
        line = f"{hubspot.url}{PORTAL}/deals/{ACME_DEAL}/lines/30200000001"
        tiers = {"hs_tier_ranges": '[{"start":0}]', "hs_tier_prices": '[{"index":0,"price":90}]'}
        form = {"action": "save", "price": "", "hs_pricing_model": "volume", "discount": "5", **tiers}
        delay = {"hs_billing_start_delay_type": "hs_billing_start_delay_days", "hs_billing_start_delay_days": "14"}
        page = hubspot.http.post(line, data={**form, **delay}).text

        assert "$850.00" in page
        shown = ['value="volume" selected', 'value="hs_billing_start_delay_days" selected', 'value="14"', "&#34;start"]
        assert [text for text in shown if text not in page] == []

    def test_what_a_line_has_is_not_folded_away(self, hubspot: Client) -> None:
        plain, tiered = (_page(hubspot, f"{PORTAL}/deals/{deal_id}") for deal_id in (ACME_DEAL, INITECH_TIERS))

        assert (plain.count("<details open>"), tiered.count("<details open>")) == (0, 1)

    def test_price_of_a_tiered_line_is_a_sentence(self, hubspot: Client) -> None:
        form = {"action": "save", "hs_pricing_model": "volume"}
        answer = hubspot.http.post(f"{hubspot.url}{PORTAL}/deals/{ACME_DEAL}/lines/30200000001", data=form)

        assert answer.status_code == 400
        assert "price must not be set" in answer.text

    def test_wrong_value_is_a_sentence(self, hubspot: Client) -> None:
        form = {"action": "save", "recurringbillingfrequency": "weekly"}
        answer = hubspot.http.post(f"{hubspot.url}{PORTAL}/deals/{ACME_DEAL}/lines/30200000001", data=form)

        assert answer.status_code == 400
        assert "does not fit the billing frequency" in answer.text

    def test_close_day_is_that_day_in_the_account(self, hubspot: Client) -> None:
        url = f"{hubspot.url}{PORTAL}/deals/{ACME_DEAL}"
        page = hubspot.http.post(url, data={"action": "save", "closedate": "2027-01-31"}).text

        assert 'name="closedate" value="2027-01-31"' in page


class TestCard:
    PATH = f"{PORTAL}/companies/{ACME}/billing"

    def test_is_shown_readably(self, installed: Client, receiver: Receiver) -> None:
        receiver.default = (200, json.dumps(CARD).encode())
        page = _page(installed, self.PATH)

        expected = [
            "Acme Inc owes $1,000.00.", "$500.00", "1 Dec 2026", "10 seats", "1042", "Partly paid", "medium",
            "Paid late twice", "QuickBooks: revoked", "sales rep", "24 Nov 2026, 18:10",
        ]  # fmt: skip
        assert [text for text in expected if text not in page] == []
        assert "<b>The term" not in page
        assert "javascript:" not in page
        assert receiver.requests[0].target.startswith(f"/cards/v1/companies/{ACME}/billing?userId=501&portalId=")

    @pytest.mark.parametrize(
        "card",
        [
            {},
            {"status": None, "totals": None, "next_charge": None, "invoices": None, "churn_risk": None},
            {"status": "odd", "totals": "odd", "next_charge": "odd", "invoices": [None, {}], "problems": ["odd", {}]},
            {"totals": [{}, None], "churn_risk": {}, "connections": [], "as_of": "yesterday", "more": {"a": 1}},
            {"totals": [{"open": "many", "overdue": 3}], "invoices": [{"total": None, "date": "x", "url": 5}]},
        ],
    )
    def test_odd_answers_never_break_the_page(self, installed: Client, receiver: Receiver, card: Any) -> None:
        receiver.default = (200, json.dumps(card).encode())

        assert 'class="status' in _page(installed, self.PATH)

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            ((500, b'{"message": "The database is away"}'), "(500): The database is away"),
            ((401, b"no json"), "(401)."),
            ((200, b"[1]"), "not a JSON object"),
        ],
    )
    def test_error_of_the_app_is_a_sentence(
        self, installed: Client, receiver: Receiver, answer: tuple[int, bytes], sentence: str
    ) -> None:
        receiver.default = answer

        assert sentence in _page(installed, self.PATH)

    def test_says_when_the_app_is_not_installed(self, hubspot: Client) -> None:
        assert "is not installed in Northwind Software" in _page(hubspot, self.PATH)

    def test_app_is_opened_through_a_signed_call(self, installed: Client, receiver: Receiver) -> None:
        receiver.default = (200, b'{"url": "http://localhost:1/signin/abc"}')
        answer = installed.http.post(f"{installed.url}{PORTAL}/open-app", allow_redirects=False)

        assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost:1/signin/abc")
        request = receiver.requests[0]
        assert (request.method, request.target.split("?")[0]) == ("POST", "/cards/v1/signin-link")
        assert "x-hubspot-signature-v3" in request.headers


class TestState:
    def test_survives_a_restart(self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SANDBOX_STATE_DIR", str(tmp_path))
        first = create_app(settings)
        client = first.test_client()
        client.post(f"{PORTAL}/deals/{ACME_DEAL}/stage", data={"stage": "closedwon"})
        get_kit(first).close()

        second = create_app(settings)
        portal = second.extensions["hubspot"].portals.get(NORTHWIND)
        assert portal.data["objects"]["deal"][ACME_DEAL]["properties"]["dealstage"] == "closedwon"
        assert portal.next_id("deal") != ACME_DEAL
        get_kit(second).close()

    def test_of_an_older_version_gets_the_properties_added_since(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SANDBOX_STATE_DIR", str(tmp_path))
        first = create_app(settings)
        definitions = first.extensions["hubspot"].portals.get(NORTHWIND).data["properties"]["line_item"]
        del definitions["hs_tier_ranges"]
        definitions["price"]["label"] = "Renamed"
        get_kit(first).store.changed()
        get_kit(first).close()

        second = create_app(settings)
        definitions = second.extensions["hubspot"].portals.get(NORTHWIND).data["properties"]["line_item"]
        assert definitions["hs_tier_ranges"]["label"] == "Tier ranges"
        assert definitions["price"]["label"] == "Renamed"
        get_kit(second).close()


class TestSeed:
    @pytest.mark.parametrize("hub_id", [NORTHWIND, ALPENGLOW])
    def test_has_a_discount_and_tiers_in_each_account(self, hubspot: Client, hub_id: int) -> None:
        portal = hubspot.parts.portals.get(hub_id)
        lines = [objects.values(portal, LINE_ITEM, record) for record in objects.listed(portal, LINE_ITEM)]

        assert any(line.get("discount") or line.get("hs_discount_percentage") for line in lines)
        assert any(line.get("hs_tier_ranges") for line in lines)
        assert all(line["amount"] for line in lines)

    @pytest.mark.parametrize("hub_id", [NORTHWIND, ALPENGLOW])
    def test_amounts_of_deals_with_tiers_are_those_of_their_lines(self, hubspot: Client, hub_id: int) -> None:
        portal = hubspot.parts.portals.get(hub_id)
        tiered = 0
        for deal in objects.listed(portal, DEAL):
            ids = associations.linked_ids(portal, DEAL, deal["id"], LINE_ITEM)
            lines = [objects.values(portal, LINE_ITEM, objects.get(portal, LINE_ITEM, line_id)) for line_id in ids]
            if any(line.get("hs_tier_ranges") for line in lines):
                tiered += 1
                assert Decimal(deal["properties"]["amount"]) == sum(Decimal(line["amount"] or 0) for line in lines)
        assert tiered == 1
