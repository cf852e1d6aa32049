"""Numbers: Decimal inside, text in the books, JSON numbers on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

CENT = Decimal("0.01")
ZERO = Decimal(0)
# Provider fact: amounts have up to 15 digits, so that a double carries each of them exactly.
MAX_DIGITS = 15


class NotANumber(ValueError):
    """A value that can't be read as a decimal number within QuickBooks' limits."""


def parse(value: Any) -> Decimal:
    """Read a JSON number, or a numeric text, as Decimal. Raises NotANumber."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise NotANumber(value)
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise NotANumber(value) from error
    if not number.is_finite() or abs(number) >= 10**MAX_DIGITS:
        raise NotANumber(value)
    return number


def to_cents(number: Decimal) -> Decimal:
    """Round half away from zero to two decimals, which is how QuickBooks shows money."""
    return number.quantize(CENT, ROUND_HALF_UP)


def amount_text(number: Decimal) -> str:
    """Return money as the books keep it: two decimals."""
    return str(to_cents(number) + ZERO)


def plain_text(number: Decimal) -> str:
    """Return a quantity, price or rate without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def total(numbers: Iterable[Decimal]) -> Decimal:
    """Add up."""
    return sum(numbers, ZERO)


def wire_amount(text: str) -> int | float:
    """Return money as QuickBooks writes it: `100.0`, `337.5`, `26.06`, but `0` for nothing (recorded)."""
    return float(text) if Decimal(text) else 0


def wire_number(text: str) -> int | float:
    """Return a quantity, price or rate as QuickBooks writes it: `35`, `22.5` (recorded)."""
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(text)
