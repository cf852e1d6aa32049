"""The table of customers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args


class Customer(Tenant, Base):
    """A HubSpot company that we bill: its name and where its invoices go."""

    __tablename__ = "customer"
    hubspot_company_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    billing_email: Mapped[str | None] = mapped_column(Text, default=None)
    billing_contact: Mapped[str | None] = mapped_column(Text, default=None)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(UniqueConstraint("portal_id", "hubspot_company_id"))
