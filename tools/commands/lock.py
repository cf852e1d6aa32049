"""./dev lock [--upgrade | --upgrade-package NAME]: solve requirements/*.in into the hashed locks."""

from __future__ import annotations

from tools import locks


def main(arguments: list[str]) -> int:
    """Make both locks; arguments go to uv."""
    locks.make(arguments)
    print("requirements/run.txt and requirements/dev.txt are up to date; the next ./dev command installs them.")
    return 0
