"""What goes to QuickBooks has no line below zero, and the same net."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.invoices.folding import LedgerLine, folded

MARCH, APRIL = date(2027, 3, 1), date(2027, 4, 1)


def line(amount_minor: int, item: str = "Platform", why: str = "because") -> LedgerLine:
    return LedgerLine(item, MARCH, APRIL, Decimal(1), Decimal(1), amount_minor, why)


def amounts(lines: list[LedgerLine]) -> list[tuple[str, int]]:
    return [(one.item, one.amount_minor) for one in folded(lines, "USD")]


def test_lines_without_a_credit_stay_as_they_are() -> None:
    lines = [line(100), line(0, "Free")]
    assert folded(lines, "USD") == lines


def test_a_credit_is_taken_off_its_own_item_first() -> None:
    assert amounts([line(-516), line(900, "Support"), line(774)]) == [("Support", 900), ("Platform", 258)]


def test_what_its_own_item_does_not_cover_is_taken_off_the_others() -> None:
    assert amounts([line(-500), line(300), line(400, "Support")]) == [("Support", 200)]


def test_both_reasons_stand_in_the_line() -> None:
    (one,) = folded([line(-51613, why="16/31 of 10"), line(77419, why="16/31 of 15")], "USD")
    assert one.why == "16/31 of 15; less 516.13: Platform, 16/31 of 10"


def test_a_line_of_nothing_by_itself_stays() -> None:
    assert amounts([line(-100), line(250), line(0, "Free")]) == [("Platform", 150), ("Free", 0)]


def test_one_line_is_left_where_they_use_each_other_up() -> None:
    assert amounts([line(-250), line(250)]) == [("Platform", 0)]


def test_more_credit_than_charge_is_no_invoice() -> None:
    with pytest.raises(ValueError, match="exceed"):
        folded([line(-300), line(250)], "USD")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-1000, 1000)), min_size=1))
def test_the_net_is_the_same_and_nothing_is_below_zero(given_: list[tuple[str, int]]) -> None:
    lines = [line(amount, item) for item, amount in given_]
    net = sum(one.amount_minor for one in lines)
    if net < 0:
        lines.append(line(-net, "a"))
        net = 0
    left = folded(lines, "USD")
    assert sum(one.amount_minor for one in left) == net
    assert all(one.amount_minor >= 0 for one in left)
    assert left
