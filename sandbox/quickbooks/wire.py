"""JSON as it comes in and goes out. Numbers come in as Decimal, never as binary floating point."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sandbox.quickbooks import refusals


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`. Raises Refusal 2010 for anything else, and 500 for bytes that aren't UTF-8."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise refusals.Refusal("500", "Unsupported Operation", "Invalid byte in the request body") from error
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except ValueError as error:
        raise refusals.bad_property("Unexpected character in the request body") from error
    if not isinstance(value, dict):
        raise refusals.bad_property("The request body is not an object")
    return value


def write(value: Any) -> str:
    """Return JSON text, UTF-8 characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
