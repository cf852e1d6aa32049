"""What the ledger says of an invoice, written into ours. Their figures are shown as they are; differences are told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.billing.money import Money
from app.billing.states import LEDGER_EVENTS, InvoiceState, ledger_state, transition
from app.connections import actions as connection_actions
from app.connections import queries as connections
from app.connections.models import Connection
from app.core import clock, events, work
from app.core.db import db
from app.invoices import enqueue, queries
from app.invoices.models import Invoice
from app.payments.models import PaymentApplied
from app.portals import queries as portals
from app.ports import LedgerInvoice
from app.problems import actions as problems
from app.problems import queries as problem_queries
from app.problems.actions import FINANCE, Finding


def adopt(connection: Connection, invoice: Invoice, theirs: LedgerInvoice) -> None:
    """Link an invoice that was just created (or found again) in the ledger."""
    snapshot = _snapshot(theirs)
    connection_actions.link(connection.id, "invoice", theirs.id, invoice.id, theirs.sync_token, snapshot)
    apply(connection, invoice, theirs)
    events.record("invoice.in_ledger", "invoice", invoice.id, quickbooks_id=theirs.id, number=theirs.number)


def apply(connection: Connection, invoice: Invoice, theirs: LedgerInvoice) -> None:
    """Write the ledger's number, totals, balance and state into ours; states may go backwards.

    Until the invoice is mailed, its net is checked each time: a difference is a problem that holds the mail.
    """
    state = ledger_state(
        total_minor=theirs.total_minor, balance_minor=theirs.balance_minor, emailed=theirs.emailed,
        voided=theirs.voided, deleted=theirs.deleted, lines_zero=theirs.voided,
    )  # fmt: skip
    before = invoice.state
    invoice.state = transition(before, LEDGER_EVENTS[state])
    invoice.synced_at = clock.now()
    if not theirs.deleted:
        invoice.number = theirs.number or invoice.number
        invoice.total_minor, invoice.tax_minor = theirs.total_minor, theirs.tax_minor
        invoice.balance_minor = theirs.balance_minor
        invoice.due_on = theirs.due_on or invoice.due_on
    else:
        invoice.balance_minor = 0
    invoice.paid_on = _paid_on(invoice) if state is InvoiceState.PAID else None
    connection.synced_at = clock.now()
    ref = connections.ref_of_local(connection.id, "invoice", invoice.id)
    if ref is not None and not theirs.deleted:
        ref.sync_token, ref.snapshot = theirs.sync_token, _snapshot(theirs)
    if state != before:
        events.record("invoice.state", "invoice", invoice.id, before=before, now=state.value)
    if state != before and state in (InvoiceState.VOIDED, InvoiceState.DELETED):
        _ask_about_period(invoice, state)
    if invoice.mailed_at is None:
        _check_net(invoice)


def _check_net(invoice: Invoice) -> None:
    """Ask about a net that isn't ours; once it is corrected in the ledger, let the mail go that it held."""
    if net_differs(invoice):
        assert invoice.total_minor is not None and invoice.tax_minor is not None
        finding = Finding(
            code="net_differs", holds="The invoice is not mailed.", who=FINANCE,
            sentence=f"Invoice {invoice.number} is {Money(invoice.net_minor, invoice.currency)} net here and "
            f"{Money(invoice.total_minor - invoice.tax_minor, invoice.currency)} in QuickBooks.",
            action="Compare the lines in QuickBooks and correct what differs, or void the invoice there.",
        )  # fmt: skip
        problems.open_problem(
            finding, "invoice", invoice.id, customer_id=invoice.customer_id, deal_id=queries.deal_of(invoice)
        )
    elif problem_queries.first_open("invoice", invoice.id, "net_differs") is not None:
        problems.close_problems("invoice", invoice.id, only="net_differs")
        mail = work.find(enqueue.MAIL, invoice.id)
        if mail is not None and mail.state == work.PARKED:
            work.again(mail, new_epoch=False)


def net_differs(invoice: Invoice) -> bool:
    """Whether the ledger's net is another than the one approved. Its tax is its own."""
    if invoice.total_minor is None or invoice.tax_minor is None or invoice.state in ("voided", "deleted"):
        return False
    return invoice.total_minor - invoice.tax_minor != invoice.net_minor


def _paid_on(invoice: Invoice) -> Any:
    last = db.session.execute(
        select(func.max(PaymentApplied.paid_on)).where(PaymentApplied.invoice_id == invoice.id)
    ).scalar_one()
    return last or invoice.paid_on or clock.today(portals.current().timezone)


def _ask_about_period(invoice: Invoice, state: InvoiceState) -> None:
    """A void or deleted invoice's period stays settled: nothing is billed again without a person."""
    finding = Finding(
        code="ended_in_ledger", holds="Its period is not billed again by itself.", who=FINANCE,
        sentence=f"Invoice {invoice.number or invoice.id} over {Money(invoice.net_minor, invoice.currency)} "
        f"was {state.value} in QuickBooks.",
        action="Settle it: if it should be billed after all, issue it in QuickBooks by hand.",
    )  # fmt: skip
    problems.open_problem(
        finding, "invoice", invoice.id, customer_id=invoice.customer_id, deal_id=queries.deal_of(invoice)
    )


def _snapshot(theirs: LedgerInvoice) -> dict[str, Any]:
    return {
        "number": theirs.number, "issued_on": theirs.issued_on.isoformat(),
        "due_on": theirs.due_on.isoformat() if theirs.due_on else None, "currency": theirs.currency,
        "total_minor": theirs.total_minor, "tax_minor": theirs.tax_minor, "balance_minor": theirs.balance_minor,
        "emailed": theirs.emailed, "voided": theirs.voided, "customer_id": theirs.customer_id,
    }  # fmt: skip
