"""Tables of subscriptions, their items and what was settled."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Date, DateTime, Index, Numeric, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import column, text

from app.core.db import Base, Tenant, tenant_args

ACTIVE, HELD, WAITING_RELATION = "active", "held", "waiting_relation"


class Subscription(Tenant, Base):
    """What one won deal makes us bill. Start, anchor, zone and currency are frozen at the win.

    `deal_version_id` is what drafts follow; `wanted_version_id` what the deal says now. The billing run adopts it.
    """

    __tablename__ = "subscription"
    customer_id: Mapped[int] = mapped_column(BigInteger)
    first_deal_id: Mapped[int] = mapped_column(BigInteger)
    deal_version_id: Mapped[int] = mapped_column(BigInteger)
    wanted_version_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, default=ACTIVE, server_default=ACTIVE)
    held_because: Mapped[str] = mapped_column(Text, default="", server_default="")
    relation: Mapped[str] = mapped_column(Text, default="new", server_default="new")
    start_on: Mapped[date] = mapped_column(Date)
    zone: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    __table_args__ = tenant_args(
        UniqueConstraint("portal_id", "first_deal_id"),
        Index("ix_subscription_customer", "portal_id", "customer_id"),
        refs={
            "customer_id": "customer",
            "first_deal_id": "deal",
            "deal_version_id": "deal_version",
            "wanted_version_id": "deal_version",
        },
    )


class BilledEntry(Tenant, Base):
    """What was settled for an item and its days. Append-only: `released_at` alone may be set, on an entry whose

    invoice never left the house. Live entries of one item, payer and change never overlap: the database refuses it.
    """

    __tablename__ = "billed_entry"
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    invoice_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    item_key: Mapped[str] = mapped_column(Text)
    bill_to: Mapped[str] = mapped_column(Text, default="", server_default="")
    change: Mapped[str] = mapped_column(Text, default="", server_default="")
    period: Mapped[Range[date]] = mapped_column(DATERANGE)
    kind: Mapped[str] = mapped_column(Text, default="billed", server_default="billed")
    currency: Mapped[str] = mapped_column(Text)
    charged_minor: Mapped[int] = mapped_column(BigInteger)
    credited_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(38, 12), default=None)
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric(38, 12), default=None)
    corrects: Mapped[int | None] = mapped_column(BigInteger, default=None)
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(
        ExcludeConstraint(
            (column("portal_id"), "="), (column("subscription_id"), "="), (column("item_key"), "="),
            (column("bill_to"), "="), (column("change"), "="), (column("period"), "&&"),
            name="ex_billed_entry_overlap", using="gist", where=text("corrects IS NULL AND released_at IS NULL"),
        ),
        Index("ix_billed_entry_subscription", "portal_id", "subscription_id"),
        refs={"subscription_id": "subscription", "corrects": "billed_entry", "invoice_id": "invoice"},
    )  # fmt: skip
