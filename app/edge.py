"""The request edge: the one place of the web process that commits, renders errors and sets security headers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from app.core import log
from app.core.crypto import KeyRing
from app.core.db import db
from app.core.errors import DomainError
from app.core.runner import Runner
from app.ports import Accounting, Crm, TokenIssuer
from app.settings import Settings

_log = log.get(__name__)
_JSON_DOORS = ("/cards/", "/webhooks/", "/api/", "/healthz", "/readyz", "/metrics")
_SENTENCES = {
    400: "The request can't be read.", 404: "There is nothing here.", 405: "That isn't possible here.",
    413: "The request is too large. Send less at once.", 415: "The request's content type isn't supported.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wiring:
    """The process's parts, built once by the bootstrap."""

    settings: Settings
    ring: KeyRing
    crm: Crm
    accounting: Accounting
    issuers: Mapping[str, TokenIssuer]
    runner: Runner


def wiring() -> Wiring:
    """Return what the bootstrap wired for this process."""
    wired: Wiring = current_app.extensions["dealwright"]
    return wired


def raw_target() -> str:
    """Return the request target exactly as it came over the wire, which signatures are computed over."""
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    return str(target)


class _Id(IntegerConverter):
    """A number in an address that the database can hold: a larger one is no record's, so there is nothing there."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": 2**63 - 1, **options})


def install(app: Flask) -> None:
    """Put the edge around every route of the app; called before the routes are registered."""
    app.url_map.converters["int"] = _Id
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_teardown)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)


def _begin() -> None:
    g.began = time.perf_counter()
    g.csp_nonce = secrets.token_urlsafe(16)
    log.bind(request=secrets.token_hex(8))


def _end(response: Response) -> Response:
    """Commit what a request that went well did; undo everything of one that didn't."""
    if response.status_code < 400:
        db.session.commit()
    else:
        db.session.rollback()
    _security_headers(response)
    took_ms = round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1)
    _log.info("request", method=request.method, path=request.path, status_code=response.status_code, took_ms=took_ms)
    return response


def _teardown(_error: BaseException | None) -> None:
    db.session.rollback()
    log.clear()


def _security_headers(response: Response) -> None:
    nonce = g.get("csp_nonce", "")
    frames = g.get("frame_ancestors", "'none'")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        f"script-src 'nonce-{nonce}'; form-action 'self' {g.get('form_targets', '')}; base-uri 'none'; "
        f"frame-ancestors {frames}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    if wiring().settings.is_production:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"


def _domain_error(error: DomainError) -> ResponseReturnValue:
    return _render(error.status, error.code, error.message, dict(error.fields))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    sentence = _SENTENCES.get(status, error.description or "That didn't work.")
    answer = current_app.make_response(_render(status, error.name.lower().replace(" ", "_"), sentence, {}))
    if "Allow" in error.get_response().headers:
        answer.headers["Allow"] = error.get_response().headers["Allow"]
    return answer


def _bug(error: Exception) -> ResponseReturnValue:
    """Our own fault: logged with its traceback; the answer says nothing of the inside."""
    _log.error("request failed", exc_info=error)
    db.session.rollback()
    return _render(500, "internal", "Something went wrong on our side. Nothing was changed; please try again.", {})


def _render(status: int, code: str, sentence: str, fields: Mapping[str, Any]) -> ResponseReturnValue:
    if request.path.startswith(_JSON_DOORS):
        return jsonify(error={"code": code, "message": sentence, "fields": fields}), status
    return render_template("error.html", status=status, sentence=sentence), status
