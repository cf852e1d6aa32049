"""What a person does on the pages, through the same rules as the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks import ledger, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import BY_NAME
from sandbox.quickbooks.fields import Document


def take_payment(books: Books, invoice_id: str, amount: Decimal | None, day: Any) -> Document:
    """Record a payment on an invoice and return it: `amount`, or the whole balance; `day` YYYY-MM-DD, or today.

    Raises Refusal 610 for an unknown invoice, 6000 when there is nothing to pay.
    """
    invoice = ledger.find(books, BY_NAME["Invoice"], invoice_id)
    paid = Decimal(invoice["Balance"]) if amount is None else amount
    if paid <= 0:
        raise refusals.business("There is nothing to pay")
    placed = min(paid, Decimal(invoice["Balance"]))
    line = {"Amount": placed, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    body: dict[str, Any] = {
        "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
        "TotalAmt": paid,
        "Line": [line] if placed > 0 else [],
    }
    if books.prefers("CurrencyPrefs", "MultiCurrencyEnabled"):
        body["CurrencyRef"] = {"value": invoice["CurrencyRef"]["value"]}
    if day:
        body["TxnDate"] = day
    return ledger.write(books, BY_NAME["Payment"], body, {})


def void_invoice(books: Books, invoice_id: str) -> Document:
    """Void an invoice, whatever its version."""
    return ledger.void(books, BY_NAME["Invoice"], ledger.find(books, BY_NAME["Invoice"], invoice_id))
