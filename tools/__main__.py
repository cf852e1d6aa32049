"""The second half of `./dev`: find the command and run it."""

from __future__ import annotations

import importlib
import os
import signal
import sys

from tools.errors import ToolError
from tools.processes import ROOT

COMMANDS = {
    "up": "start everything and seed a portal; --fresh deletes .data first; Ctrl-C stops all",
    "test": "run every test, or what pytest arguments choose",
    "demo": "the main job once, told as a story, on a throw-away stack",
    "check": "lint, format, types, architecture, locks",
    "fmt": "format, and fix what can be fixed",
    "run": "run CMD in the environment, with the running stack's settings if one runs",
    "bench": "previews and the billing run, as ratios to this machine",
    "clock": "move the sandbox's day to DATE (YYYY-MM-DD), or back with `real`",
    "lock": "solve requirements/*.in anew (--upgrade: to the newest versions)",
    "help": "this",
}


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    name, *rest = arguments or ["help"]
    if name in ("help", "-h", "--help"):
        print("\n".join(["./dev COMMAND", "", *(f"  {each:<6} {text}" for each, text in COMMANDS.items())]))
        return 0
    if name not in COMMANDS:
        print(f"./dev: there is no command {name!r}; there are {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    try:
        return int(importlib.import_module(f"tools.commands.{name}").main(rest))
    except ToolError as error:
        print(f"./dev {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    if sys.argv[1:2] != ["run"]:
        os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
