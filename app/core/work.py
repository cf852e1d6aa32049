"""The `work` table: outbox, timer, retry and refresh request in one, drained lane by lane.

A lane is one connection, or the portal itself. One holder at a time drains a lane; `lease_until` and `fence` on lane
and row keep a returning zombie from writing. RQ only says "drain lane N"; this table is the truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    case,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.bulk import insert_from
from app.core.db import Base, Tenant, after_commit, bound_portal, db, tenant_args

WAITING, SENDING, DONE, PARKED = "waiting", "sending", "done", "parked"


class Lane(Tenant, Base):
    """What one worker at a time drains. `paused` holds it back with a reason, queue kept."""

    __tablename__ = "lane"
    kind: Mapped[str] = mapped_column(Text)
    connection_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    holder: Mapped[str | None] = mapped_column(Text, default=None)
    fence: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    rung_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    paused: Mapped[str | None] = mapped_column(Text, default=None)
    __table_args__ = tenant_args(
        UniqueConstraint("portal_id", "kind", "connection_id", postgresql_nulls_not_distinct=True),
        refs={"connection_id": "connection"},
    )


class Work(Tenant, Base):
    """One piece of work. A row is unique per (lane, kind, subject): asking again re-arms it, it never doubles."""

    __tablename__ = "work"
    lane_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default=WAITING, server_default=WAITING)
    priority: Mapped[int] = mapped_column(Integer, default=50, server_default="50")
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    due_on: Mapped[date | None] = mapped_column(Date, default=None)
    after: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default=list, server_default="{}")
    wanted: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    served: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    failure_kind: Mapped[str | None] = mapped_column(Text, default=None)
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    epoch: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    fence: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    send_began_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    writes: Mapped[bool] = mapped_column(default=False, server_default="false")
    outcome_unknown: Mapped[bool] = mapped_column(default=False, server_default="false")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    request_id: Mapped[str | None] = mapped_column(Text, default=None)
    request: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    request_hash: Mapped[str | None] = mapped_column(Text, default=None)
    last_error: Mapped[str | None] = mapped_column(Text, default=None)
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(
        UniqueConstraint("lane_id", "kind", "subject"),
        Index(
            "ix_work_open", "lane_id", "priority", "due_at", "id", postgresql_where="state IN ('waiting', 'sending')"
        ),
        refs={"lane_id": "lane"},
    )


class Doorbell(Protocol):
    """Says "drain lane N" to whoever listens. Losing a ring delays work, nothing else."""

    def ring(self, lane_id: int) -> None: ...


class _Silent:
    def ring(self, lane_id: int) -> None:
        """Nobody listens; the clock finds the work."""


_doorbell: list[Doorbell] = [_Silent()]


def use_doorbell(doorbell: Doorbell) -> None:
    """Wire the process's doorbell; called by the bootstrap only."""
    _doorbell[0] = doorbell


@dataclass(frozen=True, slots=True)
class _Ring:
    lane_id: int

    def __call__(self) -> None:
        _doorbell[0].ring(self.lane_id)


def ring(lane_id: int) -> None:
    """Ring once the current transaction has committed; a lane that it wants more of is rung once all the same."""
    after_commit(_Ring(lane_id))


def lane(kind: str, connection_id: int | None = None) -> Lane:
    """Return the portal's lane of this kind, made at its first use."""
    made = (
        insert(Lane).values(portal_id=bound_portal(), kind=kind, connection_id=connection_id).on_conflict_do_nothing()
    )
    db.session.execute(made)
    where = [Lane.kind == kind, Lane.connection_id.is_not_distinct_from(connection_id)]
    return db.session.execute(select(Lane).where(*where)).scalar_one()


def want(
    lane_id: int,
    kind: str,
    subject: object,
    *,
    payload: dict[str, Any] | None = None,
    priority: int = 50,
    due_on: date | None = None,
    delay_s: float = 0,
    after: Sequence[int] = (),
) -> int:
    """Ask for a piece of work and return its row's id; rings after the commit.

    A burst of equal requests is one row. A request that arrives while the row is being worked on makes it run once
    more afterwards. A create that is already done stays done: re-arm it with `again`.
    """
    due_at = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, delay_s)
    new = insert(Work).values(
        portal_id=bound_portal(), lane_id=lane_id, kind=kind, subject=str(subject), payload=payload or {},
        priority=priority, due_at=due_at, due_on=due_on, after=list(after),
    )  # fmt: skip
    changed = new.on_conflict_do_update(
        index_elements=["lane_id", "kind", "subject"],
        set_={
            "wanted": Work.wanted + 1,
            "priority": func.least(Work.priority, new.excluded.priority),
            "due_at": _sooner(new),
        },
    ).returning(Work.id)
    work_id = db.session.execute(changed).scalar_one()
    ring(lane_id)
    return work_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """One piece of work to ask for: what it is about, what it comes after (row ids), and from which day on."""

    subject: object
    after: Sequence[int] = ()
    due_on: date | None = None


def want_all(lane_id: int, kind: str, wanted: Iterable[Wanted], *, priority: int = 50) -> dict[str, int]:
    """Ask for many pieces of one kind in one statement, as `want` does; return {subject: row id}.

    What each comes after, and its day, hold from now on, for a row that exists already too.
    """
    # One order, so that two batches about the same objects never wait for each other in a circle.
    rows = [
        {"portal_id": bound_portal(), "lane_id": lane_id, "kind": kind, "subject": str(one.subject),
         "priority": priority, "after": list(one.after), "due_on": one.due_on}
        for one in sorted(wanted, key=lambda one: str(one.subject))
    ]  # fmt: skip
    if not rows:
        return {}
    new = insert_from(Work.__tablename__, rows)
    statement = new.on_conflict_do_update(
        index_elements=["lane_id", "kind", "subject"],
        set_={
            "wanted": Work.wanted + 1,
            "priority": func.least(Work.priority, new.excluded.priority),
            "due_at": _sooner(new),
            "after": new.excluded.after,
            "due_on": new.excluded.due_on,
        },
    ).returning(Work.id, Work.subject)
    ids = {row.subject: row.id for row in db.session.execute(statement)}
    _expire(lane_id, kind, ids)
    ring(lane_id)
    return ids


def refresh(lane_id: int, kind: str, subject: object, *, delay_s: float = 0) -> None:
    """Ask for an object to be read again: like `want`, and a finished or parked read runs again."""
    refresh_all(lane_id, kind, [subject], delay_s=delay_s)


def refresh_all(lane_id: int, kind: str, subjects: Iterable[object], *, delay_s: float = 0) -> None:
    """Ask for many objects at once, in one statement: a batch of events must be answered within moments."""
    # One order, so that two batches about the same objects never wait for each other in a circle.
    names = sorted({str(subject) for subject in subjects})
    if not names:
        return
    due_at = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, delay_s)
    rows = [{"portal_id": bound_portal(), "lane_id": lane_id, "kind": kind, "subject": name} for name in names]
    new = insert(Work).values([row | {"due_at": due_at} for row in rows])
    at_rest = Work.state.in_((DONE, PARKED))
    statement = new.on_conflict_do_update(
        index_elements=["lane_id", "kind", "subject"],
        set_={
            "wanted": Work.wanted + 1,
            "state": case((at_rest, WAITING), else_=Work.state),
            "failures": case((at_rest, 0), else_=Work.failures),
            "failure_kind": case((at_rest, None), else_=Work.failure_kind),
            "due_at": case((at_rest & ~Work.outcome_unknown, new.excluded.due_at), else_=_sooner(new)),
        },
    )
    db.session.execute(statement)
    _expire(lane_id, kind, names)
    ring(lane_id)


def _expire(lane_id: int, kind: str, subjects: Collection[str]) -> None:
    """Rows that this session has loaded would otherwise hide what a statement did."""
    for row in list(db.session.identity_map.values()):
        if isinstance(row, Work) and row.lane_id == lane_id and row.kind == kind and row.subject in subjects:
            db.session.expire(row)


def _sooner(new: Insert) -> ColumnElement[datetime]:
    """Bring a row forward, but never past a wait that it owes: an unknown outcome's, or a back-off's."""
    owes = Work.outcome_unknown | (Work.failures > 0)
    return case((owes, Work.due_at), else_=func.least(Work.due_at, new.excluded.due_at))


def again(row: Work, *, new_epoch: bool) -> None:
    """Run a parked or finished row again. `new_epoch` only after a definite rejection: it changes the request id.

    A write whose outcome is unknown is not run before its wait is over.
    """
    now = db.session.execute(select(func.clock_timestamp())).scalar_one()
    row.due_at = max(row.due_at, now) if row.outcome_unknown else now
    row.state = WAITING
    row.failures, row.failure_kind, row.last_error = 0, None, None
    if new_epoch and not row.outcome_unknown:
        row.epoch += 1
        row.request = row.request_id = row.request_hash = None
    ring(row.lane_id)


def find(kind: str, subject: object) -> Work | None:
    """Return the portal's row of this kind and subject, if there is one."""
    return db.session.execute(
        select(Work).where(Work.kind == kind, Work.subject == str(subject)).order_by(Work.id.desc()).limit(1)
    ).scalar_one_or_none()


def ring_now(lane_id: int) -> None:
    """Ring at once, outside a transaction; for the worker that leaves due work behind and for the clock."""
    _doorbell[0].ring(lane_id)
