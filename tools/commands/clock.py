"""./dev clock DATE: move the day that the sandbox calls today; `./dev clock real` goes back to the calendar's.

Moves what people read as dates, here and in both stand-ins; never tokens, signatures, limits or leases.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from datetime import date
from urllib.error import URLError

from tools.commands.up import DATA
from tools.errors import ToolError
from tools.processes import ROOT
from tools.stack import running_environment

REAL = "real"


def main(arguments: list[str]) -> int:
    """Move the day of the running stack and return the exit code of the product's own command."""
    if len(arguments) != 1:
        raise ToolError("say one date, for example ./dev clock 2027-01-31, or ./dev clock real.")
    try:
        day = None if arguments[0] == REAL else date.fromisoformat(arguments[0]).isoformat()
    except ValueError:
        raise ToolError(f"{arguments[0]!r} is not a date written YYYY-MM-DD, nor the word {REAL!r}.") from None
    if day is not None and not "2000" <= day[:4] <= "2100":
        raise ToolError("the sandbox's calendar moves between the years 2000 and 2100.")
    env = running_environment(DATA)
    if env is None:
        raise ToolError("nothing runs here; start it with ./dev up.")
    for name in ("HUBSPOT", "QUICKBOOKS"):
        _post(f"http://127.0.0.1:{env[f'SANDBOX_{name}_PORT']}/_sandbox/clock", {"date": day})
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "clock", day or REAL], env=env, cwd=ROOT, check=False
    ).returncode


def _post(address: str, body: dict[str, str | None]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 # loopback
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()
    except URLError as error:
        raise ToolError(f"the stand-in at {address} did not take the date: {error}") from error
