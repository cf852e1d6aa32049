"""Previews per second for documents of several widths, beside the calibration loop; and whether time grows linearly."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass

from app.billing import preview
from bench.calibration import loop, per_second

MONTHS, ITEMS, CHANGES = (12, 36), (1, 3, 10), (0, 6)
# Beyond the table: twice as many changes, to see how what they add grows.
MORE_CHANGES = (36, 3, 12)
_SECONDS, _ROUNDS = 0.25, 3
AIM_MS = 2.0
# Three times the months may cost at most this much more than three times the time, and so with items.
SLACK = 1.25


@dataclass(frozen=True, slots=True)
class Figure:
    """One width of document: milliseconds a preview, and previews per calibration loop run beside it."""

    months: int
    items: int
    changes: int
    ms: float
    ratio: float


def document(months: int, items: int, changes: int) -> dict[str, object]:
    """Return a monthly deal with changes of quantity in the middle of months."""
    return {
        "customer": "Acme Inc", "currency": "USD", "start": "2027-01-01", "term_months": months, "as_of": "2026-11-21",
        "items": [
            {"key": f"item-{n}", "kind": "recurring", "quantity": str(n + 5), "unit_price": "9.9"} for n in range(items)
        ],
        "changes": [
            {"id": f"c{n}", "effective": _middle(n + 1), "item": f"item-{n % items}", "quantity": str(20 + n)}
            for n in range(changes)
        ],
    }  # fmt: skip


def _middle(month: int) -> str:
    """Return a day in the middle of the deal's month, counted from 0."""
    return f"{2027 + month // 12}-{month % 12 + 1:02d}-11"


def measure(months: int, items: int, changes: int) -> Figure:
    """Measure one width, each round beside a calibration of its own; the median of the rounds counts."""
    deal = document(months, items, changes)
    answer = preview(deal)
    if answer.status != "ok":
        raise RuntimeError(f"the document of the benchmark is not billable: {answer.to_json()}")
    rates, ratios = [], []
    for _ in range(_ROUNDS):
        calibration = per_second(loop, _SECONDS)
        rate = per_second(lambda: preview(deal), _SECONDS)
        rates.append(rate)
        ratios.append(rate / calibration)
    return Figure(months, items, changes, 1000 / statistics.median(rates), statistics.median(ratios))


def report() -> list[str]:
    """Measure every width and return the lines of a table, then what grows and by how much."""
    widths = [*itertools.product(MONTHS, ITEMS, CHANGES), MORE_CHANGES]
    figures = {width: measure(*width) for width in widths}
    lines = ["previews", "  months  items  changes   ms each   per calibration loop"]
    lines += [f"  {f.months:6}  {f.items:5}  {f.changes:7}  {f.ms:8.2f}   {f.ratio:20.2f}" for f in figures.values()]
    aim = figures[12, 3, 0].ms
    lines.append(f"  12 months, 3 items: {aim:.2f} ms (aim: under {AIM_MS:.0f} ms)")
    lines += growth(figures)
    return lines


def growth(figures: dict[tuple[int, int, int], Figure]) -> list[str]:
    """Compare widths: linear growth means that three times as much takes at most three times as long.

    Of changes, what they add counts: twice as many may add twice as much.
    """
    lines = []
    for items, changes in itertools.product(ITEMS, CHANGES):
        short, long = figures[12, items, changes], figures[36, items, changes]
        lines.append(_grown(f"36 for 12 months, {items} items, {changes} changes", short.ratio / long.ratio, 3.0))
    for months, changes in itertools.product(MONTHS, CHANGES):
        few, many = figures[months, 1, changes], figures[months, 10, changes]
        lines.append(_grown(f"10 for 1 items, {months} months, {changes} changes", few.ratio / many.ratio, 10.0))
    months, items, most = MORE_CHANGES
    none, some, more = (1 / figures[months, items, count].ratio for count in (*CHANGES, most))
    what = f"what {most} for {CHANGES[1]} changes add, {months} months, {items} items"
    lines.append(_grown(what, (more - none) / (some - none), most / CHANGES[1]))
    return lines


def _grown(what: str, times: float, at_most: float) -> str:
    verdict = "linear or better" if times <= at_most * SLACK else "MORE THAN LINEAR"
    return f"  {what}: {times:.2f} times as long ({verdict})"
