"""Several workers want the same lane; the queue is lost and comes back empty."""

from __future__ import annotations

import pytest

from tests.crash.harness import STEPS, WRITE, Case, Ground, wait_until
from tests.crash.outcome import assert_exactly_once

# Less than the read time-out: the call is answered in the end.
HOLD_S = 0.35
RINGS = 6


@pytest.mark.parametrize("requestid", ["honour", "forget"])
@pytest.mark.parametrize("step", STEPS)
def test_exactly_once_when_workers_race_for_a_lane(ground: Ground, step: str, requestid: str) -> None:
    """All workers are rung for the lane while one of them holds it in the middle of the step's write."""
    ground.control("quickbooks", "settings", requestid=requestid)
    case = ground.case()
    held = ground.fault(case, WRITE[step], "slow", seconds=HOLD_S)
    ground.win(case)
    for _ in range(RINGS):
        ground.ring(case.portal_lane)
    wait_until("the write to arrive", lambda: ground.is_used(held))
    for _ in range(RINGS):
        ground.ring(case.lane)
    ground.settle(case)
    assert_exactly_once(ground, case)


def _lose_the_queue(ground: Ground) -> dict[str, Case]:
    """Return a case for each step that waits for its turn, and one in the middle of a send, as the queue is lost."""
    ground.control("quickbooks", "settings", requestid="forget")
    cases = {step: ground.case() for step in STEPS}
    for step, case in cases.items():
        ground.fault(case, WRITE[step], "close_after")
        ground.win(case)

    def all_wait() -> bool:
        ground.notice(*cases.values())
        return all(case.unknown for case in cases.values())

    wait_until("each case to wait after an unknown outcome", all_wait)
    cases["sending"] = ground.case()
    held = ground.fault(cases["sending"], "invoice.create", "slow", seconds=HOLD_S)
    ground.win(cases["sending"])
    wait_until("the write to arrive", lambda: ground.is_used(held))
    ground.stack.kill("valkey")
    ground.stack.start("valkey", empty=True)
    ground.settle(*cases.values())
    return cases


@pytest.mark.parametrize("what", [*STEPS, "sending"])
def test_exactly_once_when_the_queue_is_lost_and_empty(ground: Ground, what: str) -> None:
    assert_exactly_once(ground, ground.batch("queue lost", make=lambda: _lose_the_queue(ground))[what])
