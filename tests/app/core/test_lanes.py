"""Leases by the database's clock, fences against zombies."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.core import lanes, work
from app.core.db import transaction
from app.core.lanes import Held
from app.core.work import DONE, PARKED, SENDING, WAITING
from tests.app.core.lane_rows import FUTURE, PAST, ago, next_id, row, set_lane, want


class TestTake:
    def test_gives_portal_and_a_fence(self, portal: int, lane_id: int) -> None:
        held = lanes.take(lane_id, "us", 60)
        assert held == Held(lane_id, portal, 1)

    def test_is_exclusive_while_the_lease_lasts(self, held: Held) -> None:
        assert lanes.take(held.lane_id, "them", 60) is None
        assert lanes.take(held.lane_id, "us", 60) is None

    def test_is_possible_again_with_a_higher_fence_when_the_lease_is_over(self, portal: int, held: Held) -> None:
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        taken = lanes.take(held.lane_id, "them", 60)
        assert taken is not None
        assert taken.fence == held.fence + 1

    def test_is_possible_at_once_after_a_release(self, held: Held) -> None:
        lanes.release(held)
        taken = lanes.take(held.lane_id, "them", 60)
        assert taken is not None
        assert taken.fence == held.fence + 1

    def test_is_refused_while_the_lane_is_paused(self, portal: int, lane_id: int) -> None:
        set_lane(portal, lane_id, paused="QuickBooks has to be connected again.")
        assert lanes.take(lane_id, "us", 60) is None
        set_lane(portal, lane_id, paused=None)
        assert lanes.take(lane_id, "us", 60) is not None

    def test_is_refused_for_a_lane_that_does_not_exist(self, portal: int) -> None:
        assert lanes.take(2**62, "us", 60) is None

    def test_is_won_by_one_when_many_race(self, portal: int, lane_id: int, shared_app: Flask) -> None:
        for expected_fence in range(1, 11):
            start = threading.Barrier(4)
            won: list[Held | None] = []

            def race(start: threading.Barrier = start, won: list[Held | None] = won) -> None:
                with shared_app.app_context():
                    start.wait()
                    won.append(lanes.take(lane_id, "racer", 60))

            threads = [threading.Thread(target=race) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            winners = [held for held in won if held is not None]
            assert [held.fence for held in winners] == [expected_fence]
            lanes.release(winners[0])


class TestRelease:
    def test_of_a_lane_that_another_took_changes_nothing(self, portal: int, held: Held) -> None:
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        lanes.take(held.lane_id, "them", 60)
        lanes.release(held)
        assert lanes.take(held.lane_id, "third", 60) is None


class TestRenew:
    def test_extends_the_lease(self, portal: int, held: Held) -> None:
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        with transaction(portal):
            assert lanes.renew(held, 60)
        assert lanes.take(held.lane_id, "them", 60) is None

    def test_is_refused_with_a_stale_fence(self, portal: int, held: Held) -> None:
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        lanes.take(held.lane_id, "them", 60)
        with transaction(portal):
            assert not lanes.renew(held, 60)

    def test_is_refused_when_a_person_paused_the_lane(self, portal: int, held: Held) -> None:
        set_lane(portal, held.lane_id, paused="disconnected")
        with transaction(portal):
            assert not lanes.renew(held, 60)


class TestIsHeld:
    def test_ends_when_another_takes_the_lane(self, portal: int, held: Held) -> None:
        with transaction(portal):
            assert lanes.is_held(held)
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        later = lanes.take(held.lane_id, "them", 60)
        assert later is not None
        with transaction(portal):
            assert not lanes.is_held(held)
            assert lanes.is_held(later)


class TestClaim:
    def test_puts_our_fence_on_the_row_and_serves_every_request_so_far(self, portal: int, held: Held) -> None:
        for _ in range(3):
            work_id = want(portal, held.lane_id)
        with transaction(portal):
            claimed = lanes.claim(held, work_id, 60)
            assert claimed is not None
            assert (claimed.fence, claimed.served, claimed.attempts) == (held.fence, 3, 1)

    def test_is_refused_with_a_stale_fence(self, portal: int, held: Held) -> None:
        work_id = want(portal, held.lane_id)
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        lanes.take(held.lane_id, "them", 60)
        with transaction(portal):
            assert lanes.claim(held, work_id, 60) is None
            assert row(work_id).attempts == 0

    @pytest.mark.parametrize("state", [SENDING, DONE, PARKED])
    def test_is_refused_when_the_row_no_longer_waits(self, portal: int, held: Held, state: str) -> None:
        work_id = want(portal, held.lane_id, at={"state": state})
        with transaction(portal):
            assert lanes.claim(held, work_id, 60) is None

    def test_is_refused_for_a_row_that_is_gone(self, portal: int, held: Held) -> None:
        with transaction(portal):
            assert lanes.claim(held, 2**62, 60) is None


class TestRecord:
    @pytest.fixture
    def sending(self, portal: int, held: Held) -> int:
        """A row that we planned and are sending."""
        work_id = want(portal, held.lane_id)
        with transaction(portal):
            claimed = lanes.claim(held, work_id, 60)
            assert claimed is not None
            lanes.mark_sending(claimed, writes=True)
        return work_id

    def test_is_ours_while_the_fence_is(self, portal: int, held: Held, sending: int) -> None:
        with transaction(portal):
            mine = lanes.still_mine(held, sending)
            assert mine is not None
            assert mine.send_began_at is not None

    def test_zombie_gets_nothing_when_another_took_the_row(self, portal: int, held: Held, sending: int) -> None:
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        later = lanes.take(held.lane_id, "them", 60)
        assert later is not None
        with transaction(portal):
            row(sending).lease_until = ago(PAST)
        with transaction(portal):
            lanes.sweep(later, 0)
        with transaction(portal):
            assert lanes.still_mine(held, sending) is None
            claimed = lanes.claim(later, sending, 60)
            assert claimed is not None
            lanes.mark_sending(claimed, writes=True)
        with transaction(portal):
            assert lanes.still_mine(held, sending) is None
            assert lanes.still_mine(later, sending) is not None

    def test_zombie_gets_nothing_when_the_row_is_settled(self, portal: int, held: Held, sending: int) -> None:
        with transaction(portal):
            row(sending).state = DONE
        with transaction(portal):
            assert lanes.still_mine(held, sending) is None


class TestSweep:
    def sending(self, portal: int, held: Held, **at: Any) -> int:
        values = {"state": SENDING, "lease_until": ago(PAST), "send_began_at": ago(PAST), "writes": True}
        return want(portal, held.lane_id, at=values | at)

    def test_write_counts_as_unknown_and_waits_from_when_its_send_began(self, portal: int, held: Held) -> None:
        began = ago(timedelta(seconds=-30))
        work_id = self.sending(portal, held, send_began_at=began)
        with transaction(portal):
            lanes.sweep(held, 150)
        with transaction(portal):
            swept = row(work_id)
            assert (swept.state, swept.outcome_unknown, swept.lease_until) == (WAITING, True, None)
            assert swept.due_at == began + timedelta(seconds=150)
            assert swept.last_error == "The worker stopped before the answer was recorded."

    def test_write_whose_wait_is_over_is_due_at_once(self, portal: int, held: Held) -> None:
        work_id = self.sending(portal, held, send_began_at=ago(timedelta(hours=-1)))
        with transaction(portal):
            lanes.sweep(held, 150)
        assert next_id(held) == work_id

    def test_read_is_due_at_once_and_not_unknown(self, portal: int, held: Held) -> None:
        work_id = self.sending(portal, held, writes=False)
        with transaction(portal):
            lanes.sweep(held, 150)
        with transaction(portal):
            assert not row(work_id).outcome_unknown
        assert next_id(held) == work_id

    def test_unknown_outcome_of_an_earlier_attempt_is_not_forgotten(self, portal: int, held: Held) -> None:
        work_id = self.sending(portal, held, writes=False, outcome_unknown=True)
        with transaction(portal):
            lanes.sweep(held, 150)
            assert row(work_id).outcome_unknown

    def test_leaves_alone_what_is_still_leased(self, portal: int, held: Held) -> None:
        work_id = self.sending(portal, held, lease_until=ago(FUTURE))
        with transaction(portal):
            lanes.sweep(held, 150)
            assert row(work_id).state == SENDING

    def test_leaves_other_lanes_alone(self, portal: int, held: Held) -> None:
        with transaction(portal):
            other = work.lane("other").id
        work_id = self.sending(portal, Held(other, portal, 1))
        with transaction(portal):
            lanes.sweep(held, 150)
            assert row(work_id).state == SENDING


class TestInFlight:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [({}, False), ({"state": SENDING}, True), ({"outcome_unknown": True}, True),
         ({"state": PARKED, "outcome_unknown": True}, False), ({"state": DONE, "outcome_unknown": True}, False)],
    )  # fmt: skip
    def test_is_a_send_under_way_or_about_to_be_looked_up(
        self, portal: int, lane_id: int, at: dict[str, Any], expected: bool
    ) -> None:
        want(portal, lane_id, at=at)
        with transaction(portal):
            assert lanes.in_flight(lane_id) is expected
