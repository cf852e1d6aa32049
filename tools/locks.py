"""The hashed requirement locks: made by `./dev lock`, checked by `./dev check`."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.errors import ToolError
from tools.processes import ROOT

FOLDER = ROOT / "requirements"
NAMES = ("run", "dev")  # in this order: dev is solved within run
HEADER = "# Made by `./dev lock` from {name}.in; do not edit. Inputs: {digest}\n"
ADDRESS = re.compile(r"^[^#\n]*(https?://|file:|--(extra-)?index-url|--find-links|-i\s|-f\s)", re.MULTILINE)


def make(extra: Sequence[str]) -> None:
    """Solve each in-file for every platform and Python from 3.11 on. Versions locked before stay unless `--upgrade`."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise ToolError("uv is not in the virtual environment, and locks are made with it; pip install uv there.")
    for name in NAMES:
        target = FOLDER / f"{name}.txt"
        argv = [str(uv), "pip", "compile", f"{name}.in", "--output-file", target.name, "--universal", "--quiet"]
        argv += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header", *extra]
        if subprocess.run(argv, cwd=FOLDER, check=False).returncode:
            raise ToolError(f"uv could not solve requirements/{name}.in; what it said is above.")
        target.write_text(HEADER.format(name=name, digest=_digest(name)) + _without_header(target), encoding="utf-8")


def complaints() -> list[str]:
    """Return a sentence for each lock that is missing, older than its in-files, without hashes or with an address."""
    found = []
    for name in NAMES:
        target = FOLDER / f"{name}.txt"
        if not target.exists():
            found.append(f"requirements/{name}.txt is missing; run ./dev lock.")
            continue
        text = target.read_text(encoding="utf-8")
        if not text.startswith(HEADER.format(name=name, digest=_digest(name))):
            found.append(f"requirements/{name}.txt was not made from today's {name}.in; run ./dev lock.")
        if address := ADDRESS.search(text):
            found.append(f"requirements/{name}.txt names an address: {address.group(0).strip()!r}.")
        pinned = re.findall(r"^\S+==\S+.*\\$", text, re.MULTILINE)
        if not pinned or len(pinned) != len(re.findall(r"^[a-zA-Z0-9].*$", text, re.MULTILINE)):
            found.append(f"requirements/{name}.txt has an entry without version or hash; run ./dev lock.")
    return found


def _digest(name: str) -> str:
    """Hash what the lock of `name` was made from: its in-file and those before it, comments and order left out."""
    digest = hashlib.sha256()
    for each in NAMES[: NAMES.index(name) + 1]:
        lines = (
            line.split("#")[0].strip() for line in (FOLDER / f"{each}.in").read_text(encoding="utf-8").splitlines()
        )
        digest.update("\n".join(sorted(line for line in lines if line)).encode() + b"\0")
    return digest.hexdigest()[:32]


def _without_header(target: Path) -> str:
    lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
    while lines and lines[0].startswith("#"):
        lines.pop(0)
    return "".join(lines)
