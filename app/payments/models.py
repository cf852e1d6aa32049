"""The table of payments applied to our invoices."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args


class PaymentApplied(Tenant, Base):
    """The part of one ledger payment that was applied to one of our invoices, as last read."""

    __tablename__ = "payment_applied"
    connection_id: Mapped[int] = mapped_column(BigInteger)
    external_payment_id: Mapped[str] = mapped_column(Text)
    invoice_id: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    paid_on: Mapped[date] = mapped_column(Date)
    __table_args__ = tenant_args(
        UniqueConstraint("connection_id", "external_payment_id", "invoice_id"),
        Index("ix_payment_applied_invoice", "portal_id", "invoice_id"),
        refs={"connection_id": "connection", "invoice_id": "invoice"},
    )
