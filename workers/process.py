"""The wired application of a worker process. Built before the first fork, so that every job starts warm."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask

from app.bootstrap import build_process
from app.core.db import db
from app.settings import Settings


@lru_cache(maxsize=1)
def application() -> Flask:
    """Return this process's application, built once."""
    return build_process(Settings.from_environ())


def after_fork() -> None:
    """Drop pooled connections without closing them: they belong to the parent process."""
    with application().app_context():
        db.engine.dispose(close=False)
