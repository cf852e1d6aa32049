"""CRM records."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.errors import HubSpotError, validation
from sandbox.hubspot.model import associations, objects
from sandbox.hubspot.object_types import LINE_ITEM, ObjectType, find
from sandbox.hubspot.routes.api import (
    DATED,
    Call,
    batch_answer,
    batch_inputs,
    body_object,
    for_account,
    name_list,
    on_type,
)
from sandbox.hubspot.timestamps import now_iso
from sandbox.kit.app import operation

blueprint = Blueprint("objects", __name__)
_BASE = f"/crm/objects/{DATED}/<kind>"
PAGE_LIMIT = 100


@blueprint.get(_BASE)
@operation(on_type("list"))
@for_account
def list_all(call: Call, kind: str) -> ResponseReturnValue:
    """Return a page of records; `paging.next.after` leads to the next."""
    found = readable(call, kind)
    limit = request.args.get("limit", "10")
    after = request.args.get("after", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= PAGE_LIMIT or not after.isdecimal():
        raise validation(f"limit must be from 1 to {PAGE_LIMIT}, and after a position given by an earlier answer")
    records = objects.listed(call.portal, found, archived=request.args.get("archived") == "true")
    rest = [record for record in records if int(record["id"]) > int(after)]
    page = rest[: int(limit)]
    answer: dict[str, Any] = {"results": [_with_associations(call, found, record) for record in page]}
    if len(rest) > len(page):
        answer["paging"] = {"next": {"after": page[-1]["id"], "link": f"{request.base_url}?after={page[-1]['id']}"}}
    return answer


@blueprint.post(_BASE)
@operation(on_type("create"))
@for_account
def create(call: Call, kind: str) -> ResponseReturnValue:
    """Make a record, linked as told in `associations`."""
    found = writable(call, kind)
    record = _create(call, found, body_object())
    return objects.shown(call.portal, found, record, ()), 201


@blueprint.get(f"{_BASE}/<object_id>")
@operation(on_type("read"))
@for_account
def read(call: Call, kind: str, object_id: str) -> ResponseReturnValue:
    """Return a record with the asked properties and associations."""
    found = readable(call, kind)
    record = objects.get(call.portal, found, object_id, archived=request.args.get("archived") == "true")
    return _with_associations(call, found, record)


@blueprint.patch(f"{_BASE}/<object_id>")
@operation(on_type("update"))
@for_account
def update(call: Call, kind: str, object_id: str) -> ResponseReturnValue:
    """Change properties of a record."""
    found = writable(call, kind)
    written = body_object().get("properties")
    record = objects.update(call.portal, found, object_id, _properties(written), call.actor)
    return objects.shown(call.portal, found, record, written or ())


@blueprint.delete(f"{_BASE}/<object_id>")
@operation(on_type("archive"))
@for_account
def archive(call: Call, kind: str, object_id: str) -> ResponseReturnValue:
    """Archive a record."""
    objects.archive(call.portal, writable(call, kind), object_id, call.actor)
    return "", 204


@blueprint.post(f"{_BASE}/batch/read")
@operation(on_type("batch_read"))
@for_account
def batch_read(call: Call, kind: str) -> ResponseReturnValue:
    """Return many records by id; ids that do not exist make it a 207."""
    found = readable(call, kind)
    started_at = now_iso()
    body = body_object()
    archived = body.get("archived") is True or request.args.get("archived") == "true"
    ids = list(dict.fromkeys(str(entry.get("id", "")) for entry in batch_inputs(body)))
    records = [objects.find(call.portal, found, object_id, archived=archived) for object_id in ids]
    missing = [object_id for object_id, record in zip(ids, records, strict=True) if record is None]
    names = body.get("properties") or ()
    results = [objects.shown(call.portal, found, record, names) for record in records if record is not None]
    return batch_answer(started_at, results, [_missing(found, missing)] if missing else [])


@blueprint.post(f"{_BASE}/batch/create")
@operation(on_type("batch_create"))
@for_account
def batch_create(call: Call, kind: str) -> ResponseReturnValue:
    """Make many records; a wrong one makes it a 207, and the others exist."""
    found = writable(call, kind)
    started_at = now_iso()
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for entry in batch_inputs(body_object()):
        try:
            results.append(objects.shown(call.portal, found, _create(call, found, entry), ()))
        except HubSpotError as error:
            trace = entry.get("objectWriteTraceId")
            errors.append(error.body() | ({"context": {"objectWriteTraceId": [trace]}} if trace else {}))
    if errors:
        return batch_answer(started_at, results, errors)
    return {"status": "COMPLETE", "results": results, "startedAt": started_at, "completedAt": now_iso()}, 201


def readable(call: Call, kind: str) -> ObjectType:
    """Return the type after checking that the caller may read it. Raises a 400 or 403."""
    return _allowed(call, kind, "read")


def writable(call: Call, kind: str) -> ObjectType:
    """Return the type after checking that the caller may write it. Raises a 400 or 403."""
    return _allowed(call, kind, "write")


def _allowed(call: Call, kind: str, verb: str) -> ObjectType:
    found = find(kind)
    scopes = [f"crm.objects.{found.plural}.{verb}"]
    call.need(*scopes, *(["e-commerce"] if found is LINE_ITEM else []))
    return found


def _properties(written: Any) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise validation("properties must be an object")
    return written


def _create(call: Call, kind: ObjectType, spec: dict[str, Any]) -> dict[str, Any]:
    links = _wanted_links(call, kind, spec.get("associations") or [])
    record = objects.create(call.portal, kind, _properties(spec.get("properties")), call.actor)
    for to, to_id, type_id in links:
        associations.link_by_type(call.portal, kind, record["id"], to, to_id, type_id, call.actor)
    return record


def _wanted_links(call: Call, kind: ObjectType, wanted: list[Any]) -> list[tuple[ObjectType, str, int]]:
    """Read `associations` and find the other records before anything is written."""
    links = []
    for entry in wanted:
        try:
            to_id = str(entry["to"]["id"])
            type_ids = [int(link["associationTypeId"]) for link in entry["types"]]
        except (KeyError, TypeError, ValueError):
            raise validation("associations need to.id and types with associationTypeId") from None
        for type_id in type_ids:
            to = associations.target_of(kind, type_id)
            objects.get(call.portal, to, to_id)
            links.append((to, to_id, type_id))
    return links


def _with_associations(call: Call, kind: ObjectType, record: dict[str, Any]) -> dict[str, Any]:
    answer = objects.shown(call.portal, kind, record, name_list("properties"))
    wanted = name_list("associations")
    if not wanted:
        return answer
    groups = {}
    for to in (find(name) for name in wanted):
        rows = [
            {"id": to_id, "type": link_type.name}
            for to_id, types in associations.linked(call.portal, kind, record["id"], to)
            for link_type in types
        ]
        if rows:
            groups[to.key] = {"results": rows}
    return {**answer, "associations": groups} if groups else answer


def _missing(kind: ObjectType, ids: list[str]) -> dict[str, Any]:
    message = (
        f"Could not get some {kind.name.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    )
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": ids}}
