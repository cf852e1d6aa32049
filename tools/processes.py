"""The processes of a stack: which there are, in which order they start, and how it shows that one is ready."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ("postgres", "valkey")
STAND_INS = ("hubspot", "quickbooks")
APP = ("web", "worker", "clock")
ALL = (*SERVERS, *STAND_INS, *APP)

OWNER_URL = "DATABASE_OWNER_URL"
PROBES = {"hubspot": "/healthz", "quickbooks": "/healthz", "web": "/readyz"}


@dataclass(frozen=True)
class Program:
    """How to start one process; `probe` is the path that answers 200 once it is ready (None: running is enough)."""

    name: str
    argv: tuple[str, ...]
    probe: str | None

    @property
    def kind(self) -> str:
        """The name without a number: `worker:2` is a `worker`."""
        return kind_of(self.name)


def kind_of(name: str) -> str:
    """Return what a process is: `worker` for `worker:2`."""
    return name.partition(":")[0]


def program(name: str) -> Program:
    """Return the program of a process as `Procfile.dev` says; its first word is looked up beside this interpreter."""
    commands = _procfile(ROOT / "Procfile.dev")
    kind = kind_of(name)
    if kind not in commands:
        raise ToolError(f"there is no process {name!r}; there are {', '.join([*SERVERS, *commands])}.")
    words = shlex.split(commands[kind])
    command = sys.executable if words[0] == "python" else str(Path(sys.executable).with_name(words[0]))
    return Program(name, (command, *words[1:]), PROBES.get(kind))


def in_start_order(names: list[str]) -> list[str]:
    """Sort by the order of starting; those of one kind keep theirs. Raises ToolError for a name that nobody knows."""
    unknown = [name for name in names if kind_of(name) not in ALL]
    if unknown:
        raise ToolError(f"there is no process {unknown[0]!r}; there are {', '.join(ALL)}.")
    return sorted(names, key=lambda name: ALL.index(kind_of(name)))


def environment_of(name: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return what a process may know of the stack's environment: only `release` gets the schema owner's password."""
    return {key: value for key, value in env.items() if key != OWNER_URL or name == "release"}


def command_path() -> str:
    """Return PATH with the virtual environment's programs first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _procfile(path: Path) -> dict[str, str]:
    rows = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name.strip(): command.strip() for name, _, command in rows}
