"""Events of the accounts, gathered into signed batches and sent to the app.

An event is sent only from an account that has the app installed, and only for what the app subscribes to. Events of
one account that fall within `GATHER_S` travel together, at most 100 in a request.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.hubspot.object_types import ObjectType
from sandbox.hubspot.settings import Settings
from sandbox.hubspot.signing import sign_v1, sign_v3
from sandbox.hubspot.timestamps import now_ms, to_ms
from sandbox.kit.app import Kit
from sandbox.kit.webhooks import Sender

if TYPE_CHECKING:
    from sandbox.hubspot.model.portal import Actor, Portal

GATHER_S = 0.05
BATCH_LIMIT = 100
PARALLEL = 10
# Ten retries over 24 hours; HubSpot randomises the gaps.
RETRY_GAPS_S = (60, 180, 600, 1800, 3600, 7200, 10800, 14400, 21600, 25200)
FAST_RETRY_GAPS_S = (0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0)

DEFAULT_SUBSCRIPTIONS: dict[str, tuple[str, ...]] = {
    "deal.creation": (),
    "deal.deletion": (),
    "deal.associationChange": (),
    "deal.propertyChange": (
        "dealname", "dealstage", "pipeline", "amount", "closedate", "deal_currency_code", "dealtype", "description",
        "hubspot_owner_id",
    ),
    "line_item.creation": (),
    "line_item.deletion": (),
    "line_item.associationChange": (),
    "line_item.propertyChange": (
        "name", "description", "quantity", "price", "discount", "hs_discount_percentage", "amount",
        "hs_line_item_currency_code", "recurringbillingfrequency", "hs_recurring_billing_period",
        "hs_recurring_billing_terms", "hs_recurring_billing_start_date", "hs_billing_start_delay_type",
        "hs_billing_start_delay_days", "hs_billing_start_delay_months", "hs_pricing_model", "hs_tier_ranges",
        "hs_tier_prices", "hs_product_id", "hs_sku",
    ),
    "company.propertyChange": (
        "name", "domain", "phone", "address", "city", "state", "zip", "country", "lifecyclestage",
    ),
    "contact.propertyChange": ("firstname", "lastname", "email", "phone"),
}  # fmt: skip


class Events:
    """Takes what happened in an account, and has it delivered."""

    def __init__(self, kit: Kit, settings: Settings) -> None:
        self._kit = kit
        self._settings = settings
        gaps = FAST_RETRY_GAPS_S if settings.is_fast else RETRY_GAPS_S
        self.sender = Sender(kit, [gap * random.uniform(0.8, 1.2) for gap in gaps], parallel=PARALLEL)
        self._lock = threading.Lock()
        self._gathered: dict[int, list[dict[str, Any]]] = {}
        kit.on_reset(self.forget)

    def forget(self) -> None:
        """Drop the events that are not yet on their way."""
        with self._lock:
            self._gathered.clear()

    def created(self, portal: Portal, kind: ObjectType, object_id: str, actor: Actor) -> None:
        """A record was made."""
        self._emit(portal, kind, "creation", actor, {"objectId": int(object_id), "changeFlag": "NEW"})

    def deleted(self, portal: Portal, kind: ObjectType, object_id: str, actor: Actor) -> None:
        """A record was archived."""
        self._emit(portal, kind, "deletion", actor, {"objectId": int(object_id), "changeFlag": "DELETED"})

    def property_changed(
        self, portal: Portal, kind: ObjectType, object_id: str, name: str, value: str | None, actor: Actor
    ) -> None:
        """A property has another value; a date is told as milliseconds in text, a cleared value as an empty text."""
        definition = portal.data["properties"][kind.name].get(name, {})
        if value is not None and definition.get("type") in {"date", "datetime"}:
            value = str(to_ms(value if "T" in value else f"{value}T00:00:00Z"))
        fields = {"objectId": int(object_id), "propertyName": name, "propertyValue": value or ""}
        self._emit(portal, kind, "propertyChange", actor, fields, name)

    def association_changed(
        self,
        portal: Portal,
        kind: ObjectType,
        object_id: str,
        to: ObjectType,
        to_id: str,
        actor: Actor,
        *,
        removed: bool,
        primary: bool,
    ) -> None:
        """A link was made or removed, seen from the record `object_id`."""
        fields = {
            "associationType": f"{kind.name}_TO_{to.name}".upper(),
            "fromObjectId": int(object_id),
            "toObjectId": int(to_id),
            "associationRemoved": removed,
            "isPrimaryAssociation": primary,
        }
        self._emit(portal, kind, "associationChange", actor, fields)

    def _emit(
        self,
        portal: Portal,
        kind: ObjectType,
        what: str,
        actor: Actor,
        fields: dict[str, Any],
        property_name: str | None = None,
    ) -> None:
        subscribed = subscriptions(self._kit)
        names = subscribed["properties"].get(f"{kind.name}.{what}")
        if names is None or (property_name is not None and property_name not in names):
            return
        if self._settings.webhook_url is None or not portal.is_installed:
            return
        is_generic = subscribed["form"] == "object"
        event = {
            "eventId": secrets.randbelow(2**32),
            "subscriptionId": _subscription_id(kind.name, what, property_name),
            "portalId": portal.hub_id,
            "appId": self._settings.app_id,
            "occurredAt": now_ms(),
            "subscriptionType": f"{'object' if is_generic else kind.name}.{what}",
            "attemptNumber": 0,
            **fields,
            "changeSource": actor.change_source,
            "sourceId": actor.source_id,
        }
        if is_generic:
            event["objectTypeId"] = kind.id
            event |= {"isSensitive": False} if what == "propertyChange" else {}
        self._gather(portal.hub_id, event)

    def _gather(self, hub_id: int, event: dict[str, Any]) -> None:
        with self._lock:
            waiting = self._gathered.setdefault(hub_id, [])
            waiting.append(event)
            if len(waiting) == 1:
                timer = threading.Timer(GATHER_S, self._flush, [hub_id])
                timer.daemon = True
                timer.start()

    def _flush(self, hub_id: int) -> None:
        with self._lock:
            events = self._gathered.pop(hub_id, [])
        for start in range(0, len(events), BATCH_LIMIT):
            self._send(hub_id, events[start : start + BATCH_LIMIT])

    def _send(self, hub_id: int, events: list[dict[str, Any]]) -> None:
        url = self._settings.webhook_url
        if url is None:
            return

        def body(attempt: int) -> bytes:
            return json.dumps([{**event, "attemptNumber": attempt} for event in events], separators=(",", ":")).encode()

        self.sender.send(url, webhook_headers(self._settings, url), body(0), body_fn=body, account=str(hub_id))


def webhook_headers(settings: Settings, url: str) -> Callable[[bytes], dict[str, str]]:
    """Return what makes the headers of one try: v1 in X-HubSpot-Signature, v3 beside it with the time of that try."""

    def headers(body: bytes) -> dict[str, str]:
        timestamp = str(now_ms())
        return {
            "Content-Type": "application/json",
            "User-Agent": "HubSpot Connect 2.0 (stand-in)",
            "X-HubSpot-Signature": sign_v1(settings.client_secret, body),
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Signature-v3": sign_v3(settings.client_secret, "POST", url, body, timestamp),
            "X-HubSpot-Request-Timestamp": timestamp,
        }

    return headers


def subscriptions(kit: Kit) -> dict[str, Any]:
    """Return {"form": "classic" | "object", "properties": {"deal.propertyChange": [...], "deal.creation": [], ...}}."""
    stored: dict[str, Any] | None = kit.store.data.get("subscriptions")
    return stored or {"form": "classic", "properties": DEFAULT_SUBSCRIPTIONS}


def _subscription_id(kind: str, what: str, property_name: str | None) -> int:
    """The same number for the same subscription, as long as the app exists."""
    number = 0
    for letter in f"{kind}.{what}.{property_name or ''}":
        number = (number * 31 + ord(letter)) % 9_000_000
    return 1_000_000 + number
