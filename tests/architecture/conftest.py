"""Two portals with a row in every table, in a database of the module's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask

from app import create_app
from app.core.db import db
from app.settings import Settings
from tests.app.core.records import Ids, fill
from tests.architecture.two_portals import OTHER_HUB_ID, OTHERS_FIRST_ID, Pg
from tests.conftest import HUB_ID, Cluster, Database, environment, make_portal


@pytest.fixture(scope="module")
def house(cluster: Cluster, new_database: Callable[[], Database]) -> Database:
    """A database for this module."""
    return new_database()


@pytest.fixture(scope="module")
def web(cluster: Cluster, house: Database) -> Iterator[Flask]:
    """The application on that database."""
    app = create_app(Settings.from_environ(environment(house.app_url, f"{cluster.redis_url}/9")))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def ours(web: Flask) -> Ids:
    """Portal A with a row in every table."""
    with web.app_context():
        return fill(make_portal(HUB_ID), 1000)


@pytest.fixture(scope="module")
def theirs(web: Flask) -> Ids:
    """Portal B with a row in every table; none of its ids is one of A's."""
    with web.app_context():
        return fill(make_portal(OTHER_HUB_ID), OTHERS_FIRST_ID)


@pytest.fixture
def owner(house: Database) -> Iterator[Pg]:
    """The superuser, who sees everything."""
    with psycopg.connect(house.superuser_url, autocommit=True) as connection:
        yield connection
