"""Dealwright: won HubSpot deals become correct QuickBooks invoices, and sales sees where each one stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the web application. Settings come from the environment unless a test hands its own in.

    The imports stay inside: `app.billing` must be importable without Flask or a database.
    """
    from app.bootstrap import build_web
    from app.settings import Settings as _Settings

    return build_web(settings or _Settings.from_environ())
