"""The keeper: whatever ends its owner, nothing that the owner started goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.conftest import all_gone
from tools.errors import ToolError
from tools.processes import ROOT
from tools.supervisor.client import Keeper, Launch

# A process with a child that leaves its session and one that leaves its parent too, as daemons do.
FAMILY = """\
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
session = subprocess.Popen(sleep, start_new_session=True)
away = f"subprocess.Popen({sleep!r}, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)"
daemon = [sys.executable, "-c", f"import subprocess; print({away}.pid)"]
print(session.pid, subprocess.run(daemon, capture_output=True, text=True).stdout.strip(), flush=True)
time.sleep(600)
"""
OWNER = """\
import os, sys, time
from pathlib import Path
from tools.supervisor.client import Keeper, Launch
folder = Path(sys.argv[1])
keeper = Keeper(folder / "keeper.log", delete=[folder / "throw-away"])
child = keeper.spawn(Launch([sys.executable, "-c", sys.argv[2]], dict(os.environ), folder, folder / "family"))
if os.fork() == 0:
    time.sleep(600)  # a fork of the owner, which holds its end of the socket open
print(keeper.pid, child.pid, flush=True)
time.sleep(600)
"""


def wait_for_text(path: Path) -> str:
    deadline = time.monotonic() + 30
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline, f"nothing in {path}"
        time.sleep(0.02)
    return path.read_text()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path / "keeper.log")
    yield keeper
    keeper.close()


def launch(folder: Path, code: str, log: str = "log") -> Launch:
    return Launch([sys.executable, "-c", code], dict(os.environ), folder, folder / log)


class TestOwnerGone:
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_everything_ends_and_throw_away_folders_are_deleted(self, tmp_path: Path, number: signal.Signals) -> None:
        (tmp_path / "throw-away").mkdir()
        argv = [sys.executable, "-c", OWNER, tmp_path, FAMILY]
        owner = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, process_group=0)
        try:
            assert owner.stdout is not None
            pids = {owner.pid, *map(int, owner.stdout.readline().split())}
            pids |= {*map(int, wait_for_text(tmp_path / "family").split())}
            os.kill(owner.pid, number)
            owner.wait(10)
            assert all_gone(pids) == set()
            assert not (tmp_path / "throw-away").exists()
        finally:
            os.killpg(owner.pid, signal.SIGKILL)  # the fork too, which nobody else ends
            owner.wait(10)
            owner.stdout.close()


class TestKeeperGone:
    def test_children_and_what_escaped_from_them_end(self, tmp_path: Path) -> None:
        keeper = Keeper(tmp_path / "keeper.log")
        child = keeper.spawn(launch(tmp_path, FAMILY))
        pids = {child.pid, *map(int, wait_for_text(tmp_path / "log").split())}
        os.kill(keeper.pid, signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
        assert all_gone(pids) == set()
        with pytest.raises(ToolError, match="keeper is gone"):
            keeper.spawn(launch(tmp_path, "pass"))
        keeper.close()


class TestChildren:
    def test_reports_exit_codes_and_signals(self, keeper: Keeper, tmp_path: Path) -> None:
        assert keeper.spawn(launch(tmp_path, "raise SystemExit(7)")).wait(30) == 7
        sleeper = keeper.spawn(launch(tmp_path, "import time; time.sleep(600)"))
        assert sleeper.wait(0.05) is None
        assert sleeper.signal(signal.SIGTERM)
        assert sleeper.wait(30) == -signal.SIGTERM
        assert not sleeper.signal(signal.SIGTERM)

    def test_kills_what_ignores_the_stop_signal(self, keeper: Keeper, tmp_path: Path) -> None:
        code = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "print('on', flush=True); time.sleep(600)"
        )
        child = keeper.spawn(launch(tmp_path, code))
        wait_for_text(tmp_path / "log")
        assert child.stop(timeout_s=0.2) == -signal.SIGKILL

    def test_start_in_default_signal_state_without_the_owners_terminal(self, keeper: Keeper, tmp_path: Path) -> None:
        code = (
            "import os, signal, sys; "
            "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, "
            "signal.getsignal(signal.SIGHUP) is signal.SIG_DFL, "
            "os.getsid(0) == os.getpid(), sys.stdin.read() == '')"
        )
        assert keeper.spawn(launch(tmp_path, code)).wait(30) == 0
        assert (tmp_path / "log").read_text().split() == ["True"] * 4

    def test_says_what_cannot_be_started(self, keeper: Keeper, tmp_path: Path) -> None:
        with pytest.raises(ToolError, match="no-such-program"):
            keeper.spawn(Launch(["no-such-program"], {}, tmp_path, tmp_path / "log"))

    def test_ends_whole_trees_when_closed(self, keeper: Keeper, tmp_path: Path) -> None:
        child = keeper.spawn(launch(tmp_path, FAMILY))
        pids = {child.pid, *map(int, wait_for_text(tmp_path / "log").split())}
        keeper.close()
        assert all_gone(pids, timeout_s=0) == set()
