"""What payments do to invoices. A payment's lines are the only record; balances and links follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sandbox.quickbooks import figures
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.fields import Document


def lines_for(payment: Document, invoice_id: str) -> Iterator[Document]:
    """Return the lines of a payment that pay an invoice."""
    for line in payment["Line"]:
        if line["LinkedTxn"][0] == {"TxnId": invoice_id, "TxnType": "Invoice"}:
            yield line


def applied_to(books: Books, invoice_id: str, without: str | None = None) -> Decimal:
    """Return what all payments, except one, apply to an invoice."""
    return figures.total(
        Decimal(line["Amount"])
        for payment in books.all("Payment")
        if payment["Id"] != without
        for line in lines_for(payment, invoice_id)
    )


def refresh_invoice(books: Books, invoice: Document) -> None:
    """Recompute Balance and LinkedTxn from the payments; the caller decides whether that is a new version."""
    paid = applied_to(books, invoice["Id"])
    due = Decimal(invoice["TotalAmt"]) - Decimal(invoice.get("Deposit") or "0")
    invoice["Balance"] = figures.amount_text(due - paid)
    if "HomeBalance" in invoice:
        invoice["HomeBalance"] = figures.amount_text((due - paid) * Decimal(invoice["ExchangeRate"]))
    invoice["LinkedTxn"] = [
        {"TxnId": payment["Id"], "TxnType": "Payment"}
        for payment in books.all("Payment")
        if any(lines_for(payment, invoice["Id"]))
    ]


def set_unapplied(payment: Document) -> None:
    """Set UnappliedAmt to what the lines leave of the payment."""
    applied = figures.total(Decimal(line["Amount"]) for line in payment["Line"])
    payment["UnappliedAmt"] = figures.amount_text(Decimal(payment["TotalAmt"]) - applied)


def release(books: Books, invoice: Document) -> None:
    """Take every payment off an invoice; what they paid stays as unapplied credit."""
    _lower(books, invoice["Id"], figures.ZERO)
    invoice["LinkedTxn"] = []


def trim_to_total(books: Books, invoice: Document) -> None:
    """When an invoice became smaller than what was paid, give the excess back to the payments as unapplied credit."""
    due = Decimal(invoice["TotalAmt"]) - Decimal(invoice.get("Deposit") or "0")
    if applied_to(books, invoice["Id"]) > due:
        _lower(books, invoice["Id"], due)


def _lower(books: Books, invoice_id: str, limit: Decimal) -> None:
    """Keep at most `limit` applied to an invoice, the earliest payments first."""
    left = limit
    for payment in list(books.all("Payment")):
        if not any(lines_for(payment, invoice_id)):
            continue
        kept, is_changed = [], False
        for line in payment["Line"]:
            if not any(line is one for one in lines_for(payment, invoice_id)):
                kept.append(line)
                continue
            amount = min(Decimal(line["Amount"]), left)
            left -= amount
            is_changed = is_changed or amount != Decimal(line["Amount"])
            if amount:
                kept.append(line | {"Amount": figures.amount_text(amount)})
        if is_changed:
            payment["Line"] = kept
            set_unapplied(payment)
            books.put_changed("Payment", payment)
            books.tell("Payment", "updated", payment["Id"])
