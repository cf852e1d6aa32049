"""What a billing run needs to know of many subscriptions, read in a number of queries that doesn't grow with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.db import db
from app.customers.models import Customer
from app.deals.models import DealVersion
from app.invoices import enqueue, queries
from app.invoices.models import Invoice
from app.portals import queries as portals
from app.portals.models import Portal
from app.problems.models import Problem
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import Amendment, BilledEntry, Subscription
from app.subscriptions.settled import core_document


@dataclass(frozen=True, slots=True)
class Ground:
    """The portal's rules and, by subscription, what was agreed, amended, settled and drafted."""

    portal: Portal
    versions: Mapping[int, DealVersion]
    entries: Mapping[int, Sequence[BilledEntry]]
    amendments: Mapping[int, Sequence[Amendment]]
    drafts: Mapping[int, Sequence[Invoice]]
    customers: Mapping[int, str]
    asked: Mapping[int, frozenset[str]]
    billed: frozenset[int]
    _today: dict[str, date] = field(default_factory=dict)
    _blockers: dict[str, str | None] = field(default_factory=dict)

    def today(self, subscription: Subscription) -> date:
        """Return the billing day in a subscription's zone."""
        if subscription.zone not in self._today:
            self._today[subscription.zone] = clock.today(subscription.zone)
        return self._today[subscription.zone]

    def blocker(self, currency: str) -> str | None:
        """Return why nothing in this currency can go to the ledger, as a sentence."""
        if currency not in self._blockers:
            self._blockers[currency] = enqueue.blocker(currency)
        return self._blockers[currency]

    def document(self, subscription: Subscription) -> dict[str, Any]:
        """Return a subscription's deal document as the core reads it."""
        base = subscription.base_version_id
        return core_document(
            subscription, self.versions[subscription.deal_version_id], self.entries[subscription.id],
            base=None if base is None else self.versions[base], amendments=self.amendments[subscription.id],
        )  # fmt: skip


def read(subscriptions: Sequence[Subscription]) -> Ground:
    """Read the ground of locked subscriptions; their drafts are locked with them."""
    portal = portals.current()
    ids = [subscription.id for subscription in subscriptions]
    customers = {subscription.customer_id for subscription in subscriptions}
    return Ground(
        portal=portal,
        versions=_versions(subscriptions),
        entries=subscription_queries.live_entries_of(ids),
        amendments=subscription_queries.amendments_of(ids),
        drafts=queries.drafts_of(ids),
        customers={row.id: row.name for row in db.session.execute(
            select(Customer.id, Customer.name).where(Customer.id.in_(customers)))},
        asked=_asked([subscription.first_deal_id for subscription in subscriptions]),
        billed=queries.customers_billed(customers) if portal.first_invoice_by_person else frozenset(),
    )  # fmt: skip


def _versions(subscriptions: Sequence[Subscription]) -> dict[int, DealVersion]:
    ids = {subscription.deal_version_id for subscription in subscriptions}
    ids |= {one.base_version_id for one in subscriptions if one.base_version_id is not None}
    found = db.session.execute(select(DealVersion).where(DealVersion.id.in_(ids))).scalars()
    return {version.id: version for version in found}


def _asked(deal_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Return the codes of open problems by deal."""
    codes: dict[int, set[str]] = {}
    statement = select(Problem.subject_id, Problem.code).where(
        Problem.subject_kind == "deal", Problem.subject_id.in_([str(deal_id) for deal_id in deal_ids]),
        Problem.closed_at.is_(None),
    )  # fmt: skip
    for subject_id, code in db.session.execute(statement):
        codes.setdefault(int(subject_id), set()).add(code)
    return {deal_id: frozenset(found) for deal_id, found in codes.items()}
