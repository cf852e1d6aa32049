"""Rows of work in a lane, and leases moved by writing them: no test waits for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.core import lanes, work
from app.core.db import db, transaction
from app.core.lanes import Held
from app.core.work import Lane, Work

PAST, FUTURE = timedelta(seconds=-1), timedelta(hours=1)


def ago(shift: timedelta) -> datetime:
    """Return the instant that is `shift` from now."""
    return datetime.now(UTC) + shift


def want(portal: int, lane_id: int, subject: object = 1, **options: Any) -> int:
    """Ask for a piece of work in a transaction of its own; `at` are columns to set afterwards."""
    at = options.pop("at", {})
    with transaction(portal):
        work_id = work.want(lane_id, "read", subject, **options)
        if at:
            db.session.execute(update(Work).where(Work.id == work_id).values(**at))
    return work_id


def row(work_id: int) -> Work:
    """Return a row as the database has it."""
    return db.session.execute(
        select(Work).where(Work.id == work_id).execution_options(populate_existing=True)
    ).scalar_one()


def set_lane(portal: int, lane_id: int, **values: Any) -> None:
    """Write columns of a lane."""
    with transaction(portal):
        db.session.execute(update(Lane).where(Lane.id == lane_id).values(**values))


def next_id(held: Held) -> int | None:
    """Return the id of the lane's next row."""
    with transaction(held.portal_id):
        found = lanes.next_due(held)
        return found.id if found else None
