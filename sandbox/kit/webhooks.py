"""Sends webhooks to the application, with the provider's retries and the ordered faults."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox.kit.faults import WEBHOOK_OPERATION
from sandbox.kit.outgoing import NoAnswer, call
from sandbox.kit.redact import redact_body

if TYPE_CHECKING:
    from sandbox.kit.app import Kit

HeadersFn = Callable[[bytes], Mapping[str, str]]
BodyFn = Callable[[int], bytes]
ANSWER_WITHIN_S = 5.0
_ANSWER_LIMIT = 64 * 1024


@dataclass
class _Message:
    url: str
    headers_fn: HeadersFn
    body_fn: BodyFn
    account: str | None
    fault: str | None = None
    attempt: int = 0
    is_held: bool = False


@dataclass(order=True)
class _Due:
    at: float
    turn: int
    message: _Message = field(compare=False)


class Sender:
    """Delivers in its own threads. A message is tried once and then after each of `retry_gaps_s`, then given up.

    An answer of 2xx within `timeout_s` is success; anything else, a redirect too, is a failure. With `parallel` above 1
    messages may overtake each other. Messages not yet delivered are lost when the process ends.
    """

    def __init__(
        self,
        kit: Kit,
        retry_gaps_s: Sequence[float],
        *,
        timeout_s: float = ANSWER_WITHIN_S,
        parallel: int = 1,
    ) -> None:
        self._kit = kit
        self._gaps = tuple(retry_gaps_s)
        self._timeout_s = timeout_s
        self._parallel = parallel
        self._turns = itertools.count()
        self._queue: list[_Due] = []
        self._in_flight = 0
        self._wake = threading.Condition()
        self._threads: list[threading.Thread] = []
        kit.on_reset(self.forget)
        kit.on_close(self.close)

    def send(
        self,
        url: str,
        headers_fn: HeadersFn,
        body: bytes,
        *,
        body_fn: BodyFn | None = None,
        account: str | None = None,
    ) -> None:
        """Queue a POST of `body` to `url` and return at once.

        `headers_fn(body)` is called for each attempt (a fresh timestamp each time), and so is `body_fn(attempt)`,
        counted from 0, when the provider counts attempts inside the body.
        """
        fault = self._kit.faults.take("POST", urlsplit(url).path, WEBHOOK_OPERATION)
        message = _Message(url, headers_fn, body_fn or (lambda attempt: body), account, fault.kind if fault else None)
        if fault is None:
            self._put(message, 0)
        elif fault.kind == "drop":
            self._note(message, body, None)
        elif fault.kind == "duplicate":
            self._put(message, 0)
            self._put(_Message(url, headers_fn, message.body_fn, account, fault.kind), 0)
        else:
            message.is_held = fault.kind == "reorder"
            self._put(message, fault.seconds)

    def forget(self) -> None:
        """Drop what is queued."""
        with self._wake:
            self._queue.clear()

    def close(self) -> None:
        """Drop what is queued and end the threads; one that waits for an answer is not waited for."""
        with self._wake:
            self._queue.clear()
            self._wake.notify_all()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is queued or being sent; False when that took too long."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._queue and not self._in_flight, timeout_s)

    def _put(self, message: _Message, after_s: float) -> None:
        with self._wake:
            heapq.heappush(self._queue, _Due(time.monotonic() + after_s, next(self._turns), message))
            if len(self._threads) < self._parallel:
                thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._wake.notify_all()

    def _work(self) -> None:
        while (message := self._next()) is not None:
            is_done = self._attempt(message)
            with self._wake:
                self._in_flight -= 1
                self._release_held()
                if not is_done and message.attempt < len(self._gaps):
                    gap = self._gaps[message.attempt]
                    message.attempt += 1
                    self._put(message, gap)
                self._wake.notify_all()

    def _next(self) -> _Message | None:
        with self._wake:
            while not self._kit.stopping.is_set():
                wait = self._queue[0].at - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._in_flight += 1
                    return heapq.heappop(self._queue).message
                self._wake.wait(wait)
        return None

    def _attempt(self, message: _Message) -> bool:
        body = message.body_fn(message.attempt)
        try:
            answer = call("POST", message.url, message.headers_fn(body), body, self._timeout_s, _ANSWER_LIMIT)
        except NoAnswer:
            status = None
        else:
            status = answer.status
        self._note(message, body, status)
        return status is not None and 200 <= status < 300

    def _release_held(self) -> None:
        """A reordered message goes out once a later one was delivered (or its seconds are over)."""
        now = time.monotonic()
        for due in self._queue:
            if due.message.is_held:
                due.message.is_held = False
                due.at = min(due.at, now)
        heapq.heapify(self._queue)

    def _note(self, message: _Message, body: bytes, status: int | None) -> None:
        self._kit.journal.add(
            method="POST",
            path=urlsplit(message.url).path,
            status=status,
            account=message.account,
            fault=message.fault,
            operation=WEBHOOK_OPERATION,
            request_body=redact_body(body, "application/json"),
        )
