"""The `dealwright` command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    preview = commands.add_parser("preview", help="what a deal document bills")
    preview.add_argument("file", type=Path)
    preview.add_argument("--json", action="store_true")
    preview.add_argument("--lines", action="store_true", help="one JSON document a line")
    arguments = parser.parse_args(argv)
    run = {"migrate": _migrate, "clock": _clock, "preview": _preview, "signin-link": _signin_link}[arguments.command]
    return run(arguments)


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
    from app.billing import preview
    from app.core import clock

    try:
        text = arguments.file.read_text(encoding="utf-8")
        documents = (
            [json.loads(line) for line in text.splitlines() if line.strip()] if arguments.lines else [json.loads(text)]
        )
    except (OSError, ValueError) as error:
        print(f"{arguments.file}: {error}", file=sys.stderr)
        return 2
    today = clock.now().date().isoformat()
    known = [{"as_of": today} | each if isinstance(each, dict) else each for each in documents]
    answers = [preview(document).to_json() for document in known]
    for answer in answers:
        if arguments.lines:
            print(json.dumps(answer, sort_keys=True))
        elif arguments.json:
            print(json.dumps(answer, indent=2))
        else:
            _print_answer(answer)
    return 0 if all(answer["status"] == "ok" for answer in answers) else 1


def _print_answer(answer: dict[str, Any]) -> None:
    print(answer["status"])
    for sentence in answer.get("reading", []):
        print(f"  {sentence}")
    for question in answer.get("questions", []):
        print(f"  ? {question['text']}")
    for error in answer.get("errors", []):
        print(f"  ! {error['field']}: {error['value']!r}; allowed: {error['allowed']}")
    for document in answer.get("documents", []):
        print(f"{document['date']}  due {document['due']}  {document['net']:>12}")
        for line in document["lines"]:
            print(f"    {line['item']:<14} {line['amount']:>12}  {line['why']}")


if __name__ == "__main__":
    sys.exit(main())
