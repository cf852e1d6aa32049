"""Look at the machine's process table. Standard library only: the keeper runs this without any installed package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One row of the process table; `session` is the process group where the system does not show sessions."""

    pid: int
    parent: int
    session: int
    is_zombie: bool


def snapshot() -> list[Process]:
    """Return every process of the machine as it is now. Processes that end meanwhile may be missing."""
    return _from_proc() if (PROC / "self" / "stat").exists() else _from_ps()


def _from_proc() -> list[Process]:
    rows = []
    for name in os.listdir(PROC):
        if not name.isdigit():
            continue
        try:
            text = (PROC / name / "stat").read_text(errors="replace")
        except OSError:
            continue
        # The command's name stands in parentheses and may itself hold spaces and parentheses: count from the last one.
        state, parent, _group, session = text[text.rindex(")") + 2 :].split()[:4]
        rows.append(Process(int(name), int(parent), int(session), state in "ZX"))
    return rows


def _from_ps() -> list[Process]:
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,pgid=,state="], capture_output=True, text=True, check=True)
    rows = []
    for line in listing.stdout.splitlines():
        pid, parent, group, state = line.split()[:4]
        rows.append(Process(int(pid), int(parent), int(group), state.startswith("Z")))
    return rows


def below(roots: Iterable[int], processes: Iterable[Process]) -> set[int]:
    """Return the process ids of everything that descends from `roots`, zombies and the roots themselves left out."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        for process in children.get(todo.pop(), []):
            todo.append(process.pid)
            if not process.is_zombie:
                found.add(process.pid)
    return found


def in_session(leader: int, processes: Iterable[Process]) -> set[int]:
    """Return the living members of the session that `leader` opened, `leader` included."""
    return {process.pid for process in processes if process.session == leader and not process.is_zombie}


def marked(name: str, token: str) -> set[int]:
    """Return living processes whose environment at start named `token` in the variable `name`.

    Linux only; elsewhere empty. Programs that overwrite their environment to show a title (PostgreSQL) are not found.
    """
    found = set()
    key = name.encode() + b"="
    for entry in os.listdir(PROC) if PROC.exists() else []:
        if not entry.isdigit():
            continue
        try:
            variables = (PROC / entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(token.encode() in value for value in variables if value.startswith(key)):
            found.add(int(entry))
    return found


def is_running(pid: int) -> bool:
    """Say whether a process with this id exists and is not a zombie."""
    return any(process.pid == pid and not process.is_zombie for process in snapshot())
