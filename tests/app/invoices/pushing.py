"""Steps of the ledger lane, planned and recorded by hand."""

from __future__ import annotations

from typing import Any

from app.core.outcome import FailureKind, Rejected, Unknown
from app.core.runner import Plan
from app.core.work import Work
from app.edge import wiring
from app.invoices import enqueue
from app.invoices.identity import mark
from app.invoices.models import Invoice
from app.invoices.push import CreateInvoice
from app.ports import LedgerInvoice
from tests import factories as make

REFUSED = Rejected(FailureKind.REJECTED, "the document number exists already (QuickBooks code 6140).", "6140")
EXPIRED = Rejected(FailureKind.EXPIRED, "QuickBooks no longer accepts this access token.", "401")
REVOKED = Rejected(FailureKind.REVOKED, "the app is not authorised for this company any more.", "3100")
LOST = Unknown("QuickBooks did not answer (ReadTimeout).")


def step(kind: type[Any]) -> Any:
    """Return a step of the wired process; what it would send goes nowhere."""
    return kind(wiring().accounting, wiring().ring)


def theirs(invoice: Invoice, **changes: Any) -> LedgerInvoice:
    """Return our invoice as the ledger has it."""
    return make.ledger_invoice(marker=mark("invoice", invoice.id, invoice.created_at), **changes)


def sending(invoice: Invoice) -> tuple[CreateInvoice, Work, Plan]:
    """Plan the invoice's creation."""
    creating, row = step(CreateInvoice), make.row(enqueue.INVOICE, invoice.id)
    return creating, row, make.planned(creating, row)
