"""The work table: asking twice is one row, and what runs is asked once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from app.core import work
from app.core.db import db, transaction
from app.core.work import DONE, PARKED, SENDING, WAITING, Lane, Wanted, Work


class Listener:
    """A doorbell that notes the rings."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    def ring(self, lane_id: int) -> None:
        self.rung.append(lane_id)


@pytest.fixture
def bell(portal: int) -> Iterator[Listener]:
    """The doorbell of this process, heard."""
    before = work._doorbell[0]
    listener = Listener()
    work.use_doorbell(listener)
    yield listener
    work.use_doorbell(before)


def row(work_id: int) -> Work:
    """Return a row as the database has it."""
    return db.session.execute(
        select(Work).where(Work.id == work_id).execution_options(populate_existing=True)
    ).scalar_one()


def put(portal: int, work_id: int, **values: object) -> None:
    """Bring a row into a state."""
    with transaction(portal):
        found = row(work_id)
        for name, value in values.items():
            setattr(found, name, value)


def in_seconds(instant: datetime) -> float:
    """Return how far ahead of the database's clock an instant is."""
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return (instant - now).total_seconds()


class TestLane:
    def test_is_made_once_per_kind(self, portal: int) -> None:
        with transaction(portal):
            first, second, other = work.lane("portal").id, work.lane("portal").id, work.lane("other").id
        with transaction(portal):
            assert work.lane("portal").id == first == second != other
            assert len(db.session.execute(select(Lane)).all()) == 2


class TestWant:
    def test_makes_a_waiting_row_that_is_due(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            work_id = work.want(lane_id, "read", 7, payload={"a": 1}, priority=30)
        with transaction(portal):
            made = row(work_id)
            assert (made.state, made.subject, made.payload, made.priority) == (WAITING, "7", {"a": 1}, 30)
            assert (made.wanted, made.served, made.attempts, made.fence) == (1, 0, 0, 0)
            assert -5 < in_seconds(made.due_at) <= 0

    def test_burst_is_one_row(self, portal: int, lane_id: int) -> None:
        ids = set()
        for _ in range(5):
            with transaction(portal):
                ids |= {work.want(lane_id, "read", 7), work.want(lane_id, "read", "7")}
        with transaction(portal):
            assert len(ids) == 1
            assert row(ids.pop()).wanted == 10
            assert db.session.execute(select(func.count()).select_from(Work)).scalar_one() == 1

    def test_other_kind_subject_or_lane_is_another_row(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            other = work.lane("other").id
            ids = {work.want(lane_id, "read", 7), work.want(lane_id, "read", 8), work.want(lane_id, "bill", 7),
                   work.want(other, "read", 7)}  # fmt: skip
        assert len(ids) == 4

    def test_delay_lets_it_wait_by_the_databases_clock(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            assert 85 < in_seconds(row(work.want(lane_id, "read", 7, delay_s=90)).due_at) <= 90

    def test_more_urgent_repeat_brings_it_forward_and_a_lazier_one_does_not_put_it_off(
        self, portal: int, lane_id: int
    ) -> None:
        with transaction(portal):
            work.want(lane_id, "read", 7, delay_s=90, priority=50)
            work.want(lane_id, "read", 7, priority=20)
            work_id = work.want(lane_id, "read", 7, delay_s=900, priority=80)
        with transaction(portal):
            assert row(work_id).priority == 20
            assert in_seconds(row(work_id).due_at) <= 0

    def test_running_row_is_asked_to_run_once_more(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            work_id = work.want(lane_id, "read", 7)
        put(portal, work_id, state=SENDING, served=1)
        with transaction(portal):
            work.want(lane_id, "read", 7)
        with transaction(portal):
            assert row(work_id).state == SENDING
            assert row(work_id).wanted > row(work_id).served

    @pytest.mark.parametrize("state", [DONE, PARKED])
    def test_leaves_a_finished_or_parked_create_alone(self, portal: int, lane_id: int, state: str) -> None:
        with transaction(portal):
            work_id = work.want(lane_id, "create", 7)
        put(portal, work_id, state=state, served=1)
        with transaction(portal):
            assert work.want(lane_id, "create", 7) == work_id
        with transaction(portal):
            assert row(work_id).state == state

    def test_does_not_bring_forward_a_write_whose_outcome_is_unknown(self, portal: int, lane_id: int) -> None:
        """Nothing may be sent before the wait since that send began is over, however often it is asked for."""
        with transaction(portal):
            work_id = work.want(lane_id, "create", 7)
        later = datetime.now(UTC) + timedelta(seconds=150)
        put(portal, work_id, outcome_unknown=True, due_at=later)
        with transaction(portal):
            work.want(lane_id, "create", 7, priority=1)
        with transaction(portal):
            assert row(work_id).due_at == later

    def test_rings_after_the_commit(self, portal: int, lane_id: int, bell: Listener) -> None:
        with transaction(portal):
            work.want(lane_id, "read", 7)
            assert bell.rung == []
        assert bell.rung == [lane_id]

    def test_rings_nobody_when_the_transaction_rolls_back(self, portal: int, lane_id: int, bell: Listener) -> None:
        with suppress(LookupError), transaction(portal):
            work.want(lane_id, "read", 7)
            raise LookupError
        assert bell.rung == []
        with transaction(portal):
            assert work.find("read", 7) is None


class TestWantAll:
    def test_makes_a_row_each_and_rings_once(self, portal: int, lane_id: int, bell: Listener) -> None:
        with transaction(portal):
            first = work.want(lane_id, "read", 7)
        bell.rung.clear()
        with transaction(portal):
            ids = work.want_all(lane_id, "mail", [Wanted(9), Wanted(8, [first], date(2027, 3, 5))], priority=40)
        with transaction(portal):
            assert set(ids) == {"8", "9"}
            after, plain = row(ids["8"]), row(ids["9"])
            assert (after.after, after.due_on, after.priority, after.state) == ([first], date(2027, 3, 5), 40, WAITING)
            assert (plain.after, plain.due_on, plain.wanted) == ([], None, 1)
        assert bell.rung == [lane_id]

    def test_asks_again_for_what_is_there_and_says_anew_what_it_comes_after(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            first = work.want(lane_id, "read", 7)
            again = work.want_all(lane_id, "read", [Wanted(7, [], date(2027, 3, 6))], priority=10)
        with transaction(portal):
            assert again == {"7": first}
            found = row(first)
            assert (found.wanted, found.priority, found.due_on) == (2, 10, date(2027, 3, 6))

    @pytest.mark.parametrize("state", [DONE, PARKED])
    def test_leaves_a_finished_or_parked_create_alone(self, portal: int, lane_id: int, state: str) -> None:
        with transaction(portal):
            work_id = work.want(lane_id, "create", 7)
        put(portal, work_id, state=state, served=1)
        with transaction(portal):
            work.want_all(lane_id, "create", [Wanted(7)])
        with transaction(portal):
            assert row(work_id).state == state

    def test_does_not_bring_forward_a_write_whose_outcome_is_unknown(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            work_id = work.want(lane_id, "create", 7)
        later = datetime.now(UTC) + timedelta(seconds=150)
        put(portal, work_id, outcome_unknown=True, due_at=later)
        with transaction(portal):
            work.want_all(lane_id, "create", [Wanted(7)], priority=1)
        with transaction(portal):
            assert row(work_id).due_at == later

    def test_of_nothing_is_nothing(self, portal: int, lane_id: int, bell: Listener) -> None:
        with transaction(portal):
            assert work.want_all(lane_id, "read", []) == {}
        assert bell.rung == []


class TestRefresh:
    @pytest.mark.parametrize("state", [DONE, PARKED])
    def test_runs_a_finished_or_parked_read_again_with_a_fresh_budget(
        self, portal: int, lane_id: int, state: str
    ) -> None:
        work_id = self.read(portal, lane_id)
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        put(portal, work_id, state=state, failures=9, failure_kind="transient", due_at=long_ago)
        assert self.read(portal, lane_id) == work_id
        with transaction(portal):
            again = row(work_id)
            assert (again.state, again.failures, again.failure_kind) == (WAITING, 0, None)
            assert -5 < in_seconds(again.due_at) <= 0

    def test_does_not_disturb_a_running_read(self, portal: int, lane_id: int) -> None:
        work_id = self.read(portal, lane_id)
        put(portal, work_id, state=SENDING, served=1)
        self.read(portal, lane_id)
        with transaction(portal):
            assert (row(work_id).state, row(work_id).wanted) == (SENDING, 2)

    def test_does_not_hurry_a_read_that_backs_off(self, portal: int, lane_id: int) -> None:
        work_id = self.read(portal, lane_id)
        later = datetime(2030, 1, 1, tzinfo=UTC)
        put(portal, work_id, state=WAITING, failures=3, failure_kind="throttled", due_at=later)
        self.read(portal, lane_id)
        with transaction(portal):
            assert row(work_id).due_at == later

    def test_asks_for_many_in_one_statement_and_each_once(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            work.refresh_all(lane_id, "read", [3, "1", 2, 3])
            found = [work.find("read", subject) for subject in (1, 2, 3)]
        assert [(one.subject, one.wanted) for one in found if one] == [("1", 1), ("2", 1), ("3", 1)]

    @staticmethod
    def read(portal: int, lane_id: int) -> int:
        with transaction(portal):
            work.refresh(lane_id, "read", 7)
            found = work.find("read", 7)
            assert found is not None
            return found.id


class TestAgain:
    @pytest.fixture
    def work_id(self, portal: int, lane_id: int) -> int:
        """A parked create whose request was frozen."""
        with transaction(portal):
            made = work.want(lane_id, "create", 7)
        put(portal, made, state=PARKED, failures=3, failure_kind="rejected", last_error="no", request=b"x",
            request_id="r1", request_hash="h", epoch=0)  # fmt: skip
        return made

    def test_grows_the_epoch_and_forgets_the_request_after_a_definite_rejection(
        self, portal: int, work_id: int
    ) -> None:
        with transaction(portal):
            work.again(row(work_id), new_epoch=True)
        with transaction(portal):
            found = row(work_id)
            assert (found.state, found.epoch, found.failures, found.last_error) == (WAITING, 1, 0, None)
            assert (found.request, found.request_id, found.request_hash) == (None, None, None)

    def test_keeps_the_request_and_its_id_when_the_outcome_is_unknown(self, portal: int, work_id: int) -> None:
        put(portal, work_id, outcome_unknown=True)
        with transaction(portal):
            work.again(row(work_id), new_epoch=True)
        with transaction(portal):
            assert (row(work_id).epoch, row(work_id).request, row(work_id).request_id) == (0, b"x", "r1")

    def test_does_not_run_before_the_wait_for_an_unknown_outcome_is_over(self, portal: int, work_id: int) -> None:
        later = datetime.now(UTC) + timedelta(seconds=150)
        put(portal, work_id, outcome_unknown=True, due_at=later)
        with transaction(portal):
            work.again(row(work_id), new_epoch=True)
        with transaction(portal):
            assert (row(work_id).state, row(work_id).due_at) == (WAITING, later)

    def test_keeps_the_epoch_when_nothing_was_rejected(self, portal: int, work_id: int) -> None:
        with transaction(portal):
            work.again(row(work_id), new_epoch=False)
        with transaction(portal):
            assert (row(work_id).epoch, row(work_id).request_id) == (0, "r1")

    def test_rings(self, portal: int, work_id: int, bell: Listener) -> None:
        with transaction(portal):
            work.again(row(work_id), new_epoch=False)
        assert len(bell.rung) == 1


class TestDatabase:
    def test_refuses_a_second_row_of_the_same_work(self, portal: int, lane_id: int) -> None:
        with transaction(portal):
            work.want(lane_id, "create", 7)
        insert = text("INSERT INTO work (lane_id, kind, subject, due_on) VALUES (:lane, 'create', '7', :day)")
        with pytest.raises(Exception, match="uq_work_lane_id_kind_subject"), transaction(portal):
            db.session.execute(insert, {"lane": lane_id, "day": date(2026, 1, 1)})
