"""A repeated request gets the first answer and does nothing again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import Text, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, bound_portal, db, tenant_args
from app.core.errors import Conflict


class Idempotency(Tenant, Base):
    """One remembered request of one door."""

    __tablename__ = "idempotency"
    door: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[str] = mapped_column(Text)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB, default=None)
    __table_args__ = tenant_args(UniqueConstraint("portal_id", "door", "key"))


def once(door: str, key: str, body: bytes, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `act` for the first request with this key and return its JSON answer; return that answer to repeats.

    A second request waits for the first one's transaction. The same key with another body is a Conflict.
    """
    body_hash = hashlib.sha256(body).hexdigest()
    claim = (
        insert(Idempotency)
        .values(portal_id=bound_portal(), door=door, key=key, body_hash=body_hash)
        .on_conflict_do_nothing(index_elements=["portal_id", "door", "key"])
        .returning(Idempotency.id)
    )
    claimed = db.session.execute(claim).scalar_one_or_none()
    row = db.session.execute(select(Idempotency).where(Idempotency.door == door, Idempotency.key == key)).scalar_one()
    if claimed is not None:
        row.answer = act()
        return row.answer
    if row.body_hash != body_hash:
        raise Conflict("This idempotency key was already used for another request. Use a fresh key.", key=key)
    if row.answer is None:
        raise Conflict("The first request with this key failed half-way. Use a fresh key.", key=key)
    return row.answer
