"""The tenant wall in SQL: row-level security on every portal's table, and the allow-listed look-ups past it.

FORCE puts the owner behind the wall too, so that it also holds where a host gives one role only. The look-up
functions run as the owner and switch `app.lookup` on for their own statement, which a policy for the owner alone
honours: the application's role gains nothing by setting it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

APPEND_ONLY = ("amendment", "audit", "event", "deal_version", "inbox_event")
BOUND = "NULLIF(current_setting('app.portal', true), '')::bigint"


def raise_wall(table: str, column: str = "portal_id") -> list[str]:
    """Return the statements that put a table behind the wall."""
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY tenant ON "{table}" USING ({column} = {BOUND}) WITH CHECK ({column} = {BOUND})',
        f"CREATE POLICY lookup ON \"{table}\" TO CURRENT_USER USING (current_setting('app.lookup', true) = 'on') "
        f"WITH CHECK (current_setting('app.lookup', true) = 'on')",
    ]


def statements(name: str) -> list[str]:
    """Return the statements of a file in `sql/`; each ends with a semicolon before an empty line."""
    text_ = (Path(__file__).parent / "sql" / name).read_text(encoding="utf-8")
    return [statement for statement in text_.split(";\n\n") if statement.strip()]


def own_functions(connection: Connection) -> list[str]:
    """Return the signatures of the schema owner's functions, which are the look-ups; extensions belong to others."""
    return list(
        connection.execute(
            text(
                "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                "WHERE n.nspname = 'public' AND pg_get_userbyid(p.proowner) = current_user ORDER BY p.oid DESC"
            )
        ).scalars()
    )


def grant_application(connection: Connection, role: str) -> None:
    """Give the application's role what it needs and no more; safe to repeat after every migration.

    Where one role does everything (a host that gives only one), there is nothing to grant: FORCE holds the wall.
    """
    if role == connection.execute(text("SELECT current_user")).scalar_one():
        return
    name = connection.dialect.identifier_preparer.quote(role)
    untouchable = ["alembic_version", "oauth_state", "sandbox_clock"]
    tables = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (:untouchable)"),
        {"untouchable": untouchable},
    ).scalars()
    tables_seen = list(tables)
    for table in tables_seen:
        rights = "SELECT, INSERT" if table in (*APPEND_ONLY, "billed_entry") else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f'REVOKE ALL ON "{table}" FROM {name}'))
        connection.execute(text(f'GRANT {rights} ON "{table}" TO {name}'))
    if not tables_seen:
        return
    connection.execute(text(f"GRANT UPDATE (released_at) ON billed_entry TO {name}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"))
    for function in own_functions(connection):
        connection.execute(text(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"))
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {function} TO {name}"))
