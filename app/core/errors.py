"""Errors that carry a status and a sentence fit for the person who reads it."""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """Something the caller can act on. `status` is the HTTP status, `message` a sentence, `fields` the details."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields: Mapping[str, object] = fields


class NotSignedIn(DomainError):
    status = 401
    code = "not_signed_in"


class BadSignature(DomainError):
    status = 401
    code = "bad_signature"


class NotAllowed(DomainError):
    status = 403
    code = "not_allowed"


class NotFound(DomainError):
    """Also the answer for another portal's record: its existence is not told."""

    status = 404
    code = "not_found"


class Conflict(DomainError):
    status = 409
    code = "conflict"


class Invalid(DomainError):
    status = 422
    code = "invalid"


class Unavailable(DomainError):
    status = 503
    code = "unavailable"
