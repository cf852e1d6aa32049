"""python -m sandbox.quickbooks"""

from __future__ import annotations

from sandbox.kit.app import run
from sandbox.quickbooks.app import create_app
from sandbox.quickbooks.settings import read

if __name__ == "__main__":
    settings = read()
    run(create_app(settings), settings.port)
