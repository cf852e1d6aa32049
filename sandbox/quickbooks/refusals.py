"""What QuickBooks refuses, in its own codes and words.

Wordings of 2010, 2030, 500, 610, 3200, 4001, 5010 and 6240 are recorded from the real service; the other texts are not
promised by anybody, so nothing may depend on them (FIDELITY.md says which).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status and JSON text."""

    status: int
    body: str


class Refusal(Exception):
    """A request that QuickBooks refuses. `element` is left out of the answer when None."""

    def __init__(
        self,
        code: str,
        message: str,
        detail: str,
        *,
        status: int = 400,
        element: str | None = None,
        fault_type: str = "ValidationFault",
        has_time: bool = True,
    ) -> None:
        super().__init__(f"{code} {detail}")
        self.code = code
        self.message = message
        self.detail = detail
        self.status = status
        self.element = element
        self.fault_type = fault_type
        self.has_time = has_time

    def fault(self) -> dict[str, Any]:
        """Return the `Fault` object."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element is not None:
            error["element"] = self.element
        return {"Error": [error], "type": self.fault_type}


def not_found() -> Refusal:
    """The object is unknown, deleted, or inactive (recorded)."""
    detail = (
        "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees."
    )
    return Refusal("610", "Object Not Found", detail, element="")


def stale() -> Refusal:
    """The SyncToken is not the current one (recorded)."""
    detail = (
        "Stale Object Error : You and someone else were working on this at the same time. "
        "Someone else finished before you did, so your work was not saved."
    )
    return Refusal("5010", "Stale Object Error", detail, element="")


def duplicate_name() -> Refusal:
    """The name is taken by a customer, vendor, employee, or by an object of the same list (recorded)."""
    return Refusal("6240", "Duplicate Name Exists Error", "The name supplied already exists. : null")


def invalid_id(value: str) -> Refusal:
    """An id that is not a whole number (recorded, without `time`)."""
    detail = f"Id should be a valid number. Supplied value:{value}"
    return Refusal("2030", "Invalid ID", detail, element="Id", has_time=False)


def bad_property(text: str) -> Refusal:
    """A property that does not exist or has a value of the wrong type (the unknown one is recorded)."""
    detail = f"Property Name:{text}\n specified is unsupported or invalid"
    return Refusal("2010", "Request has invalid or unsupported property", detail)


def unknown_property(entity: str, name: str, known: list[str]) -> Refusal:
    """A property this entity doesn't have."""
    listed = ", ".join(f'"{one}"' for one in known)
    return bad_property(
        f'Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{entity}), '
        f"not marked as ignorable ({len(known)} known properties: {listed}])"
    )


def unsupported(path: str) -> Refusal:
    """A path or operation that doesn't exist (recorded)."""
    detail = f"Operation Could not find resource for relative : {path} is not supported."
    return Refusal("500", "Unsupported Operation", detail)


def missing(name: str) -> Refusal:
    """A required property is not there."""
    message = "Required param missing, need to supply the required value for the API"
    return Refusal("2020", message, f"Required parameter {name} is missing in the request", element=name)


def too_long(name: str, limit: int, length: int) -> Refusal:
    """A text above its limit."""
    message = "String length is either shorter or longer than supported by specification"
    detail = f"String length specified does not match the supported length. Min:0 Max:{limit} supported. "
    return Refusal("2050", message, f"{detail}Supplied length:{length}", element=name)


def invalid_reference(name: str, value: str) -> Refusal:
    """A reference to an object that never existed."""
    detail = f"Invalid Reference Id : {name} element id {value} not found"
    return Refusal("2500", "Invalid Reference Id", detail, element="")


def business(text: str) -> Refusal:
    """A rule of accounting or of the company's settings is broken."""
    message = "A business validation error has occurred while processing your request"
    return Refusal("6000", message, f"Business Validation Error: {text}", element="")


def wrong_amount(supplied: str) -> Refusal:
    """Amount isn't Qty x UnitPrice."""
    message = "Amount calculation incorrect in the request"
    detail = f"{message}. Amount is not equal to UnitPrice * Qty. Supplied value:{supplied}"
    return Refusal("6070", message, detail, element="Line.Amount")


def duplicate_number(number: str, txn_type: str, txn_id: str) -> Refusal:
    """The document number is taken."""
    detail = (
        "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
        f"DocNumber={number} is assigned to TxnType={txn_type} with TxnId={txn_id}"
    )
    return Refusal("6140", "Duplicate Document Number Error", detail, element="")


def books_closed() -> Refusal:
    """The transaction lies in a closed period."""
    detail = (
        "Account Period Closed : The account period has closed and the books cannot be changed through this service."
    )
    return Refusal("6210", "Account Period Closed", detail, element="")


def wrong_account(name: str) -> Refusal:
    """An account of a type that can't be used there."""
    detail = f"Invalid account type used : {name}"
    return Refusal("6430", "Invalid account type used", detail, element="")


def bad_syntax(detail: str) -> Refusal:
    """A query that can't be parsed."""
    return Refusal("4000", "Error parsing query", f"QueryParserError: {detail}")


def bad_query(detail: str) -> Refusal:
    """A query that names what doesn't exist (recorded)."""
    return Refusal("4001", "Invalid query", f"QueryValidationError: {detail}")


def forbidden_company() -> Refusal:
    """A good token of another company."""
    message = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403"
    detail = "The application is not authorised for this company"
    # The schema spells the type like this.
    return Refusal("3100", message, detail, status=403, fault_type="AuthorizatonFault")


def bad_token_body(detail: str, time_ms: int) -> dict[str, Any]:
    """Return the body of a 401: not the usual fault, all names in lower case (recorded)."""
    error = {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": detail,
        "code": "3200",
        "element": None,
    }
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": "AUTHENTICATION"},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": time_ms,
        "status": None,
        "cdcresponse": [],
    }
