"""`dealwright metrics`: recurring revenue and its movements by month over a list of deal documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from app.commands import tables
from app.commands.files import NOT_OK, OK, Json, Say, answer_lines, invalid, read_file, with_today
from app.commands.tables import cut, money

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_LEVELS = ("mrr", "list_mrr", "committed_mrr", "arr", "carr")
_RATES = ("grr", "nrr", "customer_churn", "revenue_churn")
_MOVEMENTS = ("new", "expansion", "discount_end", "contraction", "churn", "reactivation", "renewal")
_LINE_FIELDS = ("documents", "from", "to")


def run(file: Path, first: str | None, last: str | None, *, as_json: bool, say: Say) -> int:
    """Answer a file that holds a list of documents; returns the exit status. Raises Unreadable."""
    body = answer({"documents": read_file(file), "from": first, "to": last})
    if as_json:
        say(json.dumps(body, indent=2, allow_nan=False))
    else:
        for line in told(body, tables.width()):
            say(line)
    return OK if "months" in body else NOT_OK


def run_lines(file: Path | None, *, say: Say) -> int:
    """Answer one `{"documents", "from", "to"}` a line; returns the exit status. Raises Unreadable."""
    return answer_lines(file, answer, say)


def answer(asked: Any) -> Json:
    """Return `{"months": [row, ..]}`, or what is wrong with what was asked, every fault of its own fields at once.

    `from` and `to` are the first and last month, both included; without them the documents decide. A document that
    doesn't say what day it is, is seen today.
    """
    from app.billing.metrics import metrics

    if not isinstance(asked, dict):
        return invalid("", asked, f"an object with the fields {', '.join(_LINE_FIELDS)}")
    faults = list(_faults(asked))
    if faults:
        return {"status": "invalid", "errors": [error for fault in faults for error in fault["errors"]]}
    documents = [with_today(document) for document in asked["documents"]]
    return dict(metrics(documents, asked.get("from"), asked.get("to")).to_json())


def _faults(asked: Json) -> Iterator[Json]:
    if not isinstance(asked.get("documents"), list):
        yield invalid("documents", asked.get("documents"), "a list of deal documents")
    first, last = asked.get("from"), asked.get("to")
    for name, month in (("from", first), ("to", last)):
        if month is not None and not _is_month(month):
            yield invalid(name, month, "a month YYYY-MM")
    if _is_month(first) and _is_month(last) and first > last:
        yield invalid("to", last, "a month on or after `from`")
    for name in asked:
        if name not in _LINE_FIELDS:
            yield invalid(name, asked[name], "no such field; check its spelling")


def _is_month(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _MONTH.fullmatch(value) is not None


def told(body: Json, width: int) -> Iterator[str]:
    """Tell the months as two tables, what stands and what moved, or the faults, in `width` columns."""
    if "months" not in body:
        yield "Status: invalid"
        for error in body["errors"]:
            value = cut(json.dumps(error["value"], ensure_ascii=False), 60)
            yield from tables.wrapped(f"{error['field']} is {value}; allowed: {error['allowed']}", width, "  ", "  ")
        return
    yield "Monthly recurring revenue on the last day of each month, and rates in percent"
    yield from _table(body["months"], (*_LEVELS, *_RATES))
    yield from ("", "Movements in the month, a year's worth each")
    yield from _table(body["months"], _MOVEMENTS)


def _table(months: list[Json], names: tuple[str, ...]) -> Iterator[str]:
    heads = ("month", *(name.replace("_", " ") for name in names))
    rows = [(month["month"], *(money(month[name]) for name in names)) for month in months]
    yield from tables.columns(_folded(heads, rows), left=frozenset({0}))


def _folded(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Write a head of two words on two lines, so that a column is as wide as its amounts."""
    upper = tuple(head.rpartition(" ")[0] for head in heads)
    lower = tuple(head.rpartition(" ")[2] for head in heads)
    return [upper, lower, *rows]
