"""Work that keeps failing by our own fault is told, and the telling ends when it goes well."""

from __future__ import annotations

from app.core import work
from app.core.work import Work
from app.portals.models import Portal
from app.problems.attendant import WorkProblems
from tests import factories as make


def failing_row() -> Work:
    lane_id = work.lane("portal").id
    work.refresh(lane_id, "billing.run", "daily")
    return make.row("billing.run", "daily")


class TestWorkProblems:
    def test_tells_operators_without_the_inside(self, portal: Portal) -> None:
        row = failing_row()
        row.last_error = "OverflowError: date value out of range"
        WorkProblems().stuck(row)

        problem = make.open_problems()["internal"]
        assert (problem.who, problem.work_id) == ("operator", row.id)
        assert "Overflow" not in problem.sentence + problem.holds + problem.action

    def test_is_silent_again_once_the_work_went_well(self, portal: Portal) -> None:
        row = failing_row()
        WorkProblems().stuck(row)
        WorkProblems().recovered(row)

        assert make.open_problems() == {}
