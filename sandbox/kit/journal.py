"""A bounded record of the calls a stand-in got and the webhooks it sent."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CAPACITY = 5_000


@dataclass(frozen=True)
class Call:
    """One call. `status` is None when no answer was given (or, for a webhook, none came)."""

    n: int
    at: str
    method: str
    path: str
    query: str
    status: int | None
    account: str | None
    request_id: str | None
    fault: str | None
    operation: str | None
    request_body: Any
    response_body: Any


class Journal:
    """The last calls, numbered from 1 without gaps. The caller hands in bodies already cleaned of secrets."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=capacity)
        self._last = 0

    def add(
        self,
        *,
        method: str,
        path: str,
        status: int | None,
        query: str = "",
        account: str | None = None,
        request_id: str | None = None,
        fault: str | None = None,
        operation: str | None = None,
        request_body: Any = None,
        response_body: Any = None,
    ) -> int:
        """Note one call and return its number."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            self._last += 1
            call = Call(
                self._last, at, method, path, query, status, account, request_id, fault, operation,
                request_body, response_body,
            )  # fmt: skip
            self._calls.append(call)
            return call.n

    def since(self, n: int, bodies: bool = False) -> dict[str, Any]:
        """Return {"next": M, "calls": [...]} with the calls numbered above `n`; pass M next time."""
        with self._lock:
            calls = [call for call in self._calls if call.n > n]
            return {"next": self._last, "calls": [_shown(call, bodies) for call in calls]}

    def clear(self) -> None:
        """Forget the calls; numbering goes on, so that a reader's position stays good."""
        with self._lock:
            self._calls.clear()


def _shown(call: Call, bodies: bool) -> dict[str, Any]:
    shown = dict(vars(call))
    if not bodies:
        del shown["request_body"], shown["response_body"]
    return shown
