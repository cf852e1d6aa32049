"""The parts of the stand-in put together; `app.extensions["quickbooks"]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app

from sandbox.kit.app import Kit
from sandbox.quickbooks import seed, wire
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.events import Notifier
from sandbox.quickbooks.fields import Document
from sandbox.quickbooks.grants import Grants
from sandbox.quickbooks.refusals import Answer, Refusal
from sandbox.quickbooks.replay import Replay
from sandbox.quickbooks.settings import Settings

_EXTENSION = "quickbooks"
_COMPANIES, _BEHAVIOUR = "companies", "behaviour"
DEFAULT_BEHAVIOUR: Mapping[str, Any] = {"requestid": "honour", "rotate": "daily", "work_s": 0}


class StandIn:
    """Companies, grants, webhooks and how the stand-in was told to behave."""

    def __init__(self, kit: Kit, settings: Settings) -> None:
        self.kit = kit
        self.settings = settings
        self.grants = Grants(kit.store)
        self.notifier = Notifier(kit, settings, self.grants.connected_realms)
        self.replay = Replay(kit.store)
        kit.on_reset(self._fill)

    def _fill(self) -> None:
        self.kit.store.data[_COMPANIES] = {}
        self.kit.store.data[_BEHAVIOUR] = dict(DEFAULT_BEHAVIOUR)
        for company in seed.SEEDED:
            self.add_company(**company)

    @property
    def behaviour(self) -> dict[str, Any]:
        """Return what POST /_sandbox/settings changes."""
        behaviour: dict[str, Any] = self.kit.store.data[_BEHAVIOUR]
        return behaviour

    def add_company(self, **company: Any) -> str:
        """Open a company (arguments as `seed.open_company`) and return its realm id."""
        with self.kit.store.lock:
            companies = self.kit.store.data[_COMPANIES]
            realm_id = str(company.pop("realm_id", None) or self._free_realm())
            companies[realm_id] = data = seed.company_data(realm_id, company)
            seed.fill(Books(data, self.kit.clock, lambda change: None), company)
            self.kit.store.changed()
        return realm_id

    def _free_realm(self) -> int:
        return max(int(realm_id) for realm_id in [*self.kit.store.data[_COMPANIES], "9130001000"]) + 1

    def realm_ids(self) -> list[str]:
        """Return the ids of all companies."""
        with self.kit.store.lock:
            return list(self.kit.store.data[_COMPANIES])

    @contextmanager
    def books(self, realm_id: str, *, writes: bool = True) -> Iterator[Books]:
        """Open a company's books under the lock. Raises KeyError for an unknown company."""
        with self.kit.store.lock:
            yield Books(self.kit.store.data[_COMPANIES][realm_id], self.kit.clock, self.notifier.tell)
            if writes:
                self.kit.store.changed()

    def answer(self, realm_id: str, work: Callable[[Books], Document], *, writes: bool = False) -> Answer:
        """Do some work on the books and return the answer, a refusal too."""
        with self.books(realm_id, writes=writes) as books:
            time = books.now().isoformat(timespec="milliseconds")
            try:
                return Answer(200, wire.write(work(books) | {"time": time}))
            except Refusal as refusal:
                return refused(refusal, time)

    def answer_once(self, realm_id: str, request_id: str | None, work: Callable[[Books], Document]) -> Answer:
        """Do some work under a requestid, if there is one and it is honoured."""

        def slowly() -> Answer:
            if self.behaviour["work_s"]:
                self.kit.stopping.wait(self.behaviour["work_s"])
            return self.answer(realm_id, work, writes=True)

        if not request_id or self.behaviour["requestid"] == "forget":
            return slowly()
        with self.books(realm_id, writes=False) as books:
            answers = books.answers
        return self.replay.once(realm_id, request_id, answers, slowly)


def refused(refusal: Refusal, time: str) -> Answer:
    """Return a refusal as answered."""
    body: Document = {"Fault": refusal.fault()} | ({"time": time} if refusal.has_time else {})
    return Answer(refusal.status, wire.write(body))


def install(app: Flask, stand_in: StandIn) -> None:
    """Make the stand-in reachable from views."""
    app.extensions[_EXTENSION] = stand_in


def get() -> StandIn:
    """Return the stand-in of the application that handles the request."""
    stand_in: StandIn = current_app.extensions[_EXTENSION]
    return stand_in
