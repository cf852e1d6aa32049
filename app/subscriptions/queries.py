"""Reads of subscriptions and what was settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.core.db import db
from app.core.errors import NotFound
from app.core.events import Event
from app.subscriptions.models import ACTIVE, Amendment, BilledEntry, Subscription


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


def lock_free(subscription_ids: Iterable[int]) -> Sequence[Subscription]:
    """Lock and return those of these subscriptions that nobody else holds at this moment, by id.

    For work on many at once: it never waits while it holds others, so it can't be part of a circle of waiting.
    """
    statement = select(Subscription).where(Subscription.id.in_(list(subscription_ids))).order_by(Subscription.id)
    return (
        db.session.execute(statement.with_for_update(skip_locked=True).execution_options(populate_existing=True))
        .scalars()
        .all()
    )


def active_after(subscription_id: int, limit: int) -> Sequence[int]:
    """Return the next ids of subscriptions that bill, in order."""
    wanted = (Subscription.state == ACTIVE, Subscription.id > subscription_id)
    return (
        db.session.execute(select(Subscription.id).where(*wanted).order_by(Subscription.id).limit(limit))
        .scalars()
        .all()
    )


def live_entries_of(subscription_ids: Iterable[int]) -> dict[int, list[BilledEntry]]:
    """Return what is settled, oldest first, by subscription; one query for all."""
    found: dict[int, list[BilledEntry]] = {subscription_id: [] for subscription_id in subscription_ids}
    statement = select(BilledEntry).where(
        BilledEntry.subscription_id.in_(list(found)), BilledEntry.released_at.is_(None)
    )
    for entry in db.session.execute(statement.order_by(BilledEntry.id)).scalars():
        found[entry.subscription_id].append(entry)
    return found


def amendments_of(subscription_ids: Iterable[int]) -> dict[int, list[Amendment]]:
    """Return the amendments that count, oldest first, by subscription; one query for all."""
    found: dict[int, list[Amendment]] = {subscription_id: [] for subscription_id in subscription_ids}
    other = aliased(Amendment)
    taken_back = select(other.id).where(other.withdraws == Amendment.id).exists()
    statement = select(Amendment).where(
        Amendment.subscription_id.in_(list(found)), Amendment.withdraws.is_(None), ~taken_back
    )
    for amendment in db.session.execute(statement.order_by(Amendment.id)).scalars():
        found[amendment.subscription_id].append(amendment)
    return found


def amendments(subscription_id: int) -> list[Amendment]:
    """Return a subscription's amendments that count, oldest first."""
    return amendments_of([subscription_id])[subscription_id]


def next_amendment(subscription_id: int) -> int:
    """Return the number that a subscription's next amendment gets, from 1. Call it under the subscription's lock."""
    statement = select(func.count()).select_from(Amendment).where(Amendment.subscription_id == subscription_id)
    return int(db.session.execute(statement).scalar_one()) + 1


def times_resumed(subscription_id: int) -> int:
    """Return how often a held subscription went on: tells one leaving of Closed Won from the next."""
    where = (Event.kind == "subscription.resumed", Event.subject_kind == "subscription")
    statement = select(func.count()).select_from(Event).where(*where, Event.subject_id == str(subscription_id))
    return int(db.session.execute(statement).scalar_one())
