"""QuickBooks does the work and doesn't say so, or says no, or nothing: at each step, on either side of a time-out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.harness import BATCHES, HANG_S, STEPS, WRITE, Case, Ground
from tests.crash.outcome import assert_exactly_once

FAULTS: dict[str, dict[str, Any]] = {
    "hang_before": {"kind": "hang_before", "seconds": HANG_S},
    "hang_after": {"kind": "hang_after", "seconds": HANG_S},
    "close_before": {"kind": "close_before"},
    "close_after": {"kind": "close_after"},
    "503_before": {"kind": "before", "status": 503},
    "500_after": {"kind": "after", "status": 500},
    "429": {"kind": "before", "status": 429, "headers": {"Retry-After": "1"}},
    "401": {"kind": "before", "status": 401},
}


# A cut connection and a clear refusal need no memory of request ids to be met.
BY_BEHAVIOUR = {"honour": [name for name in FAULTS if name.startswith(("hang", "503", "500"))], "forget": list(FAULTS)}
CASES = [(step, requestid, fault) for step, requestid in BATCHES for fault in BY_BEHAVIOUR[requestid]]


def _answer(ground: Ground, step: str, requestid: str) -> dict[str, Case]:
    """Return a case for each fault, which met the first write of the step. They go on beside each other."""
    ground.control("quickbooks", "settings", requestid=requestid)
    cases = {name: ground.case() for name in BY_BEHAVIOUR[requestid]}
    rules = [ground.fault(case, WRITE[step], **FAULTS[name]) for name, case in cases.items()]
    for case in cases.values():
        ground.win(case)
    ground.settle(*cases.values())
    assert all(ground.is_used(rule) for rule in rules)
    return cases


@pytest.mark.parametrize(("step", "requestid", "fault"), CASES)
def test_exactly_once_after_a_bad_answer(ground: Ground, step: str, requestid: str, fault: str) -> None:
    cases = ground.batch("answers", step, requestid, make=lambda: _answer(ground, step, requestid))
    assert_exactly_once(ground, cases[fault])


@pytest.mark.parametrize("requestid", ["honour", "forget"])
def test_exactly_once_when_the_work_outlasts_the_time_out(ground: Ground, requestid: str) -> None:
    """Every write takes longer than we wait for it: each is found by looking, once the wait is over."""
    case = ground.case()
    ground.control("quickbooks", "settings", requestid=requestid, work_s=1)
    ground.win(case)
    ground.settle(case)
    ground.control("quickbooks", "settings", requestid="honour", work_s=0)
    assert {kind for kind, _, _ in case.unknown} == set(STEPS)
    assert_exactly_once(ground, case)
