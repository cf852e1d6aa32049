"""A subscription as the core reads it: what was agreed, what was amended since, and what was settled as `issued`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.billing.money import Money, plain_decimal
from app.deals.models import DealVersion
from app.subscriptions.models import Amendment, BilledEntry, Subscription

# What an edit of the deal changes without any amendment: it applies to the next draft.
SILENT = ("customer", "payment")
SILENT_OF_ITEM = ("name", "sku")
_FRAME = ("id", "effective", "recorded", "item", "settle", "proration")


def core_document(
    subscription: Subscription,
    version: DealVersion,
    entries: Sequence[BilledEntry],
    *,
    base: DealVersion | None = None,
    amendments: Sequence[Amendment] = (),
) -> dict[str, Any]:
    """Return the deal document with its frozen start, its `changes` and `issued`.

    `version` is the adopted one, `base` the one that `amendments` (those that count, oldest first) amend; without a
    base it is the adopted one itself. `entries` are the subscription's live ones.
    """
    document = dict(version.document if base is None else base.document)
    if base is not None:
        document |= {name: version.document[name] for name in SILENT if name in version.document}
        document["items"] = _renamed(base.document["items"], version.document["items"])
    document["start"] = subscription.start_on.isoformat()
    changes = [*document.get("changes", ()), *dated_changes(amendments)]
    if changes:
        document["changes"] = changes
    by_payer = bool(document.get("bill_to"))
    document["issued"] = [_issued(entry, by_payer=by_payer) for entry in entries]
    return document


def dated_changes(amendments: Iterable[Amendment]) -> list[dict[str, Any]]:
    """Return amendments in the core's format, in order. Of two of one day, the later counts: see `with_change`."""
    changes: list[dict[str, Any]] = []
    for amendment in amendments:
        frame = {
            "id": amendment.change,
            "effective": amendment.effective.isoformat(),
            "recorded": amendment.recorded_on.isoformat(),
        }
        changes = with_change(changes, frame | amendment.body)
    return changes


def with_change(changes: Sequence[Mapping[str, Any]], change: dict[str, Any]) -> list[dict[str, Any]]:
    """Return `changes` and one more. What an earlier one sets of the same item on the same days gives way to it.

    To the core two changes of one day that set one field to two values clash; ours were made one after the other.
    """
    same = ("item", "effective", "recorded")
    kept = []
    for earlier in changes:
        left = dict(earlier)
        if "item" in change and all(earlier.get(name) == change.get(name) for name in same):
            left = {name: value for name, value in earlier.items() if name in _FRAME or name not in change}
            if all(name in _FRAME for name in left):
                continue
        kept.append(left)
    return [*kept, change]


def item_names(version: DealVersion, document: Mapping[str, Any]) -> dict[str, str]:
    """Return {item key: name} of everything that a document may bill, by the newest name we know."""
    names: dict[str, str] = {}
    added = [change.get("add") or (change.get("replace") or {}).get("to") for change in document.get("changes", ())]
    for item in (*document["items"], *(item for item in added if item), *version.document["items"]):
        names[item["key"]] = item.get("name") or item["key"]
    return names


def _renamed(items: Sequence[Mapping[str, Any]], newest: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_key = {item["key"]: item for item in newest}
    renamed = []
    for item in items:
        now = by_key.get(item["key"], item)
        kept = {name: value for name, value in item.items() if name not in SILENT_OF_ITEM}
        renamed.append(kept | {name: now[name] for name in SILENT_OF_ITEM if name in now})
    return renamed


def _issued(entry: BilledEntry, *, by_payer: bool) -> dict[str, Any]:
    assert entry.period.lower is not None and entry.period.upper is not None
    issued: dict[str, Any] = {
        "item": entry.item_key,
        "start": entry.period.lower.isoformat(),
        "end": entry.period.upper.isoformat(),
        "charged": Money(entry.charged_minor, entry.currency).plain(),
        "credited": Money(entry.credited_minor, entry.currency).plain(),
        "kind": entry.kind,
    }
    if entry.quantity is not None and entry.unit_price is not None:
        issued |= {"quantity": plain_decimal(entry.quantity), "unit_price": plain_decimal(entry.unit_price)}
    if entry.change:
        issued["change"] = entry.change
    if entry.document:
        issued["document"] = entry.document
    # A deal that nobody splits has one payer, whatever its name has become since.
    if by_payer and entry.bill_to:
        issued["bill_to"] = entry.bill_to
    return issued
