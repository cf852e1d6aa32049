"""./dev check: lint, format, types, architecture and locks; all of them, also when one fails."""

from __future__ import annotations

import subprocess
import sys

from tools import environment, locks
from tools.errors import ToolError
from tools.processes import ROOT

STEPS = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "architecture": ["pytest", "-q", "tests/architecture", "tests/sandbox/test_fidelity.py"],
}


def main(arguments: list[str]) -> int:
    """Return 0 when all is well; `arguments` may name some of the steps."""
    names = arguments or [*STEPS, "locks"]
    if unknown := set(names) - {*STEPS, "locks"}:
        raise ToolError(f"there is no check {unknown.pop()!r}; there are {', '.join([*STEPS, 'locks'])}.")
    failed = [name for name in names if not _passes(name)]
    print(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return int(bool(failed))


def _passes(name: str) -> bool:
    print(f"== {name}", flush=True)
    if name == "locks":
        complaints = locks.complaints()
        print("\n".join(complaints or ["requirements/run.txt and dev.txt are up to date and name no address."]))
        return not complaints
    return (
        subprocess.run(
            [sys.executable, "-m", *STEPS[name]], cwd=ROOT, env=environment.scrubbed(), check=False
        ).returncode
        == 0
    )
