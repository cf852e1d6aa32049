"""The `dealwright` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors are sentences on standard error and exit status 2."""
    parser = argparse.ArgumentParser(prog="dealwright", description="Dealwright's commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the database up to date (needs DATABASE_OWNER_URL)")
    clock = commands.add_parser("clock", help="move the sandbox's calendar: a date, or 'real'")
    clock.add_argument("date")
    link = commands.add_parser("signin-link", help="print one-time sign-in links (sandbox only)")
    link.add_argument("accounts", nargs="+", metavar="HUB_ID:EMAIL")
    link.add_argument("--minutes", type=int, default=60)
    _add_document_commands(commands)
    arguments = parser.parse_args(argv)
    if arguments.command in ("preview", "metrics"):
        return _about_documents(parser, arguments)
    return {"migrate": _migrate, "clock": _clock, "signin-link": _signin_link}[arguments.command](arguments)


def _add_document_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    preview = commands.add_parser("preview", help="what a deal document bills (docs/deal-document.md)")
    metrics = commands.add_parser("metrics", help="recurring revenue by month over a list of deal documents")
    for command, a_line in ((preview, "one document"), (metrics, 'one {"documents", "from", "to"}')):
        command.add_argument("file", type=Path, nargs="?", help="with --lines: standard input when there is none")
        form = command.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="the whole answer instead of a table")
        form.add_argument("--lines", action="store_true", help=f"{a_line} a line in, one answer a line out")
    metrics.add_argument("--from", dest="first", metavar="YYYY-MM", help="the first month")
    metrics.add_argument("--to", dest="last", metavar="YYYY-MM", help="the last month, included")


def _about_documents(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """Exit status: 0 when every answer is ok, 1 when some answer is not, 2 when the file can't be read."""
    from app.commands.files import NOT_OK, UNREADABLE, Unreadable

    if arguments.file is None and not arguments.lines:
        parser.error(f"{arguments.command} needs a FILE, or --lines to read standard input")
    if arguments.command == "metrics" and arguments.lines and (arguments.first or arguments.last):
        parser.error("with --lines, `from` and `to` stand in each line")
    try:
        return _preview(arguments) if arguments.command == "preview" else _metrics(arguments)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    except BrokenPipeError:
        # Whoever read our answers left, as `head` does. Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_OK


def migrate(owner_url: str, app_url: str, revision: str = "head") -> None:
    """Upgrade (or, with an older revision, downgrade) the database and grant the application's role its rights."""
    from alembic import command
    from sqlalchemy.engine import make_url

    config = alembic_config(owner_url, make_url(app_url).username or "")
    if revision == "-1":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def alembic_config(owner_url: str, app_role: str) -> Config:
    """Return Alembic's configuration for a database; the URL is handed over as an attribute, never printed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).resolve().parents[1] / "migrations"))
    config.attributes["owner_url"] = owner_url
    config.attributes["app_role"] = app_role
    return config


def _migrate(_arguments: argparse.Namespace) -> int:
    owner_url, app_url = os.environ.get("DATABASE_OWNER_URL"), os.environ.get("DATABASE_URL")
    if not owner_url or not app_url:
        print("migrate needs DATABASE_OWNER_URL (the role that owns the tables) and DATABASE_URL.", file=sys.stderr)
        return 2
    migrate(owner_url, app_url)
    print("The database is up to date.")
    return 0


def _clock(arguments: argparse.Namespace) -> int:
    from app.bootstrap import build_process
    from app.core import clock
    from app.core.db import db
    from app.core.errors import DomainError
    from app.settings import Settings

    settings = Settings.from_environ()
    if not settings.movable_clock:
        print("The clock can't be moved here: MOVABLE_CLOCK is off.", file=sys.stderr)
        return 2
    try:
        day = None if arguments.date == "real" else date.fromisoformat(arguments.date)
    except ValueError:
        print(f"{arguments.date!r} is not a date. Write it as YYYY-MM-DD, or 'real'.", file=sys.stderr)
        return 2
    try:
        with build_process(settings).app_context():
            clock.move(day)
            db.session.commit()
    except DomainError as error:
        print(error.message, file=sys.stderr)
        return 2
    print(f"Today is now {day.isoformat() if day else 'the real day'}.")
    return 0


def _signin_link(arguments: argparse.Namespace) -> int:
    """For a newcomer's first look: nobody has to find the card before they see the console."""
    from datetime import timedelta

    from app.access import actions
    from app.bootstrap import build_process
    from app.core.db import transaction
    from app.portals import queries
    from app.settings import Settings

    settings = Settings.from_environ()
    if not settings.sandbox:
        print("Sign-in links are printed in the sandbox only; open Dealwright from HubSpot.", file=sys.stderr)
        return 2
    with build_process(settings).app_context():
        for account in arguments.accounts:
            hub_id, _, email = account.partition(":")
            portal_id = queries.id_of_hubspot(int(hub_id)) if hub_id.isdigit() else None
            if portal_id is None:
                print(f"Dealwright isn't installed in a HubSpot account {hub_id}.", file=sys.stderr)
                return 2
            with transaction(portal_id):
                person = queries.person_by_email(email)
                if person is None:
                    print(f"{email} is not known in HubSpot account {hub_id}.", file=sys.stderr)
                    return 2
                token = actions.make_link(person, timedelta(minutes=arguments.minutes))
            print(f"{settings.public_origin}/signin?token={token}")
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from app.commands import preview

    if arguments.lines:
        return preview.run_lines(arguments.file, say=_say)
    return preview.run(arguments.file, as_json=arguments.json, say=_say)


def _metrics(arguments: argparse.Namespace) -> int:
    from app.commands import metrics

    if arguments.lines:
        return metrics.run_lines(arguments.file, say=_say)
    return metrics.run(arguments.file, arguments.first, arguments.last, as_json=arguments.json, say=_say)


def _say(text: str) -> None:
    """Print at once: who pipes lines in waits for each answer. What this terminal can't write becomes a mark."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, errors="replace").decode(encoding), flush=True)


if __name__ == "__main__":
    sys.exit(main())
