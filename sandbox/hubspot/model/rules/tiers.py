"""What a quantity costs at tiered prices. What HubSpot answers for tiers that make no sense isn't known: no amount."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

MODELS = ("volume", "graduated", "stairstep")
_MOST_DIGITS = 20


def price(
    model: str, ranges: str | None, prices: str | None, currency: str | None, quantity: Decimal
) -> Decimal | None:
    """Return the price of the whole quantity before discount, or None where the tiers don't give one.

    `ranges` is `[{"start", "end"}]` with both ends included and the last one open; `prices` is
    `[{"index", "price", "currency"}]`, where `index` is a range's position and `currency` is there when there are
    several.
    """
    try:
        tiers = _tiers(_json(ranges), _json(prices), currency)
        found = _price(model, tiers, quantity)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidOperation):
        return None
    return found if found is None or found.adjusted() < _MOST_DIGITS else None


def _json(text: str | None) -> Any:
    return json.loads(text or "", parse_float=Decimal, parse_constant=Decimal)


def _price(model: str, tiers: list[tuple[int, int | None, Decimal]], quantity: Decimal) -> Decimal | None:
    reached = next((each for _, end, each in tiers if end is None or quantity <= end), None)
    if reached is None or not all(each.is_finite() for _, _, each in tiers):
        return None
    if quantity == 0:
        return Decimal(0)
    if model == "graduated":
        parts = [(_inside(start, end, quantity), each) for start, end, each in tiers]
        return sum((units * each for units, each in parts), Decimal(0))
    return reached if model == "stairstep" else reached * quantity


def _tiers(ranges: Any, prices: Any, currency: str | None) -> list[tuple[int, int | None, Decimal]]:
    of_range = {
        entry["index"]: Decimal(entry["price"]) for entry in prices if entry.get("currency") in (None, currency)
    }
    return [(int(entry["start"]), entry.get("end"), of_range[index]) for index, entry in enumerate(ranges)]


def _inside(start: int, end: int | None, quantity: Decimal) -> Decimal:
    """Units count from 1: a range 0-99 holds 99 of them."""
    top = quantity if end is None else min(quantity, Decimal(end))
    return max(top - max(start - 1, 0), Decimal(0))
