"""How pages write money, days and counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.console import filters


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (250000, "USD", "2,500.00"), (-5, "EUR", "-0.05"), (0, "USD", "0.00"), (48000, "JPY", "48,000"),
        (1234, "KWD", "1.234"),
    ],
)  # fmt: skip
def test_amounts_have_the_decimals_of_their_currency(minor: int, currency: str, written: str) -> None:
    assert filters.amount(minor, currency) == written


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [("100", "USD", "100.00"), ("0.0015", "USD", "0.0015"), ("12000", "JPY", "12,000"), ("49.500000", "USD", "49.50")],
)
def test_prices_keep_every_decimal_that_counts(value: str, currency: str, written: str) -> None:
    assert filters.price(Decimal(value), currency) == written


@pytest.mark.parametrize(("value", "written"), [("10.000000000000", "10"), ("2.5", "2.5"), ("1200", "1,200")])
def test_quantities_carry_no_needless_zeros(value: str, written: str) -> None:
    assert filters.number(Decimal(value)) == written


class TestDays:
    def test_are_written_as_people_do(self) -> None:
        assert filters.day(date(2027, 3, 1)) == "1 Mar 2027"
        assert filters.weekday(date(2027, 3, 1)) == "Mon 1 Mar 2027"

    def test_an_instant_is_told_in_the_zone_of_the_portal(self) -> None:
        instant = datetime(2026, 12, 1, 3, 5, 59, tzinfo=UTC)
        assert filters.moment(instant, "America/New_York") == "30 Nov 2026, 22:05"
        assert filters.moment(instant, "Europe/Berlin") == "1 Dec 2026, 04:05"

    def test_service_names_its_last_day(self) -> None:
        assert filters.service(date(2026, 12, 1), date(2027, 1, 1)) == "1 Dec - 31 Dec 2026"
        assert filters.service(date(2026, 12, 1), date(2026, 12, 2)) == "1 Dec 2026"

    def test_service_of_no_days_is_its_one_date(self) -> None:
        assert filters.service(date(2026, 12, 1), date(2026, 12, 1)) == "1 Dec 2026"


class TestCounts:
    @pytest.mark.parametrize(("n", "words"), [(0, "0 drafts"), (1, "1 draft"), (2, "2 drafts"), (1200, "1,200 drafts")])
    def test_agree_with_their_noun(self, n: int, words: str) -> None:
        assert filters.count(n, "draft") == words

    def test_take_a_plural_of_their_own(self) -> None:
        assert filters.count(2, "draft was", "drafts were") == "2 drafts were"


class TestSums:
    def test_of_several_currencies_are_one_phrase(self) -> None:
        assert filters.sums([("USD", 120000), ("JPY", 300)]) == "1,200.00 USD and 300 JPY"

    def test_of_nothing_say_so(self) -> None:
        assert filters.sums([]) == "nothing"
