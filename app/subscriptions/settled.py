"""A subscription as the core reads it: the agreed document, with everything that was settled as `issued`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.billing.money import Money
from app.deals.models import DealVersion
from app.subscriptions.models import BilledEntry, Subscription


def core_document(subscription: Subscription, version: DealVersion, entries: Sequence[BilledEntry]) -> dict[str, Any]:
    """Return the deal document with its frozen start and `issued`; `entries` are the subscription's live ones."""
    document = dict(version.document)
    document["start"] = subscription.start_on.isoformat()
    document["issued"] = [_issued(entry) for entry in entries]
    return document


def _issued(entry: BilledEntry) -> dict[str, Any]:
    assert entry.period.lower is not None and entry.period.upper is not None
    return {
        "item": entry.item_key,
        "start": entry.period.lower.isoformat(),
        "end": entry.period.upper.isoformat(),
        "charged": Money(entry.charged_minor, entry.currency).plain(),
        "credited": Money(entry.credited_minor, entry.currency).plain(),
        "kind": entry.kind,
    }
