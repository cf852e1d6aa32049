"""The table of received events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args


class InboxEvent(Tenant, Base):
    """One event as it was received and verified; a repeat of it is the same row."""

    __tablename__ = "inbox_event"
    source: Mapped[str] = mapped_column(Text)
    dedupe_key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    __table_args__ = tenant_args(UniqueConstraint("portal_id", "source", "dedupe_key"))
