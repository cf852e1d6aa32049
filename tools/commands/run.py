"""./dev run CMD [ARGUMENTS]: run a command in the environment, where `./dev` was called.

While `./dev up` runs, the command gets its settings, addresses and passwords included.
"""

from __future__ import annotations

import os
import shutil

from tools.commands.up import DATA
from tools.errors import ToolError
from tools.processes import ROOT, command_path
from tools.stack import running_environment


def main(arguments: list[str]) -> int:
    """Become the command; returns only when there is none."""
    if not arguments:
        raise ToolError("say which command to run, for example: ./dev run python -m app.cli --help")
    env = {**os.environ, "PATH": command_path(), **(running_environment(DATA) or {})}
    if arguments[0] == "dealwright":
        # The product runs from the checkout here; installed, it brings this command along.
        env["PYTHONPATH"] = str(ROOT)
        arguments = ["python", "-m", "app.cli", *arguments[1:]]
    program = shutil.which(arguments[0], path=env["PATH"])
    if program is None:
        raise ToolError(f"there is no command {arguments[0]!r} in the environment or on PATH.")
    os.execve(program, arguments, env)  # noqa: S606 # running what the person typed is the purpose
