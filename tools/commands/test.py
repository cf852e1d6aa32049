"""./dev test [PYTEST ARGUMENTS]: every test, with one PostgreSQL and one Valkey for the whole run.

Two processes unless -n says otherwise. The last line is pytest's summary.
"""

from __future__ import annotations

import sys

from tools import chromium, environment, programs, servers
from tools.errors import ToolError
from tools.foreground import foreground
from tools.home import Home
from tools.supervisor.client import Keeper

PARALLEL = ["-n", "2", "--dist", "loadgroup"]
SERIAL_SIGNS = ("-n", "--numprocesses", "--pdb", "--trace", "--collect-only", "--co", "-h", "--help", "--fixtures")


def main(arguments: list[str]) -> int:
    """Return pytest's exit code."""
    env = environment.scrubbed() | _browser(is_whole_run=not arguments)
    home = Home.throwaway()
    _ = home.place  # before the keeper, which is told what to delete
    outside = programs.elsewhere(home.folder)
    keeper = Keeper(home.log("keeper"), delete=[home.folder, *([outside] if outside else [])])
    try:
        postgres = servers.start_postgres(home, fsync=False, keeper=keeper)
        valkey = servers.start_valkey(home, keeper=keeper)
        env |= {
            servers.TEST_POSTGRES: postgres.url_superuser,
            servers.TEST_OWNER_PASSWORD: home.keys["OWNER_PASSWORD"],
            servers.TEST_APP_PASSWORD: home.keys["APP_PASSWORD"],
            servers.TEST_REDIS: valkey.url,
            # Stacks that tests start need not copy the programs once more.
            **({programs.PROGRAMS: str(outside / "programs")} if outside else {}),
        }
        is_serial = any(each.startswith(SERIAL_SIGNS) for each in arguments)
        how = [] if is_serial else PARALLEL
        return foreground([sys.executable, "-m", "pytest", *how, *arguments], env, keeper)
    finally:
        keeper.close()


def _browser(*, is_whole_run: bool) -> dict[str, str]:
    """Return the browser's variable. A chosen part may do without one, with a sentence; the whole may not."""
    try:
        return {chromium.VARIABLE: chromium.ensure()}
    except ToolError as error:
        if is_whole_run:
            raise
        print(f"./dev test: {error} Browser tests among the chosen ones will fail.", file=sys.stderr)
        return {}
