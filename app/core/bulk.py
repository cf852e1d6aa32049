"""Many rows in one statement: what a run over thousands of records writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from app.core.db import Base, db


def insert_rows(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns; every other column gets its default.

    They travel as one JSON value, which neither grows the statement nor has to be parsed by the driver. Values are what
    the columns take: numbers, decimals, days, instants, texts, None, and plain JSON for JSON columns.
    """
    if rows:
        db.session.execute(insert_from(table, rows))


def insert_from(table: str, rows: Sequence[Mapping[str, Any]]) -> Insert:
    """Return the statement of `insert_rows`, for what has to be said about conflicts and what to return."""
    into = Base.metadata.tables[table]
    names = [into.columns[name].name for name in rows[0]]
    shape: ColumnElement[Any] = literal_column(f'NULL::"{into.name}"')
    given = func.jsonb_populate_recordset(shape, cast(cast(_written(rows), Text), JSONB))
    source = given.table_valued(*names, name="given")
    return insert(into).from_select(names, select(*(source.columns[name] for name in names)))


def fresh_ids(table: str, count: int) -> list[int]:
    """Return so many ids that no row of this table has or will have."""
    sequence = func.pg_get_serial_sequence(Base.metadata.tables[table].name, "id")
    numbers = func.generate_series(1, count).table_valued("n")
    return list(db.session.execute(select(func.nextval(sequence)).select_from(numbers)).scalars())


def _written(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(rows), separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} is no value of a column")
