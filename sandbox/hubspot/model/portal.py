"""One HubSpot account and what acts on it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.hubspot.errors import HubSpotError
from sandbox.hubspot.model import properties
from sandbox.hubspot.timestamps import now_iso
from sandbox.kit.app import Kit

if TYPE_CHECKING:
    from sandbox.hubspot.model.events import Events

_PIPELINES = Path(__file__).parent.parent / "seed" / "pipelines.json"


@dataclass(frozen=True)
class Actor:
    """Who changes something, as events report it."""

    change_source: str
    source_id: str

    @classmethod
    def person(cls, user_id: int) -> Actor:
        return cls("CRM_UI", f"userId:{user_id}")

    @classmethod
    def app(cls, app_id: int) -> Actor:
        return cls("INTEGRATION", str(app_id))


@dataclass(frozen=True)
class Portal:
    """An account's stored state (`data`), its clock and its outgoing events. Use it under the store's lock."""

    data: dict[str, Any]
    kit: Kit
    events: Events

    @property
    def hub_id(self) -> int:
        return int(self.data["hub_id"])

    @property
    def zone(self) -> str:
        return str(self.data["timezone"])

    @property
    def currency(self) -> str:
        return str(self.data["currency"])

    @property
    def user(self) -> dict[str, Any]:
        user: dict[str, Any] = self.data["user"]
        return user

    @property
    def is_installed(self) -> bool:
        return self.data["install"] is not None

    def next_id(self, type_name: str) -> str:
        """Return a new id: 64 bits wide, and unique only among records of one type, as in HubSpot."""
        last = self.kit.store.data.setdefault("last_ids", {})
        last[type_name] = last.get(type_name, 30_200_000_000) + 1
        return str(last[type_name])


class Portals:
    """The accounts that exist."""

    def __init__(self, kit: Kit, events: Events) -> None:
        self._kit = kit
        self._events = events

    def all(self) -> list[Portal]:
        """Return the accounts in the order they were made."""
        return [Portal(data, self._kit, self._events) for data in self._stored().values()]

    def find(self, hub_id: int | str) -> Portal | None:
        """Return an account, or None."""
        data = self._stored().get(str(hub_id))
        return Portal(data, self._kit, self._events) if data is not None else None

    def get(self, hub_id: int | str) -> Portal:
        """Return an account. Raises a 404."""
        portal = self.find(hub_id)
        if portal is None:
            raise HubSpotError(404, "OBJECT_NOT_FOUND", f"no portal {hub_id}")
        return portal

    def create(self, spec: dict[str, Any]) -> Portal:
        """Make an account without records. Raises KeyError, TypeError or ValueError for a wrong description."""
        hub_id = int(spec.get("hub_id") or 5_000_000 + secrets.randbelow(40_000_000))
        if str(hub_id) in self._stored():
            raise ValueError(f"portal {hub_id} exists")
        user = {"id": int(spec["user"]["id"]), "email": str(spec["user"]["email"])}
        stamp = now_iso()
        data = {
            "hub_id": hub_id,
            "name": str(spec["name"]),
            "timezone": str(spec["timezone"]),
            "currency": str(spec["currency"]),
            "user": user,
            "hublet": str(spec.get("hublet", "na1")),
            "account_type": str(spec.get("account_type", "STANDARD")),
            "install": None,
            "pipelines": [_pipeline(pipeline, stamp) for pipeline in spec.get("pipelines") or default_pipelines()],
            "properties": properties.defaults(),
            "groups": properties.default_groups(),
            "objects": {},
            "links": {},
        }
        self._stored()[str(hub_id)] = data
        self._kit.store.changed()
        return Portal(data, self._kit, self._events)

    def add_new_properties(self) -> None:
        """Give the accounts of an older state the properties that HubSpot has added since, as it does itself."""
        for data in self._stored().values():
            for kind, definitions in properties.defaults().items():
                for name, definition in definitions.items():
                    if name not in data["properties"][kind]:
                        data["properties"][kind][name] = definition
                        self._kit.store.changed()

    def _stored(self) -> dict[str, dict[str, Any]]:
        stored: dict[str, dict[str, Any]] = self._kit.store.data.setdefault("portals", {})
        return stored


def default_pipelines() -> list[dict[str, Any]]:
    """Return the pipelines a new account gets: the default one, and one whose stage ids are numbers."""
    pipelines: list[dict[str, Any]] = json.loads(_PIPELINES.read_text())
    return pipelines


def _pipeline(spec: dict[str, Any], stamp: str) -> dict[str, Any]:
    stages = [_stage(stage, order, stamp) for order, stage in enumerate(spec["stages"])]
    return {
        "id": str(spec["id"]),
        "label": str(spec["label"]),
        "displayOrder": int(spec.get("displayOrder", 0)),
        "stages": stages,
        "createdAt": stamp,
        "updatedAt": stamp,
        "archived": False,
    }


def _stage(spec: dict[str, Any], order: int, stamp: str) -> dict[str, Any]:
    # Metadata values are strings, "true" and "0.6", as HubSpot answers them.
    metadata = {name: _text(value) for name, value in spec["metadata"].items()}
    return {
        "id": str(spec["id"]),
        "label": str(spec["label"]),
        "displayOrder": int(spec.get("displayOrder", order)),
        "metadata": metadata,
        "createdAt": stamp,
        "updatedAt": stamp,
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
