"""Each kind of change, before and after its period was issued, worked out by hand.

The deal is 10 x 100.00 a month from 1 January 2027; what changes does so on 16 March, with 15 of March's 31 days in
the old state and 16 in the new one: 10 seats are worth 483.87 and 516.13 of the 1,000.00.
"""

from __future__ import annotations

from datetime import date

import pytest

from app.billing import preview

from .builders import Json, deal, entries_of, one_time, recurring, rows

_FIXED, _OPEN = 12, None
_APR_1 = "2027-04-01"
_MARCH = "27-03-01 - platform 27-03-01/27-04-01 10 1000.00"
_APRIL = "27-04-01 - platform 27-04-01/27-05-01 {} {}"
_HALF = "27-03-01 - platform 27-03-01/27-03-16 10 483.87"
_BACK = "27-03-16 c platform 27-03-16/27-04-01 10 -516.13"


def seats(**fields: object) -> Json:
    return recurring(quantity="10", **fields)


def changed(*changes: Json, term: int | None = _FIXED, items: tuple[Json, ...] = (), **fields: object) -> Json:
    """Return the deal with changes; the first is "c" on 16 March unless it says otherwise."""
    written = [{"id": "c" if n == 0 else f"c{n}", "effective": "2027-03-16", **c} for n, c in enumerate(changes)]
    document = deal(*(items or (seats(),)), term_months=term, changes=written, **fields)
    return {"until": "2027-04-30", **document}


def early(document: Json) -> list[str]:
    """Return what is planned from March on when everything is known before anything was issued."""
    answer = preview(document)
    assert answer.status == "ok", answer.reason
    return rows(answer, since="2027-03-01")


def late(document: Json, issued_until: str = "2027-03-10") -> list[str]:
    """Return what is left to issue when the change becomes known after March was issued."""
    before = preview({**document, "changes": [], "until": issued_until})
    answer = preview({**document, "issued": entries_of(before.documents), "as_of": "2027-03-20"})
    assert answer.status == "ok", answer.reason
    return rows(answer)


class TestIncrease:
    @pytest.mark.parametrize("term", [_FIXED, _OPEN])
    @pytest.mark.parametrize(
        ("change", "own", "april"),
        [
            # 12 x 100.00 for 16/31 is 619.35.
            (
                {"quantity": "12"},
                [_BACK, "27-03-16 c platform 27-03-16/27-04-01 12 619.35"],
                _APRIL.format("12", "1200.00"),
            ),
            (
                {"unit_price": "150.00"},
                [_BACK, "27-03-16 c platform 27-03-16/27-04-01 10 774.19"],
                _APRIL.format("10", "1500.00"),
            ),
            # Without proration it counts from 1 March; its document keeps 16 March.
            (
                {"quantity": "12", "proration": "none"},
                [
                    "27-03-16 c platform 27-03-01/27-04-01 10 -1000.00",
                    "27-03-16 c platform 27-03-01/27-04-01 12 1200.00",
                ],
                _APRIL.format("12", "1200.00"),
            ),
            # On a boundary the regular document says it all.
            ({"quantity": "12", "effective": "2027-04-01"}, [], _APRIL.format("12", "1200.00")),
        ],
    )
    def test_is_invisible_before_its_day_and_has_a_document_of_its_own(
        self, term: int | None, change: Json, own: list[str], april: str
    ) -> None:
        document = changed({"item": "platform", **change}, term=term)
        assert early(document) == [_MARCH, *own, april]
        assert late(document) == [*own, april]

    def test_is_seen_by_an_earlier_document_of_a_period_that_starts_on_or_after_it(self) -> None:
        document = changed({"item": "platform", "quantity": "12", "effective": "2027-04-01"}, billing={"lead_days": 10})
        assert early(document)[0] == "27-03-22 - platform 27-04-01/27-05-01 12 1200.00"

    def test_known_only_later_is_billed_back_to_its_day(self) -> None:
        document = changed({"item": "platform", "quantity": "12", "recorded": "2027-04-20"}, as_of="2027-04-20")
        before = preview(document, as_of=date(2027, 4, 5))
        assert rows(before, since="2027-03-01") == [_MARCH, _APRIL.format("10", "1000.00")]
        after = preview({**document, "issued": entries_of(before.documents)})
        assert rows(after) == [
            "27-03-16 c platform 27-03-16/27-04-01 10 -516.13",
            "27-03-16 c platform 27-03-16/27-04-01 12 619.35",
            "27-03-16 c platform 27-04-01/27-05-01 10 -1000.00",
            "27-03-16 c platform 27-04-01/27-05-01 12 1200.00",
        ]

    def test_in_arrears_splits_the_regular_invoice(self) -> None:
        document = changed({"item": "platform", "quantity": "12"}, billing={"timing": "arrears"})
        assert early(document)[1:] == [
            "27-04-01 - platform 27-03-01/27-03-16 10 483.87",
            "27-04-01 - platform 27-03-16/27-04-01 12 619.35",
        ]


class TestDecrease:
    @pytest.mark.parametrize(
        ("term", "settle", "planned", "owed"),
        [
            # Inside a fixed term the old amount stays due to its end.
            (_FIXED, {}, [_MARCH, _APRIL.format("10", "1000.00")], [_APRIL.format("10", "1000.00")]),
            (_FIXED, {"settle": "none"}, [_MARCH, _APRIL.format("10", "1000.00")], [_APRIL.format("10", "1000.00")]),
            # Outside it, `none` keeps the period in progress due.
            (_OPEN, {"settle": "none"}, [_MARCH, _APRIL.format("8", "800.00")], [_APRIL.format("8", "800.00")]),
            # `unused` shortens a draft at once and gives back from what was issued: 8 x 100.00 for 16/31 is 412.90.
            *[
                (
                    term, settle,
                    [_HALF, "27-03-01 - platform 27-03-16/27-04-01 8 412.90", _APRIL.format("8", "800.00")],
                    [_BACK, "27-03-16 c platform 27-03-16/27-04-01 8 412.90", _APRIL.format("8", "800.00")],
                )
                for term, settle in ((_OPEN, {}), (_OPEN, {"settle": "unused"}), (_FIXED, {"settle": "unused"}))
            ],
        ],
    )  # fmt: skip
    def test_of_the_quantity(self, term: int | None, settle: Json, planned: list[str], owed: list[str]) -> None:
        document = changed({"item": "platform", "quantity": "8", **settle}, term=term)
        assert early(document) == planned
        assert late(document) == owed

    def test_of_the_price_is_the_same_money(self) -> None:
        document = changed({"item": "platform", "unit_price": "80.00"}, term=_OPEN)
        assert early(document) == [
            _HALF,
            "27-03-01 - platform 27-03-16/27-04-01 10 412.90",
            _APRIL.format("10", "800.00"),
        ]

    def test_by_a_discount_keeps_one_line(self) -> None:
        # 15/31 of 1,000.00 and 16/31 of 900.00: 948.39. A discount window does not split a line.
        document = changed({"item": "platform", "discounts": [{"percent": "10", "from": "2027-03-16"}]}, term=_OPEN)
        assert early(document) == [
            "27-03-01 - platform 27-03-01/27-04-01 10 948.39",
            _APRIL.format("10", "900.00"),
        ]
        assert [row.split()[-1] for row in late(document)] == ["-51.61", "900.00"]

    def test_of_an_agreed_amount_gives_that_back_once(self) -> None:
        document = changed({"item": "platform", "quantity": "8", "settle": "50.00"}, term=_OPEN)
        assert [(row.split()[0], row.split()[-1]) for row in late(document)] == [
            ("27-03-16", "-50.00"),
            ("27-04-01", "800.00"),
        ]

    def test_that_waits_is_replaced_by_an_increase_above_the_old_amount(self) -> None:
        document = changed(
            {"item": "platform", "quantity": "8"},
            {"item": "platform", "quantity": "12", "effective": "2027-04-01"},
        )
        assert early(document) == [_MARCH, _APRIL.format("12", "1200.00")]

    def test_that_waits_is_no_decrease_any_more_when_a_smaller_increase_follows(self) -> None:
        # 8, then 9: both below the 10 that stay due to the end of the term.
        document = changed(
            {"item": "platform", "quantity": "8"},
            {"item": "platform", "quantity": "9", "effective": "2027-04-01"},
        )
        assert early(document) == [_MARCH, _APRIL.format("10", "1000.00")]

    def test_inside_a_term_takes_effect_with_the_next_one(self) -> None:
        document = changed({"item": "platform", "quantity": "8"}, renewal={"auto": True}, until="2028-01-31")
        assert early(document)[-2:] == [
            "27-12-01 - platform 27-12-01/28-01-01 10 1000.00",
            "28-01-01 - platform 28-01-01/28-02-01 8 800.00",
        ]


class TestItems:
    _SUPPORT = recurring("support", unit_price="310.00")

    def test_added_begin_on_the_document_of_their_change(self) -> None:
        document = changed({"add": self._SUPPORT})
        own = "27-03-16 c support 27-03-16/27-04-01 1 160.00"
        april = [_APRIL.format("10", "1000.00"), "27-04-01 - support 27-04-01/27-05-01 1 310.00"]
        assert early(document) == [_MARCH, own, *april]
        assert late(document) == [own, *april]

    def test_added_end_with_the_contract(self) -> None:
        document = changed({"add": self._SUPPORT}, until="2030-01-01")
        assert [row for row in early(document) if "support" in row][-1] == (
            "27-12-01 - support 27-12-01/28-01-01 1 310.00"
        )

    def test_added_on_a_boundary_are_on_the_regular_document(self) -> None:
        document = changed({"add": self._SUPPORT, "effective": "2027-04-01"})
        assert early(document) == [
            _MARCH,
            _APRIL.format("10", "1000.00"),
            "27-04-01 - support 27-04-01/27-05-01 1 310.00",
        ]

    def test_added_once_are_on_the_document_of_their_change(self) -> None:
        document = changed({"add": one_time("training", unit_price="480.00")})
        assert early(document)[1] == "27-03-16 c training 27-03-16/27-03-17 1 480.00"

    @pytest.mark.parametrize(
        ("term", "settle", "planned", "owed"),
        [
            (_FIXED, {}, ["27-03-01 310.00", "27-04-01 310.00"], ["27-04-01 310.00"]),
            (_OPEN, {"settle": "none"}, ["27-03-01 310.00"], []),
            # 15/31 of 310.00 is 150.00.
            (_OPEN, {}, ["27-03-01 150.00"], ["27-03-16 -160.00"]),
            (_FIXED, {"settle": "unused"}, ["27-03-01 150.00"], ["27-03-16 -160.00"]),
            (_FIXED, {"settle": "60.00"}, ["27-03-01 310.00", "27-03-16 -60.00"], ["27-03-16 -60.00"]),
            # Never more than was charged for the days not served.
            (_OPEN, {"settle": "999.00"}, ["27-03-01 310.00", "27-03-16 -160.00"], ["27-03-16 -160.00"]),
        ],
    )
    def test_removed_end_as_a_decrease_to_nothing(
        self, term: int | None, settle: Json, planned: list[str], owed: list[str]
    ) -> None:
        document = changed({"remove": "support", **settle}, term=term, items=(seats(), self._SUPPORT))
        found = [
            [f"{row.split()[0]} {row.split()[-1]}" for row in table if "support" in row]
            for table in (early(document), late(document))
        ]
        assert found[0] == planned
        assert found[1] == owed

    @pytest.mark.parametrize("term", [_FIXED, _OPEN])
    def test_replaced_give_back_and_charge_on_one_document(self, term: int | None) -> None:
        # 10 x 150.00 for 16/31 is 774.19.
        document = changed(
            {"replace": {"from": "platform", "to": recurring("pro", quantity="10", unit_price="150.00")}}, term=term
        )
        pro = ["27-03-16 c pro 27-03-16/27-04-01 10 774.19", "27-04-01 - pro 27-04-01/27-05-01 10 1500.00"]
        assert early(document) == [_HALF, *pro]
        assert late(document) == [_BACK, *pro]


class TestPause:
    def test_until_a_day_takes_its_days_out(self) -> None:
        document = changed({"pause": {"until": "2027-05-01"}}, until="2027-05-31")
        may = "27-05-01 - platform 27-05-01/27-06-01 10 1000.00"
        assert early(document) == [_HALF, may]
        assert late(document) == [_BACK, may]

    def test_inside_a_period_leaves_one_line_of_interrupted_days(self) -> None:
        # 31 days less 11 - 20 March: 21/31 of 1,000.00.
        document = changed({"pause": {"until": "2027-03-21"}, "effective": "2027-03-11"})
        assert early(document) == ["27-03-01 - platform 27-03-01/27-04-01 10 677.42", _APRIL.format("10", "1000.00")]

    def test_that_is_resumed_inside_a_period_is_charged_from_there(self) -> None:
        document = changed({"pause": {}}, {"resume": {}, "effective": "2027-04-16"})
        april = "27-04-16 c1 platform 27-04-16/27-05-01 10 500.00"
        assert early(document) == [_HALF, april]
        assert late(document) == [_BACK, april]

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
        assert early(document) == [_HALF, _APRIL.format("10", "1000.00")]

    def test_that_is_resumed_on_its_own_day_changes_nothing(self) -> None:
        document = changed({"pause": {}}, {"resume": {}})
        assert early(document) == [_MARCH, _APRIL.format("10", "1000.00")]
        assert late(document) == [_APRIL.format("10", "1000.00")]

    def test_does_not_touch_one_time_items(self) -> None:
        document = changed({"pause": {"until": "2027-05-01"}}, items=(seats(), one_time("training", when="2027-04-05")))
        assert "27-04-05 - training 27-04-05/27-04-06 1 2500.00" in early(document)


class TestCancellation:
    @pytest.mark.parametrize(
        ("term", "change", "planned", "owed"),
        [
            (
                _FIXED, {"cancel": "at"},
                [_MARCH, _APRIL.format("10", "1000.00")], [_APRIL.format("10", "1000.00")],
            ),
            (_FIXED, {"cancel": "at", "settle": "unused"}, [_HALF], [_BACK]),
            (_OPEN, {"cancel": "at"}, [_HALF], [_BACK]),
            (_OPEN, {"cancel": "at", "settle": "none"}, [_MARCH], []),
            (_OPEN, {"cancel": "period_end"}, [_MARCH], []),
            (_OPEN, {"cancel": "term_end"}, [_MARCH], []),
            (
                _FIXED, {"cancel": "term_end"},
                [_MARCH, _APRIL.format("10", "1000.00")], [_APRIL.format("10", "1000.00")],
            ),
            # Without proration the month in progress is given back whole.
            (_OPEN, {"cancel": "at", "proration": "none"}, [], ["27-03-16 c platform 27-03-01/27-04-01 10 -1000.00"]),
        ],
    )  # fmt: skip
    def test_ends_service(self, term: int | None, change: Json, planned: list[str], owed: list[str]) -> None:
        document = changed(change, term=term)
        assert early(document) == planned
        assert late(document) == owed

    @pytest.mark.parametrize(("settle", "back"), [("200.00", "-200.00"), ("999.00", "-516.13")])
    def test_may_give_back_an_agreed_amount(self, settle: str, back: str) -> None:
        document = changed({"cancel": "at", "settle": settle}, term=_OPEN)
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
        assert early(document) == [_MARCH, _APRIL.format("10", "1000.00")]

    def test_taken_back_later_starts_service_again(self) -> None:
        document = changed(
            {"cancel": "at", "settle": "unused"}, {"uncancel": True, "effective": "2027-04-16"}, until="2027-05-31"
        )
        assert early(document) == [
            _HALF,
            "27-04-16 c1 platform 27-04-16/27-05-01 10 500.00",
            "27-05-01 - platform 27-05-01/27-06-01 10 1000.00",
        ]


class TestBillingChanges:
    def test_on_a_boundary_begin_the_new_rhythm(self) -> None:
        document = changed(
            {"billing": {"interval": "P3M"}, "effective": "2027-04-01"}, items=(seats(price_interval="P1M"),)
        )
        assert early({**document, "until": "2027-07-31"}) == [
            _MARCH,
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
        assert early(document) == [_MARCH, "27-05-01 - platform 27-04-01/27-05-01 10 1000.00"]


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
            term=_OPEN, billing={"timing": "arrears"}, until="2027-02-15",
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
                    {"item": "platform", "quantity": "2", "effective": _APR_1},
                ],
                ["“c1”", "“c”"],
            ),
            (
                [{"cancel": "at", "settle": "unused"}, {"item": "platform", "quantity": "2", "effective": _APR_1}],
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
        assert early(later)[-1] == _APRIL.format("14", "1400.00")
