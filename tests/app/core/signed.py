"""Signs requests as HubSpot and QuickBooks do, written anew here so that the tests don't ask the code under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import APP_ID, SECRET, USER_EMAIL, USER_ID, VERIFIER

ORIGIN = "http://localhost:8700"
_DECODED = {"%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(",
            "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";"}  # fmt: skip


def now_ms() -> int:
    """This instant in milliseconds, as HubSpot writes it."""
    return time.time_ns() // 1_000_000


def _mac(secret: str, message: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def hubspot_headers(
    method: str, uri: str, body: bytes = b"", *, secret: str = SECRET, at_ms: int | None = None
) -> dict[str, str]:
    """Return the two headers of a v3 signature over this address, decoded as HubSpot decodes it."""
    for escaped, plain in _DECODED.items():
        uri = uri.replace(escaped, plain).replace(escaped.lower(), plain)
    stamp = str(now_ms() if at_ms is None else at_ms)
    return {
        "X-HubSpot-Signature-v3": _mac(secret, f"{method}{uri}".encode() + body + stamp.encode()),
        "X-HubSpot-Request-Timestamp": stamp,
    }


def as_card(
    client: FlaskClient, target: str, hub_id: int, *, method: str = "GET", body: bytes = b"", **changes: Any
) -> TestResponse:
    """Call a card endpoint as `hubspot.fetch` does: four values in the query, signed. `changes` replace values."""
    values = {"userId": USER_ID, "portalId": hub_id, "userEmail": USER_EMAIL, "appId": APP_ID} | changes
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in values.items())
    return send_signed(client, f"{target}{'&' if '?' in target else '?'}{query}", method=method, body=body)


def send_signed(client: FlaskClient, target: str, *, method: str = "GET", body: bytes = b"") -> TestResponse:
    """Send a request to exactly this target, signed."""
    headers = hubspot_headers(method, ORIGIN + target, body)
    return client.open(target, method=method, data=body, headers=headers)


def post_hubspot_events(client: FlaskClient, events: Any, **options: Any) -> TestResponse:
    """Deliver a webhook batch as HubSpot does."""
    body = events if isinstance(events, bytes) else json.dumps(events).encode()
    headers = hubspot_headers("POST", f"{ORIGIN}/webhooks/hubspot", body, **options)
    return client.post("/webhooks/hubspot", data=body, headers=headers, content_type="application/json")


def post_quickbooks_events(client: FlaskClient, events: Any, *, token: str = VERIFIER) -> TestResponse:
    """Deliver a notification as QuickBooks does."""
    body = events if isinstance(events, bytes) else json.dumps(events).encode()
    headers = {"intuit-signature": _mac(token, body)}
    return client.post("/webhooks/quickbooks", data=body, headers=headers, content_type="application/cloudevents+json")
