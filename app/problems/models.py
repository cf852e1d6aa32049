"""The table of problems."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args


class Problem(Tenant, Base):
    """Something that only a person can settle.

    `sentence` says what is wrong in plain words, `holds` what waits for it, `who` can fix it (sales, finance, admin or
    operator) and `action` what to press or change. Open at most once per code and subject.
    """

    __tablename__ = "problem"
    code: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    sentence: Mapped[str] = mapped_column(Text)
    holds: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    deal_id: Mapped[int | None] = mapped_column(default=None)
    customer_id: Mapped[int | None] = mapped_column(default=None)
    work_id: Mapped[int | None] = mapped_column(default=None)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    closed_by: Mapped[str | None] = mapped_column(Text, default=None)
    __table_args__ = tenant_args(
        Index("uq_problem_open", "portal_id", "code", "subject_kind", "subject_id", unique=True,
              postgresql_where=text("closed_at IS NULL")),
        Index("ix_problem_customer", "portal_id", "customer_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_problem_deal", "portal_id", "deal_id", postgresql_where=text("closed_at IS NULL")),
        refs={"deal_id": "deal", "customer_id": "customer", "work_id": "work"},
    )  # fmt: skip
