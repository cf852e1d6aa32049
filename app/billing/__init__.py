"""The pure core of billing: a deal document in, the documents to issue out, with a reason for each cent.

Standard library only; no clock, no input or output. `preview` is the one entry that every door and the billing run use.
"""

from __future__ import annotations

from app.billing.answer import Answer, FieldError, Line, PlannedDocument, Question, Renewal, Totals
from app.billing.deal import DealDocument, InvalidDocument
from app.billing.intake import read_document
from app.billing.money import Money, MoneyError
from app.billing.preview import preview

__all__ = [
    "Answer",
    "DealDocument",
    "FieldError",
    "InvalidDocument",
    "Line",
    "Money",
    "MoneyError",
    "PlannedDocument",
    "Question",
    "Renewal",
    "Totals",
    "preview",
    "read_document",
]
