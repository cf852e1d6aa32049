"""CRM search."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.errors import validation
from sandbox.hubspot.model import searching
from sandbox.hubspot.routes.api import DATED, Call, body_object, for_account, on_type
from sandbox.hubspot.routes.objects import readable
from sandbox.kit.app import operation

blueprint = Blueprint("search", __name__)
BODY_LIMIT = 3_000


@blueprint.post(f"/crm/objects/{DATED}/<kind>/search")
@operation(on_type("search"))
@for_account
def search(call: Call, kind: str) -> ResponseReturnValue:
    """Return the records that fit the filters; archived ones never do."""
    if len(request.get_data(as_text=True)) > BODY_LIMIT:
        raise validation(f"the body of a search has at most {BODY_LIMIT} characters")
    return searching.search(call.portal, readable(call, kind), body_object())
