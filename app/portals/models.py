"""Tables of portals and people."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Identity, Index, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args

AUTOMATIC, APPROVAL = "automatic", "approval"
VIEWER, APPROVER, ADMIN = "viewer", "approver", "admin"


class Portal(Base):
    """One HubSpot account: the tenant. `timezone` is the billing zone; `won_stages` null means every won stage.

    `carry_changes`: what an amendment costs waits for the next regular invoice where there is one within 31 days.
    """

    __tablename__ = "portal"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    hubspot_portal_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    name: Mapped[str] = mapped_column(Text, default="", server_default="")
    ui_domain: Mapped[str] = mapped_column(Text, default="", server_default="")
    account_type: Mapped[str] = mapped_column(Text, default="STANDARD", server_default="STANDARD")
    timezone: Mapped[str] = mapped_column(Text, default="UTC", server_default="UTC")
    currency: Mapped[str] = mapped_column(Text, default="USD", server_default="USD")
    state: Mapped[str] = mapped_column(Text, default="active", server_default="active")
    invoice_mode: Mapped[str] = mapped_column(Text, default=APPROVAL, server_default=APPROVAL)
    first_invoice_by_person: Mapped[bool] = mapped_column(default=True, server_default="true")
    carry_changes: Mapped[bool] = mapped_column(default=False, server_default="false")
    draft_ahead_days: Mapped[int | None] = mapped_column(Integer, default=None)
    net_days: Mapped[int] = mapped_column(Integer, default=30, server_default="30")
    won_stages: Mapped[list[str] | None] = mapped_column(JSONB, default=None)
    go_live_on: Mapped[date | None] = mapped_column(Date, default=None)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())

    @property
    def draft_ahead(self) -> int:
        """Days before its date that a draft is written: 7 with approval and 0 automatic, unless the portal chose."""
        if self.draft_ahead_days is not None:
            return self.draft_ahead_days
        return 7 if self.invoice_mode == APPROVAL else 0


class Person(Tenant, Base):
    """Somebody of a portal: HubSpot user id (if known), e-mail (lower case) and role."""

    __tablename__ = "person"
    hubspot_user_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, default=VIEWER, server_default=VIEWER)
    __table_args__ = tenant_args(
        UniqueConstraint("portal_id", "email"),
        Index("uq_person_hubspot_user", "portal_id", "hubspot_user_id", unique=True,
              postgresql_where=text("hubspot_user_id IS NOT NULL")),
    )  # fmt: skip
