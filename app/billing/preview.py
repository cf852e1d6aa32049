"""The core's one entry: a deal document in, the documents to issue out, or a precise question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from app.billing.answer import Answer, FieldError, Line, PlannedDocument, Question, Renewal, Totals
from app.billing.document import DealDocument, InvalidDocument, read_document
from app.billing.money import Money, total
from app.billing.settled import OpenPart, disagreements, open_parts
from app.billing.timeline import charges_by_item, last_document_day
from app.billing.wording import reading, why

_ZERO_NOTE = "Not sent: every line is zero by itself."


def preview(document: object, *, as_of: date | None = None) -> Answer:
    """Return everything still to issue for the deal, dated by schedule, each line with its reason.

    `document` is the parsed JSON of a deal document, a mapping of its fields; anything else is an `invalid` answer too.
    `as_of` is what is known on that day; it wins over the document's own `as_of`, and one of the two is needed (there
    is no clock here). Never raises for a bad document: the answer is `invalid` with every fault at once. Documents
    are sorted by date, then payer; amounts are rounded once per line, half away from zero, then added.
    """
    if not isinstance(document, Mapping):
        return Answer("invalid", errors=(FieldError("", document, "an object with the fields of a deal document"),))
    known = document if as_of is None else {**document, "as_of": as_of.isoformat()}
    missing: tuple[FieldError, ...] = ()
    if known.get("as_of") is None:
        missing = (FieldError("as_of", None, "a date YYYY-MM-DD: what is known on that day"),)
    try:
        deal = read_document(known)
    except InvalidDocument as invalid:
        return Answer("invalid", errors=invalid.errors + missing)
    if deal.as_of is None:
        return Answer("invalid", errors=missing)
    return _answer(deal, deal.as_of)


def _answer(deal: DealDocument, as_of: date) -> Answer:
    last_day = last_document_day(deal, as_of)
    due = charges_by_item(deal, last_day)
    questions = (*deal.questions, *disagreements(deal, due))
    documents = tuple(_documents(deal, open_parts(deal, due, last_day), questions))
    return Answer(
        status="needs_clarification" if questions else "ok",
        reading=tuple(reading(deal)),
        questions=questions,
        documents=documents,
        totals=_totals(deal, documents),
        renewal=Renewal(deal.end) if deal.end else None,
    )


def _documents(deal: DealDocument, parts: list[OpenPart], questions: tuple[Question, ...]) -> list[PlannedDocument]:
    """Group lines by scheduled date (the billing period's first day); the one payer is the customer."""
    by_date: defaultdict[date, list[Line]] = defaultdict(list)
    for part in parts:
        by_date[part.charge.period.start].append(_line(deal, part))
    return [_document(deal, dated, by_date[dated], billable=not questions) for dated in sorted(by_date)]


def _document(deal: DealDocument, dated: date, lines: list[Line], *, billable: bool) -> PlannedDocument:
    document = PlannedDocument(
        kind="invoice",
        dated=dated,
        due=deal.due_on(dated),
        bill_to=deal.customer,
        lines=tuple(lines),
        net=total((line.amount for line in lines), deal.currency),
        billable=billable,
    )
    if any(line.amount.minor for line in lines):
        return document
    return replace(document, sent=False, notes=(_ZERO_NOTE,))


def _line(deal: DealDocument, part: OpenPart) -> Line:
    item = part.charge.item
    return Line(
        item=item.key,
        period=part.period,
        quantity=item.quantity,
        unit_price=item.unit_price,
        gross=part.amount,
        discount=Money.zero(deal.currency),
        amount=part.amount,
        fraction=part.accrual.fraction(),
        why=why(deal, part),
    )


def _totals(deal: DealDocument, documents: tuple[PlannedDocument, ...]) -> Totals:
    by_item = {item.key: Money.zero(deal.currency) for item in deal.items}
    for document in documents:
        for line in document.lines:
            by_item[line.item] = by_item[line.item] + line.amount
    return Totals(total((document.net for document in documents), deal.currency), tuple(by_item.items()))
