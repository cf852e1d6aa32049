"""The books of one company: its documents, its numbering, its day, and word of what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.kit.clock import DayClock
from sandbox.quickbooks.fields import Document


@dataclass(frozen=True)
class Change:
    """Something that happened to a document, as webhooks tell it. `operation` is their word: created, voided, ..."""

    realm_id: str
    entity: str
    operation: str
    id: str
    data: dict[str, Any] = field(default_factory=dict)


def new_company(profile: dict[str, Any]) -> dict[str, Any]:
    """Return the stored form of a company without documents."""
    return {
        "profile": profile,
        "documents": {},
        "last_ids": {},
        "deleted": [],
        "mails": [],
        "answers": {},
    }


class Books:
    """A view of one company in the store. Whoever uses it holds the store's lock."""

    def __init__(self, data: dict[str, Any], clock: DayClock, tell: Callable[[Change], None]) -> None:
        self._data = data
        self._clock = clock
        self._tell = tell

    @property
    def profile(self) -> dict[str, Any]:
        """Return realm_id, name, currency, country, timezone."""
        profile: dict[str, Any] = self._data["profile"]
        return profile

    @property
    def realm_id(self) -> str:
        """Return the company's id."""
        return str(self.profile["realm_id"])

    @property
    def currency(self) -> str:
        """Return the home currency's code."""
        return str(self.profile["currency"])

    @property
    def is_us(self) -> bool:
        """Say whether the company keeps its books under the US tax model."""
        return bool(self.profile["country"] == "US")

    @property
    def preferences(self) -> Document:
        """Return the Preferences document."""
        preferences: Document = self._data["documents"]["Preferences"]["1"]
        return preferences

    @property
    def mails(self) -> list[dict[str, Any]]:
        """Return the mails sent, oldest first."""
        mails: list[dict[str, Any]] = self._data["mails"]
        return mails

    @property
    def deletions(self) -> list[dict[str, Any]]:
        """Return what was deleted, oldest first: entity, Id, at."""
        deletions: list[dict[str, Any]] = self._data["deleted"]
        return deletions

    @property
    def answers(self) -> dict[str, Any]:
        """Return the remembered answers by requestid."""
        answers: dict[str, Any] = self._data["answers"]
        return answers

    def prefers(self, group: str, name: str) -> bool:
        """Say whether a switch of the preferences is on."""
        return bool(self.preferences.get(group, {}).get(name))

    def today(self) -> date:
        """Return the company's day, which may be a moved one."""
        return self._clock.today(str(self.profile["timezone"]))

    def now(self) -> datetime:
        """Return the real instant in the company's zone."""
        return datetime.now(UTC).astimezone(ZoneInfo(str(self.profile["timezone"])))

    def stamp(self) -> str:
        """Return the instant as MetaData has it, to the second."""
        return self.now().isoformat(timespec="seconds")

    def all(self, entity: str) -> Iterator[Document]:
        """Return the living documents of an entity in order of creation."""
        documents: dict[str, Document] = self._data["documents"].get(entity, {})
        return iter(documents.values())

    def find(self, entity: str, id: str) -> Document | None:
        """Return a document, or None when it never was or is deleted."""
        found: Document | None = self._data["documents"].get(entity, {}).get(id)
        return found

    def was_deleted(self, entity: str, id: str) -> bool:
        """Say whether there once was such a document."""
        return any(gone["entity"] == entity and gone["Id"] == id for gone in self.deletions)

    def next_id(self, sequence: str) -> str:
        """Return a new id of a sequence: names share one, transactions share one, each other list has its own."""
        last = int(self._data["last_ids"].get(sequence, 0)) + 1
        self._data["last_ids"][sequence] = last
        return str(last)

    def skip_to(self, sequence: str, last: int) -> None:
        """Make the next id of a sequence come after `last`."""
        self._data["last_ids"][sequence] = max(last, int(self._data["last_ids"].get(sequence, 0)))

    def put_new(self, entity: str, sequence: str, document: Document) -> None:
        """Give a document its id (unless seeded with one), version and times, and keep it."""
        if "Id" not in document:
            document["Id"] = self.next_id(sequence)
        elif document["Id"].isdecimal():
            self.skip_to(sequence, int(document["Id"]))
        now = self.stamp()
        document.update(domain="QBO", sparse=False, SyncToken="0")
        document["MetaData"] = {"CreateTime": now, "LastUpdatedTime": now}
        self._data["documents"].setdefault(entity, {})[document["Id"]] = document

    def put_changed(self, entity: str, document: Document) -> None:
        """Keep a changed document under the next version."""
        document["SyncToken"] = str(int(document["SyncToken"]) + 1)
        document["MetaData"] = document["MetaData"] | {"LastUpdatedTime": self.stamp()}
        self._data["documents"][entity][document["Id"]] = document

    def remove(self, entity: str, id: str) -> None:
        """Forget a document; that it was is remembered for change data capture."""
        del self._data["documents"][entity][id]
        self._data["deleted"].append({"entity": entity, "Id": id, "at": self.stamp()})

    def tell(self, entity: str, operation: str, id: str, **data: Any) -> None:
        """Say what happened, for webhooks."""
        self._tell(Change(self.realm_id, entity, operation, id, data))
