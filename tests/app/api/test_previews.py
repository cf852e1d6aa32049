"""`POST /api/v1/previews`: the core's answer over HTTP, to anybody, and never more than a bounded piece of work."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.api.routes import MOST_BYTES
from app.billing import preview

Json = dict[str, Any]
PLACE = "/api/v1/previews"
ITEM: Json = {"key": "platform", "kind": "recurring", "quantity": "10", "unit_price": "100.00", "price_interval": "P1M"}
DEAL: Json = {
    "customer": "Acme Inc", "currency": "USD", "start": "2027-01-01", "items": [ITEM], "as_of": "2026-11-21",
}  # fmt: skip
TWICE = [{"id": each, "effective": "2027-02-15", "item": "platform", "quantity": each} for each in ("12", "15")]


@pytest.fixture
def client(shared_app: Flask) -> FlaskClient:
    return shared_app.test_client()


def send(client: FlaskClient, body: bytes, content_type: str = "application/json") -> TestResponse:
    return client.post(PLACE, data=body, content_type=content_type)


class TestAnswer:
    @pytest.mark.parametrize(
        ("more", "status_code", "status"),
        [
            ({}, 200, "ok"),
            ({"terms": "Fees as discussed with Bob"}, 200, "needs_clarification"),
            ({"changes": TWICE}, 200, "rejected"),
            ({"currency": "usd", "colour": "blue"}, 422, "invalid"),
        ],
    )
    def test_is_the_cores_own(self, client: FlaskClient, more: Json, status_code: int, status: str) -> None:
        response = client.post(PLACE, json=DEAL | more)
        assert (response.status_code, response.json["status"]) == (status_code, status)
        assert response.json == preview(DEAL | more).to_json()

    @pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"text"'])
    def test_is_422_when_the_body_is_no_object(self, client: FlaskClient, body: bytes) -> None:
        response = send(client, body)
        assert response.status_code == 422
        assert response.json["errors"] == [
            {"field": "", "value": json.loads(body), "allowed": "an object with the fields of a deal document"}
        ]

    @pytest.mark.parametrize("given", [{}, {"as_of": None}])
    @time_machine.travel("2027-03-05T23:00:00+00:00", tick=False)
    def test_is_as_of_today_when_the_document_does_not_say(self, client: FlaskClient, given: Json) -> None:
        document = {name: value for name, value in DEAL.items() if name != "as_of"} | {"term_months": None}
        assert client.post(PLACE, json=document | given).json["documents"][-1]["date"] == "2028-03-01"

    def test_needs_no_session_and_gives_none(self, client: FlaskClient) -> None:
        response = client.post(PLACE, json=DEAL)
        assert "Set-Cookie" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    def test_takes_json_in_any_dress(self, client: FlaskClient) -> None:
        body = json.dumps(DEAL).encode()
        for content_type in ("application/json; charset=utf-8", "application/vnd.deal+json", "APPLICATION/JSON"):
            assert send(client, body, content_type).status_code == 200


class TestRefusal:
    def refused(self, response: TestResponse, status: int, code: str, word: str) -> None:
        assert response.status_code == status
        error = response.json["error"]
        assert set(error) == {"code", "message", "fields"}
        assert error["code"] == code
        assert word in error["message"]

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b'{"a": NaN}', "NaN"),
            (b'{"a": 1e999}', "too large"),
            (b'{"customer": "A", "customer": "B"}', "twice"),
            (b"\xff", "UTF-8"),
            (b"[" * 100_000, "nested deeper"),
        ],
        ids=["empty", "open", "nan", "infinite", "twice", "bytes", "deep"],
    )
    def test_is_400_when_the_body_is_no_json(self, client: FlaskClient, body: bytes, word: str) -> None:
        self.refused(send(client, body), 400, "bad_json", word)

    def test_is_413_when_the_body_is_larger_than_a_megabyte(self, client: FlaskClient) -> None:
        document = json.dumps(DEAL).encode()
        assert send(client, document + b" " * (MOST_BYTES - len(document))).status_code == 200
        response = send(client, document + b" " * (MOST_BYTES - len(document) + 1))
        self.refused(response, 413, "request_entity_too_large", "too large")

    def test_is_415_when_the_body_is_something_else(self, client: FlaskClient) -> None:
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            response = send(client, b"a=1", content_type)
            self.refused(response, 415, "unsupported_media_type", "application/json")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    def test_is_405_and_says_what_is_allowed(self, client: FlaskClient, method: str) -> None:
        response = client.open(PLACE, method=method)
        assert sorted(response.headers["Allow"].split(", ")) == ["OPTIONS", "POST"]
        self.refused(response, 405, "method_not_allowed", "possible")

    def test_is_404_beside_it(self, client: FlaskClient) -> None:
        self.refused(client.get("/api/v1/nothing"), 404, "not_found", "nothing here")

    @pytest.mark.parametrize(
        "more",
        [
            {"items": [ITEM | {"key": f"i{n}"} for n in range(301)]},
            {"changes": TWICE * 51},
            {"until": "2999-01-01", "term_months": None},
            {"items": [ITEM | {"end": "2999-01-01"}]},
            {"items": [ITEM | {"key": f"i{n}"} for n in range(100)], "term_months": 1200},
            {"items": [ITEM | {"key": f"i{n}"} for n in range(100)], "billing": {"interval": "P1D"}},
            {"term_months": 1, "renewal": {"auto": True}, "until": "2100-01-01"},
            {"discounts": [{"percent": "1"}] * 50, "items": [ITEM | {"key": f"i{n}"} for n in range(300)],
             "term_months": 60},
            {"term_months": 1200, "issued": [
                {"item": "platform", "start": "2027-01-01", "end": "2127-01-01", "charged": "1.00"}] * 20},
        ],
        ids=["items", "changes", "until", "end", "months", "days", "renewals", "rules", "settled"],
    )  # fmt: skip
    def test_is_413_when_it_asks_for_too_much_work(self, client: FlaskClient, more: Json) -> None:
        response = client.post(PLACE, json=DEAL | more)
        assert response.status_code == 413
        assert response.json["error"]["code"] == "too_much_work"

    @pytest.mark.parametrize(
        "more",
        [
            {"items": [ITEM | {"key": f"i{n}"} for n in range(100)], "term_months": 60},
            {"term_months": 1200},
            {"term_months": 120, "renewal": {"auto": True}, "until": "2050-01-01"},
            {"term_months": 12, "billing": {"interval": "P1D"}},
            {"changes": [
                {"id": f"C-{n}", "effective": f"2027-{n % 12 + 1:02}-02", "item": "platform", "quantity": f"{n + 11}",
                 "recorded": f"2026-{n // 12 + 1:02}-01"} for n in range(100)], "term_months": 60},
        ],
        ids=["items", "months", "renewals", "days", "changes"],
    )  # fmt: skip
    def test_deals_that_people_sign_are_not_too_much(self, client: FlaskClient, more: Json) -> None:
        assert client.post(PLACE, json=DEAL | more).status_code == 200

    @pytest.mark.parametrize(
        "more",
        [
            {"items": 7}, {"items": [7, None]}, {"term_months": -5}, {"term_months": 10**30}, {"term_months": True},
            {"start": 7}, {"billing": 1}, {"billing": {"interval": "P0M"}}, {"bill_to": "me"}, {"until": []},
            {"renewal": {"auto": True, "term_months": 0}}, {"issued": [7, {"start": "x", "end": {}}]},
            {"changes": {"add": 1}},
        ],
    )  # fmt: skip
    def test_wrong_shapes_break_nothing(self, client: FlaskClient, more: Json) -> None:
        assert client.post(PLACE, json=DEAL | more).status_code in (413, 422)
