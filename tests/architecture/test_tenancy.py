"""The tenant wall: what PostgreSQL says of every table, and what the application's role can reach."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql

from tests.app.core.records import Ids
from tests.architecture.two_portals import OTHER_HUB_ID, OUTSIDE, TENANT_TABLES, Pg, query
from tests.conftest import Database

APPEND_ONLY = {"amendment", "audit", "event", "deal_version", "inbox_event"}
UNTOUCHABLE = {"oauth_state", "sandbox_clock", "alembic_version"}
LOOK_UPS = {
    "portal_of_hubspot", "portal_open", "portals_active", "connections_of_account", "signin_link_of",
    "console_session_of", "oauth_state_make", "oauth_state_take", "lane_take", "lanes_due", "billing_today",
    "sandbox_move_clock",
}  # fmt: skip


@pytest.fixture
def role(house: Database, ours: Ids, theirs: Ids) -> Iterator[Pg]:
    """The application's role with no portal bound; what a test does is rolled back."""
    with psycopg.connect(house.app_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def as_a(role: Pg, ours: Ids) -> Pg:
    """The application's role with portal A bound."""
    role.execute("SELECT set_config('app.portal', %s, true)", [str(ours.portal_id)])
    return role


def counted(connection: Pg, statement: sql.Composed, *values: object) -> int:
    """Run a statement on a savepoint; return how many rows it touched, and 0 where it is refused by right or policy."""
    try:
        with connection.transaction(force_rollback=True):
            return connection.execute(statement, values).rowcount
    except (errors.InsufficientPrivilege, errors.NotNullViolation):
        return 0


def refused(connection: Pg, statement: sql.Composed, *values: object) -> type[Exception] | None:
    """Run a statement on a savepoint; return the class of the server's refusal."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement, values)
    except psycopg.Error as error:
        return type(error)
    return None


def columns(connection: Pg, table: str) -> list[str]:
    rows = query(
        connection,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "ORDER BY attnum",
        table,
    )
    return [row[0] for row in rows]


class TestCatalog:
    def test_every_table_names_its_portal_but_for_the_written_exceptions(self, owner: Pg) -> None:
        tables = {row[0] for row in query(owner, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        with_portal = {
            row[0]
            for row in query(
                owner,
                "SELECT table_name FROM information_schema.columns WHERE column_name = 'portal_id' "
                "AND table_schema = 'public' AND is_nullable = 'NO'",
            )
        }
        assert tables - with_portal == OUTSIDE
        assert with_portal == set(TENANT_TABLES)

    def test_test_rows_cover_every_table(self, ours: Ids) -> None:
        assert set(ours.by_table) == set(TENANT_TABLES)

    @pytest.mark.parametrize("table", [*TENANT_TABLES, "portal"])
    def test_row_security_is_enabled_and_forced_with_the_tenant_policy(self, owner: Pg, table: str) -> None:
        (flags,) = query(
            owner, "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table
        )
        assert flags == (True, True)
        policies = {
            name: (command, roles, using, check)
            for name, command, roles, using, check in query(
                owner, "SELECT policyname, cmd, roles, qual, with_check FROM pg_policies WHERE tablename = %s", table
            )
        }
        assert set(policies) == {"tenant", "lookup"}
        command, roles, using, check = policies["tenant"]
        column = "id" if table == "portal" else "portal_id"
        bound = f"({column} = (NULLIF(current_setting('app.portal'::text, true), ''::text))::bigint)"
        assert (command, roles, using, check) == ("ALL", ["public"], bound, bound)
        assert policies["lookup"][1] == ["dw_owner"]

    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_key_within_the_portal_is_unique(self, owner: Pg, table: str) -> None:
        found = query(
            owner,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'u'",
            table,
        )
        assert ("UNIQUE (portal_id, id)",) in found

    def test_references_between_tenants_tables_name_the_portal_on_both_sides(self, owner: Pg) -> None:
        keys = query(
            owner,
            "SELECT conrelid::regclass::text, confrelid::regclass::text, pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
        )
        assert len(keys) > len(TENANT_TABLES)
        for table, target, definition in keys:
            if target == "portal":
                assert definition.startswith("FOREIGN KEY (portal_id) REFERENCES portal(id)"), table
            else:
                assert definition.startswith("FOREIGN KEY (portal_id, "), (table, definition)
                assert f"REFERENCES {target}(portal_id, id)" in definition, (table, definition)

    def test_every_tenant_table_references_its_portal(self, owner: Pg) -> None:
        found = query(
            owner,
            "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confrelid = 'portal'::regclass",
        )
        assert {row[0] for row in found} == set(TENANT_TABLES)


class TestRole:
    def test_is_no_superuser_and_bypasses_nothing(self, owner: Pg) -> None:
        (flags,) = query(
            owner,
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
            "WHERE rolname = 'app_rw'",
        )
        assert flags == (False, False, False, False, False)

    def test_is_a_member_of_no_other_role(self, owner: Pg) -> None:
        assert query(owner, "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member "
                            "WHERE r.rolname = 'app_rw'") == []  # fmt: skip

    def test_owns_nothing_and_creates_nothing(self, owner: Pg, role: Pg) -> None:
        assert query(owner, "SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
                            "WHERE r.rolname = 'app_rw'") == []  # fmt: skip
        assert refused(role, sql.SQL("CREATE TABLE {} (a int)").format(sql.Identifier("mine"))) is not None

    @pytest.mark.parametrize("table", sorted(UNTOUCHABLE))
    def test_can_not_touch_what_stands_outside_the_wall(self, role: Pg, table: str) -> None:
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"):
            composed = sql.SQL(statement).format(sql.Identifier(table))
            assert refused(role, composed) is errors.InsufficientPrivilege, statement

    @pytest.mark.parametrize("table", [*TENANT_TABLES, "portal"])
    def test_can_not_empty_a_table_or_change_its_wall(self, as_a: Pg, table: str) -> None:
        for statement in ("TRUNCATE {}", "ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "DROP POLICY tenant ON {}"):
            composed = sql.SQL(statement).format(sql.Identifier(table))
            assert refused(as_a, composed) is errors.InsufficientPrivilege, statement

    def test_can_not_become_the_owner(self, role: Pg) -> None:
        for name in ("dw_owner", "postgres"):
            assert refused(role, sql.SQL("SET ROLE {}").format(sql.Identifier(name))) is not None

    @pytest.mark.parametrize("table", sorted(APPEND_ONLY))
    def test_can_not_change_or_delete_its_own_evidence(self, as_a: Pg, table: str) -> None:
        update = sql.SQL("UPDATE {} SET created_at = now()").format(sql.Identifier(table))
        delete = sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
        assert refused(as_a, update) is errors.InsufficientPrivilege
        assert refused(as_a, delete) is errors.InsufficientPrivilege

    def test_can_release_a_billed_entry_and_change_nothing_else_of_it(self, as_a: Pg) -> None:
        release = sql.SQL("UPDATE billed_entry SET released_at = now() WHERE {} > 0").format(sql.Identifier("id"))
        assert counted(as_a, release) == 1
        for column in columns(as_a, "billed_entry"):
            if column == "released_at":
                continue
            change = sql.SQL("UPDATE billed_entry SET {0} = {0}").format(sql.Identifier(column))
            assert refused(as_a, change) is errors.InsufficientPrivilege, column
        delete = sql.SQL("DELETE FROM {}").format(sql.Identifier("billed_entry"))
        assert refused(as_a, delete) is errors.InsufficientPrivilege


class TestWithoutPortal:
    @pytest.mark.parametrize("table", [*TENANT_TABLES, "portal"])
    def test_sees_and_writes_nothing(self, role: Pg, table: str) -> None:
        name = sql.Identifier(table)
        assert role.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone() == (0,)
        assert counted(role, sql.SQL("UPDATE {} SET created_at = now()").format(name)) == 0
        assert counted(role, sql.SQL("DELETE FROM {}").format(name)) == 0

    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_inserts_nothing_not_even_when_it_names_a_portal(self, role: Pg, owner: Pg, ours: Ids, table: str) -> None:
        plain, values = copy_of(owner, table, ours)
        assert refused(role, plain, *values) is errors.InsufficientPrivilege

    @pytest.mark.parametrize("setting", ["", "0", "-1"])
    def test_empty_or_unknown_portal_is_no_portal(self, role: Pg, setting: str) -> None:
        role.execute("SELECT set_config('app.portal', %s, true)", [setting])
        assert query(role, "SELECT count(*) FROM person") == [(0,)]

    @pytest.mark.parametrize("setting", ["1 OR true", "*", "x"])
    def test_portal_that_is_no_number_is_an_error(self, role: Pg, setting: str) -> None:
        role.execute("SELECT set_config('app.portal', %s, true)", [setting])
        with pytest.raises(errors.InvalidTextRepresentation):
            query(role, "SELECT count(*) FROM person")

    @pytest.mark.parametrize("value", ["on", "true", "1"])
    def test_switch_of_the_look_ups_gains_nothing(self, role: Pg, value: str) -> None:
        role.execute("SELECT set_config('app.lookup', %s, true)", [value])
        for table in (*TENANT_TABLES, "portal"):
            assert role.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone() == (0,)


def copy_of(owner: Pg, table: str, of: Ids, **changes: object) -> tuple[sql.Composed, list[object]]:
    """Return an INSERT of a copy of a portal's row, under a fresh id, with columns changed."""
    names = columns(owner, table)
    select_row = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
    )
    row = owner.execute(select_row, [of.by_table[table]]).fetchone()
    assert row is not None
    values = dict(zip(names, row, strict=True)) | {"id": 90_000_000} | changes
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join([sql.Placeholder()] * len(names)),
    )
    adapted = [psycopg.types.json.Jsonb(v) if isinstance(v, dict | list) and n not in ("after",) else v
               for n, v in values.items()]  # fmt: skip
    return insert, adapted


class TestOtherPortal:
    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_rows_can_not_be_seen_changed_or_deleted(self, as_a: Pg, ours: Ids, theirs: Ids, table: str) -> None:
        name = sql.Identifier(table)
        seen = {row[0] for row in as_a.execute(sql.SQL("SELECT id FROM {}").format(name)).fetchall()}
        assert ours.by_table[table] in seen
        assert theirs.by_table[table] not in seen
        foreign = theirs.by_table[table]
        assert counted(as_a, sql.SQL("UPDATE {} SET created_at = now() WHERE id = %s").format(name), foreign) == 0
        assert counted(as_a, sql.SQL("DELETE FROM {} WHERE id = %s").format(name), foreign) == 0

    def test_itself_can_not_be_seen_or_changed(self, as_a: Pg, ours: Ids, theirs: Ids) -> None:
        assert query(as_a, "SELECT id FROM portal") == [(ours.portal_id,)]
        update = sql.SQL("UPDATE portal SET name = 'mine' WHERE {} = %s").format(sql.Identifier("id"))
        assert counted(as_a, update, theirs.portal_id) == 0

    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_gets_no_row_inserted(self, as_a: Pg, owner: Pg, theirs: Ids, table: str) -> None:
        insert, values = copy_of(owner, table, theirs)
        assert refused(as_a, insert, *values) is errors.InsufficientPrivilege

    @pytest.mark.parametrize("table", TENANT_TABLES)
    def test_gets_no_row_moved_to_it(self, as_a: Pg, ours: Ids, theirs: Ids, table: str) -> None:
        move = sql.SQL("UPDATE {} SET portal_id = %s WHERE id = %s").format(sql.Identifier(table))
        assert refused(as_a, move, theirs.portal_id, ours.by_table[table]) is errors.InsufficientPrivilege

    def test_rows_can_not_be_referenced(self, as_a: Pg, owner: Pg, ours: Ids, theirs: Ids) -> None:
        keys = query(
            owner,
            "SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, a.attname FROM pg_constraint c "
            "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2] "
            "WHERE c.contype = 'f' AND array_length(c.conkey, 1) = 2",
        )
        assert keys
        for table, target, column in keys:
            foreign = theirs.by_table[target]
            if table in APPEND_ONLY or table == "billed_entry":
                statement, values = copy_of(owner, table, ours, **{column: foreign}, **unique_again(table))
            else:
                statement = sql.SQL("UPDATE {} SET {} = %s WHERE id = %s").format(
                    sql.Identifier(table), sql.Identifier(column)
                )
                values = [foreign, ours.by_table[table]]
            # A connection has one token: there the unique key refuses first.
            expected = errors.UniqueViolation if table == "token" else errors.ForeignKeyViolation
            assert refused(as_a, statement, *values) is expected, (table, column)


def unique_again(table: str) -> dict[str, object]:
    """Return values that keep a copied row from failing on another key than the one under test."""
    values: dict[str, dict[str, object]] = {
        "deal_version": {"number": 99}, "billed_entry": {"item_key": "another"}, "amendment": {"change": "another"},
    }  # fmt: skip
    return values.get(table, {})


class TestLookUps:
    def test_are_the_written_ones_and_nobody_else_may_call_them(self, owner: Pg) -> None:
        rows = query(
            owner,
            "SELECT proname, prosecdef, proconfig, has_function_privilege('public', oid, 'EXECUTE'), "
            "pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')",
        )
        definers = {name for name, is_definer, *_ in rows if is_definer}
        assert definers == LOOK_UPS
        assert {name for name, *_ in rows} - definers == {"portal_today"}
        for name, _, config, public, who in rows:
            assert config == ["search_path=public"], name
            assert public is False, name
            assert who == "dw_owner", name

    def test_return_ids_only(self, owner: Pg) -> None:
        rows = query(
            owner,
            "SELECT proname, pg_get_function_result(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND prosecdef",
        )
        assert dict(rows) == {
            "portal_of_hubspot": "TABLE(portal_id bigint)",
            "portal_open": "TABLE(portal_id bigint)",
            "portals_active": "TABLE(portal_id bigint)",
            "connections_of_account": "TABLE(portal_id bigint, connection_id bigint)",
            "signin_link_of": "TABLE(portal_id bigint, link_id bigint)",
            "console_session_of": "TABLE(portal_id bigint, session_id bigint)",
            "lane_take": "TABLE(portal_id bigint, fence bigint)",
            "lanes_due": "TABLE(lane_id bigint)",
            # An OAuth state was made for one browser; taking it returns what it was made for.
            "oauth_state_take": "TABLE(state_id bigint, portal_id bigint, actor text)",
            "oauth_state_make": "void",
            "billing_today": "date",
            "sandbox_move_clock": "void",
        }

    def test_leave_the_wall_closed_behind_them(self, role: Pg, theirs: Ids) -> None:
        assert query(role, "SELECT portal_id FROM portal_of_hubspot(%s)", OTHER_HUB_ID) == [(theirs.portal_id,)]
        query(role, "SELECT lane_id FROM lanes_due(10, 0)")
        query(role, "SELECT * FROM lane_take(%s, 'x', 0)", theirs.by_table["lane"])
        assert query(role, "SELECT count(*) FROM portal") == [(0,)]
        assert query(role, "SELECT count(*) FROM lane") == [(0,)]
        assert query(role, "SELECT current_setting('app.lookup', true)") == [("",)]

    def test_leave_the_wall_closed_when_they_fail(self, role: Pg) -> None:
        with pytest.raises(psycopg.Error), role.transaction():
            role.execute("SELECT * FROM portal_open(NULL)")
        assert query(role, "SELECT count(*) FROM portal") == [(0,)]
