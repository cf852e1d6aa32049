"""A stand-in served on a free port, and the application's side of its calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Flask

from sandbox.kit.app import get_kit
from sandbox.kit.server import make


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve the application in a thread and give its address; ends its background work afterwards."""
    server = make(app, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.002})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        get_kit(app).close()


@dataclass(frozen=True)
class Received:
    """One request as the application got it; `target` is not decoded."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Plays the application: notes each request and answers with the next of `answers`, at last with `default`.

    An answer of None closes the connection without one.
    """

    origin: str = ""
    answers: list[tuple[int, bytes] | None] = field(default_factory=list)
    default: tuple[int, bytes] = (200, b"{}")
    requests: list[Received] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def take(self, request: Received) -> tuple[int, bytes] | None:
        with self._news:
            self.requests.append(request)
            self._news.notify_all()
            return self.answers.pop(0) if self.answers else self.default

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[Received]:
        """Return the requests as soon as there are `count`; fails when that takes too long."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.requests) >= count, timeout_s), (
                f"{len(self.requests)} requests came, {count} were expected"
            )
            return list(self.requests)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a Receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(Received(self.command, self.path, headers, body))
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.002})
    thread.start()
    receiver.origin = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
