"""Instants as HubSpot writes them. Real time always; the movable day is for dates people read."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_iso() -> str:
    """The present instant as `2026-11-21T08:00:00.123Z`."""
    return iso(datetime.now(UTC))


def iso(moment: datetime) -> str:
    """An aware instant as HubSpot's text, in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_ms() -> int:
    """The present instant in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def to_ms(text: str) -> int:
    """Milliseconds of an ISO instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
