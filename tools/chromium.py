"""The browser of the browser tests: the system's Chromium, installed where that needs no question."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools.errors import ToolError

VARIABLE = "DEALWRIGHT_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PACKAGES = ("chromium", "fonts-liberation")


def find() -> str | None:
    """Return the path of a Chromium or Chrome: what DEALWRIGHT_CHROMIUM names, else what the system has, else None."""
    named = os.environ.get(VARIABLE)
    if named:
        if not shutil.which(named):
            raise ToolError(f"{VARIABLE} names {named}, which is not a program.")
        return named
    found = (path for path in (*map(shutil.which, NAMES), *filter(os.path.exists, MACOS)) if path)
    return next(found, None)


def ensure() -> str:
    """Return the path of a Chromium, installing it with apt-get as root on Debian and its relatives.

    Raises ToolError saying what is missing and how to get it.
    """
    if path := find():
        return path
    advice = f"Install it ({' '.join(PACKAGES)} on Debian), or name one in {VARIABLE}."
    if os.geteuid() != 0 or not shutil.which("apt-get") or not Path("/etc/debian_version").exists():
        raise ToolError(f"the browser tests need Chromium, and there is none here. {advice}")
    print(f"Installing {' and '.join(PACKAGES)} for the browser tests ...", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", *argv], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise ToolError(f"the browser tests need Chromium; `apt-get {' '.join(argv)}` failed. {advice}\n{said}")
    if path := find():
        return path
    raise ToolError(f"apt-get installed {PACKAGES[0]}, but there is no such program on PATH. {advice}")
