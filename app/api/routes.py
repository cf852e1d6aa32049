"""`POST /api/v1/previews`: what a deal document bills, for other programs.

There is no signing in here on purpose: the answer is pure arithmetic over what the caller sends. No portal is looked
up, nothing is read from the database and nothing is kept, so there is nothing to protect but our own time; for that the
body and the work are bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api, Blueprint

from app.api.answer import Answer, Error
from app.api.bounds import check_work
from app.api.document import DealDocument
from app.api.examples import ANSWERS, DOCUMENTS, FAULTS
from app.api.item import When
from app.billing import preview
from app.core import clock
from app.core.errors import DomainError
from app.core.strict_json import BadJson, read

MOST_BYTES = 1024 * 1024
blueprint = Blueprint("previews", __name__, url_prefix="/api/v1", description="What deal documents bill")


class NotJson(DomainError):
    status = 415
    code = "unsupported_media_type"


class BadBody(DomainError):
    status = 400
    code = "bad_json"


def create() -> ResponseReturnValue:
    """Answer what a deal document bills.

    Nothing is stored. 200 also when the answer is a question or a refusal: look at `status`.
    """
    if not request.is_json:
        raise NotJson("Send the deal document as application/json.")
    request.max_content_length = MOST_BYTES
    try:
        document: Any = read(request.get_data(cache=False))
    except BadJson as fault:
        raise BadBody(str(fault)) from None
    check_work(document)
    if isinstance(document, dict) and document.get("as_of") is None:
        document["as_of"] = clock.now().date().isoformat()
    answer = preview(document)
    return jsonify(answer.to_json()), 422 if answer.status == "invalid" else 200


def _described(view: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """Return the view with what the description says of it."""
    body = {"required": True, "content": {"application/json": {"schema": DealDocument, "examples": DOCUMENTS}}}
    view = blueprint.doc(requestBody=body)(view)
    for status, schema, description, examples in (
        (200, Answer, "What it bills, or a question, or why it is refused: look at `status`", ANSWERS),
        (422, Answer, "Every fault of the document, in `errors`", FAULTS),
        (400, Error, "The body is not JSON", None),
        (413, Error, "The body is larger than 1 MB, or asks for too much work at once", None),
        (415, Error, "The content type is not application/json", None),
    ):
        view = blueprint.alt_response(status, schema=schema, description=description, examples=examples)(view)
    return view


blueprint.add_url_rule("/previews", view_func=_described(create), methods=["POST"])


class _Api(Api):  # type: ignore[misc]  # it ships no types
    """Describes the interface, and leaves errors to the edge, which renders those of every door (and keeps `Allow`)."""

    ERROR_SCHEMA = Error
    # Every status that can come is described by itself.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return

    def _register_pagination_header(self) -> None:
        # Nothing here has pages, and the description lists only what is used.
        return


def install(app: Flask) -> None:
    """Put the interface and its description into the web application."""
    app.config.update(
        API_TITLE="Dealwright",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = _Api(app, spec_kwargs={"info": {"description": "What any B2B SaaS deal bills, to the cent."}})
    # Named by reference inside fields of several forms, where no nested schema brings it along.
    api.spec.components.schema("When", schema=When)
    api.register_blueprint(blueprint)
