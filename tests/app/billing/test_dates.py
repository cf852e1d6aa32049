"""Dated tables, worked out by hand: every interval, anchor, stub and invoice date, month ends and leap years."""

from __future__ import annotations

import pytest

from app.billing import preview

from .builders import Json, dated, deal, lines, one_time, parts, recurring, rows


class TestEveryInterval:
    @pytest.mark.parametrize(
        ("interval", "boundaries"),
        [
            ("P1D", ["2027-01-31", "2027-02-01", "2027-02-02", "2027-02-03"]),
            ("P1W", ["2027-01-31", "2027-02-07", "2027-02-14", "2027-02-21"]),
            ("P2W", ["2027-01-31", "2027-02-14", "2027-02-28", "2027-03-14"]),
            ("P10D", ["2027-01-31", "2027-02-10", "2027-02-20", "2027-03-02"]),
            ("P1M", ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
            ("P2M", ["2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31"]),
            ("P3M", ["2027-01-31", "2027-04-30", "2027-07-31", "2027-10-31"]),
            ("P6M", ["2027-01-31", "2027-07-31", "2028-01-31", "2028-07-31"]),
            ("P1Y", ["2027-01-31", "2028-01-31", "2029-01-31", "2030-01-31"]),
            ("P2Y", ["2027-01-31", "2029-01-31", "2031-01-31", "2033-01-31"]),
        ],
    )
    @pytest.mark.parametrize("timing", ["advance", "arrears"])
    def test_is_invoiced_at_its_boundaries(self, interval: str, boundaries: list[str], timing: str) -> None:
        billing = {"interval": interval, "timing": timing}
        until = boundaries[2] if timing == "advance" else boundaries[3]
        answer = preview(deal(start="2027-01-31", term_months=None, billing=billing, until=until))
        first = 0 if timing == "advance" else 1
        assert parts(answer) == [
            (boundaries[n + first], boundaries[n], boundaries[n + 1], "100.00", "1") for n in range(3)
        ]

    @pytest.mark.parametrize(
        ("price_interval", "interval", "expected"),
        [
            # 100.00 a week, a fortnight's invoice.
            ("P1W", "P2W", [("200.00", "2"), ("200.00", "2")]),
            ("P1D", "P1W", [("700.00", "7"), ("700.00", "7")]),
            # 100.00 for four weeks, invoiced weekly: four parts of 25.00.
            ("P4W", "P1W", [("25.00", "1"), ("25.00", "1")]),
            # Neither divides the other: the unit is the price interval. 1 Jan - 1 Apr is the first quarter.
            ("P5M", "P3M", [("59.60", "90/151"), ("60.01", "61/151 + 30/153")]),
            ("P3M", "P2M", [("65.56", "59/90"), ("67.41", "31/90 + 30/91")]),
            # A monthly price by the week: 7 of January's 31 days.
            ("P1M", "P1W", [("22.58", "7/31"), ("22.58", "7/31")]),
            # A weekly price by the month: 31 days are 4 weeks and 3 days; February's 28 are 4 weeks.
            ("P1W", "P1M", [("442.86", "4 + 3/7"), ("400.00", "3 + 4/7 + 3/7")]),
        ],
    )
    def test_of_price_and_invoice_are_independent(
        self, price_interval: str, interval: str, expected: list[tuple[str, str]]
    ) -> None:
        item = recurring(price_interval=price_interval)
        answer = preview(deal(item, term_months=None, billing={"interval": interval}, until="2027-05-01"))
        found = [(amount, fraction) for _, _, _, amount, fraction in parts(answer)[:2]]
        amounts = [amount for amount, _ in expected]
        assert [amount for amount, _ in found] == amounts
        assert found[0] == expected[0]


class TestAnchors:
    @pytest.mark.parametrize(
        ("anchor", "head", "tail"),
        [
            # 10 - 28 February 2027 is 18 days of the unit that ends at the first anchor, itself counted from the
            # anchor: from 31, 30, 29 or 28 January. The tail in February 2028 is worth the rest of that one unit.
            (31, ("64.29", "18/28"), ("2028-01-31", "35.71", "10/28")),
            (30, ("62.07", "18/29"), ("2028-01-30", "37.93", "11/29")),
            (29, ("60.00", "18/30"), ("2028-01-29", "40.00", "12/30")),
            (28, ("58.06", "18/31"), ("2028-01-28", "41.94", "13/31")),
        ],
    )
    def test_at_the_end_of_the_month_are_never_forgotten(
        self, anchor: int, head: tuple[str, str], tail: tuple[str, str, str]
    ) -> None:
        answer = preview(deal(start="2027-02-10", term_months=12, billing={"anchor": anchor}))
        found = parts(answer)
        assert found[0] == ("2027-02-10", "2027-02-10", "2027-02-28", *head)
        assert found[-1] == (tail[0], tail[0], "2028-02-10", *tail[1:])
        assert [row[3:] for row in found[1:-1]] == [("100.00", "1")] * 11
        months = ["02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"]
        last = [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        assert [row[0] for row in found[1:-1]] == [
            f"2027-{month}-{min(day, anchor):02}" for month, day in zip(months, last, strict=True)
        ]

    def test_on_a_day_measure_the_first_days_by_the_unit_that_ends_there(self) -> None:
        # The convention's own example: 1-10 July with anchor 10 is 9 of the 30 days 10 June - 10 July.
        found = parts(preview(deal(start="2027-07-01", term_months=12, billing={"anchor": 10})))
        assert found[0] == ("2027-07-01", "2027-07-01", "2027-07-10", "30.00", "9/30")
        assert found[1] == ("2027-07-10", "2027-07-10", "2027-08-10", "100.00", "1")
        assert found[-1] == ("2028-06-10", "2028-06-10", "2028-07-01", "70.00", "21/30")

    @pytest.mark.parametrize(
        ("interval", "start", "first", "second"),
        [
            # Months count from 1 January, weeks from Monday (4 January 2027 is one).
            ("P1M", "2027-02-10", "2027-03-01", "2027-04-01"),
            ("P3M", "2027-02-10", "2027-04-01", "2027-07-01"),
            ("P6M", "2027-02-10", "2027-07-01", "2028-01-01"),
            ("P1Y", "2027-02-10", "2028-01-01", "2029-01-01"),
            ("P1W", "2027-01-06", "2027-01-11", "2027-01-18"),
            ("P2W", "2027-01-06", "2027-01-18", "2027-02-01"),
            # Other days count from the start.
            ("P10D", "2027-01-06", "2027-01-16", "2027-01-26"),
        ],
    )
    def test_of_the_calendar(self, interval: str, start: str, first: str, second: str) -> None:
        billing = {"interval": interval, "anchor": "calendar"}
        answer = preview(deal(start=start, term_months=None, billing=billing, until="2029-01-01"))
        found = [row[1] for row in parts(answer)]
        assert found[:3] == [start, first, second]

    @pytest.mark.parametrize(
        ("anchor", "boundaries"),
        [
            # A full date counts in both directions and keeps its month.
            ("2027-05-31", ["2027-02-10", "2027-02-28", "2027-05-31", "2027-08-31", "2027-11-30", "2028-02-10"]),
            ("2026-11-15", ["2027-02-10", "2027-02-15", "2027-05-15", "2027-08-15", "2027-11-15", "2028-02-10"]),
        ],
    )
    def test_on_a_full_date(self, anchor: str, boundaries: list[str]) -> None:
        billing = {"interval": "P3M", "anchor": anchor}
        found = lines(preview(deal(start="2027-02-10", term_months=12, billing=billing)))
        assert [line[0] for line in found] == boundaries[:-1]
        assert found[-1][1] == boundaries[-1]

    @pytest.mark.parametrize("interval", ["P1W", "P10D"])
    def test_on_a_day_need_months_or_years(self, interval: str) -> None:
        answer = preview(deal(billing={"interval": interval, "anchor": 15}))
        assert [error.field for error in answer.errors] == ["billing.anchor"]


class TestStubs:
    # 310.00 a month from 15 January 2027 for a year, invoiced by calendar quarters. 15 - 31 January is 17/31: 170.00;
    # the last fourteen days are worth 14/31: 140.00.
    @pytest.mark.parametrize(
        ("stub", "timing", "expected"),
        [
            (
                "own", "advance",
                [
                    ("2027-01-15", "790.00"), ("2027-04-01", "930.00"), ("2027-07-01", "930.00"),
                    ("2027-10-01", "930.00"), ("2028-01-01", "140.00"),
                ],
            ),
            (
                "with_first", "advance",
                [
                    ("2027-01-15", "1720.00"), ("2027-07-01", "930.00"), ("2027-10-01", "930.00"),
                    ("2028-01-01", "140.00"),
                ],
            ),
            (
                "with_last", "advance",
                [
                    ("2027-01-15", "790.00"), ("2027-04-01", "930.00"), ("2027-07-01", "930.00"),
                    ("2027-10-01", "1070.00"),
                ],
            ),
            (
                "own", "arrears",
                [
                    ("2027-04-01", "790.00"), ("2027-07-01", "930.00"), ("2027-10-01", "930.00"),
                    ("2028-01-01", "930.00"), ("2028-01-15", "140.00"),
                ],
            ),
            (
                "with_first", "arrears",
                [
                    ("2027-07-01", "1720.00"), ("2027-10-01", "930.00"), ("2028-01-01", "930.00"),
                    ("2028-01-15", "140.00"),
                ],
            ),
            (
                "with_last", "arrears",
                [
                    ("2027-04-01", "790.00"), ("2027-07-01", "930.00"), ("2027-10-01", "930.00"),
                    ("2028-01-15", "1070.00"),
                ],
            ),
        ],
    )  # fmt: skip
    def test_have_an_invoice_of_their_own_or_join_one(
        self, stub: str, timing: str, expected: list[tuple[str, str]]
    ) -> None:
        item = recurring(unit_price="310.00", price_interval="P1M")
        billing = {"interval": "P3M", "anchor": "calendar", "stub": stub, "timing": timing}
        answer = preview(deal(item, start="2027-01-15", term_months=12, billing=billing))
        assert dated(answer) == expected
        assert answer.totals is not None
        assert answer.totals.net.plain() == "3720.00"

    @pytest.mark.parametrize(
        ("start", "head", "tail"),
        [
            # In a leap year 15 - 29 February is 15 of 29 days; the tail a year later has 14 natural days of 28 but is
            # worth the other 14/29.
            ("2028-02-15", ("51.72", "15/29"), ("48.28", "14/29")),
            ("2027-02-15", ("50.00", "14/28"), ("50.00", "14/28")),
        ],
    )
    def test_of_a_whole_term_are_one_unit(self, start: str, head: tuple[str, str], tail: tuple[str, str]) -> None:
        found = parts(preview(deal(start=start, term_months=12, billing={"anchor": "calendar"})))
        assert (found[0][3:], found[-1][3:]) == (head, tail)

    def test_of_a_term_that_renews_by_itself_are_measured_by_their_own_days(self) -> None:
        renewal = {"auto": True}
        document = deal(start="2027-02-15", term_months=12, billing={"anchor": "calendar"}, renewal=renewal)
        found = parts(preview({**document, "until": "2028-03-01"}))
        # The contract goes on, so February 2028 is a full month.
        assert found[-2] == ("2028-02-01", "2028-02-01", "2028-03-01", "100.00", "1")

    @pytest.mark.parametrize("until", ["2027-04-01", "2027-06-30", "2027-08-01"])
    def test_join_the_last_invoice_whatever_is_shown(self, until: str) -> None:
        # Seven months by the quarter: three, then four together, also for a run that looks no further than that day.
        billing = {"interval": "P3M", "stub": "with_last"}
        answer = preview(deal(recurring(price_interval="P1M"), term_months=7, billing=billing, until=until))
        assert lines(answer) == [("2027-01-01", "2027-04-01", "300.00"), ("2027-04-01", "2027-08-01", "400.00")]

    def test_with_the_first_period_that_never_comes_stand_alone(self) -> None:
        billing = {"interval": "P1Y", "anchor": "calendar", "stub": "with_first"}
        found = lines(preview(deal(start="2027-03-01", term_months=3, billing=billing)))
        assert [line[:2] for line in found] == [("2027-03-01", "2027-06-01")]


class TestInvoiceDates:
    def test_come_lead_days_before_the_period(self) -> None:
        found = parts(preview(deal(start="2027-02-01", term_months=3, billing={"lead_days": 10})))
        assert [row[:2] for row in found] == [
            ("2027-01-22", "2027-02-01"),
            ("2027-02-19", "2027-03-01"),
            ("2027-03-22", "2027-04-01"),
        ]

    def test_of_one_time_items_lead_too_but_never_of_a_milestone(self) -> None:
        items = [
            one_time("setup"),
            one_time("day", when="2027-03-10"),
            one_time("month", when={"month": 3}),
            one_time("mile", when={"event": "Go-live", "confirmed_on": "2027-04-20"}),
            one_time("open", when={"event": "Sign-off"}),
        ]
        answer = preview(deal(*items, billing={"lead_days": 10}))
        assert [row.split()[0] + " " + row.split()[2] for row in rows(answer)] == [
            "26-12-22 setup",
            "27-02-19 month",
            "27-02-28 day",
            "27-04-20 mile",
        ]

    @pytest.mark.parametrize(
        ("dates", "expected"),
        [
            (
                [{"date": "2027-01-15", "share": "50"}, {"date": "2027-06-01"}, {"date": "2027-09-01"}],
                [("2027-01-15", "500.00"), ("2027-06-01", "250.00"), ("2027-09-01", "250.00")],
            ),
            (
                [{"date": "2027-01-15"}, {"date": "2027-06-01"}, {"date": "2027-09-01"}],
                [("2027-01-15", "333.33"), ("2027-06-01", "333.33"), ("2027-09-01", "333.34")],
            ),
            (
                [{"date": "2027-01-15", "share": "10"}, {"date": "2027-06-01", "share": "20"}, {"date": "2027-09-01"}],
                [("2027-01-15", "100.00"), ("2027-06-01", "200.00"), ("2027-09-01", "700.00")],
            ),
        ],
    )
    def test_may_be_agreed_with_shares_of_the_whole_price(
        self, dates: list[Json], expected: list[tuple[str, str]]
    ) -> None:
        item = recurring(unit_price="1000.00", price_interval="P1Y")
        answer = preview(deal(item, billing={"dates": dates}))
        assert dated(answer) == expected
