"""Property definitions and groups of an account, and the values they allow."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sandbox.hubspot.errors import HubSpotError, not_found, validation
from sandbox.hubspot.model.property_table import OPTIONS, ROWS, Row
from sandbox.hubspot.timestamps import iso, now_iso

if TYPE_CHECKING:
    from sandbox.hubspot.model.portal import Portal

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_FIELD_TYPES = {
    "string": {"text", "textarea", "html", "phonenumber", "file"},
    "number": {"number"},
    "date": {"date"},
    "datetime": {"date"},
    "bool": {"booleancheckbox"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
}
# Their options belong to other records (owners) or depend on another property (stages); the rules of deals check them.
_OPEN_OPTIONS = {"hubspot_owner_id", "dealstage", "pipeline"}


def defaults() -> dict[str, dict[str, Any]]:
    """Return HubSpot's own definitions, by record type and name."""
    stamp = now_iso()
    return {kind: {row[0]: _from_row(kind, row, stamp) for row in rows} for kind, rows in ROWS.items()}


def default_groups() -> dict[str, dict[str, Any]]:
    """Return HubSpot's own groups, by record type and name."""
    groups: dict[str, dict[str, Any]] = {}
    for kind in ROWS:
        name = _home_group(kind)
        label = f"{kind.replace('_', ' ').capitalize()} information"
        groups[kind] = {name: {"name": name, "label": label, "displayOrder": 0, "archived": False}}
    return groups


def get(portal: Portal, kind: str, name: str) -> dict[str, Any]:
    """Return a definition. Raises a 404."""
    found = find(portal, kind, name)
    if found is None:
        raise not_found("Property", name)
    return found


def find(portal: Portal, kind: str, name: str) -> dict[str, Any] | None:
    """Return a definition that is not archived, or None."""
    found: dict[str, Any] | None = portal.data["properties"][kind].get(name)
    return found if found and not found["archived"] else None


def create(portal: Portal, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Add a custom property. Raises a 400 for a wrong description and a 409 when the name is taken.

    The name of an archived property brings that one back.
    """
    missing = [field for field in ("name", "label", "type", "fieldType", "groupName") if not spec.get(field)]
    if missing:
        raise validation(f"Some required fields were not set: [{', '.join(missing)}]", names=missing)
    name = str(spec["name"])
    if not _NAME.fullmatch(name):
        raise validation(f"Property name {name} is not valid", code="INVALID_PROPERTY_NAME", names=[name])
    if spec["fieldType"] not in _FIELD_TYPES.get(spec["type"], set()):
        raise validation(f"fieldType {spec['fieldType']} is not valid for type {spec['type']}", names=[name])
    if spec["groupName"] not in portal.data["groups"][kind]:
        raise validation(f"Property group {spec['groupName']} does not exist", names=[name])
    if find(portal, kind, name) is not None:
        raise HubSpotError(
            409,
            "OBJECT_ALREADY_EXISTS",
            f"A property named '{name}' already exists.",
            sub_category="Properties.PROPERTY_WITH_NAME_EXISTS",
        )
    definition = _custom(spec)
    portal.data["properties"][kind][name] = definition
    portal.kit.store.changed()
    return definition


def create_group(portal: Portal, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Add a property group. Raises a 400 or, when the name is taken, a 409."""
    if not spec.get("name") or not spec.get("label"):
        raise validation("Some required fields were not set: [name, label]")
    groups = portal.data["groups"][kind]
    name = str(spec["name"])
    if name in groups:
        raise HubSpotError(409, "OBJECT_ALREADY_EXISTS", f"A property group named '{name}' already exists.")
    group = {"name": name, "label": str(spec["label"]), "displayOrder": spec.get("displayOrder", -1)}
    groups[name] = {**group, "archived": False}
    portal.kit.store.changed()
    created: dict[str, Any] = groups[name]
    return created


def parse_value(definition: dict[str, Any], value: Any) -> str | None:
    """Return a written value as HubSpot keeps it: text, or None when cleared. Raises a 400.

    A `date` is YYYY-MM-DD or midnight UTC in milliseconds, a `datetime` an ISO instant or milliseconds.
    """
    if value is None or value == "":
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    name = definition["name"]
    kind = definition["type"]
    if kind == "number":
        return _number(name, text)
    if kind == "date":
        return _date(name, text)
    if kind == "datetime":
        return _instant(name, text)
    if kind == "bool" and text not in {"true", "false"}:
        raise validation(f"{text} was not a valid boolean.", code="INVALID_BOOLEAN", names=[name])
    if kind == "enumeration" and name not in _OPEN_OPTIONS:
        return _option(definition, text)
    return text


def _number(name: str, text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise validation(f"{text} was not a valid number.", code="INVALID_DOUBLE", names=[name])
    return text.strip()


def _date(name: str, text: str) -> str:
    try:
        if not text.lstrip("-").isdecimal():
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError):
        raise validation(f"{text} was not a valid date.", code="INVALID_DATE", names=[name]) from None
    if moment.time().isoformat() != "00:00:00":
        raise validation(f"{text} is not midnight UTC.", code="INVALID_DATE", names=[name])
    return moment.date().isoformat()


def _instant(name: str, text: str) -> str:
    try:
        if text.lstrip("-").isdecimal():
            return iso(datetime.fromtimestamp(int(text) / 1000, UTC))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise validation(f"{text} was not a valid long.", code="INVALID_LONG", names=[name]) from None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _option(definition: dict[str, Any], text: str) -> str:
    allowed = {option["value"] for option in definition["options"]}
    chosen = [part for part in text.split(";") if part]
    many = definition["fieldType"] == "checkbox"
    if not set(chosen) <= allowed or (len(chosen) != 1 and not many):
        message = f"{text} was not one of the allowed options: {sorted(allowed)}"
        raise validation(message, code="INVALID_OPTION", names=[definition["name"]])
    return ";".join(chosen)


def _home_group(kind: str) -> str:
    return f"{kind.replace('_', '')}information"


def _from_row(kind: str, row: Row, stamp: str) -> dict[str, Any]:
    name, label, value_type, field_type, access = row
    options = OPTIONS.get((kind, name), {})
    return {
        "name": name,
        "label": label,
        "type": value_type,
        "fieldType": field_type,
        "groupName": _home_group(kind),
        "description": "",
        "options": [
            {"label": text, "value": value, "displayOrder": order, "hidden": False}
            for order, (value, text) in enumerate(options.items())
        ],
        "displayOrder": -1,
        "calculated": access == "computed",
        "hasUniqueValue": False,
        "hidden": False,
        "formField": access == "",
        "hubspotDefined": True,
        "archived": False,
        "createdAt": stamp,
        "updatedAt": stamp,
        "modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": access != ""},
    }


def _custom(spec: dict[str, Any]) -> dict[str, Any]:
    stamp = now_iso()
    options = [
        {
            "label": str(option.get("label", "")),
            "value": str(option.get("value", "")),
            "displayOrder": option.get("displayOrder", order),
            "hidden": bool(option.get("hidden", False)),
        }
        for order, option in enumerate(spec.get("options") or [])
    ]
    kept: dict[str, Any] = {
        name: spec[name] for name in ("showCurrencySymbol", "numberDisplayHint", "currencyPropertyName") if name in spec
    }
    return {
        "name": str(spec["name"]),
        "label": str(spec["label"]),
        "type": spec["type"],
        "fieldType": spec["fieldType"],
        "groupName": spec["groupName"],
        "description": str(spec.get("description", "")),
        "options": options,
        "displayOrder": spec.get("displayOrder", -1),
        "calculated": False,
        "hasUniqueValue": bool(spec.get("hasUniqueValue", False)),
        "hidden": bool(spec.get("hidden", False)),
        "formField": bool(spec.get("formField", False)),
        "archived": False,
        "createdAt": stamp,
        "updatedAt": stamp,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
        **kept,
    }
