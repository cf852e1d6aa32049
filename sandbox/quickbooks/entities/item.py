"""Item: what is sold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sandbox.quickbooks import refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities.base import Entity, require, resolve
from sandbox.quickbooks.entities.lists import check_name_is_free
from sandbox.quickbooks.fields import (
    SYSTEM,
    Document,
    Field,
    anything,
    choice,
    day,
    flag,
    number,
    ref,
    text,
    whole,
)

NEEDS_INCOME_ACCOUNT = frozenset({"Service", "Inventory"})
INCOME_TYPES = frozenset({"Income", "Other Income"})


class Item(Entity):
    """A product or service."""

    name = "Item"
    sequence = "item"
    sends_webhooks = True
    on_demand = frozenset({"Sku"})
    fields: ClassVar[tuple[Field, ...]] = (
        text("Name", 100).queryable(),
        text("Sku", 100).queryable(),
        text("Description", 4000),
        flag("Active").queryable(),
        flag("SubItem"),
        ref("ParentRef"),
        whole("Level").read_only(),
        text("FullyQualifiedName").read_only().queryable(),
        flag("Taxable"),
        flag("SalesTaxIncluded"),
        number("UnitPrice").queryable(),
        choice("Type", "Service", "NonInventory", "Inventory", "Category", "Group").queryable(),
        ref("IncomeAccountRef"),
        text("PurchaseDesc", 1000),
        number("PurchaseCost"),
        ref("ExpenseAccountRef"),
        ref("AssetAccountRef"),
        flag("TrackQtyOnHand"),
        number("QtyOnHand"),
        day("InvStartDate"),
        ref("SalesTaxCodeRef"),
        *SYSTEM,
        *anything("ClassRef", "PurchaseTaxCodeRef", "PurchaseTaxIncluded", "PrefVendorRef", "ReorderPoint"),
        *anything("TaxClassificationRef", "Source", "UQCId", "UQCDisplayText", "AbatementRate", "ReverseChargeRate"),
        *anything("ServiceType", "ItemCategoryType", "ItemGroupDetail", "PrintGroupedItems", "CustomField"),
    )

    def complete(self, books: Books, document: Document, before: Document | None, options: Mapping[str, str]) -> None:
        """Refuse a taken name and a wrong or missing income account."""
        require(document, "Name")
        if set(str(document["Name"])) & set(":\t\n"):
            raise refusals.business("A name can not hold a colon, a tab or a new line")
        check_name_is_free(books, "Item", document)
        document.setdefault("Type", "Service")
        if document["Type"] in NEEDS_INCOME_ACCOUNT:
            require(document, "IncomeAccountRef")
        if document["Type"] == "Inventory":
            require(document, "AssetAccountRef", "ExpenseAccountRef", "QtyOnHand", "InvStartDate")
        _check_income_account(books, document)
        resolve(books, "Account", document, "ExpenseAccountRef")
        resolve(books, "Account", document, "AssetAccountRef")
        parent = resolve(books, "Item", document, "ParentRef")
        prefix = f"{parent['FullyQualifiedName']}:" if parent else ""
        document["FullyQualifiedName"] = prefix + str(document["Name"])
        for name, value in (("Active", True), ("Taxable", False), ("TrackQtyOnHand", False)):
            document.setdefault(name, value)
        for name in ("UnitPrice", "PurchaseCost"):
            document.setdefault(name, "0")


def _check_income_account(books: Books, document: Document) -> None:
    account = resolve(books, "Account", document, "IncomeAccountRef")
    if account is not None and account["AccountType"] not in INCOME_TYPES:
        raise refusals.wrong_account(str(account["Name"]))
