"""Named places where a process kills itself, or freezes, when a crash test asks for it.

A crash test starts a worker with FAILPOINT=<name>; the worker dies there by SIGKILL, as if the machine had. Settings
refuse FAILPOINT in production. `name:3` dies at the third passage.

FAILPOINT=@<file> arms running processes again and again: the file holds a name, and optionally the word `stop` after
it for SIGSTOP, from which SIGCONT brings a zombie back. The first process that passes takes the file, so that exactly
one is hit, and leaves it under the same name with its process id as suffix.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path


class Failpoints:
    """Counts passages of one named point and kills the process at the chosen one."""

    def __init__(self, spec: str = "") -> None:
        self._file = Path(spec[1:]) if spec.startswith("@") else None
        name, _, nth = ("", "", "") if self._file else spec.partition(":")
        self._name = name
        self._left = int(nth or 1)

    def here(self, name: str) -> None:
        """Die (or freeze) if this is the armed point; otherwise do nothing."""
        if self._file is not None:
            self._take(self._file, name)
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _take(self, file: Path, name: str) -> None:
        try:
            armed, _, how = file.read_text(encoding="utf-8").strip().partition(" ")
            if armed != name:
                return
            file.rename(f"{file}.{os.getpid()}")
        except FileNotFoundError:  # nothing is armed, or another process was quicker
            return
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
