"""Invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from sandbox.quickbooks import figures, posting, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import applied, numbering, sales_lines
from sandbox.quickbooks.entities.base import (
    PDF,
    SEND,
    TRANSACTION_OPERATIONS,
    Entity,
    currency_ref,
    number_addresses,
    require,
    resolve,
)
from sandbox.quickbooks.entities.customer import bill_to, refresh_balance
from sandbox.quickbooks.fields import (
    SYSTEM,
    Document,
    Field,
    address,
    amount,
    anything,
    choice,
    day,
    email,
    flag,
    number,
    part,
    parts,
    ref,
    text,
)

SEQUENCE = "transaction"
TAX_DETAIL = part(
    "TxnTaxDetail",
    ref("TxnTaxCodeRef"),
    amount("TotalTax"),
    parts(
        "TaxLine",
        amount("Amount"),
        text("DetailType"),
        part(
            "TaxLineDetail",
            ref("TaxRateRef"),
            flag("PercentBased"),
            number("TaxPercent"),
            amount("NetAmountTaxable"),
            *anything("TaxInclusiveAmount", "OverrideDeltaAmount", "ServiceDate"),
        ),
        *anything("Id", "LineNum", "Description", "LinkedTxn"),
    ),
    *anything("UseAutomatedSalesTax"),
)


class Invoice(Entity):
    """A bill to one customer. Order of the properties: recorded."""

    name = "Invoice"
    sequence = SEQUENCE
    operations = TRANSACTION_OPERATIONS | {SEND, PDF}
    sends_webhooks = True
    fields: ClassVar[tuple[Field, ...]] = (
        flag("AllowIPNPayment"),
        flag("AllowOnlinePayment"),
        flag("AllowOnlineCreditCardPayment"),
        flag("AllowOnlineACHPayment"),
        *SYSTEM,
        *anything("CustomField"),
        text("DocNumber", 21).queryable(),
        day("TxnDate").queryable(),
        ref("DepartmentRef"),
        ref("CurrencyRef"),
        number("ExchangeRate"),
        text("PrivateNote", 4000),
        parts("LinkedTxn", text("TxnId"), text("TxnType"), text("TxnLineId")).read_only(),
        sales_lines.LINE,
        TAX_DETAIL,
        ref("CustomerRef").queryable(),
        part("CustomerMemo", text("value", 1000)),
        address("BillAddr"),
        address("ShipAddr"),
        address("ShipFromAddr"),
        ref("ClassRef"),
        ref("SalesTermRef").queryable(),
        day("DueDate").queryable(),
        choice("GlobalTaxCalculation", posting.EXCLUDED, posting.INCLUSIVE, posting.NOT_APPLICABLE),
        amount("TotalAmt").read_only().queryable(),
        amount("HomeTotalAmt").read_only(),
        flag("ApplyTaxAfterDiscount"),
        choice("PrintStatus", "NotSet", "NeedToPrint", "PrintComplete"),
        choice("EmailStatus", "NotSet", "NeedToSend", "EmailSent").queryable(),
        email("BillEmail"),
        email("BillEmailCc"),
        email("BillEmailBcc"),
        amount("Balance").read_only().queryable(),
        amount("HomeBalance").read_only(),
        amount("Deposit"),
        part("DeliveryInfo", *anything("DeliveryType", "DeliveryTime", "DeliveryErrorType")).read_only(),
        text("InvoiceLink").read_only(),
        *anything("DepositToAccountRef", "ShipDate", "ShipMethodRef", "TrackingNum", "ProjectRef", "TxnSource"),
        *anything("TxnStatus", "SalesRepRef", "PONumber", "FOB", "RemitToRef", "Tag", "TaxFormType", "TaxFormNum"),
        *anything("PaymentRefNum", "FreeFormAddress", "TransactionLocationType", "TxnApprovalInfo", "DiscountRate"),
        *anything("DiscountAmt", "TaxExemptionRef", "AutoDocNumber", "RecurDataRef", "RecurringInfo", "callToAction"),
        *anything("ECloudStatusTimeStamp", "EInvoiceStatus", "InvoiceEx", "invoiceStatus", "invoiceStatusLog"),
        *anything("PaymentMethodRef", "LessCIS", "ConvenienceFeeDetail", "PaymentDetailsMessage", "ARAccountRef"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Check references, lines, dates and settings; compute tax, total and balance."""
        require(document, "CustomerRef", "Line")
        customer = bill_to(books, document, before)
        _set_currency(books, document, customer)
        _set_dates(books, document, customer)
        numbering.check_open(books, document, before)
        numbering.set_number(books, self.name, document, before, options)
        _compute(books, document, before)
        _set_balance(books, document, before)
        _set_defaults(document, customer)
        number_addresses(books, document)
        if document["EmailStatus"] == "NeedToSend" and not document.get("BillEmail", {}).get("Address"):
            raise refusals.missing("BillEmail")
        for name in ("AutoDocNumber", "TxnStatus"):
            document.pop(name, None)

    def saved(self, books: Books, document: Document, before: Document | None) -> None:
        """Keep payments and the customer's balance in step."""
        applied.trim_to_total(books, document)
        applied.refresh_invoice(books, document)
        refresh_balance(books, document["CustomerRef"]["value"])
        if before is not None and before["CustomerRef"]["value"] != document["CustomerRef"]["value"]:
            refresh_balance(books, before["CustomerRef"]["value"])

    def void(self, books: Books, document: Document) -> None:
        """Turn everything to nothing, keep the number, let go of payments (recorded)."""
        numbering.check_open(books, document, None)
        applied.release(books, document)
        note = document.get("PrivateNote")
        document["PrivateNote"] = f"Voided - {note}" if note else "Voided"
        document["Line"] = posting.voided(document["Line"])
        document["TxnTaxDetail"] = {"TotalTax": "0.00"}
        document["TotalAmt"] = document["Balance"] = "0.00"
        document.pop("Deposit", None)
        _set_home_amounts(books, document)

    def check_delete(self, books: Books, document: Document) -> None:
        """Refuse while payments are linked, and in closed books."""
        numbering.check_open(books, document, None)
        if document["LinkedTxn"]:
            raise refusals.business("The transaction is linked to others; unlink them before it is deleted")

    def deleted(self, books: Books, document: Document) -> None:
        """Take it out of the customer's balance."""
        refresh_balance(books, document["CustomerRef"]["value"])


def _set_currency(books: Books, document: Document, customer: Document) -> None:
    """Provider fact: required with multicurrency, and always the customer's."""
    sent = document.get("CurrencyRef")
    code = customer["CurrencyRef"]["value"]
    if sent is None and books.prefers("CurrencyPrefs", "MultiCurrencyEnabled"):
        raise refusals.missing("CurrencyRef")
    if sent is not None and sent["value"] != code:
        raise refusals.business(f"The transaction's currency must be that of the customer, {code}")
    document["CurrencyRef"] = currency_ref(code)


def _set_dates(books: Books, document: Document, customer: Document) -> None:
    """Default the date to the company's day, and the due date to the terms of invoice, customer or company."""
    issued = date.fromisoformat(document.setdefault("TxnDate", books.today().isoformat()))
    if "SalesTermRef" not in document and "SalesTermRef" in customer:
        document["SalesTermRef"] = dict(customer["SalesTermRef"])
    term = resolve(books, "Term", document, "SalesTermRef")
    if "DueDate" in document:
        return
    default = books.preferences["SalesFormsPrefs"].get("DefaultTerms")
    if term is None and default is not None:
        term = books.find("Term", default["value"])
    document["DueDate"] = _due(issued, term).isoformat()


def _due(issued: date, term: Document | None) -> date:
    if term is None:
        return issued
    if term.get("DueDays") is not None:
        return issued + timedelta(days=int(term["DueDays"]))
    wanted = int(term["DayOfMonthDue"])
    ahead = issued + timedelta(days=int(term.get("DueNextMonthDays") or 0))
    month = ahead.replace(day=1)
    if ahead.day > wanted:
        month = (month + timedelta(days=32)).replace(day=1)
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return last.replace(day=min(wanted, last.day))


def _compute(books: Books, document: Document, before: Document | None) -> None:
    method = _tax_method(books, document)
    taxes = sales_lines.taxes(books)
    lines = sales_lines.check(books, document["Line"], method, taxes)
    if before is None:
        for line in lines:
            line.pop("Id", None)
    posted = posting.post(
        lines,
        taxes,
        method,
        discount_lowers_tax=not books.is_us or bool(document.get("ApplyTaxAfterDiscount")),
        last_line_id=max((int(line["Id"]) for line in (before or {}).get("Line", []) if "Id" in line), default=0),
    )
    if posted.total < 0:
        raise refusals.business("Transaction amount must be 0 or greater")
    document["Line"] = posted.lines
    document["TxnTaxDetail"] = posted.tax_detail
    document["TotalAmt"] = figures.amount_text(posted.total)


def _tax_method(books: Books, document: Document) -> str:
    """Provider fact: outside the US GlobalTaxCalculation is required, in the US it has no meaning."""
    if books.is_us:
        document.pop("GlobalTaxCalculation", None)
        return posting.EXCLUDED
    require(document, "GlobalTaxCalculation")
    return str(document["GlobalTaxCalculation"])


def _set_balance(books: Books, document: Document, before: Document | None) -> None:
    """Balance = total - deposit - what payments applied; those exist only for an invoice that exists."""
    deposit = Decimal(document.get("Deposit") or "0")
    if deposit == 0:
        document.pop("Deposit", None)
    elif not books.prefers("SalesFormsPrefs", "AllowDeposit"):
        raise refusals.business("Deposits are not enabled for this company")
    if not 0 <= deposit <= Decimal(document["TotalAmt"]):
        raise refusals.business("The deposit can not be more than the total")
    document["Balance"] = figures.amount_text(Decimal(document["TotalAmt"]) - deposit)
    document["LinkedTxn"] = before["LinkedTxn"] if before else []
    _set_home_amounts(books, document)


def _set_home_amounts(books: Books, document: Document) -> None:
    """With multicurrency the answer tells the rate and the amounts in the home currency."""
    if not books.prefers("CurrencyPrefs", "MultiCurrencyEnabled"):
        document.pop("ExchangeRate", None)
        return
    rate = Decimal(document.setdefault("ExchangeRate", "1"))
    document["HomeTotalAmt"] = figures.amount_text(Decimal(document["TotalAmt"]) * rate)
    document["HomeBalance"] = figures.amount_text(Decimal(document["Balance"]) * rate)


def _set_defaults(document: Document, customer: Document) -> None:
    for name in ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
        document.setdefault(name, False)
    document.setdefault("CustomField", [])
    document.setdefault("ApplyTaxAfterDiscount", False)
    document.setdefault("PrintStatus", "NeedToPrint")
    document.setdefault("EmailStatus", "NotSet")
    for name in ("BillAddr", "ShipAddr"):
        if name in customer:
            document.setdefault(name, dict(customer[name]))
