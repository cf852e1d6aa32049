"""Verbs of the inbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.core.db import bound_portal, db
from app.inbox.models import InboxEvent


@dataclass(frozen=True, slots=True)
class Received:
    """One verified event. `dedupe_key` is the same for every delivery of it."""

    source: str
    dedupe_key: str
    kind: str
    object_id: str
    occurred_at: datetime | None
    payload: dict[str, Any]


def keep(received: Iterable[Received]) -> int:
    """Store events of the bound portal as evidence; return how many were new."""
    rows = [
        {"portal_id": bound_portal(), "source": e.source, "dedupe_key": _storable(e.dedupe_key),
         "kind": _storable(e.kind), "object_id": _storable(e.object_id), "occurred_at": e.occurred_at,
         "payload": _storable(e.payload)}
        for e in received
    ]  # fmt: skip
    if not rows:
        return 0
    statement = (
        insert(InboxEvent).values(rows).on_conflict_do_nothing(index_elements=["portal_id", "source", "dedupe_key"])
    )
    return len(db.session.execute(statement.returning(InboxEvent.id)).all())


def _storable(value: Any) -> Any:
    """Replace what PostgreSQL's text can't hold, NUL and halves of surrogate pairs: JSON may name both, and one value

    typed by a person must not keep a whole batch out.
    """
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value
