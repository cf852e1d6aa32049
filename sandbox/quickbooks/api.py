"""The Accounting API: /v3/company/<realm>/..."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request

from sandbox.kit.app import note, operation
from sandbox.quickbooks import cdc, ledger, pdf, query, refusals, standin, wire
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import BY_PATH
from sandbox.quickbooks.entities.base import PDF, Entity
from sandbox.quickbooks.fields import Document
from sandbox.quickbooks.refusals import Answer, Refusal
from sandbox.quickbooks.replay import MAX_LENGTH

blueprint = Blueprint("api", __name__, url_prefix="/v3")
_COMPANY = "/company/<realm_id>"
# Provider fact: answers carry these, and support asks for intuit_tid.
_VERSION = "1988.128"


@blueprint.after_request
def add_headers(response: Response) -> Response:
    """Add what every answer of the service carries (recorded)."""
    response.headers["intuit_tid"] = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    if response.status_code == 200:
        response.headers["Qbo-Version"] = _VERSION
        response.headers["Service-Time"] = "total=24, db=8"
        response.headers["Cache-Control"] = "max-age=0, no-cache, no-store, must-revalidate, private"
    return response


def for_company(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let only a good access token of the company in the path through: 401 (3200), 403 (3100)."""

    @wraps(view)
    def guarded(realm_id: str, **parts: str) -> Response:
        note(account=realm_id, request_id=request.args.get("requestid"))
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        granted = standin.get().grants.realm_of(token) if scheme.lower() == "bearer" else None
        if granted is None:
            return bad_token("Token expired" if token else "Token missing")
        if granted != realm_id:
            return refuse(refusals.forbidden_company())
        return view(realm_id, **parts)

    return guarded


def bad_token(detail: str) -> Response:
    """Answer 401 in its own shape (recorded)."""
    response = Response(wire.write(refusals.bad_token_body(detail, int(time.time() * 1000))), status=401)
    response.headers["Content-Type"] = "application/json"
    response.headers["WWW-Authenticate"] = 'Bearer realm="Intuit", error="invalid_token"'
    return response


def refuse(refusal: Refusal) -> Response:
    """Answer a refusal that needs no books."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000-08:00", time.gmtime(time.time() - 8 * 3600))
    return respond(standin.refused(refusal, now))


def respond(answer: Answer) -> Response:
    """Turn an answer into a response; the content types differ (recorded)."""
    kind = "application/json;charset=utf-8" if answer.status == 200 else "application/json"
    return Response(answer.body, status=answer.status, headers={"Content-Type": kind})


def _entity(name: str) -> Entity:
    entity = BY_PATH.get(name)
    if entity is None:
        raise refusals.unsupported(request.path)
    return entity


def _write_operation() -> str:
    try:
        body = wire.read_object(request.get_data(cache=True))
    except Refusal:
        body = {}
    return f"{(request.view_args or {}).get('name')}.{ledger.operation_of(body, request.args)}"


def _query_text() -> str:
    if request.method == "POST":
        return request.get_data(cache=True).decode(errors="replace")
    return request.args.get("query", "")


def _query_operation() -> str:
    return f"{(query.entity_name(_query_text()) or 'unknown').lower()}.query"


@blueprint.route(f"{_COMPANY}/query", methods=["GET", "POST"])
@operation(_query_operation)
@for_company
def run_query(realm_id: str) -> Response:
    """Answer a query sent in the address, or as a text in the body."""
    text = _query_text()
    return respond(standin.get().answer(realm_id, lambda books: {"QueryResponse": ledger.run_query(books, text)}))


@blueprint.get(f"{_COMPANY}/cdc")
@operation("cdc.read")
@for_company
def read_changes(realm_id: str) -> Response:
    """Return what changed since an instant."""
    entities, since = request.args.get("entities", ""), request.args.get("changedSince", "")
    return respond(standin.get().answer(realm_id, lambda books: cdc.changes(books, entities, since)))


@blueprint.get(f"{_COMPANY}/preferences")
@operation("preferences.read")
@for_company
def read_preferences(realm_id: str) -> Response:
    """Return the one Preferences object."""
    return _read(realm_id, "preferences", "1")


@blueprint.get(f"{_COMPANY}/<name>/<id>")
@operation("{name}.read")
@for_company
def read(realm_id: str, name: str, id: str) -> Response:
    """Return one object."""
    return _read(realm_id, name, id)


@blueprint.post(f"{_COMPANY}/<name>")
@operation(_write_operation)
@for_company
def write(realm_id: str, name: str) -> Response:
    """Create, update, delete or void."""
    options = request.args.to_dict()
    body = request.get_data(cache=True)

    def work(books: Books) -> Document:
        entity = _entity(name)
        return {entity.name: ledger.write(books, entity, wire.read_object(body), options)}

    return _write_once(realm_id, work)


@blueprint.post(f"{_COMPANY}/<name>/<id>/send")
@operation("{name}.send")
@for_company
def send(realm_id: str, name: str, id: str) -> Response:
    """Mail a document."""
    send_to = request.args.get("sendTo")

    def work(books: Books) -> Document:
        entity = _entity(name)
        return {entity.name: ledger.send(books, entity, id, send_to)}

    return _write_once(realm_id, work)


@blueprint.get(f"{_COMPANY}/<name>/<id>/pdf")
@operation("{name}.pdf")
@for_company
def read_pdf(realm_id: str, name: str, id: str) -> Response:
    """Return a document as PDF; refusals come as JSON."""
    documents: list[Document] = []

    def work(books: Books) -> Document:
        entity = _entity(name)
        if PDF not in entity.operations:
            raise refusals.unsupported(request.path)
        documents.append(ledger.find(books, entity, id))
        return {}

    answer = standin.get().answer(realm_id, work)
    if not documents:
        return respond(answer)
    return Response(pdf.render(documents[0]), mimetype="application/pdf")


@blueprint.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@operation("unknown")
def unsupported(rest: str) -> Response:
    """Refuse paths that don't exist (recorded: 400, code 500)."""
    return refuse(refusals.unsupported(f"/v3/{rest}"))


def _read(realm_id: str, name: str, id: str) -> Response:
    def work(books: Books) -> dict[str, Any]:
        entity = _entity(name)
        return {entity.name: ledger.read(books, entity, id)}

    return respond(standin.get().answer(realm_id, work))


def _write_once(realm_id: str, work: Callable[[Books], Document]) -> Response:
    request_id = request.args.get("requestid")
    if request_id and len(request_id) > MAX_LENGTH:
        return refuse(refusals.too_long("requestid", MAX_LENGTH, len(request_id)))
    return respond(standin.get().answer_once(realm_id, request_id, work))
