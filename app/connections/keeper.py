"""Keeps access tokens fresh: by expiry, inside the lane, stored before use. One refresher per connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select

from app.connections import actions, queries
from app.core import clock
from app.core.crypto import KeyRing
from app.core.db import refuse_open_transaction, transaction
from app.core.outcome import Done, FailureKind, Rejected, Unknown
from app.core.work import Lane
from app.ports import Grant, TokenIssuer
from app.problems import actions as problems

EARLY = timedelta(minutes=5)


class TokenKeeper:
    """The work runner's source of access tokens. The lane's lease makes it the only refresher."""

    def __init__(self, ring: KeyRing, issuers: Mapping[str, TokenIssuer]) -> None:
        self._ring = ring
        self._issuers = issuers

    def fresh(self, portal_id: int, lane_id: int) -> str | Rejected | Unknown:
        """Return an access token that lives for five minutes at least; "" for a lane without a connection."""
        with transaction(portal_id) as session:
            lane = session.execute(select(Lane).where(Lane.id == lane_id)).scalar_one()
            if lane.connection_id is None:
                return ""
            connection, token = queries.of_lane_connection(lane.connection_id)
            connection_id, provider = connection.id, connection.provider
            if token.access_expires_at - EARLY > clock.now():
                return self._ring.open(token.access_sealed, table="token", portal_id=portal_id, column="access")
            refresh_token = self._ring.open(token.refresh_sealed, table="token", portal_id=portal_id, column="refresh")
        refuse_open_transaction()
        outcome = self._issuers[provider].refresh(refresh_token)
        with transaction(portal_id):
            if isinstance(outcome, Done):
                assert isinstance(outcome.value, Grant)
                actions.store_grant(self._ring, connection_id, outcome.value)
                problems.close_problems("connection", connection_id, only="configuration")
                return outcome.value.access_token
            if isinstance(outcome, Rejected) and outcome.kind in (FailureKind.REVOKED, FailureKind.CONFIGURATION):
                connection, _ = queries.of_lane_connection(connection_id)
                if outcome.kind is FailureKind.REVOKED:
                    actions.lost(connection, outcome, lane_id)
                else:
                    actions.misconfigured(connection, outcome)
        return outcome
