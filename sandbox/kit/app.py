"""The Flask application both stand-ins start from.

Every route passes the ordered faults and the journal, except the control API and views marked as a `page`. A view
names its operation with `@operation("invoice.create")`; `{...}` in the name is filled from the URL's parts, and a
function is called in the request when the name depends on the body.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Response, current_app, g, jsonify, request

from sandbox.kit import control, server
from sandbox.kit.clock import DayClock
from sandbox.kit.faults import Fault, Faults
from sandbox.kit.journal import Journal
from sandbox.kit.redact import redact_body, redact_query
from sandbox.kit.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])
_CLOSE = "sandbox.close_without_answer"


class Kit:
    """What a stand-in needs around its provider's routes; `app.extensions["kit"]`.

    `fault_body` makes the body of a fault that was ordered without one, in the words of the provider; it is called
    inside the request. `stopping` is set when the process is asked to end: wait on it instead of sleeping.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: DayClock, store: Store) -> None:
        self.faults = faults
        self.journal = journal
        self.clock = clock
        self.store = store
        self.stopping = threading.Event()
        self.fault_body: Callable[[Fault], Any] = _plain_fault_body
        self._on_reset: list[Callable[[], None]] = []
        self._on_close: list[Callable[[], None]] = []

    def on_reset(self, callback: Callable[[], None]) -> None:
        """Have `callback` fill the emptied store at a reset. It runs under the store's lock."""
        self._on_reset.append(callback)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Have `callback` stop what runs in the background when the stand-in ends."""
        self._on_close.append(callback)

    def close(self) -> None:
        """Wake what waits, stop what runs in the background, and save the state."""
        self.stopping.set()
        for callback in self._on_close:
            callback()
        self.store.close()

    def reset(self) -> None:
        """Return to the state of a first start: no faults, no journal, the real day, the seeded data."""
        self.faults.clear()
        self.journal.clear()
        with self.store.lock:
            self.store.data.clear()
            for callback in self._on_reset:
                callback()
            self.store.changed()

    def seed_if_new(self) -> None:
        """Run the reset callbacks when the store began empty, and not when it was read from a file."""
        if self.store.is_new:
            self.reset()


def create_base(name: str) -> Flask:
    """Return an application with `/healthz`, the control API, and the hooks for faults and journal.

    State goes to `<SANDBOX_STATE_DIR>/<name>.json` when that variable is set, else it stays in memory.
    """
    app = Flask(f"sandbox.{name}", root_path=str(Path(__file__).parent), static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it, its base class not
    folder = os.environ.get("SANDBOX_STATE_DIR")
    store = Store(Path(folder) / f"{name}.json" if folder else None)
    kit = Kit(Faults(), Journal(), DayClock(store), store)
    app.extensions["kit"] = kit
    app.config["STAND_IN"] = name
    app.before_request(_meet_fault)
    app.after_request(_finish)
    app.register_blueprint(control.blueprint)
    app.wsgi_app = _close_when_told(app.wsgi_app)  # type: ignore[method-assign, assignment]  # Flask's way to wrap
    return app


def run(app: Flask, port: int) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; prints one line when ready and saves the state at the end."""
    kit = get_kit(app)
    server.serve(app, app.config["STAND_IN"], port, kit.stopping)
    kit.close()


def get_kit(app: Flask | None = None) -> Kit:
    """Return the kit of `app`, or of the application that handles the current request."""
    kit: Kit = (app or current_app).extensions["kit"]
    return kit


def operation(name: str | Callable[[], str]) -> Callable[[View], View]:
    """Name the operation of a view, for faults and journal."""

    def mark(view: View) -> View:
        view.operation = name  # type: ignore[attr-defined]  # a mark on the function, read in _operation_name
        return view

    return mark


def page(view: View) -> View:
    """Mark a view as the stand-in's own page or asset: it meets no faults and is not in the journal."""
    view.is_page = True  # type: ignore[attr-defined]  # a mark on the function, read in _is_own
    return view


def note(*, account: str | int | None = None, request_id: str | None = None) -> None:
    """Tell the journal whose call the current request is, and the provider's id of it."""
    if account is not None:
        g.account = str(account)
    if request_id is not None:
        g.request_id = request_id


def _plain_fault_body(fault: Fault) -> Any:
    return {"message": f"ordered fault, status {fault.status}"}


def _view() -> Callable[..., Any] | None:
    return current_app.view_functions.get(request.endpoint) if request.endpoint else None


def _is_own() -> bool:
    is_control = request.path == "/healthz" or request.path.startswith("/_sandbox/")
    if is_control or (request.endpoint or "").endswith(".static"):
        return True
    return getattr(_view(), "is_page", False)


def _operation_name() -> str | None:
    name = getattr(_view(), "operation", None)
    if callable(name):
        return str(name())
    return name.format(**(request.view_args or {})) if name else None


def _meet_fault() -> Response | None:
    if _is_own():
        return None
    # Read before the view does, so that the journal has the body even when a fault skips the view.
    request.get_data(cache=True)
    g.operation = _operation_name()
    fault = get_kit().faults.take(request.method, request.path, g.operation)
    if fault is None:
        return None
    g.fault = fault
    if fault.kind == "slow":
        get_kit().stopping.wait(fault.seconds)
    if not fault.skips_the_work:
        return None
    return Response() if fault.answers_nothing else _fault_answer(fault)


def _fault_answer(fault: Fault) -> Response:
    body = get_kit().fault_body(fault) if fault.body is None else fault.body
    response = Response(body) if isinstance(body, str) else jsonify(body)
    response.status_code = fault.status
    response.headers.update(fault.headers)
    return response


def _finish(response: Response) -> Response:
    if _is_own():
        return response
    fault: Fault | None = g.get("fault")
    if fault is not None and fault.kind == "after":
        response = _fault_answer(fault)
    # Noted before the connection is held, so that a test can see that the work is done.
    _write_journal(response, fault)
    if fault is not None and fault.answers_nothing:
        if fault.holds:
            get_kit().stopping.wait(fault.seconds)
        request.environ[_CLOSE] = True
    return response


def _write_journal(response: Response, fault: Fault | None) -> None:
    unanswered = fault is not None and fault.answers_nothing
    get_kit().journal.add(
        method=request.method,
        path=request.path,
        query=redact_query(request.query_string.decode("latin-1")),
        status=None if unanswered else response.status_code,
        account=g.get("account"),
        request_id=g.get("request_id"),
        fault=fault.kind if fault else None,
        operation=g.get("operation"),
        request_body=redact_body(request.get_data(cache=True), request.content_type or ""),
        response_body=None if unanswered else redact_body(response.get_data(), response.content_type or ""),
    )


def _close_when_told(inner: WSGIApplication) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = inner(environ, start_response)
        if not environ.get(_CLOSE):
            return answer
        connection: socket.socket | None = environ.get("werkzeug.socket")
        if connection is not None:
            with contextlib.suppress(OSError):  # The client may have hung up first.
                connection.shutdown(socket.SHUT_RDWR)
        # The server takes this as "the client went away" and writes nothing.
        raise ConnectionAbortedError("closed without an answer, as ordered")

    return application
