"""Sessions and the tenant wall.

Row-level security in PostgreSQL is the wall; this module makes sure that every transaction names its portal and that
a statement without one is refused before it reaches the server. Only the request edge and the work runner commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as _FlaskSession
from sqlalchemy import (
    BigInteger,
    DateTime,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, SessionTransaction, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BOUND_PORTAL = text("NULLIF(current_setting('app.portal', true), '')::bigint")
UNBOUND = {"unbound": True}


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)


class UnboundStatement(RuntimeError):
    """A statement was about to run without a portal: a bug of ours, stopped before it reached the database."""


class PortalSession(_FlaskSession):
    """A session that tells PostgreSQL its portal at the start of each transaction."""


db = SQLAlchemy(model_class=Base, session_options={"class_": PortalSession, "expire_on_commit": False})


class Tenant:
    """Columns of every table that belongs to a portal. The portal fills itself in from the bound one."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    portal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("portal.id"), server_default=BOUND_PORTAL)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


def tenant_args(
    *extra: Any, refs: dict[str, str] | None = None, late_refs: dict[str, str] | None = None
) -> tuple[Any, ...]:
    """Return table arguments: `UNIQUE (portal_id, id)` and, for each of `refs`, a foreign key within the portal.

    `late_refs` are added once both tables exist: for two tables that name each other.
    """
    keys = [
        ForeignKeyConstraint(["portal_id", column], [f"{table}.portal_id", f"{table}.id"], use_alter=is_late)
        for wanted, is_late in ((refs, False), (late_refs, True))
        for column, table in (wanted or {}).items()
    ]
    return (UniqueConstraint("portal_id", "id"), *keys, *extra)


def bound_portal() -> int:
    """Return the portal of the current session; raise UnboundStatement when there is none."""
    portal_id = db.session().info.get("portal_id")
    if portal_id is None:
        raise UnboundStatement("no portal is bound")
    return int(portal_id)


def bind_portal(portal_id: int) -> None:
    """Bind the current session to a portal. A transaction that already began with another one is refused."""
    session = db.session()
    if session.in_transaction() and session.info.get("portal_id") not in (None, portal_id):
        raise UnboundStatement("this transaction belongs to another portal")
    session.info["portal_id"] = portal_id
    if session.in_transaction():
        _announce(session, portal_id)


@contextmanager
def transaction(portal_id: int) -> Iterator[Session]:
    """Run one transaction of one portal: commit at the end, roll back on any error, leave no binding behind.

    For the work runner and the doors that touch several portals in one request.
    """
    session = db.session()
    if session.in_transaction():
        raise UnboundStatement("a transaction is already open")
    session.info["portal_id"] = portal_id
    try:
        yield session
        session.commit()
    finally:
        session.rollback()
        session.info.pop("portal_id", None)
        session.expunge_all()


def refuse_open_transaction() -> None:
    """Called by gateways before an outside call: no transaction may wait for somebody else's server."""
    if db.session().in_transaction():
        raise RuntimeError("an outside call was about to be made inside a database transaction")


def lookup(sql: str, **values: object) -> Any:
    """Call one of the allow-listed look-up functions, which return ids only, without a portal. Returns all rows."""
    session = db.session()
    opened_here = not session.in_transaction()
    rows = session.execute(text(sql), values, execution_options=UNBOUND).all()
    if opened_here:
        session.commit()
    return rows


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the current transaction has committed; forget it if that, or its savepoint, rolls back."""
    session = db.session()
    session.info.setdefault("after_commit", []).append((session.get_nested_transaction(), action))


def _announce(session: Session, portal_id: int) -> None:
    session.connection().execute(
        text("SELECT set_config('app.portal', :portal, true)").execution_options(**UNBOUND), {"portal": str(portal_id)}
    )
    session.connection().connection.info["portal_bound"] = True


@event.listens_for(PortalSession, "after_begin")
def _bind_at_begin(session: Session, transaction: SessionTransaction, connection: Any) -> None:
    portal_id = session.info.get("portal_id")
    if portal_id is not None:
        connection.execute(
            text("SELECT set_config('app.portal', :portal, true)").execution_options(**UNBOUND),
            {"portal": str(portal_id)},
        )
        connection.connection.info["portal_bound"] = True


@event.listens_for(PortalSession, "after_commit")
def _run_after_commit(session: Session) -> None:
    waiting = session.info.pop("after_commit", [])
    released = session.get_nested_transaction()
    if released is None:
        for _, action in waiting:
            action()
        return
    outer = released.parent if released.parent is not None and released.parent.nested else None
    session.info["after_commit"] = [(outer if owner is released else owner, action) for owner, action in waiting]


@event.listens_for(PortalSession, "after_soft_rollback")
def _forget_after_rollback(session: Session, undone: SessionTransaction) -> None:
    if undone.parent is None:
        session.info.pop("after_commit", None)
    elif undone.nested:
        waiting = session.info.pop("after_commit", [])
        session.info["after_commit"] = [(owner, action) for owner, action in waiting if not _within(owner, undone)]


def _within(owner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while owner is not None and owner is not outer:
        owner = owner.parent
    return owner is outer


def install_guard(engine: Engine) -> None:
    """Refuse every statement of this engine that neither has a bound portal nor is an allow-listed look-up."""

    @event.listens_for(engine, "before_execute")
    def _guard(conn: Any, clause: Any, multi: Any, params: Any, options: Any) -> None:
        if options.get("unbound") or clause.get_execution_options().get("unbound"):
            return
        if not conn.connection.info.get("portal_bound"):
            raise UnboundStatement(f"a statement without a portal was refused: {str(clause)[:120]}")

    @event.listens_for(engine, "before_cursor_execute")
    def _guard_raw(conn: Any, cursor: Any, statement: str, params: Any, context: Any, many: bool) -> None:
        options = context.execution_options if context is not None else {}
        if not options.get("unbound") and not conn.connection.info.get("portal_bound"):
            raise UnboundStatement(f"a statement without a portal was refused: {statement[:120]}")

    @event.listens_for(engine, "commit")
    @event.listens_for(engine, "rollback")
    def _unbind(conn: Any) -> None:
        conn.connection.info.pop("portal_bound", None)
