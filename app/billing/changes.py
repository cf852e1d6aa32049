"""The changes that are known, and those that contradict each other (convention 10, decision 0010.12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.billing.calendar import people_date
from app.billing.deal import Change, DealDocument
from app.billing.life import life_of

# What can only lessen what is due, and so is seen by every document that is not settled yet.
SHORTENING = ("pause", "cancel", "remove", "item")


class Clash(ValueError):
    """Two changes, or a change and the deal, that cannot both hold; the message names the two."""


def known_changes(deal: DealDocument, as_of: date) -> tuple[Change, ...]:
    """Return the changes known on `as_of`, in order, without cancellations that were taken back in time.

    Raises Clash.
    """
    known = [c for c in deal.changes if c.recorded is None or c.recorded <= as_of]
    known.sort(key=lambda change: change.order(as_of))
    kept = _without_idle_pauses(_without_undone(deal, known, as_of))
    _check_same_day(kept, as_of)
    _check_items(deal, kept)
    _check_after_end(deal, kept)
    return tuple(kept)


def _without_undone(deal: DealDocument, known: Sequence[Change], as_of: date) -> list[Change]:
    """Leave out cancellations and the un-cancelling that came before they took effect: as if they never were.

    A cancellation may be effective later than the un-cancelling that takes it back; then it was written down before.
    """
    boundaries = deal.billing.grid(deal.billing.interval, deal.start)
    kept = list(known)
    for back in [c for c in known if c.kind == "uncancel"]:
        before = [c for c in kept if c.kind in ("pause", "resume", "cancel", "uncancel") and _precedes(c, back, as_of)]
        ending = life_of(deal, before, boundaries).ending
        if ending is None:
            kept.remove(back)
        elif back.effective <= ending.stop:
            undone = [c for c in before if c.kind == "cancel"]
            kept = [c for c in kept if c is not back and c not in undone]
    return kept


def _without_idle_pauses(changes: Sequence[Change]) -> list[Change]:
    """Leave out a pause that is resumed on its own day: it pauses nothing."""
    kept: list[Change] = []
    for change in changes:
        last = next((c for c in reversed(kept) if c.kind in ("pause", "resume")), None)
        if change.kind == "resume" and last and last.kind == "pause" and last.effective == change.effective:
            kept.remove(last)
            continue
        kept.append(change)
    return kept


def _precedes(change: Change, back: Change, as_of: date) -> bool:
    """Say whether a change was there when an un-cancelling was made."""
    if change.effective <= back.effective and change.order(as_of) < back.order(as_of):
        return True
    return (change.recorded or as_of, change.position) < (back.recorded or as_of, back.position)


def _check_same_day(changes: Sequence[Change], as_of: date) -> None:
    seen: dict[tuple[object, ...], tuple[Change, object]] = {}
    for change in changes:
        if change.kind != "item":
            continue
        for name in ("quantity", "unit_price", "steps", "discounts"):
            value = getattr(change, name)
            if value is None:
                continue
            where = (change.item, name, change.effective, change.recorded or as_of)
            other, before = seen.setdefault(where, (change, value))
            if before != value:
                words = name.replace("_", " ")
                raise Clash(
                    f"The changes “{other.id}” and “{change.id}” both set the {words} of {change.item} on "
                    f"{people_date(change.effective)}, to different values. Keep one of them."
                )


def _check_items(deal: DealDocument, changes: Sequence[Change]) -> None:
    """An item is added once, and changed before its service ends."""
    added = {c.added.key: c for c in changes if c.added is not None}
    first = {item.key for item in deal.items}
    taken: dict[str, Change | None] = dict.fromkeys(first)
    removed: dict[str, Change] = {}
    for change in changes:
        if change.added is not None:
            if change.added.key in taken:
                other = taken[change.added.key]
                name = f"the change “{other.id}”" if other else "the deal itself"
                raise Clash(
                    f"The change “{change.id}” adds {change.added.key}, which is an item of {name} already. "
                    "Give the new item a key of its own."
                )
            taken[change.added.key] = change
        elif change.item is not None:
            _check_service(change, taken, added, removed)
            _check_own_end(deal, change)
            if change.kind == "remove":
                removed.setdefault(change.item, change)


def _check_service(
    change: Change, taken: dict[str, Change | None], added: dict[str, Change], removed: dict[str, Change]
) -> None:
    key = change.item or ""
    day = people_date(change.effective)
    if key in removed and change.kind == "item":
        raise Clash(
            f"The change “{change.id}” of {day} is about {key}, which the change “{removed[key].id}” removed on "
            f"{people_date(removed[key].effective)}. Withdraw one of them."
        )
    if key not in taken and key in added:
        raise Clash(
            f"The change “{change.id}” of {day} is about {key}, which the change “{added[key].id}” adds only on "
            f"{people_date(added[key].effective)}. Withdraw one of them."
        )


def _check_own_end(deal: DealDocument, change: Change) -> None:
    """What is changed after its service ended would change nothing, which nobody means."""
    item = next(item for item in deal.all_items() if item.key == change.item)
    end = item.end or (None if deal.renewal.auto else deal.end)
    if change.kind == "item" and item.kind != "one_time" and end is not None and end <= change.effective:
        paused = any(c.extends_term for c in deal.changes)
        if not paused:
            raise Clash(
                f"The change “{change.id}” of {people_date(change.effective)} is about {item.key}, whose service "
                f"ended on {people_date(end)} as agreed in the deal. Withdraw the change, or agree on a longer service."
            )


def _check_after_end(deal: DealDocument, changes: Sequence[Change]) -> None:
    """After a cancellation took effect nothing can be changed until somebody takes it back."""
    boundaries = deal.billing.grid(deal.billing.interval, deal.start)
    for n, change in enumerate(changes):
        if change.kind in ("cancel", "uncancel", "pause", "resume"):
            continue
        before = [c for c in changes[:n] if c.kind in ("pause", "resume", "cancel", "uncancel")]
        if not any(c.kind == "cancel" for c in before):
            continue
        ending = life_of(deal, before, boundaries).ending
        if ending is not None and ending.stop <= change.effective:
            raise Clash(
                f"The change “{change.id}” of {people_date(change.effective)} comes after the contract ended on "
                f"{people_date(ending.stop)} by the change “{ending.change.id}”. Withdraw one of them."
            )
