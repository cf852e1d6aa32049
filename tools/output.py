"""What people see: log lines of every process with its name in front, and the few words of `./dev` itself."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

COLOURS = {
    "postgres": 34,
    "valkey": 35,
    "hubspot": 33,
    "quickbooks": 32,
    "web": 36,
    "worker": 94,
    "clock": 95,
    "release": 37,
    "dev": 1,
}
WIDTH = max(map(len, COLOURS))
POLL_S = 0.1
LIMIT_BYTES = 20_000_000

# Servers tell much that concerns nobody here; of them only lines that match are shown. Everything is in the log files.
SHOWN = {
    "postgres": re.compile(
        r"\b(WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT):(?!  the database system is (starting up|not yet))"
    ),
    "valkey": re.compile(r" # (?!WARNING Memory overcommit|Valkey is now ready to exit)"),
}
# Our own probes; and gunicorn's access lines, because the product logs each request itself, with its portal.
HIDDEN = re.compile(r'GET /(healthz|readyz) |path=/(healthz|readyz) |^127\.0\.0\.1 "[A-Z]+ ')


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log file, indented."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


class Output:
    """Prints lines with the name of who said them in front; `follow` does so for what is added to log files.

    Reading files rather than pipes, because then no process can block, or fail, on a terminal that is slow or gone.
    """

    def __init__(self) -> None:
        is_terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._colours: Mapping[str, int] = COLOURS if is_terminal else {}
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._files: dict[str, _Followed] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="output", daemon=True)
        self._thread.start()

    def say(self, text: str, name: str = "dev") -> None:
        """Print lines in the name of `./dev` or of a process."""
        kind = name.partition(":")[0]
        colour = self._colours.get(kind)
        prefix = f"{name:<{WIDTH}} |"
        if colour is not None:
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        with self._lock:
            for line in text.splitlines() or [""]:
                print(prefix, line)
            sys.stdout.flush()

    def follow(self, name: str, path: Path) -> None:
        """Print from now on what is added to a process's log file."""
        if name not in self._files:
            self._files[name] = _Followed(path)

    def catch_up(self) -> None:
        """Print everything that processes have written by now, so that what is said next stands after it."""
        self._print_new(flush=False)

    def close(self) -> None:
        """Print what is left and stop following."""
        self._is_over.set()
        self._thread.join(5)

    def _poll(self) -> None:
        while not self._is_over.wait(POLL_S):
            self._print_new(flush=False)
        self._print_new(flush=True)

    def _print_new(self, *, flush: bool) -> None:
        with self._reading:
            for name, file in list(self._files.items()):
                lines = [line for line in file.new_lines(flush=flush) if _is_shown(name, line)]
                if lines:
                    self.say("\n".join(lines), name)


class _Followed:
    """Position in one growing log file. A file that grew very long is emptied; its writers only ever append."""

    def __init__(self, path: Path) -> None:
        self.path, self.position, self.rest = path, path.stat().st_size if path.exists() else 0, b""

    def new_lines(self, *, flush: bool) -> list[str]:
        try:
            with open(self.path, "rb") as file:
                file.seek(self.position)
                data = file.read()
        except FileNotFoundError:
            return []
        self.position += len(data)
        if self.position > LIMIT_BYTES:
            os.truncate(self.path, 0)
            self.position = 0
        *lines, self.rest = (self.rest + data).split(b"\n")
        if flush and self.rest:
            lines, self.rest = [*lines, self.rest], b""
        return [line.decode(errors="replace").rstrip() for line in lines]


def _is_shown(name: str, line: str) -> bool:
    kind = name.partition(":")[0]
    if kind in SHOWN:
        return bool(SHOWN[kind].search(line))
    return bool(line) and not HIDDEN.search(line)
