"""Ordered faults, over a real connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from flask import Flask

from sandbox.kit.app import create_base, operation, page
from sandbox.kit.faults import BadRule, Faults
from tests.sandbox.support import served


@dataclass
class Shop:
    """A tiny provider with one create, and a count of the work it did."""

    url: str = ""
    made: list[str] = field(default_factory=list)
    http: requests.Session = field(default_factory=requests.Session)

    def order(self, **rule: Any) -> None:
        self.http.post(f"{self.url}/_sandbox/faults", json=rule).raise_for_status()

    def make(self, name: str = "invoice") -> requests.Response:
        return self.http.post(f"{self.url}/v3/{name}", json={"n": 1}, timeout=5)

    def calls(self, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"{self.url}/_sandbox/journal{query}").json()["calls"]
        return found


def _app(made: list[str]) -> Flask:
    app = create_base("shop")

    @app.post("/v3/<name>")
    @operation("{name}.create")
    def create(name: str) -> dict[str, str]:
        made.append(name)
        return {"made": name}

    @app.get("/look")
    @page
    def look() -> str:
        return "a page"

    return app


@pytest.fixture
def shop() -> Iterator[Shop]:
    found = Shop()
    with served(_app(found.made)) as url, found.http:
        found.url = url
        yield found


class TestFaultsOfCalls:
    def test_before_answers_without_doing_the_work(self, shop: Shop) -> None:
        shop.order(kind="before", status=500, body={"why": "ordered"}, headers={"Retry-After": "7"})

        answer = shop.make()

        assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (500, {"why": "ordered"}, "7")
        assert shop.made == []

    def test_after_answers_having_done_the_work(self, shop: Shop) -> None:
        shop.order(kind="after")

        assert shop.make().status_code == 503
        assert shop.made == ["invoice"]

    @pytest.mark.parametrize(("kind", "made"), [("close_before", []), ("close_after", ["invoice"])])
    def test_close_hangs_up_at_once(self, shop: Shop, kind: str, made: list[str]) -> None:
        shop.order(kind=kind, seconds=30)
        began = time.monotonic()

        with pytest.raises(requests.ConnectionError):
            shop.make()

        assert time.monotonic() - began < 2
        assert shop.made == made

    @pytest.mark.parametrize(("kind", "made"), [("hang_before", []), ("hang_after", ["invoice"])])
    def test_hang_holds_and_then_hangs_up(self, shop: Shop, kind: str, made: list[str]) -> None:
        shop.order(kind=kind, seconds=0.2)
        began = time.monotonic()

        with pytest.raises(requests.ConnectionError):
            shop.make()

        assert 0.2 <= time.monotonic() - began < 2
        assert shop.made == made

    def test_hang_outlasts_the_time_out_of_the_caller(self, shop: Shop) -> None:
        shop.order(kind="hang_after", seconds=3)

        with pytest.raises(requests.ReadTimeout):
            shop.http.post(f"{shop.url}/v3/invoice", timeout=0.1)

        assert shop.made == ["invoice"]

    def test_slow_waits_and_answers(self, shop: Shop) -> None:
        shop.order(kind="slow", seconds=0.2)
        began = time.monotonic()

        assert shop.make().json() == {"made": "invoice"}
        assert time.monotonic() - began >= 0.2

    def test_rules_are_used_in_order_and_times_times(self, shop: Shop) -> None:
        shop.order(kind="before", status=500, times=2)
        shop.order(kind="before", status=429)

        assert [shop.make().status_code for _ in range(4)] == [500, 500, 429, 200]

    @pytest.mark.parametrize(
        ("match", "expected"),
        [
            ({"operation": "invoice.*"}, [200, 503]),
            ({"path": "/v3/inv*"}, [200, 503]),
            ({"method": "get"}, [200, 200]),
            ({"operation": "webhook*"}, [200, 200]),
        ],
    )
    def test_only_matching_calls_are_met(self, shop: Shop, match: dict[str, str], expected: list[int]) -> None:
        shop.order(match=match, kind="before")

        assert [shop.make("customer").status_code, shop.make("invoice").status_code] == expected

    def test_pages_and_control_are_never_met(self, shop: Shop) -> None:
        shop.order(kind="before")

        assert shop.http.get(f"{shop.url}/look").text == "a page"
        assert shop.http.get(f"{shop.url}/healthz").json() == {"ok": True}
        assert shop.calls() == []

    def test_can_be_listed_and_cleared(self, shop: Shop) -> None:
        shop.order(match={"operation": "x"}, kind="before", times=3)

        listed = shop.http.get(f"{shop.url}/_sandbox/faults").json()["faults"]
        shop.http.delete(f"{shop.url}/_sandbox/faults")

        assert [(rule["kind"], rule["times"], rule["match"]) for rule in listed] == [("before", 3, {"operation": "x"})]
        assert shop.http.get(f"{shop.url}/_sandbox/faults").json() == {"faults": []}


class TestRules:
    @pytest.mark.parametrize(
        "rule",
        [
            None,
            {"kind": "explode"},
            {"kind": "before", "times": 0},
            {"kind": "before", "status": "503"},
            {"kind": "slow", "seconds": -1},
            {"kind": "before", "match": {"operation": 1}},
            {"kind": "before", "match": {"url": "/"}},
            {"kind": "before", "match": {"operation": "webhook"}},
            {"kind": "before", "oops": 1},
        ],
    )
    def test_refuses_what_it_does_not_understand(self, rule: Any) -> None:
        with pytest.raises(BadRule):
            Faults().order(rule)

    def test_answers_400_with_the_reason(self, shop: Shop) -> None:
        answer = shop.http.post(f"{shop.url}/_sandbox/faults", json={"kind": "explode"})

        assert answer.status_code == 400
        assert "kind must be one of" in answer.json()["error"]


class TestJournal:
    def test_notes_faults_and_unanswered_calls(self, shop: Shop) -> None:
        shop.order(kind="close_after")
        with pytest.raises(requests.ConnectionError):
            shop.make()
        shop.make("customer")

        rows = [(call["n"], call["operation"], call["status"], call["fault"]) for call in shop.calls()]
        assert rows == [(1, "invoice.create", None, "close_after"), (2, "customer.create", 200, None)]
        assert [call["n"] for call in shop.calls("?since=1")] == [2]

    def test_has_bodies_only_on_request_and_never_secrets(self, shop: Shop) -> None:
        form = {"grant_type": "x", "client_secret": "s3cret", "code": "c0de", "refresh_token": "tok3n"}
        headers = {"Authorization": "Bearer t0ken"}
        shop.http.post(f"{shop.url}/v3/invoice?code=c0de&a=1", data=form, headers=headers)
        shop.http.post(f"{shop.url}/v3/invoice", json={"deep": [{"access_token": "tok3n", "code": "610"}]})

        assert "request_body" not in shop.calls()[0]
        first, second = shop.calls("?bodies=1")
        assert first["query"] == "code=[hidden]&a=1"
        text = str([first, second])
        assert not [word for word in ("s3cret", "c0de", "tok3n", "t0ken") if word in text]
        assert second["request_body"] == {"deep": [{"access_token": "[hidden]", "code": "610"}]}
        assert second["response_body"] == {"made": "invoice"}
