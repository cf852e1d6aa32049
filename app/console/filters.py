"""How pages write money, days and counts for people. Arithmetic and calendars are the core's; this is only ink."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Flask

from app.billing.calendar import Period, people_date
from app.billing.money import Money, decimals_of, people_decimal

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def amount(minor: int, currency: str) -> str:
    """Write minor units without their currency: 250000 USD -> "2,500.00"."""
    return Money(minor, currency).amount()


def price(value: Decimal, currency: str) -> str:
    """Write an exact price with at least the currency's decimals: "100.00", "0.0015"."""
    return people_decimal(value, decimals_of(currency))


def number(value: Decimal) -> str:
    """Write a quantity without needless zeros: "10", "2.5"."""
    return people_decimal(value)


def day(value: date) -> str:
    """Write a day: "1 Mar 2027"."""
    return people_date(value)


def weekday(value: date) -> str:
    """Write a day with its weekday: "Mon 1 Mar 2027"."""
    return f"{_WEEKDAYS[value.weekday()]} {people_date(value)}"


def moment(value: datetime, zone: str) -> str:
    """Write an instant in the portal's zone, to the minute: "1 Mar 2027, 14:05"."""
    local = value.astimezone(ZoneInfo(zone))
    return f"{people_date(local.date())}, {local:%H:%M}"


def service(start: date, end: date) -> str:
    """Write the service days [start, end) as people do, last day included: "1 Mar - 31 Mar 2027"."""
    return str(Period(start, end)) if start < end else people_date(start)


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: "1 draft", "1,200 drafts"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def sums(amounts: Iterable[tuple[str, int]]) -> str:
    """Write (currency, minor) pairs as one phrase: "1,200.00 USD and 300.00 EUR"; no pairs are "nothing"."""
    return " and ".join(str(Money(minor, currency)) for currency, minor in amounts) or "nothing"


def install(app: Flask) -> None:
    """Make these available to every template."""
    for write in (amount, price, number, day, weekday, moment, service, count, sums):
        app.jinja_env.filters[write.__name__] = write
    app.jinja_env.globals["decimals_of"] = decimals_of
