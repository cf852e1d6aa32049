"""Which changes can't both be (rule 0010.12)."""

from __future__ import annotations

from datetime import date

from tests.oracle.periods import agreed_end
from tests.oracle.reading import ITEM_FIELDS, Deal, Item
from tests.oracle.states import cancel_day, without_undone


def clash_of(deal: Deal) -> str | None:
    """Return a sentence about the first clash, None when all changes can be applied."""
    return same_field_twice(deal) or out_of_service(deal)


def same_field_twice(deal: Deal) -> str | None:
    """Two changes of one field of one item on one day, recorded the same day, to different values."""
    seen: dict[tuple[object, ...], tuple[str, object]] = {}
    for change in deal.changes:
        if change.kind != "item":
            continue
        for name in ITEM_FIELDS:
            if name in change.body:
                where = (change.key, name, change.effective, change.recorded)
                other = seen.setdefault(where, (change.id, change.body[name]))
                if other[1] != change.body[name]:
                    return f"{other[0]} and {change.id} set {name} of {change.key} on {change.effective}"
    return None


def out_of_service(deal: Deal) -> str | None:
    """A change of what isn't there on its day, a key in use, or anything after the contract ended."""
    items: dict[str, Item] = {item.key: item for item in deal.items if item.added_by is None}
    gone: dict[str, date] = {}
    ended: date | None = None
    for change in without_undone(deal):
        if change.kind == "uncancel":
            ended = None
            continue
        if ended is not None and change.effective >= ended and change.kind != "cancel":
            return f"{change.id} comes after the end"
        if change.kind == "cancel":
            ended = cancel_day(change, deal)
        key = change.body["replace"]["from"] if change.kind == "replace" else change.key
        if key is not None:
            item = items.get(key)
            end = agreed_end(item, deal, 10_000) if item else None
            if item is None or (end is not None and change.effective >= end):
                return f"{change.id}: {key} is not in service"
            if change.effective >= gone.get(key, date.max):
                return f"{change.id}: {key} is gone"
        if change.kind in ("remove", "replace") and key is not None:
            gone[key] = change.effective
        if change.kind in ("add", "replace"):
            added = next(item for item in deal.items if item.added_by == change.id)
            if added.key in items:
                return f"{change.id}: {added.key} is in use"
            items[added.key] = added
    return None
