"""What happened (`event`) and who did it (`audit`): append-only, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.bulk import insert_rows
from app.core.db import Base, Tenant, db, tenant_args


class Event(Tenant, Base):
    """A fact about one of our records that other features may consume, in id order."""

    __tablename__ = "event"
    kind: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    __table_args__ = tenant_args(Index(None, "portal_id", "subject_kind", "subject_id"))


class Audit(Tenant, Base):
    """Who did what, in words. `actor` is a person's e-mail, or `rule` when the portal's own rule acted."""

    __tablename__ = "audit"
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    __table_args__ = tenant_args(Index(None, "portal_id", "subject_kind", "subject_id"))


def record(kind: str, subject_kind: str, subject_id: object, **data: Any) -> None:
    """Append an event to the current transaction."""
    db.session.add(Event(kind=kind, subject_kind=subject_kind, subject_id=str(subject_id), data=data))


def record_all(kind: str, subject_kind: str, facts: Iterable[tuple[object, dict[str, Any]]]) -> None:
    """Append an event for each (subject id, data), in order and in one statement."""
    rows = [
        {"kind": kind, "subject_kind": subject_kind, "subject_id": str(subject_id), "data": data}
        for subject_id, data in facts
    ]
    insert_rows(Event.__tablename__, rows)


def audit_all(actor: str, action: str, subject_kind: str, facts: Iterable[tuple[object, dict[str, Any]]]) -> None:
    """Append an audit line for each (subject id, detail), in order and in one statement."""
    who = {"actor": actor, "action": action, "subject_kind": subject_kind}
    insert_rows(
        Audit.__tablename__,
        [who | {"subject_id": str(subject_id), "detail": detail} for subject_id, detail in facts],
    )


def audit(actor: str, action: str, subject_kind: str, subject_id: object, **detail: Any) -> None:
    """Append an audit line to the current transaction."""
    db.session.add(
        Audit(actor=actor, action=action, subject_kind=subject_kind, subject_id=str(subject_id), detail=detail)
    )
