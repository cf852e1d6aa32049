"""Card calls, as `hubspot.fetch()` makes them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.hubspot.signing import sign_v3
from tests.sandbox.hubspot.client import NORTHWIND, Client
from tests.sandbox.support import Receiver


def _fetch(hubspot: Client, receiver: Receiver, path: str = "/cards/v1/x", **changes: Any) -> requests.Response:
    body = {
        "portalId": NORTHWIND,
        "userId": 501,
        "userEmail": "ada@northwind.example",
        "method": "GET",
        "url": f"{receiver.origin}{path}",
    }
    return hubspot.control("fetch", {**body, **changes})


class TestFetch:
    def test_says_who_asks_with_the_address_encoded(self, hubspot: Client, receiver: Receiver) -> None:
        _fetch(hubspot, receiver, "/cards/v1/x?a=1%202&b=%2F")

        identity = "userId=501&portalId=4001001&userEmail=ada%40northwind.example&appId=771"
        assert receiver.requests[0].target == f"/cards/v1/x?a=1%202&b=%2F&{identity}"

    @pytest.mark.parametrize(("method", "body", "sent"), [("GET", None, b""), ("POST", {"ü": 1}, b'{"\\u00fc": 1}')])
    def test_signs_method_uri_body_and_time(
        self, hubspot: Client, receiver: Receiver, method: str, body: Any, sent: bytes
    ) -> None:
        _fetch(hubspot, receiver, method=method, body=body)

        request = receiver.requests[0]
        timestamp = request.headers["x-hubspot-request-timestamp"]
        made = sign_v3("secret-1", method, f"{receiver.origin}{request.target}", sent, timestamp)
        assert (request.body, request.headers["x-hubspot-signature-v3"]) == (sent, made)
        assert ("content-type" in request.headers) == bool(sent)

    def test_returns_status_headers_and_body(self, hubspot: Client, receiver: Receiver) -> None:
        receiver.answers = [(202, b'{"job": 1}')]
        answer = _fetch(hubspot, receiver).json()

        assert (answer["status"], answer["body"]) == (202, {"job": 1})
        assert answer["headers"]["content-type"] == "application/json"

    @pytest.mark.parametrize("first", [(502, b"{}"), None])
    def test_tries_a_failure_once_more(self, hubspot: Client, receiver: Receiver, first: Any) -> None:
        receiver.answers = [first]

        assert _fetch(hubspot, receiver).json()["status"] == 200
        assert len(receiver.requests) == 2

    def test_gives_the_second_failure_back(self, hubspot: Client, receiver: Receiver) -> None:
        receiver.default = (500, b"{}")

        assert _fetch(hubspot, receiver).json()["status"] == 500
        assert len(receiver.requests) == 2

    def test_leaves_4xx_alone(self, hubspot: Client, receiver: Receiver) -> None:
        receiver.default = (401, b"{}")

        assert _fetch(hubspot, receiver).json()["status"] == 401
        assert len(receiver.requests) == 1

    @pytest.mark.parametrize("path", ["/webhooks/hubspot", "/cards", "/cards/../x", "/cards/%2e%2e/x", "/cards/ü"])
    def test_calls_permitted_urls_only(self, hubspot: Client, receiver: Receiver, path: str) -> None:
        assert _fetch(hubspot, receiver, path).status_code == 400
        assert receiver.requests == []

    def test_sends_at_most_one_megabyte(self, hubspot: Client, receiver: Receiver) -> None:
        assert _fetch(hubspot, receiver, method="POST", body="x" * (1024 * 1024 + 1)).status_code == 400

    @pytest.mark.parametrize("change", [{"method": "TRACE"}, {"portalId": None, "url": "http://other.example/cards/"}])
    def test_refuses_what_a_card_cannot_do(self, hubspot: Client, receiver: Receiver, change: Any) -> None:
        assert _fetch(hubspot, receiver, **change).status_code == 400
