"""HubSpot's failures as outcomes, by status first; every field of an error body is optional."""

from __future__ import annotations

import json
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from app.core.outcome import FailureKind, Rejected, Unknown
from app.integrations.http import never_left, retry_after_s


def api_failure(error: Any) -> Rejected | Unknown:
    """Return what an SDK ApiException means."""
    status, body = int(error.status or 0), _body(error.body)
    message = str(body.get("message") or f"HubSpot answered {status}.")[:300]
    code = str(body.get("category") or body.get("errorType") or status)
    if status == 401:
        return Rejected(FailureKind.EXPIRED, "HubSpot no longer accepts this access token.", code)
    if status == 429:
        return Rejected(
            FailureKind.THROTTLED, "HubSpot asks us to slow down.", code, retry_after_s(error.headers) or 10
        )
    if status == 477:
        return Rejected(
            FailureKind.THROTTLED, "HubSpot is moving this account.", code, retry_after_s(error.headers) or 3600
        )
    if status == 423:
        return Rejected(FailureKind.TRANSIENT, "The record is locked in HubSpot.", code, 3)
    if status == 403:
        return Rejected(FailureKind.REJECTED, f"HubSpot refuses access: {message}", code)
    if 400 <= status < 500:
        return Rejected(FailureKind.REJECTED, message, code)
    return Unknown(f"HubSpot answered {status}.")


def transport_failure(error: HTTPError) -> Rejected | Unknown:
    """Return what a broken connection or a time-out means."""
    if never_left(error):
        return Rejected(FailureKind.TRANSIENT, "HubSpot can't be reached.", "unreachable")
    return Unknown(f"HubSpot did not answer ({type(error).__name__}).")


TRANSPORT_ERRORS = (urllib3.exceptions.HTTPError,)


def _body(raw: Any) -> dict[str, Any]:
    try:
        body = json.loads(raw or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
