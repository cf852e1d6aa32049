"""QuickBooks' notifications: a signed array of CloudEvents of several companies. Each is a hint to read, not data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.connections import actions as connections
from app.connections import queries as connection_queries
from app.connections.models import QUICKBOOKS, Connection
from app.core import log
from app.core.db import db, transaction
from app.core.signing import verify_quickbooks
from app.edge import wiring
from app.inbox import actions as inbox
from app.inbox.actions import Received
from app.invoices import sync

blueprint = Blueprint("quickbooks_webhooks", __name__)
_log = log.get(__name__)


@blueprint.post("/webhooks/quickbooks")
def receive() -> ResponseReturnValue:
    """Store and mark; 200 for everything that is signed, because a refusal makes the whole batch come again."""
    wired = wiring()
    body = request.get_data(cache=True)
    verify_quickbooks(
        wired.settings.quickbooks_verifier_tokens, body=body, signature=request.headers.get("intuit-signature", "")
    )
    for realm_id, events in _by_realm(_events(body)).items():
        digest = connections.account_digest(wired.ring, QUICKBOOKS, wired.settings.quickbooks_environment, realm_id)
        for portal_id, connection_id in connection_queries.of_account(QUICKBOOKS, digest):
            with transaction(portal_id):
                # The realm is sealed at rest; the evidence is kept without it.
                inbox.keep(_received(event) for event in events)
                connection = db.session.execute(select(Connection).where(Connection.id == connection_id)).scalar_one()
                sync.want_payments(connection, _ids(events, "payment"))
                sync.want_invoices(connection, _ids(events, "invoice"))
    return "", 200


def _events(body: bytes) -> list[Mapping[str, Any]]:
    try:
        events = json.loads(body)
    except ValueError:
        events = None
    if not isinstance(events, list):
        _log.warning("a signed notification is not a list of events")
        return []
    return [e for e in events if isinstance(e, dict) and isinstance(e.get("type"), str) and e.get("intuitaccountid")]


def _by_realm(events: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        grouped.setdefault(str(event["intuitaccountid"]), []).append(event)
    return grouped


def _received(event: Mapping[str, Any]) -> Received:
    return Received(
        source="quickbooks",
        dedupe_key=f"{event.get('source', '')}|{event.get('id', '')}",
        kind=str(event["type"]),
        object_id=str(event.get("intuitentityid", "")),
        occurred_at=_instant(event.get("time")),
        payload={key: value for key, value in event.items() if key != "intuitaccountid"},
    )


def _instant(raw: object) -> datetime | None:
    """Return the event's time; QuickBooks writes up to nanoseconds, of which Python keeps six digits."""
    try:
        return datetime.fromisoformat(str(raw))
    except ValueError:
        return None


def _ids(events: Iterable[Mapping[str, Any]], entity: str) -> list[str]:
    """Return the ids of an entity's events, each once; types read `qbo.<entity>.<operation>.v1` in any case."""
    found: dict[str, None] = {}
    for event in events:
        words = str(event["type"]).lower().split(".")
        if len(words) >= 3 and words[1] == entity and str(event.get("intuitentityid", "")).isdigit():
            found[str(event["intuitentityid"])] = None
    return list(found)
