"""Merging two customers, which only a person can do in QuickBooks."""

from __future__ import annotations

from sandbox.quickbooks import ledger, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import BY_NAME
from sandbox.quickbooks.entities.customer import refresh_balance
from sandbox.quickbooks.fields import Document


def merge(books: Books, kept_id: str, gone_id: str) -> Document:
    """Move everything of `gone` to `kept`, delete `gone`, and return `kept`.

    Provider fact: the event carries the surviving id, and the other one as `deletedid`.
    """
    customers = BY_NAME["Customer"]
    kept, gone = (ledger.find(books, customers, id) for id in (kept_id, gone_id))
    if kept is gone or kept["CurrencyRef"] != gone["CurrencyRef"]:
        raise refusals.business("These customers can not be merged")
    for entity in ("Invoice", "Payment"):
        for document in books.all(entity):
            if document["CustomerRef"]["value"] == gone_id:
                document["CustomerRef"] = {"value": kept_id, "name": kept["DisplayName"]}
    for customer in books.all("Customer"):
        if customer.get("ParentRef", {}).get("value") == gone_id:
            customer["ParentRef"] = {"value": kept_id}
    books.remove("Customer", gone_id)
    books.put_changed("Customer", kept)
    refresh_balance(books, kept_id)
    books.tell("Customer", "merged", kept_id, deletedid=gone_id)
    return ledger.shown(books, customers, kept)
