"""`python -m workers.clock`: rings every lane that has due work. Several may run: a ring is only a ring."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from app.core import lanes, log, work
from workers.process import application

RERING_S = 10.0

_log = log.get(__name__)


def tick(rering_s: float) -> int:
    """Ring what is due; return how many lanes were rung."""
    due = lanes.due(rering_s=rering_s)
    for lane_id in due:
        work.ring_now(lane_id)
    return len(due)


def main() -> int:
    """Tick until told to stop; a database that is away for a while is waited for."""
    app = application()
    settings = app.extensions["dealwright"].settings
    stop = threading.Event()

    def quit_(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, quit_)
    signal.signal(signal.SIGINT, quit_)
    _log.info("clock is ready")
    while not stop.wait(settings.clock_tick_s):
        try:
            with app.app_context():
                tick(min(RERING_S, settings.work_lease_s))
        except SQLAlchemyError as error:
            _log.warning("the database is away; trying again", reason=type(error).__name__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
