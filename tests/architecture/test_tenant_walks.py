"""Two walks with another portal's ids: over every address of the web application, and over every kind of work."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from werkzeug.routing import Rule

from app.access import actions as access
from app.bootstrap import steps
from app.connections.models import Connection
from app.core import work
from app.core.crypto import KeyRing
from app.core.db import db, transaction
from app.core.errors import NotFound
from app.core.outcome import Done
from app.core.runner import Local, NotNow, Plan, Step
from app.core.work import Work
from app.edge import Wiring
from app.portals import queries as portals
from tests.app.core.records import Ids
from tests.app.core.signed import as_card
from tests.architecture.two_portals import OTHER_HUB_ID, Pg, state_of
from tests.conftest import HUB_ID, USER_EMAIL

# What anybody may open: health, the two ways in, files, and arithmetic over what the caller sends.
PUBLIC = {
    "health.healthz", "health.readyz", "health.metrics", "console.static", "signin.show", "signin.use",
    "hubspot_install.install", "hubspot_install.callback", "quickbooks_connect.callback", "previews.create",
    "api-docs.openapi_json",
}  # fmt: skip


@pytest.fixture(scope="module")
def signed_in(web: Flask, ours: Ids) -> tuple[str, str]:
    """The admin of portal A, signed in: cookie and form token."""
    with web.app_context(), transaction(ours.portal_id):
        person = portals.person_by_email(USER_EMAIL)
        assert person is not None
        session = access.open_session(person)
    return session.token, session.csrf


def walks(app: Flask, *, with_ids: bool) -> list[tuple[Rule, str]]:
    """Return every (rule, method) of the application, those with a value in the address or those without."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if bool(rule.arguments) == with_ids and rule.endpoint != "console.static"
    ]


def address(app: Flask, rule: Rule, value: object) -> str:
    """Return a rule's address with each of its values replaced."""
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, value), method=next(iter(rule.methods or {})))


class TestWalkOfAddresses:
    """Signed in to portal A, or as a card of A: ids of portal B are not there, and nothing of B changes."""

    def form(self, csrf: str, theirs: Ids) -> dict[str, Any]:
        """Return every field that a form of the console names, each with ids of portal B where it takes one."""
        fields: dict[str, Any] = {table: str(row_id) for table, row_id in theirs.by_table.items()}
        return fields | {
            "csrf": csrf, "key": "walk-key-of-the-form", "draft": [f"{id_}:1" for id_ in sorted(theirs.named())],
            "role": "admin", "relation": "new", "portal": str(OTHER_HUB_ID), "version": "1",
            "income_account_id": str(theirs.by_table["connection"]),
        }  # fmt: skip

    def test_foreign_ids_in_the_address_are_not_found(
        self, web: Flask, owner: Pg, ours: Ids, theirs: Ids, signed_in: tuple[str, str]
    ) -> None:
        before = state_of(owner, theirs.portal_id)
        rules = walks(web, with_ids=True)
        answers: dict[tuple[str, str, int], int] = {}
        client = web.test_client()
        client.set_cookie("dealwright", signed_in[0])
        for rule, method in rules:
            for foreign in (*sorted(theirs.named()), 2**63, 10**30):
                target = address(web, rule, foreign)
                if target.startswith("/cards/"):
                    answer = as_card(client, target, HUB_ID, method=method)
                else:
                    answer = client.open(target, method=method, data=self.form(signed_in[1], theirs))
                answers[rule.endpoint, method, foreign] = answer.status_code
        assert {place: status for place, status in answers.items() if status != 404} == {}
        assert {rule.endpoint for rule, _ in rules} >= {"cards.company_billing", "cards.deal_billing"}
        assert state_of(owner, theirs.portal_id) == before

    def test_own_ids_in_the_address_are_found(self, web: Flask, ours: Ids, signed_in: tuple[str, str]) -> None:
        """Without this the walk could be passed by addresses that find nothing at all."""
        client = web.test_client()
        client.set_cookie("dealwright", signed_in[0])
        for rule, method in walks(web, with_ids=True):
            found = set()
            for own in sorted(ours.named()):
                target = address(web, rule, own)
                card = target.startswith("/cards/")
                # Without the form's token nothing is changed here: what is asked is only whether it is found.
                found.add(
                    (as_card(client, target, HUB_ID, method=method) if card else client.open(target, method=method))
                    .status_code
                )  # fmt: skip
            assert found - {404}, (rule.endpoint, method)
            assert not any(status >= 500 for status in found), (rule.endpoint, found)

    def test_foreign_ids_in_a_form_change_nothing(
        self, web: Flask, owner: Pg, ours: Ids, theirs: Ids, signed_in: tuple[str, str]
    ) -> None:
        before = state_of(owner, theirs.portal_id)
        client = web.test_client()
        client.set_cookie("dealwright", signed_in[0])
        for rule, method in walks(web, with_ids=False):
            if method != "POST" or rule.endpoint in ("signin.leave", "sandbox.move_clock"):
                continue
            answer = client.open(rule.rule, method=method, data=self.form(signed_in[1], theirs))
            assert answer.status_code < 500, rule.endpoint
        assert state_of(owner, theirs.portal_id) == before

    def test_nobody_gets_in_without_a_session_or_a_signature(self, web: Flask, ours: Ids) -> None:
        client = web.test_client()
        refusals = {}
        for with_ids in (True, False):
            for rule, method in walks(web, with_ids=with_ids):
                if rule.endpoint in PUBLIC:
                    continue
                target = address(web, rule, ours.by_table["invoice"])
                status = client.open(target, method=method).status_code
                refusals[rule.endpoint, method] = status
        assert {place: status for place, status in refusals.items() if status != 401} == {}

    def test_session_of_one_portal_never_shows_the_others_customer(
        self, web: Flask, theirs: Ids, signed_in: tuple[str, str], owner: Pg
    ) -> None:
        owner.execute("UPDATE customer SET name = 'Zanzibar Zeppelins' WHERE id = %s", [theirs.by_table["customer"]])
        client = web.test_client()
        client.set_cookie("dealwright", signed_in[0])
        for rule, method in walks(web, with_ids=False):
            if method == "GET":
                assert "Zanzibar" not in client.get(rule.rule).text, rule.endpoint


class _Nowhere:
    """Stands where a provider's client would: the walk never calls outside."""

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_request"):
            return lambda *_: b"{}"
        raise AssertionError(f"the walk called {name}")


class TestWalkOfWork:
    """A row of portal A whose subject is an id of portal B finds nothing."""

    def kinds(self, web: Flask) -> dict[str, Step | Local]:
        wired: Wiring = web.extensions["dealwright"]
        nowhere: Any = _Nowhere()
        return dict(steps(nowhere, nowhere, wired.ring))

    @pytest.fixture
    def lane_id(self, web: Flask, ours: Ids) -> int:
        """A lane of portal A, whose QuickBooks connection has a realm that opens."""
        with web.app_context(), transaction(ours.portal_id):
            wired: Wiring = web.extensions["dealwright"]
            seal(wired.ring, ours)
            return work.lane("quickbooks", ours.by_table["connection"]).id

    def test_every_kind_finds_nothing_of_another_portal(
        self, web: Flask, owner: Pg, ours: Ids, theirs: Ids, lane_id: int
    ) -> None:
        before = state_of(owner, theirs.portal_id)
        every = self.kinds(web)
        assert len(every) >= 9
        for kind, step in every.items():
            for foreign in sorted(theirs.named()):
                with web.app_context():
                    told = self.told(ours.portal_id, lane_id, kind, step, str(foreign))
                assert "Acme" not in told, (kind, foreign)
        assert state_of(owner, theirs.portal_id) == before

    def told(self, portal_id: int, lane_id: int, kind: str, step: Step | Local, subject: str) -> str:
        """Run what the worker would run of a row inside its transaction; return everything that came of it."""
        try:
            with transaction(portal_id):
                work_id = work.want(lane_id, kind, subject)
                row = db.session.execute(select(Work).where(Work.id == work_id)).scalar_one()
                if isinstance(step, Local):
                    return repr(step.run(row))
                plan = step.plan(row, "token")
                if isinstance(plan, Plan):
                    # Only reads of an outside record go so far: the id is asked for at portal A's own account.
                    assert not step.writes, kind
                    assert plan.portal_id == portal_id
                    if kind == "hubspot.read_deal":
                        step.record(row, Done(None))
                assert isinstance(plan, Plan | NotNow)
                return repr(plan)
        except (NotFound, NoResultFound) as error:
            return repr(error)


def seal(ring: KeyRing, ids: Ids) -> None:
    """Give a portal's connection a realm that opens."""
    connection = db.session.get_one(Connection, ids.by_table["connection"])
    connection.account_sealed = ring.seal("9130", table="connection", portal_id=ids.portal_id, column="account")
