"""Error answers in HubSpot's shape."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sandbox.kit.faults import Fault


class HubSpotError(Exception):
    """An answer that is not a success; becomes `{"status": "error", "message", "category", "correlationId", ...}`."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        sub_category: str | None = None,
        context: dict[str, list[str]] | None = None,
        errors: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.sub_category = sub_category
        self.context = context
        self.errors = list(errors)

    def body(self) -> dict[str, Any]:
        """Return the JSON body, each time with a new correlation id."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
        }
        optional = {"subCategory": self.sub_category, "context": self.context, "errors": self.errors}
        body.update({name: value for name, value in optional.items() if value})
        return body


def validation(message: str, *, code: str | None = None, names: Sequence[str] = ()) -> HubSpotError:
    """A 400; `names` are the properties that were refused."""
    detail: dict[str, Any] = {"message": message}
    if code:
        detail["code"] = code
    if names:
        detail["context"] = {"propertyName": list(names)}
    return HubSpotError(400, "VALIDATION_ERROR", message, errors=[detail])


def not_found(what: str, object_id: str) -> HubSpotError:
    """A 404 for a record, property, pipeline or stage."""
    message = f"{what} {object_id} was not found" if object_id else f"{what} was not found"
    return HubSpotError(404, "OBJECT_NOT_FOUND", message)


def fault_body(fault: Fault) -> dict[str, Any]:
    """The body of an ordered fault: HubSpot's own words for a rate limit, its general shape for the rest."""
    if fault.status == 429:
        return {
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": str(uuid.uuid4()),
            "policyName": "TEN_SECONDLY_ROLLING",
            "groupName": "publicapi:oauth",
        }
    return HubSpotError(fault.status, _category(fault.status), "ordered fault").body()


def _category(status: int) -> str:
    known = {401: "INVALID_AUTHENTICATION", 403: "MISSING_SCOPES", 404: "OBJECT_NOT_FOUND", 409: "CONFLICT"}
    return known.get(status, "VALIDATION_ERROR" if status < 500 else "INTERNAL_ERROR")
