"""Vendor and Employee: here because their names block those of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import people
from sandbox.quickbooks.entities.base import Entity
from sandbox.quickbooks.fields import (
    SYSTEM,
    Document,
    Field,
    address,
    amount,
    anything,
    email,
    flag,
    number,
    part,
    phone,
    ref,
    text,
)


class Vendor(Entity):
    """Somebody the company buys from. Order of the properties: recorded."""

    name = "Vendor"
    sequence = people.SEQUENCE
    fields: ClassVar[tuple[Field, ...]] = (
        address("BillAddr"),
        amount("Balance").read_only(),
        text("AcctNum", 100),
        flag("Vendor1099"),
        ref("CurrencyRef"),
        *SYSTEM,
        *people.PERSON_NAME,
        text("CompanyName", 100).queryable(),
        text("DisplayName", 500).queryable(),
        text("PrintOnCheckName", 110).queryable(),
        flag("Active").queryable(),
        phone("PrimaryPhone"),
        phone("AlternatePhone"),
        phone("Mobile"),
        phone("Fax"),
        email("PrimaryEmailAddr").queryable(),
        part("WebAddr", text("URI", 1000)),
        ref("TermRef"),
        text("TaxIdentifier", 20),
        number("BillRate"),
        *anything("TaxReportingBasis", "CostRate", "APAccountRef", "OtherContactInfo", "HasTPAR", "T4AEligible"),
        *anything("T5018Eligible", "GSTIN", "GSTRegistrationType", "BusinessNumber", "Source"),
        *anything("VendorPaymentBankDetail"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Fill what the recorded answers have."""
        people.set_names(books, document)
        people.set_currency(books, document, before)
        document.setdefault("Vendor1099", False)
        document.setdefault("Balance", "0.00")
        document.setdefault("Active", True)


class Employee(Entity):
    """Somebody the company employs."""

    name = "Employee"
    sequence = people.SEQUENCE
    fields: ClassVar[tuple[Field, ...]] = (
        *SYSTEM,
        *people.PERSON_NAME,
        text("DisplayName", 500).queryable(),
        text("PrintOnCheckName", 110).queryable(),
        flag("Active").queryable(),
        address("PrimaryAddr"),
        phone("PrimaryPhone"),
        phone("Mobile"),
        email("PrimaryEmailAddr"),
        flag("BillableTime"),
        flag("Organization"),
        text("EmployeeNumber", 100),
        *anything("SSN", "BirthDate", "HiredDate", "ReleasedDate", "Gender", "CostRate", "BillRate"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Fill what every employee has."""
        people.set_names(books, document)
        document.setdefault("BillableTime", False)
        document.setdefault("Active", True)
