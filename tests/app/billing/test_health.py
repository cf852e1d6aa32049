"""Churn risk: the rule table, its sentences, and the page that prints it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.billing.health import HIGH_FROM, MEDIUM_FROM, RULES, HealthFacts, churn_risk, level_of

_TODAY = date(2026, 11, 24)
_PAGE = Path(__file__).parents[3] / "docs" / "churn-risk.md"


def facts(**known: object) -> HealthFacts:
    return HealthFacts(_TODAY, **known)  # type: ignore[arg-type]  # keyword facts of several types


class TestChurnRisk:
    @pytest.mark.parametrize(
        ("known", "score", "level", "reasons"),
        [
            ({}, 0, "low", ()),
            (
                {"contract_ends_on": date(2026, 12, 31)},
                35,
                "medium",
                ("The contract ends on 31 Dec 2026 (in 37 days) and no renewal is agreed.",),
            ),
            (
                {"contract_ends_on": date(2026, 11, 25)},
                50,
                "medium",
                ("The contract ends on 25 Nov 2026 (tomorrow) and no renewal is agreed.",),
            ),
            (
                {"contract_ends_on": _TODAY},
                50,
                "medium",
                ("The contract ends on 24 Nov 2026 (today) and no renewal is agreed.",),
            ),
            (
                {"contract_ends_on": date(2026, 11, 23)},
                70,
                "high",
                ("The contract ended on 23 Nov 2026 and no renewal is agreed.",),
            ),
            (
                {"contract_ends_on": date(2027, 2, 22)},
                20,
                "low",
                ("The contract ends on 22 Feb 2027 (in 90 days) and no renewal is agreed.",),
            ),
            ({"contract_ends_on": date(2027, 2, 23)}, 0, "low", ()),
            ({"contract_ends_on": date(2026, 12, 31), "auto_renews": True}, 0, "low", ()),
            ({"contract_ends_on": date(2026, 12, 31), "is_renewed": True}, 0, "low", ()),
            ({"overdue_days_max": 1}, 10, "low", ("An invoice is 1 day overdue.",)),
            ({"overdue_days_max": 30}, 34, "medium", ("An invoice is 30 days overdue.",)),
            (
                {"overdue_days_max": 60, "overdue_share_percent": 80},
                60,
                "medium",
                ("An invoice is 60 days overdue.", "80% of the open amount is overdue."),
            ),
            (
                {"late_payments": 1, "average_days_late": 40},
                5,
                "low",
                ("1 payment in the last 12 months came late, 40 days late on average.",),
            ),
            (
                {"late_payments": 3, "average_days_late": 15},
                25,
                "low",
                ("3 payments in the last 12 months came late, 15 days late on average.",),
            ),
            (
                {"cancelled_from": date(2027, 1, 1)},
                80,
                "high",
                ("The subscription is cancelled; its last day is 31 Dec 2026.",),
            ),
            ({"cancelled_from": _TODAY}, 100, "high", ("The subscription ended on 23 Nov 2026.",)),
        ],
    )
    def test_adds_the_first_fitting_rule_of_each_group(
        self, known: dict[str, object], score: int, level: str, reasons: tuple[str, ...]
    ) -> None:
        risk = churn_risk(facts(**known))
        assert (risk.score, risk.level, risk.reasons) == (score, level, reasons)

    def test_puts_the_heaviest_reason_first_and_caps_the_sum(self) -> None:
        risk = churn_risk(
            facts(contract_ends_on=date(2026, 12, 1), overdue_days_max=70, overdue_share_percent=50, late_payments=2)
        )
        assert risk.score == 100
        assert [reason.split(" ")[1] for reason in risk.reasons] == ["contract", "invoice", "of", "payments"]
        assert risk.to_json() == {"score": 100, "level": "high", "reasons": list(risk.reasons)}

    def test_counts_a_cancellation_instead_of_the_contract_end(self) -> None:
        risk = churn_risk(facts(contract_ends_on=date(2026, 12, 31), cancelled_from=date(2027, 1, 1)))
        assert len(risk.reasons) == 1

    @pytest.mark.parametrize(
        ("score", "level"), [(0, "low"), (33, "low"), (34, "medium"), (66, "medium"), (67, "high")]
    )
    def test_levels_have_fixed_edges(self, score: int, level: str) -> None:
        assert level_of(score) == level


class TestPage:
    def test_prints_the_table_that_the_code_applies(self) -> None:
        rows = [
            tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
            for line in _PAGE.read_text(encoding="utf-8").splitlines()
            if line.startswith("| ") and not line.startswith(("| Group", "| ---"))
        ]
        assert rows == [(rule.group, rule.when, str(rule.points), rule.sentence) for rule in RULES]

    def test_names_the_edges_of_the_levels(self) -> None:
        page = _PAGE.read_text(encoding="utf-8")
        assert f"low below {MEDIUM_FROM}, medium below {HIGH_FROM}, high from {HIGH_FROM}" in page
