"""Money and dates as people read them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def money(amount: object, currency: object = None) -> str:
    """A decimal text with its currency, `$1,234.50`; a dash without an amount, the text itself if it is none."""
    if amount is None or amount == "":
        return "—"
    try:
        text = f"{Decimal(str(amount)):,.2f}"
    except InvalidOperation:
        return str(amount)
    sign = _SIGNS.get(str(currency or ""))
    if sign is None:
        return f"{text} {currency}" if currency else text
    return f"-{sign}{text[1:]}" if text.startswith("-") else f"{sign}{text}"


def day(value: object, zone: str | None = None) -> str:
    """A date or an instant as `1 Dec 2026`, in the account's zone; a dash for nothing, other text as it is."""
    if not value:
        return "—"
    try:
        found = date_of(str(value), zone)
    except ValueError:
        return str(value)
    return f"{found.day} {found:%b %Y}"


def moment(value: object, zone: str) -> str:
    """An instant as `24 Nov 2026, 18:10` in the account's zone; other text as it is."""
    try:
        found = datetime.fromisoformat(str(value)).astimezone(ZoneInfo(zone))
    except ValueError:
        return str(value)
    return f"{found.day} {found:%b %Y, %H:%M}"


def date_of(text: str, zone: str | None = None) -> date:
    """The day of a date or instant, in `zone` (UTC without one). Raises ValueError."""
    if "T" not in text:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone or "UTC")).date()


def noon(text: str, zone: str) -> str:
    """The instant a form's day stands for: noon in the account's zone, so that it is that day for everyone near.

    A text that is no date comes back as it is, for the record's own check to refuse.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return datetime.combine(found, time(12), ZoneInfo(zone)).isoformat()
