"""Reads what a standing is made of, in a number of queries that doesn't grow with the customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from app.billing import PlannedDocument, preview
from app.billing.money import Money
from app.connections import queries as connections
from app.connections.models import Connection, ExternalRef
from app.core import clock
from app.core.db import db
from app.core.errors import NotFound
from app.customers.models import Customer
from app.deals.models import Deal, DealVersion
from app.invoices.models import Invoice
from app.portals.models import Portal
from app.portals.queries import current
from app.problems import queries as problems
from app.problems.models import Problem
from app.subscriptions import amending
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import ACTIVE, Subscription
from app.subscriptions.settled import core_document

_AHEAD_DAYS = 400
# Problems of a deal under which no further invoice is drafted.
_STOP_DRAFTS = (*amending.QUESTIONS, "core_question")


class NothingBilled(NotFound):
    """An id we don't know: a record nothing was won for yet, or another portal's. The card shows its empty state."""

    code = "nothing_billed"


@dataclass(frozen=True, slots=True)
class NextCharge:
    """The next document that will be issued: its day, its net and why in words."""

    on: date
    net: Money
    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a standing is told from."""

    portal: Portal
    today: date
    as_of: datetime
    customer: Customer | None
    deal: Deal | None
    invoices: Sequence[Invoice]
    subscriptions: Sequence[Subscription]
    next_charge: NextCharge | None
    contract_ends_on: date | None
    problems: Sequence[Problem]
    connections: Sequence[Connection]
    external_ids: dict[int, str]


def of_company(hubspot_company_id: int) -> Facts:
    """Return the facts of a HubSpot company. NotFound for one we never met, which another portal's always is."""
    customer = db.session.execute(
        select(Customer).where(Customer.hubspot_company_id == hubspot_company_id)
    ).scalar_one_or_none()
    if customer is None:
        raise NothingBilled("Nothing is billed for this company yet. Billing starts when one of its deals is won.")
    return _gather(customer, None)


def of_deal(hubspot_deal_id: int) -> Facts:
    """Return the facts of a HubSpot deal: its own invoices only. NotFound as for companies."""
    row = db.session.execute(
        select(Deal, Customer)
        .outerjoin(Customer, Customer.id == Deal.customer_id)
        .where(Deal.hubspot_deal_id == hubspot_deal_id)
    ).one_or_none()
    if row is None:
        raise NothingBilled("Nothing is billed for this deal yet. Billing starts when it is won.")
    return _gather(row[1], row[0])


def _gather(customer: Customer | None, deal: Deal | None) -> Facts:
    portal = current()
    subscriptions: Sequence[Subscription] = []
    invoices: Sequence[Invoice] = []
    if customer is not None:
        wanted = select(Subscription).where(Subscription.customer_id == customer.id).order_by(Subscription.id)
        if deal is not None:
            wanted = wanted.where(Subscription.first_deal_id == deal.id)
        subscriptions = db.session.execute(wanted).scalars().all()
        invoices = _invoices(customer, deal, subscriptions)
    today = clock.today(portal.timezone)
    open_problems = _problems(customer, deal)
    stopped = {problem.deal_id for problem in open_problems if problem.code in _STOP_DRAFTS}
    charge, ends_on = _ahead(subscriptions, invoices, today, stopped)
    ledger = connections.all_of_portal()
    return Facts(
        portal=portal,
        today=today,
        as_of=clock.now(),
        customer=customer,
        deal=deal,
        invoices=invoices,
        subscriptions=subscriptions,
        next_charge=charge,
        contract_ends_on=ends_on,
        problems=open_problems,
        connections=ledger,
        external_ids=_external_ids(invoices),
    )


def _problems(customer: Customer | None, deal: Deal | None) -> Sequence[Problem]:
    if deal is not None:
        return problems.open_ones(deal_id=deal.id, customer_id=deal.customer_id)
    return problems.open_ones(customer_id=customer.id if customer else 0)


def _invoices(customer: Customer, deal: Deal | None, subscriptions: Sequence[Subscription]) -> Sequence[Invoice]:
    statement = select(Invoice).where(Invoice.customer_id == customer.id)
    if deal is not None:
        statement = statement.where(Invoice.subscription_id.in_([s.id for s in subscriptions]))
    return db.session.execute(statement.order_by(Invoice.scheduled_on.desc(), Invoice.id.desc())).scalars().all()


def _ahead(
    subscriptions: Sequence[Subscription], invoices: Sequence[Invoice], today: date, stopped: set[int | None]
) -> tuple[NextCharge | None, date | None]:
    """Ask the core for what comes next, over all subscriptions, in a few queries; nothing of a deal that is stopped."""
    ids = [s.id for s in subscriptions]
    wanted = {s.deal_version_id for s in subscriptions} | {s.base_version_id for s in subscriptions}
    found = db.session.execute(select(DealVersion).where(DealVersion.id.in_([i for i in wanted if i is not None])))
    versions = {version.id: version for version in found.scalars()}
    entries, amendments = subscription_queries.live_entries_of(ids), subscription_queries.amendments_of(ids)
    charges: list[NextCharge] = []
    ends: list[date] = []
    for subscription in subscriptions:
        base = subscription.base_version_id
        document = core_document(
            subscription, versions[subscription.deal_version_id], entries[subscription.id],
            base=None if base is None else versions[base], amendments=amendments[subscription.id],
        )  # fmt: skip
        until = date.fromordinal(today.toordinal() + _AHEAD_DAYS)
        answer = preview(document | {"until": until.isoformat()}, as_of=today)
        if answer.renewal is not None:
            ends.append(date.fromordinal(answer.renewal.next_start.toordinal() - 1))
        upcoming = [d for d in answer.documents if d.sent and d.billable and d.kind == "invoice"]
        if subscription.state == ACTIVE and upcoming and subscription.first_deal_id not in stopped:
            charges.append(_charge(upcoming[0], subscription, invoices, today))
    return min(charges, key=lambda charge: charge.on, default=None), max(ends, default=None)


def _charge(first: PlannedDocument, subscription: Subscription, invoices: Sequence[Invoice], today: date) -> NextCharge:
    """Return the next charge as its draft shows it, where there is one: a person may have changed that."""
    on = max(first.dated, today)
    key = (subscription.id, "draft", first.dated, first.kind, first.change or "")
    for draft in invoices:
        mine = (draft.subscription_id, draft.state, draft.scheduled_on, draft.kind, draft.change)
        if mine == key and draft.bill_to in ("", first.bill_to) and draft.document:
            net = Money(draft.net_minor, draft.currency)
            return NextCharge(on, net, "; ".join(line["why"] for line in draft.document["lines"]))
    return NextCharge(on, first.net, "; ".join(line.why for line in first.lines))


def _external_ids(invoices: Iterable[Invoice]) -> dict[int, str]:
    rows = db.session.execute(
        select(ExternalRef.local_id, ExternalRef.external_id).where(
            ExternalRef.resource == "invoice", ExternalRef.local_id.in_([invoice.id for invoice in invoices])
        )
    )
    return {row.local_id: row.external_id for row in rows}
