"""Short ways to ask for metrics and to read rows."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.billing import read_document
from app.billing.metrics import metrics
from app.billing.recurring import Contract

from .builders import Json, deal, recurring

MOVEMENTS = ("new", "expansion", "discount_end", "contraction", "churn", "reactivation", "renewal")


def rows(documents: list[Json], first: str | None = None, last: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the rows by month."""
    body = metrics(documents, first, last).to_json()
    months = body["months"]
    assert isinstance(months, list)
    return {row["month"]: row for row in months}


def level(name: str, documents: list[Json], months: list[str]) -> dict[str, str]:
    """Return one figure of some months."""
    found = rows(documents, min(months), max(months))
    return {month: found[month][name] for month in months}


def moved(documents: list[Json], first: str, last: str) -> dict[str, dict[str, str]]:
    """Return by month the movements that are not zero, without a month that has none."""
    found = {}
    for month, row in rows(documents, first, last).items():
        figures = {name: row[name] for name in MOVEMENTS if row[name].strip("0.")}
        if figures:
            found[month] = figures
    return found


def yearly(price: str, **fields: object) -> Json:
    """Return a deal of one item for `price` a year."""
    items = fields.pop("items", None) or [recurring(unit_price=price, price_interval="P1Y")]
    assert isinstance(items, list)
    return deal(*items, **fields)


def contract(document: Json, until: date) -> Contract:
    """Return a document with all its changes known."""
    return Contract(read_document(document), date.max, until)
