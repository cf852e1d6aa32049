"""HubSpot's webhooks: signed batches of events, of several portals, up to a hundred, repeated and out of order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.core import clock, log
from app.core.db import transaction
from app.core.errors import BadSignature
from app.core.signing import verify_hubspot_v3
from app.deals import queries as deals
from app.edge import raw_target, wiring
from app.inbox import actions as inbox
from app.inbox.actions import Received
from app.portals import queries as portals
from app.subscriptions import watch

blueprint = Blueprint("hubspot_webhooks", __name__)
_log = log.get(__name__)
TARGET = "/webhooks/hubspot"
# Every number of 18 digits fits a bigint; HubSpot's ids have fewer.
_MOST_DIGITS = 18
_KINDS_BY_TYPE_ID = {"0-1": "contact", "0-2": "company", "0-3": "deal", "0-8": "line_item"}


@blueprint.post(TARGET)
def receive() -> ResponseReturnValue:
    """Store and mark; 200 for everything that is signed, wanted or not: a 4xx would be repeated for a day."""
    settings = wiring().settings
    # Cards and webhooks carry the same kind of signature: only this exact target, without a query, is a webhook.
    if raw_target() != TARGET:
        raise BadSignature("Webhooks come to their exact address.")
    body = request.get_data(cache=True)
    verify_hubspot_v3(
        settings.hubspot_client_secrets,
        method="POST",
        uri=settings.public_origin + TARGET,
        body=body,
        timestamp=request.headers.get("X-HubSpot-Request-Timestamp", ""),
        signature=request.headers.get("X-HubSpot-Signature-v3", ""),
        now_ms=clock.now_ms(),
    )
    for hub_id, events in _by_portal(_events(body), settings.hubspot_app_id).items():
        portal_id = portals.id_of_hubspot(hub_id)
        if portal_id is None:
            _log.info("events of a portal without the app were dropped", hub=hub_id, count=len(events))
            continue
        with transaction(portal_id):
            inbox.keep(_received(event) for event in events)
            watch.want_deals(_touched_deals(events))
    return "", 200


def _events(body: bytes) -> list[Mapping[str, Any]]:
    try:
        events = json.loads(body)
    except ValueError:
        events = None
    if not isinstance(events, list):
        _log.warning("a signed webhook body is not a list of events")
        return []
    return [event for event in events if isinstance(event, dict)]


def _by_portal(events: Iterable[Mapping[str, Any]], app_id: int) -> dict[int, list[Mapping[str, Any]]]:
    grouped: dict[int, list[Mapping[str, Any]]] = {}
    for event in events:
        hub_id = event.get("portalId")
        is_ours = event.get("appId") == app_id and isinstance(event.get("subscriptionType"), str)
        if is_ours and isinstance(hub_id, int) and _number(hub_id) is not None:
            grouped.setdefault(hub_id, []).append(event)
    return grouped


def _received(event: Mapping[str, Any]) -> Received:
    """`eventId` alone is not unique in HubSpot's own words; `attemptNumber` differs between repeats of one event."""
    names = ("portalId", "subscriptionType", "objectId", "eventId", "occurredAt", "propertyName")
    key = hashlib.sha256(json.dumps([event.get(name) for name in names]).encode()).hexdigest()
    return Received(
        source="hubspot",
        dedupe_key=key,
        kind=str(event["subscriptionType"]),
        object_id=str(event.get("objectId", "")),
        occurred_at=_instant(event.get("occurredAt")),
        payload=dict(event),
    )


def _instant(raw: object) -> datetime | None:
    """Return an instant that HubSpot gives in milliseconds; None for what is none."""
    try:
        return datetime.fromtimestamp(raw / 1000, UTC) if isinstance(raw, int) else None
    except (ValueError, OverflowError, OSError):
        return None


def _number(raw: object) -> int | None:
    """Return a HubSpot id, which comes as a number or as digits; None for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, int | str) or not str(raw).isascii() or not str(raw).isdigit():
        return None
    return int(raw) if len(str(raw)) <= _MOST_DIGITS else None


def _touched_deals(events: Iterable[Mapping[str, Any]]) -> set[int]:
    """Return the HubSpot ids of deals that any of these events may concern."""
    touched: set[int] = set()
    for event in events:
        kind = _object_kind(event)
        merged = event.get("mergedObjectIds")
        ids = [event.get("objectId"), event.get("primaryObjectId"), event.get("newObjectId"), event.get("fromObjectId"),
               event.get("toObjectId"), *(merged if isinstance(merged, list) else [])]  # fmt: skip
        numbers = {number for raw in ids if (number := _number(raw)) is not None}
        if kind == "deal":
            touched |= numbers if event["subscriptionType"].endswith((".merge",)) else _first(event)
        elif kind == "line_item":
            touched |= {deal.hubspot_deal_id for n in numbers if (deal := deals.with_line(str(n)))}
        elif kind == "company":
            touched |= {deal.hubspot_deal_id for n in numbers for deal in deals.of_company(n)}
        elif kind == "contact":
            touched |= {deal.hubspot_deal_id for n in numbers for deal in deals.with_contact(str(n))}
    return touched


def _first(event: Mapping[str, Any]) -> set[int]:
    number = _number(event.get("objectId") or event.get("fromObjectId"))
    return set() if number is None else {number}


def _object_kind(event: Mapping[str, Any]) -> str:
    kind = str(event["subscriptionType"]).partition(".")[0]
    return _KINDS_BY_TYPE_ID.get(str(event.get("objectTypeId")), "") if kind == "object" else kind
