"""Records over plain HTTP: paths, reading, writing, batches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.hubspot.client import ACME, ACME_DEAL, Client

DEALS = "/crm/objects/2026-09/deals"


class TestDatedPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/crm/v3/objects/deals",
            "/crm/v4/associations/deals/line_items/batch/read",
            "/crm/v3/pipelines/deals",
            "/oauth/v1/token",
            "/crm/objects/2025-09/deals",
        ],
    )
    def test_others_are_gone(self, installed: Client, path: str) -> None:
        for method in ("GET", "POST"):
            answer = installed.call(method, path)
            assert answer.status_code == 404
            assert answer.json()["status"] == "error"

    @pytest.mark.parametrize("version", ["2026-09", "2026-03"])
    def test_both_versions_answer(self, installed: Client, version: str) -> None:
        assert installed.get(f"/crm/objects/{version}/deals/{ACME_DEAL}")["id"] == ACME_DEAL


class TestRead:
    def test_gives_the_default_set_as_text(self, installed: Client) -> None:
        answer = installed.get(f"{DEALS}/{ACME_DEAL}")

        properties = answer["properties"]
        assert set(properties) == {
            "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
            "pipeline",
        }  # fmt: skip
        assert properties["amount"] == "3500.00"
        assert {type(value) for value in properties.values()} == {str}
        assert (answer["archived"], "associations" in answer) == (False, False)

    def test_gives_only_the_asked_properties(self, installed: Client) -> None:
        asked = "dealname,description&properties=hs_is_closed_won&properties=no_such_one"
        properties = installed.get(f"{DEALS}/{ACME_DEAL}?properties={asked}")["properties"]

        expected = {"dealname", "description", "hs_is_closed_won", "createdate", "hs_lastmodifieddate", "hs_object_id"}
        assert set(properties) == expected
        assert (properties["description"], properties["hs_is_closed_won"]) == (None, "false")

    def test_gives_associations_under_their_names(self, installed: Client) -> None:
        answer = installed.get(f"{DEALS}/{ACME_DEAL}?associations=line_items,companies,contacts")

        groups = answer["associations"]
        assert set(groups) == {"line items", "companies", "contacts"}
        assert groups["companies"]["results"] == [
            {"id": ACME, "type": "deal_to_company"},
            {"id": ACME, "type": "deal_to_company_unlabeled"},
        ]
        assert [row["type"] for row in groups["line items"]["results"]] == ["deal_to_line_item"] * 2

    @pytest.mark.parametrize("name", ["0-3", "deal", "deals"])
    def test_type_has_several_names(self, installed: Client, name: str) -> None:
        assert installed.get(f"/crm/objects/2026-09/{name}/{ACME_DEAL}")["id"] == ACME_DEAL

    def test_ids_are_wide_text_and_unique_within_a_type_only(self, installed: Client) -> None:
        deal = installed.get(f"{DEALS}/{ACME_DEAL}")
        company = installed.get(f"/crm/objects/2026-09/companies/{ACME}")

        assert deal["id"] == company["id"]
        assert int(deal["id"]) > 2**32

    def test_missing_record_has_the_error_shape(self, installed: Client) -> None:
        answer = installed.call("GET", f"{DEALS}/1")

        body = answer.json()
        assert (answer.status_code, body["status"], body["category"]) == (404, "error", "OBJECT_NOT_FOUND")
        assert {"message", "correlationId"} <= set(body)

    def test_list_pages_through_all(self, installed: Client) -> None:
        first = installed.get(f"{DEALS}?limit=4")
        second = installed.get(f"{DEALS}?limit=4&after={first['paging']['next']['after']}")

        assert (len(first["results"]), len(second["results"]), "paging" in second) == (4, 2, False)
        assert installed.call("GET", f"{DEALS}?limit=101").status_code == 400


class TestWrite:
    def test_create_answers_201_and_links(self, installed: Client) -> None:
        link = {
            "to": {"id": ACME},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}],
        }
        body = {"properties": {"dealname": "New", "dealstage": "contractsent"}, "associations": [link]}
        answer = installed.call("POST", DEALS, body)

        deal_id = answer.json()["id"]
        assert answer.status_code == 201
        companies = installed.get(f"{DEALS}/{deal_id}?associations=companies")["associations"]["companies"]
        assert {row["id"] for row in companies["results"]} == {ACME}

    def test_update_changes_the_time_of_modification(self, installed: Client) -> None:
        before = installed.get(f"{DEALS}/{ACME_DEAL}")["properties"]
        body = {"properties": {"dealname": "Acme - Bigger", "amount": 4000}}
        after = installed.call("PATCH", f"{DEALS}/{ACME_DEAL}", body).json()["properties"]

        assert (after["dealname"], after["amount"]) == ("Acme - Bigger", "4000")
        assert after["hs_lastmodifieddate"] > before["hs_lastmodifieddate"]

    @pytest.mark.parametrize(
        ("properties", "code"),
        [
            ({"no_such_one": "x"}, "PROPERTY_DOESNT_EXIST"),
            ({"hs_is_closed_won": "true"}, "READ_ONLY_VALUE"),
            ({"amount": "a lot"}, "INVALID_DOUBLE"),
            ({"dealtype": "renewal"}, "INVALID_OPTION"),
            ({"dealstage": "148302214"}, "INVALID_OPTION"),
            ({"closedate": "soon"}, "INVALID_LONG"),
        ],
    )
    def test_refuses_wrong_values(self, installed: Client, properties: dict[str, str], code: str) -> None:
        answer = installed.call("PATCH", f"{DEALS}/{ACME_DEAL}", {"properties": properties})

        body = answer.json()
        assert (answer.status_code, body["category"], body["errors"][0]["code"]) == (400, "VALIDATION_ERROR", code)
        assert body["errors"][0]["context"]["propertyName"] == list(properties)

    def test_dates_are_taken_as_iso_or_milliseconds(self, installed: Client) -> None:
        for value in ("2026-12-24T10:00:00Z", 1_798_106_400_000, "2026-12-24T11:00:00+01:00"):
            body = {"properties": {"closedate": value}}
            answer = installed.call("PATCH", f"{DEALS}/{ACME_DEAL}", body).json()
            assert answer["properties"]["closedate"] == "2026-12-24T10:00:00.000Z"

    def test_empty_text_clears(self, installed: Client) -> None:
        answer = installed.call("PATCH", f"{DEALS}/{ACME_DEAL}", {"properties": {"amount": ""}})

        assert answer.json()["properties"]["amount"] is None

    def test_archived_is_gone_from_readings_and_links(self, installed: Client) -> None:
        assert installed.call("DELETE", f"/crm/objects/2026-09/companies/{ACME}").status_code == 204

        assert installed.call("GET", f"/crm/objects/2026-09/companies/{ACME}").status_code == 404
        assert "associations" not in installed.get(f"{DEALS}/{ACME_DEAL}?associations=companies")
        archived = installed.get(f"/crm/objects/2026-09/companies/{ACME}?archived=true")
        assert archived["archived"] is True


class TestBatches:
    def test_read_answers_207_when_some_are_missing(self, installed: Client) -> None:
        body = {"inputs": [{"id": ACME_DEAL}, {"id": "1"}], "properties": ["dealname"]}
        answer = installed.call("POST", f"{DEALS}/batch/read", body)

        found = answer.json()
        assert (answer.status_code, found["numErrors"], found["errors"][0]["category"]) == (207, 1, "OBJECT_NOT_FOUND")
        assert [row["id"] for row in found["results"]] == [ACME_DEAL]

    def test_read_takes_at_most_100(self, installed: Client) -> None:
        body = {"inputs": [{"id": str(number)} for number in range(101)]}

        assert installed.call("POST", f"{DEALS}/batch/read", body).status_code == 400

    def test_create_makes_what_it_can(self, installed: Client) -> None:
        wrong: dict[str, Any] = {"properties": {"no_such_one": "x"}, "objectWriteTraceId": "second"}
        good = {"properties": {"dealname": "New"}}
        answer = installed.call("POST", f"{DEALS}/batch/create", {"inputs": [good, wrong]})

        body = answer.json()
        assert (answer.status_code, len(body["results"])) == (207, 1)
        assert body["errors"][0]["context"] == {"objectWriteTraceId": ["second"]}
        assert installed.call("POST", f"{DEALS}/batch/create", {"inputs": [good]}).status_code == 201
