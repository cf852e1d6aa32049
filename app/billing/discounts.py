"""Discounts: what they take off the rate at which value accrues (convention 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.billing.calendar import Interval
from app.billing.deal import Discount, Item
from app.billing.schedule import size

ZERO = Fraction(0)
# For an item in one period: the part that each amount taken from a document (by the discount's `id`) leaves of its due.
Kept = dict[int, Fraction]


def own_rate(price: Fraction, item: Item, quantity: Decimal, discounts: Iterable[Discount], day: date) -> Fraction:
    """Return an item's price per price interval after its own percentages and rate amounts in force on `day`."""
    rates = [
        (d, amount_rate(d, item, quantity, item.billing.interval)) for d in discounts if d.is_rate and d.covers(day)
    ]
    return discounted(price, rates) if rates else price


def amount_rate(discount: Discount, item: Item, quantity: Decimal, period: Interval) -> Fraction:
    """Return an amount off per price interval: `unit` for each of the quantity, else by the lengths in months."""
    if discount.amount is None:
        return ZERO
    if discount.per == "unit":
        return discount.amount * Fraction(quantity)
    if discount.per == "month":
        return discount.amount * size(item.price_interval)
    return discount.amount * size(item.price_interval) / size(period)


def discounted(price: Fraction, rates: Sequence[tuple[Discount, Fraction]], kept: Kept | None = None) -> Fraction:
    """Apply discounts in order to a price; `rates` has the amount per price interval of those that are amounts.

    Each is taken from what the ones before left; an additive percentage is of the price before any discount. What is
    left is never below zero: the rest of a discount is lost. `kept` says what part an amount of a document leaves.
    """
    left = price
    for discount, amount in rates:
        if kept and id(discount) in kept:
            left *= kept[id(discount)]
            continue
        base = price if discount.additive else left
        off = base * discount.percent / 100 if discount.percent is not None else amount
        left = max(left - off, ZERO)
    return left
