"""Console sessions: server-side rows, opened by a one-time link, bound to a person of one portal."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.access import actions
from app.access.models import ConsoleSession
from app.core import clock
from app.core.db import bound_portal, db, transaction
from app.core.errors import NotFound, NotSignedIn
from app.portals import queries as portals
from app.portals.models import Person
from tests.conftest import USER_EMAIL, Tenant


def ada() -> Person:
    """Return the bound portal's admin."""
    found = portals.person_by_email(USER_EMAIL)
    assert found is not None
    return found


def sign_in(app: Flask, portal: Tenant) -> actions.SignedIn:
    with app.app_context(), transaction(portal.id):
        return actions.open_session(ada())


class TestResume:
    def test_binds_the_portal_and_names_the_person(self, shared_app: Flask, tenant: Tenant) -> None:
        session = sign_in(shared_app, tenant)
        with shared_app.app_context():
            actor, csrf = actions.resume(session.token)
            assert (actor.email, actor.role, csrf) == (USER_EMAIL, "admin", session.csrf)
            assert bound_portal() == tenant.id

    def test_follows_a_role_that_was_changed_meanwhile(self, shared_app: Flask, tenant: Tenant) -> None:
        session = sign_in(shared_app, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            ada().role = "viewer"
        with shared_app.app_context():
            assert actions.resume(session.token)[0].role == "viewer"

    @pytest.mark.parametrize("token", ["", "made-up", "ä", "x" * 5000])
    def test_is_refused_for_a_token_nobody_has(self, shared_app: Flask, tenant: Tenant, token: str) -> None:
        with shared_app.app_context(), pytest.raises(NotSignedIn):
            actions.resume(token)

    def test_is_refused_when_the_session_is_over(self, shared_app: Flask, tenant: Tenant) -> None:
        session = sign_in(shared_app, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            db.session.execute(update(ConsoleSession).values(expires_at=clock.now()))
        with shared_app.app_context(), pytest.raises(NotSignedIn):
            actions.resume(session.token)

    def test_is_refused_after_a_sign_out(self, shared_app: Flask, tenant: Tenant) -> None:
        session = sign_in(shared_app, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            actions.close_session(session.token)
        with shared_app.app_context(), pytest.raises(NotSignedIn):
            actions.resume(session.token)

    def test_sign_out_of_one_portal_can_not_end_a_session_of_another(
        self, shared_app: Flask, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        session = sign_in(shared_app, other_tenant)
        with shared_app.app_context(), transaction(tenant.id):
            actions.close_session(session.token)
        with shared_app.app_context():
            assert actions.resume(session.token)[0].email == USER_EMAIL


class TestOpen:
    def test_lives_twelve_hours_and_is_stored_as_a_digest(self, shared_app: Flask, tenant: Tenant) -> None:
        session = sign_in(shared_app, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            row = db.session.execute(select(ConsoleSession)).scalar_one()
            assert row.digest != session.token
            assert timedelta(hours=11, minutes=59) < row.expires_at - clock.now() <= timedelta(hours=12)

    def test_is_another_each_time(self, shared_app: Flask, tenant: Tenant) -> None:
        first, second = sign_in(shared_app, tenant), sign_in(shared_app, tenant)
        assert len({first.token, second.token, first.csrf, second.csrf}) == 4

    def test_clears_away_those_that_are_over(self, shared_app: Flask, tenant: Tenant) -> None:
        sign_in(shared_app, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            db.session.execute(update(ConsoleSession).values(expires_at=clock.now()))
        sign_in(shared_app, tenant)
        with shared_app.app_context(), transaction(tenant.id):
            assert db.session.execute(select(func.count()).select_from(ConsoleSession)).scalar_one() == 1


class TestLink:
    def test_opens_one_session_when_two_use_it_at_the_same_instant(self, shared_app: Flask, tenant: Tenant) -> None:
        with shared_app.app_context(), transaction(tenant.id):
            token = actions.make_link(ada())
        start = threading.Barrier(4)
        results: list[str] = []

        def use() -> None:
            with shared_app.app_context():
                start.wait()
                try:
                    actions.use_link(token)
                    db.session.commit()
                    results.append("in")
                except NotFound:
                    db.session.rollback()
                    results.append("refused")

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["in", "refused", "refused", "refused"]
        with shared_app.app_context(), transaction(tenant.id):
            assert db.session.execute(select(func.count()).select_from(ConsoleSession)).scalar_one() == 1

    def test_is_usable_again_when_signing_in_with_it_failed(self, shared_app: Flask, tenant: Tenant) -> None:
        with shared_app.app_context(), transaction(tenant.id):
            token = actions.make_link(ada())
        with shared_app.app_context():
            actions.use_link(token)
            db.session.rollback()
        with shared_app.app_context():
            actions.use_link(token)


class TestState:
    def test_comes_back_with_what_it_was_made_for(self, shared_app: Flask, tenant: Tenant) -> None:
        with shared_app.app_context():
            state = actions.make_state("quickbooks", "browser", portal_id=tenant.id, actor=USER_EMAIL)
            assert actions.take_state("quickbooks", state, "browser") == actions.TakenState(tenant.id, USER_EMAIL)
            with pytest.raises(NotFound):
                actions.take_state("quickbooks", state, "browser")

    @pytest.mark.parametrize(
        ("provider", "browser"), [("hubspot", "browser"), ("quickbooks", "other"), ("quickbooks", "")]
    )
    def test_is_refused_elsewhere_and_not_used_up(
        self, shared_app: Flask, tenant: Tenant, provider: str, browser: str
    ) -> None:
        with shared_app.app_context():
            state = actions.make_state("quickbooks", "browser", portal_id=tenant.id)
            with pytest.raises(NotFound):
                actions.take_state(provider, state, browser)
            actions.take_state("quickbooks", state, "browser")
