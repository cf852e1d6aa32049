"""Change data capture: everything of some entities that changed since an instant, deletions last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sandbox.quickbooks import ledger, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import BY_PATH
from sandbox.quickbooks.entities.base import Entity
from sandbox.quickbooks.fields import Document

MAX_OBJECTS = 1000
# Provider fact: these have no change data.
_WITHOUT = frozenset({"taxcode", "taxrate", "companyinfo", "preferences"})


def changes(books: Books, entities: str, since: str) -> Document:
    """Return the content of the answer: a block per entity, in the order asked for, empty where nothing changed.

    `since` is an instant with or without offset (then the company's zone). An old one isn't refused (recorded). At most
    1000 objects come back in all. Raises Refusal 2020 for a missing parameter, 4001 for one that makes no sense.
    """
    for name, value in (("entities", entities), ("changedSince", since)):
        if not value:
            raise refusals.missing(name)
    moment = _instant(books, since)
    blocks: list[Document] = []
    left = MAX_OBJECTS
    for name in entities.split(","):
        block = _block(books, _entity(name.strip()), moment, left)
        left -= block.get("maxResults", 0)
        blocks.append(block)
    return {"CDCResponse": [{"QueryResponse": blocks}]}


def _entity(name: str) -> Entity:
    entity = BY_PATH.get(name.lower())
    if entity is None or name.lower() in _WITHOUT:
        raise refusals.bad_query(f"invalid context declaration: {name}")
    return entity


def _instant(books: Books, text: str) -> datetime:
    try:
        # An offset's plus sign arrives as a blank when a client forgot to encode it.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise refusals.bad_query(f"Invalid changedSince {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=books.now().tzinfo)


def _block(books: Books, entity: Entity, since: datetime, limit: int) -> Document:
    alive = (
        ledger.shown(books, entity, one)
        for one in books.all(entity.name)
        if datetime.fromisoformat(one["MetaData"]["LastUpdatedTime"]) >= since
    )
    found = [*alive, *_deletions(books, entity.name, since)][:limit]
    return {entity.name: found, "startPosition": 1, "maxResults": len(found)} if found else {}


def _deletions(books: Books, entity: str, since: datetime) -> Iterable[Document]:
    for gone in books.deletions:
        if gone["entity"] == entity and datetime.fromisoformat(gone["at"]) >= since:
            yield {
                "domain": "QBO",
                "status": "Deleted",
                "Id": gone["Id"],
                "MetaData": {"LastUpdatedTime": gone["at"]},
            }
