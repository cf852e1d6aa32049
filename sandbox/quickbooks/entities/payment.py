"""Payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import ClassVar

from sandbox.quickbooks import figures, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import applied, numbering
from sandbox.quickbooks.entities.base import (
    PDF,
    TRANSACTION_OPERATIONS,
    Entity,
    currency_ref,
    look_up,
    require,
    resolve,
)
from sandbox.quickbooks.entities.customer import bill_to, is_same_family, refresh_balance
from sandbox.quickbooks.entities.invoice import SEQUENCE
from sandbox.quickbooks.fields import SYSTEM, Document, Field, amount, anything, day, flag, number, parts, ref, text

LINK = parts("LinkedTxn", text("TxnId"), text("TxnType"))
UNDEPOSITED = "Undeposited Funds"


class Payment(Entity):
    """Money received from a customer, applied to invoices by its lines."""

    name = "Payment"
    sequence = SEQUENCE
    operations = TRANSACTION_OPERATIONS | {PDF}
    sends_webhooks = True
    fields: ClassVar[tuple[Field, ...]] = (
        ref("CustomerRef").queryable(),
        ref("DepositToAccountRef"),
        ref("PaymentMethodRef"),
        text("PaymentRefNum", 21).queryable(),
        amount("TotalAmt").queryable(),
        amount("UnappliedAmt").read_only().queryable(),
        flag("ProcessPayment").read_only(),
        *SYSTEM,
        day("TxnDate").queryable(),
        ref("CurrencyRef"),
        number("ExchangeRate"),
        text("PrivateNote", 4000),
        LINK.read_only(),
        parts("Line", amount("Amount"), LINK, *anything("LineEx", "Id", "LineNum")),
        *anything("ARAccountRef", "ProjectRef", "TxnSource", "TxnStatus", "TransactionLocationType"),
        *anything("CreditCardPayment", "TaxExemptionRef", "PaymentType", "CheckPayment"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Check customer, currency and lines; what a line can't place stays unapplied."""
        require(document, "CustomerRef", "TotalAmt")
        if Decimal(document["TotalAmt"]) < 0:
            raise refusals.business("Transaction amount must be 0 or greater")
        customer = bill_to(books, document, before)
        _set_currency(books, document, customer)
        document.setdefault("TxnDate", books.today().isoformat())
        numbering.check_open(books, document, before)
        _set_deposit_account(books, document)
        document["Line"] = _applied_lines(books, document)
        applied.set_unapplied(document)
        document["ProcessPayment"] = False
        document["LinkedTxn"] = []

    def saved(self, books: Books, document: Document, before: Document | None) -> None:
        """Make a new version of each invoice that is paid more or less than before."""
        earlier = before["Line"] if before else []
        _carry_to_invoices(books, [*earlier, *document["Line"]])
        refresh_balance(books, document["CustomerRef"]["value"])

    def void(self, books: Books, document: Document) -> None:
        """Turn the payment to nothing; its invoices are open again."""
        numbering.check_open(books, document, None)
        note = document.get("PrivateNote")
        document["PrivateNote"] = f"Voided - {note}" if note else "Voided"
        document.update(TotalAmt="0.00", UnappliedAmt="0.00", Line=[])

    def check_delete(self, books: Books, document: Document) -> None:
        """Refuse in closed books."""
        numbering.check_open(books, document, None)

    def deleted(self, books: Books, document: Document) -> None:
        """Open its invoices again."""
        _carry_to_invoices(books, document["Line"])
        refresh_balance(books, document["CustomerRef"]["value"])


def _set_currency(books: Books, document: Document, customer: Document) -> None:
    code = customer["CurrencyRef"]["value"]
    sent = document.get("CurrencyRef")
    if sent is not None and sent["value"] != code:
        raise refusals.business(f"The transaction's currency must be that of the customer, {code}")
    document["CurrencyRef"] = currency_ref(code)
    if books.prefers("CurrencyPrefs", "MultiCurrencyEnabled"):
        document.setdefault("ExchangeRate", "1")
    else:
        document.pop("ExchangeRate", None)


def _set_deposit_account(books: Books, document: Document) -> None:
    """Provider fact: without an account the money goes to Undeposited Funds."""
    if "DepositToAccountRef" not in document:
        undeposited = next((one for one in books.all("Account") if one["Name"] == UNDEPOSITED), None)
        if undeposited is not None:
            document["DepositToAccountRef"] = {"value": undeposited["Id"]}
        return
    account = resolve(books, "Account", document, "DepositToAccountRef")
    if account is not None and account["AccountType"] not in ("Bank", "Other Current Asset"):
        raise refusals.wrong_account(str(account["Name"]))
    document["DepositToAccountRef"] = {"value": document["DepositToAccountRef"]["value"]}


def _applied_lines(books: Books, document: Document) -> list[Document]:
    """Return the lines with what they can really place: no more than an invoice's open balance."""
    lines: list[Document] = []
    open_amounts: dict[str, Decimal] = {}
    sent = figures.ZERO
    for line in document.get("Line", []):
        require(line, "Amount", "LinkedTxn")
        wanted = Decimal(line["Amount"])
        sent += wanted
        if wanted < 0:
            raise refusals.business("The amount of a line must be 0 or greater")
        invoice = _invoice_of(books, document, line)
        left = open_amounts.setdefault(invoice["Id"], _open_amount(books, invoice, document.get("Id")))
        placed = min(wanted, left)
        open_amounts[invoice["Id"]] = left - placed
        if placed:
            link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
            lines.append({"Amount": figures.amount_text(placed), "LinkedTxn": [link]})
    if sent > Decimal(document["TotalAmt"]):
        raise refusals.business("The lines come to more than the payment's total")
    return lines


def _invoice_of(books: Books, document: Document, line: Document) -> Document:
    link = line["LinkedTxn"][0]
    if len(line["LinkedTxn"]) != 1 or link.get("TxnType") != "Invoice":
        raise refusals.business("A line of a payment must be linked to one invoice")
    invoice = look_up(books, "Invoice", "TxnId", str(link.get("TxnId")))
    if not is_same_family(books, invoice["CustomerRef"]["value"], document["CustomerRef"]["value"]):
        raise refusals.business("The payment and its invoices must be of the same customer")
    return invoice


def _open_amount(books: Books, invoice: Document, payment_id: str | None) -> Decimal:
    paid = applied.applied_to(books, invoice["Id"], without=payment_id)
    return Decimal(invoice["TotalAmt"]) - Decimal(invoice.get("Deposit") or "0") - paid


def _carry_to_invoices(books: Books, lines: Iterable[Document]) -> None:
    """Provider fact: a payment brings an event of the payment and one of each invoice it touches."""
    for invoice_id in dict.fromkeys(line["LinkedTxn"][0]["TxnId"] for line in lines):
        invoice = books.find("Invoice", invoice_id)
        if invoice is None:
            continue
        seen = (invoice["Balance"], invoice["LinkedTxn"])
        applied.refresh_invoice(books, invoice)
        if (invoice["Balance"], invoice["LinkedTxn"]) != seen:
            books.put_changed("Invoice", invoice)
            books.tell("Invoice", "updated", invoice_id)
        refresh_balance(books, invoice["CustomerRef"]["value"])
