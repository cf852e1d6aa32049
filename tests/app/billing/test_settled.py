"""Due minus settled: days that are settled are not issued again, and books that disagree are a question."""

from __future__ import annotations

import pytest

from app.billing import preview

from .builders import Json, dated, deal, entries_of, entry, lines, one_time, recurring

_MONTHLY_2027 = [(f"2027-{month:02}-01", "100.00") for month in range(1, 13)]


class TestSettledDays:
    @pytest.mark.parametrize("kind", ["billed", "skipped", "waived", "held", "override"])
    def test_are_not_issued_again_whatever_settled_them(self, kind: str) -> None:
        charged = "100.00" if kind == "billed" else "0"
        answer = preview(deal(issued=[entry("platform", "2027-01-01", "2027-02-01", charged, kind)]))
        assert answer.status == "ok"
        assert dated(answer) == _MONTHLY_2027[1:]
        assert answer.totals is not None
        assert answer.totals.net.plain() == "1100.00"

    def test_of_one_item_leave_the_others_open(self) -> None:
        items = [recurring("a"), recurring("b", unit_price="7.00"), one_time()]
        answer = preview(deal(*items, issued=[entry("a", "2027-01-01", "2027-02-01", "100.00")]))
        assert [line.item for line in answer.documents[0].lines] == ["b", "setup"]
        assert dated(answer)[0] == ("2027-01-01", "2507.00")

    def test_of_a_one_time_item_settle_it(self) -> None:
        answer = preview(deal(one_time(), issued=[entry("setup", "2027-01-01", "2027-01-02", "2500.00")]))
        assert (answer.status, answer.documents) == ("ok", ())

    def test_are_compared_by_overlap_not_by_equal_periods(self) -> None:
        whole_quarter = [entry("platform", "2027-01-01", "2027-04-01", "300.00")]
        answer = preview(deal(issued=whole_quarter))
        assert answer.status == "ok"
        assert dated(answer) == _MONTHLY_2027[3:]

    @pytest.mark.parametrize(
        ("settled", "open_lines"),
        [
            # 10 of 31 days settled: 32.26 of 100.00, so 67.74 are left for the other 21.
            ([("2027-01-01", "2027-01-11")], [("2027-01-11", "2027-02-01", "67.74", "21/31")]),
            ([("2027-01-22", "2027-02-01")], [("2027-01-01", "2027-01-22", "67.74", "21/31")]),
            (
                [("2027-01-11", "2027-01-21")],
                [("2027-01-01", "2027-01-11", "32.26", "10/31"), ("2027-01-21", "2027-02-01", "35.48", "11/31")],
            ),
            (
                [("2027-01-01", "2027-01-02"), ("2027-01-03", "2027-02-01")],
                # 3.23 by itself; the 1st took 3.23 and the last 29 days 93.55, which leaves 3.22.
                [("2027-01-02", "2027-01-03", "3.22", "1/31")],
            ),
        ],
    )
    def test_that_cut_a_period_leave_one_line_per_gap_and_the_last_takes_the_rest(
        self, settled: list[tuple[str, str]], open_lines: list[tuple[str, str, str, str]]
    ) -> None:
        issued = [entry("platform", *days, kind="waived") for days in settled]
        answer = preview(deal(term_months=1, issued=issued))
        assert [
            (*line, found.fraction) for line, found in zip(lines(answer), answer.documents[0].lines, strict=True)
        ] == (open_lines)
        assert answer.documents[0].dated.isoformat() == "2027-01-01"

    def test_that_cut_an_amount_of_one_minor_unit_never_leave_less_than_nothing(self) -> None:
        cuts = [("2027-01-01", "2027-01-17"), ("2027-01-18", "2027-01-19")]
        issued = [entry("platform", *days, kind="waived") for days in cuts]
        answer = preview(deal(recurring(unit_price="1"), currency="JPY", term_months=1, issued=issued))
        assert [amount for _, _, amount in lines(answer)] == ["0", "0"]

    def test_that_cut_a_period_are_explained(self) -> None:
        issued = [
            entry("platform", "2027-01-01", "2027-01-02", kind="waived"),
            entry("platform", "2027-01-03", "2027-02-01", kind="waived"),
        ]
        answer = preview(deal(term_months=1, issued=issued))
        assert answer.documents[0].lines[0].why == (
            "1 x 100.00 a month x 1/31 days, 2 Jan 2027 (the days of 1 Jan - 31 Jan 2027 that are not settled yet)"
            "; what is left of 100.00: 3.22"
        )

    def test_that_were_billed_at_another_interval_leave_the_rest_of_a_longer_period(self) -> None:
        issued = [entry("platform", "2027-01-01", "2027-02-01", "100.00")]
        item = recurring(price_interval="P1M")
        answer = preview(deal(item, billing={"interval": "P3M"}, issued=issued))
        assert answer.status == "ok"
        assert lines(answer)[0] == ("2027-02-01", "2027-04-01", "200.00")

    def test_keep_the_last_instalment_the_rest_of_the_price(self) -> None:
        item = recurring(unit_price="100.00", price_interval="P1Y")
        document = deal(item)
        eleven = entries_of(preview(document).documents[:11])
        answer = preview({**document, "issued": eleven})
        assert dated(answer) == [("2027-12-01", "8.37")]

    def test_of_a_deal_all_issued_leave_nothing(self) -> None:
        document = deal(recurring(unit_price="100.00", price_interval="P1Y"), recurring("b"), one_time())
        again = preview({**document, "issued": entries_of(preview(document).documents)})
        assert (again.status, again.documents) == ("ok", ())

    def test_beyond_the_days_shown_do_no_harm(self) -> None:
        document = deal(until="2027-01-31")
        everything = entries_of(preview(deal()).documents)
        again = preview({**document, "issued": everything})
        assert (again.status, again.documents) == ("ok", ())


class TestBooksThatDisagree:
    @pytest.mark.parametrize(
        ("issued", "text"),
        [
            (
                entry("platform", "2027-01-01", "2027-02-01", "90.00"),
                "Platform was billed 90.00 USD for 1 Jan - 31 Jan 2027, but the deal now says 100.00 USD.",
            ),
            (
                entry("platform", "2027-01-01", "2027-02-01", "100.00", credited="100.00"),
                "Platform was billed 0.00 USD for 1 Jan - 31 Jan 2027, but the deal now says 100.00 USD.",
            ),
            (
                entry("platform", "2028-01-01", "2028-02-01", "100.00"),
                "Platform was billed 100.00 USD for 1 Jan - 31 Jan 2028, but the deal now says 0.00 USD.",
            ),
            (
                entry("gone", "2027-01-01", "2027-02-01", "100.00"),
                "gone was billed 100.00 USD for 1 Jan - 31 Jan 2027, but the deal now says 0.00 USD.",
            ),
            (
                entry("setup", "2027-06-01", "2027-06-02", "2500.00"),
                "Setup was billed 2,500.00 USD for 1 Jun 2027, but the deal now says 0.00 USD.",
            ),
            (
                entry("platform", "2027-01-01", "2027-02-01", "100.00", change="c1"),
                "Platform, 1 Jan - 31 Jan 2027, was settled for the change c1; changes are not billed yet.",
            ),
        ],
    )
    def test_are_a_question_that_names_both_amounts(self, issued: Json, text: str) -> None:
        answer = preview(deal(recurring(), one_time(), issued=[issued]))
        assert answer.status == "needs_clarification"
        assert [question.text.startswith(text) for question in answer.questions] == [True]
        assert answer.questions[0].field.startswith("issued[0]")
        assert not any(document.billable for document in answer.documents)

    def test_because_days_were_settled_twice_ask_which_entry_holds(self) -> None:
        issued = [
            entry("platform", "2027-02-01", "2027-03-01", "100.00"),
            entry("platform", "2027-01-15", "2027-02-10", kind="waived"),
        ]
        answer = preview(deal(issued=issued))
        assert [question.text for question in answer.questions] == [
            "Platform, 1 Feb - 9 Feb 2027, is settled twice. Which of the two entries holds?"
        ]

    @pytest.mark.parametrize("kind", ["skipped", "waived", "held", "override"])
    def test_by_a_person_decision_are_no_question(self, kind: str) -> None:
        issued = [
            entry("platform", "2027-01-01", "2027-02-01", "55.00", kind),
            entry("gone", "2027-01-01", "2027-02-01", "5.00", kind),
        ]
        assert preview(deal(issued=issued)).status == "ok"

    def test_on_an_item_that_does_not_bill_yet_add_no_second_question(self) -> None:
        item = recurring("later", price={"model": "flat"})
        issued = [entry("later", "2027-01-01", "2027-02-01", "5.00")]
        answer = preview(deal(recurring(), item, issued=issued))
        assert [question.field for question in answer.questions] == ["items[1].price"]
