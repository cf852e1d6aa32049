"""The ledger lane's writes: customer, item, invoice, mail. Each is planned, sent and recorded by the work runner."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from app.billing.money import Money
from app.billing.states import InvoiceEvent, transition
from app.connections import actions as connection_actions
from app.connections import queries as connections
from app.connections.models import Connection
from app.core import clock, events, retries
from app.core.crypto import KeyRing
from app.core.db import db
from app.core.outcome import Done, Outcome, Rejected
from app.core.runner import NotNow, Plan
from app.core.work import PARKED, Work
from app.customers.models import Customer
from app.deals import queries as deals
from app.invoices import approval, enqueue, ledger, queries
from app.invoices.identity import mark, request_id
from app.invoices.models import Invoice, LedgerItem
from app.ports import Accounting, CustomerToCreate, LedgerAccount, LedgerInvoice, LedgerRecord
from app.problems import actions as problems
from app.problems.actions import FINANCE, PORTAL_ADMIN, SALES, Finding
from app.subscriptions import actions as subscriptions
from app.subscriptions import agreed
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import ACTIVE


class _LedgerStep:
    """What the four writes share: the account, the request id, and what a failure says about the connection."""

    kind = ""
    writes = True
    calls = 2

    def __init__(self, accounting: Accounting, ring: KeyRing) -> None:
        self._accounting = accounting
        self._ring = ring

    def _connection(self, row: Work) -> Connection:
        return connections.connected_ledger()

    def _realm(self, connection: Connection) -> str:
        return self._ring.open(
            connection.account_sealed, table="connection", portal_id=connection.portal_id, column="account"
        )

    def _prepare(self, row: Work, token: str, build: Callable[[], bytes], **data: Any) -> Plan:
        """Freeze the bytes and their request id at the first plan; later plans repeat both unchanged."""
        connection = self._connection(row)
        realm = self._realm(connection)
        if row.request is None:
            row.request = build()
            row.request_hash = hashlib.sha256(row.request).hexdigest()
            row.request_id = request_id(
                connection.environment, realm, self.kind, row.subject, row.created_at, row.epoch
            )
        assert row.request_id is not None
        return Plan(
            row.id, row.portal_id, row.subject, row.request_id, bytes(row.request), row.outcome_unknown, token,
            {"realm": realm, "connection_id": connection.id, **data},
        )  # fmt: skip

    def _account(self, plan: Plan) -> LedgerAccount:
        return LedgerAccount(plan.data["realm"], plan.access_token)

    def _whose(self, invoice: Invoice) -> dict[str, int]:
        """Return whose problem an invoice's is: the customer's, and of the deal that it bills."""
        return {"customer_id": invoice.customer_id, "deal_id": queries.deal_of(invoice)}

    def _failed(self, row: Work, outcome: Outcome, finding: Finding, **subject: Any) -> None:
        """Tell the connection what its call said; a parked row becomes a problem that a person can retry."""
        if isinstance(outcome, Rejected):
            connection_actions.call_failed(self._connection(row), outcome, row)
        if row.state == PARKED:
            problems.open_problem(finding, "work", row.id, work_id=row.id, **subject)

    def _linked(self, row: Work, resource: str, local_id: int, record: LedgerRecord) -> bool:
        """Link ours to theirs; False, and parked, where theirs belongs to another one of ours already.

        The ledger compares names regardless of case, and companies may be kept twice in HubSpot: a person has to say.
        """
        connection = self._connection(row)
        taken = connections.ref_of_external(connection.id, resource, record.id)
        if taken is not None and taken.local_id != local_id:
            name = record.snapshot.get("name", record.id)
            retries.park(row, f'"{name}" there stands for another {resource} of ours already.')
            return False
        connection_actions.link(connection.id, resource, record.id, local_id, record.sync_token, dict(record.snapshot))
        return True


class CreateCustomer(_LedgerStep):
    """Step: link the customer to its one sure match, or create it."""

    kind = enqueue.CUSTOMER

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        connection = self._connection(row)
        if connections.ref_of_local(connection.id, "customer", int(row.subject)) is not None:
            return NotNow(done=True)
        customer = db.session.execute(select(Customer).where(Customer.id == int(row.subject))).scalar_one()
        marker = mark("customer", customer.id, customer.created_at)
        new = CustomerToCreate(customer.name, customer.billing_email, connection.currency, marker)
        return self._prepare(row, access_token, lambda: self._accounting.customer_request(new))

    def send(self, plan: Plan) -> Outcome:
        return self._accounting.create_customer(
            self._account(plan), plan.request, plan.request_id, look_first=plan.look_first
        )

    def record(self, row: Work, outcome: Outcome) -> None:
        customer = db.session.execute(select(Customer).where(Customer.id == int(row.subject))).scalar_one()
        if isinstance(outcome, Done) and self._linked(row, "customer", customer.id, outcome.value):
            problems.close_problems("work", row.id)
            events.record("customer.linked", "customer", customer.id, quickbooks_id=outcome.value.id)
            return
        finding = Finding(
            code="customer_refused", sentence=f'QuickBooks has no customer for "{customer.name}" yet: {row.last_error}',
            holds="This customer's invoices wait; no other customer's.", who=FINANCE,
            action="Settle it in QuickBooks, then try again.",
            data={"candidates": outcome.detail.get("candidates", [])} if isinstance(outcome, Rejected) else {},
        )  # fmt: skip
        self._failed(row, outcome, finding, customer_id=customer.id)


class CreateItem(_LedgerStep):
    """Step: link a product to the active item of its name, or create it into the account the portal named."""

    kind = enqueue.ITEM

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        connection = self._connection(row)
        item = db.session.execute(select(LedgerItem).where(LedgerItem.id == int(row.subject))).scalar_one()
        if connections.ref_of_local(connection.id, "item", item.id) is not None:
            return NotNow(done=True)
        account_id = connection.income_account_id
        if account_id is None:
            finding = Finding(
                code="no_income_account", sentence="No income account is chosen for new QuickBooks items.",
                holds=f'Invoices with "{item.name}" wait.', who=PORTAL_ADMIN,
                action="Choose the account in Dealwright's settings, then try again.",
            )  # fmt: skip
            problems.open_problem(finding, "work", row.id, work_id=row.id)
            return NotNow(why="No income account is chosen.")
        return self._prepare(row, access_token, lambda: self._accounting.item_request(item.name, account_id))

    def send(self, plan: Plan) -> Outcome:
        return self._accounting.create_item(
            self._account(plan), plan.request, plan.request_id, look_first=plan.look_first
        )

    def record(self, row: Work, outcome: Outcome) -> None:
        item = db.session.execute(select(LedgerItem).where(LedgerItem.id == int(row.subject))).scalar_one()
        if isinstance(outcome, Done) and self._linked(row, "item", item.id, outcome.value):
            problems.close_problems("work", row.id)
            return
        finding = Finding(
            code="item_refused", sentence=f'QuickBooks refuses the item "{item.name}": {row.last_error}',
            holds=f'Invoices with "{item.name}" wait.', who=FINANCE, action="Settle it in QuickBooks, then try again.",
        )  # fmt: skip
        self._failed(row, outcome, finding)


class CreateInvoice(_LedgerStep):
    """Step: write the invoice into the ledger, once, exactly as approved."""

    kind = enqueue.INVOICE

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        subscription_id = queries.one(int(row.subject)).invoice.subscription_id
        subscription = subscription_queries.locked(subscription_id)
        invoice = queries.locked(int(row.subject))
        if invoice.state not in ("approved", "sending"):
            return NotNow(done=invoice.state != "draft", why="The invoice is a draft again.")
        if (unready := self._unready(row, invoice)) is not None:
            return unready
        # What may have reached the ledger is never taken back; it is first looked for.
        is_ours_alone = invoice.state == "approved" and not row.outcome_unknown
        is_changed = subscription.state != ACTIVE or self._is_changed(subscription.wanted_version_id, invoice)
        if is_ours_alone and is_changed:
            approval.take_back(invoice, subscription.held_because or "The deal changed before the invoice was sent.")
            subscriptions.want_billing(subscription.id)
            return NotNow(why="The invoice was taken back to draft.")
        plan = self._prepare(row, access_token, lambda: self._request(row, invoice), net_minor=invoice.net_minor)
        if invoice.state == "approved":
            invoice.state = transition(invoice.state, InvoiceEvent.SEND)
        return plan

    def _is_changed(self, wanted_version_id: int, invoice: Invoice) -> bool:
        if wanted_version_id == invoice.deal_version_id:
            return False
        wanted, drafted = deals.version(wanted_version_id), deals.version(invoice.deal_version_id)
        return agreed.content(wanted.document) != agreed.content(drafted.document)

    def _unready(self, row: Work, invoice: Invoice) -> NotNow | None:
        """Outside the US every line needs a tax code, which an admin has to name."""
        connection = self._connection(row)
        if connection.country == "US" or connection.tax_code_id is not None:
            return None
        finding = Finding(
            code="no_tax_code", sentence=f"No tax code is chosen for invoices in {connection.name}.",
            holds="No invoice goes to QuickBooks.", who=PORTAL_ADMIN,
            action="Choose the tax code in Dealwright's settings, then try again.",
        )  # fmt: skip
        problems.open_problem(finding, "work", row.id, work_id=row.id, **self._whose(invoice))
        return NotNow(why="No tax code is chosen.")

    def _request(self, row: Work, invoice: Invoice) -> bytes:
        connection = self._connection(row)
        assert invoice.frozen is not None
        frozen = json.loads(invoice.frozen)
        items = queries.ledger_items({line["item"] for line in frozen["lines"]})
        refs = connections.external_ids(connection.id, "item", items.values())
        customer = connections.external_ids(connection.id, "customer", [invoice.customer_id])[invoice.customer_id]
        by_name = {name: refs[item_id] for name, item_id in items.items()}
        return self._accounting.invoice_request(frozen, customer, by_name, connection.tax_code_id)

    def send(self, plan: Plan) -> Outcome:
        return self._accounting.create_invoice(
            self._account(plan), plan.request, plan.request_id, look_first=plan.look_first
        )

    def record(self, row: Work, outcome: Outcome) -> None:
        invoice = queries.locked(int(row.subject))
        if isinstance(outcome, Done):
            assert isinstance(outcome.value, LedgerInvoice)
            problems.close_problems("work", row.id)
            ledger.adopt(self._connection(row), invoice, outcome.value)
            return
        if isinstance(outcome, Rejected) and invoice.state == "sending" and not row.outcome_unknown:
            invoice.state = transition(invoice.state, InvoiceEvent.REFUSE)
        finding = Finding(
            code="invoice_refused", holds="This invoice waits; others go on.", who=FINANCE,
            sentence=f"QuickBooks refuses the invoice over {Money(invoice.net_minor, invoice.currency)}: "
            f"{row.last_error}",
            action="Settle it in QuickBooks, then try again.",
        )  # fmt: skip
        self._failed(row, outcome, finding, **self._whose(invoice))


class MailInvoice(_LedgerStep):
    """Step: let the ledger mail the invoice, once, and only if its net is ours."""

    kind = enqueue.MAIL

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        invoice = queries.locked(int(row.subject))
        connection = self._connection(row)
        ref = connections.ref_of_local(connection.id, "invoice", invoice.id)
        if ref is None:
            return NotNow(delay_s=60, why="The invoice is not in QuickBooks yet.")
        if invoice.state in ("voided", "deleted") or invoice.mailed_at is not None:
            return NotNow(done=True)
        if ledger.net_differs(invoice):
            return NotNow(why="The net in QuickBooks differs from ours.")
        # The address is frozen with the request: a repeat of the same request id must be the same request.
        email = row.payload.get("email") if row.request is not None else self._email(invoice)
        if email is None:
            self._ask_for_email(row, invoice)
            return NotNow(delay_s=3600, why="There is no e-mail address to send it to.")
        row.payload = {"email": email}
        return self._prepare(row, access_token, lambda: b"", email=email, external_id=ref.external_id)

    def send(self, plan: Plan) -> Outcome:
        return self._accounting.send_invoice(
            self._account(plan),
            plan.data["external_id"],
            plan.data["email"],
            plan.request_id,
            look_first=plan.look_first,
        )

    def record(self, row: Work, outcome: Outcome) -> None:
        invoice = queries.locked(int(row.subject))
        if isinstance(outcome, Done):
            invoice.mailed_at = clock.now()
            ledger.apply(self._connection(row), invoice, outcome.value)
            problems.close_problems("work", row.id)
            events.record("invoice.mailed", "invoice", invoice.id)
            return
        finding = Finding(
            code="mail_refused", sentence=f"QuickBooks won't mail invoice {invoice.number or ''}: {row.last_error}",
            holds="The invoice is in QuickBooks, but was not mailed.", who=FINANCE, action="Settle it, then try again.",
        )  # fmt: skip
        self._failed(row, outcome, finding, **self._whose(invoice))

    def _email(self, invoice: Invoice) -> str | None:
        return db.session.execute(select(Customer.billing_email).where(Customer.id == invoice.customer_id)).scalar_one()

    def _ask_for_email(self, row: Work, invoice: Invoice) -> None:
        name = db.session.execute(select(Customer.name).where(Customer.id == invoice.customer_id)).scalar_one()
        finding = Finding(
            code="no_email", sentence=f"{name} has no billing e-mail, so its invoice can't be mailed.",
            holds="The invoice is in QuickBooks, but was not mailed.", who=SALES,
            action="Add one contact with an e-mail address to the deal, then try again.",
        )  # fmt: skip
        problems.open_problem(finding, "work", row.id, work_id=row.id, **self._whose(invoice))
