"""Reads of invoices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from app.core.db import db
from app.core.errors import NotFound
from app.customers.models import Customer
from app.deals.models import Deal
from app.invoices.models import Invoice, InvoiceLine, LedgerItem
from app.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class Listed:
    """An invoice with what a list shows beside it."""

    invoice: Invoice
    customer: Customer
    deal: Deal


def _listing() -> Select[Invoice, Customer, Deal]:
    return (
        select(Invoice, Customer, Deal)
        .join(Customer, Customer.id == Invoice.customer_id)
        .join(Subscription, Subscription.id == Invoice.subscription_id)
        .join(Deal, Deal.id == Subscription.first_deal_id)
    )


def listed(states: Iterable[str], *, limit: int = 200) -> list[Listed]:
    """Return invoices in these states with customer and deal, by date."""
    statement = _listing().where(Invoice.state.in_(list(states)))
    ordered = statement.order_by(Invoice.scheduled_on.desc(), Invoice.id.desc()).limit(limit)
    return [Listed(*row) for row in db.session.execute(ordered)]


def drafts() -> list[Listed]:
    """Return all drafts, the earliest first."""
    statement = _listing().where(Invoice.state == "draft")
    return [Listed(*row) for row in db.session.execute(statement.order_by(Invoice.scheduled_on, Invoice.id))]


def one(invoice_id: int) -> Listed:
    """Return one invoice with customer and deal; NotFound if the bound portal has no such invoice."""
    row = db.session.execute(_listing().where(Invoice.id == invoice_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such invoice.")
    return Listed(*row)


def locked(invoice_id: int) -> Invoice:
    """Lock and return an invoice; NotFound if the bound portal has no such invoice."""
    found = db.session.execute(
        select(Invoice).where(Invoice.id == invoice_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


def exists(invoice_id: int) -> bool:
    """Whether the bound portal has this invoice."""
    return db.session.execute(select(Invoice.id).where(Invoice.id == invoice_id)).scalar_one_or_none() is not None


def lines(invoice_ids: Iterable[int]) -> dict[int, list[InvoiceLine]]:
    """Return the lines of invoices, in order, by invoice id."""
    by_invoice: dict[int, list[InvoiceLine]] = {}
    statement = select(InvoiceLine).where(InvoiceLine.invoice_id.in_(list(invoice_ids)))
    for line in db.session.execute(statement.order_by(InvoiceLine.invoice_id, InvoiceLine.position)).scalars():
        by_invoice.setdefault(line.invoice_id, []).append(line)
    return by_invoice


def of_customer(customer_id: int) -> Sequence[Invoice]:
    """Return a customer's invoices, newest first."""
    return (
        db.session.execute(
            select(Invoice)
            .where(Invoice.customer_id == customer_id)
            .order_by(Invoice.scheduled_on.desc(), Invoice.id.desc())
        ).scalars().all()
    )  # fmt: skip


def of_subscription(subscription_id: int, states: Iterable[str]) -> Sequence[Invoice]:
    """Return a subscription's invoices in these states, locked, oldest first."""
    statement = select(Invoice).where(Invoice.subscription_id == subscription_id, Invoice.state.in_(list(states)))
    return db.session.execute(statement.order_by(Invoice.scheduled_on, Invoice.id).with_for_update()).scalars().all()


def drafts_of(subscription_ids: Iterable[int]) -> dict[int, list[Invoice]]:
    """Return the drafts of subscriptions, locked, oldest first, by subscription; one query for all."""
    found: dict[int, list[Invoice]] = {subscription_id: [] for subscription_id in subscription_ids}
    statement = select(Invoice).where(Invoice.subscription_id.in_(list(found)), Invoice.state == "draft")
    ordered = statement.order_by(Invoice.scheduled_on, Invoice.id).with_for_update()
    for invoice in db.session.execute(ordered.execution_options(populate_existing=True)).scalars():
        found[invoice.subscription_id].append(invoice)
    return found


def customers_of(invoice_ids: Iterable[int]) -> dict[int, Customer]:
    """Return the customers of invoices by their own id."""
    wanted = select(Invoice.customer_id).where(Invoice.id.in_(list(invoice_ids)))
    found = db.session.execute(select(Customer).where(Customer.id.in_(wanted))).scalars()
    return {customer.id: customer for customer in found}


def customers_billed(customer_ids: Iterable[int]) -> frozenset[int]:
    """Return those of these customers of whom any invoice was approved before."""
    wanted = (Invoice.customer_id.in_(list(customer_ids)), Invoice.approved_at.is_not(None))
    return frozenset(db.session.execute(select(Invoice.customer_id).where(*wanted).distinct()).scalars())


def counts_by_state() -> dict[str, int]:
    """Return how many invoices are in each state."""
    rows = db.session.execute(select(Invoice.state, func.count()).group_by(Invoice.state))
    return {row[0]: row[1] for row in rows}


def deal_of(invoice: Invoice) -> int:
    """Return our id of the deal that an invoice bills."""
    return db.session.execute(
        select(Subscription.first_deal_id).where(Subscription.id == invoice.subscription_id)
    ).scalar_one()


def ledger_items(names: Iterable[str]) -> dict[str, int]:
    """Return {name: our id} of items that we know."""
    rows = db.session.execute(select(LedgerItem.name, LedgerItem.id).where(LedgerItem.name.in_(list(names))))
    return {row.name: row.id for row in rows}
