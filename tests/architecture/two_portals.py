"""What the tests of the tenant wall know of the tables, and how they look at them."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
from psycopg import sql

from app.bootstrap import import_models

# Tables without a portal: the tenant itself, what exists before there is one, the sandbox's calendar, Alembic's own.
OUTSIDE = {"portal", "oauth_state", "sandbox_clock", "alembic_version"}
OTHER_HUB_ID, OTHERS_FIRST_ID = 4001002, 7_000_000
TENANT_TABLES = sorted(set(import_models().tables) - OUTSIDE)
Pg = psycopg.Connection[tuple[Any, ...]]


def query(connection: Pg, text: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    return connection.execute(text.encode(), values).fetchall()


def state_of(connection: Pg, portal_id: int) -> str:
    """Return a digest of everything a portal has."""
    digest = hashlib.sha256()
    for table in TENANT_TABLES:
        statement = sql.SQL("SELECT t::text FROM {} t WHERE portal_id = %s ORDER BY id").format(sql.Identifier(table))
        digest.update(repr(connection.execute(statement, [portal_id]).fetchall()).encode())
    digest.update(repr(query(connection, "SELECT p::text FROM portal p WHERE id = %s", portal_id)).encode())
    return digest.hexdigest()
