"""Tells of work that keeps failing by our own fault, so that nothing stops in silence."""

from __future__ import annotations

from app.core.work import Work
from app.problems import actions
from app.problems.actions import OPERATOR, Finding

_CODE = "internal"


class WorkProblems:
    """Opens a problem for a row that failed again and again, and closes it when the row went well."""

    def stuck(self, row: Work) -> None:
        """What went wrong stands on the row and in the log; people read that something waits, and for whom."""
        finding = Finding(
            code=_CODE, sentence="Dealwright fails at a piece of its own work and keeps trying.",
            holds="What this work would have brought up to date; nothing is lost.", who=OPERATOR,
            action="Dealwright's operators have to look at its log.", data={"kind": row.kind, "subject": row.subject},
        )  # fmt: skip
        actions.open_problem(finding, "work", row.id, work_id=row.id)

    def recovered(self, row: Work) -> None:
        """Close what `stuck` opened."""
        actions.close_problems("work", row.id, only=_CODE)
