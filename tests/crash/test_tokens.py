"""The refresh of tokens is interrupted, and tokens end in the middle of a delivery."""

from __future__ import annotations

import os
import signal

import pytest

from tests.crash.harness import HANG_S, STEPS, WRITE, Case, Ground, wait_until
from tests.crash.outcome import assert_exactly_once

HOLD_S = 0.35


def _end_access(ground: Ground, case: Case) -> None:
    """Let the access token be over, there and, as time would show, here."""
    ground.control("quickbooks", "tokens", realm_id=case.realm_id, end="access")
    ground.execute("UPDATE token SET access_expires_at = now() WHERE portal_id = %s", case.portal_id)


def _lose_the_answer(ground: Ground) -> int:
    """Let the next refresh be done there, its answer never come; return the fault's id."""
    match = {"operation": "oauth.token"}
    return int(ground.control("quickbooks", "faults", match=match, kind="hang_after", seconds=HANG_S)["id"])


def _problems(ground: Ground, case: Case) -> list[str]:
    found = ground.rows("SELECT code FROM problem WHERE portal_id = %s AND closed_at IS NULL", case.portal_id)
    return [row["code"] for row in found]


def _writes(ground: Ground, case: Case) -> list[str]:
    return [call["operation"] for call in ground.journal(case, *WRITE.values())]


class TestRefreshInterrupted:
    """QuickBooks refreshed, and the new tokens never reached our database."""

    @pytest.mark.parametrize("ending", ["killed", "answer_lost"])
    def test_goes_on_by_itself_while_the_old_refresh_token_works(self, ground: Ground, ending: str) -> None:
        ground.control("quickbooks", "settings", requestid="honour", rotate="daily")
        case = ground.case()
        _end_access(ground, case)
        lost = _lose_the_answer(ground)
        ground.win(case)
        wait_until("the refresh to arrive", lambda: ground.is_used(lost))
        if ending == "killed":
            os.kill(ground.workhorse(case), signal.SIGKILL)
        ground.settle(case)
        assert_exactly_once(ground, case)

    def test_asks_an_admin_to_connect_again_when_the_old_one_is_dead(self, ground: Ground) -> None:
        """The accepted loss: the grant is gone, nothing was sent, the queue is kept, and connecting again is enough."""
        ground.control("quickbooks", "settings", requestid="honour", rotate="always")
        case = ground.case()
        _end_access(ground, case)
        _lose_the_answer(ground)
        ground.win(case)
        wait_until("the question to the admin", lambda: _problems(ground, case) == ["reconnect"])
        assert ground.rows("SELECT paused FROM lane WHERE id = %s", case.lane)[0]["paused"]
        assert not _writes(ground, case)
        ground.control("quickbooks", "settings", requestid="honour", rotate="daily")
        ground.connect(case.portal_id, case.realm_id)
        ground.settle(case)
        assert_exactly_once(ground, case)


@pytest.mark.parametrize("step", STEPS)
def test_exactly_once_when_the_access_token_ends_before_a_step(ground: Ground, step: str) -> None:
    """QuickBooks ends it while the step before is answered; we hear of it by a 401 and refresh."""
    ground.control("quickbooks", "settings", requestid="forget", rotate="always")
    case = ground.case()
    before = STEPS[max(STEPS.index(step) - 1, 0)]
    held = ground.fault(case, WRITE[before], "slow", seconds=HOLD_S)
    ground.win(case)
    wait_until("the write before to arrive", lambda: ground.is_used(held))
    ground.control("quickbooks", "tokens", realm_id=case.realm_id, end="access")
    ground.settle(case)
    ground.control("quickbooks", "settings", rotate="daily")
    assert_exactly_once(ground, case)


def test_exactly_once_when_the_app_was_disconnected_there_and_is_connected_again(ground: Ground) -> None:
    """The invoice is in the books, the mail isn't: connecting again sends that, and nothing else."""
    ground.control("quickbooks", "settings", requestid="forget")
    case = ground.case()
    ground.arm("quickbooks.invoice.recorded", "stop")
    ground.win(case)
    frozen = ground.hit()
    ground.control("quickbooks", "tokens", realm_id=case.realm_id, end="revoked")
    os.kill(frozen, signal.SIGCONT)
    wait_until("the question to the admin", lambda: _problems(ground, case) == ["reconnect"])
    assert "invoice.create" in _writes(ground, case)
    ground.connect(case.portal_id, case.realm_id)
    ground.settle(case)
    assert_exactly_once(ground, case)
