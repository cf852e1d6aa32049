"""Money as whole minor units, decimals per ISO 4217, and the one rounding rule.

Amounts are integers of the currency's smallest unit; prices and quantities are exact decimals. Nothing here ever
touches a float, and nothing rounds except `round_half_up`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

# ISO 4217, the codes with a minor unit. Metals, bond units, test and "no currency" codes have none and cannot be
# invoiced, so they are left out on purpose. Codes withdrawn after 2020 stay, because old deals still carry them.
_CODES_TEXT = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
    CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
    GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
    PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
    TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL
"""
_CODES = frozenset(_CODES_TEXT.split())
# ISO 4217 gives these another number of decimals than 2.
_DECIMALS_TEXT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DECIMALS = {code: places for places, codes in _DECIMALS_TEXT.items() for code in codes.split()}
_DECIMAL = re.compile(r"(-?)([0-9]{1,26})(?:\.([0-9]{1,12}))?")


class MoneyError(ValueError):
    """A text or a pair of amounts that is not money we can compute with; the message is fit for a person."""


def is_currency(code: str) -> bool:
    """Say whether `code` is an ISO 4217 code that has a minor unit (upper case)."""
    return code in _CODES


def decimals_of(currency: str) -> int:
    """Return the decimals of `currency`: 0 (JPY), 2, 3 (KWD) or 4 (CLF). Raises MoneyError for an unknown code."""
    if currency not in _CODES:
        raise MoneyError(f"{currency!r} is not a currency code of ISO 4217 such as USD")
    return _DECIMALS.get(currency, 2)


def round_half_up(value: Fraction) -> int:
    """Round to a whole number, half away from zero: 1/2 -> 1, -1/2 -> -1."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal such as "10", "-2.5" or "0.0015", exactly.

    No exponent, sign "+", blank or thousands separator; at most 26 digits before and 12 after the point, which is
    what the database keeps. Raises MoneyError.
    """
    if not _DECIMAL.fullmatch(text):
        raise MoneyError(f'{text!r} is not a plain decimal such as "100.00"')
    return Decimal(text)


def plain_decimal(value: Decimal, places: int = 0) -> str:
    """Write a decimal without exponent and needless zeros, with at least `places` decimals: "10", "100.50"."""
    whole, _, part = format(value, "f").partition(".")
    part = part.rstrip("0").ljust(places, "0")
    return f"{whole}.{part}" if part else whole


def people_decimal(value: Decimal, places: int = 0) -> str:
    """Write a decimal for people, as `plain_decimal` with thousands separators: "2,500.00"."""
    whole, point, part = plain_decimal(value, places).partition(".")
    return f"{int(whole):,}{point}{part}" if int(whole) else f"{whole}{point}{part}"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `minor` whole minor units of `currency` (150 USD minor = 1.50 USD; 150 JPY minor = 150 JPY)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise MoneyError(f"money is whole minor units, not {type(self.minor).__name__}")
        decimals_of(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Return no money in `currency`."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read "2500.00" as money. Fewer decimals than the currency has are fine ("2500"); more are an error.

        Never rounds: "12.345" in USD raises MoneyError, because a third decimal means that someone meant another
        amount or another currency.
        """
        places = decimals_of(currency)
        value = parse_decimal(text)
        minor = Fraction(value) * 10**places
        if len(format(value, "f").partition(".")[2]) > places:
            raise MoneyError(f"{text} has more decimals than {currency} has ({places})")
        return cls(minor.numerator, currency)

    @classmethod
    def rounded(cls, amount: Fraction, currency: str) -> Money:
        """Round an exact amount in major units once, half away from zero, at the currency's decimals."""
        return cls(round_half_up(amount * 10 ** decimals_of(currency)), currency)

    def exact(self) -> Fraction:
        """Return the amount in major units: 150 USD minor -> 3/2."""
        return Fraction(self.minor, 10 ** decimals_of(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def plain(self) -> str:
        """Write the amount as a machine reads it: "2500.00", "-0.05", "150" for JPY."""
        places = decimals_of(self.currency)
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        sign = "-" if self.minor < 0 else ""
        return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)

    def amount(self) -> str:
        """Write the amount for people without its currency: "2,500.00"."""
        sign = "-" if self.minor < 0 else ""
        whole, point, part = Money(abs(self.minor), self.currency).plain().partition(".")
        return f"{sign}{int(whole):,}{point}{part}"

    def __str__(self) -> str:
        """Write the amount for people: "2,500.00 USD"."""
        return f"{self.amount()} {self.currency}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise MoneyError(f"{self} and {other} are different currencies")
        return other.minor


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add amounts of one currency; no amounts are zero. Raises MoneyError on a mixed list."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result
