"""The engine's answer beside the oracle's, in the same words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from app.billing import preview
from tests.oracle.biller import Line, OracleAnswer, oracle
from tests.oracle.documents import document_of
from tests.oracle.prices import rounded, text_of
from tests.oracle.reading import DECIMALS

WIDTH = 74
Plain = dict[tuple[str, str, str], dict[tuple[str, ...], Fraction]]


@dataclass(frozen=True, slots=True)
class Difference:
    """How two answers differ: `level` is `status`, `unsupported`, `totals`, `documents` or `lines`."""

    seed: int
    level: str
    document: Mapping[str, Any]
    engine: Sequence[str]
    oracle: Sequence[str]
    story: Sequence[str] = ()

    def text(self) -> str:
        """Return the difference: the deal document, then the documents that differ side by side."""
        head = [f"=== seed {self.seed}: {self.level}", json.dumps(self.document)]
        theirs, ours = chunks(self.engine), chunks(self.oracle)
        sides: list[str] = []
        for title in sorted({*theirs, *ours}):
            left, right = theirs.get(title, []), ours.get(title, [])
            if left != right:
                sides += [f"  {one:<{WIDTH}} | {other}" for one, other in zip_longest(left, right, fillvalue="")]
        return "\n".join([*head, *self.story, f"  {'ENGINE':<{WIDTH}} | ORACLE", *sides])


def chunks(rows: Sequence[str]) -> dict[str, list[str]]:
    """Return the rows of each document, by what its first row says before the net."""
    found: dict[str, list[str]] = {}
    title = ""
    for row in rows:
        title = title if row.startswith(" ") else row.split(" net ")[0]
        found.setdefault(title, []).append(row)
    return found


def number(value: Fraction) -> str:
    """Return a quantity or price in a form that is the same for equal values; a compounded price has many decimals."""
    return str(rounded(value, 9))


def models_of(document: Mapping[str, Any]) -> set[str]:
    """Return the keys whose unit price means nothing in the comparison: they have a price model."""
    items = list(document["items"])
    for change in document.get("changes", ()):
        items += [change["add"]] if "add" in change else []
        items += [change["replace"]["to"]] if "replace" in change else []
    return {item["key"] for item in items if "price" in item}


def one_times_of(document: Mapping[str, Any]) -> set[str]:
    """Return the keys of the one-time items, whose lines have no days worth comparing."""
    credits = {f"credits[{number}]" for number, _ in enumerate(document.get("credits", ()))}
    return credits | {item["key"] for item in document["items"] if item["kind"] == "one_time"}


def put(plain: Plain, where: tuple[str, str, str], what: tuple[str, ...], amount: Fraction) -> None:
    """Add `amount` to a line of a document; lines of zero don't count."""
    if amount:
        lines = plain.setdefault(where, {})
        lines[what] = lines.get(what, Fraction(0)) + amount
        if not lines[what]:
            del lines[what]


def plain_engine(body: Mapping[str, Any], document: Mapping[str, Any]) -> Plain:
    """Return the engine's documents as plain lines."""
    plain: Plain = {}
    models, once = models_of(document), one_times_of(document)
    for found in body["documents"]:
        change = found.get("change") or ""
        for line in found["lines"]:
            days = ("", "") if change or line["item"] in once else (line["start"], line["end"])
            price = "-" if line["item"] in models else number(Fraction(line["unit_price"]))
            what = (line["item"], *days, number(Fraction(line["quantity"])), price)
            put(plain, (found["date"], change, found["bill_to"]), what, Fraction(line["amount"]))
    return plain


def plain_line(line: Line, models: set[str]) -> tuple[str, ...]:
    """Return what names a line of the oracle."""
    price = "-" if line.item in models else number(line.unit_price)
    days = (line.start.isoformat() if line.start else "", line.end.isoformat() if line.end else "")
    return (line.item, *days, number(line.quantity), price)


def plain_oracle(answer: OracleAnswer, document: Mapping[str, Any]) -> Plain:
    """Return the oracle's documents as plain lines."""
    plain: Plain = {}
    models = models_of(document)
    for found in answer.documents:
        for line in found.lines:
            where = (found.date.isoformat(), found.change or "", found.bill_to)
            put(plain, where, plain_line(line, models), line.amount)
    return plain


def rows_of(plain: Plain, decimals: int) -> list[str]:
    """Return readable rows: a document, its lines."""
    rows: list[str] = []
    for where in sorted(plain):
        lines = plain[where]
        if lines:
            net = sum(lines.values(), Fraction(0))
            rows.append(" ".join((*where, "net", text_of(net, decimals))))
            rows += [f"    {' '.join(what)}: {text_of(lines[what], decimals)}" for what in sorted(lines)]
    return rows


def items_sum(plain: Plain) -> dict[str, Fraction]:
    """Return the sum by item, zeros left out."""
    found: dict[str, Fraction] = {}
    for lines in plain.values():
        for what, amount in lines.items():
            found[what[0]] = found.get(what[0], Fraction(0)) + amount
    return {key: amount for key, amount in found.items() if amount}


def documents_sum(plain: Plain) -> dict[tuple[str, ...], Fraction]:
    """Return the sum by document and item."""
    found: dict[tuple[str, ...], Fraction] = {}
    for where, lines in plain.items():
        for what, amount in lines.items():
            mark = (*where, what[0])
            found[mark] = found.get(mark, Fraction(0)) + amount
    return {key: amount for key, amount in found.items() if amount}


def compare(document: Mapping[str, Any], seed: int) -> Difference | None:
    """Return how the engine and the oracle differ on `document`, None when they agree."""
    theirs = oracle(document)
    body = preview(document).to_json()
    if body["status"] != theirs.status:
        level = "unsupported" if body["status"] == "needs_clarification" else "status"
        said = [f"{body['status']} {body.get('errors') or body.get('reason') or body.get('questions')}"]
        return Difference(seed, level, document, said, [f"{theirs.status} {theirs.reason or ''}"])
    if theirs.status != "ok":
        return None
    left, right = plain_engine(body, document), plain_oracle(theirs, document)
    decimals = DECIMALS.get(document["currency"], 2)
    rows = rows_of(left, decimals), rows_of(right, decimals)
    if items_sum(left) != items_sum(right):
        return Difference(seed, "totals", document, *rows)
    if documents_sum(left) != documents_sum(right):
        return Difference(seed, "documents", document, *rows)
    return None if rows[0] == rows[1] else Difference(seed, "lines", document, *rows)


def compare_seed(seed: int, features: frozenset[str]) -> Difference | None:
    """Compare on the random document `seed`."""
    return compare(document_of(seed, features), seed)
