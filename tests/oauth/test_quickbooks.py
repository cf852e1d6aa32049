"""Connecting QuickBooks: from a session of that portal, by an admin, in the browser that began."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.connections import actions as connection_actions
from app.connections import queries as connections
from app.connections.models import Connection, Token
from app.core import clock
from app.core.db import db, transaction
from app.edge import Wiring
from tests.app.core.signed import ORIGIN
from tests.oauth.test_hubspot import expire_states
from tests.oauth.world import World, query_of


@pytest.fixture
def hub_id(world: World) -> int:
    """An account that installed the app."""
    made = world.new_account()
    assert world.install(made).status_code == 200
    return made


@pytest.fixture
def browser(world: World) -> Iterator[FlaskClient]:
    with world.browser() as client:
        yield client


def begin(world: World, browser: FlaskClient, hub_id: int, **changes: str) -> str:
    """Press connect as an admin; return the consent page's address."""
    form = {"csrf": world.sign_in(browser, hub_id), "portal": str(hub_id), **changes}
    answer = browser.post("/oauth/quickbooks/connect", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def ledgers(world: World, hub_id: int) -> list[tuple[str, str]]:
    with world.app.app_context(), transaction(world.portal_of(hub_id)):
        rows = db.session.execute(
            select(Connection.name, Connection.state).where(Connection.provider == "quickbooks").order_by(Connection.id)
        )
        return [(row.name, row.state) for row in rows]


class TestBegin:
    def test_leads_to_the_consent_page_with_a_state(self, world: World, browser: FlaskClient, hub_id: int) -> None:
        location = begin(world, browser, hub_id)
        asked = query_of(location)
        assert location.startswith(f"{world.quickbooks_url}/connect/oauth2?")
        assert asked["scope"] == "com.intuit.quickbooks.accounting"
        assert asked["redirect_uri"] == f"{ORIGIN}/oauth/quickbooks/callback"
        assert len(asked["state"]) >= 43

    def test_is_401_without_a_session(self, browser: FlaskClient, hub_id: int) -> None:
        answer = browser.post("/oauth/quickbooks/connect", data={"portal": str(hub_id)})
        assert answer.status_code == 401

    @pytest.mark.parametrize("token", ["", "wrong", "ä"])
    def test_is_403_without_the_forms_token(self, world: World, browser: FlaskClient, hub_id: int, token: str) -> None:
        world.sign_in(browser, hub_id)
        answer = browser.post("/oauth/quickbooks/connect", data={"portal": str(hub_id), "csrf": token})
        assert answer.status_code == 403

    @pytest.mark.parametrize("role", ["viewer", "approver"])
    def test_is_403_for_who_is_no_admin(self, world: World, browser: FlaskClient, hub_id: int, role: str) -> None:
        csrf = world.sign_in(browser, hub_id, role)
        answer = browser.post("/oauth/quickbooks/connect", data={"portal": str(hub_id), "csrf": csrf})
        assert answer.status_code == 403
        assert "admin" in answer.text

    @pytest.mark.parametrize("portal", ["", "1", "another"])
    def test_is_409_when_the_form_names_another_portal(
        self, world: World, browser: FlaskClient, hub_id: int, portal: str
    ) -> None:
        csrf = world.sign_in(browser, hub_id)
        named = str(world.new_account()) if portal == "another" else portal
        answer = browser.post("/oauth/quickbooks/connect", data={"portal": named, "csrf": csrf})
        assert answer.status_code == 409

    def test_is_405_by_get_because_a_link_must_not_begin_it(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        world.sign_in(browser, hub_id)
        assert browser.get("/oauth/quickbooks/connect").status_code == 405


class TestConnect:
    def test_makes_the_connection_with_the_companys_facts(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        realm_id = world.new_company("Northwind Software Inc")
        answer = browser.get(world.consent(begin(world, browser, hub_id), realm_id=realm_id))
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/settings?connected=quickbooks"
        with world.app.app_context(), transaction(world.portal_of(hub_id)):
            ledger = connections.ledger()
            assert ledger is not None
            assert (ledger.name, ledger.currency, ledger.country, ledger.state, ledger.environment) == (
                "Northwind Software Inc", "USD", "US", "connected", "sandbox",
            )  # fmt: skip
            assert ledger.connected_by == "ada@northwind.example"

    def test_seals_tokens_and_realm(self, world: World, browser: FlaskClient, hub_id: int) -> None:
        realm_id = world.new_company()
        browser.get(world.consent(begin(world, browser, hub_id), realm_id=realm_id))
        wired: Wiring = world.app.extensions["dealwright"]
        portal_id = world.portal_of(hub_id)
        with world.app.app_context(), transaction(portal_id):
            ledger = connections.ledger()
            assert ledger is not None
            token = db.session.execute(select(Token).where(Token.connection_id == ledger.id)).scalar_one()
            place = {"portal_id": portal_id}
            opened = wired.ring.open(ledger.account_sealed, table="connection", column="account", **place)
            secrets = [
                wired.ring.open(token.access_sealed, table="token", column="access", **place),
                wired.ring.open(token.refresh_sealed, table="token", column="refresh", **place),
                realm_id,
            ]
            stored = "".join(
                repr(db.session.execute(text(f"SELECT t::text FROM {table} t")).all())
                for table in ("connection", "token", "audit", "event", "work", "lane", "external_ref")
            )
            assert token.refresh_expires_at is not None
            assert (token.refresh_expires_at - clock.now()).days > 30
        assert opened == realm_id
        for secret in secrets:
            assert len(secret) > 10
            assert secret not in stored
            assert secret.encode().hex() not in stored

    def test_again_with_the_same_company_updates_in_place(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        realm_id = world.new_company()
        for _ in range(2):
            assert browser.get(world.consent(begin(world, browser, hub_id), realm_id=realm_id)).status_code == 302
        assert ledgers(world, hub_id) == [("Northwind Inc", "connected")]

    def test_with_another_company_is_refused_while_one_is_live(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        browser.get(world.consent(begin(world, browser, hub_id), realm_id=world.new_company("First")))
        answer = browser.get(world.consent(begin(world, browser, hub_id), realm_id=world.new_company("Second")))
        assert answer.status_code == 409
        assert "Disconnect that one first" in answer.text
        assert ledgers(world, hub_id) == [("First", "connected")]

    def test_with_another_company_after_a_disconnect_inherits_nothing(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        browser.get(world.consent(begin(world, browser, hub_id), realm_id=world.new_company("First")))
        with world.app.app_context(), transaction(world.portal_of(hub_id)):
            first = connections.ledger()
            assert first is not None
            first.income_account_id = "79"
            connection_actions.link(first.id, "customer", "58", 1, "0", {})
            connection_actions.disconnect(first, "ada@northwind.example", clock.today("UTC"))
            first_id = first.id
        browser.get(world.consent(begin(world, browser, hub_id), realm_id=world.new_company("Second")))
        assert ledgers(world, hub_id) == [("First", "disconnected"), ("Second", "connected")]
        with world.app.app_context(), transaction(world.portal_of(hub_id)):
            second = connections.ledger()
            assert second is not None
            assert connections.ref_of_local(second.id, "customer", 1) is None
            assert db.session.execute(select(Token).where(Token.connection_id == first_id)).all() == []

    def test_of_one_company_by_two_portals_makes_a_connection_each(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        realm_id, other = world.new_company(), world.new_account()
        world.install(other)
        for portal in (hub_id, other):
            assert browser.get(world.consent(begin(world, browser, portal), realm_id=realm_id)).status_code == 302
        assert ledgers(world, hub_id) == ledgers(world, other) == [("Northwind Inc", "connected")]


class TestState:
    @pytest.mark.parametrize("query", ["", "?code=x&realmId=1", "?code=x&realmId=1&state=made-up"])
    def test_missing_or_made_up_is_refused(self, world: World, browser: FlaskClient, hub_id: int, query: str) -> None:
        begin(world, browser, hub_id)
        assert browser.get(f"/oauth/quickbooks/callback{query}").status_code == 404
        assert ledgers(world, hub_id) == []

    def test_of_another_browser_is_refused_even_with_a_session_of_the_portal(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        """Otherwise a planted address would connect the attacker's company to the victim's portal."""
        target = world.consent(begin(world, browser, hub_id), realm_id=world.new_company())
        with world.browser() as victim:
            world.sign_in(victim, hub_id)
            assert victim.get(target).status_code == 404
        assert ledgers(world, hub_id) == []

    def test_connects_the_portal_it_was_made_for_whoever_is_signed_in_by_then(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        other = world.new_account()
        world.install(other)
        target = world.consent(begin(world, browser, hub_id), realm_id=world.new_company())
        world.sign_in(browser, other)
        assert browser.get(target).status_code == 302
        assert ledgers(world, other) == []
        assert len(ledgers(world, hub_id)) == 1

    def test_works_once(self, world: World, browser: FlaskClient, hub_id: int) -> None:
        target = world.consent(begin(world, browser, hub_id), realm_id=world.new_company())
        cookie = browser.get_cookie("dealwright_quickbooks_state", path="/oauth/")
        assert cookie is not None
        assert browser.get(target).status_code == 302
        browser.set_cookie("dealwright_quickbooks_state", cookie.value, path="/oauth/")
        assert browser.get(target).status_code == 404

    def test_that_is_over_is_refused(self, world: World, browser: FlaskClient, hub_id: int) -> None:
        target = world.consent(begin(world, browser, hub_id), realm_id=world.new_company())
        expire_states(world)
        assert browser.get(target).status_code == 404


class TestCallback:
    def test_says_a_sentence_when_it_was_declined(self, world: World, browser: FlaskClient, hub_id: int) -> None:
        target = world.consent(begin(world, browser, hub_id), decision="cancel")
        answer = browser.get(target)
        assert answer.status_code == 403
        assert "declined" in answer.text
        assert ledgers(world, hub_id) == []

    @pytest.mark.parametrize("change", [{"realmId": ""}, {"realmId": "abc"}, {"realmId": "1/../2"}, {"code": ""}])
    def test_is_422_when_what_quickbooks_adds_is_missing_or_strange(
        self, world: World, browser: FlaskClient, hub_id: int, change: dict[str, str]
    ) -> None:
        found = query_of(world.consent(begin(world, browser, hub_id), realm_id=world.new_company())) | change
        assert browser.get("/oauth/quickbooks/callback", query_string=found).status_code == 422
        assert ledgers(world, hub_id) == []

    def test_refuses_a_realm_that_the_code_was_not_given_for(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        mine, another = world.new_company("Mine"), world.new_company("Somebody else's")
        found = query_of(world.consent(begin(world, browser, hub_id), realm_id=mine)) | {"realmId": another}
        answer = browser.get("/oauth/quickbooks/callback", query_string=found)
        assert answer.status_code in (403, 503)
        assert ledgers(world, hub_id) == []

    def test_refuses_a_replayed_code(self, world: World, browser: FlaskClient, hub_id: int) -> None:
        found = query_of(world.consent(begin(world, browser, hub_id), realm_id=world.new_company()))
        assert browser.get("/oauth/quickbooks/callback", query_string=found).status_code == 302
        fresh = query_of(begin(world, browser, hub_id))["state"]
        answer = browser.get("/oauth/quickbooks/callback", query_string=found | {"state": fresh})
        assert answer.status_code == 403
        assert "QuickBooks refused" in answer.text

    def test_is_503_with_a_sentence_when_quickbooks_does_not_answer(
        self, world: World, browser: FlaskClient, hub_id: int
    ) -> None:
        target = world.consent(begin(world, browser, hub_id), realm_id=world.new_company())
        world.order_fault(world.quickbooks_url, match={"path": "/oauth2/*"}, kind="before", status=503)
        answer = browser.get(target)
        assert answer.status_code == 503
        assert ledgers(world, hub_id) == []
