"""Runs at random dates, each settling what is dated by then: in the end everything due is settled, once."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from app.billing import preview
from tests.oracle.biller import oracle
from tests.oracle.compare import Difference
from tests.oracle.dates import add_months
from tests.oracle.documents import document_of
from tests.oracle.prices import text_of
from tests.oracle.reading import DECIMALS

Body = dict[str, Any]
SHORTENING = ("cancel", "remove", "replace", "pause", "discounts", "steps", "unit_price", "quantity")


def run_dates(document: Mapping[str, Any], rng: random.Random) -> list[date]:
    """Return the days of the runs, the last one far behind everything."""
    start = date.fromisoformat(document["start"])
    last = date.fromisoformat(document["until"])
    days = {
        add_months(start, -1) + timedelta(days=rng.randrange((last - start).days + 30))
        for _ in range(rng.choice((1, 2, 4, 7)))
    }
    for change in document.get("changes", ()):
        if rng.random() < 0.6:
            days.add(date.fromisoformat(change["effective"]) + timedelta(days=rng.choice((-20, -1, 0, 0, 1, 10))))
    return [*sorted(day for day in days if day < last), last]


def entry_of(line: Mapping[str, Any], found: Mapping[str, Any], label: str) -> Body:
    """Return the settled entry of one line as agreed."""
    amount = Fraction(line["amount"])
    return {
        "item": line["item"],
        "start": line["start"],
        "end": line["end"],
        "quantity": line["quantity"],
        "unit_price": line["unit_price"],
        "change": found.get("change"),
        "charged": line["amount"] if amount >= 0 else "0",
        "credited": line["amount"].lstrip("-") if amount < 0 else "0",
        "bill_to": found["bill_to"],
        "document": label,
        "kind": "billed",
    }


def settle(document: Body, day: date, rng: random.Random, generous: bool) -> tuple[list[str], dict[str, Fraction]]:
    """Run on `day`: settle what is dated by then. Return a story, and by item what was given up on purpose."""
    story: list[str] = []
    given: dict[str, Fraction] = {}
    document["as_of"] = day.isoformat()
    body: Body = preview(document).to_json()
    if body["status"] != "ok":
        return [
            f"-- run {day}: {body['status']} {body.get('reason') or body.get('questions') or body.get('errors')}"
        ], given
    for found in body["documents"]:
        if found["date"] > day.isoformat():
            continue
        label = f"INV-{len(document['issued']) + 1}"
        story.append(
            f"-- run {day}: {label} {found['date']} {found['kind']} change={found.get('change')} net {found['net']}"
        )
        for line in found["lines"]:
            entry = entry_of(line, found, label)
            if generous and not found.get("change") and Fraction(line["amount"]) > 0 and rng.random() < 0.15:
                kind = rng.choice(("waived", "skipped", "override"))
                entry |= {"kind": kind, "charged": "1" if kind == "override" else "0"}
                less = Fraction(line["amount"]) - Fraction(entry["charged"])
                given[line["item"]] = given.get(line["item"], Fraction(0)) + less
            document["issued"].append(entry)
            what = f"{line['item']} {line['start']} {line['end']} {line['quantity']} x {line['unit_price']}"
            story.append(f"     {entry['kind']} {what}: {line['amount']}")
    return story, given


def settled_sum(entries: Iterable[Mapping[str, Any]]) -> dict[str, Fraction]:
    """Return charged less credited by item."""
    found: dict[str, Fraction] = {}
    for entry in entries:
        found[entry["item"]] = (
            found.get(entry["item"], Fraction(0)) + Fraction(entry["charged"]) - Fraction(entry["credited"])
        )
    return found


def rows(sums: Mapping[str, Fraction], decimals: int) -> list[str]:
    """Return readable sums."""
    return [f"{key} {text_of(amount, decimals)}" for key, amount in sorted(sums.items()) if amount]


def compare_sequence(seed: int, features: frozenset[str], *, generous: bool = False) -> Difference | None:
    """Settle the life of document `seed` in runs and compare the whole with what the oracle says is due."""
    rng = random.Random(f"runs {seed}")
    original = document_of(seed, features)
    for change in original.get("changes", ()):
        if change.get("recorded", "") > original["until"]:
            del change["recorded"]
        if generous:
            # What a person decides is about what was known on the document's day; an entry says no other day.
            change["recorded"] = add_months(date.fromisoformat(original["start"]), -2).isoformat()
    document: Body = copy.deepcopy(original)
    document["issued"] = []
    story: list[str] = []
    given: dict[str, Fraction] = {}
    days = run_dates(document, rng)
    for day in days:
        told, more = settle(document, day, rng, generous)
        story += told
        for key, amount in more.items():
            given[key] = given.get(key, Fraction(0)) + amount
    document["as_of"] = days[-1].isoformat()
    theirs = oracle({**original, "as_of": document["as_of"]})
    if theirs.status != "ok":
        return None
    return judged(seed, document, story, given, theirs.by_item())


def judged(
    seed: int, document: Body, story: list[str], given: dict[str, Fraction], due: dict[str, Fraction]
) -> Difference | None:
    """Compare what was settled, and what was given up, with what is due; and see that a further run adds nothing."""
    decimals = DECIMALS.get(document["currency"], 2)
    mine = settled_sum(document["issued"])
    for key, amount in given.items():
        mine[key] = mine.get(key, Fraction(0)) + amount
    if given and any(kind in change for change in document.get("changes", ()) for kind in SHORTENING):
        # What nobody charged can't come back: then less may be due than was given up and settled together.
        for key, amount in given.items():
            over = mine[key] - due.get(key, Fraction(0))
            mine[key] -= over if 0 < over <= amount else 0
    left, right = rows(mine, decimals), rows(due, decimals)
    shown = {key: value for key, value in document.items() if key != "issued"}
    if any("recorded" in change for change in document.get("changes", ())):
        # What an invoice could take of a credit depends on what was known when it was written.
        left, right = ([row for row in side if not row.startswith("credits[")] for side in (left, right))
    if left != right:
        # The engine may simply read the document otherwise: then its own answer with nothing issued says the same.
        fresh: Body = preview(shown).to_json()
        theirs = {key: Fraction(value) for key, value in fresh["totals"]["by_item"].items()} if fresh["totals"] else {}
        level = "reading" if rows(theirs, decimals) == left else "settled"
        return Difference(seed, level, shown, [*left, "fresh:", *rows(theirs, decimals)], right, story)
    again: Body = preview(document).to_json()
    late = [f"{found['date']} {found['net']}" for found in again["documents"] if found["date"] <= document["as_of"]]
    if again["status"] != "ok" or late:
        return Difference(seed, "again", shown, [again["status"], *late], ["ok"], story)
    return None
