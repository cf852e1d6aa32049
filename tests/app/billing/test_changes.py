"""Each kind of change of an item, before and after its period was issued, worked out by hand.

The deal is 10 x 100.00 a month from 1 January 2027; what changes does so on 16 March, with 15 of March's 31 days in
the old state and 16 in the new one: 10 seats are worth 483.87 and 516.13 of the 1,000.00.
"""

from __future__ import annotations

from datetime import date

import pytest

from app.billing import preview

from .builders import Json, entries_of, one_time, recurring, rows
from .changed import APRIL, BACK, FIXED, HALF, MARCH, OPEN, changed, early, late, seats


class TestIncrease:
    @pytest.mark.parametrize("term", [FIXED, OPEN])
    @pytest.mark.parametrize(
        ("change", "own", "april"),
        [
            # 12 x 100.00 for 16/31 is 619.35.
            (
                {"quantity": "12"},
                [BACK, "27-03-16 c platform 27-03-16/27-04-01 12 619.35"],
                APRIL.format("12", "1200.00"),
            ),
            (
                {"unit_price": "150.00"},
                [BACK, "27-03-16 c platform 27-03-16/27-04-01 10 774.19"],
                APRIL.format("10", "1500.00"),
            ),
            # Without proration it counts from 1 March; its document keeps 16 March.
            (
                {"quantity": "12", "proration": "none"},
                [
                    "27-03-16 c platform 27-03-01/27-04-01 10 -1000.00",
                    "27-03-16 c platform 27-03-01/27-04-01 12 1200.00",
                ],
                APRIL.format("12", "1200.00"),
            ),
            # On a boundary the regular document says it all.
            ({"quantity": "12", "effective": "2027-04-01"}, [], APRIL.format("12", "1200.00")),
        ],
    )
    def test_is_invisible_before_its_day_and_has_a_document_of_its_own(
        self, term: int | None, change: Json, own: list[str], april: str
    ) -> None:
        document = changed({"item": "platform", **change}, term=term)
        assert early(document) == [MARCH, *own, april]
        assert late(document) == [*own, april]

    def test_is_seen_by_an_earlier_document_of_a_period_that_starts_on_or_after_it(self) -> None:
        document = changed({"item": "platform", "quantity": "12", "effective": "2027-04-01"}, billing={"lead_days": 10})
        assert early(document)[0] == "27-03-22 - platform 27-04-01/27-05-01 12 1200.00"

    def test_known_only_later_is_billed_back_to_its_day(self) -> None:
        document = changed({"item": "platform", "quantity": "12", "recorded": "2027-04-20"}, as_of="2027-04-20")
        before = preview(document, as_of=date(2027, 4, 5))
        assert rows(before, since="2027-03-01") == [MARCH, APRIL.format("10", "1000.00")]
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
            (FIXED, {}, [MARCH, APRIL.format("10", "1000.00")], [APRIL.format("10", "1000.00")]),
            (FIXED, {"settle": "none"}, [MARCH, APRIL.format("10", "1000.00")], [APRIL.format("10", "1000.00")]),
            # Outside it, `none` keeps the period in progress due.
            (OPEN, {"settle": "none"}, [MARCH, APRIL.format("8", "800.00")], [APRIL.format("8", "800.00")]),
            # `unused` shortens a draft at once and gives back from what was issued: 8 x 100.00 for 16/31 is 412.90.
            *[
                (
                    term, settle,
                    [HALF, "27-03-01 - platform 27-03-16/27-04-01 8 412.90", APRIL.format("8", "800.00")],
                    [BACK, "27-03-16 c platform 27-03-16/27-04-01 8 412.90", APRIL.format("8", "800.00")],
                )
                for term, settle in ((OPEN, {}), (OPEN, {"settle": "unused"}), (FIXED, {"settle": "unused"}))
            ],
        ],
    )  # fmt: skip
    def test_of_the_quantity(self, term: int | None, settle: Json, planned: list[str], owed: list[str]) -> None:
        document = changed({"item": "platform", "quantity": "8", **settle}, term=term)
        assert early(document) == planned
        assert late(document) == owed

    def test_of_the_price_is_the_same_money(self) -> None:
        document = changed({"item": "platform", "unit_price": "80.00"}, term=OPEN)
        assert early(document) == [
            HALF,
            "27-03-01 - platform 27-03-16/27-04-01 10 412.90",
            APRIL.format("10", "800.00"),
        ]

    def test_by_a_discount_keeps_one_line(self) -> None:
        # 15/31 of 1,000.00 and 16/31 of 900.00: 948.39. A discount window does not split a line.
        document = changed({"item": "platform", "discounts": [{"percent": "10", "from": "2027-03-16"}]}, term=OPEN)
        assert early(document) == [
            "27-03-01 - platform 27-03-01/27-04-01 10 948.39",
            APRIL.format("10", "900.00"),
        ]
        assert [row.split()[-1] for row in late(document)] == ["-51.61", "900.00"]

    def test_of_an_agreed_amount_gives_that_back_once(self) -> None:
        document = changed({"item": "platform", "quantity": "8", "settle": "50.00"}, term=OPEN)
        assert [(row.split()[0], row.split()[-1]) for row in late(document)] == [
            ("27-03-16", "-50.00"),
            ("27-04-01", "800.00"),
        ]

    def test_that_waits_is_replaced_by_an_increase_above_the_old_amount(self) -> None:
        document = changed(
            {"item": "platform", "quantity": "8"},
            {"item": "platform", "quantity": "12", "effective": "2027-04-01"},
        )
        assert early(document) == [MARCH, APRIL.format("12", "1200.00")]

    def test_that_waits_is_no_decrease_any_more_when_a_smaller_increase_follows(self) -> None:
        # 8, then 9: both below the 10 that stay due to the end of the term.
        document = changed(
            {"item": "platform", "quantity": "8"},
            {"item": "platform", "quantity": "9", "effective": "2027-04-01"},
        )
        assert early(document) == [MARCH, APRIL.format("10", "1000.00")]

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
        april = [APRIL.format("10", "1000.00"), "27-04-01 - support 27-04-01/27-05-01 1 310.00"]
        assert early(document) == [MARCH, own, *april]
        assert late(document) == [own, *april]

    def test_added_end_with_the_contract(self) -> None:
        document = changed({"add": self._SUPPORT}, until="2030-01-01")
        assert [row for row in early(document) if "support" in row][-1] == (
            "27-12-01 - support 27-12-01/28-01-01 1 310.00"
        )

    def test_added_on_a_boundary_are_on_the_regular_document(self) -> None:
        document = changed({"add": self._SUPPORT, "effective": "2027-04-01"})
        assert early(document) == [
            MARCH,
            APRIL.format("10", "1000.00"),
            "27-04-01 - support 27-04-01/27-05-01 1 310.00",
        ]

    def test_added_once_are_on_the_document_of_their_change(self) -> None:
        document = changed({"add": one_time("training", unit_price="480.00")})
        assert early(document)[1] == "27-03-16 c training 27-03-16/27-03-17 1 480.00"

    @pytest.mark.parametrize(
        ("term", "settle", "planned", "owed"),
        [
            (FIXED, {}, ["27-03-01 310.00", "27-04-01 310.00"], ["27-04-01 310.00"]),
            (OPEN, {"settle": "none"}, ["27-03-01 310.00"], []),
            # 15/31 of 310.00 is 150.00.
            (OPEN, {}, ["27-03-01 150.00"], ["27-03-16 -160.00"]),
            (FIXED, {"settle": "unused"}, ["27-03-01 150.00"], ["27-03-16 -160.00"]),
            (FIXED, {"settle": "60.00"}, ["27-03-01 310.00", "27-03-16 -60.00"], ["27-03-16 -60.00"]),
            # Never more than was charged for the days not served.
            (OPEN, {"settle": "999.00"}, ["27-03-01 310.00", "27-03-16 -160.00"], ["27-03-16 -160.00"]),
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

    @pytest.mark.parametrize("term", [FIXED, OPEN])
    def test_replaced_give_back_and_charge_on_one_document(self, term: int | None) -> None:
        # 10 x 150.00 for 16/31 is 774.19.
        document = changed(
            {"replace": {"from": "platform", "to": recurring("pro", quantity="10", unit_price="150.00")}}, term=term
        )
        pro = ["27-03-16 c pro 27-03-16/27-04-01 10 774.19", "27-04-01 - pro 27-04-01/27-05-01 10 1500.00"]
        assert early(document) == [HALF, *pro]
        assert late(document) == [BACK, *pro]


class TestCarriedChanges:
    """A setting carries a change to the payer's next regular invoice within 31 days (convention 10)."""

    def test_join_the_next_regular_invoice(self) -> None:
        document = changed({"item": "platform", "quantity": "12"}, until="2027-05-31")
        plain, carried = preview(document), preview(document, carry=True)
        assert [(d.dated.isoformat(), d.change) for d in plain.documents][2:5] == [
            ("2027-03-01", None), ("2027-03-16", "c"), ("2027-04-01", None),
        ]  # fmt: skip
        assert [d.change for d in carried.documents] == [None] * 5
        assert carried.totals == plain.totals
        april = next(d for d in carried.documents if d.dated == date(2027, 4, 1))
        assert [line.change for line in april.lines] == [None, "c", "c"]

    def test_stay_apart_where_no_regular_invoice_comes_within_31_days(self) -> None:
        document = changed({"item": "platform", "quantity": "12"}, billing={"interval": "P1Y"}, until="2028-12-31")
        assert preview(document, carry=True).documents == preview(document).documents

    def test_are_settled_like_any_other(self) -> None:
        document = changed({"item": "platform", "quantity": "12"}, until="2027-04-30")
        books = entries_of(preview(document, carry=True).documents)
        assert preview({**document, "issued": books}, carry=True).documents == ()
        assert preview({**document, "issued": books}).documents == ()
