"""Each kind of failure has its own budget and pace; what is used up parks where a person sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core import retries, work
from app.core.db import db, transaction
from app.core.outcome import FailureKind, Rejected, Unknown
from app.core.work import PARKED, SENDING, WAITING, Work


@dataclass(frozen=True)
class Pace:
    retry_base_s: float = 5
    unknown_wait_s: float = 150


PACE = Pace()
LONG = 10_000


@pytest.fixture
def row_id(portal: int) -> int:
    """A row that is being sent."""
    with transaction(portal):
        made = work.want(work.lane("portal").id, "create", 7)
        found = db.session.get_one(Work, made)
        found.state, found.send_began_at = SENDING, datetime.now(UTC)
    return made


def fail(
    portal: int, row_id: int, outcome: Rejected | Unknown, *, writes: bool = True, pace: Pace = PACE
) -> tuple[str, float]:
    """Let one attempt fail; return the row's state and the seconds until it is due."""
    with transaction(portal):
        row = db.session.get_one(Work, row_id)
        retries.apply(row, outcome, pace, writes=writes)
        now = db.session.execute(select(func.clock_timestamp())).scalar_one()
        return row.state, (row.due_at - now).total_seconds()


def rejected(kind: FailureKind, **details: Any) -> Rejected:
    return Rejected(kind, "They say no.", "code", **details)


class TestPace:
    def test_transient_doubles_from_the_base_up_to_an_hour(self, portal: int, row_id: int) -> None:
        waits = [round(fail(portal, row_id, rejected(FailureKind.TRANSIENT))[1]) for _ in range(12)]
        assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]

    def test_throttled_stays_at_a_minute(self, portal: int, row_id: int) -> None:
        assert [round(fail(portal, row_id, rejected(FailureKind.THROTTLED))[1]) for _ in range(3)] == [60, 60, 60]

    def test_wait_that_the_provider_asks_for_wins(self, portal: int, row_id: int) -> None:
        assert round(fail(portal, row_id, rejected(FailureKind.THROTTLED, retry_after_s=7))[1]) == 7

    def test_wait_of_days_is_cut_to_an_hour(self, portal: int, row_id: int) -> None:
        assert round(fail(portal, row_id, rejected(FailureKind.THROTTLED, retry_after_s=86_400))[1]) == 3600

    def test_expired_token_is_tried_again_at_once(self, portal: int, row_id: int) -> None:
        state, wait = fail(portal, row_id, rejected(FailureKind.EXPIRED))
        assert state == WAITING
        assert wait <= 0

    def test_our_own_configuration_is_tried_slowly(self, portal: int, row_id: int) -> None:
        waits = [round(fail(portal, row_id, rejected(FailureKind.CONFIGURATION))[1]) for _ in range(5)]
        assert waits == [300, 600, 1200, 2400, 3600]


class TestBudget:
    @pytest.mark.parametrize(
        ("kind", "tries"),
        [
            (FailureKind.TRANSIENT, 12), (FailureKind.THROTTLED, 60), (FailureKind.EXPIRED, 2),
            (FailureKind.CONFIGURATION, 24), (FailureKind.REJECTED, 0),
        ],
    )  # fmt: skip
    def test_parks_when_it_is_used_up(self, portal: int, row_id: int, kind: FailureKind, tries: int) -> None:
        assert [fail(portal, row_id, rejected(kind))[0] for _ in range(tries + 1)] == [WAITING] * tries + [PARKED]
        with transaction(portal):
            assert db.session.get_one(Work, row_id).last_error == "They say no."

    def test_is_never_used_up_by_a_revoked_grant_because_its_lane_is_paused_meanwhile(
        self, portal: int, row_id: int
    ) -> None:
        results = [fail(portal, row_id, rejected(FailureKind.REVOKED)) for _ in range(100)]
        assert {state for state, _ in results} == {WAITING}
        assert {round(wait) for _, wait in results} == {60}

    def test_every_kind_has_one(self) -> None:
        assert set(retries.BUDGETS) == set(FailureKind)

    def test_begins_anew_when_the_kind_of_failure_changes(self, portal: int, row_id: int) -> None:
        for _ in range(3):
            fail(portal, row_id, rejected(FailureKind.TRANSIENT))
        fail(portal, row_id, rejected(FailureKind.THROTTLED))
        assert round(fail(portal, row_id, rejected(FailureKind.TRANSIENT))[1]) == 5

    def test_definite_rejection_leaves_no_doubt_about_the_outcome(self, portal: int, row_id: int) -> None:
        fail(portal, row_id, rejected(FailureKind.REJECTED))
        with transaction(portal):
            assert not db.session.get_one(Work, row_id).outcome_unknown


class TestUnknown:
    def test_write_waits_from_when_its_send_began(self, portal: int, row_id: int) -> None:
        with transaction(portal):
            db.session.get_one(Work, row_id).send_began_at = datetime.now(UTC) - timedelta(seconds=20)
        state, wait = fail(portal, row_id, Unknown("time-out"))
        assert state == WAITING
        assert 125 < wait <= 130
        with transaction(portal):
            assert db.session.get_one(Work, row_id).outcome_unknown

    def test_write_waits_for_its_back_off_where_that_is_longer(self, portal: int, row_id: int) -> None:
        waits = [round(fail(portal, row_id, Unknown("time-out"))[1]) for _ in range(7)]
        assert waits == [150, 150, 150, 150, 150, 160, 320]

    def test_read_is_tried_again_soon_and_leaves_no_doubt(self, portal: int, row_id: int) -> None:
        assert round(fail(portal, row_id, Unknown("time-out"), writes=False)[1]) == 5
        with transaction(portal):
            assert not db.session.get_one(Work, row_id).outcome_unknown

    def test_parks_after_twelve_tries_and_stays_unknown(self, portal: int, row_id: int) -> None:
        states = [fail(portal, row_id, Unknown("time-out"))[0] for _ in range(13)]
        assert states == [WAITING] * 12 + [PARKED]
        with transaction(portal):
            row = db.session.get_one(Work, row_id)
            assert (row.outcome_unknown, row.last_error) == (True, "time-out")

    def test_person_can_not_send_a_parked_write_again_before_its_wait_is_over(self, portal: int, row_id: int) -> None:
        with transaction(portal):
            row = db.session.get_one(Work, row_id)
            row.failures, row.failure_kind, row.due_at = 12, "unknown", datetime(2026, 1, 1, tzinfo=UTC)
        fail(portal, row_id, Unknown("time-out"))
        with transaction(portal):
            row = db.session.get_one(Work, row_id)
            assert row.state == PARKED
            work.again(row, new_epoch=True)
            assert row.send_began_at is not None
            assert row.due_at == row.send_began_at + timedelta(seconds=150)
            assert row.epoch == 0


class TestInternal:
    def test_backs_off_and_is_never_given_up(self, portal: int, row_id: int) -> None:
        states, waits = [], []
        for _ in range(30):
            with transaction(portal):
                row = db.session.get_one(Work, row_id)
                retries.internal(row, ValueError("x" * LONG), PACE)
                states.append(row.state)
                now = db.session.execute(select(func.clock_timestamp())).scalar_one()
                waits.append(round((row.due_at - now).total_seconds()))
        assert states == [WAITING] * 30
        assert waits[:4] == [5, 10, 20, 40]
        assert waits[-1] == 3600
        with transaction(portal):
            error = db.session.get_one(Work, row_id).last_error
            assert error is not None
            assert error.startswith("ValueError: xxx")
            assert len(error) == 500
