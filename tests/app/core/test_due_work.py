"""What is due: in which order, after what, on which day, and which lanes are worth a ring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.core import clock, lanes, work
from app.core.db import db, transaction
from app.core.lanes import Held
from app.core.work import DONE, PARKED, SENDING, WAITING
from app.portals import queries as portals
from tests.app.core.lane_rows import FUTURE, PAST, ago, next_id, row, set_lane, want


class TestNextDue:
    def test_is_nothing_when_nothing_is_wanted(self, held: Held) -> None:
        assert next_id(held) is None

    def test_goes_by_priority_then_by_when_it_is_due_then_by_age(self, portal: int, held: Held) -> None:
        lane_id = held.lane_id
        same = ago(timedelta(minutes=-3))
        last = want(portal, lane_id, "low", priority=90)
        third = want(portal, lane_id, "b", at={"due_at": same})
        fourth = want(portal, lane_id, "c", at={"due_at": same})
        second = want(portal, lane_id, "older", at={"due_at": ago(timedelta(hours=-1))})
        first = want(portal, lane_id, "urgent", priority=10)
        order = []
        while (found := next_id(held)) is not None:
            order.append(found)
            with transaction(portal):
                row(found).state = DONE
        assert order == [first, second, third, fourth, last]

    @pytest.mark.parametrize("at", [{"due_at": ago(FUTURE)}, {"state": DONE}, {"state": PARKED}, {"state": SENDING}])
    def test_leaves_out_what_is_not_due_or_not_waiting(self, portal: int, held: Held, at: dict[str, Any]) -> None:
        want(portal, held.lane_id, at=at)
        assert next_id(held) is None

    def test_row_that_waits_or_failed_holds_up_no_other(self, portal: int, held: Held) -> None:
        want(portal, held.lane_id, "parked", at={"state": PARKED}, priority=1)
        want(portal, held.lane_id, "later", at={"due_at": ago(FUTURE)}, priority=1)
        due = want(portal, held.lane_id, "due")
        assert next_id(held) == due

    @pytest.mark.parametrize("state", [WAITING, SENDING, PARKED])
    def test_waits_for_everything_it_comes_after(self, portal: int, held: Held, state: str) -> None:
        later = ago(FUTURE)
        first = want(portal, held.lane_id, "customer", at={"state": DONE})
        second = want(portal, held.lane_id, "item", at={"state": state, "due_at": later})
        dependent = want(portal, held.lane_id, "invoice", after=[first, second])
        assert next_id(held) is None
        with transaction(portal):
            row(second).state = DONE
        assert next_id(held) == dependent

    def test_is_of_this_lane_only(self, portal: int, held: Held) -> None:
        with transaction(portal):
            other = work.lane("other").id
        want(portal, other)
        assert next_id(held) is None


class TestDueOn:
    """Calendar work follows the clock that people move, and only that."""

    @pytest.fixture(autouse=True)
    def _clock(self, portal: int) -> Iterator[None]:
        yield
        with transaction(portal):
            clock.move(None)

    def move(self, portal: int, day: date) -> None:
        with transaction(portal):
            portals.current().timezone = "UTC"
            clock.move(day, "UTC")

    def test_waits_for_its_day_and_runs_on_it(self, portal: int, held: Held) -> None:
        day = date(2031, 3, 1)
        work_id = want(portal, held.lane_id, due_on=day)
        self.move(portal, date(2031, 2, 28))
        assert next_id(held) is None
        lanes.release(held)
        assert held.lane_id not in lanes.due()
        self.move(portal, day)
        assert next_id(held) == work_id
        assert held.lane_id in lanes.due()

    def test_does_not_run_before_it_is_due_by_the_instant_too(self, portal: int, held: Held) -> None:
        want(portal, held.lane_id, due_on=date(2031, 3, 1), at={"due_at": ago(FUTURE)})
        self.move(portal, date(2031, 3, 2))
        assert next_id(held) is None

    def test_day_is_the_portals_own(self, portal: int, held: Held) -> None:
        with transaction(portal):
            portals.current().timezone = "Pacific/Kiritimati"
            east = clock.today("Pacific/Kiritimati")
            portals.current().timezone = "Pacific/Pago_Pago"
            assert east > clock.today("Pacific/Pago_Pago")
        work_id = want(portal, held.lane_id, due_on=east)
        assert next_id(held) is None
        with transaction(portal):
            portals.current().timezone = "Pacific/Kiritimati"
        assert next_id(held) == work_id

    def test_moved_day_moves_no_instant(self, portal: int, held: Held) -> None:
        want(portal, held.lane_id, at={"due_at": ago(FUTURE)})
        self.move(portal, date(2040, 1, 1))
        assert next_id(held) is None
        with transaction(portal):
            assert clock.today("UTC") == date(2040, 1, 1)
            assert clock.now().year < 2040


class TestDueLanes:
    """`lanes_due` looks across portals, so each case asks about its own lane only."""

    def is_due(self, lane_id: int, rering_s: float = 0) -> bool:
        return lane_id in lanes.due(limit=10_000, rering_s=rering_s)

    def test_have_a_row_that_is_due(self, portal: int, lane_id: int) -> None:
        assert not self.is_due(lane_id)
        want(portal, lane_id)
        assert self.is_due(lane_id)

    @pytest.mark.parametrize("at", [{"due_at": ago(FUTURE)}, {"state": DONE}, {"state": PARKED}])
    def test_are_not_those_with_waiting_finished_or_parked_rows(
        self, portal: int, lane_id: int, at: dict[str, Any]
    ) -> None:
        want(portal, lane_id, at=at)
        assert not self.is_due(lane_id)

    def test_are_not_those_whose_row_waits_for_another(self, portal: int, lane_id: int) -> None:
        first = want(portal, lane_id, "a", at={"due_at": ago(FUTURE)})
        want(portal, lane_id, "b", after=[first])
        assert not self.is_due(lane_id)
        with transaction(portal):
            row(first).state = DONE
        assert self.is_due(lane_id)

    def test_have_a_row_whose_worker_died(self, portal: int, lane_id: int) -> None:
        work_id = want(portal, lane_id, at={"state": SENDING, "lease_until": ago(FUTURE)})
        assert not self.is_due(lane_id)
        with transaction(portal):
            row(work_id).lease_until = ago(PAST)
        assert self.is_due(lane_id)

    def test_are_not_those_with_a_live_holder(self, portal: int, held: Held) -> None:
        want(portal, held.lane_id)
        assert not self.is_due(held.lane_id)
        set_lane(portal, held.lane_id, lease_until=ago(PAST))
        assert self.is_due(held.lane_id)

    def test_are_not_those_that_are_paused(self, portal: int, lane_id: int) -> None:
        want(portal, lane_id)
        set_lane(portal, lane_id, paused="x")
        assert not self.is_due(lane_id)

    def test_are_not_those_of_a_portal_that_left(self, portal: int, lane_id: int) -> None:
        want(portal, lane_id)
        with transaction(portal):
            portals.current().state = "uninstalled"
        assert not self.is_due(lane_id)

    def test_are_rung_again_only_after_a_while(self, portal: int, lane_id: int) -> None:
        want(portal, lane_id)
        assert self.is_due(lane_id, rering_s=60)
        assert not self.is_due(lane_id, rering_s=60)
        set_lane(portal, lane_id, rung_at=ago(timedelta(seconds=-61)))
        assert self.is_due(lane_id, rering_s=60)

    def test_are_at_most_as_many_as_asked_for_and_the_longest_silent_first(self, portal: int, lane_id: int) -> None:
        want(portal, lane_id)
        with transaction(portal):
            other = work.lane("other").id
        want(portal, other)
        lanes.due(limit=10_000, rering_s=0)
        set_lane(portal, lane_id, rung_at=datetime(2001, 1, 1, tzinfo=UTC))
        set_lane(portal, other, rung_at=datetime(2002, 1, 1, tzinfo=UTC))
        assert lanes.due(limit=1, rering_s=0) == [lane_id]
        assert lanes.due(limit=1, rering_s=0) == [other]


class TestClock:
    def test_moves_and_comes_back(self, portal: int) -> None:
        with transaction(portal):
            real = clock.today("UTC")
            clock.move(date(2030, 5, 6), "UTC")
            assert clock.today("UTC") == date(2030, 5, 6)
            clock.move(None)
            assert clock.today("UTC") == real

    def test_is_read_inside_the_database_by_the_portals_zone(self, portal: int) -> None:
        with transaction(portal):
            zone = portals.current().timezone
            assert db.session.execute(text("SELECT portal_today()")).scalar_one() == clock.today(zone)
