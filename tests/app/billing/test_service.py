"""Service and terms: items with days of their own, steps, renewals and the worked example, worked out by hand."""

from __future__ import annotations

import pytest

from app.billing import preview

from .builders import Json, dated, deal, lines, one_time, parts, recurring


class TestServiceOfAnItem:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            # Joins on the deal's boundaries: 10 - 31 March is 22/31.
            (
                {"start": "2027-03-10", "end": "2027-05-11"},
                [
                    ("2027-03-10", "2027-03-10", "2027-04-01", "220.00", "22/31"),
                    ("2027-04-01", "2027-04-01", "2027-05-01", "310.00", "1"),
                    ("2027-05-01", "2027-05-01", "2027-05-11", "100.00", "10/31"),
                ],
            ),
            # Two whole months of its own: the tail is worth what the 22/31 left, 9/31, over its nine days.
            (
                {"start": "2027-03-10", "term_months": 2},
                [
                    ("2027-03-10", "2027-03-10", "2027-04-01", "220.00", "22/31"),
                    ("2027-04-01", "2027-04-01", "2027-05-01", "310.00", "1"),
                    ("2027-05-01", "2027-05-01", "2027-05-10", "90.00", "9/31"),
                ],
            ),
            (
                {"trial_until": "2027-01-16", "end": "2027-03-01"},
                [
                    ("2027-01-16", "2027-01-16", "2027-02-01", "160.00", "16/31"),
                    ("2027-02-01", "2027-02-01", "2027-03-01", "310.00", "1"),
                ],
            ),
            # A trial over whole periods: they have no line at all.
            (
                {"trial_until": "2027-03-01", "end": "2027-04-01"},
                [("2027-03-01", "2027-03-01", "2027-04-01", "310.00", "1")],
            ),
            # An item may outlive the deal's term.
            (
                {"start": "2027-12-01", "end": "2028-02-01"},
                [
                    ("2027-12-01", "2027-12-01", "2028-01-01", "310.00", "1"),
                    ("2028-01-01", "2028-01-01", "2028-02-01", "310.00", "1"),
                ],
            ),
        ],
    )
    def test_begins_and_ends_on_its_own_days(self, fields: Json, expected: list[tuple[str, ...]]) -> None:
        assert parts(preview(deal(recurring(unit_price="310.00", **fields)))) == expected

    @pytest.mark.parametrize(
        ("step", "expected"),
        [
            ({"from_month": 3, "unit_price": "120.00"}, ["100.00", "100.00", "120.00", "120.00"]),
            ({"from_month": 3, "quantity": "2"}, ["100.00", "100.00", "200.00", "200.00"]),
            ({"from_month": 3, "uplift_percent": "7.5"}, ["100.00", "100.00", "107.50", "107.50"]),
            # 1 - 15 March at 100.00, 16 - 31 March at 131.00: 48.39 + 67.61.
            ({"from": "2027-03-16", "unit_price": "131.00"}, ["100.00", "100.00", "48.39", "67.61", "131.00"]),
        ],
    )
    def test_takes_its_steps(self, step: Json, expected: list[str]) -> None:
        answer = preview(deal(recurring(steps=[step]), until="2027-04-30"))
        assert [amount for _, _, amount in lines(answer)] == expected

    def test_compounds_its_uplifts(self) -> None:
        item = recurring(steps=[{"from_month": 2, "uplift_percent": "10"}, {"from_month": 3, "uplift_percent": "10"}])
        assert [amount for _, _, amount in lines(preview(deal(item, term_months=3)))] == ["100.00", "110.00", "121.00"]


class TestRenewal:
    @pytest.mark.parametrize(
        ("price", "expected", "shown"),
        [
            ({"same": True}, ["90.00", "90.00", "90.00"], "100.00"),
            ({"uplift_percent": "5"}, ["90.00", "94.50", "99.23"], "105.00"),
            # At list price all discounts are gone from the first day of the renewal.
            ({"list": True}, ["90.00", "100.00", "100.00"], "100.00"),
        ],
    )
    def test_by_itself_follows_its_price_rule(self, price: Json, expected: list[str], shown: str) -> None:
        renewal = {"auto": True, "price": price, "notice_days": 90}
        answer = preview(deal(discounts=[{"percent": "10"}], renewal=renewal, until="2029-01-01"))
        by_day = dict(dated(answer))
        assert [by_day[day] for day in ("2027-12-01", "2028-12-01", "2029-01-01")] == expected
        assert answer.renewal is not None
        # 90 days before 1 January 2028 is 3 October 2027.
        assert answer.renewal.to_json() == {
            "next_start": "2028-01-01", "notice_deadline": "2027-10-03", "price": {"platform": shown},
        }  # fmt: skip

    @pytest.mark.parametrize("until", ["2027-01-01", "2028-12-31"])
    def test_inside_a_long_invoice_raises_the_price_from_its_day(self, until: str) -> None:
        # Half-yearly terms, each 5% dearer, two years on one invoice: 600.00 + 630.00 + 661.50 + 694.575.
        item = recurring(price_interval="P1M")
        renewal = {"auto": True, "price": {"uplift_percent": "5"}}
        answer = preview(deal(item, term_months=6, billing={"interval": "P2Y"}, renewal=renewal, until=until))
        assert dated(answer)[0] == ("2027-01-01", "2586.08")

    def test_terms_may_have_another_length(self) -> None:
        renewal = {"auto": True, "term_months": 3, "notice_days": 30}
        answer = preview(deal(renewal=renewal, as_of="2028-05-05"))
        assert answer.renewal is not None
        assert answer.renewal.to_json()["next_start"] == "2028-07-01"

    def test_without_it_the_contract_ends(self) -> None:
        answer = preview(deal(until="2030-01-01"))
        assert dated(answer)[-1] == ("2027-12-01", "100.00")

    @pytest.mark.parametrize(
        ("start", "months", "end"),
        [("2027-01-31", 1, "2027-02-28"), ("2028-02-29", 12, "2029-02-28"), ("2027-08-31", 6, "2028-02-29")],
    )
    def test_of_a_term_from_a_month_end(self, start: str, months: int, end: str) -> None:
        answer = preview(deal(start=start, term_months=months))
        assert answer.renewal is not None
        assert answer.renewal.next_start.isoformat() == end


class TestWorkedExample:
    """BILLING's example with its sentence written as two discounts."""

    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            ("P1M", ["3300.00", "800.00", "900.00", "900.00", "900.00", *["1000.00"] * 7]),
            ("P3M", ["5000.00", "2800.00", "3000.00", "3000.00"]),
            ("P1Y", ["13800.00"]),
        ],
    )
    def test_has_the_written_amounts(self, interval: str, expected: list[str]) -> None:
        answer = preview(worked_example(interval))
        assert (answer.status, [net for _, net in dated(answer)]) == ("ok", expected)
        assert answer.totals is not None
        assert answer.totals.net.plain() == "13800.00"

    def test_billed_annually_is_one_line_for_each_item(self) -> None:
        answer = preview(worked_example("P1Y"))
        assert [(line.item, line.gross.plain(), line.discount.plain()) for line in answer.documents[0].lines] == [
            ("platform", "12000.00", "700.00"),
            ("setup", "2500.00", "0.00"),
        ]


def worked_example(interval: str) -> Json:
    return deal(
        recurring("platform", quantity="10", price_interval="P1M"),
        one_time(),
        term_months=12,
        billing={"interval": interval},
        discounts=[{"percent": "20", "to_month": 2}, {"percent": "10", "from_month": 3, "to_month": 5}],
    )
