"""What a quantity costs under a price model (convention 11).

Quantities and prices are exact; nothing rounds here. The first `free` units are taken off before any tier is looked at,
so tiers count the units that are paid for. `up_to` is included in its tier; a last tier that is closed and exceeded is
an error, never the last rate. A flat fee is due once something is paid for; a minimum is due even for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.billing.deal import PriceModel, Tier
from app.billing.money import decimals_of, people_decimal, round_half_up

# As many decimals as a plain decimal may have, and as the database keeps.
_PLACES = 12


@dataclass(frozen=True, slots=True)
class Priced:
    """An exact amount in major units, and in plain words how it comes about: "100 x 0.50 + 50 x 0.40"."""

    amount: Fraction
    words: str


class TierExceeded(ValueError):
    """More units than a closed last tier holds; `quantity` units were to be paid for, the tiers end at `up_to`."""

    def __init__(self, quantity: Decimal, up_to: Decimal) -> None:
        super().__init__(
            f"{people_decimal(quantity)} is more than the last tier of the price holds (up to {people_decimal(up_to)})"
        )
        self.quantity = quantity
        self.up_to = up_to


@dataclass(frozen=True, slots=True)
class _Share:
    """The units that fall into one tier; `above` is where the tier begins (excluded)."""

    tier: Tier
    above: Fraction
    units: Fraction


def decimal_of(value: Fraction) -> Decimal:
    """Return `value` as a decimal of at most 12 places, rounded half away from zero; exact for what documents hold."""
    scaled = round_half_up(value * 10**_PLACES)
    whole, part = divmod(abs(scaled), 10**_PLACES)
    digits = f"{whole}.{part:0{_PLACES}d}".rstrip("0").rstrip(".")
    # Read from text because arithmetic on decimals would round at the context's precision.
    return Decimal(f"-{digits}" if scaled < 0 else digits)


def plain(quantity: Decimal, unit_price: Decimal) -> Fraction:
    """Return quantity x unit price, exactly: the price of an item without a model."""
    return Fraction(quantity) * Fraction(unit_price)


def price_of(model: PriceModel, quantity: Decimal, currency: str) -> Priced:
    """Return what `quantity` costs for one price interval, or for one period of usage.

    `graduated` charges each tier for the units in it, `volume` all units at the rate of the tier they reach,
    `stairstep` the whole price of that tier, `flat` its price whatever the quantity, `package` whole packages in each
    tier, `percentage` a percentage of the quantity (an amount), by tiers if it has any. A tier costs its unit price,
    its percentage and its flat fee together. The result is then brought up to `minimum` and down to `maximum`.
    Raises TierExceeded when the last tier is closed and too small, ValueError for a model without a price.
    """
    if not model.tiers and model.model != "percentage":
        raise ValueError(f"a {model.model} price needs a tier: the price stands there")
    places = decimals_of(currency)
    paid = max(Fraction(quantity) - Fraction(model.free), Fraction(0))
    _check_tiers(model, paid)
    priced = _percentage(model, paid, places) if not model.tiers else _by_tiers(model, paid, places)
    words = priced.words
    if model.free:
        words = f"{people_decimal(quantity)} less {people_decimal(model.free)} free: {words}"
    return _clamped(model, Priced(priced.amount, words))


def unit_price_of(model: PriceModel) -> Decimal | None:
    """Return the price of one unit where it is the same for every unit paid for, else None."""
    if model.model not in ("per_unit", "graduated", "volume") or len(model.tiers) != 1:
        return None
    tier = model.tiers[0]
    return None if tier.percent is not None else tier.unit_price or Decimal(0)


def _check_tiers(model: PriceModel, paid: Fraction) -> None:
    last = model.tiers[-1].up_to if model.tiers else None
    if last is not None and paid > last:
        raise TierExceeded(decimal_of(paid), last)


def _by_tiers(model: PriceModel, paid: Fraction, places: int) -> Priced:
    if model.model in ("graduated", "package", "percentage"):
        parts = [_part(model, share, places) for share in _spread(model, paid)]
        return Priced(sum((part.amount for part in parts), Fraction(0)), " + ".join(part.words for part in parts))
    return _part(model, _reached(model, paid), places)


def _spread(model: PriceModel, paid: Fraction) -> Iterator[_Share]:
    """Yield the tiers that `paid` units enter, with the units in each; the first tier with none for no units."""
    above = Fraction(0)
    for n, tier in enumerate(model.tiers):
        end = paid if tier.up_to is None else min(paid, Fraction(tier.up_to))
        if end > above or n == 0:
            yield _Share(tier, above, end - above)
        above = max(above, end)


def _reached(model: PriceModel, paid: Fraction) -> _Share:
    """Return all units in the tier that they reach."""
    above = Fraction(0)
    for tier in model.tiers[:-1]:
        if tier.up_to is None or paid <= tier.up_to:
            return _Share(tier, above, paid)
        above = Fraction(tier.up_to)
    return _Share(model.tiers[-1], above, paid)


def _part(model: PriceModel, share: _Share, places: int) -> Priced:
    """Price the units of one tier: its price, its percentage of the units, and its fee if there are any units."""
    tier = share.tier
    amount, words = _tier_price(model, share, places)
    percent = tier.percent
    if percent is None and model.model == "percentage":
        percent = model.percent
    if percent is not None:
        part = _percent(percent, share.units, places)
        amount += part.amount
        words.append(part.words)
    if tier.flat_fee is not None and share.units > 0:
        amount += Fraction(tier.flat_fee)
        text = people_decimal(tier.flat_fee, places)
        # A whole price may be written either way; only beside another price is it a fee.
        words.append(text if model.model in ("flat", "stairstep") and not words else f"a fee of {text}")
    return Priced(amount, _named(model, share, " + ".join(words), places))


def _tier_price(model: PriceModel, share: _Share, places: int) -> tuple[Fraction, list[str]]:
    """Return what the tier's unit price comes to, and its words (none without a unit price)."""
    if share.tier.unit_price is None:
        return Fraction(0), []
    price, text = Fraction(share.tier.unit_price), people_decimal(share.tier.unit_price, places)
    if model.model == "package":
        if not model.package_size:
            raise ValueError("a package price needs the size of a package")
        packages = -(-share.units // Fraction(model.package_size))
        noun = "package" if packages == 1 else "packages"
        return packages * price, [f"{packages:,} {noun} of {people_decimal(model.package_size)} at {text}"]
    if model.model == "flat":
        return price, [text]
    if model.model == "stairstep":
        return (price, [text]) if share.units > 0 else (Fraction(0), [])
    return share.units * price, [f"{people_decimal(decimal_of(share.units))} x {text}"]


def _named(model: PriceModel, share: _Share, words: str, places: int) -> str:
    """Name a flat price and the step of a stairstep; what costs nothing says so."""
    if model.model == "flat" and words:
        return f"flat {words}"
    if model.model == "stairstep" and words and len(model.tiers) > 1:
        if share.tier.up_to is None:
            return f"step above {people_decimal(decimal_of(share.above))}: {words}"
        return f"step up to {people_decimal(share.tier.up_to)}: {words}"
    return words or people_decimal(Decimal(0), places)


def _percentage(model: PriceModel, paid: Fraction, places: int) -> Priced:
    if model.percent is None:
        raise ValueError("a percentage price needs a percentage")
    return _percent(model.percent, paid, places)


def _percent(percent: Decimal, units: Fraction, places: int) -> Priced:
    amount = units * Fraction(percent) / 100
    return Priced(amount, f"{people_decimal(percent)}% of {people_decimal(decimal_of(units), places)}")


def _clamped(model: PriceModel, priced: Priced) -> Priced:
    """Bring an amount up to the minimum and down to the maximum."""
    if model.minimum is not None and priced.amount < model.minimum.exact():
        return Priced(model.minimum.exact(), f"{priced.words}; raised to the minimum of {model.minimum.amount()}")
    if model.maximum is not None and priced.amount > model.maximum.exact():
        return Priced(model.maximum.exact(), f"{priced.words}; lowered to the maximum of {model.maximum.amount()}")
    return priced
