"""The core's words for one line: why it has its amount.

Everything is written from the same values as the amount, so a sentence cannot say something else than the line.
"""

from __future__ import annotations

from fractions import Fraction

from app.billing.calendar import Period
from app.billing.due import Stretch
from app.billing.measure import Measure
from app.billing.money import Money, decimals_of, people_decimal
from app.billing.plan import Move
from app.billing.pricing import decimal_of, price_of


def why(move: Move, currency: str, payer: str, share: Fraction | None) -> str:
    """Explain one line: price, share of it, days, discounts, payer's part and any rounding.

    "10 x 100.00 a month, 1 Jan - 31 Jan 2027". `payer` is named where a line is one of several payers' parts.
    """
    if move.words:
        words = f"{move.words}: {amount(move.amount, currency)}"
    elif move.corrects is not None:
        words = _correction(move, currency)
    elif move.item.kind == "one_time":
        words = f"{_price(move, currency)} once, on {Period(move.start, move.end)}"
    else:
        words = f"{_price(move, currency)}{_rhythm(move)}{_share(move)}, {Period(move.start, move.end)}"
    words += move.note + "".join(_discounts(move, currency))
    if share is not None:
        words += f"; {payer} pays {people_decimal(decimal_of(share))}% of it"
    return words + _rounding(move, currency, share)


def amount(minor: int, currency: str) -> str:
    """Write minor units for people without the currency: "2,500.00"."""
    return Money(minor, currency).amount()


def _price(move: Move, currency: str) -> str:
    item = move.item
    if item.price is not None:
        return price_of(item.price, move.key[0], currency).words
    price = people_decimal(move.key[1], decimals_of(currency))
    return f"{people_decimal(move.key[0])} x {price}"


def _rhythm(move: Move) -> str:
    return f" {move.item.price_interval.per()}"


def _share(move: Move) -> str:
    """Write how much of the price interval is served: " x 3 months", " / 12", " / 12 x 9/30 days"."""
    rhythm, measure = move.rhythm, move.measure
    if rhythm is None or not (measure.whole or measure.parts):
        return ""
    if rhythm.billing.dates:
        return f" x {measure.fraction()} of the whole price"
    share = "" if rhythm.per_price == 1 else f" / {people_decimal(decimal_of(rhythm.per_price))}"
    units = _units(rhythm.unit.noun, measure)
    if len(units) > 1:
        return f"{share} x ({' + '.join(units)})"
    return f"{share} x {units[0]}" if units else share


def _units(noun: object, measure: Measure) -> list[str]:
    assert callable(noun)
    words = []
    for part in measure.fraction().split(" + "):
        if "/" in part:
            words.append(f"{part} days")
        elif part != "1":
            words.append(noun(int(part)))
        elif measure.parts:
            words.append(f"1 {noun()}")
    return words


def _discounts(move: Move, currency: str) -> list[str]:
    """Say what discounts took off, by stretch of days: "; 20% off for 1 Jan - 28 Feb 2027"."""
    off = [s for s in move.stretches if s.gross is not s.net and s.gross != s.net]
    if not off:
        return []
    if len({_off(s, currency) for s in move.stretches}) == 1:
        return [f"; {_off(off[0], currency)}"]
    return [f"; {_off(s, currency)} for {Period(s.start, s.end)}" for s in off]


def _off(stretch: Stretch, currency: str) -> str:
    """Say what came off: "20% off", "20% and 10% off", or the amount where one of the discounts is an amount."""
    if stretch.gross == stretch.net:
        return ""
    if stretch.percents:
        return (
            " and ".join(f"{people_decimal(decimal_of(percent))}%" for percent in stretch.percents if percent) + " off"
        )
    return f"{Money.rounded(stretch.gross - stretch.net, currency).amount()} off"


def _correction(move: Move, currency: str) -> str:
    """Say what was charged, what is due now and for which days the difference is."""
    days = Period(move.start, move.end)
    what = f"{_price(move, currency)}{_rhythm(move)}" if move.item.kind == "recurring" else _price(move, currency)
    share = f" ({move.measure.fraction()})" if move.measure.whole or move.measure.parts else ""
    verb = "Credit" if move.amount < 0 else "More"
    most = "" if move.most is None else f"; only {amount(move.most, currency)} was charged, so no more comes back"
    return (
        f"{verb} for {days}{share} of {what}: {amount(move.charged, currency)} before, "
        f"{amount(move.due, currency)} now ({move.corrects}){most}"
    )


def _rounding(move: Move, currency: str, share: Fraction | None) -> str:
    if move.exact is None or move.words or move.corrects:
        return ""
    shown = Money(move.amount, currency)
    exact = move.exact * (share / 100 if share is not None else 1)
    if exact == shown.exact():
        return ""
    if Money.rounded(exact, currency) != shown:
        whole = "the whole" if move.whole is None else amount(move.whole, currency)
        return f"; what is left of {whole}: {shown.amount()}"
    return f", rounded to {shown.amount()}"
