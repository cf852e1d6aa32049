"""What every test can ask for: a real PostgreSQL database of its own, the wired application, a portal.

`./dev test` starts one PostgreSQL and one Valkey for the whole run; a bare `pytest` starts its own for the session.
A database is a copy of a template that the real migrations built.
"""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from app.cli import migrate
from app.settings import Settings
from tools import servers
from tools.home import Home
from tools.supervisor.client import Keeper

ROOT = Path(__file__).resolve().parents[1]
HUB_ID, USER_ID, USER_EMAIL = 4001001, 501, "ada@northwind.example"
APP_ID = 77001
SECRET = "hubspot-secret-of-the-tests"
VERIFIER = "verifier-of-the-tests"


@dataclass(frozen=True)
class Cluster:
    """The PostgreSQL and the Valkey of this run."""

    superuser_url: str
    owner_password: str
    app_password: str
    redis_url: str

    def url(self, role: str, database: str) -> str:
        """Return a role's URL of a database."""
        password = self.owner_password if role == "dw_owner" else self.app_password
        address = self.superuser_url.rpartition("@")[2]
        return f"postgresql://{role}:{password}@{address}/{database}"


@dataclass(frozen=True)
class Database:
    """One test's own database."""

    name: str
    owner_url: str
    app_url: str
    superuser_url: str


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once, in the process that controls the run; its workers inherit the addresses."""
    if servers.TEST_POSTGRES in os.environ or hasattr(config, "workerinput"):
        return
    if config.option.collectonly or config.option.help:
        return
    home = Home.throwaway()
    keeper = Keeper(home.log("keeper"), delete=[home.folder, home.place.folder])
    postgres = servers.start_postgres(home, fsync=False, keeper=keeper)
    valkey = servers.start_valkey(home, keeper=keeper)
    os.environ |= {
        servers.TEST_POSTGRES: postgres.url_superuser,
        servers.TEST_OWNER_PASSWORD: home.keys["OWNER_PASSWORD"],
        servers.TEST_APP_PASSWORD: home.keys["APP_PASSWORD"],
        servers.TEST_REDIS: valkey.url,
    }
    config.add_cleanup(keeper.close)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The servers of this run."""
    return Cluster(
        os.environ[servers.TEST_POSTGRES],
        os.environ[servers.TEST_OWNER_PASSWORD],
        os.environ[servers.TEST_APP_PASSWORD],
        os.environ[servers.TEST_REDIS],
    )


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """A database as the migrations leave it; built once a run, under a lock, and closed to connections."""
    name = "dealwright_template"
    with psycopg.connect(f"{cluster.superuser_url}/postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        ready = connection.execute("SELECT NOT datallowconn FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not (ready and ready[0]):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER dw_owner").format(sql.Identifier(name)))
            migrate(cluster.url("dw_owner", name), cluster.url("app_rw", name))
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
    return name


@pytest.fixture(scope="session")
def new_database(cluster: Cluster, template: str) -> Callable[[], Database]:
    """Makes databases; for fixtures that live longer than a test."""

    def make() -> Database:
        name = f"test_{uuid4().hex[:16]}"
        with psycopg.connect(f"{cluster.superuser_url}/postgres", autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER dw_owner").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return Database(
            name, cluster.url("dw_owner", name), cluster.url("app_rw", name), f"{cluster.superuser_url}/{name}"
        )

    return make


@pytest.fixture
def database(cluster: Cluster, new_database: Callable[[], Database]) -> Iterator[Database]:
    """This test's own database, dropped afterwards."""
    made = new_database()
    yield made
    drop_database(cluster, made)


def drop_database(cluster: Cluster, database: Database) -> None:
    """Drop a test's database, whoever is still connected."""
    with psycopg.connect(f"{cluster.superuser_url}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.name)))


def environment(database_url: str, redis_url: str, **changes: str) -> dict[str, str]:
    """Return a complete environment of the product for tests; `changes` win."""
    key = base64.urlsafe_b64encode(b"k" * 32).decode()
    return {
        "DEALWRIGHT_ENV": "test",
        "PUBLIC_ORIGIN": "http://localhost:8700",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEYS": f"k1:{key}",
        "LOOKUP_KEY": key,
        "HUBSPOT_CLIENT_ID": "hubspot-client",
        "HUBSPOT_CLIENT_SECRETS": SECRET,
        "HUBSPOT_APP_ID": str(APP_ID),
        "HUBSPOT_API_URL": "http://127.0.0.1:9",
        "HUBSPOT_APP_URL": "http://127.0.0.1:9",
        "QUICKBOOKS_CLIENT_ID": "quickbooks-client",
        "QUICKBOOKS_CLIENT_SECRET": "quickbooks-secret",
        "QUICKBOOKS_VERIFIER_TOKENS": VERIFIER,
        "QUICKBOOKS_ENVIRONMENT": "sandbox",
        "QUICKBOOKS_API_URL": "http://127.0.0.1:9",
        "QUICKBOOKS_AUTHORIZE_URL": "http://127.0.0.1:9/connect/oauth2",
        "QUICKBOOKS_TOKEN_URL": "http://127.0.0.1:9/oauth2/v1/tokens/bearer",
        "QUICKBOOKS_REVOKE_URL": "http://127.0.0.1:9/v2/oauth2/tokens/revoke",
        "QUICKBOOKS_APP_URL": "http://127.0.0.1:9",
        "SANDBOX": "1",
        "MOVABLE_CLOCK": "1",
        "LOG_FORMAT": "json",
        **changes,
    }


@pytest.fixture
def settings(cluster: Cluster, database: Database) -> Settings:
    """Settings of a test application on this test's database; the providers' addresses lead nowhere."""
    return Settings.from_environ(environment(database.app_url, f"{cluster.redis_url}/9"))


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The wired web application. Nothing drains lanes: jobs belong to worker processes."""
    from app import create_app
    from app.core.db import db

    made = create_app(settings)
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def portal_id(app: Flask) -> Iterator[int]:
    """An installed portal (New York, USD, automatic, live since 1 January 2026), in an app context."""
    from app.core.db import db

    with app.app_context():
        yield make_portal()
        db.session.rollback()


def make_portal(hub_id: int = HUB_ID, **changes: Any) -> int:
    """Make a portal with an admin, as an install leaves it; `changes` are its columns. Needs an app context."""
    from datetime import date

    from app.core.db import transaction
    from app.portals import actions, queries

    portal_id = actions.open_portal(hub_id)
    with transaction(portal_id):
        portal = queries.current()
        actions.describe(
            portal, name="Northwind Software", ui_domain="app.hubspot.com", account_type="STANDARD",
            zone="America/New_York", currency="USD", today=date(2026, 1, 1),
        )  # fmt: skip
        portal.invoice_mode, portal.first_invoice_by_person = "automatic", False
        for name, value in changes.items():
            setattr(portal, name, value)
        actions.signed_person(hubspot_user_id=USER_ID, email=USER_EMAIL, first_admin=True)
    return portal_id


@dataclass(frozen=True)
class Tenant:
    """An installed portal: our id and HubSpot's."""

    id: int
    hub_id: int


@pytest.fixture(scope="session")
def shared_app(cluster: Cluster, new_database: Callable[[], Database]) -> Iterator[Flask]:
    """One wired application for every test that keeps to portals of its own: a database made once, not per test."""
    from app import create_app
    from app.core.db import db

    made = create_app(Settings.from_environ(environment(new_database().app_url, f"{cluster.redis_url}/9")))
    yield made
    with made.app_context():
        db.engine.dispose()


_hub_ids = itertools.count(5_000_001)


@pytest.fixture
def tenant(shared_app: Flask) -> Tenant:
    """A portal as `make_portal` leaves it that no other test knows. No app context stays: requests bring their own."""
    hub_id = next(_hub_ids)
    with shared_app.app_context():
        return Tenant(make_portal(hub_id), hub_id)


@pytest.fixture
def other_tenant(shared_app: Flask) -> Tenant:
    """A second portal, beside `tenant`."""
    hub_id = next(_hub_ids)
    with shared_app.app_context():
        return Tenant(make_portal(hub_id), hub_id)
