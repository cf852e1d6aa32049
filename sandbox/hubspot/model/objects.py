"""CRM records: write, read, archive. Values are text or None; what changed is told to the account's events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.hubspot.errors import HubSpotError, validation
from sandbox.hubspot.model import properties
from sandbox.hubspot.model.portal import Actor, Portal
from sandbox.hubspot.model.rules import BY_TYPE
from sandbox.hubspot.object_types import ObjectType
from sandbox.hubspot.timestamps import now_iso

Record = dict[str, Any]
ALWAYS_SHOWN = ("createdate", "hs_lastmodifieddate", "hs_object_id")


def create(portal: Portal, kind: ObjectType, written: dict[str, Any], actor: Actor) -> Record:
    """Store a new record and emit its creation. Raises a 400."""
    values = _checked(portal, kind, written)
    values.update(BY_TYPE[kind.name].prepare(portal, {}, values))
    stamp = now_iso()
    object_id = portal.next_id(kind.name)
    values.update(hs_object_id=object_id, createdate=stamp, hs_lastmodifieddate=stamp)
    record: Record = {"id": object_id, "properties": values, "createdAt": stamp, "updatedAt": stamp, "archived": False}
    _all(portal, kind)[object_id] = record
    portal.kit.store.changed()
    portal.events.created(portal, kind, object_id, actor)
    return record


def update(portal: Portal, kind: ObjectType, object_id: str, written: dict[str, Any], actor: Actor) -> Record:
    """Change a record and emit each property whose value is another now. Raises a 400 or 404."""
    record = get(portal, kind, object_id)
    before = values(portal, kind, record)
    checked = _checked(portal, kind, written)
    stored = record["properties"]
    checked.update(BY_TYPE[kind.name].prepare(portal, stored, checked))
    stored.update(checked)
    stored["hs_lastmodifieddate"] = record["updatedAt"] = now_iso()
    after = values(portal, kind, record)
    portal.kit.store.changed()
    for name, value in after.items():
        if value != before.get(name):
            portal.events.property_changed(portal, kind, object_id, name, value, actor)
    return record


def archive(portal: Portal, kind: ObjectType, object_id: str, actor: Actor) -> None:
    """Delete a record; deleting what does not exist is a success, as in HubSpot."""
    record = _all(portal, kind).get(object_id)
    if record is None or record["archived"]:
        return
    record["archived"] = True
    record["archivedAt"] = record["updatedAt"] = now_iso()
    portal.kit.store.changed()
    portal.events.deleted(portal, kind, object_id, actor)


def get(portal: Portal, kind: ObjectType, object_id: str, *, archived: bool = False) -> Record:
    """Return a record. Raises a 404."""
    record = find(portal, kind, object_id, archived=archived)
    if record is None:
        raise HubSpotError(404, "OBJECT_NOT_FOUND", f"Object not found.  objectId are usually numeric: {object_id}")
    return record


def find(portal: Portal, kind: ObjectType, object_id: str, *, archived: bool = False) -> Record | None:
    """Return a record, or None."""
    record = _all(portal, kind).get(object_id)
    return record if record is not None and record["archived"] == archived else None


def listed(portal: Portal, kind: ObjectType, *, archived: bool = False) -> list[Record]:
    """Return the records in the order they were made."""
    return [record for record in _all(portal, kind).values() if record["archived"] == archived]


def values(portal: Portal, kind: ObjectType, record: Record) -> dict[str, str | None]:
    """Return every value of the record, the computed ones too."""
    stored: dict[str, str | None] = record["properties"]
    return {**stored, **BY_TYPE[kind.name].computed(portal, stored)}


def shown(portal: Portal, kind: ObjectType, record: Record, names: Iterable[str]) -> Record:
    """Return the record as the API answers it: the default set, or the named properties with the three common ones.

    A known property without a value is null; an unknown name is left out.
    """
    wanted = set(names) or set(kind.defaults)
    every = values(portal, kind, record)
    known = {
        name: every.get(name)
        for name in sorted(wanted | set(ALWAYS_SHOWN))
        if name in every or properties.find(portal, kind.name, name) is not None
    }
    answer = {
        "id": record["id"],
        "properties": known,
        "createdAt": record["createdAt"],
        "updatedAt": record["updatedAt"],
        "archived": record["archived"],
    }
    if record["archived"]:
        answer["archivedAt"] = record["archivedAt"]
    return answer


def _checked(portal: Portal, kind: ObjectType, written: Any) -> dict[str, str | None]:
    if not isinstance(written, dict):
        raise validation("properties must be an object")
    checked: dict[str, str | None] = {}
    for name, value in written.items():
        definition = properties.find(portal, kind.name, name)
        if definition is None:
            raise validation(f'Property "{name}" does not exist', code="PROPERTY_DOESNT_EXIST", names=[name])
        if definition["modificationMetadata"]["readOnlyValue"]:
            message = f'"{name}" is a read only property; its value cannot be set.'
            raise validation(message, code="READ_ONLY_VALUE", names=[name])
        checked[name] = properties.parse_value(definition, value)
    return checked


def _all(portal: Portal, kind: ObjectType) -> dict[str, Record]:
    records: dict[str, Record] = portal.data["objects"].setdefault(kind.name, {})
    return records
