"""Migrations: one head, the models' own tables from empty, back and forth, and never a long wait for a lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.bootstrap import import_models
from app.cli import alembic_config, migrate
from tests.conftest import Cluster, Database, drop_database


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    """A database without any table of ours."""
    name = f"test_{uuid4().hex[:16]}"
    with psycopg.connect(f"{cluster.superuser_url}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER dw_owner").format(sql.Identifier(name)))
    made = Database(name, cluster.url("dw_owner", name), cluster.url("app_rw", name), f"{cluster.superuser_url}/{name}")
    yield made
    drop_database(cluster, made)


def script() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config("postgresql://nowhere", "app_rw"))


def shape(database: Database) -> list[tuple[Any, ...]]:
    """Return everything the catalog says of our tables, functions, policies and rights, in one order."""
    queries = (
        "SELECT 'column', table_name, column_name, data_type, is_nullable, column_default, is_identity "
        "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 2, 3",
        "SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 2, 3",
        "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 2, 3",
        "SELECT 'policy', tablename, policyname, roles::text, qual, with_check FROM pg_policies ORDER BY 2, 3",
        "SELECT 'function', p.oid::regprocedure::text, md5(prosrc), prosecdef, proacl::text FROM pg_proc p "
        "WHERE pronamespace = 'public'::regnamespace ORDER BY 2",
        "SELECT 'table', relname, relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 2",
    )
    with psycopg.connect(database.superuser_url) as connection:
        return [row for query in queries for row in connection.execute(query.encode()).fetchall()]


class TestHistory:
    def test_has_one_head_and_one_beginning(self) -> None:
        assert len(script().get_heads()) == 1
        assert len(script().get_bases()) == 1

    def test_file_names_begin_with_their_revision(self) -> None:
        for revision in script().walk_revisions():
            assert revision.path.rpartition("/")[2].startswith(f"{revision.revision}_"), revision.path

    def test_every_one_can_be_taken_back_or_says_why_not(self) -> None:
        for revision in script().walk_revisions():
            assert revision.module.downgrade.__code__.co_consts != (None,), revision.revision


class TestUpgrade:
    def test_from_empty_equals_the_models(self, empty: Database) -> None:
        migrate(empty.owner_url, empty.app_url)
        engine = create_engine(make_url(empty.owner_url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            # Defaults are compared by what they give: without a portal that would be NULL on both sides.
            connection.execute(text("SELECT set_config('app.portal', '1', false)"))
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "compare_server_default": True,
                    # The sandbox's calendar belongs to the functions of the wall; no model reads it.
                    "include_name": lambda name, kind, _parents: (kind, name) != ("table", "sandbox_clock"),
                },
            )
            differences = compare_metadata(context, import_models())
        engine.dispose()
        assert differences == []

    def test_twice_changes_nothing(self, empty: Database) -> None:
        migrate(empty.owner_url, empty.app_url)
        before = shape(empty)
        migrate(empty.owner_url, empty.app_url)
        assert shape(empty) == before

    def test_works_where_one_role_does_everything(self, empty: Database) -> None:
        migrate(empty.owner_url, empty.owner_url)
        with psycopg.connect(empty.owner_url) as connection:
            assert connection.execute("SELECT count(*) FROM portal").fetchone() == (0,)
            connection.execute("SELECT * FROM portal_open(5)")
            # FORCE holds the wall for the owner too.
            assert connection.execute("SELECT count(*) FROM portal").fetchone() == (0,)


class TestNewest:
    def test_goes_down_and_up_again_to_the_same_shape(self, empty: Database) -> None:
        migrate(empty.owner_url, empty.app_url)
        before = shape(empty)
        migrate(empty.owner_url, empty.app_url, "-1")
        assert shape(empty) != before
        migrate(empty.owner_url, empty.app_url)
        assert shape(empty) == before

    def test_all_the_way_down_leaves_nothing_behind(self, empty: Database) -> None:
        migrate(empty.owner_url, empty.app_url)
        for _ in script().walk_revisions():
            migrate(empty.owner_url, empty.app_url, "-1")
        with psycopg.connect(empty.superuser_url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            functions = connection.execute(
                "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace "
                "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
            ).fetchall()
        assert tables == [("alembic_version",)]
        assert functions == []


class TestTimeouts:
    @pytest.fixture
    def seen(self, empty: Database) -> Callable[[], set[tuple[str, str]]]:
        """Notes the time-outs that hold while tables are made, from inside the database."""
        with psycopg.connect(empty.superuser_url, autocommit=True) as connection:
            connection.execute(
                """
                CREATE SCHEMA watch;
                CREATE TABLE watch.seen (lock_timeout text, statement_timeout text);
                CREATE FUNCTION watch.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                BEGIN
                  INSERT INTO watch.seen
                  VALUES (current_setting('lock_timeout'), current_setting('statement_timeout'));
                END $$;
                CREATE EVENT TRIGGER note ON ddl_command_start EXECUTE FUNCTION watch.note();
                """
            )

        def look() -> set[tuple[str, str]]:
            with psycopg.connect(empty.superuser_url) as connection:
                rows = connection.execute("SELECT lock_timeout, statement_timeout FROM watch.seen").fetchall()
            return {(row[0], row[1]) for row in rows}

        return look

    def test_hold_for_every_statement_of_a_migration(
        self, empty: Database, seen: Callable[[], set[tuple[str, str]]]
    ) -> None:
        migrate(empty.owner_url, empty.app_url)
        assert seen() == {("5s", "1min")}


class TestGrants:
    def test_cover_every_function_of_the_wall(self, empty: Database) -> None:
        migrate(empty.owner_url, empty.app_url)
        with psycopg.connect(empty.superuser_url) as connection:
            rights = connection.execute(
                "SELECT proname, has_function_privilege('app_rw', p.oid, 'EXECUTE'), "
                "has_function_privilege('public', p.oid, 'EXECUTE') FROM pg_proc p "
                "WHERE pronamespace = 'public'::regnamespace "
                "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
            ).fetchall()
        assert len(rights) >= 10
        for name, application, everybody in rights:
            assert (application, everybody) == (True, False), name
