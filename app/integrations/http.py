"""What both integrations share: time-outs, and whether a failed call may have reached the other side."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and between two bytes of an answer."""

    connect_s: float
    read_s: float

    def pair(self) -> tuple[float, float]:
        return (self.connect_s, self.read_s)


def never_left(error: Exception) -> bool:
    """Whether the request certainly did not reach the other side: the connection was never made."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason: object = error.args[0] if error.args else error
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    elif isinstance(error, MaxRetryError):
        reason = error.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def retry_after_s(headers: object) -> float | None:
    """Return a Retry-After header in seconds, if it is there and sane."""
    raw = headers.get("Retry-After") if hasattr(headers, "get") else None
    return float(raw) if raw is not None and str(raw).isdigit() and int(raw) <= 86_400 else None
