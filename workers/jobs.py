"""The jobs RQ runs. Their names are stable: queued jobs carry them."""

from __future__ import annotations

from app.core import work
from app.edge import Wiring
from workers.process import application


def drain_lane(lane_id: int) -> None:
    """Drain a lane for one slice; ring again if work is left. Running twice at once is harmless: one takes the lane."""
    app = application()
    wired: Wiring = app.extensions["dealwright"]
    with app.app_context():
        if wired.runner.drain(lane_id):
            work.ring_now(lane_id)
