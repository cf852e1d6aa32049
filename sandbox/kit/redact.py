"""Keeps secrets out of the journal."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

HIDDEN = "[hidden]"
SECRET_NAMES = frozenset(
    {
        "access_token",
        "authorization",
        "client_assertion",
        "client_secret",
        "clientsecret",
        "code_verifier",
        "id_token",
        "intuit-signature",
        "password",
        "refresh_token",
        "signed_access_token",
        "token",
        "x-hubspot-signature",
        "x-hubspot-signature-v3",
    },
)
# A one-time OAuth code travels in queries and forms; in JSON the same word names an error.
SECRET_PARAMETERS = SECRET_NAMES | {"code"}


def redact_query(query: str) -> str:
    """Return the query string with the values of secret parameters hidden; others keep their order."""
    if not _may_hold_a_secret(query):
        return query
    return redact_form(query)


def redact_form(text: str) -> str:
    """Return a form-encoded text with secret values hidden."""
    pairs = parse_qsl(text, keep_blank_values=True)
    return urlencode(
        [(name, HIDDEN if name.lower() in SECRET_PARAMETERS else value) for name, value in pairs], safe="[]"
    )


def redact_body(body: bytes, content_type: str) -> Any:
    """Return a body fit to be shown: JSON parsed, forms as text, anything else as its size only.

    Only what was parsed and cleaned is shown: a text that cannot be parsed might hide a token.
    """
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode()
        if kind == "application/x-www-form-urlencoded":
            return redact_form(text)
        if kind == "application/json" or kind.endswith("+json"):
            return _redact_json(json.loads(text))
    except ValueError:
        return f"[{len(body)} bytes that cannot be read as {kind}]"
    if kind in {"application/text", "text/plain"} and not _may_hold_a_secret(text):
        return text
    return f"[{len(body)} bytes of {kind or 'unknown type'}]"


def _redact_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hide(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact_json(item) for item in value]
    return value


def _hide(key: str, value: Any) -> Any:
    is_secret = key.lower() in SECRET_NAMES and isinstance(value, str) and value
    return HIDDEN if is_secret else _redact_json(value)


def _may_hold_a_secret(text: str) -> bool:
    lowered = text.lower()
    return any(name in lowered for name in ("code", "token", "secret", "password", "assertion"))
