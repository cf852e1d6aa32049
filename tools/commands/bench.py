"""./dev bench [previews|run]: how fast previews and the billing run are, beside a calibration of this machine."""

from __future__ import annotations

import sys

from tools import environment, programs, servers
from tools.errors import ToolError
from tools.foreground import foreground
from tools.home import Home
from tools.supervisor.client import Keeper

PARTS = ("previews", "run")


def main(arguments: list[str]) -> int:
    """Run the benchmarks, on a database of their own that is gone afterwards; return their exit code."""
    unknown = [each for each in arguments if each not in PARTS]
    if unknown:
        raise ToolError(f"there is no benchmark {unknown[0]!r}; there are {', '.join(PARTS)}.")
    wanted = arguments or list(PARTS)
    home = Home.throwaway()
    _ = home.place  # before the keeper, which is told what to delete
    outside = programs.elsewhere(home.folder)
    keeper = Keeper(home.log("keeper"), delete=[home.folder, *([outside] if outside else [])])
    try:
        env = environment.scrubbed()
        if "run" in wanted:
            postgres = servers.start_postgres(home, fsync=False, keeper=keeper)
            valkey = servers.start_valkey(home, keeper=keeper)
            env = environment.of(home, {"REDIS_URL": f"{valkey.url}/0"}, {}) | {
                servers.TEST_POSTGRES: postgres.url_superuser,
                servers.TEST_OWNER_PASSWORD: home.keys["OWNER_PASSWORD"],
                servers.TEST_APP_PASSWORD: home.keys["APP_PASSWORD"],
                servers.TEST_REDIS: valkey.url,
            }
        return foreground([sys.executable, "-m", "bench", *wanted], env, keeper)
    finally:
        keeper.close()
