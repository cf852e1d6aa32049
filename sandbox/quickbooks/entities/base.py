"""What an entity is: a declaration of properties, and the rules that differ from one to another.

A new entity is a new module with a subclass, listed in the package's registry. Everything generic (reading requests,
versions, queries, replay, events) stays outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.quickbooks import refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.fields import Document, Field

CREATE, READ, UPDATE, QUERY = "create", "read", "update", "query"
DELETE, VOID, SEND, PDF = "delete", "void", "send", "pdf"
LIST_OPERATIONS = frozenset({CREATE, READ, UPDATE, QUERY})
READ_OPERATIONS = frozenset({READ, QUERY})
TRANSACTION_OPERATIONS = frozenset({CREATE, READ, UPDATE, QUERY, DELETE, VOID})


class Entity:
    """One entity of the API. Methods may raise Refusal, and do so before they change anything."""

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    sequence: ClassVar[str]
    operations: ClassVar[frozenset[str]] = LIST_OPERATIONS
    # Provider fact: `select *` may leave these out; they must be named.
    on_demand: ClassVar[frozenset[str]] = frozenset()
    sends_webhooks: ClassVar[bool] = False

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Check a document about to be saved and add what QuickBooks fills in. `before` is None at a create."""

    def saved(self, books: Books, document: Document, before: Document | None) -> None:
        """Carry the change to other documents."""

    def check_delete(self, books: Books, document: Document) -> None:
        """Refuse a deletion that isn't allowed."""

    def deleted(self, books: Books, document: Document) -> None:
        """Carry the deletion to other documents."""

    def void(self, books: Books, document: Document) -> None:
        """Void the document in place."""
        raise refusals.unsupported(f"/{self.name.lower()}?operation=void")

    def current(self, books: Books, document: Document) -> Document:
        """Return the document with values that are only computed when read."""
        return document


def require(document: Mapping[str, object], *names: str) -> None:
    """Refuse a document that lacks one of the properties (2020)."""
    for name in names:
        if document.get(name) in (None, "", []):
            raise refusals.missing(name)


def resolve(books: Books, entity: str, document: Document, name: str) -> Document | None:
    """Follow the reference `name` of a document and write the target's name beside its id; None without a reference.

    Raises Refusal 2500 when there never was such an object, and 610 when it is deleted or inactive.
    """
    reference = document.get(name)
    if reference is None:
        return None
    target = look_up(books, entity, name, reference["value"])
    if not target.get("Active", True):
        raise refusals.not_found()
    document[name] = {"value": target["Id"], "name": name_of(target)}
    return target


def look_up(books: Books, entity: str, name: str, id: str) -> Document:
    """Return what the reference `name` points at, inactive ones too.

    Raises Refusal 2500 when there never was such an object, and 610 when it is deleted.
    """
    target = books.find(entity, id)
    if target is None:
        raise refusals.not_found() if books.was_deleted(entity, id) else refusals.invalid_reference(name, id)
    return target


def number_addresses(books: Books, document: Document) -> None:
    """Give each new address its own id, as QuickBooks does."""
    for name in ("BillAddr", "ShipAddr", "ShipFromAddr"):
        if document.get(name) and "Id" not in document[name]:
            document[name] = {"Id": books.next_id("address"), **document[name]}


def name_of(document: Document) -> str:
    """Return the name of a list entry as references carry it."""
    for field in ("FullyQualifiedName", "DisplayName", "Name"):
        if document.get(field):
            return str(document[field])
    return ""


CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "CAD": "Canadian Dollar",
    "AUD": "Australian Dollar",
    "CHF": "Swiss Franc",
    "JPY": "Japanese Yen",
}


def currency_ref(code: str) -> Document:
    """Return a CurrencyRef."""
    return {"value": code, "name": CURRENCY_NAMES.get(code, code)}
