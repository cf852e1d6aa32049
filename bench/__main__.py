"""`python -m bench [previews] [run]`: measure and print. Started by `./dev bench`, which brings servers for the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from bench import billing_run, previews
from bench.places import Place


def main(arguments: list[str]) -> int:
    """Print the reports of these parts (all by default) and return 0; a part that can't run raises."""
    parts: dict[str, Callable[[], list[str]]] = {
        "previews": previews.report,
        "run": lambda: billing_run.report(Place.from_environ(os.environ)),
    }
    for name in arguments or parts:
        print("\n".join(parts[name]()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
