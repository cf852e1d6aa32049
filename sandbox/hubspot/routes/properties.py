"""Property definitions and groups."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.hubspot.errors import not_found
from sandbox.hubspot.model import properties
from sandbox.hubspot.object_types import LINE_ITEM, ObjectType, find
from sandbox.hubspot.routes.api import DATED, Call, body_object, for_account
from sandbox.kit.app import operation

blueprint = Blueprint("properties", __name__)
_BASE = f"/crm/properties/{DATED}/<kind>"


@blueprint.get(_BASE)
@operation("property.list")
@for_account
def list_all(call: Call, kind: str) -> ResponseReturnValue:
    """Return the definitions of a record type."""
    found = _readable(call, kind)
    every = call.portal.data["properties"][found.name].values()
    return {"results": [definition for definition in every if not definition["archived"]]}


@blueprint.post(_BASE)
@operation("property.create")
@for_account
def create(call: Call, kind: str) -> ResponseReturnValue:
    """Add a custom property."""
    return properties.create(call.portal, _writable(call, kind).name, body_object()), 201


@blueprint.get(f"{_BASE}/groups")
@operation("property_group.list")
@for_account
def list_groups(call: Call, kind: str) -> ResponseReturnValue:
    """Return the property groups of a record type."""
    return {"results": list(call.portal.data["groups"][_readable(call, kind).name].values())}


@blueprint.post(f"{_BASE}/groups")
@operation("property_group.create")
@for_account
def create_group(call: Call, kind: str) -> ResponseReturnValue:
    """Add a property group."""
    return properties.create_group(call.portal, _writable(call, kind).name, body_object()), 201


@blueprint.get(f"{_BASE}/groups/<name>")
@operation("property_group.read")
@for_account
def read_group(call: Call, kind: str, name: str) -> ResponseReturnValue:
    """Return one property group."""
    group = call.portal.data["groups"][_readable(call, kind).name].get(name)
    if group is None:
        raise not_found("Property group", name)
    found: dict[str, object] = group
    return found


@blueprint.get(f"{_BASE}/<name>")
@operation("property.read")
@for_account
def read(call: Call, kind: str, name: str) -> ResponseReturnValue:
    """Return one definition."""
    return properties.get(call.portal, _readable(call, kind).name, name)


@blueprint.delete(f"{_BASE}/<name>")
@operation("property.archive")
@for_account
def archive(call: Call, kind: str, name: str) -> ResponseReturnValue:
    """Archive a custom property; creating the name again brings it back."""
    definition = properties.get(call.portal, _writable(call, kind).name, name)
    if definition["modificationMetadata"]["archivable"]:
        definition["archived"] = True
        call.portal.kit.store.changed()
    return "", 204


def _readable(call: Call, kind: str) -> ObjectType:
    found = find(kind)
    names = [f"crm.schemas.{found.plural}.read", f"crm.objects.{found.plural}.read"]
    call.need(*names, *(["e-commerce"] if found is LINE_ITEM else []))
    return found


def _writable(call: Call, kind: str) -> ObjectType:
    found = find(kind)
    call.need(f"crm.schemas.{found.plural}.write")
    return found
