"""./dev up [--fresh]: start everything, seed a portal, print addresses, and keep it running until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import queue
import sys
import time
from collections.abc import Sequence

from tools import environment
from tools.errors import ToolError
from tools.output import Output, tail
from tools.processes import ALL, ROOT
from tools.stack import Stack, refuse_if_running
from tools.supervisor.supervise import Signals, Stopped, Supervisor

DATA = ROOT / ".data"
SEED = [sys.executable, "-m", "tools.seed"]


def main(arguments: list[str]) -> int:
    """Return 0 after an orderly stop that somebody asked for, 1 when a start failed or a server ended."""
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="delete .data first, and begin with an empty database")
    parser.add_argument("--only", metavar="NAMES", help=f"start only these, comma-separated, of {','.join(ALL)}")
    options = parser.parse_args(arguments)
    output = Output()
    signals = Signals(output.say)
    try:
        return _up(options, output, signals)
    except ToolError as error:
        output.say(str(error))
        return 1
    finally:
        output.close()


def _up(options: argparse.Namespace, output: Output, signals: Signals) -> int:
    began = time.monotonic()
    exits: queue.SimpleQueue[str] = queue.SimpleQueue()
    processes = options.only.split(",") if options.only else ALL
    # Asked first: a stack that is made beside a running one would remember other ports for the next start.
    refuse_if_running(DATA)
    if options.fresh:
        Stack.delete_data(DATA)
    stack = Stack(
        DATA,
        env=environment.overrides(),
        processes=processes,
        fsync=True,
        prefer_ports=environment.PREFERRED_PORTS,
        on_start=lambda name: output.follow(name, stack.log(name)),
        on_exit=exits.put,
    )
    try:
        output.say("starting; Ctrl-C stops everything.")
        stack.start()
        lines = _seed(stack) if set(ALL) <= set(stack.processes) else _addresses(stack)
        _show(output, lines, time.monotonic() - began)
        Supervisor(stack, exits, output.say).run()
    except Stopped:
        output.say("stopping.")
    finally:
        signals.ignore()
        stack.stop()
    output.say("stopped.")
    return 0


def _seed(stack: Stack) -> Sequence[Sequence[str]]:
    """Run the seeding, which changes nothing where it ran before, and return the addresses that it prints."""
    done = stack.run(SEED)
    stack.log("seed").write_text(done.stderr, encoding="utf-8")
    if done.returncode != 0:
        raise ToolError(f"the seeding failed (exit code {done.returncode}):\n{tail(stack.log('seed'))}")
    try:
        return [[str(label), str(address)] for label, address in json.loads(done.stdout.splitlines()[-1])["lines"]]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ToolError(
            f"the seeding did not end in its JSON line of addresses, but in {done.stdout[-300:]!r}"
        ) from error


def _addresses(stack: Stack) -> Sequence[Sequence[str]]:
    return [(name, stack.url(name)) for name in stack.processes if name in ("hubspot", "quickbooks", "web")]


def _show(output: Output, lines: Sequence[Sequence[str]], took_s: float) -> None:
    width = max((len(label) for label, _ in lines), default=0)
    output.catch_up()
    shown = [f"  {label:<{width}}  {address}" for label, address in lines]
    output.say("\n".join(["", f"Ready after {took_s:.1f} s.", "", *shown, "", "Ctrl-C stops everything.", ""]))
