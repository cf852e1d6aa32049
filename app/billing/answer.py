"""The answer of the core, and its JSON: the shape that console, card, API, command and billing run all read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from app.billing.calendar import Period
from app.billing.money import Money, decimals_of, plain_decimal

Status = Literal["ok", "needs_clarification", "rejected", "invalid"]
DocumentKind = Literal["invoice", "credit_note"]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a document: the field's path, the value found there, and what is allowed in words."""

    field: str
    value: object
    allowed: str

    def to_json(self) -> dict[str, object]:
        """Return `{field, value, allowed}`."""
        return {"field": self.field, "value": self.value, "allowed": self.allowed}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person has to answer before the deal bills.

    `field` is the document's field that raised it (not part of the JSON); `span` is the part [from, to) of `terms`
    that it is about, or None when it is about a field; `readings` are the answers we can offer.
    """

    text: str
    field: str
    span: tuple[int, int] | None = None
    readings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return `{text, span, readings}`."""
        return {"text": self.text, "span": list(self.span) if self.span else None, "readings": list(self.readings)}


@dataclass(frozen=True, slots=True)
class Line:
    """One item over one stretch of service days. `gross - discount = amount`, all in the deal's currency.

    `change` is the change that made the line, None on a regular line; `corrects` names the settled line it corrects.
    """

    item: str
    period: Period
    quantity: Decimal
    unit_price: Decimal
    gross: Money
    discount: Money
    amount: Money
    fraction: str
    why: str
    terms: tuple[int, ...] = ()
    corrects: str | None = None
    change: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the line; dates ISO, `end` excluded, amounts and quantities as plain decimal strings."""
        return {
            "item": self.item,
            "start": self.period.start.isoformat(),
            "end": self.period.end.isoformat(),
            "quantity": plain_decimal(self.quantity),
            "unit_price": plain_decimal(self.unit_price, decimals_of(self.amount.currency)),
            "gross": self.gross.plain(),
            "discount": self.discount.plain(),
            "amount": self.amount.plain(),
            "fraction": self.fraction,
            "terms": list(self.terms),
            "corrects": self.corrects,
            "change": self.change,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """One invoice or credit note to issue on its scheduled date (`dated`; "date" in the JSON).

    What was settled already is never here. `sent` is False only for a document whose every line is zero by itself: it
    is recorded as "not sent, 0.00" and goes to nobody. `billable` is False while the deal has an open question.
    `change` is the id of the change whose own document it is, None for a regular document or a correction.
    """

    kind: DocumentKind
    dated: date
    due: date
    bill_to: str
    lines: tuple[Line, ...]
    net: Money
    notes: tuple[str, ...] = ()
    sent: bool = True
    billable: bool = True
    change: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the document with its lines."""
        return {
            "kind": self.kind,
            "date": self.dated.isoformat(),
            "due": self.due.isoformat(),
            "bill_to": self.bill_to,
            "lines": [line.to_json() for line in self.lines],
            "net": self.net.plain(),
            "notes": list(self.notes),
            "sent": self.sent,
            "billable": self.billable,
            "change": self.change,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """The sum of the documents shown, and of each item of the deal in the deal's order."""

    net: Money
    by_item: tuple[tuple[str, Money], ...]

    def to_json(self) -> dict[str, object]:
        """Return `{net, by_item: {key: amount}}`."""
        return {"net": self.net.plain(), "by_item": {key: amount.plain() for key, amount in self.by_item}}


@dataclass(frozen=True, slots=True)
class Renewal:
    """Where a fixed term ends: `next_start` is the first day of the next term, or that is no longer served.

    `price`: the unit price of each item in the next term; None where it isn't known yet or nothing renews by itself.
    """

    next_start: date
    notice_deadline: date | None = None
    price: tuple[tuple[str, str], ...] | None = None

    def to_json(self) -> dict[str, object]:
        """Return `{notice_deadline, next_start, price}`."""
        return {
            "notice_deadline": self.notice_deadline.isoformat() if self.notice_deadline else None,
            "next_start": self.next_start.isoformat(),
            "price": dict(self.price) if self.price is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything the core says about one deal document.

    `invalid` carries `errors` and nothing else; `rejected` a `reason`; `needs_clarification` has `questions`, and its
    documents, shown as if what is asked about were absent, are not billable.
    """

    status: Status
    reading: tuple[str, ...] = ()
    terms: tuple[dict[str, object], ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    documents: tuple[PlannedDocument, ...] = ()
    totals: Totals | None = None
    renewal: Renewal | None = None
    errors: tuple[FieldError, ...] = field(default=())
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values. `errors` is there only when invalid, `reason` only when rejected."""
        body: dict[str, object] = {
            "status": self.status,
            "reading": list(self.reading),
            "terms": [dict(term) for term in self.terms],
            "questions": [question.to_json() for question in self.questions],
            "notes": list(self.notes),
            "documents": [document.to_json() for document in self.documents],
            "totals": self.totals.to_json() if self.totals else None,
            "renewal": self.renewal.to_json() if self.renewal else None,
        }
        if self.status == "invalid":
            body["errors"] = [error.to_json() for error in self.errors]
        if self.status == "rejected":
            body["reason"] = self.reason
        return body
