"""Won is decided by the stage's metadata and HubSpot's own flag together; where they disagree it is a question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.deals.reading import is_won
from app.ports import CrmStage
from app.problems.actions import PORTAL_ADMIN, Finding
from tests.factories import LOST, OPEN, WON, crm_deal

SIGNED = CrmStage("148302214", "75283014", "Signed", True, "1.0")


def question(verdict: bool | Finding) -> str:
    assert isinstance(verdict, Finding)
    assert (verdict.code, verdict.who) == ("stage_unclear", PORTAL_ADMIN)
    return verdict.sentence


class TestMetadataAndFlag:
    def test_agree_that_it_is_won(self) -> None:
        assert is_won(crm_deal(stage=WON, hs_is_closed_won="true"), None) is True

    @pytest.mark.parametrize("stage", [OPEN, LOST])
    def test_agree_that_it_is_not_won(self, stage: CrmStage) -> None:
        assert is_won(crm_deal(stage=stage, hs_is_closed_won="false"), None) is False

    def test_disagree_where_only_the_stage_is_won(self) -> None:
        assert question(is_won(crm_deal(stage=WON, hs_is_closed_won="false"), None)) == (
            'The stage "Closed Won" is set up as won, but HubSpot marks the deal as not won.'
        )

    @pytest.mark.parametrize("stage", [OPEN, LOST])
    def test_disagree_where_only_the_flag_is_won(self, stage: CrmStage) -> None:
        assert question(is_won(crm_deal(stage=stage, hs_is_closed_won="true"), None)) == (
            f'The stage "{stage.label}" is set up as not won, but HubSpot marks the deal as won.'
        )

    @pytest.mark.parametrize("flag", ["TRUE", "True", "true"])
    def test_take_the_flag_in_any_case(self, flag: str) -> None:
        assert is_won(crm_deal(stage=WON, hs_is_closed_won=flag), None) is True

    @pytest.mark.parametrize("flag", [None, "", "yes", "1"])
    def test_take_no_other_word_for_true(self, flag: str | None) -> None:
        question(is_won(crm_deal(stage=WON, hs_is_closed_won=flag), None))


class TestMissingStage:
    def test_is_not_won_without_the_flag(self) -> None:
        assert is_won(crm_deal(stage=None), None) is False

    def test_is_a_question_with_the_flag(self) -> None:
        assert question(is_won(crm_deal(stage=None, hs_is_closed_won="true"), None)) == (
            "The deal's stage is not in any of HubSpot's pipelines."
        )


class TestProbability:
    @pytest.mark.parametrize("text", ["1", "1.0", "1.00", "1E0"])
    def test_of_one_is_won_however_it_is_written(self, text: str) -> None:
        assert is_won(crm_deal(stage=replace(WON, probability=text), hs_is_closed_won="true"), None) is True

    @pytest.mark.parametrize("text", ["", "abc", "0.99", "0", "100", "NaN"])
    def test_of_anything_else_is_not(self, text: str) -> None:
        stage = replace(WON, probability=text)

        assert is_won(crm_deal(stage=stage, hs_is_closed_won="false"), None) is False
        question(is_won(crm_deal(stage=stage, hs_is_closed_won="true"), None))

    def test_of_one_in_an_open_stage_is_not_won(self) -> None:
        assert is_won(crm_deal(stage=replace(WON, is_closed=False), hs_is_closed_won="false"), None) is False


class TestChosenStages:
    @pytest.mark.parametrize(
        ("stage", "chosen", "won"),
        [
            (WON, ["closedwon"], True), (WON, ["148302214"], False), (WON, [], False),
            (SIGNED, ["closedwon", "148302214"], True), (SIGNED, ["closedwon"], False), (SIGNED, None, True),
        ],
    )  # fmt: skip
    def test_narrow_what_counts_as_won(self, stage: CrmStage, chosen: list[str] | None, won: bool) -> None:
        assert is_won(crm_deal(stage=stage, hs_is_closed_won="true"), chosen) is won

    def test_make_no_open_stage_won(self) -> None:
        assert is_won(crm_deal(stage=OPEN, hs_is_closed_won="false"), ["contractsent"]) is False

    def test_leave_a_disagreement_a_question(self) -> None:
        question(is_won(crm_deal(stage=WON, hs_is_closed_won="false"), ["148302214"]))
