"""The entities this stand-in has. To widen it, add a module and name its class here."""

from __future__ import annotations

from sandbox.quickbooks.entities.base import Entity
from sandbox.quickbooks.entities.company import CompanyInfo, Preferences
from sandbox.quickbooks.entities.customer import Customer
from sandbox.quickbooks.entities.invoice import Invoice
from sandbox.quickbooks.entities.item import Item
from sandbox.quickbooks.entities.lists import Account, Class, TaxCode, TaxRate, Term
from sandbox.quickbooks.entities.payment import Payment
from sandbox.quickbooks.entities.vendor import Employee, Vendor

ALL: tuple[Entity, ...] = (
    Account(),
    Class(),
    CompanyInfo(),
    Customer(),
    Employee(),
    Invoice(),
    Item(),
    Payment(),
    Preferences(),
    TaxCode(),
    TaxRate(),
    Term(),
    Vendor(),
)
BY_NAME = {entity.name: entity for entity in ALL}
BY_PATH = {entity.name.lower(): entity for entity in ALL}
