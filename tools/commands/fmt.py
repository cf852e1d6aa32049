"""./dev fmt: format, and fix what ruff can fix."""

from __future__ import annotations

import subprocess
import sys

from tools.processes import ROOT


def main(arguments: list[str]) -> int:
    """Return 1 when something is left that a person has to fix."""
    ruff = [sys.executable, "-m", "ruff"]
    where = arguments or ["."]
    fixed = subprocess.run([*ruff, "check", "--fix", *where], cwd=ROOT, check=False).returncode
    formatted = subprocess.run([*ruff, "format", *where], cwd=ROOT, check=False).returncode
    return int(bool(fixed or formatted))
