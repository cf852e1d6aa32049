"""Money: whole minor units, decimals by currency, strict reading, one rounding rule."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from app.billing.money import (
    Money,
    MoneyError,
    decimals_of,
    is_currency,
    parse_decimal,
    people_decimal,
    plain_decimal,
    round_half_up,
    total,
)


class TestDecimalsOfCurrency:
    @pytest.mark.parametrize(
        ("currency", "places"),
        [("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0), ("KWD", 3), ("TND", 3), ("CLF", 4), ("UYW", 4)],
    )
    def test_follow_iso_4217(self, currency: str, places: int) -> None:
        assert decimals_of(currency) == places

    @pytest.mark.parametrize("code", ["usd", "US", "", "XXX", "XAU", "ABC"])
    def test_refuse_what_is_no_currency_of_invoices(self, code: str) -> None:
        assert not is_currency(code)
        with pytest.raises(MoneyError, match="ISO 4217"):
            decimals_of(code)


class TestParseMoney:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("2500.00", "USD", 250000),
            ("2500", "USD", 250000),
            ("0.05", "USD", 5),
            ("-0.05", "USD", -5),
            ("0.5", "USD", 50),
            ("150", "JPY", 150),
            ("1.005", "KWD", 1005),
            ("0", "KWD", 0),
        ],
    )
    def test_reads_plain_decimals(self, text: str, currency: str, minor: int) -> None:
        assert Money.parse(text, currency) == Money(minor, currency)

    @pytest.mark.parametrize(
        ("text", "currency"), [("12.345", "USD"), ("12.340", "USD"), ("1.5", "JPY"), ("1.0005", "KWD")]
    )
    def test_refuses_more_decimals_than_the_currency_has(self, text: str, currency: str) -> None:
        with pytest.raises(MoneyError, match=f"{text} has more decimals than {currency} has"):
            Money.parse(text, currency)

    @pytest.mark.parametrize("text", ["", " 1", "1 ", "1,000", "1.", ".5", "+1", "1e3", "NaN", "١", "1_000", "--1"])
    def test_refuses_everything_else(self, text: str) -> None:
        with pytest.raises(MoneyError, match="not a plain decimal"):
            Money.parse(text, "USD")


class TestWriteMoney:
    @pytest.mark.parametrize(
        ("money", "plain", "people"),
        [
            (Money(250000, "USD"), "2500.00", "2,500.00 USD"),
            (Money(-5, "USD"), "-0.05", "-0.05 USD"),
            (Money(0, "USD"), "0.00", "0.00 USD"),
            (Money(1500000, "JPY"), "1500000", "1,500,000 JPY"),
            (Money(1005, "KWD"), "1.005", "1.005 KWD"),
            (Money(-123456789, "CLF"), "-12345.6789", "-12,345.6789 CLF"),
        ],
    )
    def test_for_machines_and_people(self, money: Money, plain: str, people: str) -> None:
        assert money.plain() == plain
        assert str(money) == people
        assert Money.parse(plain, money.currency) == money


class TestRounding:
    @pytest.mark.parametrize(
        ("value", "rounded"),
        [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("-3/2", -2), ("49/100", 0), ("-49/100", 0), ("5/2", 3), ("7", 7)],
    )
    def test_half_goes_away_from_zero(self, value: str, rounded: int) -> None:
        assert round_half_up(Fraction(value)) == rounded

    @pytest.mark.parametrize(
        ("amount", "currency", "minor"),
        [("1/8", "USD", 13), ("1/2", "JPY", 1), ("1/2000", "KWD", 1), ("1/3", "KWD", 333), ("-1/8", "USD", -13)],
    )
    def test_is_at_the_currency_decimals(self, amount: str, currency: str, minor: int) -> None:
        assert Money.rounded(Fraction(amount), currency) == Money(minor, currency)


class TestArithmetic:
    def test_adds_and_subtracts_one_currency(self) -> None:
        assert Money(150, "USD") + Money(50, "USD") - Money(25, "USD") == Money(175, "USD")
        assert -Money(150, "USD") == Money(-150, "USD")
        assert total([Money(1, "USD"), Money(2, "USD")], "USD") == Money(3, "USD")
        assert total([], "JPY") == Money(0, "JPY")
        assert Money(150, "USD").exact() == Fraction(3, 2)

    def test_refuses_to_mix_currencies(self) -> None:
        with pytest.raises(MoneyError, match="different currencies"):
            Money(1, "USD") + Money(1, "EUR")

    @pytest.mark.parametrize("minor", [1.0, True, Decimal(1)])
    def test_refuses_minor_units_that_are_not_integers(self, minor: object) -> None:
        with pytest.raises(MoneyError, match="whole minor units"):
            Money(minor, "USD")  # type: ignore[arg-type]  # the wrong type is what is tested


class TestDecimals:
    @pytest.mark.parametrize(
        ("text", "places", "plain", "people"),
        [
            ("10", 0, "10", "10"),
            ("10.00", 0, "10", "10"),
            ("100", 2, "100.00", "100.00"),
            ("0.0015", 2, "0.0015", "0.0015"),
            ("1234567.5", 2, "1234567.50", "1,234,567.50"),
            ("0.000000000001", 0, "0.000000000001", "0.000000000001"),
        ],
    )
    def test_are_written_without_exponent_or_needless_zeros(
        self, text: str, places: int, plain: str, people: str
    ) -> None:
        assert plain_decimal(parse_decimal(text), places) == plain
        assert people_decimal(parse_decimal(text), places) == people

    @pytest.mark.parametrize("text", ["0.0000000000001", "1" * 27])
    def test_longer_than_the_database_keeps_are_refused(self, text: str) -> None:
        with pytest.raises(MoneyError):
            parse_decimal(text)
