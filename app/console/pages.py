"""Puts the console into the web application: its pages, templates, static files and the way it writes things."""

from __future__ import annotations

from flask import Blueprint, Flask, request
from werkzeug.routing import IntegerConverter, Map

from app.console import drafts, edits, filters, home, invoices, problems, sandbox, settings, shell, signin

_A_YEAR_S = 365 * 24 * 3600


class _Console(Blueprint):
    """Serves the static files: for good when the address carries the content's digest, else checked each time."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return _A_YEAR_S if request.args.get("v") else None


class _RecordId(IntegerConverter):
    """The id of one of our records; a number that no such id can be is no address of ours."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=2**63 - 1)


def install(app: Flask) -> None:
    """Register every page. The templates are the whole application's: errors and the installation's page too."""
    app.url_map.converters["record"] = _RecordId
    # Its name makes the templates and `url_for("console.static", ...)` found; it has no pages of its own.
    frame = _Console(
        "console", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    for blueprint in (
        frame, signin.blueprint, home.blueprint, drafts.blueprint, edits.blueprint, invoices.blueprint,
        problems.blueprint, settings.blueprint, sandbox.blueprint,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    app.context_processor(shell.context)
    filters.install(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
