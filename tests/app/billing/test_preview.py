"""What is issued when: dated tables of boundaries, parts, rounding, currencies, due dates and words."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise

import pytest

from app.billing import Answer, preview

from .builders import Json, dated, deal, lines, one_time, recurring

_ANSWER = {
    "status": "ok",
    "reading": [
        "Acme Inc is served from 1 Jan 2027 to 31 Jan 2027 (1 month), in USD.",
        "Platform: 2.5 x 0.50 a month, invoiced every month in advance.",
        "Invoices are due 30 days after their date.",
        "The contract does not renew by itself.",
    ],
    "terms": [],
    "questions": [],
    "notes": [],
    "documents": [
        {
            "kind": "invoice",
            "date": "2027-01-01",
            "due": "2027-01-31",
            "bill_to": "Acme Inc",
            "lines": [
                {
                    "item": "platform",
                    "start": "2027-01-01",
                    "end": "2027-02-01",
                    "quantity": "2.5",
                    "unit_price": "0.50",
                    "gross": "1.25",
                    "discount": "0.00",
                    "amount": "1.25",
                    "fraction": "1",
                    "terms": [],
                    "corrects": None,
                    "change": None,
                    "why": "2.5 x 0.50 a month, 1 Jan - 31 Jan 2027",
                }
            ],
            "net": "1.25",
            "notes": [],
            "sent": True,
            "billable": True,
            "change": None,
        }
    ],
    "totals": {"net": "1.25", "by_item": {"platform": "1.25"}},
    "renewal": {"notice_deadline": None, "next_start": "2027-02-01", "price": None},
}


def whys(answer: Answer) -> list[str]:
    return [line.why for document in answer.documents for line in document.lines]


class TestBillingPeriods:
    @pytest.mark.parametrize(
        ("start", "months", "expected"),
        [
            ("2027-01-31", 4, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
            ("2028-01-31", 2, ["2028-01-31", "2028-02-29", "2028-03-31"]),
            ("2027-01-30", 2, ["2027-01-30", "2027-02-28", "2027-03-30"]),
            ("2027-01-29", 2, ["2027-01-29", "2027-02-28", "2027-03-29"]),
            ("2027-01-28", 2, ["2027-01-28", "2027-02-28", "2027-03-28"]),
            ("2027-11-30", 4, ["2027-11-30", "2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]),
        ],
    )
    def test_are_counted_from_the_start_and_meet_without_gap(
        self, start: str, months: int, expected: list[str]
    ) -> None:
        answer = preview(deal(start=start, term_months=months))
        assert lines(answer) == [(*pair, "100.00") for pair in pairwise(expected)]
        assert [document.dated.isoformat() for document in answer.documents] == expected[:-1]

    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            ("P1M", [("2027-01-01", "100.00"), ("2027-02-01", "100.00")]),
            ("P3M", [("2027-01-01", "300.00"), ("2027-04-01", "300.00")]),
            ("P6M", [("2027-01-01", "600.00"), ("2027-07-01", "600.00")]),
            ("P1Y", [("2027-01-01", "1200.00"), ("2028-01-01", "1200.00")]),
            ("P2Y", [("2027-01-01", "2400.00")]),
        ],
    )
    def test_longer_than_a_month_sum_their_months_on_one_line(
        self, interval: str, expected: list[tuple[str, str]]
    ) -> None:
        item = recurring(price_interval="P1M")
        answer = preview(deal(item, term_months=24, billing={"interval": interval}))
        assert dated(answer)[:2] == expected
        assert answer.totals is not None
        assert answer.totals.net.plain() == "2400.00"

    def test_of_an_annual_29_february_fall_on_28_february_in_common_years(self) -> None:
        item = recurring(unit_price="1200.00", price_interval="P1Y")
        answer = preview(deal(item, start="2028-02-29", term_months=60, billing={"interval": "P1Y"}))
        assert [day for day, _ in dated(answer)] == [
            "2028-02-29",
            "2029-02-28",
            "2030-02-28",
            "2031-02-28",
            "2032-02-29",
        ]
        assert answer.renewal is not None
        assert answer.renewal.next_start == date(2033, 2, 28)

    def test_default_to_the_deal_interval_for_price_and_invoice(self) -> None:
        answer = preview(deal(recurring(unit_price="250.00"), billing={"interval": "P3M"}))
        assert dated(answer) == [(day, "250.00") for day in ("2027-01-01", "2027-04-01", "2027-07-01", "2027-10-01")]

    def test_of_an_item_with_its_own_interval_share_the_deal_boundaries(self) -> None:
        seats = recurring("seats")
        support = recurring("support", unit_price="1200.00", price_interval="P1Y", billing={"interval": "P3M"})
        answer = preview(deal(seats, support, start="2027-01-31", term_months=6))
        assert [(document.dated.isoformat(), len(document.lines)) for document in answer.documents] == [
            ("2027-01-31", 2),
            ("2027-02-28", 1),
            ("2027-03-31", 1),
            ("2027-04-30", 2),
            ("2027-05-31", 1),
            ("2027-06-30", 1),
        ]
        assert answer.totals is not None
        assert answer.totals.to_json() == {"net": "1200.00", "by_item": {"seats": "600.00", "support": "600.00"}}


class TestInstalments:
    @pytest.mark.parametrize(
        ("price", "currency", "equal", "last"),
        [
            ("1200.00", "USD", "100.00", "100.00"),
            ("100.00", "USD", "8.33", "8.37"),
            ("1000.00", "USD", "83.33", "83.37"),
            ("1000", "JPY", "83", "87"),
            ("1000.000", "KWD", "83.333", "83.337"),
            ("0.01", "USD", "0.00", "0.01"),
            ("0", "USD", "0.00", "0.00"),
        ],
    )
    def test_of_an_annual_price_are_equal_and_the_last_is_the_rest(
        self, price: str, currency: str, equal: str, last: str
    ) -> None:
        item = recurring(unit_price=price, price_interval="P1Y")
        amounts = [amount for _, _, amount in lines(preview(deal(item, currency=currency)))]
        assert amounts == [equal] * 11 + [last]

    def test_never_turn_negative_when_rounded_parts_exceed_a_tiny_price(self) -> None:
        answer = preview(deal(recurring(unit_price="0.06", price_interval="P1Y")))
        assert [amount for _, _, amount in lines(answer)] == ["0.01"] * 6 + ["0.00"] * 6

    def test_start_afresh_each_price_interval(self) -> None:
        answer = preview(deal(recurring(unit_price="100.00", price_interval="P1Y"), term_months=24))
        amounts = [amount for _, _, amount in lines(answer)]
        assert amounts == ([*["8.33"] * 11, "8.37"]) * 2

    def test_of_a_price_interval_cut_by_the_end_sum_to_what_is_served(self) -> None:
        answer = preview(deal(recurring(unit_price="100.00", price_interval="P1Y"), term_months=18))
        assert [amount for _, _, amount in lines(answer)][12:] == ["8.33"] * 5 + ["8.35"]
        assert answer.totals is not None
        assert answer.totals.net.plain() == "150.00"

    def test_say_that_the_last_part_is_the_rest(self) -> None:
        words = whys(preview(deal(recurring(unit_price="100.00", price_interval="P1Y"))))
        assert words[0] == "1 x 100.00 a year / 12, 1 Jan - 31 Jan 2027, rounded to 8.33"
        assert words[11] == ("1 x 100.00 a year / 12, 1 Dec - 31 Dec 2027; what is left of 100.00: 8.37")


class TestPartOfAUnit:
    @pytest.mark.parametrize(
        ("price_interval", "billing", "term", "expected"),
        [
            # Months of a monthly price are whole units whatever the invoice spans.
            ("P1M", "P3M", 14, ("2028-01-01", "2028-03-01", "200.00", "2")),
            # A year's price billed by the year is measured in days of that year (1 Jan 2027 - 1 Jul 2027).
            ("P1Y", "P1Y", 6, ("2027-01-01", "2027-07-01", "49.59", "181/365")),
            # In a leap year of service the same months are other days.
            ("P1Y", "P1Y", 18, ("2028-01-01", "2028-07-01", "49.73", "182/366")),
            # A quarter's price: 59 of the 90 (2027) or 60 of the 91 (2028) days.
            ("P3M", "P3M", 2, ("2027-01-01", "2027-03-01", "65.56", "59/90")),
            ("P3M", "P3M", 14, ("2028-01-01", "2028-03-01", "65.93", "60/91")),
            # Whole quarters first, then days of the last one.
            ("P3M", "P1Y", 5, ("2027-01-01", "2027-06-01", "167.03", "1 + 61/91")),
        ],
    )
    def test_at_the_end_accrues_by_whole_days(
        self, price_interval: str, billing: str, term: int, expected: tuple[str, str, str, str]
    ) -> None:
        item = recurring(price_interval=price_interval)
        answer = preview(deal(item, term_months=term, billing={"interval": billing}))
        line = answer.documents[-1].lines[-1]
        found = (line.period.start.isoformat(), line.period.end.isoformat(), line.amount.plain(), line.fraction)
        assert found == expected

    def test_is_explained_with_its_days(self) -> None:
        item = recurring(price_interval="P3M")
        answer = preview(deal(item, term_months=5, billing={"interval": "P1Y"}))
        assert whys(answer) == [
            "1 x 100.00 a quarter x (1 quarter + 61/91 days), 1 Jan - 31 May 2027, rounded to 167.03"
        ]


class TestCurrencies:
    @pytest.mark.parametrize(
        ("currency", "quantity", "price", "amount"),
        [
            ("USD", "3", "0.335", "1.01"),
            ("USD", "1", "0.005", "0.01"),
            ("USD", "1", "0.0049", "0.00"),
            ("USD", "2.5", "19.99", "49.98"),
            ("JPY", "1", "99.5", "100"),
            ("JPY", "3", "33.3", "100"),
            ("KWD", "1", "0.0005", "0.001"),
            ("KWD", "10", "1.2345", "12.345"),
            ("USD", "1000000", "0.000001", "1.00"),
        ],
    )
    def test_round_each_line_once_half_away_from_zero(
        self, currency: str, quantity: str, price: str, amount: str
    ) -> None:
        item = recurring(quantity=quantity, unit_price=price)
        answer = preview(deal(item, currency=currency, term_months=1))
        assert [line[2] for line in lines(answer)] == [amount]

    def test_lines_are_rounded_and_then_added(self) -> None:
        items = [recurring(key, unit_price="0.335") for key in ("a", "b", "c")]
        answer = preview(deal(*items, term_months=1))
        assert dated(answer) == [("2027-01-01", "1.02")]

    def test_rounding_is_said(self) -> None:
        answer = preview(deal(recurring(quantity="3", unit_price="0.335"), term_months=1))
        assert whys(answer) == ["3 x 0.335 a month, 1 Jan - 31 Jan 2027, rounded to 1.01"]


class TestOneTimeItems:
    def test_are_invoiced_with_the_first_period_by_default(self) -> None:
        answer = preview(deal(recurring(), one_time()))
        assert dated(answer)[:2] == [("2027-01-01", "2600.00"), ("2027-02-01", "100.00")]
        assert lines(answer, "setup") == [("2027-01-01", "2027-01-02", "2500.00")]
        assert whys(answer)[1] == "1 x 2,500.00 once, on 1 Jan 2027"

    @pytest.mark.parametrize(
        ("when", "position", "count"),
        [("2026-12-15", 0, 13), ("2027-02-01", 1, 12), ("2027-02-15", 2, 13), ("2027-12-31", 12, 13)],
    )
    def test_with_a_date_join_the_document_of_that_day_or_make_one(self, when: str, position: int, count: int) -> None:
        answer = preview(deal(recurring(), one_time(when=when, quantity="2", unit_price="50.00")))
        assert len(answer.documents) == count
        assert answer.documents[position].dated.isoformat() == when
        assert "100.00" in [line.amount.plain() for line in answer.documents[position].lines if line.item == "setup"]


class TestDocuments:
    @pytest.mark.parametrize(
        ("payment", "start", "due"),
        [
            ({}, "2027-01-01", "2027-01-31"),
            ({"net_days": 0}, "2027-01-01", "2027-01-01"),
            ({"net_days": 30}, "2027-01-31", "2027-03-02"),
            ({"net_days": 60}, "2028-01-01", "2028-03-01"),
            ({"net_days": 0, "from": "end_of_month"}, "2028-02-10", "2028-02-29"),
            ({"net_days": 15, "from": "end_of_month"}, "2027-02-10", "2027-03-15"),
        ],
    )
    def test_are_due_after_the_payment_terms(self, payment: Json, start: str, due: str) -> None:
        answer = preview(deal(start=start, payment=payment))
        assert answer.documents[0].due.isoformat() == due

    def test_come_sorted_and_lines_in_the_deal_order(self) -> None:
        items = [one_time("late", when="2027-06-15"), recurring("b", billing={"interval": "P3M"}), recurring("a")]
        answer = preview(deal(*items))
        days = [document.dated for document in answer.documents]
        assert days == sorted(days)
        assert [line.item for line in answer.documents[0].lines] == ["b", "a"]

    def test_of_zero_lines_only_are_recorded_but_not_sent(self) -> None:
        answer = preview(deal(recurring(unit_price="0"), one_time(when="2027-02-01"), term_months=2))
        january, february = answer.documents
        assert (january.net.plain(), january.sent) == ("0.00", False)
        assert january.notes == ("Not sent: every line is zero by itself.",)
        assert (february.net.plain(), february.sent, len(february.lines)) == ("2500.00", True, 2)

    def test_of_a_zero_quantity_are_not_sent_either(self) -> None:
        answer = preview(deal(recurring(quantity="0"), term_months=1))
        assert [(document.net.plain(), document.sent) for document in answer.documents] == [("0.00", False)]

    def test_keep_their_scheduled_date_even_when_known_later(self) -> None:
        assert dated(preview(deal(as_of="2027-09-09"))) == dated(preview(deal()))

    @pytest.mark.parametrize(
        ("fields", "first", "last"),
        [
            ({}, "2027-01-01", "2027-12-01"),
            ({"until": "2027-03-01"}, "2027-01-01", "2027-03-01"),
            ({"until": "2027-02-28"}, "2027-01-01", "2027-02-01"),
            ({"until": "2030-01-01"}, "2027-01-01", "2027-12-01"),
            ({"term_months": None}, "2027-01-01", "2028-01-01"),
            ({"term_months": None, "as_of": "2027-04-15"}, "2027-01-01", "2028-04-01"),
            ({"term_months": None, "until": "2027-02-01"}, "2027-01-01", "2027-02-01"),
        ],
    )
    def test_are_shown_up_to_the_last_day_asked_for(self, fields: Json, first: str, last: str) -> None:
        days = [day for day, _ in dated(preview(deal(**fields)))]
        assert (days[0], days[-1]) == (first, last)

    def test_before_the_first_day_are_none(self) -> None:
        answer = preview(deal(until="2026-12-31"))
        assert answer.documents == ()
        assert answer.totals is not None
        assert answer.totals.to_json() == {"net": "0.00", "by_item": {"platform": "0.00"}}


class TestReading:
    def test_says_how_the_deal_was_understood(self) -> None:
        items = [
            recurring("platform", quantity="10", price_interval="P1M"),
            recurring("storage", unit_price="0.0015", price_interval="P2Y", billing={"interval": "P1Y"}),
            one_time("setup", when="2027-02-01"),
        ]
        answer = preview(deal(*items, billing={"interval": "P3M"}, payment={"net_days": 1, "from": "end_of_month"}))
        assert answer.reading == (
            "Acme Inc is served from 1 Jan 2027 to 31 Dec 2027 (12 months), in USD.",
            "Platform: 10 x 100.00 a month, invoiced every quarter in advance.",
            "Storage: 1 x 0.0015 every 2 years, invoiced every year in advance.",
            "Setup: 1 x 2,500.00 once, on 1 Feb 2027.",
            "Invoices are due 1 day after the end of the month they are dated in.",
            "The contract does not renew by itself.",
        )

    def test_of_an_open_end_promises_none(self) -> None:
        answer = preview(deal(term_months=None, payment={"net_days": 0}))
        assert answer.reading == (
            "Acme Inc is served from 1 Jan 2027 with no end agreed, in USD.",
            "Platform: 1 x 100.00 a month, invoiced every month in advance.",
            "Invoices are due on their date.",
        )
        assert answer.renewal is None

    def test_of_one_month_speaks_of_one(self) -> None:
        assert "(1 month)" in preview(deal(term_months=1)).reading[0]


class TestJson:
    def test_is_plain_and_complete(self) -> None:
        answer = preview(deal(recurring(quantity="2.50", unit_price="0.5"), term_months=1)).to_json()
        assert json.loads(json.dumps(answer)) == answer
        assert answer == _ANSWER

    def test_of_a_rejected_answer_carries_its_reason(self) -> None:
        body = Answer("rejected", reason="Two changes clash.").to_json()
        assert (body["status"], body["reason"]) == ("rejected", "Two changes clash.")
