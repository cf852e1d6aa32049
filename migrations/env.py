"""Alembic's environment: migrates as the owner role, with short lock waits, and grants the application its rights."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.bootstrap import import_models
from migrations.wall import grant_application

config = context.config
metadata = import_models()


def run() -> None:
    """Upgrade (or compare) the database at `owner_url`, then grant rights to the role of `app_url`."""
    engine = create_engine(make_url(config.attributes["owner_url"]).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        # A migration that has to wait for a lock makes everything behind it wait as well: give up early instead.
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
        grant_application(connection, config.attributes["app_role"])
        connection.commit()
    engine.dispose()


run()
