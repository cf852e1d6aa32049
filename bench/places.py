"""Databases of the benchmark's own, on the servers that `./dev bench` started."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from app.cli import migrate
from app.settings import Settings
from tools import servers

# Of /proc/PID/stat: processor time in user and in system mode, counted from after the program's name.
_USER, _SYSTEM = 11, 12


@dataclass(frozen=True, slots=True)
class Place:
    """A PostgreSQL cluster, and settings of the product that lack only `DATABASE_URL`."""

    superuser_url: str
    owner_password: str
    app_password: str
    environ: Mapping[str, str]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Place:
        """Return the servers that `./dev bench` names in the environment."""
        return cls(
            environ[servers.TEST_POSTGRES], environ[servers.TEST_OWNER_PASSWORD], environ[servers.TEST_APP_PASSWORD],
            environ,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database, with what the benchmark does to it beside the product, as its superuser."""

    name: str
    superuser_url: str
    settings: Settings

    def analyze(self) -> None:
        """Let PostgreSQL learn what is in the tables, as autovacuum does sooner or later."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute("ANALYZE")

    def take_out(self, after: Mapping[str, int]) -> None:
        """Delete the rows of these tables with a higher id than this, and leave no trace of them."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            # Neither triggers nor foreign keys: all rows that name each other go.
            connection.execute("SET session_replication_role = replica")
            for table, highest in after.items():
                name = sql.Identifier(table)
                connection.execute(sql.SQL("DELETE FROM {} WHERE id > %s").format(name), [highest])
                connection.execute(sql.SQL("VACUUM {}").format(name))

    def highest_id(self, table: str) -> int:
        """Return the highest id in a table, 0 if there is none."""
        statement = sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(sql.Identifier(table))
        with psycopg.connect(self.superuser_url) as connection:
            row = connection.execute(statement).fetchone()
        return int(row[0]) if row else 0

    def processor_s(self) -> float:
        """Return the processor seconds of the product's connections so far; 0 where the system doesn't tell them."""
        with psycopg.connect(self.superuser_url) as connection:
            pids = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename <> current_user", [self.name]
            ).fetchall()
        return sum(_processor_s(pid) for (pid,) in pids)


@contextmanager
def database(place: Place) -> Iterator[Database]:
    """Make a database, migrate it, and drop it afterwards."""
    name = f"bench_{uuid4().hex[:16]}"
    address = place.superuser_url.rpartition("@")[2]
    owner, app = (
        f"postgresql://{role}:{password}@{address}/{name}"
        for role, password in (("dw_owner", place.owner_password), ("app_rw", place.app_password))
    )
    quoted = sql.Identifier(name)
    with psycopg.connect(f"{place.superuser_url}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER dw_owner").format(quoted))
        try:
            logging.getLogger("alembic").setLevel(logging.WARNING)
            migrate(owner, app)
            settings = Settings.from_environ({**place.environ, "DATABASE_URL": app})
            yield Database(name, f"{place.superuser_url}/{name}", settings)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
