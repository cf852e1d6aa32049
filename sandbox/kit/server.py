"""A threaded server on the loopback address."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    """Logs nothing: the journal has the calls, and a request line may carry a one-time code."""

    # Without this each answer on a kept connection waits some 40 ms, because head and body are two small writes.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:
        if type == "error":
            super().log(type, message, *args)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None


def make(app: Flask, port: int) -> BaseWSGIServer:
    """Return a server bound to 127.0.0.1 (port 0: a free one), not yet serving."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)


def serve(app: Flask, name: str, port: int, stopping: threading.Event) -> None:
    """Serve until SIGTERM or SIGINT, or until `stopping` is set. Calls in progress are not waited for."""

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    bound = make(app, port)
    thread = threading.Thread(target=bound.serve_forever, kwargs={"poll_interval": 0.05}, name="server", daemon=True)
    thread.start()
    sys.stdout.write(f"{name} stand-in ready on http://127.0.0.1:{bound.port}\n")
    sys.stdout.flush()
    stopping.wait()
    bound.shutdown()
    thread.join()
    bound.server_close()
