"""Runs of the billing over a deal's life, and books that can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fractions import Fraction

from app.billing import PlannedDocument, preview

from .builders import Json, entries_of

Days = tuple[str, str]
# Sums by item, payer and connected days.
Books = dict[tuple[str, str, Days], Fraction]


def net(entry: Json) -> Fraction:
    """Return what an entry charged and did not give back."""
    return Fraction(str(entry["charged"])) - Fraction(str(entry.get("credited", "0")))


def proposed(document: Json, issued: Sequence[Json], day: date, *, as_of: date | None = None) -> list[PlannedDocument]:
    """Return what a run on `day` would issue; nothing while what is known by then contradicts itself."""
    body = {**document, "issued": list(issued), "until": day.isoformat()}
    answer = preview(body, as_of=as_of or day)
    assert answer.status in ("ok", "rejected"), answer
    return [planned for planned in answer.documents if planned.dated <= day]


def after_runs(
    document: Json,
    days: Iterable[date],
    *,
    keeps: Callable[[PlannedDocument], bool] = lambda planned: True,
    as_of: date | None = None,
) -> list[Json]:
    """Return the books after runs on `days`; `keeps` says which of the proposed documents are really issued."""
    books: list[Json] = []
    for day in days:
        books += entries_of(d for d in proposed(document, books, day, as_of=as_of) if keeps(d))
    return books


def last_day(document: Json) -> date:
    """Return the day of the last run: everything is known and everything shown is dated by then."""
    return date.fromisoformat(str(document["until"]))


def at_once(document: Json) -> list[Json]:
    """Return the books after one single run at the end of the life shown: what is due, from the final document."""
    return after_runs(document, [last_day(document)])


def final(document: Json, books: Sequence[Json]) -> list[Json]:
    """Return the books after one more run at the end of the life shown, when everything is known."""
    return [*books, *entries_of(proposed(document, books, last_day(document)))]


def compared(one: Sequence[Json], other: Sequence[Json]) -> tuple[Books, Books]:
    """Return two books as sums by item, payer and connected service days.

    Days are connected when a line of either books serves them together, so that a credit for half a month is compared
    with the month it belongs to.
    """
    lines: defaultdict[tuple[str, str], list[tuple[str, str, int, Fraction]]] = defaultdict(list)
    for side, entries in enumerate((one, other)):
        for entry in entries:
            key = (str(entry["item"]), str(entry.get("bill_to")))
            lines[key].append((str(entry["start"]), str(entry["end"]), side, net(entry)))
    sums: tuple[Books, Books] = ({}, {})
    for (item, payer), found in lines.items():
        first, last = "", ""
        for start, end, side, amount in sorted(found):
            if start >= last:
                first, last = start, end
            last = max(last, end)
            for book in sums:
                book.setdefault((item, payer, (first, "")), Fraction(0))
            sums[side][item, payer, (first, "")] += amount
    return sums


def assert_same_books(one: Sequence[Json], other: Sequence[Json]) -> None:
    """Fail when two books differ in any item, payer or stretch of days."""
    left, right = compared(one, other)
    assert {k: str(v) for k, v in left.items()} == {k: str(v) for k, v in right.items()}
