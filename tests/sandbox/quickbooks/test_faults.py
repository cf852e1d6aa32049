"""Ordered faults meet calls by the names of their operations."""

from __future__ import annotations

import pytest
from quickbooks.exceptions import QuickbooksException, ValidationException
from quickbooks.objects.customer import Customer

from tests.sandbox.quickbooks.harness import DE, US, Company, code_of, invoice_body, shape

THROTTLED_XML = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse><Fault type="SERVICE"><Error code="3001">'
    "<Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message></Error></Fault></IntuitResponse>"
)


class TestOperations:
    def test_are_named_after_what_a_call_does(self, us: Company) -> None:
        made = us.invoice({"Id": "1"}, BillEmail={"Address": "a@x.example"})
        us.make("invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True})
        us.make(f"invoice/{made['Id']}/send", {})
        us.get(f"invoice/{made['Id']}/pdf")
        us.get(f"invoice/{made['Id']}")
        us.query("select * from Invoice")
        us.make("invoice", {"Id": made["Id"], "SyncToken": "2"}, operation="void", requestid="v-1")
        us.make("invoice", {"Id": made["Id"], "SyncToken": "3"}, operation="delete")
        calls = [call for call in us.stand_in.look("journal")["calls"] if call["operation"] != "webhook"]
        words = ["create", "update", "send", "pdf", "read", "query", "void", "delete"]
        assert [call["operation"] for call in calls][2:] == [f"invoice.{word}" for word in words]
        assert [call["operation"] for call in calls][:2] == ["oauth.consent", "oauth.token"]
        assert {call["account"] for call in calls[2:]} == {US}
        assert calls[-2]["request_id"] == "v-1"


class TestBodies:
    def test_throttle_as_json(self, us: Company) -> None:
        us.stand_in.control("faults", match={"operation": "customer.*"}, kind="before", status=429)
        with pytest.raises(ValidationException) as caught:
            Customer.get(1, qb=us.client())
        assert caught.value.error_code == 3001
        assert us.get("customer/1").ok

    def test_throttle_as_xml(self, us: Company) -> None:
        us.stand_in.control(
            "faults",
            match={"path": "/v3/company/*"},
            kind="before",
            status=429,
            body=THROTTLED_XML,
            headers={"Content-Type": "application/xml", "Retry-After": "60"},
        )
        response = us.get("customer/1")
        assert (response.status_code, response.text) == (429, THROTTLED_XML)
        assert response.headers["Content-Type"] == "application/xml"

    @pytest.mark.parametrize("status", [401, 403])
    def test_lost_rights_look_as_they_do_without_an_order(self, us: Company, status: int) -> None:
        us.stand_in.control("faults", match={"operation": "customer.read"}, kind="before", status=status)
        ordered = us.get("customer/1")
        company = Company(us.stand_in, DE, us.tokens | ({"access_token": "none"} if status == 401 else {}))
        real = company.get("customer/1")
        assert (ordered.status_code, real.status_code) == (status, status)
        assert shape(ordered.json()) == shape({key: one for key, one in real.json().items() if key in ordered.json()})

    def test_fault_inside_200(self, us: Company) -> None:
        fault = {"Fault": {"Error": [{"Message": "m", "Detail": "d", "code": "6000"}], "type": "ValidationFault"}}
        us.stand_in.control("faults", match={"operation": "invoice.create"}, kind="before", status=200, body=fault)
        with pytest.raises(QuickbooksException):
            us.client().create_object("Invoice", "{}")

    def test_server_error_after_the_work(self, us: Company) -> None:
        us.stand_in.control("faults", match={"operation": "invoice.create"}, kind="after", status=500)
        assert code_of(us.post("invoice", invoice_body({"Id": "1"})), 500) == "10000"
        assert us.found("select count(*) from Invoice") == {"totalCount": 1}

    def test_token_endpoint(self, us: Company) -> None:
        us.stand_in.control("settings", rotate="always")
        us.stand_in.control("faults", match={"operation": "oauth.token"}, kind="after", status=502)
        form = {"grant_type": "refresh_token", "refresh_token": us.tokens["refresh_token"]}
        assert us.stand_in.token(**form).status_code == 502
        # The work was done: the value that was sent is dead.
        assert us.stand_in.token(**form).json()["error"] == "invalid_grant"
