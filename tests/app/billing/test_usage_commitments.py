"""Usage over the life of a deal: units bought beforehand, caps, commitments and their shortfalls, trials."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from app.billing.calendar import Period, add_months
from app.billing.deal import Allowance, Billing, InvoiceDate, Prepaid
from app.billing.money import Money
from app.billing.usage import usage_charges
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
    told,
)


class TestPrepaid:
    def test_is_charged_on_the_first_day_and_used_before_anything_is_charged(self) -> None:
        usage = item(prepaid=Prepaid(Decimal(1000), Fraction(800), None))
        outcome = run(usage, months(4), read(400, 500, 300, 10, periods=months(4)))
        assert told(outcome) == [
            ("prepaid", "01-01", "800"),
            ("usage", "01-31", "0"),
            ("usage", "02-28", "0"),
            ("usage", "03-31", "200"),
            ("usage", "04-30", "10"),
        ]
        bought = outcome.charges[0]
        assert (bought.period, bought.quantity, bought.unit_price) == (Period.of_day(START), Decimal(1), Decimal(800))

    @pytest.mark.parametrize(
        ("expires", "expected"),
        [(1, ["0", "100", "100"]), (2, ["0", "0", "100"]), (3, ["0", "0", "0"]), (None, ["0", "0", "0"])],
    )
    def test_lapses(self, expires: int | None, expected: list[str]) -> None:
        usage = item(prepaid=Prepaid(Decimal(1000), Fraction(800), expires))
        assert amounts(run(usage, months(3), read(100, 100, 100, periods=months(3)))) == expected

    def test_comes_after_included_units_and_before_free_ones(self) -> None:
        usage = item(
            replace(TIERS, free=Decimal(10)),
            included=allow(MONTH, "50"),
            prepaid=Prepaid(Decimal(30), Fraction(20), None),
        )
        (_, january, february) = run(usage, months(2), read(100, 100, periods=months(2))).charges
        assert january.words == "100 calls, less 50 included, less 30 prepaid: 20 less 10 free: 10 x 2.00"
        assert february.words == "100 calls, less 50 included: 50 less 10 free: 40 x 2.00"

    def test_is_due_even_if_nothing_is_complete(self) -> None:
        outcome = run(item(prepaid=Prepaid(Decimal(10), Fraction(5), 6)), months(1), [])
        assert [(c.kind, c.complete) for c in outcome.charges] == [("prepaid", True), ("usage", False)]
        assert outcome.charges[0].words == "10 calls prepaid, to be used within 6 months"


class TestCap:
    @pytest.mark.parametrize(
        ("cap", "expected"),
        [
            (allow("period", amount="100"), ["60", "60", "100", "20"]),
            (allow(MONTH, amount="100"), ["60", "60", "100", "20"]),
            (allow(QUARTER, amount="100"), ["60", "40", "0", "20"]),
            (allow(YEAR, amount="250"), ["60", "60", "130", "0"]),
            (allow("term", amount="250"), ["60", "60", "130", "0"]),
        ],
    )
    def test_is_reached_in_the_middle_of_its_interval(self, cap: Allowance, expected: list[str]) -> None:
        assert amounts(run(item(cap=cap), months(4), read(60, 60, 160, 20, periods=months(4)))) == expected

    def test_of_a_stub_is_whole_and_a_quarter_has_three_monthly_ones(self) -> None:
        stub = days("01-20", "02-01")
        assert amounts(
            run(item(cap=allow(MONTH, amount="100"), start=day("01-20")), [stub], read(500, periods=[stub]))
        ) == ["100"]
        usage = item(cap=allow(MONTH, amount="100"), billing=Billing(interval=QUARTER))
        assert amounts(run(usage, months(1, every=3), read(500, periods=months(1, every=3)))) == ["300"]

    def test_between_explicit_dates_counts_the_quarters_that_begin(self) -> None:
        on = (InvoiceDate(day("01-01"), None), InvoiceDate(day("07-01"), None))
        usage = item(cap=allow(QUARTER, amount="100"), billing=Billing(dates=on))
        halves = months(2, every=6)
        assert amounts(run(usage, halves, read(500, 150, periods=halves))) == ["200", "150"]

    def test_is_kept_to_the_cent_though_each_line_is_rounded(self) -> None:
        outcome = run(
            item("0.335", cap=allow(QUARTER, amount="100")), months(3), read(101, 101, 101, periods=months(3))
        )
        rounded = [Money.rounded(charge.exact, "USD") for charge in outcome.charges]
        assert [money.plain() for money in rounded] == ["33.84", "33.84", "32.32"]
        assert outcome.charges[2].words == "101 calls: 101 x 0.335; the cap of 100.00 a quarter leaves 32.32"

    def test_comes_after_minimum_and_maximum(self) -> None:
        price = replace(TIERS, minimum=Money.parse("80", "USD"))
        usage = item(price, cap=allow(QUARTER, amount="100"))
        assert amounts(run(usage, months(3), read(1, 1, 1, periods=months(3)))) == ["80", "20", "0"]


class TestCommitment:
    @pytest.mark.parametrize(
        ("commit", "expected"),
        [
            (allow("period", amount="100"), [("01-31", "70"), ("03-31", "100"), ("04-30", "60")]),
            (allow(MONTH, amount="100"), [("01-31", "70"), ("03-31", "100"), ("04-30", "60")]),
            (allow(QUARTER, amount="200"), [("03-31", "60")]),
            (allow(QUARTER, amount="140"), []),
            (allow(YEAR, amount="1200"), []),  # the year is not over
            (allow("term", amount="1200"), []),
            (allow(MONTH, amount="100", at_end=True), []),
        ],
    )
    def test_shortfall_is_due_at_the_end_of_its_interval(
        self, commit: Allowance, expected: list[tuple[str, str]]
    ) -> None:
        outcome = run(item(commit=commit), months(4), read(30, 110, 0, 40, periods=months(4)))
        assert [(last, amount) for kind, last, amount in told(outcome) if kind == "shortfall"] == expected

    @pytest.mark.parametrize(
        "commit",
        [
            allow("term", amount="1200"),
            allow("term", amount="1200", at_end=True),
            allow(YEAR, amount="1200"),
            allow(MONTH, amount="100", at_end=True),
            allow("period", amount="100", at_end=True),
            allow(QUARTER, amount="300", at_end=True),
        ],
    )
    def test_at_the_end_of_the_term_good_months_make_up_for_bad_ones(self, commit: Allowance) -> None:
        outcome = run(item(commit=commit), months(12), read(300, *[50] * 11, periods=months(12)))
        assert told(outcome)[-1] == ("shortfall", "12-31", "350")
        assert len(amounts(outcome, "shortfall")) == 1

    def test_of_a_stub_is_prorated(self) -> None:
        periods = [days("01-10", "02-01"), days("02-01", "03-01")]
        outcome = usage_charges(
            item(commit=allow(MONTH, amount="310"), start=day("01-10")), periods,
            read(20, 10, periods=periods), "USD", day("01-10"), day("2028-01-10"), by_calendar,
        )  # fmt: skip
        assert told(outcome) == [
            ("usage", "01-31", "20"),
            ("shortfall", "01-31", "200"),
            ("usage", "02-28", "10"),
            ("shortfall", "02-28", "300"),
        ]
        assert outcome.charges[1].words == "commitment of 310.00 a month x 22/31 = 220.00, less 20.00 of usage"

    def test_a_stub_inside_a_longer_interval_changes_nothing(self) -> None:
        start = day("01-10")
        periods = [days("01-10", "02-01"), *months(11, day("02-01")), days("2028-01-01", "2028-01-10")]
        outcome = usage_charges(
            item(commit=allow(QUARTER, amount="300"), start=start), periods, read(*[0] * 13, periods=periods), "USD",
            start, day("2028-01-10"), by_calendar,
        )  # fmt: skip
        # Quarters of the deal: to 10 April, July, October, January; a month belongs to the one in which it starts.
        assert [t for t in told(outcome) if t[0] == "shortfall"] == [
            ("shortfall", "04-30", "300"),
            ("shortfall", "07-31", "300"),
            ("shortfall", "10-31", "300"),
            ("shortfall", "01-09", "300"),
        ]

    def test_of_an_item_added_within_the_interval_is_prorated(self) -> None:
        periods = [days("03-16", "04-01"), *months(9, day("04-01"))]
        usage = item(commit=allow(YEAR, amount="1200"), start=day("03-16"))
        outcome = run(usage, periods, read(*[10] * 10, periods=periods))
        # 16 of the 31 days of March, and nine months.
        assert amounts(outcome, "shortfall") == [str(100 * (Fraction(16, 31) + 9) - 100)]

    def test_of_a_term_is_whole_for_an_item_added_later(self) -> None:
        periods = months(9, day("04-01"))
        usage = item(commit=allow("term", amount="1200"), start=day("04-01"))
        assert amounts(run(usage, periods, read(*[10] * 9, periods=periods)), "shortfall") == ["1110"]

    def test_is_settled_in_proportion_where_service_ends_early(self) -> None:
        periods = months(6)
        readings = read(*[10] * 6, periods=periods)
        for commit in (
            allow(YEAR, amount="1200"),
            allow("term", amount="1200"),
            allow(MONTH, amount="100", at_end=True),
        ):
            usage = item(commit=commit)
            assert amounts(run(usage, periods, readings), "shortfall") == []
            assert amounts(run(usage, periods, readings, service_end=day("07-01")), "shortfall") == ["540"]

    def test_ends_with_the_term_in_the_middle_of_a_year_and_goes_on_after_a_renewal(self) -> None:
        commit, end = allow(YEAR, amount="1200"), add_months(START, 18)
        periods = months(36)
        outcome = run(item(commit=commit), periods, read(*[0] * 36, periods=periods), term_end=end)
        ends = [(one.period.end.isoformat(), str(one.exact)) for one in outcome.charges if one.kind == "shortfall"]
        assert ends == [("2028-01-01", "1200"), ("2028-07-01", "600"), ("2029-01-01", "600"), ("2030-01-01", "1200")]
        assert told(run(item(commit=commit), periods[:18], read(*[0] * 18, periods=periods), term_end=end))[-1] == (
            "shortfall",
            "06-30",
            "600",
        )

    def test_of_an_item_that_outlives_the_term_ends_with_the_item(self) -> None:
        usage = replace(item(commit=allow(YEAR, amount="1200")), end=day("2029-01-01"))
        periods = months(24)
        outcome = run(usage, periods, read(*[0] * 24, periods=periods), term_end=day("2028-07-01"))
        assert amounts(outcome, "shortfall") == ["1200", "1200"]

    def test_of_an_interval_is_never_more_than_the_whole(self) -> None:
        # From the 12th: 20 of 31 days of January, February, March, and April, which starts before the quarter ends.
        periods = [days("01-12", "02-01"), *months(6, day("02-01"))]
        usage = item(commit=allow(QUARTER, amount="300"), start=day("01-12"))
        outcome = usage_charges(
            usage, periods, read(*[0] * 7, periods=periods), "USD", day("01-10"), day("2028-01-10"), by_calendar
        )
        assert amounts(outcome, "shortfall") == ["300", "300"]

    def test_of_explicit_dates_is_whole_for_each_of_them(self) -> None:
        on = (InvoiceDate(day("01-01"), None), InvoiceDate(day("03-01"), None))
        periods = [days("01-01", "03-01"), days("03-01", "2028-01-01")]
        usage = item(commit=allow("period", amount="100"), billing=Billing(dates=on))
        assert amounts(run(usage, periods, read(30, 60, periods=periods)), "shortfall") == ["70", "40"]

    def test_of_a_quarter_billed_together_is_three_monthly_ones(self) -> None:
        usage = item(commit=allow(MONTH, amount="100"), billing=Billing(interval=QUARTER))
        outcome = run(usage, months(1, every=3), read(120, periods=months(1, every=3)))
        assert amounts(outcome, "shortfall") == ["180"]
        assert outcome.charges[1].words == "commitment of 100.00 a month x 3 = 300.00, less 120.00 of usage"

    def test_with_weekly_invoices_is_the_same_every_month(self) -> None:
        weeks = [
            Period(date.fromordinal(START.toordinal() + 7 * n), date.fromordinal(START.toordinal() + 7 * n + 7))
            for n in range(9)
        ]
        usage = item(commit=allow(MONTH, amount="100"), billing=Billing(interval=WEEK))
        outcome = run(usage, weeks, read(*[10] * 9, periods=weeks))
        assert [t for t in told(outcome) if t[0] == "shortfall"] == [
            ("shortfall", "02-04", "50"),
            ("shortfall", "03-04", "60"),
        ]

    def test_and_usage_make_the_commitment_to_the_cent(self) -> None:
        outcome = run(
            item("0.335", commit=allow(QUARTER, amount="100")), months(3), read(33, 33, 33, periods=months(3))
        )
        assert sum((Money.rounded(one.exact, "USD").minor for one in outcome.charges), 0) == 10000

    def test_is_counted_after_the_cap_and_without_prepaid_units(self) -> None:
        usage = item(
            commit=allow(MONTH, amount="100"),
            cap=allow(MONTH, amount="80"),
            prepaid=Prepaid(Decimal(10), Fraction(7), None),
        )
        outcome = run(usage, months(1), read(200, periods=months(1)))
        assert told(outcome) == [("prepaid", "01-01", "7"), ("usage", "01-31", "80"), ("shortfall", "01-31", "20")]


class TestTrial:
    def test_days_cost_nothing_and_use_nothing(self) -> None:
        usage = replace(
            item(
                included=allow(QUARTER, "10"),
                commit=allow(MONTH, amount="310"),
                prepaid=Prepaid(Decimal(5), Fraction(4), None),
            ),
            trial_until=day("02-15"),
        )
        parts = [days("01-01", "02-01"), days("02-01", "02-15"), days("02-15", "03-01"), days("03-01", "04-01")]
        outcome = run(usage, months(3), read(1000, 1000, 12, 20, periods=parts))
        assert told(outcome) == [
            ("prepaid", "02-15", "4"),
            ("usage", "02-28", "0"),
            ("shortfall", "02-28", "155"),
            ("usage", "03-31", "17"),
            ("shortfall", "03-31", "293"),
        ]
        assert outcome.charges[1].period == days("02-15", "03-01")

    def test_that_never_ended_has_no_charge_at_all(self) -> None:
        usage = replace(item(prepaid=Prepaid(Decimal(5), Fraction(4), None)), trial_until=day("04-01"))
        assert run(usage, months(3), read(1, 1, 1, periods=months(3))).charges == ()


class TestCurrencies:
    @pytest.mark.parametrize(
        ("currency", "price", "minor", "words"),
        [
            ("JPY", "0.5", [17, 17, 66], "33 calls: 33 x 0.5"),
            ("KWD", "0.0005", [17, 17, 99966], "33 calls: 33 x 0.0005"),
        ],
    )
    def test_shortfalls_count_amounts_rounded_at_their_decimals(
        self, currency: str, price: str, minor: list[int], words: str
    ) -> None:
        usage = item(price, commit=allow(QUARTER, amount="100"))
        outcome = run(usage, months(3), read(33, 33, 0, periods=months(3)), currency)
        rounded = [Money.rounded(charge.exact, currency).minor for charge in outcome.charges]
        assert rounded == [*minor[:2], 0, minor[2]]
        assert outcome.charges[0].words == words
