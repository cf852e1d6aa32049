"""Reads of connections and external references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from app.connections.models import DISCONNECTED, HUBSPOT, QUICKBOOKS, Connection, ExternalRef, Token
from app.core.db import db, lookup
from app.core.errors import NotFound


def live(provider: str) -> Connection | None:
    """Return the portal's connection to this provider unless it was disconnected."""
    return db.session.execute(
        select(Connection).where(Connection.provider == provider, Connection.state != DISCONNECTED)
    ).scalar_one_or_none()


def ledger() -> Connection | None:
    """Return the portal's QuickBooks connection, if there is one."""
    return live(QUICKBOOKS)


def connected_ledger() -> Connection:
    """Return the portal's QuickBooks connection; NotFound where it was taken away, as by a disconnect in mid-work."""
    found = ledger()
    if found is None:
        raise NotFound("QuickBooks is not connected.")
    return found


def crm() -> Connection | None:
    """Return the portal's HubSpot connection, if there is one."""
    return live(HUBSPOT)


def of_lane_connection(connection_id: int) -> tuple[Connection, Token]:
    """Return a connection and its tokens."""
    row = db.session.execute(
        select(Connection, Token)
        .join(Token, Token.connection_id == Connection.id)
        .where(Connection.id == connection_id)
    ).one()
    return row[0], row[1]


def all_of_portal() -> Sequence[Connection]:
    """Return every connection that was not disconnected."""
    return db.session.execute(select(Connection).where(Connection.state != DISCONNECTED)).scalars().all()


def of_account(provider: str, digest: str) -> list[tuple[int, int]]:
    """Return (portal, connection) ids of a provider's account, without a bound portal."""
    rows = lookup(
        "SELECT portal_id, connection_id FROM connections_of_account(:provider, :digest)",
        provider=provider,
        digest=digest,
    )
    return [(row.portal_id, row.connection_id) for row in rows]


def ref_of_local(connection_id: int, resource: str, local_id: int) -> ExternalRef | None:
    """Return the counterpart of one of our records."""
    return db.session.execute(
        select(ExternalRef).where(
            ExternalRef.connection_id == connection_id,
            ExternalRef.resource == resource,
            ExternalRef.local_id == local_id,
        )
    ).scalar_one_or_none()


def ref_of_external(connection_id: int, resource: str, external_id: str) -> ExternalRef | None:
    """Return our link to one of their records."""
    return db.session.execute(
        select(ExternalRef).where(
            ExternalRef.connection_id == connection_id,
            ExternalRef.resource == resource,
            ExternalRef.external_id == external_id,
        )
    ).scalar_one_or_none()


def external_ids(connection_id: int, resource: str, local_ids: Iterable[int]) -> dict[int, str]:
    """Return {our id: their id} for those that are linked."""
    rows = db.session.execute(
        select(ExternalRef.local_id, ExternalRef.external_id).where(
            ExternalRef.connection_id == connection_id,
            ExternalRef.resource == resource,
            ExternalRef.local_id.in_(list(local_ids)),
        )
    )
    return {row.local_id: row.external_id for row in rows}
