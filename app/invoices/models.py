"""Tables of invoices, their lines and the items they name in the ledger."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Index, Integer, LargeBinary, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args


class Invoice(Tenant, Base):
    """One document of the core's answer on its way from draft to paid. Money in minor units of `currency`.

    `version` grows with each change of a draft; approval names the version that was shown. `frozen` holds the
    canonical bytes of what was approved, `superseded` the document that a changed deal took back. `change` is the
    amendment whose own document it is; `edits` what people changed on this draft (`app.invoices.edits`).
    """

    __tablename__ = "invoice"
    subscription_id: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[int] = mapped_column(BigInteger)
    deal_version_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text, default="invoice", server_default="invoice")
    state: Mapped[str] = mapped_column(Text, default="draft", server_default="draft")
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    scheduled_on: Mapped[date] = mapped_column(Date)
    issued_on: Mapped[date | None] = mapped_column(Date, default=None)
    due_on: Mapped[date] = mapped_column(Date)
    net_days: Mapped[int] = mapped_column(Integer)
    bill_to: Mapped[str] = mapped_column(Text, default="", server_default="")
    change: Mapped[str] = mapped_column(Text, default="", server_default="")
    currency: Mapped[str] = mapped_column(Text)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int | None] = mapped_column(BigInteger, default=None)
    total_minor: Mapped[int | None] = mapped_column(BigInteger, default=None)
    balance_minor: Mapped[int | None] = mapped_column(BigInteger, default=None)
    number: Mapped[str | None] = mapped_column(Text, default=None)
    needs_person: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    superseded: Mapped[dict[str, Any] | None] = mapped_column(JSONB, default=None)
    edits: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    frozen: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    approved_by: Mapped[str | None] = mapped_column(Text, default=None)
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    mailed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    paid_on: Mapped[date | None] = mapped_column(Date, default=None)
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(
        Index("uq_invoice_draft", "portal_id", "subscription_id", "scheduled_on", "bill_to", "kind", "change",
              unique=True, postgresql_where=text("state = 'draft'")),
        Index("ix_invoice_state", "portal_id", "state", "scheduled_on"),
        Index("ix_invoice_customer", "portal_id", "customer_id", "scheduled_on"),
        refs={"subscription_id": "subscription", "customer_id": "customer", "deal_version_id": "deal_version"},
    )  # fmt: skip


class InvoiceLine(Tenant, Base):
    """One line with the reason for its cents. `fraction` is the part of the unit, like "9/30".

    `gross_minor` less `discount_minor` is the amount (gross is NULL on lines older than discounts). `corrects` names
    what the line corrects. The `due_` columns hold what the core says is due where a person set another amount.
    """

    __tablename__ = "invoice_line"
    invoice_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(Integer)
    item_key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    start_on: Mapped[date] = mapped_column(Date)
    end_on: Mapped[date] = mapped_column(Date)
    quantity: Mapped[Decimal] = mapped_column(Numeric(38, 12))
    unit_price: Mapped[Decimal] = mapped_column(Numeric(38, 12))
    gross_minor: Mapped[int | None] = mapped_column(BigInteger, default=None)
    discount_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    due_quantity: Mapped[Decimal | None] = mapped_column(Numeric(38, 12), default=None)
    due_unit_price: Mapped[Decimal | None] = mapped_column(Numeric(38, 12), default=None)
    due_amount_minor: Mapped[int | None] = mapped_column(BigInteger, default=None)
    fraction: Mapped[str] = mapped_column(Text, default="", server_default="")
    change: Mapped[str] = mapped_column(Text, default="", server_default="")
    corrects: Mapped[str] = mapped_column(Text, default="", server_default="")
    why: Mapped[str] = mapped_column(Text)
    __table_args__ = tenant_args(UniqueConstraint("invoice_id", "position"), refs={"invoice_id": "invoice"})


class LedgerItem(Tenant, Base):
    """A product as the ledger knows it, by name; its external id is in `external_ref`."""

    __tablename__ = "ledger_item"
    name: Mapped[str] = mapped_column(Text)
    __table_args__ = tenant_args(UniqueConstraint("portal_id", "name"))
