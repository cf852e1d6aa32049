"""From the card into the console: a link that works once, for a minute, for the person HubSpot names."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.access import actions
from app.access.models import SignInLink
from app.core import clock
from app.core.db import bound_portal, db, transaction
from app.core.errors import NotFound
from app.portals import actions as portal_actions
from app.portals.models import Person
from tests.app.core.signed import ORIGIN, as_card
from tests.conftest import USER_EMAIL, USER_ID, Tenant

PATH = "/cards/v1/signin-link"


def link(client: FlaskClient, portal: Tenant, **who: Any) -> str:
    """Ask for a link as a HubSpot user; return its secret."""
    answer = as_card(client, PATH, portal.hub_id, method="POST", body=b"{}", **who)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert answer.json["expires_in_s"] == 60
    assert answer.json["url"].startswith(f"{ORIGIN}/signin?token=")
    return parse_qs(urlsplit(str(answer.json["url"])).query)["token"][0]


class TestLink:
    def test_signs_in_whom_the_signature_named(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        token = link(client, tenant)
        with shared_app.app_context():
            person = actions.look_at_link(token)
            assert (person.hubspot_user_id, person.email) == (USER_ID, USER_EMAIL)
            assert bound_portal() == tenant.id

    def test_works_once(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        token = link(client, tenant)
        with shared_app.app_context():
            actions.use_link(token)
            db.session.commit()
        with shared_app.app_context(), pytest.raises(NotFound, match="used already"):
            actions.use_link(token)
        with shared_app.app_context(), pytest.raises(NotFound, match="used already"):
            actions.look_at_link(token)

    def test_being_looked_at_does_not_use_it_up(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        token = link(client, tenant)
        for _ in range(2):
            with shared_app.app_context():
                actions.look_at_link(token)

    def test_lives_a_minute(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        token = link(client, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            made = db.session.execute(select(SignInLink)).scalar_one()
            assert 55 < (made.expires_at - clock.now()).total_seconds() <= 60
            db.session.execute(update(SignInLink).values(expires_at=clock.now()))
        with shared_app.app_context(), pytest.raises(NotFound):
            actions.use_link(token)

    def test_each_request_gets_its_own_because_hubspot_may_repeat_one(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant
    ) -> None:
        first, second = link(client, tenant), link(client, tenant)
        assert first != second
        for token in (second, first):
            with shared_app.app_context():
                actions.use_link(token)
                db.session.commit()

    def test_secret_is_stored_as_a_digest_only(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        token = link(client, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            assert token not in db.session.execute(select(SignInLink)).scalar_one().digest

    @pytest.mark.parametrize("token", ["", "x", "ä", "x" * 10_000])
    def test_that_was_made_up_is_not_found(self, shared_app: Flask, tenant: Tenant, token: str) -> None:
        with shared_app.app_context(), pytest.raises(NotFound):
            actions.look_at_link(token)


class TestPerson:
    def test_is_a_viewer_unless_somebody_granted_more(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant
    ) -> None:
        link(client, tenant, userId=777, userEmail="rep@northwind.example")
        with shared_app.app_context(), transaction(tenant.id):
            person = db.session.execute(select(Person).where(Person.hubspot_user_id == 777)).scalar_one()
            assert (person.email, person.role) == ("rep@northwind.example", "viewer")

    def test_keeps_the_role_that_was_granted(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        token = link(client, tenant)
        with shared_app.app_context():
            assert actions.look_at_link(token).role == "admin"

    def test_who_was_invited_by_e_mail_is_known_at_their_first_card(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant
    ) -> None:
        with shared_app.app_context(), transaction(tenant.id):
            admin = db.session.execute(select(Person).where(Person.hubspot_user_id == USER_ID)).scalar_one()
            actor = portal_actions.Actor(admin.id, admin.email, admin.role)
            portal_actions.invite(actor, "Finance@Northwind.example", "approver")
        token = link(client, tenant, userId=778, userEmail="finance@northwind.example")
        with shared_app.app_context():
            person = actions.look_at_link(token)
            assert (person.hubspot_user_id, person.role) == (778, "approver")

    def test_can_not_take_over_another_users_address(self, client: FlaskClient, tenant: Tenant) -> None:
        answer = as_card(client, PATH, tenant.hub_id, method="POST", userId=999, userEmail=USER_EMAIL)
        assert answer.status_code == 403

    def test_is_another_person_in_another_portal(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        token = link(client, other_tenant, userId=777, userEmail="rep@northwind.example")
        with shared_app.app_context():
            actions.look_at_link(token)
            assert bound_portal() == other_tenant.id
        with shared_app.app_context(), transaction(tenant.id):
            assert db.session.execute(select(Person).where(Person.hubspot_user_id == 777)).all() == []


class TestRefused:
    def test_without_a_signature(self, client: FlaskClient, tenant: Tenant) -> None:
        assert client.post(PATH, query_string={"portalId": tenant.hub_id}).status_code == 401

    def test_by_get(self, client: FlaskClient, tenant: Tenant) -> None:
        assert as_card(client, PATH, tenant.hub_id).status_code == 405
