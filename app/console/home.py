"""The first page: what needs a person today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint

from app import sessions
from app.connections import queries as connections
from app.connections.models import HUBSPOT, QUICKBOOKS, Connection
from app.console import queries, shell
from app.console.problems import WHO
from app.deals import queries as deals
from app.invoices.planning import ROUTINE

blueprint = Blueprint("home", __name__)
AGES = ("Not due yet", "1–30 days late", "31–60 days late", "61–90 days late", "Over 90 days late")
_DAYS_AHEAD = 7
_BAR_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of an ageing bar, in thousandths of its width."""

    x: int
    width: int
    index: int


@blueprint.get("/")
def index() -> str:
    """Show what waits, what is owed, what goes out next, and whether both connections live."""
    sessions.require()
    today = shell.today()
    hubspot, ledger = connections.live(HUBSPOT), connections.live(QUICKBOOKS)
    return shell.page(
        "home.html",
        at="home",
        waiting=queries.waiting(today, routine=ROUTINE),
        held=len(queries.held()),
        by_hand=queries.by_hand_count(),
        by_who=[(who, words, count) for who, words, count in _problems() if count],
        owed=[(age, bars(age.buckets)) for age in queries.ageing(today)],
        ages=AGES,
        going_out=queries.going_out(today, _DAYS_AHEAD),
        days_ahead=_DAYS_AHEAD,
        linked=[("HubSpot", hubspot, _hubspot_read(hubspot)), ("QuickBooks", ledger, ledger and ledger.synced_at)],
        ledger=ledger,
        before_go_live=deals.before_go_live(),
        has_billed=queries.has_billed(),
    )


def bars(buckets: tuple[int, ...]) -> list[Bar]:
    """Return the stretches of a bar for amounts of one currency; one that is owed is never too thin to be seen."""
    whole = sum(buckets)
    least = 8
    widths = [max(least, part * _BAR_WIDTH // whole) if part > 0 else 0 for part in buckets] if whole > 0 else []
    if widths:
        widest = widths.index(max(widths))
        widths[widest] += _BAR_WIDTH - sum(widths)
    result, x = [], 0
    for index_, width in enumerate(widths):
        if width:
            result.append(Bar(x, width, index_))
        x += width
    return result


def _problems() -> list[tuple[str, str, int]]:
    counts = queries.problem_counts()
    return [(who, words.name, counts.get(who, 0)) for who, words in WHO.items()]


def _hubspot_read(connection: Connection | None) -> datetime | None:
    if connection is None:
        return None
    return queries.last_read_of_hubspot() or connection.synced_at
