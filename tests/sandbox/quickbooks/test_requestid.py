"""`requestid`: honoured, forgotten, and while the first request is still running."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.quickbooks.harness import DE, US, Company, StandIn, code_of, invoice_body


def count(company: Company, entity: str = "Invoice") -> int:
    return int(company.found(f"select count(*) from {entity}")["totalCount"])


class TestHonoured:
    def test_second_request_gets_the_first_answer(self, us: Company) -> None:
        body = invoice_body({"Id": "1"})
        first = us.post("invoice", body, requestid="r-1", minorversion="75")
        changed = us.post("invoice", invoice_body({"Id": "1"}, "999"), requestid="r-1")
        assert changed.content == first.content
        assert changed.status_code == 200
        assert count(us) == 1

    def test_refusals_are_remembered_too(self, us: Company) -> None:
        assert code_of(us.post("customer", {}, requestid="r-1")) == "2020"
        assert code_of(us.post("customer", {"DisplayName": "Good"}, requestid="r-1")) == "2020"
        assert us.post("customer", {"DisplayName": "Good"}, requestid="r-2").ok

    def test_other_ids_and_other_companies_are_apart(self, stand_in: StandIn) -> None:
        us, de = stand_in.connect(US), stand_in.connect(DE)
        us.make("customer", {"DisplayName": "Acme"}, requestid="r-1")
        assert de.make("customer", {"DisplayName": "Other"}, requestid="r-1")["DisplayName"] == "Other"
        assert code_of(us.post("customer", {"DisplayName": "Acme"}, requestid="r-2")) == "6240"

    def test_holds_for_update_void_and_send(self, us: Company) -> None:
        made = us.invoice({"Id": "1"}, BillEmail={"Address": "a@x.example"})
        key = {"Id": made["Id"], "SyncToken": "0"}
        for _ in range(2):
            assert us.make("invoice", key | {"sparse": True, "PrivateNote": "x"}, requestid="u")["SyncToken"] == "1"
        for _ in range(2):
            us.make(f"invoice/{made['Id']}/send", {}, requestid="s")
        assert us.stand_in.look("mails", realm_id=US)["count"] == 1
        for _ in range(2):
            us.make("invoice", key | {"SyncToken": "2"}, operation="void", requestid="v")
        assert us.read(f"invoice/{made['Id']}")["SyncToken"] == "3"

    def test_what_never_reached_the_books_is_not_remembered(self, us: Company) -> None:
        us.stand_in.control("faults", match={"operation": "invoice.create"}, kind="before", status=503)
        body = invoice_body({"Id": "1"})
        assert us.post("invoice", body, requestid="r-1").status_code == 503
        assert us.post("invoice", body, requestid="r-1").ok

    @pytest.mark.parametrize("kind", ["after", "close_after"])
    def test_lost_answer_is_found_again(self, us: Company, kind: str) -> None:
        us.stand_in.control("faults", match={"operation": "invoice.create"}, kind=kind, status=504)
        body = invoice_body({"Id": "1"})
        if kind == "after":
            assert us.post("invoice", body, requestid="r-1").status_code == 504
        else:
            with pytest.raises(requests.ConnectionError):
                us.post("invoice", body, requestid="r-1")
        assert count(us) == 1
        assert us.make("invoice", body, requestid="r-1")["DocNumber"] == "1001"
        assert count(us) == 1

    def test_length(self, us: Company) -> None:
        assert us.post("customer", {"DisplayName": "A"}, requestid="x" * 50).ok
        assert code_of(us.post("customer", {"DisplayName": "B"}, requestid="x" * 51)) == "2050"


class TestForgotten:
    def test_work_is_repeated(self, us: Company) -> None:
        us.stand_in.control("settings", requestid="forget")
        for _ in range(2):
            us.make("invoice", invoice_body({"Id": "1"}), requestid="r-1")
        assert count(us) == 2


class TestStillRunning:
    def test_second_request_waits_for_the_first(self, us: Company) -> None:
        us.stand_in.control("settings", work_s=0.4)
        body = invoice_body({"Id": "1"})
        url = f"{us.url}/invoice"

        def send(_: int) -> tuple[bytes, float]:
            started = time.monotonic()
            response = requests.post(url, json=body, params={"requestid": "r-1"}, headers=us.headers, timeout=10)
            return response.content, time.monotonic() - started

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send, range(4)))
        assert len({content for content, _ in answers}) == 1
        assert all(0.3 < took < 1.5 for _, took in answers)
        assert count(us) == 1
