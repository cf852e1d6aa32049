"""The ledger lane's reads: an invoice or a payment as it is now. A webhook is a hint, not data."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete

from app.connections import actions as connection_actions
from app.connections import queries as connections
from app.connections.models import Connection
from app.core import lanes, work
from app.core.crypto import KeyRing
from app.core.db import db
from app.core.outcome import Done, Outcome, Rejected
from app.core.runner import NotNow, Plan
from app.core.work import PARKED, Work
from app.invoices import enqueue, ledger, queries
from app.payments.models import PaymentApplied
from app.ports import Accounting, LedgerAccount, LedgerInvoice, LedgerPayment
from app.problems import actions as problems
from app.problems.actions import OPERATOR, Finding

_LOOK_AGAIN_S = 3.0


def want_invoices(connection: Connection, external_ids: Sequence[str]) -> None:
    """Mark ledger invoices as wanted."""
    lane_id = work.lane("quickbooks", connection.id).id
    work.refresh_all(lane_id, enqueue.READ_INVOICE, external_ids)


def want_payments(connection: Connection, external_ids: Sequence[str]) -> None:
    """Mark ledger payments as wanted."""
    lane_id = work.lane("quickbooks", connection.id).id
    work.refresh_all(lane_id, enqueue.READ_PAYMENT, external_ids)


class _Read:
    kind = ""
    writes = False
    calls = 1

    def __init__(self, accounting: Accounting, ring: KeyRing) -> None:
        self._accounting = accounting
        self._ring = ring

    def _plan(self, row: Work, access_token: str) -> Plan:
        connection = connections.connected_ledger()
        realm = self._ring.open(
            connection.account_sealed, table="connection", portal_id=row.portal_id, column="account"
        )
        return Plan(row.id, row.portal_id, row.subject, "", b"", False, access_token, {"realm": realm})

    def _account(self, plan: Plan) -> LedgerAccount:
        return LedgerAccount(plan.data["realm"], plan.access_token)

    def _failed(self, row: Work, outcome: Outcome) -> None:
        connection = connections.ledger()
        if isinstance(outcome, Rejected) and connection is not None:
            connection_actions.call_failed(connection, outcome, row)
        if row.state == PARKED:
            finding = Finding(
                code="ledger_read_failed", sentence=f"A change in QuickBooks can't be read: {row.last_error}",
                holds="What is shown may be out of date.", who=OPERATOR, action="Try again.",
            )  # fmt: skip
            problems.open_problem(finding, "work", row.id, work_id=row.id)


class ReadInvoice(_Read):
    """Step: read one ledger invoice and write what it says into ours."""

    kind = enqueue.READ_INVOICE

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        connection = connections.connected_ledger()
        if connections.ref_of_external(connection.id, "invoice", row.subject) is None:
            # It may be the very invoice whose creation is still under way: its answer tells.
            if lanes.in_flight(row.lane_id):
                return NotNow(delay_s=_LOOK_AGAIN_S, why="A send of this connection is under way.")
            return NotNow(done=True)
        return self._plan(row, access_token)

    def send(self, plan: Plan) -> Outcome:
        return self._accounting.read_invoice(self._account(plan), plan.subject)

    def record(self, row: Work, outcome: Outcome) -> None:
        if not isinstance(outcome, Done):
            self._failed(row, outcome)
            return
        connection = connections.connected_ledger()
        assert isinstance(outcome.value, LedgerInvoice)
        ref = connections.ref_of_external(connection.id, "invoice", row.subject)
        if ref is not None:
            ledger.apply(connection, queries.locked(ref.local_id), outcome.value)
        problems.close_problems("work", row.id)


class ReadPayment(_Read):
    """Step: read one ledger payment, keep what of it went to our invoices, and have those read."""

    kind = enqueue.READ_PAYMENT

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        return self._plan(row, access_token)

    def send(self, plan: Plan) -> Outcome:
        return self._accounting.read_payment(self._account(plan), plan.subject)

    def record(self, row: Work, outcome: Outcome) -> None:
        if not isinstance(outcome, Done):
            self._failed(row, outcome)
            return
        connection = connections.connected_ledger()
        assert isinstance(outcome.value, LedgerPayment)
        payment = outcome.value
        # What it was applied to before is read again too: a deleted or moved payment opens those invoices again.
        before = db.session.execute(
            delete(PaymentApplied)
            .where(PaymentApplied.connection_id == connection.id, PaymentApplied.external_payment_id == payment.id)
            .returning(PaymentApplied.invoice_id)
        ).scalars()
        touched = set(connections.external_ids(connection.id, "invoice", before.all()).values())
        for external_id, amount_minor in payment.applied:
            ref = connections.ref_of_external(connection.id, "invoice", external_id)
            if ref is None:
                # Paid before we heard of our own invoice's creation: its answer tells, then the payment is read again.
                if lanes.in_flight(row.lane_id):
                    work.refresh(row.lane_id, self.kind, row.subject, delay_s=_LOOK_AGAIN_S)
                continue
            touched.add(external_id)
            db.session.add(
                PaymentApplied(
                    connection_id=connection.id, external_payment_id=payment.id, invoice_id=ref.local_id,
                    amount_minor=amount_minor, currency=payment.currency, paid_on=payment.paid_on,
                )
            )  # fmt: skip
        db.session.flush()
        want_invoices(connection, sorted(touched))
        problems.close_problems("work", row.id)
