"""The exact bytes we send to QuickBooks. Money is a JSON number written from minor units, never through a float."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.billing.calendar import people_date
from app.billing.money import decimals_of
from app.ports import CustomerToCreate

_NUMBER = re.compile(r'"\\u0000(-?[0-9]+(?:\.[0-9]+)?)"')
_LONGEST_DESCRIPTION = 4000


def encode(body: Mapping[str, Any]) -> bytes:
    """Return canonical JSON in which Decimals are numbers with their exact digits."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), default=_as_mark)
    return _NUMBER.sub(r"\1", text).encode()


def _as_mark(value: object) -> str:
    if isinstance(value, Decimal):
        return "\x00" + format(value, "f")
    raise TypeError(f"{type(value).__name__} is not JSON")


def customer(new: CustomerToCreate) -> bytes:
    """Return a customer's bytes. A colon would make QuickBooks read a sub-customer."""
    name = clean_name(new.name)
    body: dict[str, Any] = {
        "DisplayName": name, "CompanyName": name[:100], "CurrencyRef": {"value": new.currency}, "Notes": new.marker,
    }  # fmt: skip
    if new.email:
        body["PrimaryEmailAddr"] = {"Address": new.email}
    return encode(body)


def item(name: str, income_account_id: str) -> bytes:
    """Return a service item's bytes, booked into the account the portal named."""
    return encode({"Name": clean_name(name)[:100], "Type": "Service", "IncomeAccountRef": {"value": income_account_id}})


def clean_name(name: str) -> str:
    """Return a name QuickBooks takes: no colon, tab or line break, single spaces, at most 500 characters."""
    return " ".join(re.sub(r"[:\t\r\n]", " ", name).split())[:500]


def invoice(frozen: Mapping[str, Any], customer_id: str, item_ids: Mapping[str, str], tax_code: str | None) -> bytes:
    """Return an approved invoice's bytes: one line per item, dates always given, our marker in the private note."""
    body: dict[str, Any] = {
        "CustomerRef": {"value": customer_id},
        "CurrencyRef": {"value": frozen["currency"]},
        "TxnDate": frozen["issued_on"],
        "DueDate": frozen["due_on"],
        "PrivateNote": frozen["marker"],
        "Line": [_line(line, frozen["currency"], item_ids[line["item"]], tax_code) for line in frozen["lines"]],
    }
    if frozen.get("number"):
        body["DocNumber"] = frozen["number"]
    if frozen.get("email"):
        body["BillEmail"] = {"Address": frozen["email"]}
    if tax_code not in (None, "NON", "TAX"):
        body["GlobalTaxCalculation"] = "TaxExcluded"
    return encode(body)


def _line(line: Mapping[str, Any], currency: str, item_id: str, tax_code: str | None) -> dict[str, Any]:
    amount = Decimal(line["amount_minor"]).scaleb(-decimals_of(currency))
    quantity, unit_price = _plain(line["quantity"]), _plain(line["unit_price"])
    start, last = date.fromisoformat(line["start"]), date.fromisoformat(line["end"]) - timedelta(days=1)
    days = people_date(start) if last <= start else f"{people_date(start)} - {people_date(last)}"
    description = f"{line['item']}, {days}"
    # QuickBooks insists that amount = quantity x price; where ours come from days or months, the amount is one unit
    # and the arithmetic stands in words.
    if quantity * unit_price != amount:
        quantity, unit_price = Decimal(1), amount
        description = f"{description}. {line['why']}"
    detail: dict[str, Any] = {
        "ItemRef": {"value": item_id}, "Qty": quantity, "UnitPrice": unit_price, "ServiceDate": line["start"],
    }  # fmt: skip
    if tax_code:
        detail["TaxCodeRef"] = {"value": tax_code}
    return {
        "DetailType": "SalesItemLineDetail", "Amount": amount, "Description": description[:_LONGEST_DESCRIPTION],
        "SalesItemLineDetail": detail,
    }  # fmt: skip


def _plain(text: str) -> Decimal:
    value = Decimal(text)
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
