"""Tables of deals and their versions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Index, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args

OPEN, WON, LOST, GONE, BEFORE_GO_LIVE = "open", "won", "lost", "gone", "before_go_live"


class Deal(Tenant, Base):
    """A deal as HubSpot had it when we last read it. `snapshot` is that reading; decisions are made from it alone."""

    __tablename__ = "deal"
    hubspot_deal_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    subscription_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    name: Mapped[str] = mapped_column(Text, default="", server_default="")
    state: Mapped[str] = mapped_column(Text, default=OPEN, server_default=OPEN)
    stage_label: Mapped[str] = mapped_column(Text, default="", server_default="")
    won_on: Mapped[date | None] = mapped_column(Date, default=None)
    line_ids: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    contact_ids: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(
        UniqueConstraint("portal_id", "hubspot_deal_id"),
        Index("ix_deal_line_ids", "line_ids", postgresql_using="gin"),
        Index("ix_deal_contact_ids", "contact_ids", postgresql_using="gin"),
        Index("ix_deal_customer", "portal_id", "customer_id"),
        refs={"customer_id": "customer"},
        late_refs={"subscription_id": "subscription"},
    )


class DealVersion(Tenant, Base):
    """What was agreed at one moment, as a deal document, with the source of each value. Never changed."""

    __tablename__ = "deal_version"
    deal_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(Integer)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sources: Mapped[dict[str, Any]] = mapped_column(JSONB)
    document_hash: Mapped[str] = mapped_column(Text)
    __table_args__ = tenant_args(UniqueConstraint("deal_id", "number"), refs={"deal_id": "deal"})


class DealItem(Tenant, Base):
    """One item under our own key; HubSpot's line item id is only its alias."""

    __tablename__ = "deal_item"
    deal_id: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    hubspot_line_id: Mapped[str] = mapped_column(Text)
    hubspot_product_id: Mapped[str | None] = mapped_column(Text, default=None)
    __table_args__ = tenant_args(
        UniqueConstraint("deal_id", "key"), UniqueConstraint("portal_id", "hubspot_line_id"), refs={"deal_id": "deal"}
    )
