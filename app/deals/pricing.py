"""What a line item costs: its price or tiers, its discount, and whether HubSpot comes to the same net price.

Facts of HubSpot's properties: `price` is per billing period, before discount; `amount` is the net price that HubSpot
works out itself; a tiered line has no `price`. What `discount` means is told in two ways, an amount off each unit (its
label) or a percentage: HubSpot's own net price decides which, never we.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.billing.money import decimals_of, is_currency, people_decimal
from app.deals import tiers
from app.deals.notes import Notes, is_nothing, number, parse, plain
from app.problems.actions import FINANCE

_FLAT = "flat"
# Above this many minor units an amount is refused by the core: summed over a long life it must fit 64 bits.
_MOST_MINOR = 10**15


@dataclass(frozen=True, slots=True)
class _Line:
    """A line item under way. `places`: the decimals of its currency."""

    key: str
    name: str
    p: Mapping[str, str | None]
    currency: str
    places: int
    notes: Notes

    def text(self, prop: str) -> str:
        return (self.p.get(prop) or "").strip()

    def money(self, value: Decimal) -> str:
        return f"{people_decimal(value, self.places)} {self.currency}"

    def agrees(self, one: Decimal, other: Decimal) -> bool:
        """Whether two amounts differ by no more than a cent, which is HubSpot's rounding."""
        return abs(one - other) <= max(Decimal("0.01"), Decimal(1).scaleb(-self.places))


@dataclass(frozen=True, slots=True)
class _Price:
    """The fields it makes, and what the whole quantity costs before discount; `words` say how."""

    fields: dict[str, Any]
    gross: Decimal
    words: str


def read(key: str, name: str, properties: Mapping[str, str | None], currency: str, notes: Notes) -> dict[str, Any]:
    """Return quantity, price and discounts of an item of the deal document; what isn't understood is asked."""
    places = decimals_of(currency) if is_currency(currency) else 2
    line = _Line(key, name, properties, currency, places, notes)
    quantity = number(line.p.get("quantity") or "1", f'the quantity of "{name}"', notes)
    price = _price(line, quantity)
    if quantity is None or price is None:
        return {}
    if price.gross.scaleb(places) > _MOST_MINOR:
        notes.ask("bad_number", f'"{name}" comes to {line.money(price.gross)}.', "Correct the line item.")
        return {}
    fields = {"quantity": plain(quantity)} | price.fields
    discount = _discount(line, price, quantity)
    return fields | {"discounts": [discount]} if discount else fields


def _price(line: _Line, quantity: Decimal | None) -> _Price | None:
    model = line.text("hs_pricing_model") or _FLAT
    if model in tiers.MODELS:
        return _tiered(line, model, quantity)
    if model != _FLAT:
        line.notes.ask(
            "not_supported", f'"{line.name}" has the pricing model "{model}", which Dealwright doesn\'t bill yet.',
            "Use a flat or tiered price, or bill this deal by hand.", FINANCE,
        )  # fmt: skip
        return None
    if not line.text("hs_pricing_model") and line.text("hs_tier_ranges") not in ("", "[]"):
        line.notes.ask(
            "bad_tiers", f'"{line.name}" has tiers of prices but no pricing model.',
            "Choose how the tiers count on the line item: volume, graduated or stairstep.",
        )  # fmt: skip
    unit_price = number(line.p.get("price") or "", f'the price of "{line.name}"', line.notes)
    if unit_price is None or quantity is None:
        return None
    words = f"{people_decimal(quantity)} x {people_decimal(unit_price, line.places)}"
    return _Price({"unit_price": plain(unit_price)}, quantity * unit_price, words)


def _tiered(line: _Line, model: str, quantity: Decimal | None) -> _Price | None:
    if not is_nothing(line.text("price")):
        line.notes.ask(
            "bad_tiers",
            f'"{line.name}" has tiered prices and a unit price of {line.text("price")}, and only one can hold.',
            "Clear the unit price on the line item, or use a flat price.",
        )
        return None
    try:
        found = tiers.read(line.text("hs_tier_ranges"), line.text("hs_tier_prices"), line.currency)
    except tiers.TierError as fault:
        line.notes.ask(
            "bad_tiers", f'The tiers of "{line.name}" can\'t be read: {fault}.', "Correct the tiers on the line item."
        )
        return None
    if quantity is None:
        return None
    if not tiers.covers(found, quantity):
        line.notes.ask(
            "bad_tiers", f'None of the tiers of "{line.name}" is for a quantity of {people_decimal(quantity)}.',
            "Correct the quantity or the tiers on the line item.",
        )  # fmt: skip
        return None
    line.notes.sources[f"{line.key}.price"] = "the line item's pricing model and tiers"
    gross = tiers.total(model, found, quantity)
    return _Price({"price": tiers.model(model, found)}, gross, f"{people_decimal(quantity)} at {model} prices")


def _discount(line: _Line, price: _Price, quantity: Decimal) -> dict[str, str] | None:
    """Return the line's discount, after HubSpot's own net price was seen to agree with it."""
    raw_amount, raw_percent = line.text("discount"), line.text("hs_discount_percentage")
    amount = _unless_nothing(line, raw_amount, "unit discount")
    percent = _unless_nothing(line, raw_percent, "discount percentage")
    if not is_nothing(raw_amount) and not is_nothing(raw_percent):
        line.notes.ask(
            "discount", f'"{line.name}" has a unit discount of {raw_amount} and a discount of {raw_percent} percent.',
            "Keep one of the two discounts on the line item.",
        )  # fmt: skip
        return None
    if amount:
        return _unit_discount(line, price, quantity, amount)
    if percent:
        if percent > 100:
            _ask_too_high(line, f"{plain(percent)} percent")
            return None
        _compare(line, price, price.gross * percent / 100, f", less {plain(percent)} percent")
        return {"percent": plain(percent)}
    if is_nothing(raw_amount) and is_nothing(raw_percent):
        _compare(line, price, Decimal(0), "")
    return None


def _unless_nothing(line: _Line, raw: str, words: str) -> Decimal | None:
    return None if is_nothing(raw) else number(raw, f'the {words} of "{line.name}"', line.notes)


def _unit_discount(line: _Line, price: _Price, quantity: Decimal, value: Decimal) -> dict[str, str] | None:
    off_each, off_percent = quantity * value, price.gross * value / 100
    off = _stated_discount(line, price)
    if off is None:
        if off_each > price.gross and value > 100:
            _ask_too_high(line, plain(value))
        else:
            _ask_which(line, value, "and HubSpot gives no net price that tells whether it is an amount or a percentage")
        return None
    if line.agrees(off, off_each) and off_each <= price.gross:
        return {"amount": plain(value), "per": "unit"}
    if line.agrees(off, off_percent) and value <= 100:
        line.notes.sources[f"{line.key}.discounts"] = "the unit discount, which is a percentage by HubSpot's net price"
        return {"percent": plain(value)}
    if off_each > price.gross and line.agrees(off, off_each):
        _ask_too_high(line, line.money(value))
        return None
    _ask_which(
        line, value,
        f"but HubSpot takes {line.money(off)} off {price.words}: neither {line.money(off_each)} "
        f"({plain(value)} off each unit) nor {line.money(off_percent)} ({plain(value)} percent)",
    )  # fmt: skip
    return None


def _stated_discount(line: _Line, price: _Price) -> Decimal | None:
    """Return what HubSpot takes off the whole quantity, by its net price or else by its total discount."""
    net = _stated(line, "amount", "net price")
    return price.gross - net if net is not None else _stated(line, "hs_total_discount", "total discount")


def _stated(line: _Line, prop: str, words: str) -> Decimal | None:
    raw = line.text(prop)
    if not raw:
        return None
    value = parse(raw.removeprefix("-"))
    if value is None:
        line.notes.ask("bad_number", f'HubSpot has "{raw}" as the {words} of "{line.name}".', "Correct the line item.")
        return None
    return -value if raw.startswith("-") else value


def _compare(line: _Line, price: _Price, off: Decimal, words: str) -> None:
    net = _stated(line, "amount", "net price")
    if net is not None and not line.agrees(price.gross - off, net):
        line.notes.ask(
            "net_differs",
            f'"{line.name}" is {price.words}{words}, which is {line.money(price.gross - off)}, '
            f"but HubSpot shows a net price of {line.money(net)}.",
            "Check quantity, price and discount of the line item, and save it again.",
        )


def _ask_too_high(line: _Line, words: str) -> None:
    line.notes.ask(
        "discount", f'"{line.name}" has a discount of {words}, which is more than its price.',
        "Correct the discount on the line item.",
    )  # fmt: skip


def _ask_which(line: _Line, value: Decimal, words: str) -> None:
    line.notes.ask(
        "discount", f'"{line.name}" has a unit discount of {plain(value)}, {words}.',
        "Give the discount as a discount percentage on the line item, or correct it.",
    )  # fmt: skip
