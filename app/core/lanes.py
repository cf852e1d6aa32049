"""Claims of lanes and rows: leases by the database's clock, fences against zombies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select, text, update

from app.core.db import db, lookup, transaction
from app.core.work import SENDING, WAITING, Lane, Work


@dataclass(frozen=True, slots=True)
class Held:
    """A lane this process holds until its lease ends."""

    lane_id: int
    portal_id: int
    fence: int


def take(lane_id: int, holder: str, lease_s: float) -> Held | None:
    """Take a lane whose lease is free or over; None if another holds it, it is paused, or there is no such lane."""
    rows = lookup(
        "SELECT portal_id, fence FROM lane_take(:lane, :holder, :lease)", lane=lane_id, holder=holder, lease=lease_s
    )
    return Held(lane_id, rows[0].portal_id, rows[0].fence) if rows else None


def due(limit: int = 100, rering_s: float = 10) -> list[int]:
    """Return ids of lanes that have due work and no live holder, and note that they were rung."""
    return [row.lane_id for row in lookup("SELECT lane_id FROM lanes_due(:limit, :again)", limit=limit, again=rering_s)]


def renew(held: Held, lease_s: float) -> bool:
    """Extend the lane's lease; False if another took it meanwhile or a person paused it."""
    renewed = db.session.execute(
        update(Lane)
        .where(Lane.id == held.lane_id, Lane.fence == held.fence, Lane.paused.is_(None))
        .values(lease_until=_in(lease_s))
        .returning(Lane.id)
    ).scalar_one_or_none()
    return renewed is not None


def release(held: Held) -> None:
    """Give the lane back, unless another already took it."""
    with transaction(held.portal_id):
        db.session.execute(
            update(Lane).where(Lane.id == held.lane_id, Lane.fence == held.fence).values(lease_until=None, holder=None)
        )


def sweep(held: Held, unknown_wait_s: float) -> None:
    """Take back rows of this lane whose lease is over: their outcome is unknown until it was looked up.

    Nothing is sent again before `unknown_wait_s` have passed since that send began.
    """
    wait = timedelta(seconds=unknown_wait_s)
    db.session.execute(
        update(Work)
        .where(Work.lane_id == held.lane_id, Work.state == SENDING, Work.lease_until < func.clock_timestamp())
        .values(
            state=WAITING,
            outcome_unknown=Work.outcome_unknown | Work.writes,
            lease_until=None,
            due_at=case(
                (Work.writes, func.greatest(func.clock_timestamp(), Work.send_began_at + wait)),
                else_=func.clock_timestamp(),
            ),
            last_error="The worker stopped before the answer was recorded.",
        )
    )


def next_due(held: Held) -> Work | None:
    """Return the lane's next row: due, and with everything it comes after done."""
    not_done = text("NOT EXISTS (SELECT 1 FROM work d WHERE d.id = ANY(work.after) AND d.state <> 'done')")
    statement = (
        select(Work)
        .where(
            Work.lane_id == held.lane_id,
            Work.state == WAITING,
            Work.due_at <= func.clock_timestamp(),
            text("(work.due_on IS NULL OR work.due_on <= portal_today())"),
            not_done,
        )
        .order_by(Work.priority, Work.due_at, Work.id)
        .limit(1)
    )
    return db.session.execute(statement).scalar_one_or_none()


def is_held(held: Held) -> bool:
    """Lock the lane and say whether nobody took it since. Its lease may be over all the same."""
    lane = db.session.execute(select(Lane).where(Lane.id == held.lane_id).with_for_update()).scalar_one()
    return lane.fence == held.fence


def claim(held: Held, work_id: int, lease_s: float) -> Work | None:
    """Lock a waiting row and put this holder's fence on it; None if the lane or the row is no longer ours."""
    if not is_held(held):
        return None
    row = fetch(work_id)
    if row is None or row.state != WAITING:
        return None
    row.fence = held.fence
    row.served = row.wanted
    row.attempts += 1
    row.lease_until = db.session.execute(select(_in(lease_s))).scalar_one()
    return row


def mark_sending(row: Work, *, writes: bool) -> None:
    """Note, before the plan commits, that an outside call is about to begin and whether repeating it could double."""
    row.state = SENDING
    row.writes = writes
    row.send_began_at = db.session.execute(select(func.clock_timestamp())).scalar_one()


def still_mine(held: Held, work_id: int) -> Work | None:
    """Lock the row if it still carries this holder's fence; a zombie gets None and writes nothing."""
    row = fetch(work_id)
    return row if row is not None and row.fence == held.fence and row.state == SENDING else None


def fetch(work_id: int) -> Work | None:
    """Lock and return a row as it is now."""
    return db.session.execute(
        select(Work).where(Work.id == work_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()


def in_flight(lane_id: int) -> bool:
    """Whether a send of this lane is under way, or about to be looked up. A parked one waits for a person instead."""
    statement = select(Work.id).where(
        Work.lane_id == lane_id, (Work.state == SENDING) | ((Work.state == WAITING) & Work.outcome_unknown)
    )
    return db.session.execute(statement.limit(1)).scalar_one_or_none() is not None


def _in(seconds: float) -> ColumnElement[datetime]:
    return func.clock_timestamp() + timedelta(seconds=seconds)
