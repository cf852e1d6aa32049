"""Associations: read in batches or from one record, link and unlink."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.errors import validation
from sandbox.hubspot.model import associations, objects
from sandbox.hubspot.object_types import ObjectType, find
from sandbox.hubspot.routes.api import DATED, Call, batch_answer, batch_inputs, body_object, for_account
from sandbox.hubspot.routes.objects import readable, writable
from sandbox.hubspot.timestamps import now_iso
from sandbox.kit.app import operation

blueprint = Blueprint("associations", __name__)
_OF_RECORD = f"/crm/objects/{DATED}/<kind>/<object_id>/associations"


@blueprint.post(f"/crm/associations/{DATED}/<kind>/<to_kind>/batch/read")
@operation("association.batch_read")
@for_account
def batch_read(call: Call, kind: str, to_kind: str) -> ResponseReturnValue:
    """Return the links of many records; a record without any is an error entry, which makes it a 207."""
    found, to = readable(call, kind), readable(call, to_kind)
    started_at = now_iso()
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    ids = [str(entry.get("id", "")) for entry in batch_inputs(body_object())]
    for object_id in dict.fromkeys(ids):
        rows = []
        if objects.find(call.portal, found, object_id) is not None:
            rows = associations.linked(call.portal, found, object_id, to)
        if rows:
            results.append({"from": {"id": object_id}, "to": [_row(to_id, types) for to_id, types in rows]})
        else:
            errors.append(_none_found(found, object_id, to))
    return batch_answer(started_at, results, errors)


@blueprint.get(f"{_OF_RECORD}/<to_kind>")
@operation("association.list")
@for_account
def list_of_record(call: Call, kind: str, object_id: str, to_kind: str) -> ResponseReturnValue:
    """Return the links of one record."""
    found, to = readable(call, kind), readable(call, to_kind)
    objects.get(call.portal, found, object_id)
    rows = associations.linked(call.portal, found, object_id, to)
    return {"results": [_row(to_id, types) for to_id, types in rows]}


@blueprint.put(f"{_OF_RECORD}/default/<to_kind>/<to_id>")
@operation("association.create_default")
@for_account
def link_default(call: Call, kind: str, object_id: str, to_kind: str, to_id: str) -> ResponseReturnValue:
    """Link two records with the default type; a deal's first company becomes its primary one."""
    found, to = writable(call, kind), find(to_kind)
    started_at = now_iso()
    types = associations.link(call.portal, found, object_id, to, to_id, call.actor)
    results = [
        {
            "from": {"id": object_id},
            "to": {"id": to_id},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link_type.id},
        }
        for link_type in types
    ]
    return batch_answer(started_at, results, [])


@blueprint.put(f"{_OF_RECORD}/<to_kind>/<to_id>")
@operation("association.create")
@for_account
def link_labelled(call: Call, kind: str, object_id: str, to_kind: str, to_id: str) -> ResponseReturnValue:
    """Link two records with the types of the body, a list."""
    found, to = writable(call, kind), find(to_kind)
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, list) or not all(isinstance(entry, dict) for entry in wanted):
        raise validation("a list of {associationCategory, associationTypeId} is expected")
    labels: list[str] = []
    for entry in wanted:
        number = entry.get("associationTypeId")
        if not isinstance(number, int):
            raise validation("associationTypeId must be a number")
        types = associations.link_by_type(call.portal, found, object_id, to, to_id, number, call.actor)
        labels += [link_type.label for link_type in types if link_type.label]
    ends = {"fromObjectTypeId": found.id, "fromObjectId": object_id, "toObjectTypeId": to.id, "toObjectId": to_id}
    return {**ends, "labels": labels}, 201


@blueprint.delete(f"{_OF_RECORD}/<to_kind>/<to_id>")
@operation("association.archive")
@for_account
def unlink(call: Call, kind: str, object_id: str, to_kind: str, to_id: str) -> ResponseReturnValue:
    """Remove every link between two records."""
    associations.unlink(call.portal, writable(call, kind), object_id, find(to_kind), to_id, call.actor)
    return "", 204


def _row(to_id: str, types: list[associations.LinkType]) -> dict[str, Any]:
    return {"toObjectId": to_id, "associationTypes": [associations.spec(link_type) for link_type in types]}


def _none_found(kind: ObjectType, object_id: str, to: ObjectType) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {to.name} is associated with {kind.name} {object_id}.",
        "context": {"fromObjectId": [object_id], "fromObjectType": [kind.name], "toObjectType": [to.name]},
    }
