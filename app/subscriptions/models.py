"""Tables of subscriptions, their items and what was settled."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Index, Numeric, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import column, text

from app.core.db import Base, Tenant, tenant_args

ACTIVE, HELD, WAITING_RELATION = "active", "held", "waiting_relation"
# Where an amendment came from.
HUBSPOT_EDIT, CONSOLE = "hubspot", "console"


class Subscription(Tenant, Base):
    """What one won deal makes us bill. Start, anchor, zone and currency are frozen at the win.

    `wanted_version_id` is what the deal says now; `deal_version_id` the newest version that drafts follow. Once
    something was issued an edit becomes amendments: then `base_version_id` stays the version that they amend, and the
    adopted one gives only what applies silently (names, payment terms). NULL: the base is the adopted version.
    """

    __tablename__ = "subscription"
    customer_id: Mapped[int] = mapped_column(BigInteger)
    first_deal_id: Mapped[int] = mapped_column(BigInteger)
    deal_version_id: Mapped[int] = mapped_column(BigInteger)
    wanted_version_id: Mapped[int] = mapped_column(BigInteger)
    base_version_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
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
            "base_version_id": "deal_version",
        },
    )


class BilledEntry(Tenant, Base):
    """What was settled for an item and its days. Append-only: `released_at` alone may be set, on an entry whose

    invoice never left the house. Live entries of one item, payer and change never overlap: the database refuses it,
    but for corrections, which name the entry that they correct. `document` is what people call the document it is on.
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
    document: Mapped[str | None] = mapped_column(Text, default=None)
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


class Amendment(Tenant, Base):
    """A dated change of what was agreed, in the core's own format. Append-only.

    Written from an edit of the deal in HubSpot or by a person in the console; `before` holds the old values that were
    shown. A row with `withdraws` takes another one back, for ever: both then count no more.
    """

    __tablename__ = "amendment"
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    change: Mapped[str] = mapped_column(Text)
    effective: Mapped[date] = mapped_column(Date)
    recorded_on: Mapped[date] = mapped_column(Date)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    source: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    deal_version_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    withdraws: Mapped[int | None] = mapped_column(BigInteger, default=None)
    __table_args__ = tenant_args(
        UniqueConstraint("subscription_id", "change"),
        UniqueConstraint("portal_id", "withdraws"),
        refs={
            "subscription_id": "subscription",
            "deal_version_id": "deal_version",
            "withdraws": "amendment",
        },
    )
