"""The generic operations over any entity: create, read, full and sparse update, delete, void, send, query."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sandbox.quickbooks import fields, query, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import BY_NAME
from sandbox.quickbooks.entities.base import CREATE, DELETE, QUERY, READ, SEND, UPDATE, VOID, Entity
from sandbox.quickbooks.fields import Document

_FOLD = {entity.name.lower(): entity for entity in BY_NAME.values()}


def operation_of(body: Mapping[str, Any], options: Mapping[str, str]) -> str:
    """Say what a POST to an entity does: by `operation`, else create or update by whether it has an id.

    Provider fact: a payment is voided by an update with `include=void`.
    """
    named = options.get("operation", "").lower()
    if options.get("include") == VOID and named in ("", UPDATE):
        return VOID
    if named in (DELETE, VOID):
        return named
    return UPDATE if body.get("Id") not in (None, "") else CREATE


def write(books: Books, entity: Entity, body: Mapping[str, Any], options: Mapping[str, str]) -> Document:
    """Carry out a POST to an entity and return its object as answered. Raises Refusal, with nothing changed."""
    doing = operation_of(body, options)
    _check_supported(entity, doing)
    if doing == CREATE:
        return create(books, entity, body, options)
    if doing == UPDATE:
        return update(books, entity, body, options)
    before = _current_version(books, entity, body)
    return delete(books, entity, before) if doing == DELETE else void(books, entity, before)


def create(books: Books, entity: Entity, body: Mapping[str, Any], options: Mapping[str, str]) -> Document:
    """Make a document."""
    cleaned = fields.clean(entity.name, entity.fields, body)
    document = {name: value for name, value in cleaned.items() if value is not None}
    entity.complete(books, document, None, options)
    books.put_new(entity.name, entity.sequence, document)
    _tell(books, entity, "created", document)
    entity.saved(books, document, None)
    return shown(books, entity, document)


def update(books: Books, entity: Entity, body: Mapping[str, Any], options: Mapping[str, str]) -> Document:
    """Change a document: all of it (what is left out becomes null), or with `sparse` only what is sent."""
    before = _current_version(books, entity, body)
    cleaned = fields.clean(entity.name, entity.fields, body)
    if body.get("sparse") in (True, "true"):
        document = copy.deepcopy(before)
    else:
        kept = {field.name for field in entity.fields if field.is_read_only}
        document = {name: copy.deepcopy(value) for name, value in before.items() if name in kept}
    for name, value in cleaned.items():
        document.pop(name, None)
        if value is not None:
            document[name] = value
    entity.complete(books, document, before, options)
    _save(books, entity, document, before, "updated")
    return shown(books, entity, document)


def void(books: Books, entity: Entity, before: Document) -> Document:
    """Void a document."""
    document = copy.deepcopy(before)
    entity.void(books, document)
    _save(books, entity, document, before, "voided")
    return shown(books, entity, document)


def delete(books: Books, entity: Entity, document: Document) -> Document:
    """Delete a document; the answer is all that is left of it (recorded)."""
    entity.check_delete(books, document)
    books.remove(entity.name, document["Id"])
    _tell(books, entity, "deleted", document)
    entity.deleted(books, document)
    return {"domain": "QBO", "status": "Deleted", "Id": document["Id"]}


def read(books: Books, entity: Entity, id: str) -> Document:
    """Return a document, inactive ones too (recorded). Raises Refusal 610, 2030."""
    _check_supported(entity, READ)
    return shown(books, entity, find(books, entity, id))


def send(books: Books, entity: Entity, id: str, send_to: str | None) -> Document:
    """Mail a document to `send_to`, which then replaces its address, or to its own address."""
    _check_supported(entity, SEND)
    before = find(books, entity, id)
    document = copy.deepcopy(before)
    if send_to:
        document["BillEmail"] = {"Address": send_to}
    address = document.get("BillEmail", {}).get("Address")
    if not address:
        raise refusals.missing("BillEmail")
    document["EmailStatus"] = "EmailSent"
    document["DeliveryInfo"] = {"DeliveryType": "Email", "DeliveryTime": books.stamp()}
    _save(books, entity, document, before, "emailed")
    books.mails.append(_mail(books, entity, document, address))
    return shown(books, entity, document)


def run_query(books: Books, text: str) -> Document:
    """Answer a query: the content of `QueryResponse`, which is empty when nothing was found (recorded)."""
    asked = query.parse(text)
    entity = _FOLD.get(asked.entity.lower())
    if entity is None or QUERY not in entity.operations:
        raise refusals.bad_query(f"invalid context declaration: {asked.entity}")
    found = query.select(asked, entity.fields, (entity.current(books, one) for one in books.all(entity.name)))
    if asked.is_count:
        return {"totalCount": len(found)}
    page = query.page(asked, found)
    if not page:
        return {}
    hidden = entity.on_demand - set(asked.columns)
    rows = [fields.show(entity.fields, one, hidden) for one in page]
    return {entity.name: rows, "startPosition": asked.start, "maxResults": len(rows)}


def shown(books: Books, entity: Entity, document: Document) -> Document:
    """Return a document as answered."""
    return fields.show(entity.fields, entity.current(books, document))


def find(books: Books, entity: Entity, id: str) -> Document:
    """Return the stored document. Raises Refusal 2030 for an id that isn't a number, 610 when there is none."""
    if entity.name == "CompanyInfo" and id == books.realm_id:
        id = "1"
    if not id.isdecimal() and books.find(entity.name, id) is None:
        raise refusals.invalid_id(id)
    document = books.find(entity.name, id)
    if document is None:
        raise refusals.not_found()
    return document


def _current_version(books: Books, entity: Entity, body: Mapping[str, Any]) -> Document:
    """Return the document a request changes; its SyncToken must be the current one."""
    for name in ("Id", "SyncToken"):
        if body.get(name) in (None, ""):
            raise refusals.missing(name)
    document = find(books, entity, str(body["Id"]))
    if str(body["SyncToken"]) != document["SyncToken"]:
        raise refusals.stale()
    return document


def _check_supported(entity: Entity, operation: str) -> None:
    if operation not in entity.operations:
        raise refusals.unsupported(f"/{entity.name.lower()} {operation}")


def _save(books: Books, entity: Entity, document: Document, before: Document, word: str) -> None:
    books.put_changed(entity.name, document)
    _tell(books, entity, word, document)
    entity.saved(books, document, before)


def _tell(books: Books, entity: Entity, word: str, document: Document) -> None:
    if entity.sends_webhooks:
        books.tell(entity.name, word, document["Id"])


def _mail(books: Books, entity: Entity, document: Document, address: str) -> Document:
    return {
        "n": len(books.mails) + 1,
        "at": books.stamp(),
        "entity": entity.name,
        "id": document["Id"],
        "doc_number": document.get("DocNumber"),
        "to": address,
        "cc": document.get("BillEmailCc", {}).get("Address"),
        "customer": document["CustomerRef"]["name"],
        "total": document["TotalAmt"],
        "balance": document["Balance"],
        "currency": document["CurrencyRef"]["value"],
    }
