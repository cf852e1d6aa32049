"""Calls of the ledger that its tests share, and looks into the stand-in behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.outcome import Outcome
from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.ports import CustomerToCreate, LedgerAccount, LedgerInvoice
from tests.app.integrations.faults import value
from tests.sandbox.quickbooks.harness import US, StandIn

MARKER = "[dealwright invoice 1 0123456789ab]"
OURS = CustomerToCreate("Acme Inc", "billing@acme.example", "USD", "[dealwright customer 1 0123456789ab]")
SERVICE = "1"
LINE: Mapping[str, Any] = {
    "item": "Platform", "start": "2027-03-01", "end": "2027-04-01", "quantity": "10", "unit_price": "100.00",
    "amount_minor": 100_000, "why": "10 x 100.00 a month, 1 Mar - 31 Mar 2027",
}  # fmt: skip
FROZEN: Mapping[str, Any] = {
    "invoice_id": 1, "kind": "invoice", "customer": "Acme Inc", "currency": "USD", "issued_on": "2027-03-01",
    "due_on": "2027-03-31", "email": "billing@acme.example", "net_minor": 100_000, "marker": MARKER, "lines": [LINE],
}  # fmt: skip


def request(
    ledger: QuickBooksLedger,
    customer: str,
    *,
    tax_code: str | None = None,
    lines: list[Any] | None = None,
    **changes: Any,
) -> bytes:
    """Return the bytes of an invoice over 1,000.00."""
    frozen = dict(FROZEN) | ({"lines": lines} if lines is not None else {}) | changes
    return ledger.invoice_request(frozen, customer, {"Platform": SERVICE, "Set-up": SERVICE}, tax_code)


def create(ledger: QuickBooksLedger, account: LedgerAccount, body: bytes, *, look_first: bool = False) -> Outcome:
    return ledger.create_invoice(account, body, "request-1", look_first=look_first)


def created(ledger: QuickBooksLedger, account: LedgerAccount, customer: str, **changes: Any) -> LedgerInvoice:
    found = value(create(ledger, account, request(ledger, customer, **changes)))
    assert isinstance(found, LedgerInvoice)
    return found


def make_customer(ledger: QuickBooksLedger, account: LedgerAccount, new: CustomerToCreate = OURS) -> Outcome:
    return ledger.create_customer(account, ledger.customer_request(new), "request-c", look_first=False)


def order(quickbooks: StandIn, operation: str, kind: str = "before", **rule: Any) -> None:
    """Order a fault for the next call of an operation."""
    quickbooks.control("faults", match={"operation": operation}, kind=kind, **rule)


def calls(quickbooks: StandIn, operation: str) -> list[Any]:
    """Return the journal's calls of an operation, with bodies."""
    found = quickbooks.look("journal", bodies=1)["calls"]
    return [call for call in found if call["operation"] == operation]


def books(quickbooks: StandIn, realm: str = US) -> Any:
    return quickbooks.look("books", realm_id=realm)


def ours(quickbooks: StandIn) -> list[Any]:
    """Return the invoices with our marker."""
    return [one for one in books(quickbooks)["invoices"] if MARKER in one.get("PrivateNote", "")]
