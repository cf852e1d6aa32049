"""`requestid`: the second request with the same id gets the first one's answer, and the work isn't done again.

A request that comes while the first is still running waits for it. Refusals are remembered as well; requests that
never reached the books (a bad token, an ordered fault before the work) are not. How long QuickBooks remembers isn't
published: here it is for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sandbox.kit.store import Store
from sandbox.quickbooks.refusals import Answer

MAX_LENGTH = 50


class Replay:
    """Remembers answers per company in the store, and in memory who is at work."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[tuple[str, str], threading.Event] = {}

    def once(self, realm_id: str, request_id: str, answers: dict[str, Any], work: Callable[[], Answer]) -> Answer:
        """Return the remembered answer, or do the work and remember its answer in `answers`."""
        key = (realm_id, request_id)
        while True:
            with self._store.lock:
                if request_id in answers:
                    return Answer(**answers[request_id])
                first = self._running.get(key)
                if first is None:
                    self._running[key] = threading.Event()
                    break
            first.wait()
        try:
            answer = work()
            with self._store.lock:
                answers[request_id] = {"status": answer.status, "body": answer.body}
                self._store.changed()
            return answer
        finally:
            with self._store.lock:
                self._running.pop(key).set()
