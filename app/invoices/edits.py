"""What people change on a draft before it is approved: another quantity or discount of one line.

An edit is kept on its draft and applied to every new answer of the core, so that it survives the daily run. "This
invoice only" is settled as an override at approval; "from now on" is an amendment, and the edit only tells of it. The
core computes both: nothing here calculates an amount.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from app.billing import Line, PlannedDocument, preview
from app.billing.money import total
from app.subscriptions.settled import with_change

ONCE, ONWARDS = "once", "onwards"
LIVE, UNDONE, DROPPED = "live", "undone", "dropped"
# More than this in minor units is no invoice of ours: a console sums amounts exactly up to 2^53, and so do ledgers.
MOST_MINOR = 10**15
LINE_GONE = "The line it was made on is no longer on this draft, so it doesn't count."
ITEM_GONE = "What it changed is no longer part of the deal, so it doesn't count."
DRAFT_GONE = "The draft it was made on is gone, so it doesn't count."


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit. `set` and `before` hold the item's fields in the core's format; amounts are plain texts.

    `scope`: once or onwards. `state`: live, undone or dropped, with a `note` for people. `amendment` is the change's id
    where it counts from now on. `at` is an instant in ISO form, `start` and `end` the line's service days.
    `deal_version` is our id of the deal's version that the draft followed; None on edits older than this field.
    """

    id: str
    item: str
    start: str
    end: str
    scope: str
    set: Mapping[str, Any]
    before: Mapping[str, Any]
    amount_before: str
    reason: str
    by: str
    at: str
    amendment: str | None = None
    state: str = LIVE
    note: str = ""
    deal_version: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the draft keeps."""
        return asdict(self)

    def is_of(self, line: Line) -> bool:
        """Whether this is the line that was edited."""
        days = (line.period.start.isoformat(), line.period.end.isoformat())
        return line.item == self.item and days == (self.start, self.end) and is_editable(line)


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as its draft shows it: `lines` beside what the core says is due where a person set another amount."""

    document: PlannedDocument
    due: Mapping[int, Line]
    edits: tuple[Edit, ...]


def read(kept: Sequence[Mapping[str, Any]]) -> tuple[Edit, ...]:
    """Return the edits that a draft keeps."""
    return tuple(Edit(**one) for one in kept)


def standing(edits: Sequence[Edit], amended: Collection[str]) -> tuple[Edit, ...]:
    """Return edits as they stand beside the amendments that count: one whose amendment is gone counts no more."""
    return tuple(
        replace(edit, state=DROPPED, note=ITEM_GONE)
        if edit.state == LIVE and edit.amendment is not None and edit.amendment not in amended
        else edit
        for edit in edits
    )


def is_too_large(line: Line) -> bool:
    """Whether a line's amount is beyond what an invoice can hold."""
    return max(abs(line.gross.minor), abs(line.amount.minor)) > MOST_MINOR


def is_editable(line: Line) -> bool:
    """Whether people may change a line: what charges an item, not what corrects or credits."""
    return line.corrects is None and line.amount.minor >= 0 and not line.item.startswith("credits[")


def shown(document: Mapping[str, Any], planned: PlannedDocument, edits: Sequence[Edit], as_of: date) -> Shown:
    """Return a document of the core's answer with the live edits of "this invoice only" in it.

    `document` is the deal document it was answered for. An edit whose line is gone, or that the core doesn't take any
    more, is dropped with its note.
    """
    lines, due, kept = list(planned.lines), {}, []
    for edit in edits:
        if edit.state != LIVE or edit.scope != ONCE:
            kept.append(edit)
            continue
        at = next((n for n, line in enumerate(lines) if edit.is_of(line)), None)
        edited = None if at is None else edited_line(document, planned, lines[at], edit.set, as_of)
        if at is None or edited is None:
            kept.append(replace(edit, state=DROPPED, note=LINE_GONE))
            continue
        due[at], lines[at] = planned.lines[at], edited
        kept.append(edit)
    if not due:
        return Shown(planned, due, tuple(kept))
    net = total((line.amount for line in lines), planned.net.currency)
    return Shown(replace(planned, lines=tuple(lines), net=net), due, tuple(kept))


def edited_line(
    document: Mapping[str, Any], planned: PlannedDocument, line: Line, fields: Mapping[str, Any], as_of: date
) -> Line | None:
    """Return the line as it would be with other values of its item, asked of the core; None if that is no line."""
    trial = with_values(document, line, fields, as_of) | {"until": max(planned.dated, as_of).isoformat()}
    answer = preview(trial, as_of=as_of)
    if answer.status != "ok":
        return None
    same = (
        found
        for other in answer.documents
        if (other.dated, other.bill_to, other.change) == (planned.dated, planned.bill_to, planned.change)
        for found in other.lines
        if (found.item, found.period) == (line.item, line.period) and is_editable(found)
    )
    found = next(same, None)
    return found if found is not None and not is_too_large(found) else None


def with_values(document: Mapping[str, Any], line: Line, fields: Mapping[str, Any], as_of: date) -> dict[str, Any]:
    """Return a deal document in which the line's item has these values: from the line's first day on.

    A one-time item has no days on which a change could bite: its values are set where it was agreed.
    """
    item = find_item(document, line.item)
    if item is not None and item["kind"] == "one_time":
        return _agreed_so(document, line.item, fields)
    change = {
        "id": "edit", "effective": line.period.start.isoformat(), "recorded": as_of.isoformat(), "item": line.item,
        "settle": "unused", **fields,
    }  # fmt: skip
    return {**document, "changes": with_change(document.get("changes", ()), change)}


def find_item(document: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return an item of a deal document, also one that a change added."""
    added = [change["add"] for change in document.get("changes", ()) if "add" in change]
    return next((item for item in (*document["items"], *added) if item["key"] == key), None)


def values_of(document: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """Return an item's quantity and discounts as they stand on the line's first day, in the core's format."""
    item = find_item(document, line.item) or {}
    discounts = item.get("discounts", [])
    for change in document.get("changes", ()):
        if change.get("item") == line.item and change["effective"] <= line.period.start.isoformat():
            discounts = change.get("discounts", discounts)
    return {"quantity": line.to_json()["quantity"], "discounts": discounts}


def _agreed_so(document: Mapping[str, Any], key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    items = [{**item, **fields} if item["key"] == key else item for item in document["items"]]
    changes = [
        {**change, "add": {**change["add"], **fields}} if change.get("add", {}).get("key") == key else change
        for change in document.get("changes", ())
    ]
    return {**document, "items": items, **({"changes": changes} if changes else {})}
