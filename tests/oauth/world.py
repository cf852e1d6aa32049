"""The two providers as stand-ins on real ports, the application between them, and browsers that go back and forth."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.access import actions as access
from app.core.db import db, transaction
from app.portals import queries as portals
from app.portals.models import Person
from tests.app.core.signed import ORIGIN
from tests.conftest import Database

_hub_ids = itertools.count(6_000_001)
_realm_ids = itertools.count(9_130_600_000_000_001)


@dataclass
class World:
    """The application with both providers around it. `calls` waits at most five seconds for each of theirs."""

    app: Flask
    hubspot_url: str
    quickbooks_url: str
    database: Database
    hubspot: Flask
    quickbooks: Flask
    http: requests.Session = field(default_factory=requests.Session)

    @contextmanager
    def browser(self) -> Iterator[FlaskClient]:
        """Give a browser without cookies. (The client's own `with` would entangle the request contexts of two.)"""
        yield self.app.test_client()

    def new_account(self, email: str = "ada@northwind.example", zone: str = "America/New_York") -> int:
        """Open a HubSpot account with one user; return its hub id."""
        hub_id = next(_hub_ids)
        body = {"hub_id": hub_id, "name": "Northwind", "timezone": zone, "currency": "USD",
                "user": {"id": hub_id + 9, "email": email}}  # fmt: skip
        assert self.http.post(f"{self.hubspot_url}/_sandbox/portals", json=body, timeout=5).status_code == 201
        return hub_id

    def new_company(self, name: str = "Northwind Inc") -> str:
        """Open a QuickBooks company; return its realm id."""
        realm_id = str(next(_realm_ids))
        body = {"realm_id": realm_id, "name": name, "currency": "USD", "country": "US", "timezone": "America/New_York"}
        assert self.http.post(f"{self.quickbooks_url}/_sandbox/companies", json=body, timeout=5).ok
        return realm_id

    def consent(self, location: str, **form: Any) -> str:
        """Decide on a provider's consent page; return the target on our side that the browser is sent back to."""
        parts = urlsplit(location)
        asked = dict(parse_qsl(parts.query))
        page = f"{parts.scheme}://{parts.netloc}{parts.path}"
        answer = self.http.post(page, data={**asked, "decision": "connect", **form}, allow_redirects=False, timeout=5)
        assert answer.status_code in (302, 303), answer.text
        back = answer.headers["Location"]
        assert back.startswith(ORIGIN)
        return back.removeprefix(ORIGIN)

    def order_fault(self, base: str, **fault: Any) -> None:
        """Order a fault of a stand-in's next matching call."""
        assert self.http.post(f"{base}/_sandbox/faults", json=fault, timeout=5).ok

    def install(self, hub_id: int) -> TestResponse:
        """Install in an account with a fresh browser."""
        with self.browser() as browser:
            target = self.consent(browser.get("/oauth/hubspot/install").headers["Location"], hub_id=hub_id)
            return browser.get(target)

    def portal_of(self, hub_id: int) -> int:
        """Return our id of an account."""
        with self.app.app_context():
            portal_id = portals.id_of_hubspot(hub_id)
        assert portal_id is not None
        return portal_id

    def sign_in(self, browser: FlaskClient, hub_id: int, role: str = "admin") -> str:
        """Give a browser a session of somebody with a role; return the form token."""
        portal_id = self.portal_of(hub_id)
        with self.app.app_context(), transaction(portal_id):
            person = db.session.execute(select(Person).where(Person.role == role)).scalars().first()
            if person is None:
                person = Person(email=f"{role}@northwind.example", role=role)
                db.session.add(person)
                db.session.flush()
            session = access.open_session(person)
        browser.set_cookie("dealwright", session.token)
        return session.csrf


def query_of(target: str) -> dict[str, str]:
    """Return the query of an address; each name comes once."""
    return {name: found[0] for name, found in parse_qs(urlsplit(target).query).items()}
