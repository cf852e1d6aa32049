"""Pauses, cancellations, billing changes and changes that meet, worked out by hand (the deal of `changed.py`)."""

from __future__ import annotations

from datetime import date

import pytest

from app.billing import preview

from .builders import Json, entries_of, one_time, recurring, rows
from .changed import APR_1, APRIL, BACK, FIXED, HALF, MARCH, OPEN, changed, early, late, seats


class TestPause:
    def test_until_a_day_takes_its_days_out(self) -> None:
        document = changed({"pause": {"until": "2027-05-01"}}, until="2027-05-31")
        may = "27-05-01 - platform 27-05-01/27-06-01 10 1000.00"
        assert early(document) == [HALF, may]
        assert late(document) == [BACK, may]

    def test_inside_a_period_leaves_one_line_of_interrupted_days(self) -> None:
        # 31 days less 11 - 20 March: 21/31 of 1,000.00.
        document = changed({"pause": {"until": "2027-03-21"}, "effective": "2027-03-11"})
        assert early(document) == ["27-03-01 - platform 27-03-01/27-04-01 10 677.42", APRIL.format("10", "1000.00")]

    def test_that_is_resumed_inside_a_period_is_charged_from_there(self) -> None:
        document = changed({"pause": {}}, {"resume": {}, "effective": "2027-04-16"})
        april = "27-04-16 c1 platform 27-04-16/27-05-01 10 500.00"
        assert early(document) == [HALF, april]
        assert late(document) == [BACK, april]

    def test_may_extend_the_term_by_the_days_paused(self) -> None:
        document = changed({"pause": {"until": "2027-04-16", "extends_term": True}}, until="2030-01-01")
        # 31 days paused: the contract runs to 31 January 2028.
        assert early(document)[-1] == "28-01-01 - platform 28-01-01/28-02-01 10 1000.00"
        answer = preview(document)
        assert answer.renewal is not None
        assert answer.renewal.next_start == date(2028, 2, 1)

    def test_twice_and_resumed_twice_count_once(self) -> None:
        document = changed(
            {"pause": {}}, {"pause": {}, "effective": "2027-03-20"}, {"resume": {}, "effective": "2027-04-01"},
            {"resume": {}, "effective": "2027-04-10"},
        )  # fmt: skip
        assert early(document) == [HALF, APRIL.format("10", "1000.00")]

    def test_that_is_resumed_on_its_own_day_changes_nothing(self) -> None:
        document = changed({"pause": {}}, {"resume": {}})
        assert early(document) == [MARCH, APRIL.format("10", "1000.00")]
        assert late(document) == [APRIL.format("10", "1000.00")]

    def test_does_not_touch_one_time_items(self) -> None:
        document = changed({"pause": {"until": "2027-05-01"}}, items=(seats(), one_time("training", when="2027-04-05")))
        assert "27-04-05 - training 27-04-05/27-04-06 1 2500.00" in early(document)


class TestCancellation:
    @pytest.mark.parametrize(
        ("term", "change", "planned", "owed"),
        [
            (
                FIXED, {"cancel": "at"},
                [MARCH, APRIL.format("10", "1000.00")], [APRIL.format("10", "1000.00")],
            ),
            (FIXED, {"cancel": "at", "settle": "unused"}, [HALF], [BACK]),
            (OPEN, {"cancel": "at"}, [HALF], [BACK]),
            (OPEN, {"cancel": "at", "settle": "none"}, [MARCH], []),
            (OPEN, {"cancel": "period_end"}, [MARCH], []),
            (OPEN, {"cancel": "term_end"}, [MARCH], []),
            (
                FIXED, {"cancel": "term_end"},
                [MARCH, APRIL.format("10", "1000.00")], [APRIL.format("10", "1000.00")],
            ),
            # Without proration the month in progress is given back whole.
            (OPEN, {"cancel": "at", "proration": "none"}, [], ["27-03-16 c platform 27-03-01/27-04-01 10 -1000.00"]),
        ],
    )  # fmt: skip
    def test_ends_service(self, term: int | None, change: Json, planned: list[str], owed: list[str]) -> None:
        document = changed(change, term=term)
        assert early(document) == planned
        assert late(document) == owed

    @pytest.mark.parametrize(("settle", "back"), [("200.00", "-200.00"), ("999.00", "-516.13")])
    def test_may_give_back_an_agreed_amount(self, settle: str, back: str) -> None:
        document = changed({"cancel": "at", "settle": settle}, term=OPEN)
        assert [(row.split()[0], row.split()[-1]) for row in late(document)] == [("27-03-16", back)]

    @pytest.mark.parametrize(
        ("recorded", "next_start"),
        [
            # 30 days before 1 January 2028 is 2 December 2027.
            ("2027-12-02", "2028-01-01"),
            ("2027-12-03", "2029-01-01"),
        ],
    )
    def test_at_the_end_of_the_term_needs_notice(self, recorded: str, next_start: str) -> None:
        renewal = {"auto": True, "notice_days": 30}
        document = changed(
            {"cancel": "term_end", "effective": recorded, "recorded": recorded},
            renewal=renewal, as_of="2027-12-31", until="2030-01-01",
        )  # fmt: skip
        answer = preview(document)
        assert answer.renewal is not None
        assert answer.renewal.next_start.isoformat() == next_start
        assert answer.documents[-1].lines[-1].period.end.isoformat() == next_start

    def test_of_a_term_that_was_invoiced_ahead_comes_back_in_its_own_document(self) -> None:
        document = changed(
            {"cancel": "term_end", "effective": "2027-12-01"}, items=(recurring(unit_price="1200.00"),),
            billing={"interval": "P1Y", "lead_days": 60}, renewal={"auto": True}, until="2028-03-01",
        )  # fmt: skip
        before = preview({**document, "changes": [], "until": "2027-11-15"})
        books = entries_of(before.documents)
        assert [str(e["charged"]) for e in books] == ["1200.00", "1200.00"]
        answer = preview({**document, "issued": books, "as_of": "2027-12-05"})
        assert [row.split()[0:2] + row.split()[-1:] for row in rows(answer)] == [["27-12-01", "c", "-1200.00"]]
        again = preview({**document, "issued": [*books, *entries_of(answer.documents)], "as_of": "2027-12-05"})
        assert again.documents == ()

    @pytest.mark.parametrize(
        ("effective", "planned"),
        [
            # Not before six months of service, then `unused` and the fee.
            ("2027-06-30", ["27-06-01 - 1000.00", "27-07-01 - 1000.00"]),
            ("2027-07-01", ["27-06-01 - 1000.00", "27-07-01 c 500.00"]),
        ],
    )
    def test_on_an_allowed_exit_charges_its_fee(self, effective: str, planned: list[str]) -> None:
        exits = [{"party": "customer", "after_month": 6, "fee": "500.00"}]
        document = changed({"cancel": "at", "effective": effective}, exits=exits, until="2027-07-31")
        found = [f"{r.split()[0]} {r.split()[1]} {r.split()[-1]}" for r in rows(preview(document), since="2027-06-01")]
        assert found == planned

    def test_taken_back_in_time_never_was(self) -> None:
        document = changed(
            {"cancel": "at", "settle": "unused", "effective": "2027-04-01", "recorded": "2027-03-01"},
            {"uncancel": True, "effective": "2027-03-20", "recorded": "2027-03-20"}, as_of="2027-03-20",
        )  # fmt: skip
        assert early(document) == [MARCH, APRIL.format("10", "1000.00")]

    def test_taken_back_later_starts_service_again(self) -> None:
        document = changed(
            {"cancel": "at", "settle": "unused"}, {"uncancel": True, "effective": "2027-04-16"}, until="2027-05-31"
        )
        assert early(document) == [
            HALF,
            "27-04-16 c1 platform 27-04-16/27-05-01 10 500.00",
            "27-05-01 - platform 27-05-01/27-06-01 10 1000.00",
        ]


class TestBillingChanges:
    def test_on_a_boundary_begin_the_new_rhythm(self) -> None:
        document = changed(
            {"billing": {"interval": "P3M"}, "effective": "2027-04-01"}, items=(seats(price_interval="P1M"),)
        )
        assert early({**document, "until": "2027-07-31"}) == [
            MARCH,
            "27-04-01 - platform 27-04-01/27-07-01 10 3000.00",
            "27-07-01 - platform 27-07-01/27-10-01 10 3000.00",
        ]

    def test_inside_a_period_change_no_amount(self) -> None:
        document = changed({"billing": {"anchor": "calendar"}}, start="2027-01-10", until="2028-03-01")
        answer = preview(document)
        assert answer.totals is not None
        assert answer.totals.net.plain() == "12000.00"

    def test_to_arrears_move_the_next_invoice_to_the_end_of_its_period(self) -> None:
        document = changed({"billing": {"timing": "arrears"}, "effective": "2027-04-01"}, until="2027-05-01")
        assert early(document) == [MARCH, "27-05-01 - platform 27-04-01/27-05-01 10 1000.00"]


class TestSeveralChanges:
    def test_of_one_day_that_touch_one_item_are_one_document(self) -> None:
        document = changed({"item": "platform", "quantity": "12"}, {"item": "platform", "unit_price": "150.00"})
        # 12 x 150.00 for 16/31 is 929.03.
        assert late(document)[:2] == [
            "27-03-16 c1 platform 27-03-16/27-04-01 10 -516.13",
            "27-03-16 c1 platform 27-03-16/27-04-01 12 929.03",
        ]

    def test_of_one_day_that_touch_different_items_are_two(self) -> None:
        document = changed(
            {"item": "platform", "quantity": "12"}, {"item": "support", "quantity": "2"},
            items=(seats(), recurring("support", unit_price="310.00")),
        )  # fmt: skip
        assert [(row.split()[1], row.split()[-1]) for row in late(document)[:4]] == [
            ("c", "-516.13"),
            ("c", "619.35"),
            ("c1", "-160.00"),
            ("c1", "320.00"),
        ]

    def test_up_and_down_in_one_period_add_up(self) -> None:
        # 10 to 10 March, 20 to 20 March, 5 from 21 March on: 322.58, 645.16 and 177.42.
        document = changed(
            {"item": "platform", "quantity": "20", "effective": "2027-03-11"},
            {"item": "platform", "quantity": "5", "effective": "2027-03-21", "settle": "unused"},
            until="2027-03-31",
        )
        answer = preview(document)
        march = [
            line.amount.minor for d in answer.documents for line in d.lines if line.period.start >= date(2027, 3, 1)
        ]
        assert sum(march) == 32258 + 64516 + 17742

    def test_that_wrote_no_document_do_not_take_over_what_a_later_one_gives_back(self) -> None:
        # Fewer seats wait for the end of the term; the credit of August is the cancellation's, on its day.
        document = changed(
            {"item": "platform", "quantity": "8"},
            {"cancel": "at", "settle": "unused", "effective": "2027-08-16", "recorded": "2027-08-16"},
            until="2027-08-31",
        )
        books = entries_of(preview(document, as_of=date(2027, 8, 1)).documents)
        answer = preview({**document, "issued": books}, as_of=date(2027, 8, 16))
        assert rows(answer) == ["27-08-16 c1 platform 27-08-16/27-09-01 10 -516.13"]

    def test_that_a_later_invoice_saw_already_are_not_written_again(self) -> None:
        # In arrears the invoice of 1 February saw both; neither has anything to say of its own afterwards.
        document = changed(
            {"item": "platform", "quantity": "20", "effective": "2027-01-05"},
            {"item": "platform", "quantity": "50", "effective": "2027-01-10", "proration": "none"},
            term=OPEN, billing={"timing": "arrears"}, until="2027-02-15",
        )  # fmt: skip
        first = preview(document)
        assert rows(first) == ["27-02-01 - platform 27-01-01/27-02-01 50 5000.00"]
        again = preview({**document, "issued": entries_of(first.documents)})
        assert (again.status, again.documents) == ("ok", ())


class TestClashes:
    @pytest.mark.parametrize(
        ("changes", "names"),
        [
            (
                [{"item": "platform", "quantity": "12"}, {"item": "platform", "quantity": "14"}],
                ["“c”", "“c1”", "quantity of platform", "16 Mar 2027"],
            ),
            ([{"add": recurring("platform")}], ["“c”", "platform", "the deal itself"]),
            ([{"add": recurring("b")}, {"add": recurring("b")}], ["“c”", "“c1”"]),
            (
                [{"add": recurring("b"), "effective": "2027-05-01"}, {"item": "b", "quantity": "2"}],
                ["“c1”", "“c”", "1 May 2027"],
            ),
            (
                [
                    {"remove": "platform", "settle": "unused"},
                    {"item": "platform", "quantity": "2", "effective": APR_1},
                ],
                ["“c1”", "“c”"],
            ),
            (
                [{"cancel": "at", "settle": "unused"}, {"item": "platform", "quantity": "2", "effective": APR_1}],
                ["“c1”", "“c”"],
            ),
            ([{"item": "platform", "quantity": "2", "effective": "2028-02-01"}], ["“c”"]),
        ],
    )  # fmt: skip
    def test_are_refused_and_name_both(self, changes: list[Json], names: list[str]) -> None:
        answer = preview(changed(*changes))
        assert answer.status == "rejected"
        assert answer.documents == ()
        assert answer.reason is not None
        assert [name for name in names if name not in answer.reason] == []

    def test_are_none_when_both_say_the_same_or_one_was_recorded_later(self) -> None:
        same = changed({"item": "platform", "quantity": "12"}, {"item": "platform", "quantity": "12"})
        assert preview(same).status == "ok"
        later = changed(
            {"item": "platform", "quantity": "12", "recorded": "2027-03-01"},
            {"item": "platform", "quantity": "14", "recorded": "2027-03-02"},
            as_of="2027-03-05",
        )
        assert early(later)[-1] == APRIL.format("14", "1400.00")
