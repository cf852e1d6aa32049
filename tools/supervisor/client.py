"""Talk to a keeper: start processes that cannot outlive this one."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.supervisor import keeper as program
from tools.supervisor import proctree

REQUEST_S = 30.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Launch:
    """What to start: `log` gets standard output and error, `user` is (uid, gid) to drop to.

    `is_server` marks what holds data: it is stopped last, by `stop_signal` instead of a kill.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    user: tuple[int, int] | None = None
    is_server: bool = False
    stop_signal: signal.Signals = signal.SIGTERM


class Child:
    """A process that the keeper started. `status` is None while it runs, else its exit code (negative: the signal)."""

    def __init__(self, keeper: Keeper, pid: int, launch: Launch) -> None:
        self.keeper, self.pid, self.launch = keeper, pid, launch
        self.status: int | None = None

    def signal(self, number: int) -> bool:
        """Send a signal to this process alone; False when it has ended."""
        return bool(self.keeper.ask("signal", pid=self.pid, signal=int(number)).get("sent"))

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the end and return the exit code, or None when the time is over first."""
        with self.keeper.changed:
            self.keeper.changed.wait_for(lambda: self.status is not None, timeout_s)
            return self.status

    def stop(self, timeout_s: float = 10.0, *, is_asked: bool = False) -> int:
        """Send the stop signal, kill after `timeout_s`, and return the exit code. What it left behind is killed too.

        `is_asked`: the signal was sent before. Sent twice, it makes a worker drop its job instead of finishing it.
        """
        if not is_asked:
            self.signal(self.launch.stop_signal)
        if self.wait(timeout_s) is None:
            self.signal(signal.SIGKILL)
        status = self.wait(REQUEST_S)
        self.clear()
        if status is None:
            raise ToolError(f"process {self.pid} does not end, not even when killed.")
        return status

    def clear(self) -> None:
        """Kill what this process left behind in its session. Nothing happens while it runs."""
        self.keeper.ask("clear", pid=self.pid)


class Keeper:
    """A running keeper process.

    Everything started through it ends when `close` is called or when this process dies in any way. `delete` names
    folders that the keeper removes at the very end; `hold` names open file descriptors (locks) that it keeps open as
    long as it lives. `on_exit` is called from another thread for every child that ends.
    """

    def __init__(
        self,
        log: Path,
        *,
        delete: Sequence[Path] = (),
        hold: Sequence[int] = (),
        on_exit: Callable[[Child], None] | None = None,
    ) -> None:
        self.token = secrets.token_hex(12)
        self.changed = threading.Condition()
        self.on_exit = on_exit
        self._children: dict[int, Child] = {}
        self._replies: dict[int, dict[str, Any]] = {}
        self._early: dict[int, int] = {}
        self._ids = itertools.count(1)
        self._lost = self._closing = False
        self._ready = threading.Event()
        self._socket, theirs = socket.socketpair()
        with theirs, open(log, "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-m", program.__name__, str(os.getpid()), self.token, *map(str, delete)],
                cwd=ROOT,
                stdin=theirs.fileno(),
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=tuple(hold),
                env=self.mark(os.environ),
            )
        self._reader = threading.Thread(target=self._read, name="keeper", daemon=True)
        self._reader.start()
        if not self._ready.wait(REQUEST_S) or self._lost:
            raise ToolError(f"the process keeper did not start; see {log}")

    @property
    def pid(self) -> int:
        """The keeper's own process id."""
        return int(self._process.pid)

    @property
    def is_alive(self) -> bool:
        """Say whether the keeper runs. When it was killed, so was everything that it ran."""
        return not self._lost

    def mark(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return `env` with this run's mark, by which the keeper finds what escaped from it."""
        outer = env.get(program.MARK)
        return {**env, program.MARK: f"{outer},{self.token}" if outer else self.token}

    def spawn(self, launch: Launch) -> Child:
        """Start a process. Raises ToolError when it cannot be started."""
        reply = self.ask(
            "spawn",
            argv=list(launch.argv),
            env=self.mark(launch.env),
            cwd=str(launch.cwd),
            log=str(launch.log),
            user=launch.user,
            is_server=launch.is_server,
            stop_signal=int(launch.stop_signal),
        )
        child = Child(self, reply["pid"], launch)
        with self.changed:
            self._children[child.pid] = child
            early = self._early.pop(child.pid, None)
        if early is not None:
            self._exited(child.pid, early)
        return child

    def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        """Send one request and return the reply. Raises ToolError on refusal or when the keeper is gone."""
        number = next(self._ids)
        message = json.dumps({"id": number, "do": what, **fields}).encode() + b"\n"
        with self.changed:
            with contextlib.suppress(OSError):
                self._socket.sendall(message)
            self.changed.wait_for(lambda: self._lost or number in self._replies, REQUEST_S)
            reply = self._replies.pop(number, None)
        if reply is None:
            raise ToolError("the process keeper is gone, so everything it ran was ended.")
        if "error" in reply:
            raise ToolError(f"{what} failed: {reply['error']}")
        return reply

    def close(self) -> None:
        """End everything that is left and wait until it is gone. May be called twice."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._process.wait(program.KILL_S * 2 + program.SERVER_STOP_S * 2 + 5)
        self._reader.join(5)
        self._socket.close()

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
        self._keeper_ended()

    def _take(self, message: dict[str, Any]) -> None:
        if "exit" in message:
            self._exited(message["exit"], message["status"])
            return
        with self.changed:
            if "ready" in message:
                self._ready.set()
            else:
                self._replies[message["id"]] = message
            self.changed.notify_all()

    def _exited(self, pid: int, status: int) -> None:
        with self.changed:
            child = self._children.pop(pid, None)
            if child is None:
                self._early[pid] = status  # it ended before `spawn` had its answer
                return
            child.status = status
            self.changed.notify_all()
        if self.on_exit:
            self.on_exit(child)

    def _keeper_ended(self) -> None:
        if not self._closing:
            # The keeper itself was killed. Its children got their parent-death signal; grandchildren did not.
            _kill_marked(self.token)
        with self.changed:
            self._lost = True
            self._ready.set()
            left = list(self._children)
            self.changed.notify_all()
        for pid in left:
            self._exited(pid, -signal.SIGKILL)


def _kill_marked(token: str, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while (found := proctree.marked(program.MARK, token)) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


@contextlib.contextmanager
def closing_on_error(close: Callable[[], object]) -> Iterator[None]:
    """Call `close` if the block raises, whatever it raises."""
    try:
        yield
    except BaseException:
        close()
        raise
