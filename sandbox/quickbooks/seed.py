"""What a company has on the first day."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sandbox.quickbooks.books import Books, new_company
from sandbox.quickbooks.entities import BY_NAME
from sandbox.quickbooks.fields import Document

SEEDED: tuple[dict[str, Any], ...] = (
    {
        "realm_id": "9130001001",
        "name": "Northwind Software Inc",
        "currency": "USD",
        "country": "US",
        "timezone": "America/New_York",
        "address": {
            "Line1": "120 Harbor Street",
            "City": "Boston",
            "Country": "USA",
            "CountrySubDivisionCode": "MA",
            "PostalCode": "02110",
        },
        "customer": {
            "DisplayName": "Cedar & Finch Outfitters",
            "CompanyName": "Cedar & Finch Outfitters",
            "GivenName": "Maya",
            "FamilyName": "Okafor",
            "PrimaryEmailAddr": {"Address": "billing@cedarfinch.example"},
            "BillAddr": {
                "Line1": "8 Mill Lane",
                "City": "Portland",
                "CountrySubDivisionCode": "ME",
                "PostalCode": "04101",
            },
        },
        "vendor": "Harbor Hosting LLC",
    },
    {
        "realm_id": "9130001002",
        "name": "Alpenglow GmbH",
        "currency": "EUR",
        "country": "DE",
        "timezone": "Europe/Berlin",
        "address": {"Line1": "Lindwurmstraße 12", "City": "München", "Country": "DEU", "PostalCode": "80337"},
        "customer": {
            "DisplayName": "Bergblick Hotels GmbH",
            "CompanyName": "Bergblick Hotels GmbH",
            "PrimaryEmailAddr": {"Address": "rechnung@bergblick.example"},
            "BillAddr": {"Line1": "Am Seeufer 3", "City": "Konstanz", "Country": "Deutschland", "PostalCode": "78462"},
        },
        "vendor": "Isar Druck KG",
    },
)

ACCOUNTS = (
    ("1", "Services", "Income", "ServiceFeeIncome"),
    ("4", "Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("33", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    ("35", "Checking", "Bank", "Checking"),
    ("79", "Sales of Product Income", "Income", "SalesOfProductIncome"),
    ("80", "Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    ("84", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("86", "Discounts given", "Income", "DiscountsRefundsGiven"),
    ("90", "Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses"),
)
TERMS = (("1", "Due on receipt", 0), ("2", "Net 15", 15), ("3", "Net 30", 30), ("4", "Net 60", 60))
ITEMS = (
    ("1", "Services", "1", "Services", "0"),
    ("2", "Platform subscription", "79", "Access to the platform", "100"),
    ("3", "Onboarding", "1", "Set-up and training", "2500"),
)
# (id of the code, name, description, id of the rate, percent); recorded for the US, simple VAT elsewhere.
TAXES = {
    "US": (("2", "California", "California", "3", "8"),),
    "OTHER": (
        ("3", "19% VAT", "Standard rate", "5", "19"),
        ("4", "7% VAT", "Reduced rate", "6", "7"),
        ("5", "0% VAT", "No tax", "7", "0"),
    ),
}
US_PSEUDO_CODES = (("TAX", True), ("NON", False))


# Of each group the settings that an app has reason to read; a person changes them.
PREFERENCES: Document = {
    "AccountingInfoPrefs": {
        "FirstMonthOfFiscalYear": "January",
        "UseAccountNumbers": False,
        "TaxYearMonth": "January",
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": False,
        "TrackDepartments": False,
        "CustomerTerminology": "Customers",
        "BookCloseDate": None,
    },
    "ProductAndServicesPrefs": {
        "ForSales": True,
        "ForPurchase": True,
        "QuantityWithPriceAndRate": True,
        "QuantityOnHand": False,
        "RevenueRecognitionEnabled": False,
    },
    "SalesFormsPrefs": {
        "CustomTxnNumbers": False,
        "AllowServiceDate": True,
        "AllowDiscount": True,
        "AllowDeposit": False,
        "AllowShipping": False,
        "AllowEstimates": True,
        "AutoApplyCredit": False,
        "ETransactionPaymentEnabled": False,
        "DefaultTerms": {"value": "3"},
        "EmailCopyToCompany": False,
    },
    "EmailMessagesPrefs": {"InvoiceMessage": {"Subject": "Your invoice", "Message": "Your invoice is attached."}},
    "TaxPrefs": {"UsingSalesTax": True},
    "CurrencyPrefs": {"MultiCurrencyEnabled": False},
    "TimeTrackingPrefs": {"WorkWeekStartDate": "Monday", "UseServices": True, "BillCustomers": True},
    "ReportPrefs": {"ReportBasis": "Accrual"},
}


def company_data(realm_id: str, company: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored form of a new company: profile, CompanyInfo and Preferences."""
    profile = {name: str(company[name]) for name in ("name", "currency", "country", "timezone")}
    data = new_company(profile | {"realm_id": realm_id})
    data["documents"]["Preferences"] = {"1": _system(_preferences(profile, company.get("preferences") or {}))}
    data["documents"]["CompanyInfo"] = {"1": _system(_info(profile, company.get("address") or {}))}
    return data


def fill(books: Books, company: Mapping[str, Any]) -> None:
    """Give a new company its lists, and a first customer and vendor if there are any."""
    for id, name, kind, subtype in ACCOUNTS:
        _add(books, "Account", {"Id": id, "Name": name, "AccountType": kind, "AccountSubType": subtype})
    for id, name, days in TERMS:
        _add(books, "Term", {"Id": id, "Name": name, "DueDays": days})
    for id, name, account, description, price in ITEMS:
        item = {"Id": id, "Name": name, "Type": "Service", "Description": description, "UnitPrice": price}
        _add(books, "Item", item | {"IncomeAccountRef": {"value": account}})
    _fill_taxes(books)
    if company.get("customer"):
        _add(books, "Customer", copy.deepcopy(company["customer"]))
    if company.get("vendor"):
        _add(books, "Vendor", {"DisplayName": company["vendor"], "CompanyName": company["vendor"]})
    # Ids of transactions start apart from those of lists, so that a mix-up shows.
    books.skip_to("transaction", 144)


def merge(onto: Document, changes: Mapping[str, Any]) -> None:
    """Lay changes over a document, group by group."""
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(onto.get(name), dict):
            merge(onto[name], value)
        else:
            onto[name] = value


def _add(books: Books, entity: str, document: Document) -> None:
    kind = BY_NAME[entity]
    kind.complete(books, document, None, {})
    books.put_new(entity, kind.sequence, document)


def _fill_taxes(books: Books) -> None:
    for id, name, description, rate_id, percent in TAXES["US" if books.is_us else "OTHER"]:
        common = {"Name": name, "Description": description, "Active": True}
        _add(books, "TaxRate", common | {"Id": rate_id, "RateValue": percent, "AgencyRef": {"value": "1"}})
        detail = {"TaxRateRef": {"value": rate_id, "name": name}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
        rates = {"SalesTaxRateList": {"TaxRateDetail": [detail]}}
        _add(books, "TaxCode", common | {"Id": id, "Taxable": True, "TaxGroup": True} | rates)
    for id, is_taxable in US_PSEUDO_CODES if books.is_us else ():
        pseudo = {"Id": id, "Name": id, "Description": id, "Active": True, "Taxable": is_taxable, "TaxGroup": False}
        _add(books, "TaxCode", pseudo)


def _system(document: Document) -> Document:
    born = {"CreateTime": "2026-01-02T09:00:00-08:00", "LastUpdatedTime": "2026-01-02T09:00:00-08:00"}
    return document | {"Id": "1", "SyncToken": "0", "domain": "QBO", "sparse": False, "MetaData": born}


def _info(profile: Mapping[str, str], address: Mapping[str, str]) -> Document:
    return {
        "CompanyName": profile["name"],
        "LegalName": profile["name"],
        "CompanyAddr": {"Id": "1", **address},
        "CustomerCommunicationAddr": {"Id": "1", **address},
        "LegalAddr": {"Id": "1", **address},
        "CompanyStartDate": "2026-01-02",
        "FiscalYearStartMonth": "January",
        "Country": profile["country"],
        "SupportedLanguages": "en",
        "DefaultTimeZone": profile["timezone"],
        "NameValue": [{"Name": "NeoEnabled", "Value": "true"}, {"Name": "SubscriptionStatus", "Value": "PAID"}],
    }


def _preferences(profile: Mapping[str, str], changes: Mapping[str, Any]) -> Document:
    preferences = copy.deepcopy(PREFERENCES)
    preferences["TaxPrefs"]["PartnerTaxEnabled"] = profile["country"] == "US"
    preferences["CurrencyPrefs"]["HomeCurrency"] = {"value": profile["currency"]}
    merge(preferences, changes)
    return preferences
