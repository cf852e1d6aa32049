"""Customers in every state that a card shows, written as fixed rows on a fixed day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app.connections.models import Connection, ExternalRef
from app.core import clock
from app.core.db import db, transaction
from app.customers.models import Customer
from app.deals.models import Deal, DealVersion
from app.invoices.models import Invoice
from app.portals import queries as portals
from app.problems import actions as problems
from app.problems.actions import FINANCE, SALES, Finding
from app.subscriptions.models import BilledEntry, Subscription

TODAY = date(2026, 6, 15)
COMPANY, DEAL = 8001, 9001
START = date(2026, 4, 15)
INSTANT = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Books:
    """One portal's rows, written inside its transaction."""

    def connect(self, hubspot: str = "connected", quickbooks: str | None = "connected") -> None:
        """Give the portal its two connections, in these states."""
        for provider, state in (("hubspot", hubspot), ("quickbooks", quickbooks)):
            if state is not None:
                db.session.add(
                    Connection(provider=provider, account_digest=provider, account_sealed=b"x", state=state,
                               environment="")
                )  # fmt: skip
        db.session.flush()

    def customer(self, company_id: int = COMPANY) -> Customer:
        """Return a company that we bill."""
        made = Customer(hubspot_company_id=company_id, name="Cedar & Pine", billing_email="ap@cedar.example")
        db.session.add(made)
        db.session.flush()
        return made

    def deal(
        self, customer: Customer, deal_id: int = DEAL, *, currency: str = "USD", price: str = "120"
    ) -> Subscription:
        """Return the subscription of a won deal: ten seats a month for a year from 15 April."""
        deal = Deal(hubspot_deal_id=deal_id, customer_id=customer.id, name=f"Seats {deal_id}", state="won")
        db.session.add(deal)
        db.session.flush()
        document = {
            "id": str(deal_id), "customer": customer.name, "currency": currency, "start": START.isoformat(),
            "term_months": 12, "payment": {"net_days": 30}, "billing": {"interval": "P1M"},
            "items": [{"key": "seats", "name": "Seats", "kind": "recurring", "quantity": "10", "unit_price": price,
                       "price_interval": "P1M"}],
        }  # fmt: skip
        version = DealVersion(deal_id=deal.id, number=1, document=document, sources={}, document_hash="h")
        db.session.add(version)
        db.session.flush()
        made = Subscription(
            customer_id=customer.id, first_deal_id=deal.id, deal_version_id=version.id, wanted_version_id=version.id,
            start_on=START, zone="UTC", currency=currency,
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
        deal.subscription_id = made.id
        return made

    def invoice(self, subscription: Subscription, scheduled_on: date, state: str, **columns: Any) -> Invoice:
        """Return an invoice of one month, which counts as billed unless a draft or a credit; net 1200 unless told."""
        net = columns.pop("net_minor", 120000)
        number = columns.pop("number", None)
        made = Invoice(
            subscription_id=subscription.id, customer_id=subscription.customer_id, state=state,
            deal_version_id=subscription.deal_version_id, scheduled_on=scheduled_on,
            due_on=columns.pop("due_on", scheduled_on + timedelta(days=30)), net_days=30,
            currency=subscription.currency, net_minor=net, document={}, number=number, **columns,
        )  # fmt: skip
        if state not in ("draft", "approved", "sending"):
            made.issued_on, made.approved_at, made.tax_minor, made.total_minor = scheduled_on, INSTANT, 0, net
            made.balance_minor = columns.get("balance_minor", 0 if state in ("paid", "voided", "deleted") else net)
        db.session.add(made)
        db.session.flush()
        if state != "draft" and made.kind == "invoice":
            end = date(scheduled_on.year + scheduled_on.month // 12, scheduled_on.month % 12 + 1, scheduled_on.day)
            db.session.add(
                BilledEntry(
                    subscription_id=subscription.id, invoice_id=made.id, item_key="seats", charged_minor=net,
                    period=Range(scheduled_on, end, bounds="[)"), currency=subscription.currency,
                )
            )  # fmt: skip
        if number is not None:
            ledger = db.session.execute(select(Connection).where(Connection.provider == "quickbooks")).scalar_one()
            db.session.add(
                ExternalRef(connection_id=ledger.id, resource="invoice", external_id=f"5{number}", local_id=made.id)
            )
        db.session.flush()
        return made


def _billed(books: Books, *states: str, **last: Any) -> Subscription:
    """Write one monthly deal with an invoice in each of these states from the start on; `last` is of the last one."""
    subscription = books.deal(books.customer())
    for n, state in enumerate(states):
        columns = dict(last) if n == len(states) - 1 else {"paid_on": START + timedelta(days=20)}
        on = date(START.year, START.month + n, START.day)
        numbered = {} if state in ("draft", "approved", "sending") else {"number": str(1001 + n)}
        books.invoice(subscription, on, state, **(numbered | columns))
    return subscription


def draft_waiting(books: Books) -> None:
    books.connect()
    _billed(books, "paid", "paid", "draft", needs_person=["This portal approves every invoice."])


def on_its_way(books: Books) -> None:
    books.connect()
    _billed(books, "paid", "paid", "approved")


def first_charge(books: Books) -> None:
    books.connect()
    books.deal(books.customer())


def open_invoice(books: Books) -> None:
    books.connect()
    _billed(books, "paid", "paid", "sent")


def overdue(books: Books) -> None:
    books.connect()
    _billed(books, "paid", "sent", due_on=date(2026, 5, 25))


def partly_paid(books: Books) -> None:
    books.connect()
    _billed(books, "paid", "paid", "partly_paid", balance_minor=70050)


def paid(books: Books) -> None:
    books.connect()
    _billed(books, "paid", "paid", "paid", paid_on=date(2026, 6, 15))


def voided(books: Books) -> None:
    books.connect()
    subscription = _billed(books, "paid", "paid", "voided")
    problems.open_problem(
        Finding(
            code="ended_in_ledger", holds="Its period is not billed again by itself.", who=FINANCE,
            sentence="Invoice 1003 over 1200.00 USD was voided in QuickBooks.",
            action="If it should be billed after all, issue it in QuickBooks by hand.",
        ), "invoice", 1, customer_id=subscription.customer_id,
    )  # fmt: skip


def problem(books: Books) -> None:
    books.connect()
    subscription = _billed(books, "paid", "paid")
    subscription.state, subscription.held_because = "held", "The deal has open questions."
    whose = {"deal_id": subscription.first_deal_id, "customer_id": subscription.customer_id}
    problems.open_problem(
        Finding(
            code="no_term", sentence='"Support" has no term, so Dealwright doesn\'t know how long to bill it.',
            holds="Billing of this deal waits.", who=SALES,
            action='Set "Term" on the line item, for example 12 months.',
        ), "deal", subscription.first_deal_id, **whose,
    )  # fmt: skip
    problems.open_problem(
        Finding(
            code="invoice_refused", sentence="QuickBooks refuses the invoice over 1200.00 USD: the account is closed.",
            holds="This invoice waits; others go on.", who=FINANCE, action="Settle it in QuickBooks, then try again.",
        ), "work", 1, **whose,
    )  # fmt: skip


def credit_waiting(books: Books) -> None:
    """Everything is paid, and finance has a credit to approve."""
    books.connect()
    _credit(books, "draft", needs_person=["Credits are always approved by a person."])


def credit_by_hand(books: Books) -> None:
    """The credit is approved, and waits to be issued in QuickBooks."""
    books.connect()
    _credit(books, "approved")


def _credit(books: Books, state: str, **columns: Any) -> None:
    subscription = _billed(books, "paid", "paid")
    books.invoice(
        subscription, date(2026, 6, 1), state, kind="credit_note", change="amendment-1", net_minor=-16000, **columns
    )


def reconnect_needed(books: Books) -> None:
    books.connect(quickbooks="needs_reconnect")
    _billed(books, "paid", "sent", due_on=date(2026, 5, 25))
    connection = db.session.execute(select(Connection).where(Connection.provider == "quickbooks")).scalar_one()
    problems.open_problem(
        Finding(
            code="reconnect", sentence="QuickBooks no longer accepts our connection: the grant was withdrawn.",
            holds="Everything that goes to or comes from QuickBooks waits; nothing is lost.", who="admin",
            action="Connect QuickBooks again.",
        ), "connection", connection.id,
    )  # fmt: skip


def quickbooks_not_connected(books: Books) -> None:
    books.connect(quickbooks=None)
    books.deal(books.customer())


def several_currencies(books: Books) -> None:
    """The deal of the card bills in euros; another of the same company bills in the portal's dollars."""
    books.connect()
    customer = books.customer()
    euro = books.deal(customer, currency="EUR", price="99.50")
    dollar = books.deal(customer, DEAL + 1)
    yen = books.deal(customer, DEAL + 2, currency="JPY", price="15000")
    books.invoice(euro, START, "sent", net_minor=99500, number="1001", due_on=date(2026, 5, 15))
    books.invoice(dollar, date(2026, 6, 15), "open", number="1002")
    books.invoice(yen, date(2026, 6, 15), "partly_paid", net_minor=150000, balance_minor=50000, number="1003")


STATES: dict[str, Callable[[Books], None]] = {
    "draft-waiting": draft_waiting, "on-its-way": on_its_way, "first-charge": first_charge, "open": open_invoice,
    "overdue": overdue, "partly-paid": partly_paid, "paid": paid, "voided": voided, "problem": problem,
    "reconnect-needed": reconnect_needed, "quickbooks-not-connected": quickbooks_not_connected,
    "several-currencies": several_currencies, "credit-waiting": credit_waiting, "credit-by-hand": credit_by_hand,
}  # fmt: skip


def write(portal_id: int, state: Callable[[Books], None]) -> None:
    """Bring a portal's books into a state on the fixed day. Needs an app context; the caller brings the day back."""
    with transaction(portal_id):
        portals.current().timezone = "UTC"
        clock.move(TODAY, "UTC")
        state(Books())
