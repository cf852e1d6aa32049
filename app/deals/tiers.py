"""HubSpot's tiered prices: two JSON texts on a line item, read strictly, because money hangs on each number.

`hs_tier_ranges` is a list of {start, end}: whole units, both included, each range right after the one before, the
last one open when it has no end. `hs_tier_prices` is a list of {index, price, currency}: `index` is the position of
the range it prices, in any order; with several currencies each price names its own. `volume`: all units at the price
of the range reached; `graduated`: each unit at the price of its own range; `stairstep`: the whole price of the range
reached. Source: HubSpot's guide of the products API, section on tiered pricing (2026-03).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from app.deals.notes import parse, plain

MODELS = ("volume", "graduated", "stairstep")


class TierError(ValueError):
    """Tiers that can't be read; the message completes "The tiers of ... can't be read: "."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A range of whole units from `start` to `end`, both included (None: open), and its price."""

    start: int
    end: int | None
    price: Decimal


def read(ranges: str, prices: str, currency: str) -> tuple[Tier, ...]:
    """Return the tiers of a line item priced in `currency`. Raises TierError for every form but the one above."""
    spans = _spans(_objects(ranges, "ranges", {"start", "end"}))
    amounts = _amounts(_objects(prices, "prices", {"index", "price", "currency"}), len(spans), currency)
    return tuple(Tier(start, end, amounts[n]) for n, (start, end) in enumerate(spans))


def model(name: str, tiers: Sequence[Tier]) -> dict[str, Any]:
    """Return the `price` of a deal document's item: `up_to` is included, None is open."""
    return {
        "model": name,
        "tiers": [
            {"up_to": None if tier.end is None else str(tier.end), "unit_price": plain(tier.price)} for tier in tiers
        ],
    }


def covers(tiers: Sequence[Tier], quantity: Decimal) -> bool:
    """Say whether a quantity lies in one of the ranges, not above the last nor between two (99.5 of 0-99, 100-199)."""
    return quantity <= tiers[0].start or any(_holds(tier, quantity) for tier in tiers)


def total(name: str, tiers: Sequence[Tier], quantity: Decimal) -> Decimal:
    """Return what HubSpot should show for a quantity that the ranges cover, exact; to compare with, never to bill."""
    if quantity == 0:
        return Decimal(0)
    if name == "graduated":
        return sum((tier.price * _inside(tier, quantity) for tier in tiers), Decimal(0))
    reached = next((tier for tier in tiers if _holds(tier, quantity)), tiers[0])
    return reached.price if name == "stairstep" else reached.price * quantity


def _holds(tier: Tier, quantity: Decimal) -> bool:
    return quantity >= tier.start and (tier.end is None or quantity <= tier.end)


def _inside(tier: Tier, quantity: Decimal) -> Decimal:
    """Return how many of the units lie in the tier; units count from 1, so a range 0-99 holds 99 of them."""
    below = Decimal(max(tier.start - 1, 0))
    top = quantity if tier.end is None else min(quantity, Decimal(tier.end))
    return max(top - below, Decimal(0))


def _objects(text: str, what: str, names: set[str]) -> list[dict[str, object]]:
    if not text.strip():
        raise TierError(f"there are no {what}")
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
    except TierError:
        raise
    except (ValueError, ArithmeticError, RecursionError):
        raise TierError(f"the {what} are not the JSON that HubSpot writes") from None
    if not isinstance(found, list) or not found or not all(isinstance(entry, dict) for entry in found):
        raise TierError(f"the {what} are not a list of tiers")
    for entry in found:
        if unknown := sorted(set(entry) - names):
            raise TierError(f'the {what} have "{unknown[0]}", which Dealwright doesn\'t know')
    return found


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise TierError("a tier says one thing twice")
    return entry


def _spans(ranges: Sequence[Mapping[str, object]]) -> list[tuple[int, int | None]]:
    spans: list[tuple[int, int | None]] = []
    for entry in ranges:
        start, end = _count(entry.get("start")), _count(entry.get("end"))
        if start is None or (end is None and entry.get("end") is not None):
            raise TierError("a range doesn't start and end at a whole number of units")
        if end is not None and end < start:
            raise TierError(f"the range {start} - {end} ends before it starts")
        spans.append((start, end))
    if spans[0][0] not in (0, 1):
        raise TierError(f"the first range starts at {spans[0][0]}")
    for (_, end), (start, _) in pairwise(spans):
        if end is None or start != end + 1:
            raise TierError(f"the range from {start} doesn't start right after the one before it")
    return spans


def _amounts(prices: Sequence[Mapping[str, object]], count: int, currency: str) -> dict[int, Decimal]:
    named = [entry for entry in prices if entry.get("currency") is not None]
    if named and len(named) < len(prices):
        raise TierError("some prices name a currency and some don't")
    amounts: dict[int, Decimal] = {}
    for entry in prices:
        code = entry.get("currency") or currency
        index, amount = _count(entry.get("index")), _price(entry.get("price"))
        if index is None or index >= count or amount is None or not isinstance(code, str):
            raise TierError("a price is no amount for one of the ranges")
        if code.upper() != currency:
            continue
        if index in amounts:
            raise TierError(f"the range number {index + 1} has two prices")
        amounts[index] = amount
    if missing := [n + 1 for n in range(count) if n not in amounts]:
        raise TierError(f"the range number {missing[0]} has no price in {currency}")
    return amounts


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return parse(value)


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        return None
    return value
