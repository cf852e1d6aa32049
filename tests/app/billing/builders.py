"""Short ways to write a deal document, and to settle what an answer proposed."""

from __future__ import annotations

from collections.abc import Iterable

from app.billing import Answer, Money, PlannedDocument

Json = dict[str, object]


def recurring(key: str = "platform", **fields: object) -> Json:
    """Return a recurring item: one a month for 100.00 unless `fields` say otherwise."""
    return {"key": key, "name": key.title(), "kind": "recurring", "unit_price": "100.00", **fields}


def one_time(key: str = "setup", **fields: object) -> Json:
    """Return a one-time item of 2,500.00 on the deal's start."""
    return {"key": key, "name": key.title(), "kind": "one_time", "unit_price": "2500.00", **fields}


def deal(*items: Json, **fields: object) -> Json:
    """Return a deal of Acme in USD from 1 Jan 2027 for twelve months, known on 21 Nov 2026."""
    document: Json = {
        "customer": "Acme Inc",
        "currency": "USD",
        "start": "2027-01-01",
        "items": list(items) or [recurring()],
        "as_of": "2026-11-21",
    }
    return {**document, **fields}


def entry(item: str, start: str, end: str, charged: str = "0", kind: str = "billed", **fields: object) -> Json:
    """Return one entry of `issued`."""
    return {"item": item, "start": start, "end": end, "charged": charged, "kind": kind, **fields}


def settled(document: PlannedDocument, label: str | None = None) -> list[Json]:
    """Return what the ledger of settled days holds once a document is issued: an entry for each of its lines."""
    found = []
    for line in document.lines:
        amount = line.amount.minor
        charged, credited = (line.amount, Money.zero(line.amount.currency))
        if amount < 0:
            charged, credited = credited, -line.amount
        body: Json = {
            "quantity": format(line.quantity, "f"),
            "unit_price": format(line.unit_price, "f"),
            "change": line.change or document.change,
            "credited": credited.plain(),
            "bill_to": document.bill_to,
            "document": label or f"{document.kind} of {document.dated}",
        }
        start, end = line.period.start.isoformat(), line.period.end.isoformat()
        found.append(entry(line.item, start, end, charged.plain(), **body))
    return found


def entries_of(documents: Iterable[PlannedDocument]) -> list[Json]:
    """Return what the ledger of settled days holds once `documents` are issued."""
    return [line for document in documents for line in settled(document)]


def dated(answer: Answer) -> list[tuple[str, str]]:
    """Return (date, net) of each document."""
    return [(document.dated.isoformat(), document.net.plain()) for document in answer.documents]


def lines(answer: Answer, item: str | None = None) -> list[tuple[str, str, str]]:
    """Return (start, end, amount) of each line, of one item or of all."""
    return [
        (line.period.start.isoformat(), line.period.end.isoformat(), line.amount.plain())
        for document in answer.documents
        for line in document.lines
        if item in (None, line.item)
    ]


def rows(answer: Answer, *, since: str = "") -> list[str]:
    """Return a compact table: "DATE CHANGE ITEM START/END QUANTITY AMOUNT" for each line dated from `since` on.

    CHANGE is "-" on a regular document or a correction; dates have no century.
    """
    return [
        f"{document.dated.isoformat()[2:]} {document.change or '-'} {line.item} {line.period.start.isoformat()[2:]}/"
        f"{line.period.end.isoformat()[2:]} {format(line.quantity, 'f')} {line.amount.plain()}"
        for document in answer.documents
        for line in document.lines
        if document.dated.isoformat() >= since
    ]


def parts(answer: Answer) -> list[tuple[str, str, str, str, str]]:
    """Return (date, start, end, amount, fraction) of each line."""
    return [
        (
            document.dated.isoformat(), line.period.start.isoformat(), line.period.end.isoformat(),
            line.amount.plain(), line.fraction,
        )
        for document in answer.documents
        for line in document.lines
    ]  # fmt: skip
