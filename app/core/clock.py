"""The one home of time.

Instants are UTC and come from the system (`now`) or the database. Calendar days come from `today`, which alone obeys
the clock that can be moved in the sandbox.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

from sqlalchemy import text

from app.core.db import UNBOUND, db
from app.core.errors import Invalid

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)


def now() -> datetime:
    """Return this instant in UTC. Never moved."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Return this instant as milliseconds since 1970, as HubSpot writes time stamps."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Return seconds of a clock that only goes forward; for leases and time-outs of this process.

    Where there is a choice, of one that also counts while the machine sleeps: the database's leases run on meanwhile.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def today(zone: str) -> date:
    """Return the billing day in an IANA zone, moved by the sandbox's clock if that was moved.

    The database answers, so that all processes and the look-up of due work agree.
    """
    day = db.session.execute(
        text("SELECT billing_today(:zone)"), {"zone": zone}, execution_options=UNBOUND
    ).scalar_one()
    assert isinstance(day, date)
    return day


def move(day: date | None, zone: str | None = None) -> None:
    """Move the sandbox's calendar so that `day` is today in a zone (by default that of the portal furthest behind).

    None as the day brings the real one back. Raises Invalid for a day outside 2000 - 2100: calendars end somewhere.

    The caller has checked that the settings allow it; the database function refuses nothing.
    """
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid("The sandbox's calendar moves between the years 2000 and 2100.", field="date")
    db.session.execute(
        text("SELECT sandbox_move_clock(:day, :zone)"), {"day": day, "zone": zone}, execution_options=UNBOUND
    )
