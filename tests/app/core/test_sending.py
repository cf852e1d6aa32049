"""An outside call begins only while the lease outlasts it, and a process dies where a crash test says."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from app.core import clock
from app.core.retries import EXPECTED
from app.core.sending import LeaseOver, calls_until, refuse_after_lease
from tests.conftest import ROOT


class TestCallsUntil:
    def test_lets_calls_begin_before_the_moment(self) -> None:
        with calls_until(clock.monotonic() + 60):
            refuse_after_lease()

    def test_refuses_every_call_after_the_moment(self) -> None:
        with calls_until(clock.monotonic()):
            for _ in range(2):
                with pytest.raises(LeaseOver):
                    refuse_after_lease()

    def test_is_silent_where_no_lease_is_held(self) -> None:
        refuse_after_lease()
        with calls_until(clock.monotonic()), pytest.raises(LeaseOver):
            refuse_after_lease()
        refuse_after_lease()

    def test_comes_back_to_the_outer_moment(self) -> None:
        with calls_until(clock.monotonic() + 60):
            with calls_until(clock.monotonic()), pytest.raises(LeaseOver):
                refuse_after_lease()
            refuse_after_lease()

    def test_refusal_is_one_that_the_runner_handles(self) -> None:
        assert issubclass(LeaseOver, EXPECTED)


class TestFailpoints:
    @pytest.mark.parametrize(
        ("spec", "passed", "died"),
        [("", "a a", False), ("b", "a a", False), ("a", "", True), ("a:2", "a", True), ("a:3", "a a", False)],
    )
    def test_kill_the_process_at_the_chosen_passage_only(self, spec: str, passed: str, died: bool) -> None:
        program = (
            "from app.core.failpoints import Failpoints\n"
            f"points = Failpoints({spec!r})\n"
            "for _ in range(2):\n"
            "    points.here('a')\n"
            "    print('a', flush=True)\n"
        )
        ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.stdout.split() == passed.split()
        assert (ended.returncode == -signal.SIGKILL) is died
