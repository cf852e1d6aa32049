"""Tables of sign-in links, sessions and OAuth states. Only digests of secrets are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Tenant, tenant_args


class SignInLink(Tenant, Base):
    """A one-time way in for one person; `used_at` is set by the POST that consumes it."""

    __tablename__ = "signin_link"
    person_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    __table_args__ = tenant_args(UniqueConstraint("digest"), refs={"person_id": "person"})


class ConsoleSession(Tenant, Base):
    """A signed-in browser. `csrf` is compared with the token in each form."""

    __tablename__ = "console_session"
    person_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text)
    csrf: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = tenant_args(UniqueConstraint("digest"), refs={"person_id": "person"})


class OAuthState(Base):
    """A single-use OAuth state, bound to the browser by a cookie. Before an install there is no portal to bind to,

    so this table stands outside the wall and is reached through two functions that make and consume a state.
    """

    __tablename__ = "oauth_state"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    provider: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text, unique=True)
    browser_digest: Mapped[str] = mapped_column(Text)
    portal_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    actor: Mapped[str] = mapped_column(Text, default="", server_default="")
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
