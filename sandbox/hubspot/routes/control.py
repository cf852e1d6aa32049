"""The part of the control API that only this stand-in has."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import context
from sandbox.hubspot.errors import HubSpotError
from sandbox.hubspot.fetch import Asker, Refused, fetch, readable
from sandbox.hubspot.model import associations, objects
from sandbox.hubspot.model.events import DEFAULT_SUBSCRIPTIONS, subscriptions
from sandbox.hubspot.model.portal import Actor, Portal
from sandbox.hubspot.object_types import find
from sandbox.kit.control import refuse
from sandbox.kit.outgoing import NoAnswer

blueprint = Blueprint("hubspot_control", __name__, url_prefix="/_sandbox")


@blueprint.get("/portals")
def list_portals() -> ResponseReturnValue:
    """Return the accounts, with their pipelines and whether the app is installed."""
    with context().kit.store.lock:
        return {"portals": [_shown(portal) for portal in context().portals.all()]}


@blueprint.post("/portals")
def create_portal() -> ResponseReturnValue:
    """Make an empty account."""
    here = context()
    body: Any = request.get_json(force=True, silent=True)
    with here.kit.store.lock:
        try:
            ZoneInfo(body["timezone"])
            return _shown(here.portals.create(body)), 201
        except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as error:
            return refuse(f"name, timezone, currency and user {{id, email}} are needed: {error}")


@blueprint.post("/portals/<int:hub_id>/uninstall")
def uninstall(hub_id: int) -> ResponseReturnValue:
    """Take the app out of an account, as its admin would."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.find(hub_id)
        if portal is None:
            return refuse(f"no portal {hub_id}")
        here.tokens.uninstall(portal)
        return _shown(portal)


@blueprint.post("/tokens/expire")
def expire_tokens() -> ResponseReturnValue:
    """Have the access tokens of an account expire now."""
    body = request.get_json(force=True, silent=True) or {}
    with context().kit.store.lock:
        return {"expired": context().tokens.expire(int(body.get("hub_id", 0)))}


@blueprint.post("/objects")
def create_object() -> ResponseReturnValue:
    """Make a record as a person of the account would, linked as told."""
    here = context()
    body = request.get_json(force=True, silent=True) or {}
    with here.kit.store.lock:
        try:
            portal = here.portals.get(body["hub_id"])
            return _create_object(portal, body), 201
        except HubSpotError as error:
            return refuse(error.message)
        except (KeyError, TypeError, ValueError) as error:
            return refuse(f"hub_id, type and properties are needed: {error}")


@blueprint.post("/objects/<int:hub_id>/<kind>/<object_id>")
def change_object(hub_id: int, kind: str, object_id: str) -> ResponseReturnValue:
    """Change properties as a person of the account would; `{"archived": true}` deletes."""
    here = context()
    body = request.get_json(force=True, silent=True) or {}
    with here.kit.store.lock:
        try:
            portal, found = here.portals.get(hub_id), find(kind)
            actor = Actor.person(portal.user["id"])
            if body.get("archived") is True:
                objects.archive(portal, found, object_id, actor)
                return {"id": object_id, "archived": True}
            record = objects.update(portal, found, object_id, body.get("properties") or {}, actor)
            return objects.shown(portal, found, record, objects.values(portal, found, record))
        except HubSpotError as error:
            return refuse(error.message)


@blueprint.get("/subscriptions")
def list_subscriptions() -> ResponseReturnValue:
    """Return what the app is subscribed to."""
    return subscriptions(context().kit)


@blueprint.post("/subscriptions")
def set_subscriptions() -> ResponseReturnValue:
    """Choose the form of events (classic `deal.*` or generic `object.*`), and replace the subscriptions named."""
    body = request.get_json(force=True, silent=True) or {}
    form = body.get("form", "classic")
    wanted = body.get("properties", {})
    if form not in ("classic", "object") or not isinstance(wanted, dict):
        return refuse('send {"form": "classic" | "object", "properties"?: {"deal.propertyChange": [...]}}')
    store = context().kit.store
    with store.lock:
        chosen = {**DEFAULT_SUBSCRIPTIONS, **{str(name): list(names) for name, names in wanted.items()}}
        store.data["subscriptions"] = {
            "form": form,
            "properties": {name: list(names) for name, names in chosen.items()},
        }
        store.changed()
        return subscriptions(context().kit)


@blueprint.post("/fetch")
def fetch_for_card() -> ResponseReturnValue:
    """Make a card's call as `hubspot.fetch` does, for the portal and person named in the body."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        return refuse("a JSON object is expected")
    try:
        asker = Asker(body["portalId"], body["userId"], str(body["userEmail"]))
        method, url = str(body.get("method", "GET")), str(body["url"])
        answer = fetch(context().settings, asker, method, url, body.get("body"))
    except KeyError as error:
        return refuse(f"missing: {error}")
    except Refused as error:
        return refuse(str(error))
    except NoAnswer as error:
        return {"error": str(error)}, 504
    return {"status": answer.status, "headers": dict(answer.headers), "body": readable(answer)}


def _create_object(portal: Portal, body: dict[str, Any]) -> dict[str, Any]:
    found = find(str(body["type"]))
    actor = Actor.person(portal.user["id"])
    record = objects.create(portal, found, body["properties"], actor)
    for entry in body.get("associations") or []:
        to, to_id = find(str(entry["to_type"])), str(entry["to_id"])
        if entry.get("type_id"):
            associations.link_by_type(portal, found, record["id"], to, to_id, int(entry["type_id"]), actor)
        else:
            associations.link(portal, found, record["id"], to, to_id, actor)
    return objects.shown(portal, found, record, objects.values(portal, found, record))


def _shown(portal: Portal) -> dict[str, Any]:
    names = ("hub_id", "name", "timezone", "currency", "user", "account_type", "hublet", "pipelines")
    return {**{name: portal.data[name] for name in names}, "installed": portal.is_installed}
