"""Whole lives, held as stories in tests/golden/billing (rewritten by golden.py, reviewed as a diff)."""

from __future__ import annotations

import pytest

from app.billing import preview

from .builders import dated
from .golden import FOLDER, STORIES, story


class TestStories:
    @pytest.mark.parametrize("name", STORIES)
    def test_are_told_as_written(self, name: str) -> None:
        assert story(*STORIES[name]) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")

    def test_folder_holds_nothing_else(self) -> None:
        assert {path.name for path in FOLDER.iterdir()} == {f"{name}.txt" for name in STORIES}


class TestWorkedExample:
    """The amounts written in the billing page, before and with its discounts; by hand, so no rewrite can lose them."""

    @pytest.mark.parametrize(
        ("name", "amounts"),
        [
            ("acme-monthly", ["3500.00"] + ["1000.00"] * 11),
            ("acme-quarterly", ["5500.00", "3000.00", "3000.00", "3000.00"]),
            ("acme-annual", ["14500.00"]),
            (
                "acme-with-discounts-monthly",
                ["3300.00", "800.00", "900.00", "900.00", "900.00", *["1000.00"] * 7],
            ),
            ("acme-with-discounts-quarterly", ["5000.00", "2800.00", "3000.00", "3000.00"]),
            ("acme-with-discounts-annually", ["13800.00"]),
        ],
    )
    def test_has_the_written_amounts(self, name: str, amounts: list[str]) -> None:
        answer = preview(STORIES[name][1])
        assert answer.status == "ok"
        assert [net for _, net in dated(answer)] == amounts

    def test_with_its_sentence_is_a_question_and_not_billable(self) -> None:
        answer = preview(STORIES["acme-with-words"][1])
        assert answer.status == "needs_clarification"
        assert [question.field for question in answer.questions] == ["terms"]
        assert not any(planned.billable for planned in answer.documents)
