"""./dev demo [ARGUMENTS]: the main job once, on a stack of its own that is gone afterwards.

Arguments go to the demo, for example --plant-wrong-cent, with which it has to fail.
"""

from __future__ import annotations

import sys

from tools.foreground import foreground
from tools.stack import Stack


def main(arguments: list[str]) -> int:
    """Return the demo's exit code: 0 only if QuickBooks' books and the cards agree to the cent."""
    print("Starting a stack for the demo ...", flush=True)
    with Stack() as stack:
        return foreground([sys.executable, "-m", "tools.demo", *arguments], stack.env, stack.keeper)
