"""People at the console, without a browser: their session, the pages they open and the forms they send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import sessions
from app.access import actions
from app.core.db import db, transaction
from app.invoices.models import Invoice
from app.portals import actions as portal_actions
from app.portals.models import ADMIN
from tests import factories as make
from tests.conftest import Tenant


def words(answer: TestResponse) -> str:
    """Return what a page says, tags taken away and blanks made one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


def hidden(answer: TestResponse, name: str) -> str:
    """Return the value of a page's field."""
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', answer.text)
    assert found is not None, name
    return unescape(found[1])


@dataclass
class Person:
    """Somebody who is signed in."""

    client: FlaskClient
    csrf: str

    def opens(self, path: str) -> TestResponse:
        return self.client.get(path)

    def sends(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data={"csrf": self.csrf, **form})


@dataclass
class Desk:
    """A portal and two of its people."""

    app: Flask
    portal_id: int
    carla: Person
    bob: Person

    @contextmanager
    def books(self) -> Iterator[None]:
        """Bind the portal and commit what is done in it."""
        with self.app.app_context(), transaction(self.portal_id):
            yield

    def wins(self) -> list[int]:
        """Win a deal over ten seats of Platform; return the ids of its drafts for March and April."""
        with self.books():
            return [invoice.id for invoice in make.draft(make.win())]

    def edits_deal(self, **changes: str) -> None:
        """Edit the deal's line in HubSpot, and bill it."""
        with self.books():
            subscription = make.observe(make.crm_deal(make.crm_line(**changes)))
            assert subscription is not None
            make.draft(subscription)

    def stands(self, invoice_id: int) -> tuple[int, int]:
        """Return a draft's version and net."""
        with self.books():
            invoice = db.session.get_one(Invoice, invoice_id)
            return invoice.version, invoice.net_minor


def sign_in(app: Flask, tenant: Tenant, email: str, user_id: int) -> Person:
    """Return an admin of this address with a session."""
    with app.app_context():
        with transaction(tenant.id):
            person = portal_actions.signed_person(hubspot_user_id=user_id, email=email, first_admin=False)
            person.role = ADMIN
            signed_in = actions.open_session(person)
        name = sessions.cookie_name()
    client = app.test_client()
    client.set_cookie(name, signed_in.token)
    return Person(client, signed_in.csrf)
