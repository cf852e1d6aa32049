"""Reads of subscriptions and what was settled."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.core.db import db
from app.core.errors import NotFound
from app.subscriptions.models import ACTIVE, BilledEntry, Subscription


def of_deal(deal_id: int) -> Subscription | None:
    """Return the subscription that this deal opened."""
    return db.session.execute(select(Subscription).where(Subscription.first_deal_id == deal_id)).scalar_one_or_none()


def locked(subscription_id: int) -> Subscription:
    """Lock and return a subscription: everything that is settled is written under this lock. NotFound otherwise."""
    found = db.session.execute(
        select(Subscription)
        .where(Subscription.id == subscription_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such subscription.")
    return found


def of_customer(customer_id: int) -> Sequence[Subscription]:
    """Return a customer's subscriptions, oldest first."""
    return (
        db.session.execute(
            select(Subscription).where(Subscription.customer_id == customer_id).order_by(Subscription.id)
        ).scalars().all()
    )  # fmt: skip


def active_ids() -> Sequence[int]:
    """Return the ids of all subscriptions that bill."""
    return (
        db.session.execute(select(Subscription.id).where(Subscription.state == ACTIVE).order_by(Subscription.id))
        .scalars()
        .all()
    )


def live_entries(subscription_id: int) -> Sequence[BilledEntry]:
    """Return what is settled for a subscription, oldest first."""
    return (
        db.session.execute(
            select(BilledEntry)
            .where(BilledEntry.subscription_id == subscription_id, BilledEntry.released_at.is_(None))
            .order_by(BilledEntry.id)
        ).scalars().all()
    )  # fmt: skip
