"""A repeated request gets the first answer and does nothing again, also at the same instant."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text

from app.core.db import db, transaction
from app.core.errors import Conflict
from app.core.idempotency import Idempotency, once
from tests.conftest import Tenant


class Act:
    """An act that counts how often it was done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"answer": self.times}


class TestOnce:
    def test_same_key_and_body_get_the_same_answer_and_act_once(self, portal: int) -> None:
        act = Act()
        answers = []
        for _ in range(3):
            with transaction(portal):
                answers.append(once("door", "key", b"body", act))
        assert answers == [{"answer": 1}] * 3
        assert act.times == 1

    def test_repeat_inside_the_same_transaction_acts_once_too(self, portal: int) -> None:
        act = Act()
        with transaction(portal):
            assert once("door", "key", b"body", act) == once("door", "key", b"body", act) == {"answer": 1}

    def test_same_key_with_another_body_is_a_conflict_and_does_nothing(self, portal: int) -> None:
        act = Act()
        with transaction(portal):
            once("door", "key", b"body", act)
        with transaction(portal), pytest.raises(Conflict) as refused:
            once("door", "key", b"another body", act)
        assert refused.value.status == 409
        assert refused.value.fields == {"key": "key"}
        assert act.times == 1

    def test_other_key_or_door_acts_again(self, portal: int) -> None:
        act = Act()
        with transaction(portal):
            for door, key in (("door", "key"), ("door", "key2"), ("door2", "key")):
                once(door, key, b"body", act)
        assert act.times == 3

    def test_other_portal_has_its_own_keys(self, portal: int, other_tenant: Tenant) -> None:
        act = Act()
        for portal_id in (portal, other_tenant.id):
            with transaction(portal_id):
                once("door", "key", b"body", act)
        assert act.times == 2

    def test_key_is_free_again_when_the_act_failed(self, portal: int) -> None:
        def fails() -> dict[str, Any]:
            raise LookupError

        with pytest.raises(LookupError), transaction(portal):
            once("door", "key", b"body", fails)
        with transaction(portal):
            assert db.session.execute(select(Idempotency)).all() == []
            assert once("door", "key", b"another body", Act()) == {"answer": 1}


class TestConcurrently:
    def test_second_request_waits_for_the_first_and_gets_its_answer(self, portal: int, shared_app: Flask) -> None:
        acting, may_finish = threading.Event(), threading.Event()
        answers: list[dict[str, Any]] = []
        second_act = Act()

        def slow() -> dict[str, Any]:
            acting.set()
            assert may_finish.wait(10)
            return {"answer": "first"}

        def request(act: Any) -> None:
            with shared_app.app_context(), transaction(portal):
                answers.append(once("door", "key", b"body", act))

        first = threading.Thread(target=request, args=(slow,))
        first.start()
        assert acting.wait(10)
        second = threading.Thread(target=request, args=(second_act,))
        second.start()
        wait_for_a_blocked_backend(shared_app)
        assert answers == []
        may_finish.set()
        first.join(10)
        second.join(10)
        assert answers == [{"answer": "first"}] * 2
        assert second_act.times == 0

    def test_second_request_acts_when_the_first_failed(self, portal: int, shared_app: Flask) -> None:
        acting, may_fail = threading.Event(), threading.Event()
        answers: list[dict[str, Any]] = []

        def fails() -> dict[str, Any]:
            acting.set()
            assert may_fail.wait(10)
            raise LookupError

        def failing() -> None:
            with shared_app.app_context(), pytest.raises(LookupError), transaction(portal):
                once("door", "key", b"body", fails)

        def second_request() -> None:
            with shared_app.app_context(), transaction(portal):
                answers.append(once("door", "key", b"body", Act()))

        first, second = threading.Thread(target=failing), threading.Thread(target=second_request)
        first.start()
        assert acting.wait(10)
        second.start()
        wait_for_a_blocked_backend(shared_app)
        may_fail.set()
        first.join(10)
        second.join(10)
        assert answers == [{"answer": 1}]


def wait_for_a_blocked_backend(app: Flask) -> None:
    """Return once some statement of this database waits for another transaction."""
    url = app.config["SQLALCHEMY_DATABASE_URI"].set(drivername="postgresql").render_as_string(hide_password=False)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    pause = threading.Event()
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(1000):
            row = connection.execute(waiting).fetchone()
            if row is not None and row[0]:
                return
            pause.wait(0.01)
    raise AssertionError("nothing waits")


class TestClaim:
    def test_is_unique_in_the_database(self, portal: int) -> None:
        insert = text("INSERT INTO idempotency (door, key, body_hash) VALUES ('d', 'k', 'h')")
        with transaction(portal):
            db.session.execute(insert)
        with pytest.raises(Exception, match="uq_idempotency_portal_id_door_key"), transaction(portal):
            db.session.execute(insert)
