"""Associations, and property definitions."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.sandbox.hubspot.client import ACME, ACME_DEAL, Client

DEALS = "/crm/objects/2026-09/deals"


class TestAssociations:
    READ = "/crm/associations/2026-09/deals/companies/batch/read"

    def _types(self, installed: Client, deal_id: str) -> dict[str, list[int]]:
        found = installed.call("POST", self.READ, {"inputs": [{"id": deal_id}]}).json()["results"]
        rows = found[0]["to"] if found else []
        return {row["toObjectId"]: [kind["typeId"] for kind in row["associationTypes"]] for row in rows}

    def test_first_company_becomes_the_primary_one(self, installed: Client) -> None:
        deal_id = installed.call("POST", DEALS, {"properties": {"dealname": "x"}}).json()["id"]
        for company_id in (ACME, "30200000002"):
            path = f"/crm/objects/2026-09/deals/{deal_id}/associations/default/companies/{company_id}"
            installed.call("PUT", path).raise_for_status()

        assert self._types(installed, deal_id) == {ACME: [5, 341], "30200000002": [341]}

    def test_a_deal_has_one_primary_company(self, installed: Client) -> None:
        path = f"/crm/objects/2026-09/deals/{ACME_DEAL}/associations/companies/30200000002"
        body = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
        answer = installed.call("PUT", path, body)

        assert (answer.status_code, answer.json()["labels"]) == (201, ["Primary"])
        assert self._types(installed, ACME_DEAL) == {"30200000002": [5, 341], ACME: [341]}

    def test_none_at_all_is_an_error_entry_of_a_207(self, installed: Client) -> None:
        deal_id = installed.call("POST", DEALS, {"properties": {"dealname": "x"}}).json()["id"]
        answer = installed.call("POST", self.READ, {"inputs": [{"id": ACME_DEAL}, {"id": deal_id}]})

        body = answer.json()
        assert (answer.status_code, len(body["results"]), body["numErrors"]) == (207, 1, 1)
        assert body["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
        assert body["errors"][0]["context"]["fromObjectId"] == [deal_id]

    def test_can_be_removed(self, installed: Client) -> None:
        path = f"/crm/objects/2026-09/deals/{ACME_DEAL}/associations/companies/{ACME}"
        assert installed.call("DELETE", path).status_code == 204

        assert self._types(installed, ACME_DEAL) == {}


class TestProperties:
    SPEC: ClassVar[dict[str, Any]] = {
        "name": "dealwright_status",
        "label": "Billing status",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "dealwright",
        "options": [{"label": "Paid", "value": "paid", "displayOrder": 0, "hidden": False}],
    }
    PATH = "/crm/properties/2026-09/companies"

    def _create(self, installed: Client) -> Any:
        group = {"name": "dealwright", "label": "Dealwright"}
        assert installed.call("POST", f"{self.PATH}/groups", group).status_code == 201
        return installed.call("POST", self.PATH, self.SPEC)

    def test_created_ones_can_be_read_and_written(self, installed: Client) -> None:
        assert self._create(installed).status_code == 201

        definition = installed.get(f"{self.PATH}/dealwright_status")
        assert [option["value"] for option in definition["options"]] == ["paid"]
        body = {"properties": {"dealwright_status": "paid"}}
        answer = installed.call("PATCH", f"/crm/objects/2026-09/companies/{ACME}", body)
        assert answer.json()["properties"]["dealwright_status"] == "paid"

    def test_taken_name_is_a_conflict(self, installed: Client) -> None:
        self._create(installed)
        answer = installed.call("POST", self.PATH, self.SPEC)

        body = answer.json()
        assert (answer.status_code, body["category"]) == (409, "OBJECT_ALREADY_EXISTS")
        assert body["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"

    def test_taken_group_is_a_conflict(self, installed: Client) -> None:
        self._create(installed)
        answer = installed.call("POST", f"{self.PATH}/groups", {"name": "dealwright", "label": "Dealwright"})

        assert answer.status_code == 409

    def test_archived_name_comes_back(self, installed: Client) -> None:
        self._create(installed)
        installed.call("DELETE", f"{self.PATH}/dealwright_status")
        gone = installed.call("GET", f"{self.PATH}/dealwright_status").status_code

        assert (gone, installed.call("POST", self.PATH, self.SPEC).status_code) == (404, 201)

    @pytest.mark.parametrize("field", ["name", "label", "type", "fieldType", "groupName"])
    def test_required_fields_are_required(self, installed: Client, field: str) -> None:
        spec = {name: value for name, value in self.SPEC.items() if name != field}

        assert installed.call("POST", self.PATH, spec).status_code == 400

    def test_frequencies_can_be_read(self, installed: Client) -> None:
        definition = installed.get("/crm/properties/2026-09/line_items/recurringbillingfrequency")

        assert {"monthly", "quarterly", "annually"} <= {option["value"] for option in definition["options"]}
