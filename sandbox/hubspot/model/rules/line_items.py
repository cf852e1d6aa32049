"""Line items: net price, and what frequency and term give."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.hubspot.errors import validation
from sandbox.hubspot.model.portal import Portal
from sandbox.hubspot.model.rules import tiers
from sandbox.hubspot.model.rules.plain import Rules, Values

_CENT = Decimal("0.01")
_PERIOD = re.compile(r"P(?:(?P<weeks>\d+)W|(?=\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?)")
_DAYS = {"weekly": 7, "biweekly": 14}
_MONTHS = {
    "monthly": 1,
    "quarterly": 3,
    "per_six_months": 6,
    "annually": 12,
    "per_two_years": 24,
    "per_three_years": 36,
    "per_four_years": 48,
    "per_five_years": 60,
}


def _prepare(portal: Portal, stored: Values, written: Values) -> Values:
    after = {**stored, **written}
    price = _decimal(after.get("price"))
    if price is not None and price < 0:
        raise validation("price must not be negative", code="INVALID_PRICE", names=["price"])
    if after.get("hs_pricing_model") not in (None, "flat") and price is not None:
        raise validation("price must not be set with a tiered pricing model", names=["price"])
    _check_term(after)
    return {"quantity": "1"} if not stored and after.get("quantity") is None else {}


def _check_term(after: Values) -> None:
    text = after.get("hs_recurring_billing_period")
    frequency = after.get("recurringbillingfrequency")
    if text is None:
        return
    term = _term(text)
    if term is None:
        message = f"{text} is not an ISO-8601 period"
        raise validation(message, code="INVALID_PERIOD", names=["hs_recurring_billing_period"])
    months, days = term
    if (frequency in _MONTHS and days) or (frequency in _DAYS and months):
        raise validation(
            f"Term {text} does not fit the billing frequency {frequency}",
            code="BILLING_PERIOD_TO_FREQUENCY_FORM_MISMATCH",
            names=["hs_recurring_billing_period", "recurringbillingfrequency"],
        )


def _term(text: str) -> tuple[int, int] | None:
    """Months and days of `PnYnMnD` or `PnW`, or None."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        return None
    part = {name: int(value or 0) for name, value in found.groupdict().items()}
    return part["years"] * 12 + part["months"], part["weeks"] * 7 + part["days"]


def _computed(portal: Portal, stored: Values) -> Values:
    return {**_money(portal, stored), **_schedule(stored)}


def _money(portal: Portal, stored: Values) -> Values:
    quantity = _decimal(stored.get("quantity"))
    full = _full_price(portal, stored, quantity)
    if full is None or quantity is None:
        return {"amount": None, "hs_pre_discount_amount": None, "hs_total_discount": None}
    percent = _decimal(stored.get("hs_discount_percentage"))
    per_unit = _decimal(stored.get("discount"))
    off = full * percent / 100 if percent else (per_unit or Decimal(0)) * quantity
    net = (full - off).quantize(_CENT, ROUND_HALF_UP)
    return {
        "amount": str(net),
        "hs_pre_discount_amount": str(full.quantize(_CENT, ROUND_HALF_UP)),
        "hs_total_discount": str(off.quantize(_CENT, ROUND_HALF_UP)),
    }


def _full_price(portal: Portal, stored: Values, quantity: Decimal | None) -> Decimal | None:
    price, model = _decimal(stored.get("price")), stored.get("hs_pricing_model") or "flat"
    if quantity is None or model not in tiers.MODELS:
        return None if price is None or quantity is None else price * quantity
    currency = stored.get("hs_line_item_currency_code") or portal.currency
    return tiers.price(model, stored.get("hs_tier_ranges"), stored.get("hs_tier_prices"), currency, quantity)


def _schedule(stored: Values) -> Values:
    """Payments in the term, its length in months, and its last day; None where a part is missing."""
    term = _term(stored.get("hs_recurring_billing_period") or "")
    frequency = stored.get("recurringbillingfrequency") or ""
    values: Values = dict.fromkeys(
        ("hs_recurring_billing_number_of_payments", "hs_term_in_months", "hs_recurring_billing_end_date"),
    )
    if term is None:
        return values
    months, days = term
    if frequency in _MONTHS and months:
        values["hs_recurring_billing_number_of_payments"] = str(max(1, months // _MONTHS[frequency]))
    elif frequency in _DAYS and days:
        values["hs_recurring_billing_number_of_payments"] = str(max(1, days // _DAYS[frequency]))
    if months and not days:
        values["hs_term_in_months"] = str(months)
    start = stored.get("hs_recurring_billing_start_date")
    if start:
        end = _add_months(date.fromisoformat(start), months) + timedelta(days=days - 1)
        values["hs_recurring_billing_end_date"] = end.isoformat()
    return values


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


RULES = Rules(_prepare, _computed)
