"""What the API's views share: dated paths, the bearer token, scopes, request bodies."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import context
from sandbox.hubspot.errors import HubSpotError, validation
from sandbox.hubspot.model.portal import Actor, Portal
from sandbox.hubspot.object_types import find
from sandbox.hubspot.timestamps import iso, now_iso
from sandbox.kit.app import note

VERSIONS = ("2026-09", "2026-03")
# Goes into the paths; the views get the date as `version`, and none treats the two apart yet.
DATED = "<any('2026-09', '2026-03'):version>"
BATCH_LIMIT = 100


@dataclass(frozen=True)
class Call:
    """A call with a good access token. It runs under the store's lock."""

    portal: Portal
    actor: Actor
    scopes: frozenset[str]

    def need(self, *alternatives: str) -> None:
        """Raise the 403 of HubSpot unless one of the scopes was granted."""
        if self.scopes.isdisjoint(alternatives):
            message = "This app hasn't been granted all required scopes to make this call."
            detail = {"message": message, "context": {"requiredGranularScopes": list(alternatives)}}
            raise HubSpotError(403, "MISSING_SCOPES", message, errors=[detail])


def for_account(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Check the bearer token and call `view(call, **path_parts)`, without `version`. Answers HubSpot's 401s."""

    @functools.wraps(view)
    def checked(version: str, **parts: Any) -> ResponseReturnValue:
        with context().kit.store.lock:
            return view(_caller(), **parts)

    return checked


def on_type(what: str) -> Callable[[], str]:
    """Name an operation after the record type in the path: `deal.read`, by whatever name the path calls it."""

    def name() -> str:
        kind = (request.view_args or {}).get("kind", "")
        try:
            return f"{find(kind).name}.{what}"
        except HubSpotError:
            return f"{kind}.{what}"

    return name


def body_object() -> dict[str, Any]:
    """Return the JSON object that was sent. Raises a 400, and a 415 for another content type."""
    if not request.is_json:
        raise HubSpotError(415, "VALIDATION_ERROR", "Unsupported Media Type: send application/json")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise validation("Invalid input JSON: an object is expected")
    return body


def batch_inputs(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the inputs of a batch call. Raises a 400 for none, for wrong ones or for more than 100."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
        raise validation("inputs must be a list of objects")
    if len(inputs) > BATCH_LIMIT:
        raise validation(f"The maximum batch size is {BATCH_LIMIT}; {len(inputs)} inputs were sent")
    return inputs


def batch_answer(started_at: str, results: list[Any], errors: list[dict[str, Any]]) -> ResponseReturnValue:
    """Answer a batch: 200, or 207 with `numErrors` and `errors` when a part failed."""
    answer: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": started_at,
        "completedAt": now_iso(),
    }
    if errors:
        answer |= {"numErrors": len(errors), "errors": errors}
    return answer, 207 if errors else 200


def name_list(parameter: str) -> list[str]:
    """Return a query parameter that is given as `a,b`, repeated, or both."""
    return [name for text in request.args.getlist(parameter) for name in text.split(",") if name]


def _caller() -> Call:
    here = context()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    grant = here.tokens.access(token.strip()) if scheme.lower() == "bearer" else None
    portal = here.portals.find(grant["hub_id"]) if grant else None
    if grant is None or portal is None:
        raise HubSpotError(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )
    note(account=portal.hub_id)
    late_s = here.tokens.now() - grant["expires_at"]
    if late_s >= 0:
        raise HubSpotError(
            401,
            "EXPIRED_AUTHENTICATION",
            f"The OAuth token used to make this call expired {int(late_s)} second(s) ago.",
            context={"expire time": [iso(datetime.fromtimestamp(grant["expires_at"], UTC))]},
        )
    return Call(portal, Actor.app(here.settings.app_id), frozenset(grant["scopes"]))
