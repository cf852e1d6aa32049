"""Answers compared with recordings of the real service: the same names, kinds, order and words of errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from quickbooks.exceptions import AuthorizationException, ObjectNotFoundException, QuickbooksException
from quickbooks.objects.customer import Customer
from quickbooks.objects.invoice import Invoice

from tests.sandbox.quickbooks.harness import Company, fixture, shape

ADDRESS = {
    "Line1": "4581 Finch St.",
    "City": "Bayshore",
    "CountrySubDivisionCode": "CA",
    "PostalCode": "94326",
}


def without_names(value: Any) -> Any:
    """Leave out what names single things, so that only the wording is compared."""
    return {name: one for name, one in value.items() if name != "time"}


def recorded_invoice_body(company: Company) -> dict[str, Any]:
    customer = company.customer(BillAddr=ADDRESS, ShipAddr=ADDRESS)
    body: dict[str, Any] = fixture("create_invoice")["request"]
    return body | {"CustomerRef": {"value": customer["Id"]}}


class TestDocuments:
    def test_created_customer(self, us: Company) -> None:
        recorded = fixture("create_customer")
        answer = us.client().create_object("Customer", json.dumps(recorded["request"]))
        assert shape(answer) == shape(recorded["body"])
        assert list(answer["Customer"]) == list(recorded["body"]["Customer"])

    def test_fully_updated_customer(self, us: Company) -> None:
        recorded = fixture("update_customer")
        made = us.customer(DisplayName="Doe2, Jane")
        body = recorded["request"] | {"Id": made["Id"], "SyncToken": made["SyncToken"]}
        answer = us.client().update_object("Customer", json.dumps(body))
        assert shape(answer) == shape(recorded["body"])
        assert answer["Customer"]["SyncToken"] == "1"
        assert answer["Customer"]["PrintOnCheckName"] == "Jack Moe"

    def test_created_invoice(self, us: Company) -> None:
        recorded = fixture("create_invoice")["body"]
        answer = us.client().create_object("Invoice", json.dumps(recorded_invoice_body(us)))
        recorded["Invoice"]["CustomField"] = []
        assert shape(answer) == shape(recorded)
        assert list(answer["Invoice"]) == list(recorded["Invoice"])
        assert answer["Invoice"]["Line"][-1] == recorded["Invoice"]["Line"][-1]
        assert answer["Invoice"]["TxnTaxDetail"] == recorded["Invoice"]["TxnTaxDetail"]

    def test_voided_invoice(self, us: Company) -> None:
        recorded = fixture("void_invoice")["body"]
        made = us.make("invoice", recorded_invoice_body(us))
        invoice = Invoice.get(made["Id"], qb=us.client())
        invoice.void(qb=us.client())
        answer = us.get(f"invoice/{made['Id']}").json()
        recorded["Invoice"]["CustomField"] = []
        assert shape(answer) == shape(recorded)
        for name in ("PrivateNote", "Line", "TxnTaxDetail", "TotalAmt", "Balance", "SyncToken", "LinkedTxn"):
            assert answer["Invoice"][name] == recorded["Invoice"][name]
        assert answer["Invoice"]["DocNumber"] == made["DocNumber"]

    def test_deleted_invoice(self, us: Company) -> None:
        made = us.make("invoice", recorded_invoice_body(us))
        answer = Invoice.get(made["Id"], qb=us.client()).delete(qb=us.client())
        assert without_names(answer) == {"Invoice": {"domain": "QBO", "status": "Deleted", "Id": made["Id"]}}
        assert shape(answer) == shape(fixture("delete_invoice")["body"])

    def test_account(self, us: Company) -> None:
        assert shape(us.get("account/1").json()) == shape(fixture("account")["body"])

    def test_time_has_milliseconds_and_metadata_seconds(self, us: Company) -> None:
        answer = us.get("account/1").json()
        recorded = fixture("account")["body"]
        assert len(answer["time"]) == len(recorded["time"])
        assert len(answer["Account"]["MetaData"]["CreateTime"]) == len(recorded["Account"]["MetaData"]["CreateTime"])


class TestQueries:
    def test_page(self, us: Company) -> None:
        answer = us.query("SELECT * FROM Customer WHERE Id IN ('1') AND Active IN (true, false)").json()
        recorded = fixture("query_customers")["body"]
        assert list(answer["QueryResponse"]) == list(recorded["QueryResponse"])
        assert answer["QueryResponse"]["maxResults"] == 1

    def test_count(self, us: Company) -> None:
        assert shape(us.query("select count(*) from Customer").json()) == shape(fixture("query_count")["body"])

    def test_nothing_found_has_no_entity(self, us: Company) -> None:
        answer = us.query("select * from Customer startposition 7").json()
        assert without_names(answer) == without_names(fixture("query_nothing")["body"])


class TestErrors:
    def test_duplicate_name(self, us: Company) -> None:
        us.customer(DisplayName="Weiskopf Consulting")
        response = us.post("customer", fixture("error_duplicate_name")["request"])
        assert without_names(response.json()) == without_names(fixture("error_duplicate_name")["body"])
        assert response.status_code == fixture("error_duplicate_name")["status"]

    def test_unknown_entity_in_a_query(self, us: Company) -> None:
        response = us.query("SELECT * FROM Custmoer")
        assert without_names(response.json()) == without_names(fixture("error_unknown_entity")["body"])

    def test_unknown_property(self, us: Company) -> None:
        recorded = fixture("error_unknown_property")
        answer = us.post("invoice", recorded["request"]).json()
        assert shape(answer) == shape(recorded["body"])
        assert answer["Fault"]["Error"][0]["Detail"].startswith(recorded["body"]["Fault"]["Error"][0]["Detail"])

    def test_bad_token(self, us: Company) -> None:
        us.tokens["access_token"] = "no-token"
        response = us.get("customer/1")
        recorded = fixture("error_token")
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'
        assert shape(response.json()) == shape(recorded["body"])
        assert response.json()["fault"]["error"][0]["message"] == recorded["body"]["fault"]["error"][0]["message"]
        with pytest.raises(AuthorizationException):
            Customer.get(1, qb=us.client())

    def test_path_that_does_not_exist(self, us: Company) -> None:
        response = us.get("customer/1/5")
        assert shape(response.json()) == shape(fixture("error_path")["body"])
        assert response.json()["Fault"]["Error"][0]["code"] == "500"
        assert response.status_code == 400

    def test_id_that_is_no_number(self, us: Company) -> None:
        assert us.get("customer/1.5").json() == fixture("error_id")["body"]

    def test_not_found(self, us: Company) -> None:
        answer = us.get("invoice/99999").json()
        assert without_names(answer) == fixture("error_not_found")["body"]
        with pytest.raises(ObjectNotFoundException):
            Invoice.get(99999, qb=us.client())

    def test_stale(self, us: Company) -> None:
        made = us.customer()
        answer = us.post("customer", {"Id": made["Id"], "SyncToken": "7", "sparse": True, "Notes": "x"}).json()
        recorded = fixture("error_stale")["body"]
        assert without_names(answer)["Fault"]["Error"][0]["Detail"].lower() == (
            recorded["Fault"]["Error"][0]["Detail"].lower()
        )
        assert shape(without_names(answer)) == shape(recorded)

    def test_client_sees_codes(self, us: Company) -> None:
        us.customer(DisplayName="Taken")
        customer = Customer()
        customer.DisplayName = "Taken"
        with pytest.raises(QuickbooksException) as caught:
            customer.save(qb=us.client())
        assert caught.value.error_code == 6240


class TestHeaders:
    @pytest.mark.parametrize("name", ["create_customer", "error_duplicate_name"])
    def test_are_those_recorded(self, us: Company, name: str) -> None:
        recorded = fixture(name)
        us.post("customer", fixture("error_duplicate_name")["request"])
        response = us.post("customer", recorded["request"])
        assert response.headers["Content-Type"] == recorded["content_type"]
        # The recorder wrote the underscore of intuit_tid as a hyphen.
        names = {one.lower().replace("_", "-") for one in response.headers}
        assert {one.lower() for one in recorded["header_names"]} <= names
        assert response.headers["intuit_tid"].startswith("1-")
