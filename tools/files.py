"""Small files under `.data/`: written whole or not at all, readable by their owner only."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.errors import ToolError


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` with mode 0600; a reader sees the old content or the new, never a part."""
    new = path.with_name(f"{path.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in `path`, or None when there is no such file. Raises ToolError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{path} cannot be read ({error}); put it right, or start anew with ./dev up --fresh."
        ) from error
    if not isinstance(value, dict):
        raise ToolError(f"{path} does not hold a JSON object; put it right, or start anew with ./dev up --fresh.")
    return value


def make_folder(path: Path, *, passable: bool = False) -> None:
    """Create a folder for its owner only. `passable` lets others step through it, so that a dropped user can too.

    A folder that exists keeps its mode.
    """
    if path.is_dir():
        return
    path.mkdir(parents=True, mode=0o700)
    if passable:
        path.chmod(0o711)


def lock(path: Path, *, wait_s: float, busy: Callable[[str], str | None]) -> int:
    """Take the lock file `path`, write our process id into it, and return its open file descriptor.

    Held until every copy of the descriptor is closed, so also while a keeper that inherited it still ends processes.
    While another holds it, `busy` is called with the id it wrote: a sentence from it is raised as ToolError at once,
    None means "wait", for `wait_s` at most.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            sentence = busy(holder)
            if sentence is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            os.close(descriptor)
            raise ToolError(sentence or f"{path} stays locked by process {holder}.") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor
