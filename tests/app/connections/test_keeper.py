"""Access tokens: refreshed by expiry, stored before they are used, and what a refused refresh means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.connections import queries
from app.connections.keeper import TokenKeeper
from app.connections.models import Connection, Token
from app.core import clock, work
from app.core.db import db, refuse_open_transaction, transaction
from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown
from app.edge import Wiring
from app.ports import Grant
from app.problems.queries import open_ones
from tests.app.core.planted import connect_quickbooks
from tests.conftest import Tenant


class Issuer:
    """A provider's token endpoint that gives the answers it was told to."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def refresh(self, refresh_token: str) -> Outcome:
        refuse_open_transaction()
        self.asked.append(refresh_token)
        return self.answers.pop(0)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not for the keeper")


@pytest.fixture
def lane(shared_app: Flask, tenant: Tenant) -> Iterator[tuple[int, int]]:
    """(portal, lane) of a QuickBooks connection, with an application context around the test."""
    with shared_app.app_context():
        connection_id = connect_quickbooks(shared_app, tenant.id, f"realm-{tenant.id}")
        with transaction(tenant.id):
            lane_id = work.lane("quickbooks", connection_id).id
        yield tenant.id, lane_id
        db.session.rollback()


def fresh(app: Flask, lane: tuple[int, int], issuer: Issuer) -> str | Rejected | Unknown:
    wired: Wiring = app.extensions["dealwright"]
    stand_in: Any = issuer
    return TokenKeeper(wired.ring, {"quickbooks": stand_in}).fresh(*lane)


def expires_in(lane: tuple[int, int], **life: float) -> None:
    with transaction(lane[0]):
        db.session.execute(update(Token).values(access_expires_at=clock.now() + timedelta(**life)))


def stored(app: Flask, portal_id: int, column: str) -> str:
    wired: Wiring = app.extensions["dealwright"]
    with transaction(portal_id):
        token = db.session.execute(select(Token)).scalar_one()
        sealed = token.access_sealed if column == "access" else token.refresh_sealed
        return wired.ring.open(sealed, table="token", portal_id=portal_id, column=column)


def grant(n: int) -> Done:
    return Done(Grant(f"access-{n}", f"refresh-{n}", clock.now() + timedelta(hours=1)))


class TestFresh:
    def test_is_the_stored_token_while_it_lives_five_minutes(self, shared_app: Flask, lane: tuple[int, int]) -> None:
        expires_in(lane, minutes=5, seconds=20)
        issuer = Issuer()
        assert fresh(shared_app, lane, issuer) == "access-token"
        assert issuer.asked == []

    @pytest.mark.parametrize("life", [{"minutes": 4, "seconds": 59}, {"seconds": -1}, {"days": -3}])
    def test_is_refreshed_and_stored_before_it_is_used(
        self, shared_app: Flask, lane: tuple[int, int], life: dict[str, float]
    ) -> None:
        expires_in(lane, **life)
        issuer = Issuer(grant(2))
        assert fresh(shared_app, lane, issuer) == "access-2"
        assert issuer.asked == ["refresh-token"]
        assert stored(shared_app, lane[0], "access") == "access-2"
        assert stored(shared_app, lane[0], "refresh") == "refresh-2"

    def test_uses_the_rotated_refresh_token_next_time(self, shared_app: Flask, lane: tuple[int, int]) -> None:
        issuer = Issuer(grant(2), grant(3))
        for _ in range(2):
            expires_in(lane, seconds=-1)
            fresh(shared_app, lane, issuer)
        assert issuer.asked == ["refresh-token", "refresh-2"]

    def test_is_nothing_for_a_lane_without_a_connection(self, shared_app: Flask, lane: tuple[int, int]) -> None:
        with transaction(lane[0]):
            own = work.lane("portal").id
        assert fresh(shared_app, (lane[0], own), Issuer()) == ""


class TestRefused:
    @pytest.fixture(autouse=True)
    def _expired(self, lane: tuple[int, int]) -> None:
        expires_in(lane, seconds=-1)

    def test_revoked_grant_pauses_the_lane_and_asks_for_a_reconnect(
        self, shared_app: Flask, lane: tuple[int, int]
    ) -> None:
        refused = Rejected(FailureKind.REVOKED, "withdrawn.", "invalid_grant")
        assert fresh(shared_app, lane, Issuer(refused)) == refused
        with transaction(lane[0]):
            connection = queries.ledger()
            assert connection is not None
            assert connection.state == "needs_reconnect"
            assert work.lane("quickbooks", connection.id).paused is not None
            assert [problem.code for problem in open_ones()] == ["reconnect"]

    def test_refused_client_is_our_own_fault_and_leaves_the_connection_alone(
        self, shared_app: Flask, lane: tuple[int, int]
    ) -> None:
        fresh(shared_app, lane, Issuer(Rejected(FailureKind.CONFIGURATION, "invalid_client")))
        with transaction(lane[0]):
            assert db.session.execute(select(Connection.state)).scalar_one() == "connected"
            assert [problem.who for problem in open_ones()] == ["operator"]

    def test_silence_changes_nothing(self, shared_app: Flask, lane: tuple[int, int]) -> None:
        assert fresh(shared_app, lane, Issuer(Unknown("time-out"))) == Unknown("time-out")
        assert stored(shared_app, lane[0], "refresh") == "refresh-token"
        with transaction(lane[0]):
            assert open_ones() == []
