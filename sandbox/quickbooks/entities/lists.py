"""Account, Class, Term, TaxCode and TaxRate: the small lists other documents refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.quickbooks import refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities.base import READ_OPERATIONS, Entity, currency_ref, require, resolve
from sandbox.quickbooks.entities.people import fold
from sandbox.quickbooks.fields import (
    SYSTEM,
    Document,
    Field,
    amount,
    anything,
    flag,
    number,
    part,
    parts,
    ref,
    text,
    whole,
)

CLASSIFICATIONS = {
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Cost of Goods Sold": "Expense",
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
}


def check_name_is_free(books: Books, entity: str, document: Document) -> None:
    """Refuse a name that another entry of the same list has (6240)."""
    wanted = fold(str(document["Name"]))
    for other in books.all(entity):
        if fold(str(other["Name"])) == wanted and other["Id"] != document.get("Id"):
            raise refusals.duplicate_name()


class Account(Entity):
    """An account of the chart. Order of the properties: recorded."""

    name = "Account"
    sequence = "account"
    fields: ClassVar[tuple[Field, ...]] = (
        text("Name", 100).queryable(),
        flag("SubAccount").read_only().queryable(),
        ref("ParentRef"),
        text("Description", 100),
        text("AcctNum", 20),
        text("FullyQualifiedName").read_only().queryable(),
        flag("Active").queryable(),
        text("Classification").read_only().queryable(),
        text("AccountType").queryable(),
        text("AccountSubType").queryable(),
        amount("CurrentBalance").read_only(),
        amount("CurrentBalanceWithSubAccounts").read_only(),
        ref("CurrencyRef"),
        *SYSTEM,
        *anything("TaxCodeRef", "TxnLocationType", "AccountAlias"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Set the classification and names."""
        require(document, "Name", "AccountType")
        check_name_is_free(books, "Account", document)
        kind = str(document["AccountType"])
        if kind not in CLASSIFICATIONS:
            raise refusals.bad_property(f'"AccountType" can not be {kind!r}')
        document["Classification"] = CLASSIFICATIONS[kind]
        document.setdefault("AccountSubType", kind.replace(" ", ""))
        parent = resolve(books, "Account", document, "ParentRef")
        prefix = f"{parent['FullyQualifiedName']}:" if parent else ""
        document.update(SubAccount=parent is not None, FullyQualifiedName=prefix + str(document["Name"]))
        document.setdefault("Active", True)
        document.setdefault("CurrentBalance", "0.00")
        document.setdefault("CurrentBalanceWithSubAccounts", "0.00")
        document["CurrencyRef"] = currency_ref(document.get("CurrencyRef", {}).get("value", books.currency))


class Class(Entity):
    """A label for reports, per transaction or per line."""

    name = "Class"
    sequence = "class"
    fields: ClassVar[tuple[Field, ...]] = (
        text("Name", 100).queryable(),
        flag("SubClass").read_only(),
        ref("ParentRef"),
        text("FullyQualifiedName").read_only().queryable(),
        flag("Active").queryable(),
        *SYSTEM,
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Set the full name from the parent."""
        require(document, "Name")
        check_name_is_free(books, "Class", document)
        parent = resolve(books, "Class", document, "ParentRef")
        prefix = f"{parent['FullyQualifiedName']}:" if parent else ""
        document.update(SubClass=parent is not None, FullyQualifiedName=prefix + str(document["Name"]))
        document.setdefault("Active", True)


class Term(Entity):
    """Terms of payment: a number of days, or a day of the month."""

    name = "Term"
    sequence = "term"
    fields: ClassVar[tuple[Field, ...]] = (
        text("Name", 31).queryable(),
        flag("Active").queryable(),
        text("Type").read_only().queryable(),
        number("DiscountPercent"),
        whole("DueDays"),
        whole("DiscountDays"),
        whole("DayOfMonthDue"),
        whole("DueNextMonthDays"),
        whole("DiscountDayOfMonth"),
        *SYSTEM,
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Refuse a term that is neither days nor a day of the month."""
        require(document, "Name")
        check_name_is_free(books, "Term", document)
        days, month_day = document.get("DueDays"), document.get("DayOfMonthDue")
        if days is None and month_day is None:
            raise refusals.missing("DueDays")
        if not 0 <= (days or 0) <= 999 or not 1 <= (month_day or 1) <= 31:
            raise refusals.business("The days of the term are out of range")
        document["Type"] = "STANDARD" if days is not None else "DATE_DRIVEN"
        if days is not None:
            document.setdefault("DiscountPercent", "0")
            document.setdefault("DiscountDays", 0)
        document.setdefault("Active", True)


RATES = part(
    "SalesTaxRateList",
    parts("TaxRateDetail", ref("TaxRateRef"), text("TaxTypeApplicable"), whole("TaxOrder")),
)


class TaxCode(Entity):
    """What a line says about tax. US companies have the pseudo codes TAX and NON besides."""

    name = "TaxCode"
    sequence = "tax"
    operations = READ_OPERATIONS
    fields: ClassVar[tuple[Field, ...]] = (
        text("Name").queryable(),
        text("Description").queryable(),
        flag("Active").queryable(),
        flag("Taxable").queryable(),
        flag("TaxGroup"),
        RATES,
        *SYSTEM,
    )


class TaxRate(Entity):
    """A percentage."""

    name = "TaxRate"
    sequence = "taxrate"
    operations = READ_OPERATIONS
    fields: ClassVar[tuple[Field, ...]] = (
        text("Name").queryable(),
        text("Description").queryable(),
        flag("Active").queryable(),
        number("RateValue"),
        ref("AgencyRef"),
        *SYSTEM,
    )
