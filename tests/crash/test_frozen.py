"""A worker freezes around its send, its lease passes, another takes over, and the first comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.crash.harness import LOOK, STEPS, WRITE, Case, Ground, is_alive, resume, wait_until
from tests.crash.outcome import assert_exactly_once

MOMENTS = ("before_the_send", "between_look_and_write", "before_the_record")
# The stand-in holds the look-up's answer so long (less than the read time-out), and there the worker is frozen.
HOLD_S = 0.35


def _freeze(ground: Ground, case: Case, step: str, moment: str) -> int:
    """Win the deal; return the id of the worker that froze at this moment of the step."""
    if moment != "between_look_and_write":
        ground.arm(f"{step}.{'before_send' if moment == 'before_the_send' else 'after_send'}", "stop")
        ground.win(case)
        return ground.hit()
    if step in ("quickbooks.invoice", "quickbooks.mail"):  # these two look only after an unknown outcome
        ground.fault(case, WRITE[step], "close_before")
    held = ground.fault(case, LOOK[step], "slow", seconds=HOLD_S)
    ground.win(case)

    def arrived() -> bool:
        ground.notice(case)
        return ground.is_used(held)

    wait_until("the look-up to arrive", arrived)
    pid = ground.workhorse(case)
    os.kill(pid, signal.SIGSTOP)
    return pid


@pytest.fixture(scope="module")
def more_workers(ground: Ground) -> Iterator[None]:
    """Enough workers for all zombies and one that is well."""
    names = [f"worker:zombie-{moment}" for moment in MOMENTS[1:]]
    for name in names:
        ground.stack.start(name)
    yield
    for name in names:
        ground.stack.stop(name)


def _come_back(ground: Ground, step: str) -> dict[str, Case]:
    """Return a case for each moment: others finished what its frozen worker held, and then that one came back."""
    ground.control("quickbooks", "settings", requestid="forget")
    cases = {moment: ground.case() for moment in MOMENTS}
    zombies: dict[str, int] = {}
    try:
        for moment, case in cases.items():
            zombies[moment] = _freeze(ground, case, step, moment)
        ground.settle(*cases.values())
        before = {moment: (ground.journal(case), _rows(ground, case)) for moment, case in cases.items()}
    finally:
        for pid in zombies.values():
            resume(pid)
    wait_until("the zombies to end", lambda: not any(is_alive(pid) for pid in zombies.values()))
    for moment, case in cases.items():
        calls, rows = before[moment]
        writes = [call for call in ground.journal(case, *WRITE.values()) if call["n"] > calls[-1]["n"]]
        assert not writes, f"{moment}: the zombie sent {writes}"
        assert _rows(ground, case) == rows, f"{moment}: the zombie recorded"
    return cases


def _rows(ground: Ground, case: Case) -> list[dict[str, Any]]:
    """Return what a record would change."""
    seen = "SELECT id, state, attempts, fence, last_error, done_at FROM work WHERE portal_id = %s AND kind = ANY(%s)"
    return ground.rows(f"{seen} ORDER BY id", case.portal_id, list(STEPS))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.usefixtures("more_workers")
def test_neither_sends_nor_records_after_its_lease(ground: Ground, step: str, moment: str) -> None:
    cases = ground.batch("frozen", step, make=lambda: _come_back(ground, step))
    assert_exactly_once(ground, cases[moment])
