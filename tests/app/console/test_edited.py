"""What people changed, in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.console import edited
from app.invoices.edits import Edit
from app.invoices.models import Invoice, InvoiceLine

PERCENT, AMOUNT = {"percent": "10"}, {"amount": "50.00", "per": "invoice"}


def edit(**changes: Any) -> Edit:
    values: dict[str, Any] = {
        "id": "edit-1", "item": "platform", "start": "2027-03-01", "end": "2027-04-01", "scope": "once",
        "set": {"quantity": "1200.5"}, "before": {"quantity": "10"}, "amount_before": "1000.00", "reason": "Because",
        "by": "ada@northwind.example", "at": "2027-03-01T12:00:00+00:00",
    }  # fmt: skip
    return Edit(**(values | changes))


class TestWords:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({}, "units 10 → 1,200.5"),
            ({"set": {"discounts": [PERCENT]}, "before": {"discounts": []}}, "discount none → 10%"),
            ({"set": {"discounts": [AMOUNT]}, "before": {"discounts": [PERCENT]}}, "discount 10% → 50.00 off"),
            ({"set": {"discounts": []}, "before": {"discounts": [AMOUNT]}}, "discount 50.00 off → none"),
            (
                {"set": {"quantity": "12", "discounts": [PERCENT]}, "before": {"quantity": "10", "discounts": []}},
                "units 10 → 12, discount none → 10%",
            ),
        ],
    )
    def test_tell_before_and_after(self, changes: dict[str, Any], said: str) -> None:
        assert edited.words(edit(**changes), "USD") == said

    @pytest.mark.parametrize(
        ("per", "said"), [("unit", "5.00 off per unit"), ("month", "5.00 off a month"), ("period", "5.00 off a period")]
    )
    def test_say_what_a_discount_is_per(self, per: str, said: str) -> None:
        assert edited.discount_words([{"amount": "5", "per": per}], "USD") == said

    def test_join_several_discounts(self) -> None:
        assert edited.discount_words([PERCENT, AMOUNT], "USD") == "10% and 50.00 off"


class TestTyped:
    @pytest.mark.parametrize(
        ("discounts", "shown"),
        [([], ("none", "")), ([PERCENT], ("percent", "10")), ([AMOUNT], ("amount", "50.00")),
         ([{"amount": "5", "per": "unit"}], ("", "")), ([PERCENT, AMOUNT], ("", "")),
         ([{"percent": "10", "to_month": 3}], ("", ""))],
    )  # fmt: skip
    def test_is_only_what_the_form_can_say(self, discounts: list[dict[str, Any]], shown: tuple[str, str]) -> None:
        """Anything richer is left as it is unless a person replaces it."""
        assert edited.discount_typed(discounts) == shown


class TestTold:
    def invoice(self, *edits: Edit) -> list[edited.Told]:
        line = InvoiceLine(
            item_key="platform", name="Platform", start_on=date(2027, 3, 1), end_on=date(2027, 4, 1),
            amount_minor=120_000, quantity=Decimal(12),
        )  # fmt: skip
        return edited.told(Invoice(currency="USD", edits=[one.to_json() for one in edits]), [line])

    def test_names_the_line_and_both_amounts(self) -> None:
        (one,) = self.invoice(edit())

        assert (one.name, str(one.before), str(one.now)) == ("Platform", "1,000.00 USD", "1,200.00 USD")
        assert (one.scope, one.counts) == ("on this invoice only", True)

    def test_leaves_out_what_was_taken_back_and_shows_what_was_dropped(self) -> None:
        (one,) = self.invoice(edit(state="undone"), edit(state="dropped", note="Gone.", item="support"))

        assert (one.counts, one.edit.note, one.now) == (False, "Gone.", None)
