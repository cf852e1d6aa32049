"""CompanyInfo and Preferences: one of each per company, read only over the API."""

from __future__ import annotations

from typing import ClassVar

from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities.base import READ_OPERATIONS, Entity
from sandbox.quickbooks.fields import SYSTEM, Document, Field, address, anything, email, part, parts, phone, text


class CompanyInfo(Entity):
    """Who the company is. Provider fact: a company's info has the id 1, whatever its realm."""

    name = "CompanyInfo"
    sequence = "companyinfo"
    operations = READ_OPERATIONS
    fields: ClassVar[tuple[Field, ...]] = (
        text("CompanyName").queryable(),
        text("LegalName"),
        address("CompanyAddr"),
        address("CustomerCommunicationAddr"),
        address("LegalAddr"),
        email("CustomerCommunicationEmailAddr"),
        phone("PrimaryPhone"),
        text("CompanyStartDate"),
        text("FiscalYearStartMonth"),
        text("Country"),
        email("Email"),
        part("WebAddr", text("URI")),
        text("SupportedLanguages"),
        text("DefaultTimeZone"),
        parts("NameValue", text("Name"), text("Value")),
        *SYSTEM,
    )


class Preferences(Entity):
    """How the company is set up; a person changes it, over the control API."""

    name = "Preferences"
    sequence = "preferences"
    operations = READ_OPERATIONS
    sends_webhooks = True
    fields: ClassVar[tuple[Field, ...]] = (
        *anything("AccountingInfoPrefs", "ProductAndServicesPrefs", "SalesFormsPrefs", "EmailMessagesPrefs"),
        *anything("VendorAndPurchasesPrefs", "TimeTrackingPrefs", "TaxPrefs", "CurrencyPrefs"),
        *anything("ReportPrefs", "OtherPrefs"),
        *SYSTEM,
    )

    def current(self, books: Books, document: Document) -> Document:
        """Leave out a closing date that isn't set."""
        accounting = {name: value for name, value in document["AccountingInfoPrefs"].items() if value is not None}
        return document | {"AccountingInfoPrefs": accounting}
