"""Reads that only the console's pages need. Everything runs under the bound portal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Text, and_, case, column, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from app.billing.states import LEDGER_STATES
from app.core.db import bound_portal, db
from app.core.events import Audit, Event
from app.core.idempotency import Idempotency
from app.customers.models import Customer
from app.deals.models import Deal
from app.invoices.approval import QUESTIONS
from app.invoices.models import Invoice
from app.payments.models import PaymentApplied
from app.portals.models import ADMIN, APPROVER, Person, Portal
from app.problems.models import Problem
from app.subscriptions.models import ACTIVE, Subscription

PAGE = 100
# First day late of each bucket of the ageing; the last one is open-ended.
_AGES = (1, 31, 61, 91)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The drafts that a person can approve now: how many, over how much, how many of them are due to go out."""

    count: int
    due: int
    sums: Sequence[tuple[str, int]]
    reasons: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Age:
    """Open money of one currency by lateness, in minor units: not due, 1-30, 31-60, 61-90, over 90 days."""

    currency: str
    buckets: tuple[int, ...]

    @property
    def open(self) -> int:
        return sum(self.buckets)

    @property
    def overdue(self) -> int:
        return sum(self.buckets[1:])


@dataclass(frozen=True, slots=True)
class Found:
    """One page of invoices with their customers, and how many there are in all."""

    rows: Sequence[tuple[Invoice, Customer]]
    total: int


@dataclass(frozen=True, slots=True)
class Told:
    """A problem with the deal and the customer it concerns, as far as it concerns one."""

    problem: Problem
    deal: Deal | None
    customer: Customer | None


def held() -> dict[int, str]:
    """Return {subscription id: why} of the subscriptions whose drafts can't be approved now."""
    asked = db.session.execute(
        select(Subscription.id, Problem.sentence)
        .join(Problem, Problem.deal_id == Subscription.first_deal_id)
        .where(Problem.code.in_(QUESTIONS), Problem.closed_at.is_(None))
    )
    rows = db.session.execute(select(Subscription.id, Subscription.held_because).where(Subscription.state != ACTIVE))
    return {row.id: row.sentence for row in asked} | {row.id: row.held_because for row in rows}


def approvable_count() -> int:
    """Return how many drafts a person can approve now."""
    return int(db.session.execute(select(func.count()).select_from(_approvable())).scalar_one())


def waiting(today: date, *, routine: str) -> Waiting:
    """Return what waits for approval: drafts of subscriptions that bill, by currency and by reason but `routine`."""
    drafts = _approvable()
    due = func.count().filter(drafts.c.scheduled_on <= today)
    totals = db.session.execute(
        select(drafts.c.currency, func.count(), due, func.sum(drafts.c.net_minor))
        .group_by(drafts.c.currency)
        .order_by(*_own_first(drafts.c.currency))
    ).all()
    each = (
        func.jsonb_array_elements_text(drafts.c.needs_person)
        .table_valued(column("reason", Text), name="each")
        .render_derived()
    )
    reason = each.c.reason
    reasons = db.session.execute(
        select(reason, func.count())
        .select_from(drafts.join(each, true()))
        .where(reason != routine)
        .group_by(reason)
        .order_by(func.count().desc(), reason)
    )
    return Waiting(
        count=sum(row[1] for row in totals),
        due=sum(row[2] for row in totals),
        sums=[(row[0], int(row[3])) for row in totals],
        reasons=[(text, count) for text, count in reasons],
    )


def problem_counts() -> dict[str, int]:
    """Return how many open problems wait for each kind of person."""
    rows = db.session.execute(
        select(Problem.who, func.count().label("number")).where(Problem.closed_at.is_(None)).group_by(Problem.who)
    )
    return {row.who: row.number for row in rows}


def told_problems() -> list[Told]:
    """Return the open problems with their deals and customers, oldest first."""
    statement = (
        select(Problem, Deal, Customer)
        .outerjoin(Deal, Deal.id == Problem.deal_id)
        .outerjoin(Customer, Customer.id == Problem.customer_id)
        .where(Problem.closed_at.is_(None))
        .order_by(Problem.id)
    )
    return [Told(*row) for row in db.session.execute(statement)]


def ageing(today: date) -> list[Age]:
    """Return the open money per currency by days late, as the portal's billing day sees it."""
    columns = []
    for low, high in zip((None, *_AGES), (*_AGES, None), strict=True):
        late_enough = true() if low is None else Invoice.due_on <= today - timedelta(days=low)
        not_later = true() if high is None else Invoice.due_on > today - timedelta(days=high)
        inside = and_(late_enough, not_later)
        columns.append(func.coalesce(func.sum(Invoice.balance_minor).filter(inside), 0))
    statement = (
        select(Invoice.currency, *columns)
        .where(Invoice.state.in_(LEDGER_STATES), Invoice.balance_minor > 0)
        .group_by(Invoice.currency)
        .order_by(*_own_first(Invoice.currency))
    )
    return [Age(row[0], tuple(int(part or 0) for part in row[1:])) for row in db.session.execute(statement)]


def going_out(today: date, days: int) -> list[tuple[str, int, int]]:
    """Return (currency, number, net) of what is written to go out until today + `days`: drafts and approved."""
    dated = func.coalesce(Invoice.issued_on, Invoice.scheduled_on)
    statement = (
        select(Invoice.currency, func.count(), func.sum(Invoice.net_minor))
        .where(Invoice.state.in_(("draft", "approved", "sending")), dated <= today + timedelta(days=days))
        .where(Invoice.kind == "invoice")
        .group_by(Invoice.currency)
        .order_by(*_own_first(Invoice.currency))
    )
    return [(currency, number, int(net or 0)) for currency, number, net in db.session.execute(statement)]


def last_read_of_hubspot() -> datetime | None:
    """Return when a deal was last read from HubSpot."""
    return db.session.execute(select(func.max(Deal.synced_at))).scalar_one()


def has_billed() -> bool:
    """Whether any deal opened a subscription yet."""
    return db.session.execute(select(Subscription.id).limit(1)).scalar_one_or_none() is not None


def by_hand_count() -> int:
    """Return how many approved credit notes a person has to issue in the ledger."""
    waiting = select(func.count()).where(Invoice.state == "approved", Invoice.kind == "credit_note")
    return int(db.session.execute(waiting).scalar_one())


def find_invoices(
    states: Iterable[str], *, text: str = "", overdue_on: date | None = None, page: int = 1, kind: str | None = None
) -> Found:
    """Return a page of invoices in these states, newest first; `overdue_on` keeps those late on that day, oldest first.

    `text` is looked for in the number and the customer's name, whatever its case. `kind`: invoice, credit_note or both.
    """
    where: list[ColumnElement[bool]] = [Invoice.state.in_(list(states))]
    if kind is not None:
        where.append(Invoice.kind == kind)
    if overdue_on is not None:
        where += [Invoice.due_on < overdue_on, Invoice.balance_minor > 0]
    if text:
        where.append(
            or_(Customer.name.icontains(text, autoescape=True), Invoice.number.icontains(text, autoescape=True))
        )
    joined = select(Invoice, Customer).join(Customer, Customer.id == Invoice.customer_id).where(*where)
    total = db.session.execute(joined.with_only_columns(func.count())).scalar_one()
    dated = func.coalesce(Invoice.issued_on, Invoice.scheduled_on)
    order = (Invoice.due_on, Invoice.id) if overdue_on else (dated.desc(), Invoice.id.desc())
    rows = db.session.execute(joined.order_by(*order).limit(PAGE).offset((page - 1) * PAGE))
    return Found([(invoice, customer) for invoice, customer in rows], total)


def overdue_count(today: date) -> int:
    """Return how many invoices are late on this day."""
    late = select(func.count()).where(
        Invoice.state.in_(LEDGER_STATES), Invoice.balance_minor > 0, Invoice.due_on < today
    )
    return int(db.session.execute(late).scalar_one())


def audit_of(kind: str, subject_id: object) -> Sequence[Audit]:
    """Return who did what to a record, oldest first."""
    statement = select(Audit).where(Audit.subject_kind == kind, Audit.subject_id == str(subject_id))
    return db.session.execute(statement.order_by(Audit.id)).scalars().all()


def events_of(kind: str, subject_id: object) -> Sequence[Event]:
    """Return what happened to a record, oldest first."""
    statement = select(Event).where(Event.subject_kind == kind, Event.subject_id == str(subject_id))
    return db.session.execute(statement.order_by(Event.id)).scalars().all()


def payments_of(invoice_id: int) -> Sequence[PaymentApplied]:
    """Return the payments applied to an invoice, oldest first."""
    statement = select(PaymentApplied).where(PaymentApplied.invoice_id == invoice_id)
    return db.session.execute(statement.order_by(PaymentApplied.paid_on, PaymentApplied.id)).scalars().all()


def people() -> Sequence[Person]:
    """Return everybody of the portal, admins first."""
    rank = case({ADMIN: 0, APPROVER: 1}, value=Person.role, else_=2)
    return db.session.execute(select(Person).order_by(rank, Person.email)).scalars().all()


def remembered(door: str, key: str) -> dict[str, Any] | None:
    """Return the answer that was given to a request of this key, if there was one."""
    statement = select(Idempotency.answer).where(Idempotency.door == door, Idempotency.key == key)
    return db.session.execute(statement).scalar_one_or_none()


def named(invoice_ids: Iterable[int]) -> dict[int, tuple[Invoice, Customer]]:
    """Return {id: (invoice, customer)} of the bound portal's invoices among these."""
    statement = select(Invoice, Customer).join(Customer, Customer.id == Invoice.customer_id)
    rows = db.session.execute(statement.where(Invoice.id.in_(list(invoice_ids))))
    return {invoice.id: (invoice, customer) for invoice, customer in rows}


def _own_first(currency: ColumnElement[str] | InstrumentedAttribute[str]) -> tuple[Any, ...]:
    """Order currencies for people: the portal's own, then by code."""
    own = select(Portal.currency).where(Portal.id == bound_portal()).scalar_subquery()
    return (currency != own, currency)


def _asked() -> Select[int | None]:
    """Select the deals about which a question is open: none of their drafts can be approved."""
    return select(Problem.deal_id).where(
        Problem.code.in_(QUESTIONS), Problem.closed_at.is_(None), Problem.deal_id.is_not(None)
    )


def _approvable() -> Subquery:
    return (
        select(Invoice.currency, Invoice.net_minor, Invoice.scheduled_on, Invoice.needs_person)
        .join(Subscription, Subscription.id == Invoice.subscription_id)
        .where(Invoice.state == "draft", Subscription.state == ACTIVE, Subscription.first_deal_id.not_in(_asked()))
        .subquery()
    )
