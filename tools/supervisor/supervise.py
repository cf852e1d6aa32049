"""Keep a started stack running: restart what ends, stop everything when a server ends or a person says so."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from tools.errors import ToolError
from tools.processes import SERVERS, kind_of
from tools.stack import Stack, ending

FIRST_WAIT_S, LONGEST_WAIT_S, STEADY_S = 0.5, 30.0, 20.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A person or the system said stop. Not an Exception: nothing on the way may take it for a failure."""


@dataclass
class BackOff:
    """How long to wait before the next restart: doubled at each, back to the start after a steady run."""

    wait_s: float = 0.0
    started_at: float = field(default_factory=time.monotonic)

    def after_exit(self, now: float) -> float:
        """Return the wait in seconds for a process that ended at `now` (monotonic)."""
        is_steady = now - self.started_at >= STEADY_S
        self.wait_s = FIRST_WAIT_S if is_steady or not self.wait_s else min(self.wait_s * 2, LONGEST_WAIT_S)
        return self.wait_s


class Signals:
    """Turns Ctrl-C, SIGTERM and SIGHUP into `Stopped` in the main thread; a second one is answered by a sentence only.

    Once `Stopped` was raised, stopping in good order is under way and has time limits of its own.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._is_stopping = say, False
        for number in ENDING_SIGNALS:
            signal.signal(number, self._take)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_stopping:
            self._say("stopping already; what does not stop in time is killed.")
            return
        self._is_stopping = True
        raise Stopped

    def ignore(self) -> None:
        """From now on only say that stopping is under way."""
        self._is_stopping = True


class Supervisor:
    """Restarts processes of a stack that end; `run` returns never, but raises Stopped or ToolError."""

    def __init__(self, stack: Stack, exits: queue.SimpleQueue[str], say: Callable[[str], None]) -> None:
        self.stack, self.exits, self.say = stack, exits, say
        self._back_off: dict[str, BackOff] = {name: BackOff() for name in stack.processes}
        self._due: dict[str, float] = {}

    def run(self) -> None:
        """Watch until a server ends (ToolError) or a signal comes (Stopped)."""
        while True:
            wait_s = min((due - time.monotonic() for due in self._due.values()), default=3600.0)
            try:
                name = self.exits.get(timeout=max(wait_s, 0.0))
            except queue.Empty:
                name = ""
            if name in self._back_off and not self.stack.is_running(name):
                self._ended(name)
            self._restart_due()

    def _ended(self, name: str) -> None:
        how = ending(self.stack.wait(name, timeout_s=5))
        if kind_of(name) in SERVERS:
            raise ToolError(f"{name} ended ({how}), so everything stops; its log is {self.stack.log(name)}.")
        wait_s = self._back_off[name].after_exit(time.monotonic())
        self.say(f"{name} ended ({how}); it starts again in {wait_s:g} s.")
        self.stack.clear(name)  # a port or a lease held by something it left behind would fail the next start
        self._due[name] = time.monotonic() + wait_s

    def _restart_due(self) -> None:
        for name, due in list(self._due.items()):
            if due <= time.monotonic():
                del self._due[name]
                self._back_off[name].started_at = time.monotonic()
                self.stack.launch(name)
