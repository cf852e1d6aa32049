"""Document numbers and closed books, alike for every transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.quickbooks import refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.fields import Document

FIRST_NUMBER = 1001
AUTOMATIC = "AUTO_GENERATE"


def check_open(books: Books, document: Document, before: Document | None) -> None:
    """Refuse a transaction whose old or new date isn't after the closing date (6210)."""
    closed = books.preferences["AccountingInfoPrefs"].get("BookCloseDate")
    if closed and any(one["TxnDate"] <= closed for one in (document, before) if one is not None):
        raise refusals.books_closed()


def set_number(
    books: Books, entity: str, document: Document, before: Document | None, options: Mapping[str, str]
) -> None:
    """Number a transaction as the preferences say.

    Custom numbers off: QuickBooks counts on from its last number; a number that was sent stays, unchecked, and may be a
    double. On: the sent one, which must be free (6140), or none at all.
    """
    is_custom = books.prefers("SalesFormsPrefs", "CustomTxnNumbers")
    if before is not None:
        document.setdefault("DocNumber", before.get("DocNumber"))
    if document.get("DocNumber") is None:
        document.pop("DocNumber", None)
    wants_automatic = bool(document.get("AutoDocNumber")) or document.get("DocNumber") == AUTOMATIC
    if wants_automatic or (not is_custom and "DocNumber" not in document):
        document["DocNumber"] = _next(books, entity)
    elif is_custom and options.get("include") != "allowduplicatedocnum":
        _check_free(books, entity, document)


def _next(books: Books, entity: str) -> str:
    sequence = f"{entity} number"
    books.skip_to(sequence, FIRST_NUMBER - 1)
    taken = {one.get("DocNumber") for one in books.all(entity)}
    number = books.next_id(sequence)
    while number in taken:
        number = books.next_id(sequence)
    return number


def _check_free(books: Books, entity: str, document: Document) -> None:
    number = document.get("DocNumber")
    if number is None:
        return
    for other in books.all(entity):
        if other.get("DocNumber") == number and other["Id"] != document.get("Id"):
            raise refusals.duplicate_number(str(number), entity, other["Id"])
