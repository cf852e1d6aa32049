"""How much work one request may ask for: anybody can send a document, and a short one can ask for a thousand years.

An upper estimate from the document's own numbers, made before the core sees it, so it looks at shapes only: what is not
readable here costs nothing, because the core refuses it at once. Measured on a small machine, the most that passes
takes a few seconds, and any deal that people sign passes by far.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from app.billing.calendar import Interval
from app.core.errors import DomainError

# What a line costs grows with each rule that may touch it; ten of them double it.
MOST_LINES, RULES_THAT_DOUBLE = 10_000, 10
MOST_SETTLED_PERIODS = 20_000
MOST_TERMS = 120
MOST_ENTRIES = {
    "items": 300, "changes": 100, "discounts": 50, "credits": 100, "exits": 100, "bill_to": 20, "issued": 2_000,
    "usage": 5_000, "steps": 100, "tiers": 100, "dates": 400,
}  # fmt: skip
_DAYS_A_MONTH = 31
_Json = dict[str, Any]


class TooMuch(DomainError):
    """The document is fine as far as we looked, but answering it would take too long here."""

    status = 413
    code = "too_much_work"


def check_work(document: object) -> None:
    """Raise TooMuch for a document with too many entries, lines, settled periods or renewals."""
    if not isinstance(document, dict):
        return
    objects = list(_objects(document))
    for name, most in MOST_ENTRIES.items():
        found = max((len(each[name]) for each in objects if isinstance(each.get(name), list)), default=0)
        if found > most:
            raise TooMuch(f"There are {found} entries in `{name}`; at most {most} are answered here.", field=name)
    days = _days(document, objects)
    period = min((_interval_days(each) for each in objects), default=_DAYS_A_MONTH)
    items = _count(document, "items") + sum("add" in each or "replace" in each for each in objects)
    lines = items * max(1, _count(document, "bill_to")) * (days // period + 1)
    rules = sum(_count(each, name) for each in objects for name in ("changes", "discounts", "steps", "tiers"))
    if lines * (RULES_THAT_DOUBLE + rules // max(1, items)) > MOST_LINES * RULES_THAT_DOUBLE:
        raise TooMuch(
            f"This asks for up to {lines} lines under {rules} rules, more than is answered here; ask for fewer months "
            "with `until`, or use the command `dealwright preview`.",
            lines=lines,
        )
    if _settled_periods(document, period) > MOST_SETTLED_PERIODS:
        raise TooMuch("The entries of `issued` cover too many periods to be answered here.", field="issued")
    if days // (_renewal_months(document) * 28) > MOST_TERMS:
        raise TooMuch(f"This asks for more than {MOST_TERMS} renewals; ask for fewer with `until`.", field="until")


def _objects(document: _Json) -> Iterator[_Json]:
    level: list[object] = [document]
    while level:
        found = [each for each in level if isinstance(each, dict)]
        yield from found
        level = [inner for each in found for inner in each.values()] + [
            inner for each in level if isinstance(each, list) for inner in each
        ]


def _days(document: _Json, objects: list[_Json]) -> int:
    """Return how many days the document spans at most: its first day to the last one it names or its terms reach."""
    first = _day(document.get("start")) or date.max
    named = (_day(each.get(name)) for each in objects for name in ("start", "end", "as_of", "until", "effective"))
    last = max((day for day in named if day), default=date.min)
    months = [months for each in objects if isinstance(months := each.get("term_months"), int)]
    return max(0, (last - first).days) + max([12, *months]) * _DAYS_A_MONTH


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _interval_days(each: _Json) -> int:
    """Return the days of the shortest interval an object names; a month when it names none."""
    found = [_DAYS_A_MONTH]
    for name in ("interval", "price_interval", "per"):
        try:
            interval = Interval.parse(each[name]) if isinstance(each.get(name), str) else None
        except ValueError:
            continue
        if interval:
            found.append(interval.days or interval.months * 28)
    return min(found)


def _count(each: _Json, name: str) -> int:
    return len(each[name]) if isinstance(each.get(name), list) else 0


def _settled_periods(document: _Json, period: int) -> int:
    entries = document["issued"] if isinstance(document.get("issued"), list) else []
    spans = ((_day(entry.get("start")), _day(entry.get("end"))) for entry in entries if isinstance(entry, dict))
    return sum((end - start).days // period + 1 for start, end in spans if start and end and start < end)


def _renewal_months(document: _Json) -> int:
    renewal = document.get("renewal")
    own = renewal.get("term_months") if isinstance(renewal, dict) else None
    found = [months for months in (own, document.get("term_months", 12)) if isinstance(months, int) and months > 0]
    return min(found) if isinstance(renewal, dict) and renewal.get("auto") is True and found else 1200
