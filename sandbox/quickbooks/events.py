"""Webhooks: CloudEvents in one array per POST, signed over the raw bytes, for connected companies only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.kit.app import Kit
from sandbox.kit.webhooks import Sender
from sandbox.quickbooks.books import Change
from sandbox.quickbooks.settings import Settings

# Provider facts: 3 s to answer, at most 100 events in a POST.
ANSWER_WITHIN_S = 3.0
MAX_EVENTS = 100
COALESCE_S = 0.05
_SOURCE = "intuit.c2FuZGJveC1xdWlja2Jvb2tzLXN0YW5kLWlu="


def signature(body: bytes, verifier_token: str) -> str:
    """Return the `intuit-signature` of a body."""
    digest = hmac.new(verifier_token.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def cloud_event(change: Change) -> dict[str, Any]:
    """Return one event as it is sent."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": _SOURCE,
        "type": f"qbo.{change.entity.lower()}.{change.operation}.v1",
        "datacontenttype": "application/json",
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "intuitentityid": change.id,
        "intuitaccountid": change.realm_id,
        "data": change.data,
    }


class Notifier:
    """Gathers changes for a moment, then posts them; one POST may hold events of several companies."""

    def __init__(self, kit: Kit, settings: Settings, connected: Callable[[], set[str]]) -> None:
        self._settings = settings
        self._connected = connected
        self._sender = Sender(kit, settings.retry_gaps_s, timeout_s=ANSWER_WITHIN_S)
        self._flushed = threading.Condition()
        self._pending: list[Change] = []
        kit.on_reset(self._forget)

    def tell(self, change: Change) -> None:
        """Queue a change; the same thing told twice within the moment is sent once."""
        if not self._settings.webhook_url or change.realm_id not in self._connected():
            return
        with self._flushed:
            if change in self._pending:
                return
            self._pending.append(change)
            if len(self._pending) == 1:
                timer = threading.Timer(COALESCE_S, self._flush)
                timer.daemon = True
                timer.start()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until everything told so far was delivered or given up; False when that took too long."""
        with self._flushed:
            if not self._flushed.wait_for(lambda: not self._pending, timeout_s):
                return False
        return self._sender.wait_until_idle(timeout_s)

    def _forget(self) -> None:
        with self._flushed:
            self._pending.clear()
            self._flushed.notify_all()

    def _flush(self) -> None:
        # Sending only queues, and doing it under the lock leaves no moment in which a change is in neither queue.
        with self._flushed:
            for start in range(0, len(self._pending), MAX_EVENTS):
                self._send(self._pending[start : start + MAX_EVENTS])
            self._pending.clear()
            self._flushed.notify_all()

    def _send(self, batch: Sequence[Change]) -> None:
        body = json.dumps([cloud_event(change) for change in batch], separators=(",", ":")).encode()
        self._sender.send(self._settings.webhook_url, self._headers, body, account=batch[0].realm_id)

    def _headers(self, body: bytes) -> Mapping[str, str]:
        return {
            "Content-Type": "application/cloudevents+json",
            "intuit-signature": signature(body, self._settings.verifier_token),
            "User-Agent": "intuit-notifications",
        }
