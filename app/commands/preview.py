"""`dealwright preview`: what a deal document bills, as a table for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from app.billing import preview
from app.billing.calendar import Period, people_date
from app.commands import tables
from app.commands.files import NOT_OK, OK, Json, Say, answer_lines, read_file, with_today
from app.commands.tables import cut, money, tidy

_HEADS = ("item", "days", "quantity", "unit price", "discount", "amount")
_LEFT = frozenset({0, 1})
_WIDEST_ITEM = 24
_STATUS = {
    "ok": "ok",
    "needs_clarification": "needs clarification: nothing of this is invoiced until the questions are answered",
    "rejected": "rejected",
    "invalid": "invalid",
}


def run(file: Path, *, as_json: bool, say: Say) -> int:
    """Answer one document; returns the exit status. Raises Unreadable."""
    body = answer(read_file(file))
    if as_json:
        say(json.dumps(body, indent=2, allow_nan=False))
    else:
        for line in told(body, tables.width()):
            say(line)
    return OK if body["status"] == "ok" else NOT_OK


def run_lines(file: Path | None, *, say: Say) -> int:
    """Answer one document a line; returns the exit status. Raises Unreadable."""
    return answer_lines(file, answer, say)


def answer(document: Any) -> Json:
    """Return the answer's JSON; a document that doesn't say what day it is, is seen today."""
    return preview(with_today(document)).to_json()


def told(body: Json, width: int) -> Iterator[str]:
    """Tell an answer line by line in `width` columns."""
    yield from tables.wrapped(f"Status: {_STATUS[body['status']]}", width, "", "  ")
    if reason := body.get("reason"):
        yield from tables.wrapped(reason, width, "  ")
    yield from _list("Errors", [_error(error) for error in body.get("errors", [])], width)
    yield from _list("Questions", [_question(question) for question in body["questions"]], width)
    yield from _list("How it was read", body["reading"], width)
    yield from _list("Notes", body["notes"], width)
    rows = [_row(line) for document in body["documents"] for line in document["lines"]]
    laid_out = tables.columns([_HEADS, *rows], left=_LEFT, indent="    ")
    if rows:
        yield from ("", next(laid_out))
    for document in body["documents"]:
        yield ""
        yield from _document(document, laid_out, width)
    yield from _end(body, width)


def _list(title: str, sentences: list[str], width: int) -> Iterator[str]:
    if sentences:
        yield from ("", title)
    for sentence in sentences:
        yield from tables.wrapped(sentence, width, "  ", "  ")


def _error(error: Json) -> str:
    value = cut(json.dumps(error["value"], ensure_ascii=False), 60)
    return f"{error['field'] or 'the document'} is {value}; allowed: {error['allowed']}"


def _question(question: Json) -> str:
    readings = "".join(f" [{reading}]" for reading in question["readings"])
    return f"{question['text']}{readings}"


def _row(line: Json) -> tuple[str, ...]:
    days = Period(date.fromisoformat(line["start"]), date.fromisoformat(line["end"]))
    discount = "" if not line["discount"].strip("-0.") else money(line["discount"])
    prices = (line["quantity"], money(line["unit_price"]), discount, money(line["amount"]))
    return (cut(line["item"], _WIDEST_ITEM), str(days), *prices)


def _document(document: Json, laid_out: Iterator[str], width: int) -> Iterator[str]:
    """Tell one document; `laid_out` gives the next lines of the one table that all documents share."""
    kind = "CREDIT NOTE" if document["kind"] == "credit_note" else "Invoice"
    marks = "".join(
        f", {mark}"
        for mark, holds in (("not sent", not document["sent"]), ("not billable", not document.get("billable", True)))
        if holds
    )
    day, due = (people_date(date.fromisoformat(document[name])) for name in ("date", "due"))
    change = f" for change {tidy(document['change'])}" if document.get("change") else ""
    head = f"{day}  {kind}{change} to {tidy(document['bill_to'])}, due {due}{marks}:"
    net = f"net {money(document['net'])}"
    yield from _justified(head, net, width)
    for line in document["lines"]:
        yield next(laid_out)
        corrects = f" (corrects {line['corrects']})" if line.get("corrects") else ""
        yield from tables.wrapped(line["why"] + corrects, width, "        ")
    for note in document["notes"]:
        yield from tables.wrapped(note, width, "    Note: ")


def _justified(head: str, tail: str, width: int) -> Iterator[str]:
    if len(head) + len(tail) < width:
        yield head + tail.rjust(width - len(head))
        return
    yield from tables.wrapped(head, width, "", "    ")
    yield tail.rjust(width)


def _end(body: Json, width: int) -> Iterator[str]:
    if totals := body["totals"]:
        items = [(cut(key, _WIDEST_ITEM), money(amount)) for key, amount in totals["by_item"].items()]
        yield from ("", "Total of the documents shown")
        yield from tables.columns([*items, ("net", money(totals["net"]))], left=frozenset({0}), indent="    ")
    if renewal := body["renewal"]:
        yield from ("", "Renewal")
        yield from tables.wrapped(_renewal(renewal), width, "  ", "  ")


def _renewal(renewal: Json) -> str:
    sentence = f"The next term would start on {people_date(date.fromisoformat(renewal['next_start']))}"
    if renewal["notice_deadline"]:
        sentence += f"; notice until {people_date(date.fromisoformat(renewal['notice_deadline']))}"
    prices = renewal["price"] or {}
    return sentence + ("; " + ", ".join(f"{key} at {money(price)}" for key, price in prices.items()) if prices else "")
