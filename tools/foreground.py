"""Run one command that owns the terminal, while servers run behind it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from tools.processes import ROOT
from tools.supervisor.client import Keeper


def foreground(argv: Sequence[str], env: Mapping[str, str], keeper: Keeper) -> int:
    """Run `argv` to its end and return its exit code (128 + the number when a signal ended it).

    Ctrl-C reaches it through the terminal, so here it is only waited for; SIGTERM and SIGHUP are passed on. If this
    process is killed, the keeper ends the command.
    """
    process = subprocess.Popen(argv, env=keeper.mark(env), cwd=ROOT)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        signal.SIGHUP: signal.signal(signal.SIGHUP, pass_on),
    }
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
