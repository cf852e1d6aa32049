"""QuickBooks' failures as outcomes: by HTTP status, then by the fault's code, never by the library's classes."""

from __future__ import annotations

import json
from typing import Any

import requests

from app.core.outcome import FailureKind, Rejected, Unknown
from app.integrations.http import never_left, retry_after_s

_THROTTLED = {"3001", "003001"}
_NOT_AUTHORISED = {"3100", "003100"}
NOT_FOUND = "610"
# What a person reads instead of QuickBooks' own words, where those don't help.
_WORDS = {
    "610": "a record it names was deleted or made inactive in QuickBooks",
    "6140": "the document number exists already",
    "6190": "the QuickBooks subscription has ended",
    "6210": "the books are closed for this date",
    "6240": "the name is taken by another customer, a vendor, an employee or an inactive record",
    "2500": "it names a record that QuickBooks doesn't have",
    "5030": "this QuickBooks plan doesn't include it",
}


def failure(error: Exception, answer: requests.Response | None) -> Rejected | Unknown:
    """Return what an exception of the library, or of the connection under it, means."""
    if answer is None:
        if never_left(error):
            return Rejected(FailureKind.TRANSIENT, "QuickBooks can't be reached.", "unreachable")
        return Unknown(f"QuickBooks did not answer ({type(error).__name__}).")
    status = answer.status_code
    if status == 401:
        return Rejected(FailureKind.EXPIRED, "QuickBooks no longer accepts this access token.", "401")
    if status == 429:
        return Rejected(
            FailureKind.THROTTLED, "QuickBooks asks us to slow down.", "3001", retry_after_s(answer.headers)
        )
    fault = first_fault(answer.text)
    if fault is None or status >= 500 or status == 408:
        return Unknown(f"QuickBooks answered {status}.")
    return _by_code(fault, status)


def _by_code(fault: dict[str, Any], status: int) -> Rejected | Unknown:
    code = str(fault.get("code", ""))
    text = f"{fault.get('Message', '')} {fault.get('Detail', '')}".strip()
    if code in _THROTTLED:
        return Rejected(FailureKind.THROTTLED, "QuickBooks asks us to slow down.", code)
    if code in _NOT_AUTHORISED or status == 403:
        return Rejected(FailureKind.REVOKED, "the app is not authorised for this company any more.", code)
    if code == "10000":
        return Unknown("QuickBooks had an error of its own.")
    if code == "6000" and "unexpected" in text.lower():
        return Rejected(FailureKind.TRANSIENT, "QuickBooks had an unexpected error.", code)
    words = _WORDS.get(code) or text[:300] or f"it answered {status}"
    return Rejected(FailureKind.REJECTED, f"{words} (QuickBooks code {code or status}).", code)


def first_fault(text: str) -> dict[str, Any] | None:
    """Return the first error of a Fault body, if the text is one."""
    try:
        errors = json.loads(text)["Fault"]["Error"]
    except (ValueError, KeyError, TypeError):
        return None
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else None
