"""Whole lives of deals as stories. `python -m tests.app.billing.golden` at the project's root rewrites them.

Each story is one text file: the deal as JSON, how it was read, its questions, and every document with its lines and
their reasons. Review a rewrite as a diff.
"""

from __future__ import annotations

import json
from pathlib import Path

from app.billing import Answer, PlannedDocument, Renewal, preview
from app.billing.calendar import people_date

from .golden_lives import LIVES

Json = dict[str, object]
FOLDER = Path(__file__).parents[2] / "golden" / "billing"
_DISCOUNTS: list[Json] = [{"percent": "20", "to_month": 2}, {"percent": "10", "from_month": 3, "to_month": 5}]
_WORDS = "First 2 months 20% discount, next 3 months 10% discount"


def _item(key: str, name: str, unit_price: str, **fields: object) -> Json:
    return {"key": key, "name": name, "kind": "recurring", "unit_price": unit_price, **fields}


def _deal(currency: str, start: str, items: list[Json], **fields: object) -> Json:
    return {"customer": "Acme Inc", "currency": currency, "start": start, "items": items, **fields}


def _worked_example(**fields: object) -> Json:
    platform = _item("platform", "Platform", "100.00", quantity="10", price_interval="P1M")
    setup: Json = {"key": "setup", "name": "Set-up", "kind": "one_time", "unit_price": "2500.00"}
    return _deal("USD", "2027-01-01", [platform, setup], term_months=12, as_of="2026-11-21", **fields)


def _settled(item: str, start: str, end: str, charged: str, kind: str) -> Json:
    return {"item": item, "start": start, "end": end, "charged": charged, "kind": kind}


STORIES: dict[str, tuple[str, Json]] = {
    "acme-monthly": ("Ten seats and a set-up, invoiced every month", _worked_example()),
    "acme-quarterly": ("The same deal, invoiced every quarter", _worked_example(billing={"interval": "P3M"})),
    "acme-annual": ("The same deal, invoiced once a year", _worked_example(billing={"interval": "P1Y"})),
    "acme-with-discounts-monthly": (
        "The same deal with its sentence written as two discounts, invoiced every month",
        _worked_example(discounts=_DISCOUNTS),
    ),
    "acme-with-discounts-quarterly": (
        "The same, invoiced every quarter: a quarter is the sum of its months on one line",
        _worked_example(discounts=_DISCOUNTS, billing={"interval": "P3M"}),
    ),
    "acme-with-discounts-annually": (
        "The same, invoiced once a year",
        _worked_example(discounts=_DISCOUNTS, billing={"interval": "P1Y"}),
    ),
    "acme-with-words": (
        "The same deal with a sentence about discounts: a question, and nothing billable",
        _worked_example(billing={"interval": "P3M"}, terms=_WORDS),
    ),
    "annual-price-in-instalments": (
        "An annual price invoiced every month for eighteen months: twelve parts add up to the year, six to its half",
        _deal(
            "KWD",
            "2027-01-31",
            [_item("licence", "Licence", "1000.000", price_interval="P1Y")],
            term_months=18,
            as_of="2027-01-31",
        ),
    ),
    "month-ends-in-a-leap-year": (
        "Signed on the 31st, in yen, with a yearly support plan beside it; the 31st comes back after February",
        _deal(
            "JPY",
            "2027-12-31",
            [
                _item("seats", "Seats", "1500", quantity="2.5"),
                _item("support", "Support", "100000", price_interval="P1Y", billing={"interval": "P3M"}),
            ],
            term_months=6,
            payment={"net_days": 0, "from": "end_of_month"},
            as_of="2027-12-01",
        ),
    ),
    "half-way-through": (
        "Half a year in: invoiced, waived, held in part; only what is left is issued",
        _deal(
            "EUR",
            "2027-01-01",
            [
                _item("platform", "Platform", "100.00"),
                {
                    "key": "training",
                    "name": "Training",
                    "kind": "one_time",
                    "unit_price": "480.00",
                    "when": "2027-05-10",
                },
            ],
            term_months=6,
            as_of="2027-04-20",
            issued=[
                _settled("platform", "2027-01-01", "2027-02-01", "100.00", "billed"),
                _settled("platform", "2027-02-01", "2027-03-01", "0", "waived"),
                _settled("platform", "2027-03-01", "2027-03-16", "0", "held"),
            ],
        ),
    ),
    "books-disagree": (
        "January was billed at the old price: the difference is corrected on the day it is known",
        _deal(
            "USD",
            "2027-01-01",
            [_item("platform", "Platform", "120.00")],
            term_months=3,
            as_of="2027-01-20",
            issued=[{**_settled("platform", "2027-01-01", "2027-02-01", "100.00", "billed"), "document": "1001"}],
        ),
    ),
    "free-first": (
        "A free plan is recorded and not sent; the one fee is",
        _deal(
            "USD",
            "2027-01-01",
            [
                _item("free", "Free plan", "0"),
                {
                    "key": "import",
                    "name": "Data import",
                    "kind": "one_time",
                    "unit_price": "99.00",
                    "when": "2027-02-01",
                },
            ],
            term_months=3,
            as_of="2027-01-01",
        ),
    ),
}


STORIES |= LIVES


def story(title: str, document: Json) -> str:
    """Tell a deal and its answer."""
    answer = preview(document)
    parts = [title, "=" * len(title), "", json.dumps(document, indent=2, ensure_ascii=False), ""]
    parts += ["How it was read"] + [f"  {sentence}" for sentence in answer.reading] + [""]
    if answer.questions:
        parts += ["Questions"] + [f"  {question.text}" for question in answer.questions] + [""]
    parts += ["Documents"] + [line for planned in answer.documents for line in _document(planned)]
    return "\n".join([*parts, "", *_end(answer)]) + "\n"


def _document(planned: PlannedDocument) -> list[str]:
    marks = ["" if planned.sent else "not sent", "" if planned.billable else "not billable"]
    state = "".join(f", {mark}" for mark in marks if mark)
    kind = planned.kind.replace("_", " ")
    payer = "" if planned.bill_to == "Acme Inc" else f" to {planned.bill_to}"
    change = f" for the change “{planned.change}”" if planned.change else ""
    due = f", due {people_date(planned.due)}" if planned.kind == "invoice" else ""
    head = f"  {people_date(planned.dated)}: {kind}{payer} of {planned.net}{change}{due}{state}"
    return [head, *(f"    {line.amount.amount():>10}  {line.item}: {line.why}" for line in planned.lines)]


def _end(answer: Answer) -> list[str]:
    assert answer.totals is not None
    items = ", ".join(f"{key} {amount.amount()}" for key, amount in answer.totals.by_item)
    return [
        f"Total {answer.totals.net} ({items})",
        _last(answer.renewal),
        f"Status {answer.status}",
    ]


def _last(renewal: Renewal | None) -> str:
    if renewal is None:
        return "No end agreed"
    day = people_date(renewal.next_start)
    if renewal.notice_deadline is None:
        return f"Not served from {day} on"
    prices = ", ".join(f"{key} {price}" for key, price in renewal.price or ())
    return f"Renews on {day} unless notice is given by {people_date(renewal.notice_deadline)} (prices then: {prices})"


if __name__ == "__main__":
    for name, (title, document) in STORIES.items():
        (FOLDER / f"{name}.txt").write_text(story(title, document), encoding="utf-8")
