"""What every page shares: the frame with its counts, the notices after a press, and refusals told on the page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from flask import current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.connections import queries as connections
from app.connections.models import CONNECTED, Connection
from app.console import queries
from app.core import clock
from app.core.db import db
from app.core.errors import DomainError
from app.edge import wiring
from app.portals import queries as portals
from app.portals.models import Portal

STATIC = Path(__file__).with_name("static")
# What a page may say after a press. The address names one of these and nothing else, so no link can put words here.
NOTICES = {
    "retried": "It is being tried again. If nothing changed, the problem comes back here.",
    "disconnected": "QuickBooks is disconnected. What it has stays there; nothing more is sent or read.",
    "let-go": "The deal is read again without what was taken out.",
    "settled": "The problem is settled; who settled it stands in the audit.",
    "related": "The deal is billed beside the other one. Its drafts are being written.",
    "answered": "Answered. The deal's drafts are being written.",
    "edited": "The draft is changed. It waits for approval in its new version.",
    "undone": "The change is taken back, and the draft is written anew.",
    "ledger": "Saved. New QuickBooks items book into this account; what waited for it goes on now.",
    "billing": "Saved. The drafts are being judged anew; what was approved already is not touched.",
    "invited": "Added. They sign in by opening Dealwright from a HubSpot record.",
    "role": "The role is changed. It holds from their next click.",
    "clock": "The sandbox's calendar has moved. The billing run follows within a few seconds.",
    "quickbooks": "QuickBooks is connected. Drafts are being written.",
}


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame around a page: whose it is, which billing day it is, what waits, and connections that are lost."""

    portal: Portal
    today: date
    drafts: int
    problems: int
    lost: tuple[Connection, ...]


def today() -> date:
    """Return the billing day of the bound portal."""
    return clock.today(portals.current().timezone)


def page(template: str, *, at: str, **context: object) -> str:
    """Render a page of the signed-in console. `at` names its place in the navigation."""
    shell = Shell(
        portal=portals.current(),
        today=today(),
        drafts=queries.approvable_count(),
        problems=sum(queries.problem_counts().values()),
        lost=tuple(c for c in connections.all_of_portal() if c.state != CONNECTED),
    )
    notice = NOTICES.get(request.args.get("done") or request.args.get("connected", ""))
    return render_template(template, shell=shell, at=at, actor=g.actor, notice=notice, **context)


def refused(error: DomainError, again: Callable[[], str]) -> ResponseReturnValue:
    """Undo what the request began and show its page once more, with what was wrong on top."""
    db.session.rollback()
    g.trouble = error
    return again(), error.status


def asset(name: str) -> str:
    """Return the address of a static file, with its content's digest so that browsers may keep it for good."""
    return url_for("console.static", filename=name, v=_digest(name, (STATIC / name).stat().st_mtime_ns))


def deal_url(portal: Portal, hubspot_deal_id: int) -> str:
    """Return the address of a deal's record in HubSpot."""
    settings = wiring().settings
    domain = portal.ui_domain if portal.ui_domain and not settings.sandbox else ""
    origin = f"https://{domain}" if domain else settings.hubspot_app_url
    return f"{origin}/contacts/{portal.hubspot_portal_id}/record/0-3/{hubspot_deal_id}"


def ledger_url(external_id: str) -> str:
    """Return the address of an invoice's page in QuickBooks."""
    return f"{wiring().settings.quickbooks_app_url}/app/invoice?txnId={external_id}"


def context() -> dict[str, object]:
    """Return what every template can use, the bare ones too; asks the database nothing."""
    settings = current_app.extensions["dealwright"].settings
    return {
        "asset": asset, "deal_url": deal_url, "ledger_url": ledger_url, "sandbox": settings.sandbox,
        "movable_clock": settings.movable_clock,
    }  # fmt: skip


@lru_cache(maxsize=64)
def _digest(name: str, _changed_ns: int) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
