"""The worker dies by SIGKILL between and inside plan, send and record of each QuickBooks step.

Every step, point and behaviour of `requestid` meets; in every third case each the dying or the next send is answered,
times out with nothing done, or times out with the work done, so that all pairs with that meet as well.
"""

from __future__ import annotations

import pytest

from tests.crash.harness import BATCHES, HANG_S, STEPS, WRITE, Case, Ground
from tests.crash.outcome import assert_exactly_once

POINTS = ("before_plan_commit", "planned", "before_send", "after_send", "before_record_commit", "recorded")
SIDES = (None, "hang_before", "hang_after")


def side(step: str, point: str, requestid: str) -> str | None:
    """Return what happens to the first send of the case."""
    return SIDES[(STEPS.index(step) + POINTS.index(point) + (requestid == "forget")) % len(SIDES)]


def _kill(ground: Ground, step: str, requestid: str) -> dict[str, Case]:
    """Return a case for each point: its worker died there, and others went on. They recover beside each other."""
    ground.control("quickbooks", "settings", requestid=requestid)
    cases = {point: ground.case() for point in POINTS}
    with ground.clock_stopped():
        for point, case in cases.items():
            fault = side(step, point, requestid)
            if fault is not None:
                ground.fault(case, WRITE[step], fault, seconds=HANG_S)
            ground.kill_at(case, f"{step}.{point}")
            held = ground.rows("SELECT lease_until FROM lane WHERE id = %s", case.lane)[0]["lease_until"]
            assert held is not None, "the worker that died held this very lane"
    ground.settle(*cases.values())
    return cases


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(("step", "requestid"), BATCHES)
def test_exactly_once_after_a_death(ground: Ground, step: str, requestid: str, point: str) -> None:
    cases = ground.batch("killed", step, requestid, make=lambda: _kill(ground, step, requestid))
    assert_exactly_once(ground, cases[point])


class TestBillingRun:
    """The portal's own step, which writes drafts and queues deliveries, in one transaction."""

    @pytest.mark.parametrize("point", ["run", "before_commit"])
    def test_exactly_once_after_a_death(self, ground: Ground, point: str) -> None:
        case = ground.case()
        with ground.clock_stopped():
            ground.kill_at(case, f"billing.subscription.{point}")
            assert not ground.work(case, "quickbooks.invoice")
        ground.settle(case)
        assert_exactly_once(ground, case)
