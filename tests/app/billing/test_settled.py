"""Due minus settled: days that are settled are not issued again, and books that disagree are corrected."""

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
        ("issued", "kind", "line", "corrects"),
        [
            # Billed 90.00 of 100.00: 10.00 more.
            (
                entry("platform", "2027-01-01", "2027-02-01", "90.00"),
                "invoice", ("2027-01-01", "2027-02-01", "10.00"), "platform 2027-01-01/2027-02-01",
            ),
            # Given back by mistake: due again.
            (
                entry("platform", "2027-01-01", "2027-02-01", "100.00", credited="100.00"),
                "invoice", ("2027-01-01", "2027-02-01", "100.00"), "platform 2027-01-01/2027-02-01",
            ),
            # Billed 120.00 by invoice 17: 20.00 less, and the credit says so.
            (
                entry("platform", "2027-01-01", "2027-02-01", "120.00", document="17"),
                "credit_note", ("2027-01-01", "2027-02-01", "-20.00"), "17",
            ),
            # A month after the contract's end was billed.
            (
                entry("platform", "2028-01-01", "2028-02-01", "100.00", document="29"),
                "credit_note", ("2028-01-01", "2028-02-01", "-100.00"), "29",
            ),
            # A one-time item matches by item, whatever the day.
            (
                entry("setup", "2027-06-01", "2027-06-02", "2600.00", document="3"),
                "credit_note", ("2027-01-01", "2027-01-02", "-100.00"), "3",
            ),
        ],
    )  # fmt: skip
    def test_are_corrected_on_the_day_of_knowledge(
        self, issued: Json, kind: str, line: tuple[str, str, str], corrects: str
    ) -> None:
        answer = preview(deal(recurring(), one_time(), issued=[issued], as_of="2027-01-20"))
        assert answer.status == "ok"
        [document] = [d for d in answer.documents if d.dated.isoformat() == "2027-01-20"]
        assert (document.kind, document.change) == (kind, None)
        [found] = document.lines
        assert (found.period.start.isoformat(), found.period.end.isoformat(), found.amount.plain()) == line
        assert found.corrects == corrects

    def test_are_corrected_once(self) -> None:
        for issued in (
            entry("platform", "2027-01-01", "2027-02-01", "90.00"),
            entry("platform", "2027-01-01", "2027-02-01", "120.00"),
            entry("platform", "2028-01-01", "2028-02-01", "100.00"),
            entry("setup", "2027-06-01", "2027-06-02", "2600.00"),
        ):
            document = deal(recurring(), one_time(), issued=[issued], as_of="2027-01-20", until="2027-01-31")
            books = [issued, *entries_of(preview(document).documents)]
            again = preview({**document, "issued": books, "as_of": "2027-01-25"})
            assert (again.status, again.documents) == ("ok", ()), issued

    def test_with_more_and_less_in_all_more_join_the_document_of_that_day(self) -> None:
        # January 40.00 too little, February 10.00 too much: 30.00 more, with March's 100.00 on 1 March.
        issued = [
            entry("platform", "2027-01-01", "2027-02-01", "60.00"),
            entry("platform", "2027-02-01", "2027-03-01", "110.00"),
        ]
        answer = preview(deal(issued=issued, as_of="2027-03-01", until="2027-03-31"))
        assert dated(answer) == [("2027-03-01", "130.00")]
        assert sorted(lines(answer)) == [
            ("2027-01-01", "2027-02-01", "40.00"),
            ("2027-02-01", "2027-03-01", "-10.00"),
            ("2027-03-01", "2027-04-01", "100.00"),
        ]

    def test_with_less_in_all_are_a_credit_note_of_its_own(self) -> None:
        issued = [
            entry("platform", "2027-01-01", "2027-02-01", "160.00"),
            entry("platform", "2027-02-01", "2027-03-01", "90.00"),
        ]
        answer = preview(deal(issued=issued, as_of="2027-03-01", until="2027-03-31"))
        assert [(d.kind, d.net.plain()) for d in answer.documents] == [("invoice", "100.00"), ("credit_note", "-50.00")]

    def test_of_an_amendment_that_explains_itself_need_no_correction(self) -> None:
        issued = [entry("platform", "2027-01-01", "2027-02-01", "100.00", change="c1")]
        answer = preview(deal(issued=issued))
        assert answer.status == "ok"
        assert dated(answer) == _MONTHLY_2027[1:]

    @pytest.mark.parametrize("kind", ["billed", "skipped", "waived", "held", "override"])
    def test_about_an_item_that_nobody_knows_are_a_question(self, kind: str) -> None:
        answer = preview(deal(issued=[entry("gone", "2027-01-01", "2027-02-01", "5.00", kind)]))
        assert answer.status == "needs_clarification"
        assert [question.text for question in answer.questions] == [
            "gone was settled for 1 Jan - 31 Jan 2027, but the deal has no such item. Which item is meant?"
        ]
        assert not any(document.billable for document in answer.documents)


class TestDecisionsOfAPerson:
    @pytest.mark.parametrize("kind", ["skipped", "waived", "held", "override"])
    @pytest.mark.parametrize("charged", ["0", "55.00", "130.00"])
    def test_move_what_is_due_and_are_never_billed_back(self, kind: str, charged: str) -> None:
        issued = [entry("platform", "2027-01-01", "2027-02-01", charged, kind)]
        answer = preview(deal(issued=issued))
        assert answer.status == "ok"
        assert dated(answer) == _MONTHLY_2027[1:]

    def test_after_the_invoice_are_a_goodwill_credit(self) -> None:
        # February was billed; 1-9 February is waived afterwards: 9/28 of 100.00 comes back, at most what was charged.
        issued = [
            entry("platform", "2027-01-01", "2027-02-01", "100.00"),
            entry("platform", "2027-02-01", "2027-03-01", "100.00", document="2"),
            entry("platform", "2027-02-01", "2027-02-10", kind="waived"),
        ]
        answer = preview(deal(issued=issued, as_of="2027-02-20", until="2027-02-28"))
        assert [(d.kind, d.net.plain()) for d in answer.documents] == [("credit_note", "-32.14")]

    @pytest.mark.parametrize(
        ("quantity", "expected"),
        # Waived at 1 x 100.00. Then 3 seats for 21 of 31 days: 3 x 67.74 (203.23) instead of 67.74 (100.00 - 32.26).
        [("3", "135.49"), ("0", "0.00")],
    )
    def test_stand_when_a_later_change_adds_to_them(self, quantity: str, expected: str) -> None:
        issued = [entry("platform", "2027-01-01", "2027-02-01", "0", "waived", quantity="1", unit_price="100.00")]
        change = {"id": "c1", "effective": "2027-01-11", "item": "platform", "quantity": quantity, "settle": "unused"}
        answer = preview(deal(issued=issued, changes=[change], as_of="2027-01-20", until="2027-01-31"))
        assert answer.totals is not None
        assert answer.totals.net.plain() == expected

    def test_give_back_no_more_than_was_charged_and_say_so(self) -> None:
        # January was edited to 50.00. Service ends with 10 January: 32.26 - 50.00 is below zero, so 50.00 come back.
        issued = [entry("platform", "2027-01-01", "2027-02-01", "50.00", "override", document="INV-1")]
        end = {"id": "c1", "effective": "2027-01-11", "cancel": "at", "settle": "unused", "recorded": "2027-01-12"}
        answer = preview(deal(issued=issued, changes=[end], as_of="2027-01-20"))
        (line,) = answer.documents[0].lines
        assert line.amount.plain() == "-50.00"
        assert line.why.endswith("32.26 now (INV-1); only 50.00 was charged, so no more comes back")

    def test_for_one_invoice_only_keep_the_edited_amount(self) -> None:
        # An edit of January to 1 x 80.00 says what was due (1 x 100.00) and what was charged.
        issued = [entry("platform", "2027-01-01", "2027-02-01", "80.00", "override", quantity="1", unit_price="100.00")]
        answer = preview(deal(issued=issued, as_of="2027-01-20"))
        assert dated(answer) == _MONTHLY_2027[1:]


class TestEntriesThatSayLittle:
    """Entries without quantity, price, change or payer settle what they are the amount of (decision 0010.20)."""

    def test_around_a_change_settle_both_states(self) -> None:
        change: Json = {"id": "C-1", "effective": "2027-03-11", "item": "seats", "quantity": "20"}
        document = deal(
            recurring("seats", quantity="30", unit_price="31.00"), start="2027-03-01", term_months=None,
            until="2027-03-31", as_of="2027-03-20", changes=[change],
        )  # fmt: skip
        for issued in (
            [
                entry("seats", "2027-03-01", "2027-03-11", "300.00"),
                entry("seats", "2027-03-11", "2027-04-01", "420.00"),
            ],
            [entry("seats", "2027-03-01", "2027-04-01", "720.00")],
        ):
            assert preview({**document, "issued": issued}).documents == (), issued

    def test_without_a_payer_are_split_like_a_line(self) -> None:
        document = deal(
            recurring(), term_months=1, bill_to=[{"name": "A", "share": "50"}, {"name": "B"}],
            issued=[entry("platform", "2027-01-01", "2027-02-01", "100.00")],
        )  # fmt: skip
        assert preview(document).documents == ()


class TestCreditsOfAChangedRhythm:
    def test_settle_the_period_that_was_cut(self) -> None:
        # What comes back of January lies on days that the first quarter, begun on 2 January, bills anew.
        change: Json = {"id": "c1", "effective": "2027-01-02", "billing": {"interval": "P3M"}}
        document = deal(
            recurring(quantity="2", unit_price="1.00", price_interval="P1M"),
            term_months=None, until="2027-01-31", as_of="2027-01-02", changes=[change],
        )  # fmt: skip
        books = entries_of(preview(document).documents)
        assert preview({**document, "issued": books}).documents == ()
