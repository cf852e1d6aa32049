"""What the tests of the cards stand on: a browser, and the sandbox's calendar brought back after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.core.db import db
from tests.cards.books import Books, write
from tests.conftest import Tenant


@pytest.fixture
def client(shared_app: Flask) -> FlaskClient:
    return shared_app.test_client()


@pytest.fixture
def set_books(shared_app: Flask, tenant: Tenant) -> Iterator[Callable[[Callable[[Books], None]], None]]:
    """Brings the portal's books into a state on the fixed day."""

    def run(state: Callable[[Books], None]) -> None:
        with shared_app.app_context():
            write(tenant.id, state)

    yield run
    with shared_app.app_context():
        clock.move(None)
        db.session.commit()
