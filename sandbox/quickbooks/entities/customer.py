"""Customer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from sandbox.quickbooks import figures, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import people
from sandbox.quickbooks.entities.base import Entity, look_up, number_addresses, resolve
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
    part,
    phone,
    ref,
    text,
    whole,
)

MAX_DEPTH = 5


class Customer(Entity):
    """A customer or, below another one, a job. Order of the properties: recorded."""

    name = "Customer"
    sequence = people.SEQUENCE
    sends_webhooks = True
    fields: ClassVar[tuple[Field, ...]] = (
        flag("Taxable").queryable(),
        address("BillAddr"),
        address("ShipAddr"),
        flag("Job").queryable(),
        flag("BillWithParent").queryable(),
        ref("ParentRef"),
        whole("Level").read_only(),
        text("Notes", 2000),
        text("ResaleNum", 16),
        ref("SalesTermRef"),
        ref("PaymentMethodRef"),
        amount("Balance").read_only().queryable(),
        amount("BalanceWithJobs").read_only(),
        ref("CurrencyRef"),
        choice("PreferredDeliveryMethod", "Print", "Email", "None"),
        flag("IsProject").read_only(),
        *SYSTEM,
        *people.PERSON_NAME,
        text("FullyQualifiedName").read_only().queryable(),
        text("CompanyName", 100).queryable(),
        text("DisplayName", 500).queryable(),
        text("PrintOnCheckName", 110).queryable(),
        flag("Active").queryable(),
        phone("PrimaryPhone"),
        phone("AlternatePhone"),
        phone("Mobile"),
        phone("Fax"),
        email("PrimaryEmailAddr").queryable(),
        part("WebAddr", text("URI", 1000), *anything("Id", "Default", "Tag")),
        ref("DefaultTaxCodeRef"),
        text("TaxExemptionReasonId"),
        day("OpenBalanceDate"),
        *anything("ARAccountRef", "CustomerTypeRef", "Source", "GSTIN", "GSTRegistrationType", "BusinessNumber"),
        *anything("PrimaryTaxIdentifier", "SecondaryTaxIdentifier", "ClientEntityId", "OtherContactInfo"),
        *anything("CustomField"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Fill what the recorded answers have; refuse names, currencies and parents that QuickBooks refuses."""
        people.set_names(books, document)
        people.set_currency(books, document, before)
        resolve(books, "Term", document, "SalesTermRef")
        _set_place(books, document)
        document.setdefault("Taxable", True)
        document.setdefault("BillWithParent", False)
        document.setdefault("PreferredDeliveryMethod", "Print")
        document.setdefault("Active", True)
        document.setdefault("Balance", "0.00")
        document.setdefault("BalanceWithJobs", "0.00")
        if books.is_us and document["Taxable"]:
            document.setdefault("DefaultTaxCodeRef", {"value": "2"})
        document.pop("OpenBalanceDate", None)
        number_addresses(books, document)


def _set_place(books: Books, document: Document) -> None:
    """Set Job, Level and FullyQualifiedName from the parent."""
    parent = resolve(books, "Customer", document, "ParentRef")
    if parent is None:
        if document.get("Job"):
            raise refusals.missing("ParentRef")
        document.update(Job=False, FullyQualifiedName=document["DisplayName"])
        document.pop("Level", None)
        return
    level = int(parent.get("Level", 0)) + 1
    if level >= MAX_DEPTH or document.get("Id") in _line_up(books, parent["Id"]):
        raise refusals.business("A customer can not be placed there")
    qualified = f"{parent['FullyQualifiedName']}:{document['DisplayName']}"
    document.update(Job=True, Level=level, FullyQualifiedName=qualified, ParentRef={"value": parent["Id"]})


def refresh_balance(books: Books, customer_id: str) -> None:
    """Recompute the open balance of a customer, and of those above it with their jobs.

    Balance is what open invoices come to, less what payments left unapplied. It doesn't count as a change.
    """
    customer = books.find("Customer", customer_id)
    if customer is None:
        return
    customer["Balance"] = figures.amount_text(_own_balance(books, customer_id))
    above: Document | None = customer
    while above is not None:
        below = figures.total(Decimal(one["BalanceWithJobs"]) for one in _jobs(books, above["Id"]))
        above["BalanceWithJobs"] = figures.amount_text(Decimal(above["Balance"]) + below)
        above = books.find("Customer", above["ParentRef"]["value"]) if "ParentRef" in above else None


def _own_balance(books: Books, customer_id: str) -> Decimal:
    owed = figures.total(
        Decimal(one["Balance"]) for one in books.all("Invoice") if one["CustomerRef"]["value"] == customer_id
    )
    unapplied = figures.total(
        Decimal(one["UnappliedAmt"]) for one in books.all("Payment") if one["CustomerRef"]["value"] == customer_id
    )
    return owed - unapplied


def _jobs(books: Books, customer_id: str) -> list[Document]:
    return [one for one in books.all("Customer") if one.get("ParentRef", {}).get("value") == customer_id]


def bill_to(books: Books, document: Document, before: Document | None) -> Document:
    """Return the customer a transaction is for, and write its display name beside the id.

    Raises Refusal 2500 for none, and 610 for one that is deleted, or inactive (unless the transaction already was its).
    """
    customer = look_up(books, "Customer", "CustomerRef", document["CustomerRef"]["value"])
    was_theirs = before is not None and before["CustomerRef"]["value"] == customer["Id"]
    if not customer["Active"] and not was_theirs:
        raise refusals.not_found()
    document["CustomerRef"] = {"value": customer["Id"], "name": customer["DisplayName"]}
    return customer


def is_same_family(books: Books, one_id: str, other_id: str) -> bool:
    """Say whether two customers are one, or one is above the other."""
    return one_id in _line_up(books, other_id) or other_id in _line_up(books, one_id)


def _line_up(books: Books, customer_id: str) -> list[str]:
    line: list[str] = []
    current = books.find("Customer", customer_id)
    while current is not None and current["Id"] not in line:
        line.append(current["Id"])
        current = books.find("Customer", current["ParentRef"]["value"]) if "ParentRef" in current else None
    return line
