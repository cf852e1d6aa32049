"""The plain install: only the browser that began can finish, once; it makes a portal and signs nobody in."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.connections import queries as connections
from app.connections.models import Connection, Token
from app.core import clock
from app.core.db import UNBOUND, db, transaction
from app.core.work import Work
from app.edge import Wiring
from app.portals import queries as portals
from app.portals.models import Person
from tests.app.core.signed import ORIGIN
from tests.conftest import APP_ID
from tests.oauth.world import World, query_of


def begin(browser: FlaskClient) -> str:
    """Start an install; return the consent page's address."""
    answer = browser.get("/oauth/hubspot/install")
    assert answer.status_code == 302
    return answer.headers["Location"]


def people(world: World, hub_id: int) -> list[tuple[str, str]]:
    with world.app.app_context(), transaction(world.portal_of(hub_id)):
        rows = db.session.execute(select(Person.email, Person.role).order_by(Person.id))
        return [(row.email, row.role) for row in rows]


def is_known(world: World, hub_id: int) -> bool:
    with world.app.app_context():
        return portals.id_of_hubspot(hub_id) is not None


def expire_states(world: World) -> None:
    """Let every OAuth state of the database be over, as ten minutes would."""
    with psycopg.connect(world.database.superuser_url) as connection:
        connection.execute("UPDATE oauth_state SET expires_at = clock_timestamp()")


class TestBegin:
    def test_leads_to_the_consent_page_with_a_state_and_our_scopes(self, world: World) -> None:
        with world.browser() as browser:
            location = begin(browser)
        asked = query_of(location)
        assert location.startswith(f"{world.hubspot_url}/oauth/authorize?")
        assert asked["client_id"] == "hubspot-client"
        assert asked["redirect_uri"] == f"{ORIGIN}/oauth/hubspot/callback"
        assert "crm.objects.deals.read" in asked["scope"].split()
        assert len(asked["state"]) >= 43
        assert "+" not in location

    def test_cookie_is_for_the_oauth_paths_only_and_no_script(self, world: World) -> None:
        with world.browser() as browser:
            cookie = browser.get("/oauth/hubspot/install").headers["Set-Cookie"]
        assert "Path=/oauth/" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Max-Age=600" in cookie

    def test_state_and_cookie_are_stored_as_digests(self, world: World) -> None:
        with world.browser() as browser:
            state = query_of(begin(browser))["state"]
            cookie = browser.get_cookie("dealwright_hubspot_state", path="/oauth/")
            assert cookie is not None
        with psycopg.connect(world.database.superuser_url) as connection:
            stored = repr(connection.execute("SELECT t::text FROM oauth_state t").fetchall())
        assert state not in stored
        assert cookie.value not in stored


class TestInstall:
    def test_makes_portal_admin_connection_and_go_live_date(self, world: World) -> None:
        hub_id = world.new_account()
        answer = world.install(hub_id)
        assert answer.status_code == 200
        assert "ada@northwind.example" in answer.text
        with world.app.app_context(), transaction(world.portal_of(hub_id)):
            portal = portals.current()
            assert (portal.hubspot_portal_id, portal.state, portal.timezone, portal.currency) == (
                hub_id, "active", "America/New_York", "USD",
            )  # fmt: skip
            assert portal.go_live_on == clock.today("America/New_York")
            assert (portal.invoice_mode, portal.first_invoice_by_person) == ("approval", True)
            connection = connections.crm()
            assert connection is not None
            assert (connection.state, connection.connected_by) == ("connected", "ada@northwind.example")
            assert db.session.execute(select(Work.kind, Work.subject)).all() == [("billing.run", "daily")]
        assert people(world, hub_id) == [("ada@northwind.example", "admin")]

    def test_seals_the_tokens(self, world: World) -> None:
        hub_id = world.new_account()
        world.install(hub_id)
        wired: Wiring = world.app.extensions["dealwright"]
        portal_id = world.portal_of(hub_id)
        with world.app.app_context(), transaction(portal_id):
            token = db.session.execute(select(Token)).scalar_one()
            access = wired.ring.open(token.access_sealed, table="token", portal_id=portal_id, column="access")
            refresh = wired.ring.open(token.refresh_sealed, table="token", portal_id=portal_id, column="refresh")
            assert (token.access_expires_at - clock.now()).total_seconds() > 1500
            assert token.refresh_expires_at is None
            assert set(token.scopes) >= {"oauth", "crm.objects.deals.read"}
            stored = db.session.execute(text("SELECT t::text FROM token t")).scalar_one()
        assert refresh.startswith("na1-")
        for secret in (access, refresh):
            assert secret.encode() not in token.access_sealed + token.refresh_sealed
            assert secret not in stored
            assert secret.encode().hex() not in stored

    def test_signs_nobody_in(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser:
            target = world.consent(begin(browser), hub_id=hub_id)
            answer = browser.get(target)
            assert browser.get_cookie("dealwright") is None
            assert browser.get("/").status_code == 401
        assert all("dealwright=" not in cookie for cookie in answer.headers.getlist("Set-Cookie"))

    def test_forgets_the_state_cookie(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser:
            browser.get(world.consent(begin(browser), hub_id=hub_id))
            assert browser.get_cookie("dealwright_hubspot_state", path="/oauth/") is None

    def test_again_updates_in_place(self, world: World) -> None:
        hub_id = world.new_account()
        world.install(hub_id)
        portal_id = world.portal_of(hub_id)
        with world.app.app_context(), transaction(portal_id):
            portal = portals.current()
            portal.go_live_on, portal.invoice_mode, portal.state = date(2020, 1, 2), "automatic", "uninstalled"
            before = db.session.execute(select(Token.access_sealed)).scalar_one()
        assert world.install(hub_id).status_code == 200
        with world.app.app_context(), transaction(portal_id):
            portal = portals.current()
            assert (portal.go_live_on, portal.invoice_mode, portal.state) == (date(2020, 1, 2), "automatic", "active")
            assert len(db.session.execute(select(Connection)).all()) == 1
            assert db.session.execute(select(Token.access_sealed)).scalar_one() != before
        assert people(world, hub_id) == [("ada@northwind.example", "admin")]

    def test_by_a_second_person_does_not_make_an_admin(self, world: World) -> None:
        hub_id = world.new_account()
        world.install(hub_id)
        account = world.hubspot.extensions["hubspot"].portals.get(hub_id)
        account.data["user"] = {"id": 4242, "email": "Mallory@Northwind.example"}
        assert world.install(hub_id).status_code == 200
        assert people(world, hub_id) == [
            ("ada@northwind.example", "admin"), ("mallory@northwind.example", "viewer"),
        ]  # fmt: skip

    def test_lifts_the_pause_of_a_lane_that_had_lost_its_grant(self, world: World) -> None:
        from app.connections import actions
        from app.core import work
        from app.core.outcome import FailureKind, Rejected
        from app.problems.queries import open_ones

        hub_id = world.new_account()
        world.install(hub_id)
        portal_id = world.portal_of(hub_id)
        with world.app.app_context(), transaction(portal_id):
            connection = connections.crm()
            assert connection is not None
            lane = work.lane("hubspot", connection.id)
            actions.lost(connection, Rejected(FailureKind.REVOKED, "it was withdrawn."), lane.id)
            assert len(open_ones()) == 1
        world.install(hub_id)
        with world.app.app_context(), transaction(portal_id):
            connection = connections.crm()
            assert connection is not None
            assert connection.state == "connected"
            assert work.lane("hubspot", connection.id).paused is None
            assert open_ones() == []


class TestState:
    @pytest.mark.parametrize("query", ["", "?code=x", "?state=y", "?code=&state=", "?code=x&state="])
    def test_is_required(self, world: World, query: str) -> None:
        with world.browser() as browser:
            begin(browser)
            answer = browser.get(f"/oauth/hubspot/callback{query}")
        assert answer.status_code == 422
        assert "Start the installation again" in answer.text

    def test_that_nobody_made_is_refused(self, world: World) -> None:
        with world.browser() as browser:
            begin(browser)
            assert browser.get("/oauth/hubspot/callback?code=x&state=made-up").status_code == 404

    def test_works_once(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser:
            target = world.consent(begin(browser), hub_id=hub_id)
            cookie = browser.get_cookie("dealwright_hubspot_state", path="/oauth/")
            assert cookie is not None
            assert browser.get(target).status_code == 200
            browser.set_cookie("dealwright_hubspot_state", cookie.value, path="/oauth/")
            replayed = browser.get(target)
        assert replayed.status_code == 404
        assert "over or began in another browser" in replayed.text

    def test_of_another_browser_is_refused_and_not_used_up(self, world: World) -> None:
        """A stolen or planted callback address finishes nothing in the browser it is opened in."""
        hub_id = world.new_account()
        with world.browser() as browser, world.browser() as victim:
            target = world.consent(begin(browser), hub_id=hub_id)
            begin(victim)
            assert victim.get(target).status_code == 404
            assert not is_known(world, hub_id)
            assert browser.get(target).status_code == 200

    def test_without_the_cookie_is_refused(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser, world.browser() as bare:
            target = world.consent(begin(browser), hub_id=hub_id)
            assert bare.get(target).status_code == 404
        assert not is_known(world, hub_id)

    def test_of_the_other_provider_is_refused(self, world: World) -> None:
        with world.browser() as browser:
            state = query_of(begin(browser))["state"]
            cookie = browser.get_cookie("dealwright_hubspot_state", path="/oauth/")
            assert cookie is not None
            browser.set_cookie("dealwright_quickbooks_state", cookie.value, path="/oauth/")
            answer = browser.get(f"/oauth/quickbooks/callback?code=x&realmId=1&state={state}")
        assert answer.status_code == 404

    def test_that_is_over_is_refused(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser:
            target = world.consent(begin(browser), hub_id=hub_id)
            expire_states(world)
            assert browser.get(target).status_code == 404
        assert not is_known(world, hub_id)

    def test_lives_ten_minutes(self, world: World) -> None:
        with world.browser() as browser:
            begin(browser)
        newest = "SELECT extract(epoch FROM expires_at - created_at) FROM oauth_state ORDER BY id DESC LIMIT 1"
        with psycopg.connect(world.database.superuser_url) as connection:
            row = connection.execute(newest).fetchone()
        assert row is not None
        assert 599 < float(row[0]) <= 600

    def test_of_two_tabs_of_one_browser_both_work(self, world: World) -> None:
        first, second = world.new_account(), world.new_account()
        with world.browser() as browser:
            targets = [world.consent(begin(browser), hub_id=hub_id) for hub_id in (first, second)]
            cookie = browser.get_cookie("dealwright_hubspot_state", path="/oauth/")
            assert cookie is not None
            for target in targets:
                browser.set_cookie("dealwright_hubspot_state", cookie.value, path="/oauth/")
                assert browser.get(target).status_code == 200


class TestDeclined:
    def test_is_answered_with_a_sentence(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser:
            target = world.consent(begin(browser), hub_id=hub_id, decision="cancel")
            assert query_of(target)["error"] == "access_denied"
            answer = browser.get(target)
        assert answer.status_code == 403
        assert "declined" in answer.text
        assert not is_known(world, hub_id)

    def test_never_shows_what_the_address_says(self, world: World) -> None:
        with world.browser() as browser:
            answer = browser.get("/oauth/hubspot/callback?error=<script>alert(1)</script>&error_description=pwned")
        assert answer.status_code == 403
        assert "alert(1)" not in answer.text
        assert "pwned" not in answer.text


class TestCode:
    def test_that_was_replayed_makes_nothing(self, world: World) -> None:
        hub_id = world.new_account()
        with world.browser() as browser, world.browser() as attacker:
            target = world.consent(begin(browser), hub_id=hub_id)
            assert browser.get(target).status_code == 200
            own = query_of(begin(attacker))["state"]
            answer = attacker.get(f"/oauth/hubspot/callback?code={query_of(target)['code']}&state={own}")
        assert answer.status_code == 403
        assert "HubSpot refused" in answer.text

    def test_that_was_made_up_makes_nothing_and_the_answer_says_what_to_do(self, world: World) -> None:
        with world.browser() as browser:
            state = query_of(begin(browser))["state"]
            answer = browser.get(f"/oauth/hubspot/callback?code=made-up&state={state}")
        assert answer.status_code == 403
        assert "Start the installation again" in answer.text


class TestProviderInTrouble:
    @pytest.mark.parametrize("path", ["/oauth/2026-09/token", "/oauth/2026-09/token/introspect", "/account-info/*"])
    def test_makes_nothing_and_says_so(self, world: World, path: str) -> None:
        hub_id = world.new_account()
        world.order_fault(world.hubspot_url, match={"path": path}, kind="before", status=503)
        answer = world.install(hub_id)
        assert answer.status_code == 503
        assert "didn&#39;t answer" in answer.text or "didn't answer" in answer.text
        assert not is_known(world, hub_id)
        assert world.install(hub_id).status_code == 200

    def test_that_names_another_app_is_refused(self, world: World) -> None:
        hub_id = world.new_account()
        body: dict[str, Any] = {
            "active": True, "hub_id": hub_id, "user_id": 1, "user": "a@b.example", "app_id": APP_ID + 1,
            "hub_domain": "x", "scopes": [],
        }  # fmt: skip
        world.order_fault(
            world.hubspot_url, match={"path": "/oauth/2026-09/token/introspect"}, kind="before", status=200, body=body
        )
        answer = world.install(hub_id)
        assert answer.status_code == 403
        assert not is_known(world, hub_id)


class TestUnboundTables:
    def test_state_functions_are_the_only_way_to_the_states(self, world: World) -> None:
        with world.app.app_context(), pytest.raises(Exception, match="permission denied"):
            db.session.execute(text("SELECT * FROM oauth_state"), execution_options=UNBOUND)
