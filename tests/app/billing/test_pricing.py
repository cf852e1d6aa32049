"""What a quantity costs under each price model, with every edge of its tiers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from app.billing.deal import PriceModel, Tier
from app.billing.money import Money
from app.billing.pricing import TierExceeded, decimal_of, plain, price_of, unit_price_of


def tier(up_to: str | None, unit: str | None = None, fee: str | None = None, percent: str | None = None) -> Tier:
    """Return one tier; `up_to` None is open."""
    return Tier(*(None if text is None else Decimal(text) for text in (up_to, unit, fee, percent)))


def model(
    name: str, *tiers: Tier, size: str | None = None, percent: str | None = None, minimum: str | None = None,
    maximum: str | None = None, free: str = "0", currency: str = "USD",
) -> PriceModel:  # fmt: skip
    """Return a price model; minimum and maximum are money of `currency`."""
    return PriceModel(
        model=name,
        tiers=tiers,
        package_size=None if size is None else Decimal(size),
        percent=None if percent is None else Decimal(percent),
        minimum=None if minimum is None else Money.parse(minimum, currency),
        maximum=None if maximum is None else Money.parse(maximum, currency),
        free=Decimal(free),
    )


def amount(price: PriceModel, quantity: str, currency: str = "USD") -> Fraction:
    """Return the exact amount of a quantity."""
    return price_of(price, Decimal(quantity), currency).amount


GRADUATED = model("graduated", tier("10", "10", "2"), tier("20", "5", "3"), tier(None, "4", "1"))
FREE_FIRST = model("graduated", tier("100", "0"), tier(None, "0.50"))
VOLUME = model("volume", tier("100", "2", "10"), tier("200", "1"), tier(None, "0.5", "50"))
STAIRS = model("stairstep", tier("100", "300"), tier("500", None, "900"), tier(None, "1500"))
PACKAGES = model("package", tier(None, "5"), size="100")
FREE_PACKAGES = model("package", tier(None, "5"), size="100", free="100")
TIERED_PACKAGES = model("package", tier("1000", "5"), tier(None, "4"), size="100")
UNEVEN_PACKAGES = model("package", tier("150", "5"), tier(None, "4"), size="100")
PERCENT = model("percentage", percent="2.5")
TIERED_PERCENT = model(
    "percentage", tier("1000", None, "200", "1"), tier("10000", None, "300", "2"), tier(None, percent="3")
)
BY_STEP = model("volume", tier("1000", percent="3"), tier(None, percent="2"))


class TestTiersOneAfterTheOther:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "0"),  # no fee without a unit
            ("0.001", "2.01"),
            ("1", "12"),
            ("9.999", "101.99"),
            ("10", "102"),
            ("10.001", "105.005"),  # the second tier is entered, with its fee
            ("11", "110"),
            ("12", "115"),
            ("20", "155"),
            ("20.5", "158"),
            ("21", "160"),
            ("1000", "4076"),
        ],
    )
    def test_each_charges_its_own_units_and_its_fee_once_entered(self, quantity: str, expected: str) -> None:
        assert amount(GRADUATED, quantity) == Fraction(expected)

    @pytest.mark.parametrize(
        ("quantity", "expected"), [("0", "0"), ("100", "0"), ("100.5", "0.25"), ("101", "0.5"), ("1000", "450")]
    )
    def test_a_first_tier_for_nothing_gives_units_away(self, quantity: str, expected: str) -> None:
        assert amount(FREE_FIRST, quantity) == Fraction(expected)

    @pytest.mark.parametrize(("quantity", "expected"), [("0.05", "0.5"), ("0.1", "1"), ("0.5", "3"), ("3", "9.5")])
    def test_bounds_may_be_fractions(self, quantity: str, expected: str) -> None:
        price = model("graduated", tier("0.1", "10"), tier("1", "5"), tier(None, "2"))
        assert amount(price, quantity) == Fraction(expected)


class TestTiersForAllUnits:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "0"),
            ("1", "12"),
            ("100", "210"),
            ("100.000000000001", "100.000000000001"),
            ("100.5", "100.5"),
            ("101", "101"),
            ("200", "200"),
            ("200.5", "150.25"),
            ("300", "200"),
        ],
    )
    def test_all_pay_the_rate_of_the_tier_they_reach(self, quantity: str, expected: str) -> None:
        assert amount(VOLUME, quantity) == Fraction(expected)


class TestSteps:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "0"),
            ("0.5", "300"),
            ("100", "300"),
            ("100.1", "900"),
            ("500", "900"),
            ("501", "1500"),
            ("9999", "1500"),
        ],
    )
    def test_cost_their_whole_price(self, quantity: str, expected: str) -> None:
        assert amount(STAIRS, quantity) == Fraction(expected)


class TestPackages:
    @pytest.mark.parametrize(
        ("price", "quantity", "expected"),
        [
            (PACKAGES, "0", "0"),
            (PACKAGES, "0.1", "5"),
            (PACKAGES, "1", "5"),
            (PACKAGES, "100", "5"),
            (PACKAGES, "100.000001", "10"),
            (PACKAGES, "250", "15"),
            (FREE_PACKAGES, "99", "0"),
            (FREE_PACKAGES, "100", "0"),
            (FREE_PACKAGES, "101", "5"),
            (FREE_PACKAGES, "201", "10"),
            (TIERED_PACKAGES, "1000", "50"),
            (TIERED_PACKAGES, "1001", "54"),
            (TIERED_PACKAGES, "1150", "58"),
            # Each tier is filled with packages of its own: two for the first 150, one for the rest.
            (UNEVEN_PACKAGES, "150", "10"),
            (UNEVEN_PACKAGES, "200", "14"),
        ],
    )
    def test_round_up(self, price: PriceModel, quantity: str, expected: str) -> None:
        assert amount(price, quantity) == Fraction(expected)


class TestPercentages:
    @pytest.mark.parametrize(
        ("price", "quantity", "expected"),
        [
            (PERCENT, "0", "0"),
            (PERCENT, "10000", "250"),
            (PERCENT, "0.01", "0.00025"),
            (model("percentage", percent="2.5", free="500"), "499", "0"),
            (model("percentage", percent="2.5", free="500"), "600", "2.5"),
            (TIERED_PERCENT, "0", "0"),
            (TIERED_PERCENT, "500", "205"),
            (TIERED_PERCENT, "1000", "210"),
            (TIERED_PERCENT, "1050", "511"),
            (TIERED_PERCENT, "20000", "990"),
            (model("percentage", tier("100", percent="5"), tier(None, None, "7"), percent="1"), "300", "14"),
            (BY_STEP, "1000", "30"),
            (BY_STEP, "1001", "20.02"),
        ],
    )
    def test_are_of_the_quantity(self, price: PriceModel, quantity: str, expected: str) -> None:
        assert amount(price, quantity) == Fraction(expected)


class TestOneRate:
    @pytest.mark.parametrize(
        ("price", "quantity", "expected"),
        [
            (model("per_unit", tier(None, "0.0015")), "1234567", "1851.8505"),
            (model("per_unit", tier(None, "0.0015")), "0", "0"),
            (model("per_unit", tier(None, "2", "10")), "3", "16"),
            (model("per_unit", tier(None, "2", "10")), "0", "0"),
            (model("per_unit", tier(None, "2"), free="1.5"), "4", "5"),
            (model("flat", tier(None, "500")), "0", "500"),
            (model("flat", tier(None, "500")), "73", "500"),
            (model("flat", tier(None, None, "500")), "0", "0"),
            (model("flat", tier(None, None, "500")), "0.1", "500"),
        ],
    )
    def test_per_unit_and_flat(self, price: PriceModel, quantity: str, expected: str) -> None:
        assert amount(price, quantity) == Fraction(expected)

    def test_a_plain_price_is_quantity_times_price_exactly(self) -> None:
        assert plain(Decimal("12345678901234567890.5"), Decimal("0.000000000001")) == Fraction("12345678.9012345678905")

    @pytest.mark.parametrize(
        ("price", "expected"),
        [
            (model("per_unit", tier(None, "2", "10")), "2"),
            (model("graduated", tier(None, "3")), "3"),
            (GRADUATED, None),
            (PACKAGES, None),
            (PERCENT, None),
            (BY_STEP, None),
        ],
    )
    def test_is_known_only_where_every_unit_costs_the_same(self, price: PriceModel, expected: str | None) -> None:
        assert unit_price_of(price) == (None if expected is None else Decimal(expected))


class TestFreeUnits:
    @pytest.mark.parametrize(("quantity", "expected"), [("5", "0"), ("6", "12"), ("15", "102"), ("16", "110")])
    def test_come_off_before_tiers_count(self, quantity: str, expected: str) -> None:
        price = model("graduated", *GRADUATED.tiers, free="5")
        assert amount(price, quantity) == Fraction(expected)


class TestMinimumAndMaximum:
    @pytest.mark.parametrize(
        ("quantity", "expected"), [("0", "50"), ("24", "50"), ("25", "50"), ("26", "52"), ("50", "100"), ("51", "100")]
    )
    def test_hold_the_amount_between_them(self, quantity: str, expected: str) -> None:
        assert amount(model("per_unit", tier(None, "2"), minimum="50", maximum="100"), quantity) == Fraction(expected)

    @pytest.mark.parametrize(("currency", "minimum", "expected"), [("JPY", "150", "150"), ("KWD", "1.005", "1.005")])
    def test_are_money_of_the_deal(self, currency: str, minimum: str, expected: str) -> None:
        price = model("per_unit", tier(None, "0.0001"), currency=currency, minimum=minimum)
        assert amount(price, "1", currency) == Fraction(expected)


class TestClosedLastTier:
    @pytest.mark.parametrize("name", ["flat", "per_unit", "graduated", "volume", "package", "stairstep", "percentage"])
    def test_is_never_billed_beyond_its_end(self, name: str) -> None:
        price = model(name, tier("10", "1"), size="5", percent="1", free="2")
        assert amount(price, "12") > 0
        with pytest.raises(
            TierExceeded, match=r"10\.001 is more than the last tier of the price holds \(up to 10\)"
        ) as e:
            amount(price, "12.001")
        assert (e.value.quantity, e.value.up_to) == (Decimal("10.001"), Decimal(10))


class TestIncompleteModel:
    @pytest.mark.parametrize(
        "price", [model("graduated"), model("flat"), model("percentage"), model("package", tier(None, "5"))]
    )
    def test_is_never_free_of_charge(self, price: PriceModel) -> None:
        with pytest.raises(ValueError, match="price needs"):
            amount(price, "1")


class TestWords:
    @pytest.mark.parametrize(
        ("price", "quantity", "expected"),
        [
            (model("graduated", tier("100", "0.5"), tier(None, "0.4")), "150", "100 x 0.50 + 50 x 0.40"),
            (GRADUATED, "11", "10 x 10.00 + a fee of 2.00 + 1 x 5.00 + a fee of 3.00"),
            (GRADUATED, "0", "0 x 10.00"),
            (VOLUME, "1500", "1,500 x 0.50 + a fee of 50.00"),
            (PACKAGES, "250", "3 packages of 100 at 5.00"),
            (PACKAGES, "1", "1 package of 100 at 5.00"),
            (TIERED_PACKAGES, "1150", "10 packages of 100 at 5.00 + 2 packages of 100 at 4.00"),
            (FREE_PACKAGES, "201", "201 less 100 free: 2 packages of 100 at 5.00"),
            (STAIRS, "20", "step up to 100: 300.00"),
            (STAIRS, "200", "step up to 500: 900.00"),
            (STAIRS, "501", "step above 500: 1,500.00"),
            (STAIRS, "0", "0.00"),
            (PERCENT, "10000", "2.5% of 10,000.00"),
            (model("flat", tier(None, "500")), "7", "flat 500.00"),
            (model("flat", tier(None, None, "500")), "0", "0.00"),
            (model("per_unit", tier(None, "2"), minimum="50"), "3", "3 x 2.00; raised to the minimum of 50.00"),
            (model("per_unit", tier(None, "2"), maximum="5"), "3", "3 x 2.00; lowered to the maximum of 5.00"),
        ],
    )
    def test_say_how_the_amount_comes_about(self, price: PriceModel, quantity: str, expected: str) -> None:
        assert price_of(price, Decimal(quantity), "USD").words == expected

    def test_use_the_decimals_of_the_currency(self) -> None:
        price = model("per_unit", tier(None, "150"))
        assert price_of(price, Decimal(2), "JPY").words == "2 x 150"
        assert price_of(price, Decimal(2), "KWD").words == "2 x 150.000"


class TestDecimalOf:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (Fraction(0), "0"),
            (Fraction(100), "100"),
            (Fraction(1, 3), "0.333333333333"),
            (Fraction(2, 3), "0.666666666667"),
            (Fraction(-1, 2 * 10**12), "-0.000000000001"),
            (Fraction("12345678901234567890123456.123456789012"), "12345678901234567890123456.123456789012"),
        ],
    )
    def test_has_at_most_12_places_and_never_loses_digits_before_them(self, value: Fraction, expected: str) -> None:
        assert format(decimal_of(value), "f") == expected
