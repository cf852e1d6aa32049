"""Two versions of a draft that was taken back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.billing.money import Money
from app.console.compare import Change, Comparison, comparison
from app.invoices.models import Invoice, InvoiceLine


def line(item: str, start: str, amount: str, why: str = "because") -> dict[str, Any]:
    return {"item": item, "start": start, "end": "2027-01-01", "amount": amount, "why": why}


def document(net: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"net": net, "lines": list(lines)}


def compared(before: dict[str, Any], now: dict[str, Any], net_minor: int) -> Comparison:
    invoice = Invoice(
        currency="USD", net_minor=net_minor, document=now,
        superseded={"document": before, "approved_by": "ada@northwind.example", "why": "The deal changed."},
    )  # fmt: skip
    found = comparison(invoice, [InvoiceLine(item_key="platform", name="Platform")])
    assert found is not None
    return found


def only(found: Comparison) -> Change:
    (change,) = found.lines
    return change


def test_a_draft_that_never_came_back_has_one_version() -> None:
    assert comparison(Invoice(superseded=None), []) is None


def test_both_nets_and_the_reason_are_told() -> None:
    found = compared(
        document("100.00", line("platform", "2026-12-01", "100.00")),
        document("120.00", line("platform", "2026-12-01", "120.00")),
        12000,
    )
    assert (found.before, found.now) == (Money(10000, "USD"), Money(12000, "USD"))
    assert (found.approved_by, found.why) == ("ada@northwind.example", "The deal changed.")


class TestLines:
    def test_pair_by_item_and_first_day(self) -> None:
        change = only(
            compared(
                document("100.00", line("platform", "2026-12-01", "100.00")),
                document("120.00", line("platform", "2026-12-01", "120.00")),
                12000,
            )
        )
        assert (change.name, change.start, change.end) == ("Platform", date(2026, 12, 1), date(2027, 1, 1))
        assert (change.before, change.now) == (Money(10000, "USD"), Money(12000, "USD"))
        assert change.is_changed

    def test_equal_in_both_versions_are_not_marked(self) -> None:
        same = document("100.00", line("platform", "2026-12-01", "100.00"))
        assert not only(compared(same, same, 10000)).is_changed

    def test_with_the_same_amount_for_another_reason_are_marked(self) -> None:
        before = document("100.00", line("platform", "2026-12-01", "100.00", "10 x 10.00 a month"))
        now = document("100.00", line("platform", "2026-12-01", "100.00", "5 x 20.00 a month"))
        assert only(compared(before, now, 10000)).is_changed

    def test_that_are_new_or_gone_have_one_side(self) -> None:
        before = document("50.00", line("setup", "2026-12-01", "50.00"))
        now = document("100.00", line("platform", "2026-12-01", "100.00"))
        new, gone = compared(before, now, 10000).lines
        assert (new.name, new.before, new.now) == ("Platform", None, Money(10000, "USD"))
        assert (gone.name, gone.before, gone.now) == ("setup", Money(5000, "USD"), None)

    @pytest.mark.parametrize("day", ["2026-12-02", "2027-01-01"])
    def test_of_another_first_day_are_other_lines(self, day: str) -> None:
        before = document("100.00", line("platform", "2026-12-01", "100.00"))
        now = document("100.00", line("platform", day, "100.00"))
        assert len(compared(before, now, 10000).lines) == 2
