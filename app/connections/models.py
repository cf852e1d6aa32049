"""Tables of connections, tokens and external references."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args

HUBSPOT, QUICKBOOKS = "hubspot", "quickbooks"
CONNECTED, NEEDS_RECONNECT, DISCONNECTED = "connected", "needs_reconnect", "disconnected"


class Connection(Tenant, Base):
    """One account of a provider. The QuickBooks realm id is sealed and found again by its keyed digest."""

    __tablename__ = "connection"
    provider: Mapped[str] = mapped_column(Text)
    environment: Mapped[str] = mapped_column(Text, default="", server_default="")
    account_digest: Mapped[str] = mapped_column(Text)
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(Text, default="", server_default="")
    currency: Mapped[str] = mapped_column(Text, default="", server_default="")
    country: Mapped[str] = mapped_column(Text, default="", server_default="")
    state: Mapped[str] = mapped_column(Text, default=CONNECTED, server_default=CONNECTED)
    state_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    income_account_id: Mapped[str | None] = mapped_column(Text, default=None)
    tax_code_id: Mapped[str | None] = mapped_column(Text, default=None)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    connected_by: Mapped[str] = mapped_column(Text, default="", server_default="")
    connected_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(
        UniqueConstraint("portal_id", "provider", "environment", "account_digest"),
        # One live QuickBooks company a portal, until subscriptions name their own.
        Index(
            "uq_connection_live", "portal_id", "provider", unique=True, postgresql_where=text("state <> 'disconnected'")
        ),
        Index("ix_connection_account", "provider", "account_digest"),
    )


class Token(Tenant, Base):
    """The tokens of a connection, sealed; the newest received is stored before it is used."""

    __tablename__ = "token"
    connection_id: Mapped[int] = mapped_column(BigInteger)
    access_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    refresh_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    access_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    refresh_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    scopes: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    refreshed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = tenant_args(UniqueConstraint("connection_id"), refs={"connection_id": "connection"})


class ExternalRef(Tenant, Base):
    """A record of ours and its counterpart at a connection, with the snapshot both last agreed on."""

    __tablename__ = "external_ref"
    connection_id: Mapped[int] = mapped_column(BigInteger)
    resource: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    local_id: Mapped[int] = mapped_column(BigInteger)
    sync_token: Mapped[str | None] = mapped_column(Text, default=None)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    __table_args__ = tenant_args(
        UniqueConstraint("connection_id", "resource", "external_id"),
        UniqueConstraint("connection_id", "resource", "local_id"),
        refs={"connection_id": "connection"},
    )
