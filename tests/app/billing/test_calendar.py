"""Days and periods: boundaries from the anchor, half-open overlap, the words people read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.billing.calendar import (
    Grid,
    Interval,
    Period,
    add_months,
    last_day_of_month,
    merged,
    months_until,
    people_date,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def period(start: str, end: str) -> Period:
    return Period(day(start), day(end))


class TestBoundaries:
    @pytest.mark.parametrize(
        ("anchor", "months", "expected"),
        [
            ("2027-01-31", 1, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
            ("2028-01-31", 1, ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]),
            ("2027-01-30", 1, ["2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30"]),
            ("2027-01-29", 1, ["2027-01-29", "2027-02-28", "2027-03-29", "2027-04-29"]),
            ("2028-01-29", 1, ["2028-01-29", "2028-02-29", "2028-03-29"]),
            ("2027-01-28", 1, ["2027-01-28", "2027-02-28", "2027-03-28"]),
            ("2027-08-31", 3, ["2027-08-31", "2027-11-30", "2028-02-29", "2028-05-31"]),
            ("2028-02-29", 12, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
            ("2027-12-31", 1, ["2027-12-31", "2028-01-31", "2028-02-29"]),
        ],
    )
    def test_come_from_the_anchor_and_never_from_the_previous_one(
        self, anchor: str, months: int, expected: list[str]
    ) -> None:
        grid = Grid.anchored(Interval(months=months), day(anchor))
        assert [grid.at(n).isoformat() for n in range(len(expected))] == expected
        assert [add_months(day(anchor), months * n).isoformat() for n in range(len(expected))] == expected
        assert [grid.index(day(boundary)) for boundary in expected] == list(range(len(expected)))

    @pytest.mark.parametrize(
        ("start", "anchor", "months", "n", "expected"),
        [
            # Anchor 31 in a month without one is still the 31st: the virtual day is never clamped away.
            ("2027-02-10", 31, 1, 0, "2027-02-28"),
            ("2027-02-10", 31, 1, 1, "2027-03-31"),
            ("2027-02-10", 31, 1, -1, "2027-01-31"),
            ("2028-02-10", 30, 1, 0, "2028-02-29"),
            ("2028-02-10", 29, 12, 1, "2029-02-28"),
            ("2028-02-10", 29, 12, 4, "2032-02-29"),
            ("2027-04-10", 31, 3, 1, "2027-07-31"),
            ("2027-04-10", 31, 3, -1, "2027-01-31"),
        ],
    )
    def test_on_a_day_of_the_month_keep_that_day(
        self, start: str, anchor: int, months: int, n: int, expected: str
    ) -> None:
        assert Grid.anchored(Interval(months=months), day(start), anchor).at(n).isoformat() == expected

    @pytest.mark.parametrize(
        ("interval", "anchor", "n", "expected"),
        [
            ("P1W", "2027-01-04", 5, "2027-02-08"),
            ("P10D", "2027-12-27", 1, "2028-01-06"),
            ("P2W", "2028-02-20", -1, "2028-02-06"),
        ],
    )
    def test_of_days_count_days(self, interval: str, anchor: str, n: int, expected: str) -> None:
        grid = Grid.anchored(Interval.parse(interval), day(anchor))
        assert grid.at(n) == day(expected)
        assert grid.index(day(expected)) == n
        assert grid.index(grid.at(n + 1) - timedelta(days=1)) == n

    @pytest.mark.parametrize(
        ("when", "at_or_before", "at_or_after"),
        [
            ("2027-01-31", 0, 0),
            ("2027-02-27", 0, 1),
            ("2027-02-28", 1, 1),
            ("2027-01-30", -1, 0),
            ("2026-12-31", -1, -1),
        ],
    )
    def test_are_found_around_a_day(self, when: str, at_or_before: int, at_or_after: int) -> None:
        grid = Grid.anchored(Interval(months=1), day("2027-01-31"))
        assert (grid.index(day(when)), grid.first_from(day(when))) == (at_or_before, at_or_after)

    def test_go_backwards_too(self) -> None:
        assert add_months(day("2027-03-31"), -1) == day("2027-02-28")
        assert add_months(day("2027-01-31"), -13) == day("2025-12-31")

    @pytest.mark.parametrize(
        ("anchor", "until", "months"),
        [
            ("2027-01-31", "2027-02-27", 0),
            ("2027-01-31", "2027-02-28", 1),
            ("2027-01-31", "2027-03-30", 1),
            ("2027-01-31", "2027-03-31", 2),
            ("2027-01-15", "2027-01-14", -1),
            ("2027-01-15", "2026-12-15", -1),
        ],
    )
    def test_months_until_counts_whole_ones(self, anchor: str, until: str, months: int) -> None:
        assert months_until(day(anchor), day(until)) == months

    def test_last_day_of_month_knows_leap_years(self) -> None:
        assert [last_day_of_month(year, 2).day for year in (2027, 2028, 2100, 2000)] == [28, 29, 28, 29]


class TestInterval:
    @pytest.mark.parametrize(
        ("long", "short", "count"),
        [
            ("P1Y", "P1M", 12),
            ("P3M", "P3M", 1),
            ("P5M", "P3M", None),
            ("P1M", "P3M", None),
            ("P2W", "P1D", 14),
            ("P4W", "P1W", 4),
            ("P10D", "P1W", None),
            ("P1M", "P1W", None),
            ("P1W", "P1M", None),
        ],
    )
    def test_is_a_whole_number_of_another_or_not(self, long: str, short: str, count: int | None) -> None:
        assert Interval.parse(long).times(Interval.parse(short)) == count

    @pytest.mark.parametrize(
        ("text", "iso", "noun", "three", "per"),
        [
            ("P1M", "P1M", "month", "3 months", "a month"),
            ("P3M", "P3M", "quarter", "3 quarters", "a quarter"),
            ("P6M", "P6M", "6 months", "3 x 6 months", "every 6 months"),
            ("P12M", "P1Y", "year", "3 years", "a year"),
            ("P1Y", "P1Y", "year", "3 years", "a year"),
            ("P2Y", "P2Y", "2 years", "3 x 2 years", "every 2 years"),
            ("P1Y6M", "P18M", "18 months", "3 x 18 months", "every 18 months"),
            ("P2W", "P2W", "2 weeks", "3 x 2 weeks", "every 2 weeks"),
            ("P7D", "P1W", "week", "3 weeks", "a week"),
            ("P10D", "P10D", "10 days", "3 x 10 days", "every 10 days"),
        ],
    )
    def test_is_read_and_written(self, text: str, iso: str, noun: str, three: str, per: str) -> None:
        interval = Interval.parse(text)
        assert (interval.iso(), interval.noun(), interval.noun(3), interval.per()) == (iso, noun, three, per)
        assert Interval.parse(iso) == interval

    @pytest.mark.parametrize(
        "text", ["P", "P0M", "P0D", "1M", "PM", "P1H", "PT1M", "p1m", "P-1M", "P1.5M", "P1M1D", "P9999M", ""]
    )
    def test_refuses_what_is_no_whole_interval(self, text: str) -> None:
        with pytest.raises(ValueError, match="interval"):
            Interval.parse(text)


class TestPeriod:
    def test_is_half_open(self) -> None:
        march = period("2027-03-01", "2027-04-01")
        assert march.days == 31
        assert march.last_day == day("2027-03-31")
        assert march.contains(day("2027-03-01"))
        assert not march.contains(day("2027-04-01"))
        assert march.overlap(period("2027-04-01", "2027-05-01")) is None
        assert march.overlap(period("2027-03-31", "2027-05-01")) == Period.of_day(day("2027-03-31"))

    @pytest.mark.parametrize("end", ["2027-03-01", "2027-02-28"])
    def test_is_never_empty(self, end: str) -> None:
        with pytest.raises(ValueError, match="ends after it starts"):
            period("2027-03-01", end)

    @pytest.mark.parametrize(
        ("taken", "left"),
        [
            ([], [("2027-03-01", "2027-04-01")]),
            ([("2027-03-01", "2027-04-01")], []),
            ([("2027-01-01", "2027-12-31")], []),
            ([("2027-03-10", "2027-03-20")], [("2027-03-01", "2027-03-10"), ("2027-03-20", "2027-04-01")]),
            ([("2027-02-01", "2027-03-02")], [("2027-03-02", "2027-04-01")]),
            ([("2027-03-31", "2027-05-01")], [("2027-03-01", "2027-03-31")]),
            ([("2027-04-01", "2027-05-01"), ("2027-02-01", "2027-03-01")], [("2027-03-01", "2027-04-01")]),
            ([("2027-03-15", "2027-04-01"), ("2027-03-01", "2027-03-15")], []),
        ],
    )
    def test_without_taken_days_leaves_the_gaps(
        self, taken: list[tuple[str, str]], left: list[tuple[str, str]]
    ) -> None:
        march = period("2027-03-01", "2027-04-01")
        assert march.without([period(*days) for days in taken]) == [period(*days) for days in left]

    def test_merged_joins_what_overlaps_or_touches(self) -> None:
        scattered = [
            ("2027-03-05", "2027-03-08"),
            ("2027-01-01", "2027-02-01"),
            ("2027-02-01", "2027-03-01"),
            ("2027-03-06", "2027-03-07"),
        ]
        assert merged(period(*days) for days in scattered) == [
            period("2027-01-01", "2027-03-01"),
            period("2027-03-05", "2027-03-08"),
        ]

    @pytest.mark.parametrize(
        ("start", "end", "people"),
        [
            ("2027-03-01", "2027-04-01", "1 Mar - 31 Mar 2027"),
            ("2026-12-01", "2027-12-01", "1 Dec 2026 - 30 Nov 2027"),
            ("2027-01-01", "2028-01-01", "1 Jan - 31 Dec 2027"),
            ("2028-02-29", "2028-03-01", "29 Feb 2028"),
        ],
    )
    def test_people_read_the_last_day_included(self, start: str, end: str, people: str) -> None:
        assert str(period(start, end)) == people
        assert people_date(day("2027-03-01")) == "1 Mar 2027"
