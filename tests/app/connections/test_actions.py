"""Connections: one live account a provider, sealed, and what happens when the provider takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.connections import actions, queries
from app.connections.models import Connection, Token
from app.core import clock, work
from app.core.crypto import KeyRing
from app.core.db import bind_portal, db
from app.core.errors import Conflict, Invalid, NotAllowed
from app.core.outcome import FailureKind, Rejected
from app.portals.actions import Actor
from app.ports import Company, Grant
from app.problems.queries import open_ones
from tests.conftest import Tenant

RING = KeyRing((("k1", b"a" * 32),), b"l" * 32)
GRANT = Grant("access-1", "refresh-1", datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC), ("a", "b"))
ADMIN = Actor(1, "ada@x.example", "admin")
REVOKED = Rejected(FailureKind.REVOKED, "the authorisation was withdrawn.")
REALM = "9130357849302"


@pytest.fixture(autouse=True)
def portal(shared_app: Flask, tenant: Tenant) -> Iterator[int]:
    """A fresh portal, bound for the test; what a test does is rolled back."""
    with shared_app.app_context():
        bind_portal(tenant.id)
        yield tenant.id
        db.session.rollback()


def connect(account_id: str = REALM, provider: str = "quickbooks", grant: Grant = GRANT) -> Connection:
    return actions.connect(
        RING,
        provider=provider,
        environment="sandbox",
        account_id=account_id,
        name="Acme",
        grant=grant,
        by="ada@x.example",
    )


def token_of(connection: Connection) -> Token:
    return db.session.execute(select(Token).where(Token.connection_id == connection.id)).scalar_one()


def company(*account_ids: str) -> Company:
    return Company(
        "Acme Inc", "USD", "US", "America/New_York", True, False,
        {"income_accounts": [{"id": id_, "name": id_} for id_ in account_ids], "tax_codes": [{"id": "5", "name": "x"}]},
    )  # fmt: skip


class TestConnect:
    def test_seals_account_and_tokens_for_this_row_only(self, portal: int) -> None:
        made = connect()
        token = token_of(made)
        assert REALM not in made.account_digest
        assert RING.open(made.account_sealed, table="connection", portal_id=portal, column="account") == REALM
        assert RING.open(token.access_sealed, table="token", portal_id=portal, column="access") == "access-1"
        assert RING.open(token.refresh_sealed, table="token", portal_id=portal, column="refresh") == "refresh-1"
        assert (token.access_expires_at, token.refresh_expires_at) == (
            GRANT.access_expires_at,
            GRANT.refresh_expires_at,
        )

    def test_is_found_again_by_its_account_without_a_portal(self, shared_app: Flask, portal: int) -> None:
        made = connect()
        digest = actions.account_digest(RING, "quickbooks", "sandbox", REALM)
        assert queries.of_account("quickbooks", digest) == [(portal, made.id)]
        assert digest != actions.account_digest(RING, "quickbooks", "production", REALM)

    def test_again_keeps_the_row_and_takes_the_newest_tokens(self, portal: int) -> None:
        first = connect()
        second = connect(grant=Grant("access-2", "refresh-2", GRANT.access_expires_at))
        assert first.id == second.id
        sealed = token_of(second).refresh_sealed
        assert RING.open(sealed, table="token", portal_id=portal, column="refresh") == "refresh-2"
        assert token_of(second).scopes == ["a", "b"]

    def test_with_another_account_is_refused_while_one_is_live_or_waits_for_a_reconnect(self) -> None:
        made = connect()
        for state in ("connected", "needs_reconnect"):
            made.state = state
            db.session.flush()
            with pytest.raises(Conflict, match="Disconnect that one first"):
                connect("another")

    def test_with_a_former_account_takes_its_links_up_again(self) -> None:
        former = connect()
        actions.link(former.id, "customer", "58", 1, "0", {})
        actions.disconnect(former, "ada@x.example", date(2026, 1, 1))
        other = connect("another")
        assert queries.ref_of_local(other.id, "customer", 1) is None
        actions.disconnect(other, "ada@x.example", date(2026, 1, 2))
        again = connect()
        assert again.id == former.id
        assert queries.ref_of_local(again.id, "customer", 1) is not None

    def test_lifts_the_pause_and_closes_the_problem_of_a_lost_grant(self) -> None:
        made = connect()
        lane = work.lane("quickbooks", made.id)
        actions.lost(made, REVOKED, lane.id)
        connect()
        assert (made.state, lane.paused, open_ones()) == ("connected", None, [])


class TestLost:
    @pytest.fixture
    def made(self) -> Connection:
        """A connection with a row of work in its lane."""
        return connect()

    @pytest.fixture
    def row(self, made: Connection) -> work.Work:
        """That row, whose call has failed."""
        lane = work.lane("quickbooks", made.id)
        return db.session.get_one(work.Work, work.want(lane.id, "quickbooks.invoice", 5))

    def pause(self, made: Connection) -> str | None:
        return work.lane("quickbooks", made.id).paused

    def test_pauses_the_lane_keeps_its_queue_and_asks_an_admin(self, made: Connection, row: work.Work) -> None:
        row.failures, row.failure_kind = 1, "revoked"
        actions.call_failed(made, REVOKED, row)
        (problem,) = open_ones()
        assert (made.state, self.pause(made)) == ("needs_reconnect", "QuickBooks has to be connected again.")
        assert (problem.code, problem.who) == ("reconnect", "admin")
        assert (row.state, row.failures) == ("waiting", 0)
        assert row.failure_kind is None

    def test_tells_it_once(self, made: Connection, row: work.Work) -> None:
        for _ in range(3):
            actions.call_failed(made, REVOKED, row)
        assert len(open_ones()) == 1

    def test_expired_access_is_refreshed_at_the_next_use(self, made: Connection, row: work.Work) -> None:
        actions.call_failed(made, Rejected(FailureKind.EXPIRED, "expired"), row)
        db.session.refresh(token_of(made))
        assert token_of(made).access_expires_at <= clock.now()
        assert (made.state, self.pause(made)) == ("connected", None)

    def test_access_that_is_refused_however_fresh_is_a_lost_grant(self, made: Connection, row: work.Work) -> None:
        row.state = work.PARKED
        actions.call_failed(made, Rejected(FailureKind.EXPIRED, "expired"), row)
        assert (made.state, row.state) == ("needs_reconnect", "waiting")

    def test_our_own_configuration_is_an_operators_alarm_and_no_mark_against_the_customer(
        self, made: Connection, row: work.Work
    ) -> None:
        actions.call_failed(made, Rejected(FailureKind.CONFIGURATION, "invalid_client"), row)
        assert (made.state, self.pause(made)) == ("connected", None)
        assert [problem.who for problem in open_ones()] == ["operator"]

    @pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.THROTTLED, FailureKind.REJECTED])
    def test_other_failures_say_nothing_about_the_connection(
        self, made: Connection, row: work.Work, kind: FailureKind
    ) -> None:
        actions.call_failed(made, Rejected(kind, "no"), row)
        assert (made.state, open_ones()) == ("connected", [])


class TestDisconnect:
    def test_deletes_the_tokens_pauses_the_lane_and_keeps_the_history(self) -> None:
        made = connect()
        actions.link(made.id, "invoice", "145", 9, "0", {"a": 1})
        actions.disconnect(made, "ada@x.example", date(2026, 3, 4))
        db.session.flush()
        assert db.session.execute(select(Token)).all() == []
        assert (made.state, made.state_reason) == ("disconnected", "Disconnected by ada@x.example on 2026-03-04.")
        assert work.lane("quickbooks", made.id).paused == "disconnected"
        assert queries.ledger() is None
        assert queries.ref_of_external(made.id, "invoice", "145") is not None


class TestLink:
    def test_is_refreshed_and_never_re_pointed(self) -> None:
        made = connect()
        first = actions.link(made.id, "customer", "58", 1, "0", {"a": 1})
        assert actions.link(made.id, "customer", "58", 1, "3", {"a": 2}).id == first.id
        assert (first.sync_token, first.snapshot) == ("3", {"a": 2})
        with pytest.raises(Conflict, match="linked to another record"):
            actions.link(made.id, "customer", "59", 1, "0", {})

    def test_of_their_record_to_two_of_ours_is_refused_by_the_database(self) -> None:
        made = connect()
        actions.link(made.id, "customer", "58", 1, "0", {})
        with pytest.raises(Exception, match="uq_external_ref_connection_id_resource_external_id"):
            actions.link(made.id, "customer", "58", 2, "0", {})


class TestAccounts:
    def test_only_one_is_taken_by_itself_and_of_several_none(self) -> None:
        made = connect()
        actions.describe_company(made, company("79"))
        assert made.income_account_id == "79"
        actions.describe_company(made, company("79", "1"))
        assert made.income_account_id == "79"
        actions.describe_company(made, company("1", "2"))
        assert made.income_account_id is None

    def test_are_chosen_by_an_admin_from_the_companys_own(self) -> None:
        made = connect()
        actions.describe_company(made, company("1", "2"))
        with pytest.raises(Invalid, match="income accounts"):
            actions.choose_accounts(ADMIN, income_account_id="3", tax_code_id=None)
        with pytest.raises(Invalid, match="tax codes"):
            actions.choose_accounts(ADMIN, income_account_id="2", tax_code_id="6")
        with pytest.raises(NotAllowed):
            actions.choose_accounts(Actor(1, "a@b.example", "approver"), income_account_id="2", tax_code_id=None)
        actions.choose_accounts(ADMIN, income_account_id="2", tax_code_id="5")
        assert (made.income_account_id, made.tax_code_id) == ("2", "5")

    def test_can_not_be_chosen_while_nothing_is_connected(self) -> None:
        with pytest.raises(Conflict):
            actions.choose_accounts(ADMIN, income_account_id="2", tax_code_id=None)


class TestGrantLife:
    def test_is_kept_with_the_tokens(self) -> None:
        made = connect(grant=Grant("a", "r", clock.now() + timedelta(minutes=30)))
        assert token_of(made).refresh_expires_at is None
        assert (clock.now() - token_of(made).refreshed_at).total_seconds() < 5
