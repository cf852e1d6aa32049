"""The session side of the tenant wall: every transaction names its portal, and nothing runs without one."""

from __future__ import annotations

from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from app.core import events
from app.core.db import (
    UNBOUND,
    UnboundStatement,
    after_commit,
    bind_portal,
    bound_portal,
    db,
    lookup,
    refuse_open_transaction,
    transaction,
)
from app.core.events import Event
from app.portals.models import Person
from tests.conftest import Tenant

SETTING = "SELECT current_setting('app.portal', true)"


def announced() -> str | None:
    """Return the portal that PostgreSQL knows of in this transaction."""
    value: str | None = db.session.execute(text(SETTING), execution_options=UNBOUND).scalar_one()
    return value


class TestGuard:
    @pytest.fixture(autouse=True)
    def _context(self, portal: int) -> None:
        """A portal exists, but none is bound."""

    def test_refuses_an_orm_statement_without_a_portal(self) -> None:
        with pytest.raises(UnboundStatement):
            db.session.execute(select(Person))

    def test_refuses_an_orm_query_without_a_portal(self) -> None:
        with pytest.raises(UnboundStatement):
            db.session.query(Person).first()

    def test_refuses_a_core_statement_without_a_portal(self) -> None:
        with pytest.raises(UnboundStatement):
            db.session.execute(insert(Person).values(email="x"))

    def test_refuses_text_without_a_portal(self) -> None:
        with pytest.raises(UnboundStatement):
            db.session.execute(text("SELECT 1"))

    def test_refuses_a_flush_without_a_portal(self) -> None:
        db.session.add(Person(email="x@y.example"))
        with pytest.raises(UnboundStatement):
            db.session.flush()

    def test_refuses_a_plain_connection_of_the_engine(self) -> None:
        with db.engine.connect() as connection, pytest.raises(UnboundStatement):
            connection.execute(text("SELECT 1"))

    def test_refuses_text_past_the_compiler(self) -> None:
        with db.engine.connect() as connection, pytest.raises(UnboundStatement):
            connection.exec_driver_sql("SELECT 1")

    def test_refuses_before_the_statement_reaches_the_server(self) -> None:
        with db.engine.connect() as connection, pytest.raises(UnboundStatement):
            connection.execute(text("this is not even SQL"))

    def test_look_up_is_let_through(self) -> None:
        assert lookup("SELECT portal_id FROM portal_of_hubspot(0)") == []


class TestBinding:
    def test_is_announced_at_the_start_of_the_transaction(self, portal: int) -> None:
        bind_portal(portal)
        assert announced() == str(portal)
        assert bound_portal() == portal

    def test_reaches_a_transaction_that_began_without_a_portal(self, portal: int) -> None:
        assert announced() in (None, "")
        bind_portal(portal)
        assert announced() == str(portal)

    def test_is_announced_again_in_the_next_transaction_of_the_same_request(self, portal: int) -> None:
        bind_portal(portal)
        db.session.execute(select(Person))
        db.session.commit()
        assert announced() == str(portal)

    def test_survives_a_savepoint_that_is_rolled_back(self, portal: int) -> None:
        with transaction(portal):
            savepoint = db.session.begin_nested()
            db.session.execute(select(Person))
            savepoint.rollback()
            assert len(db.session.execute(select(Person)).all()) == 1

    def test_does_not_survive_the_transaction_in_the_pooled_connection(self, portal: int) -> None:
        # From here on the pool has one connection, so the next one to be handed out is the one that was bound.
        db.engine.dispose()
        with transaction(portal):
            backend = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with db.engine.connect() as connection:
            unbound = connection.execution_options(**UNBOUND)
            assert unbound.execute(text("SELECT pg_backend_pid()")).scalar_one() == backend
            assert unbound.execute(text(SETTING)).scalar_one() == ""
        with db.engine.connect() as connection, pytest.raises(UnboundStatement):
            connection.execute(select(Person))

    def test_does_not_survive_a_rollback_in_the_pooled_connection(self, portal: int) -> None:
        bind_portal(portal)
        db.session.execute(select(Person))
        db.session.rollback()
        with db.engine.connect() as connection, pytest.raises(UnboundStatement):
            connection.execute(select(Person))

    def test_does_not_survive_an_error_of_the_server(self, portal: int) -> None:
        with pytest.raises(DBAPIError), transaction(portal):
            db.session.execute(text("SELECT 1/0"))
        with pytest.raises(UnboundStatement):
            db.session.execute(select(Person))

    def test_is_none_of_the_next_request(self, portal: int, shared_app: Flask) -> None:
        with shared_app.app_context():
            bind_portal(portal)
            db.session.execute(select(Person))
        with shared_app.app_context(), pytest.raises(UnboundStatement):
            bound_portal()


class TestOtherPortal:
    def test_is_refused_inside_a_transaction_of_the_first(self, portal: int, other_tenant: Tenant) -> None:
        bind_portal(portal)
        db.session.execute(select(Person))
        with pytest.raises(UnboundStatement, match="another portal"):
            bind_portal(other_tenant.id)
        assert announced() == str(portal)

    def test_can_not_begin_inside_an_open_transaction(self, portal: int, other_tenant: Tenant) -> None:
        with transaction(portal):
            db.session.execute(select(Person))
            with pytest.raises(UnboundStatement, match="already open"), transaction(other_tenant.id):
                pass

    def test_follows_the_first_in_its_own_transaction_without_seeing_its_records(
        self, portal: int, other_tenant: Tenant
    ) -> None:
        with transaction(portal):
            first = db.session.execute(select(Person)).scalar_one()
        with transaction(other_tenant.id):
            assert db.session.execute(select(Person)).scalar_one().id != first.id
            assert db.session.get(Person, first.id) is None


class TestTransaction:
    def test_commits_at_its_end(self, portal: int) -> None:
        with transaction(portal):
            db.session.add(Person(email="x@y.example"))
        with transaction(portal):
            assert len(db.session.execute(select(Person)).all()) == 2

    def test_rolls_back_and_raises_when_anything_fails(self, portal: int) -> None:
        def fail() -> None:
            with transaction(portal):
                db.session.add(Person(email="x@y.example"))
                db.session.flush()
                raise LookupError

        with pytest.raises(LookupError):
            fail()
        with transaction(portal):
            assert len(db.session.execute(select(Person)).all()) == 1

    def test_leaves_no_binding_behind(self, portal: int) -> None:
        with transaction(portal):
            pass
        with pytest.raises(UnboundStatement):
            bound_portal()

    def test_outside_call_is_refused_while_one_is_open(self, portal: int) -> None:
        refuse_open_transaction()
        with transaction(portal):
            db.session.execute(select(Person))
            with pytest.raises(RuntimeError, match="outside call"):
                refuse_open_transaction()
        refuse_open_transaction()


class TestAfterCommit:
    def test_runs_once_the_transaction_is_committed(self, portal: int) -> None:
        done: list[str] = []
        with transaction(portal):
            db.session.execute(select(Person))
            after_commit(lambda: done.append("rung"))
            assert done == []
        assert done == ["rung"]

    def test_runs_once_only(self, portal: int) -> None:
        done: list[str] = []
        with transaction(portal):
            after_commit(lambda: done.append("rung"))
        with transaction(portal):
            db.session.execute(select(Person))
        assert done == ["rung"]

    def test_is_dropped_when_the_transaction_rolls_back(self, portal: int) -> None:
        done: list[str] = []
        with suppress(LookupError), transaction(portal):
            db.session.execute(select(Person))
            after_commit(lambda: done.append("rung"))
            raise LookupError
        with transaction(portal):
            db.session.execute(select(Person))
        assert done == []

    def test_waits_for_the_whole_transaction_when_a_savepoint_is_released(self, portal: int) -> None:
        done: list[str] = []
        with transaction(portal):
            with db.session.begin_nested():
                db.session.execute(select(Person))
                after_commit(lambda: done.append("inner"))
            assert done == []
        assert done == ["inner"]

    def test_of_a_savepoint_that_is_rolled_back_is_dropped_and_no_other(self, portal: int) -> None:
        done: list[str] = []
        with transaction(portal):
            db.session.execute(select(Person))
            after_commit(lambda: done.append("before"))
            with db.session.begin_nested():
                after_commit(lambda: done.append("kept"))
            with suppress(LookupError), db.session.begin_nested():
                db.session.execute(select(Person))
                after_commit(lambda: done.append("dropped"))
                with db.session.begin_nested():
                    after_commit(lambda: done.append("dropped too"))
                raise LookupError
            after_commit(lambda: done.append("after"))
        assert done == ["before", "kept", "after"]


class TestEvents:
    def test_and_audit_are_written_with_the_change(self, portal: int) -> None:
        with transaction(portal):
            events.record("deal.won", "deal", 5, amount=3)
            events.audit("ada@x.example", "approved", "invoice", 6, version=2)
        with transaction(portal):
            event = db.session.execute(select(Event).where(Event.kind == "deal.won")).scalar_one()
            assert (event.portal_id, event.subject_kind, event.subject_id, event.data) == (
                portal, "deal", "5", {"amount": 3},
            )  # fmt: skip
            audit = db.session.execute(select(events.Audit).where(events.Audit.action == "approved")).scalar_one()
            assert (audit.actor, audit.subject_id, audit.detail) == ("ada@x.example", "6", {"version": 2})

    def test_and_audit_go_with_the_change_when_it_rolls_back(self, portal: int) -> None:
        with suppress(LookupError), transaction(portal):
            events.record("deal.won", "deal", 5)
            events.audit("ada@x.example", "approved", "invoice", 6)
            db.session.flush()
            raise LookupError
        with transaction(portal):
            assert db.session.execute(select(Event).where(Event.kind == "deal.won")).all() == []
            assert db.session.execute(select(events.Audit).where(events.Audit.action == "approved")).all() == []
