"""What is told when a won deal's start moves in HubSpot, or the deal leaves Closed Won after it was billed.

The start freezes at the win: no reading of HubSpot moves it, and the problem says so until it is set back or settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from app.billing.calendar import people_date
from app.billing.money import Money
from app.deals.models import Deal
from app.problems import queries as problems
from app.problems.actions import FINANCE, SALES, Finding
from app.subscriptions import queries
from app.subscriptions.models import BilledEntry, Subscription

START_CHANGED, LEFT = "start_changed", "left_closed_won"
# What tells a person something and holds nothing.
TOLD = (START_CHANGED, LEFT)


def start(subscription: Subscription, deal: Deal, wanted: date) -> Finding | None:
    """Return what is to be said of a start that HubSpot now has otherwise; None if it is the same or settled so."""
    data = {"was": subscription.start_on.isoformat(), "start": wanted.isoformat()}
    if wanted == subscription.start_on or problems.is_decided("deal", deal.id, (START_CHANGED,), data):
        return None
    old, new = people_date(subscription.start_on), people_date(wanted)
    entries = queries.live_entries(subscription.id)
    if entries:
        so_far = f"Invoices up to {_last_day(entries)} are approved or issued."
        way = f"credit or charge the difference by hand in QuickBooks, and mark this as settled if {old} stays right"
    else:
        so_far = "Nothing of it is approved or issued yet."
        way = f"approve no draft of it, win a clone that starts on {new}, and take this deal out of Closed Won"
    return Finding(
        code=START_CHANGED, who=FINANCE, data=data, holds="Nothing waits: billing goes on from the start at the win.",
        sentence=f'"{deal.name}" started on {old} when it was won, and HubSpot now says {new}. '
        f"{_meaning(subscription, wanted)} {so_far} Billing stays with {old}.",
        action=f"Set the start back to {old} in HubSpot, or mark this as settled to stay with it. "
        f"If {new} is right, {way}.",
    )  # fmt: skip


def left(subscription: Subscription, deal: Deal) -> Finding | None:
    """Return what is to be said of a deal that left Closed Won after something of it was approved or issued.

    None while nothing was, or once a person settled it; a deal that is won and leaves again is told again.
    """
    entries = queries.live_entries(subscription.id)
    if not entries and problems.first_open("deal", deal.id, LEFT) is None:
        return None
    data = {"resumed": queries.times_resumed(subscription.id)}
    if problems.is_decided("deal", deal.id, (LEFT,), data):
        return None
    return Finding(
        code=LEFT, who=SALES, data=data,
        sentence=f'Billing of "{deal.name}" stopped: the deal left Closed Won in HubSpot and is in '
        f'"{deal.stage_label}" now. {_billed(entries)}',
        holds="Nothing more of this deal is drafted, approved or sent; what has gone out stays as it is.",
        action="Move the deal back to a won stage to go on billing. If it is lost, mark this as settled: nothing more "
        "is billed; what should not have been charged is credited by hand in QuickBooks.",
    )  # fmt: skip


def _meaning(subscription: Subscription, wanted: date) -> str:
    if wanted > subscription.start_on:
        return f"From {people_date(wanted)} on, the days before it would not be charged, and every period would move."
    return f"From {people_date(wanted)} on, the days up to the old start would be charged too; every period would move."


def _billed(entries: Sequence[BilledEntry]) -> str:
    if not entries:
        return "Nothing of it was sent."
    net = sum(entry.charged_minor - entry.credited_minor for entry in entries)
    amount = Money(net, entries[0].currency)
    return f"Approved or issued until then: {amount}, for service up to {_last_day(entries)}."


def _last_day(entries: Sequence[BilledEntry]) -> str:
    return people_date(max(entry.period.upper for entry in entries if entry.period.upper) - timedelta(days=1))
