"""Search, account details, rate limits, and the control API of accounts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot.client import ACME_DEAL, ALPENGLOW, NORTHWIND, Client

DEALS = "/crm/objects/2026-09/deals"


class TestSearch:
    def _ids(self, installed: Client, *filters: dict[str, Any], **more: Any) -> list[str]:
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], **more}
        answer = installed.call("POST", f"{DEALS}/search", body)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["results"]]

    def test_finds_what_changed_since_an_instant(self, installed: Client) -> None:
        modified = installed.get(f"{DEALS}/30200000006")["properties"]["hs_lastmodifieddate"]
        installed.person_changes("deals", ACME_DEAL, dealname="x")

        assert self._ids(installed, {"propertyName": "hs_lastmodifieddate", "operator": "GT", "value": modified}) == [
            ACME_DEAL
        ]

    def test_pages_and_sorts(self, installed: Client) -> None:
        sorts = [{"propertyName": "amount", "direction": "DESCENDING"}]
        body = {"sorts": sorts, "limit": 2, "properties": ["amount"]}
        answer = installed.call("POST", f"{DEALS}/search", body).json()

        assert (answer["total"], answer["paging"]["next"]["after"]) == (6, "2")
        assert [row["properties"]["amount"] for row in answer["results"]] == ["12000.00", "4455.00"]

    @pytest.mark.parametrize(
        ("rule", "count"),
        [
            ({"propertyName": "dealtype", "operator": "EQ", "value": "existingbusiness"}, 1),
            ({"propertyName": "amount", "operator": "BETWEEN", "value": "1000", "highValue": "4000"}, 2),
            ({"propertyName": "dealstage", "operator": "IN", "values": ["contractsent", "qualifiedtobuy"]}, 2),
            ({"propertyName": "description", "operator": "HAS_PROPERTY"}, 0),
            ({"propertyName": "dealname", "operator": "CONTAINS_TOKEN", "value": "acme"}, 1),
        ],
    )
    def test_filters(self, installed: Client, rule: dict[str, Any], count: int) -> None:
        assert len(self._ids(installed, rule)) == count

    def test_archived_are_never_found(self, installed: Client) -> None:
        installed.call("DELETE", f"{DEALS}/{ACME_DEAL}")

        assert ACME_DEAL not in self._ids(installed)

    @pytest.mark.parametrize(
        "body",
        [
            {"limit": 201},
            {"after": "9990", "limit": 100},
            {"filterGroups": [{"filters": []}] * 6},
            {"query": "x" * 3_000},
        ],
    )
    def test_has_limits(self, installed: Client, body: dict[str, Any]) -> None:
        assert installed.call("POST", f"{DEALS}/search", body).status_code == 400


class TestAccount:
    def test_details_have_zone_currency_and_kind(self, installed: Client) -> None:
        details = installed.get("/account-info/2026-09/details")

        names = ("portalId", "timeZone", "companyCurrency", "accountType", "uiDomain")
        assert [details[name] for name in names] == [
            NORTHWIND, "America/New_York", "USD", "STANDARD", "app.hubspot.com",
        ]  # fmt: skip
        assert details["utcOffset"] in ("-05:00", "-04:00")

    def test_europe_has_its_own_domain(self, hubspot: Client) -> None:
        hubspot.install(ALPENGLOW)

        assert hubspot.get("/account-info/2026-09/details")["uiDomain"] == "app-eu1.hubspot.com"


class TestRateLimit:
    def test_comes_when_ordered_in_the_words_of_hubspot(self, installed: Client) -> None:
        installed.control("faults", {"match": {"operation": "deal.*"}, "kind": "before", "status": 429})

        answer = installed.call("GET", f"{DEALS}/{ACME_DEAL}")

        body = answer.json()
        assert (answer.status_code, body["errorType"]) == (429, "RATE_LIMIT")
        assert body["policyName"] == "TEN_SECONDLY_ROLLING"
        assert installed.call("GET", f"{DEALS}/{ACME_DEAL}").status_code == 200


class TestControl:
    def test_new_account_is_empty_and_can_be_filled(self, hubspot: Client) -> None:
        spec = {
            "name": "Quiet Ltd",
            "timezone": "Europe/London",
            "currency": "GBP",
            "user": {"id": 9, "email": "q@quiet.example"},
        }
        hub_id = hubspot.control("portals", spec).json()["hub_id"]
        company = {"hub_id": hub_id, "type": "companies", "properties": {"name": "Shop"}}
        company_id = hubspot.control("objects", company).json()["id"]
        deal = {
            "hub_id": hub_id,
            "type": "deals",
            "properties": {"dealname": "Shop - One", "dealstage": "closedwon"},
            "associations": [{"to_type": "companies", "to_id": company_id}],
        }
        created = hubspot.control("objects", deal).json()

        hubspot.install(hub_id)
        answer = hubspot.get(f"{DEALS}/{created['id']}?associations=companies&properties=deal_currency_code")
        assert answer["properties"]["deal_currency_code"] == "GBP"
        assert answer["associations"]["companies"]["results"][0]["id"] == company_id

    def test_account_may_bring_its_own_pipelines(self, hubspot: Client) -> None:
        stages = [{"id": 1, "label": "Yes", "metadata": {"isClosed": True, "probability": "1.0"}}]
        spec = {
            "name": "Own",
            "timezone": "UTC",
            "currency": "USD",
            "user": {"id": 9, "email": "q@own.example"},
            "pipelines": [{"id": 77, "label": "Only", "stages": stages}],
        }
        answer = hubspot.control("portals", spec).json()

        assert answer["pipelines"][0]["stages"][0]["metadata"] == {"isClosed": "true", "probability": "1.0"}

    @pytest.mark.parametrize("spec", [{}, None, {"name": "x", "timezone": "Mars", "currency": "USD", "user": {}}])
    def test_wrong_description_is_refused(self, hubspot: Client, spec: Any) -> None:
        assert hubspot.control("portals", spec).status_code == 400
