"""What a quantity costs, and what discounts leave of it (convention 11, rule 0010.11)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tests.oracle.dates import Interval
from tests.oracle.reading import Discount, Item, Model

RATES = ("unit", "month", "period")


def rounded(value: Fraction, decimals: int) -> Fraction:
    """Round half away from zero to `decimals` places."""
    scaled = abs(value) * 10**decimals
    whole = math.floor(scaled + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole, 10**decimals)


def text_of(value: Fraction, decimals: int) -> str:
    """Return `value`, a whole number of minor units, as decimal text."""
    minor = value * 10**decimals
    assert minor.denominator == 1, value
    return str(Decimal(minor.numerator).scaleb(-decimals).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def model_cost(model: Model, quantity: Fraction) -> Fraction:
    """Return what `quantity` costs under `model` for one price interval, before any discount."""
    left = max(Fraction(0), quantity - model.free)
    cost = Fraction(0)
    if model.model == "package":
        cost = math.ceil(left / model.package_size) * model.tiers[0].unit_price
    elif model.model == "per_unit":
        cost = left * model.tiers[0].unit_price
    elif model.model == "graduated":
        low = Fraction(0)
        for tier in model.tiers:
            inside = (left if tier.up_to is None else min(left, tier.up_to)) - low
            if inside > 0:
                cost += inside * tier.unit_price + tier.flat_fee
                low += inside
    elif left > 0:
        tier = next(tier for tier in model.tiers if tier.up_to is None or left <= tier.up_to)
        cost = tier.unit_price if model.model == "stairstep" else left * tier.unit_price
        cost += tier.flat_fee
    if model.minimum is not None:
        cost = max(cost, model.minimum)
    return cost if model.maximum is None else min(cost, model.maximum)


def list_cost(quantity: Fraction, unit_price: Fraction, model: Model | None, uplift: Fraction) -> Fraction:
    """Return what an item costs per price interval before discounts."""
    return quantity * unit_price if model is None else model_cost(model, quantity) * uplift


def less(
    value: Fraction,
    list_value: Fraction,
    units: Fraction,
    part: Discount,
    quantity: Fraction,
    item: Item,
    unit: Interval,
    count: int,
) -> Fraction:
    """Return what one discount leaves of `value`, which is for `units` units of the item and was `list_value` at first.

    An additive percentage is of the price before any discount; amounts of an invoice or of all lines aren't taken here.
    """
    if part.percent is not None:
        off = (list_value if part.additive else value) * part.percent / 100
    elif part.amount is None or part.per not in RATES:
        off = Fraction(0)
    elif part.per == "unit":
        off = part.amount * quantity / count * units
    elif part.per == "month":
        off = part.amount * unit.months * units
    else:
        off = part.amount * Fraction(unit.size, item.billing.interval.size) * units
    return max(Fraction(0), value - off)


def cost_of(
    quantity: Fraction,
    unit_price: Fraction,
    model: object,
    uplift: Fraction,
    discounts: Sequence[Discount],
    item: Item,
    unit: Interval,
    count: int,
) -> Fraction:
    """Return what the item costs per price interval after the `discounts` in force."""
    assert model is None or isinstance(model, Model)
    whole = list_cost(quantity, unit_price, model, uplift)
    value = whole
    for part in discounts:
        value = less(value, whole, Fraction(count), part, quantity, item, unit, count)
    return value
