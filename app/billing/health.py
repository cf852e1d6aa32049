"""Churn risk of a customer: a score from a written table of rules, and its reasons in plain words.

The table is data, printed for people in docs/churn-risk.md (a test holds the two equal). In each group only the first
rule that fits counts; groups add up, capped at 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from app.billing.calendar import people_date

Level = Literal["low", "medium", "high"]
MEDIUM_FROM, HIGH_FROM, MOST = 34, 67, 100


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What is known about a customer on `as_of` (the portal's local day).

    `contract_ends_on` is the last day served (None: open ended or no contract); `cancelled_from` the first day not
    served any more. `overdue_share_percent` is the overdue part of everything open, 0 - 100.
    `late_payments` counts invoices paid after their due date in the last twelve months, `average_days_late` over them.
    """

    as_of: date
    contract_ends_on: date | None = None
    auto_renews: bool = False
    is_renewed: bool = False
    cancelled_from: date | None = None
    overdue_days_max: int = 0
    overdue_share_percent: int = 0
    late_payments: int = 0
    average_days_late: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """A measure with the values that fit, both ends included; None is open."""

    measure: str
    least: int | None = None
    most: int | None = None

    def fits(self, measures: Mapping[str, int]) -> bool:
        """Say whether the measure is known and lies within the limit."""
        value = measures.get(self.measure)
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{self.measure} from {self.least} to {self.most}"
        return f"{self.measure} at least {self.least}" if self.most is None else f"{self.measure} at most {self.most}"


@dataclass(frozen=True, slots=True)
class Rule:
    """`points` when all limits fit; `sentence` is the reason, filled with the facts in words."""

    group: str
    limits: tuple[Limit, ...]
    points: int
    sentence: str

    @property
    def when(self) -> str:
        """The limits in words, as the table for people shows them."""
        return " and ".join(str(limit) for limit in self.limits)


_ENDS = "The contract ends on {ends} ({in_days}) and no renewal is agreed."
_OVERDUE = "An invoice is {overdue_days} overdue."
_SHARE = "{overdue_share}% of the open amount is overdue."
_LATE = "{late} in the last 12 months came late, {average_late} late on average."

# `days to end` is known only while a contract ends without renewal (none agreed, none automatic, not cancelled);
# `days to cancellation` only when the subscription is cancelled. Negative: it lies behind us.
RULES: tuple[Rule, ...] = (
    Rule("cancellation", (Limit("days to cancellation", most=0),), 100, "The subscription ended on {last_day}."),
    Rule(
        "cancellation",
        (Limit("days to cancellation", least=1),),
        80,
        "The subscription is cancelled; its last day is {last_day}.",
    ),
    Rule("contract", (Limit("days to end", most=-1),), 70, "The contract ended on {ends} and no renewal is agreed."),
    Rule("contract", (Limit("days to end", most=30),), 50, _ENDS),
    Rule("contract", (Limit("days to end", most=60),), 35, _ENDS),
    Rule("contract", (Limit("days to end", most=90),), 20, _ENDS),
    Rule("overdue days", (Limit("overdue days", least=60),), 45, _OVERDUE),
    Rule("overdue days", (Limit("overdue days", least=30),), 34, _OVERDUE),
    Rule("overdue days", (Limit("overdue days", least=14),), 20, _OVERDUE),
    Rule("overdue days", (Limit("overdue days", least=1),), 10, _OVERDUE),
    Rule("overdue share", (Limit("overdue share", least=50),), 15, _SHARE),
    Rule("overdue share", (Limit("overdue share", least=20),), 5, _SHARE),
    Rule("late payments", (Limit("late payments", least=3), Limit("average days late", least=15)), 25, _LATE),
    Rule("late payments", (Limit("late payments", least=3),), 15, _LATE),
    Rule("late payments", (Limit("late payments", least=1),), 5, _LATE),
)


@dataclass(frozen=True, slots=True)
class ChurnRisk:
    """`score` 0 - 100 (high is bad), its level, and one sentence for each rule that counted, heaviest first."""

    score: int
    level: Level
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return `{score, level, reasons}`."""
        return {"score": self.score, "level": self.level, "reasons": list(self.reasons)}


def churn_risk(facts: HealthFacts) -> ChurnRisk:
    """Apply the rule table: the first fitting rule of each group, points added, capped at 100."""
    measures, words = _measures(facts), _words(facts)
    counted: dict[str, Rule] = {}
    for rule in RULES:
        if rule.group not in counted and all(limit.fits(measures) for limit in rule.limits):
            counted[rule.group] = rule
    score = min(sum(rule.points for rule in counted.values()), MOST)
    heaviest_first = sorted(counted.values(), key=lambda rule: -rule.points)
    return ChurnRisk(score, level_of(score), tuple(rule.sentence.format_map(words) for rule in heaviest_first))


def level_of(score: int) -> Level:
    """Return low (below 34), medium (below 67) or high."""
    if score < MEDIUM_FROM:
        return "low"
    return "medium" if score < HIGH_FROM else "high"


def _measures(facts: HealthFacts) -> dict[str, int]:
    measures = {
        "overdue days": facts.overdue_days_max,
        "overdue share": facts.overdue_share_percent,
        "late payments": facts.late_payments,
        "average days late": facts.average_days_late,
    }
    if facts.cancelled_from is not None:
        measures["days to cancellation"] = (facts.cancelled_from - facts.as_of).days
    elif facts.contract_ends_on is not None and not facts.auto_renews and not facts.is_renewed:
        measures["days to end"] = (facts.contract_ends_on - facts.as_of).days
    return measures


def _words(facts: HealthFacts) -> dict[str, str]:
    ends = facts.contract_ends_on
    late = facts.late_payments
    return {
        "ends": people_date(ends) if ends else "",
        "in_days": _in_days((ends - facts.as_of).days) if ends else "",
        "last_day": people_date(facts.cancelled_from - timedelta(days=1)) if facts.cancelled_from else "",
        "overdue_days": _days(facts.overdue_days_max),
        "overdue_share": str(facts.overdue_share_percent),
        "late": "1 payment" if late == 1 else f"{late} payments",
        "average_late": _days(facts.average_days_late),
    }


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _in_days(count: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(count, f"in {count} days")
