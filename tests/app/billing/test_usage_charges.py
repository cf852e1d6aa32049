"""Usage period by period: what is read, what is included, what the model makes of it, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from app.billing.calendar import Interval, Period
from app.billing.deal import Allowance, Billing, InvoiceDate, Item, Prepaid, PriceModel, Tier, UsageReading
from app.billing.money import Money
from app.billing.usage import Rate, UsageCharge, UsageOutcome, usage_charges
from tests.app.billing.usage_builders import (
    MONTH,
    QUARTER,
    START,
    TIERS,
    WEEK,
    YEAR,
    allow,
    amounts,
    by_calendar,
    day,
    days,
    item,
    months,
    read,
    run,
)


class TestQuantityOfAPeriod:
    @pytest.mark.parametrize(
        ("aggregate", "expected"), [("sum", ["60", "7", "0"]), ("max", ["40", "7", "0"]), ("last", ["5", "7", "0"])]
    )
    def test_is_the_aggregate_of_the_readings_that_start_in_it(self, aggregate: str, expected: list[str]) -> None:
        parts = [days("01-11", "01-21"), days("01-21", "02-01"), days("01-01", "01-11"), days("02-01", "03-01")]
        readings = read(40, 5, 15, 7, periods=parts)
        outcome = run(item(aggregate=aggregate), months(3), readings)
        assert amounts(outcome) == expected
        assert [str(charge.quantity) for charge in outcome.charges] == expected
        assert not outcome.questions

    def test_last_is_by_the_end_of_the_reading_then_by_position(self) -> None:
        same = [days("01-01", "01-21"), days("01-05", "01-21"), days("01-02", "01-20")]
        assert amounts(run(item(aggregate="last"), months(1), read(1, 2, 3, periods=same))) == ["2"]
        longer = [days("01-01", "01-31"), days("01-05", "01-10")]
        assert amounts(run(item(aggregate="last"), months(1), read(8, 3, periods=longer))) == ["8"]

    def test_overlapping_readings_add_up(self) -> None:
        twice = [days("01-01", "02-01"), days("01-01", "02-01"), days("01-15", "01-16")]
        outcome = run(item(), months(1), read("10", "2.5", 1, periods=twice))
        assert (amounts(outcome), outcome.questions) == (["27/2"], ())

    def test_other_meters_and_days_outside_the_service_do_not_count(self) -> None:
        other = UsageReading("seats", days("01-01", "02-01"), Decimal(9), True, "usage[0].quantity")
        around = read(100, 200, periods=[Period(date(2026, 12, 1), START), days("02-01", "03-01")])
        assert amounts(run(item(), months(1), [other, *around])) == ["0"]

    def test_huge_quantities_stay_exact(self) -> None:
        parts = [days("01-01", "01-02"), days("01-02", "01-03")]
        readings = read("12345678901234567890123456", "0.123456789012", periods=parts)
        (charge,) = run(item(), months(1), readings).charges
        assert format(charge.quantity, "f") == "12345678901234567890123456.123456789012"
        assert charge.exact == Fraction(format(charge.quantity, "f"))

    @pytest.mark.parametrize(
        ("start", "end", "boundary"),
        [("01-15", "02-15", "1 Feb 2027"), ("2026-12-15", "01-02", "1 Jan 2027"), ("02-20", "03-02", "1 Mar 2027")],
    )
    def test_is_asked_for_when_a_reading_goes_over_a_boundary(self, start: str, end: str, boundary: str) -> None:
        readings = read(120, periods=[days(start, end)])
        (question,) = run(item(), months(2), readings).questions
        assert f"How much was used before {boundary}?" in question.text
        assert question.field == "usage[0].quantity"

    def test_is_not_asked_for_when_nothing_was_read(self) -> None:
        assert not run(item(), months(2), read(0, periods=[days("01-01", "03-01")])).questions


class TestComplete:
    @pytest.mark.parametrize(
        ("declared_to", "expected"),
        [
            (None, [False, False, False]),
            ("01-31", [False, False, False]),
            ("02-01", [True, False, False]),
            ("03-15", [True, True, False]),
            ("04-01", [True, True, True]),
        ],
    )
    def test_through_the_end_of_the_period(self, declared_to: str | None, expected: list[bool]) -> None:
        readings = read(5, 5, 5, periods=months(3), complete=False)
        if declared_to:
            last = Period(date.fromordinal(day(declared_to).toordinal() - 1), day(declared_to))
            readings += read(0, periods=[last])
        outcome = run(item(), months(3), readings)
        assert [charge.complete for charge in outcome.charges] == expected
        assert amounts(outcome) == ["5", "5", "5"]

    def test_a_shortfall_waits_for_the_last_period_of_its_interval(self) -> None:
        readings = [*read(10, 10, periods=months(2)), *read(10, periods=months(3)[2:], complete=False)]
        outcome = run(item(commit=allow(QUARTER, amount="100")), months(3), readings)
        assert [(c.kind, c.complete) for c in outcome.charges][2:] == [("usage", False), ("shortfall", False)]


class TestModel:
    def test_tiers_begin_anew_in_each_period(self) -> None:
        outcome = run(item(TIERS), months(4), read(150, 100, 0, "100.5", periods=months(4)))
        assert amounts(outcome) == ["250", "200", "0", "401/2"]

    def test_free_units_and_minimum_belong_to_each_period(self) -> None:
        price = replace(TIERS, free=Decimal(10), minimum=Money.parse("30", "USD"), maximum=Money.parse("205", "USD"))
        outcome = run(item(price), months(4), read(20, 30, 150, 0, periods=months(4)))
        assert amounts(outcome) == ["30", "40", "205", "30"]

    def test_packages_round_up_after_included_units(self) -> None:
        price = PriceModel("package", (Tier(None, Decimal(5), None, None),), package_size=Decimal(100))
        outcome = run(item(price, included=allow("period", "50")), months(3), read(50, 51, 151, periods=months(3)))
        assert amounts(outcome) == ["0", "5", "10"]

    def test_a_closed_last_tier_that_is_too_small_is_a_question_and_not_a_charge(self) -> None:
        price = PriceModel("volume", (Tier(Decimal(100), Decimal(1), None, None),))
        outcome = run(
            item(price, commit=allow(QUARTER, amount="500")), months(3), read(100, 101, 50, periods=months(3))
        )
        assert [charge.period.start.month for charge in outcome.charges if charge.kind == "usage"] == [1, 3]
        assert [c.complete for c in outcome.charges if c.kind == "shortfall"] == [False]
        (question,) = outcome.questions
        assert question.text.startswith("Calls, 1 Feb - 28 Feb 2027: 101 is more than the last tier of the price holds")
        assert question.field == "usage[1].quantity"

    def test_the_rate_in_force_on_the_first_day_counts(self) -> None:
        readings = read(10, 10, periods=months(2))
        steps = {1: Rate(Fraction(1)), 2: Rate(Fraction("1.5"))}
        plain = usage_charges(
            item(), months(2), readings, "USD", START, None, by_calendar, rate_on=lambda on: steps[on.month]
        )
        assert [(str(c.exact), str(c.unit_price)) for c in plain.charges] == [("10", "1"), ("15", "1.5")]
        raised = usage_charges(
            item(TIERS), months(1), readings, "USD", START, None, by_calendar,
            rate_on=lambda on: Rate(Fraction(0), Fraction("1.05")),
        )  # fmt: skip
        assert (raised.charges[0].exact, raised.charges[0].words) == (21, "10 calls: (10 x 2.00) x 1.05")


class TestIncluded:
    @pytest.mark.parametrize(
        ("allowance", "used", "expected"),
        [
            (allow("period", "100"), [150, 100, 0, 101], ["50", "0", "0", "1"]),
            (allow(MONTH, "100"), [150, 100, 0, 101], ["50", "0", "0", "1"]),
            # A year's units are used up over its months.
            (allow(YEAR, "250"), [150, 50, 100, 10], ["0", "0", "50", "10"]),
            (allow("term", "250"), [150, 50, 100, 10], ["0", "0", "50", "10"]),
            (allow(QUARTER, "100"), [70, 70, 70, 70], ["0", "40", "70", "0"]),
            # Left over units live on for a month, and not longer.
            (allow(MONTH, "100", rollover=1), [40, 150, 110, 210], ["0", "0", "0", "110"]),
            (allow(MONTH, "100", rollover=1), [0, 0, 250, 100], ["0", "0", "50", "0"]),
            (allow(MONTH, "100", rollover=2), [0, 0, 250, 160], ["0", "0", "0", "10"]),
            # The oldest go first: January's 60 in February, so that February's 50 are still there in March.
            (allow(MONTH, "100", rollover=1), [40, 110, 150, 101], ["0", "0", "0", "1"]),
            (allow(QUARTER, "100", rollover=1), [0, 0, 0, 150], ["0", "0", "0", "0"]),
        ],
    )
    def test_units_of_a_month(self, allowance: Allowance, used: list[int], expected: list[str]) -> None:
        assert amounts(run(item(included=allowance), months(4), read(*used, periods=months(4)))) == expected

    def test_a_rolled_over_quarter_is_gone_after_its_month(self) -> None:
        usage = item(included=allow(QUARTER, "100", rollover=1))
        outcome = run(usage, months(5), read(0, 0, 0, 0, 150, periods=months(5)))
        assert amounts(outcome)[-1] == "50"

    def test_a_quarter_holds_three_monthly_allowances(self) -> None:
        usage = item(included=allow(MONTH, "100"), billing=Billing(interval=QUARTER))
        assert amounts(run(usage, months(2, every=3), read(301, 300, periods=months(2, every=3)))) == ["1", "0"]

    @pytest.mark.parametrize(
        ("stub", "interval", "expected"),
        [("01-20", MONTH, "50"), ("01-20", QUARTER, "0"), ("03-25", QUARTER, "50"), ("02-25", QUARTER, "0")],
    )
    def test_a_stub_gets_whole_allowances(self, stub: str, interval: Interval, expected: str) -> None:
        end = "02-01" if interval == MONTH else "04-01"
        usage = item(included=allow(MONTH, "100"), billing=Billing(interval=interval), start=day(stub))
        assert amounts(run(usage, [days(stub, end)], read(150, periods=[days(stub, end)]))) == [expected]

    def test_weekly_units_in_a_month_are_the_weeks_that_begin_in_it(self) -> None:
        # 1, 8, 15, 22 and 29 January; 5, 12, 19 and 26 February.
        outcome = run(item(included=allow(WEEK, "10")), months(2), read(60, 60, periods=months(2)))
        assert amounts(outcome) == ["10", "20"]

    def test_a_month_over_weekly_periods_begins_in_the_week_that_holds_its_first_day(self) -> None:
        weeks = [
            Period(date.fromordinal(START.toordinal() + 7 * n), date.fromordinal(START.toordinal() + 7 * n + 7))
            for n in range(6)
        ]
        usage = item(included=allow(MONTH, "100"), billing=Billing(interval=WEEK))
        outcome = run(usage, weeks, read(60, 60, 60, 60, 60, 60, periods=weeks))
        assert amounts(outcome) == ["0", "20", "60", "60", "0", "20"]

    def test_each_renewed_term_has_its_own(self) -> None:
        usage = item(included=allow("term", "100"), billing=Billing(interval=YEAR))
        periods = months(3, every=12)
        assert amounts(run(usage, periods, read(150, 90, 130, periods=periods))) == ["50", "0", "30"]

    def test_explicit_dates_get_the_months_that_begin_between_them(self) -> None:
        on = tuple(InvoiceDate(day(text), None) for text in ("01-01", "04-01", "06-01"))
        periods = [days("01-01", "04-01"), days("04-01", "06-01"), days("06-01", "2028-01-01")]
        usage = item(included=allow(MONTH, "100"), billing=Billing(dates=on))
        assert amounts(run(usage, periods, read(310, 310, 710, periods=periods))) == ["10", "110", "10"]

    def test_a_stub_merged_with_a_full_period_is_one_billing_period(self) -> None:
        merged = [days("01-20", "03-01")]
        readings = read(150, periods=merged)
        assert amounts(run(item(included=allow("period", "100"), start=day("01-20")), merged, readings)) == ["50"]
        assert amounts(run(item(included=allow(MONTH, "100"), start=day("01-20")), merged, readings)) == ["0"]

    def test_units_of_a_meter_that_is_never_read_roll_over_without_end(self) -> None:
        usage = item(included=allow(MONTH, "1", rollover=1_000_000_000))
        assert amounts(run(usage, months(24), read(*[0] * 23, 30, periods=months(24))))[-1] == "6"


class TestUnitPrice:
    @pytest.mark.parametrize(
        ("usage", "quantity", "unit_price"),
        [
            (item("0.0015"), 1000, "0.0015"),
            (item("0.0015"), 0, "0.0015"),
            (item(PriceModel("per_unit", (Tier(None, Decimal(2), None, None),))), 7, "2"),
            (item(TIERS), 150, "1.666666666667"),
            (item("2", included=allow(MONTH, "50")), 150, "1.333333333333"),
            (item(replace(TIERS, minimum=Money.parse("30", "USD"))), 0, "30"),
            (item(replace(TIERS, minimum=Money.parse("30", "USD"))), 1, "30"),
        ],
    )
    def test_times_quantity_is_the_amount(self, usage: Item, quantity: int, unit_price: str) -> None:
        (charge,) = run(usage, months(1), read(quantity, periods=months(1))).charges
        assert format(charge.unit_price, "f") == unit_price
        assert charge.quantity == quantity


class TestWords:
    @pytest.mark.parametrize(
        ("usage", "expected"),
        [
            (item("0.05"), "1,200 calls: 1,200 x 0.05"),
            (item("0.05", aggregate="max"), "1,200 calls, the highest reading: 1,200 x 0.05"),
            (item("0.05", aggregate="last"), "1,200 calls, the last reading: 1,200 x 0.05"),
            (item("0.05", included=allow(MONTH, "1000")), "1,200 calls, less 1,000 included: 200 x 0.05"),
            (item(TIERS), "1,200 calls: 100 x 2.00 + 1,100 x 1.00"),
            (
                item(cap=allow("period", amount="9")),
                "1,200 calls: 1,200 x 1.00; the cap of 9.00 a billing period leaves 9.00",
            ),
        ],
    )
    def test_are_made_of_the_same_numbers(self, usage: Item, expected: str) -> None:
        assert run(usage, months(1), read(1200, periods=months(1))).charges[0].words == expected

    def test_tell_what_was_left_over_from_before(self) -> None:
        usage = item(included=allow(MONTH, "100", rollover=1))
        charge: UsageCharge = run(usage, months(2), read(40, 170, periods=months(2))).charges[1]
        assert charge.words == "170 calls, less 160 included (60 of it left over from before): 10 x 1.00"

    def test_of_a_term(self) -> None:
        outcome = run(item(commit=allow("term", amount="1200")), months(12), read(*[50] * 12, periods=months(12)))
        assert outcome.charges[-1].words == "commitment of 1,200.00 for the term, less 600.00 of usage"


def test_no_periods_no_charges() -> None:
    assert run(item(prepaid=Prepaid(Decimal(1), Fraction(1), None)), [], []) == UsageOutcome(())
