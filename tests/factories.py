"""Builders for tests: deals as HubSpot has them, and what the product's own actions make of them.

Builders that write need a bound transaction (`app.core.db.transaction`). Nothing here drains a lane: a step is planned
and recorded by hand, with an outcome that the test made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.bootstrap import build_process
from app.connections import actions as connections
from app.connections import queries as connection_queries
from app.connections.models import HUBSPOT, QUICKBOOKS, Connection
from app.core import clock, lanes, retries
from app.core.db import bind_portal, db, transaction
from app.core.outcome import Done, Outcome
from app.core.runner import NotNow, Plan, Step
from app.core.work import WAITING, Work
from app.deals import actions as deals
from app.deals.models import DealVersion
from app.edge import wiring
from app.invoices import drafting
from app.invoices.models import Invoice, InvoiceLine
from app.portals import queries as portals
from app.portals.actions import Actor
from app.portals.models import Portal
from app.ports import Company, CrmDeal, CrmLine, CrmStage, Grant, LedgerInvoice, LedgerPayment, LedgerRecord
from app.problems.models import Problem
from app.settings import Settings
from app.subscriptions import actions as subscriptions
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import Amendment, BilledEntry, Subscription
from tests.conftest import Cluster, Database, drop_database, environment, make_portal

ZONE = "America/New_York"
TODAY = date(2027, 3, 1)
WON = CrmStage("closedwon", "default", "Closed Won", True, "1.0")
OPEN = CrmStage("contractsent", "default", "Contract Sent", False, "0.9")
LOST = CrmStage("closedlost", "default", "Closed Lost", True, "0.0")
ACME: Mapping[str, str | None] = {"hs_object_id": "901", "name": "Acme Inc", "domain": "acme.example"}
WILE: Mapping[str, str | None] = {
    "hs_object_id": "801", "email": "billing@acme.example", "firstname": "Wile", "lastname": "Carter",
}  # fmt: skip
REALM = "9130001001"
_ids = count(1)


def crm_line(line_id: str = "501", **changes: str | None) -> CrmLine:
    """Return a line item: ten seats of Platform at 100.00 a month for twelve months, unless `changes` say otherwise."""
    properties: dict[str, str | None] = {
        "name": "Platform", "hs_product_id": None, "hs_sku": None, "quantity": "10", "price": "100.00",
        "recurringbillingfrequency": "monthly", "hs_recurring_billing_period": "P12M",
        "hs_recurring_billing_start_date": None, "hs_line_item_currency_code": None, "discount": None,
        "hs_pricing_model": None,
    }  # fmt: skip
    return CrmLine(line_id, properties | changes)


def setup_line(line_id: str = "502", **changes: str | None) -> CrmLine:
    """Return a one-time line item: a set-up fee of 2,500.00."""
    one_time = {
        "name": "Set-up", "quantity": "1", "price": "2500.00", "recurringbillingfrequency": None,
        "hs_recurring_billing_period": None,
    }  # fmt: skip
    return crm_line(line_id, **(one_time | changes))


def crm_deal(
    *lines: CrmLine,
    deal_id: int = 301,
    stage: CrmStage | None = WON,
    company: Mapping[str, str | None] | None = ACME,
    company_ids: Sequence[str] | None = None,
    primary_company_ids: Sequence[str] = (),
    contacts: Sequence[Mapping[str, str | None]] = (WILE,),
    **properties: str | None,
) -> CrmDeal:
    """Return a deal closed on 1 March 2027 at noon in New York, in `stage`, with HubSpot's flags to match."""
    is_won = stage is not None and stage.is_closed and stage.probability == "1.0"
    base: dict[str, str | None] = {
        "dealname": "Acme - Platform", "closedate": "2027-03-01T17:00:00Z", "deal_currency_code": "USD",
        "dealtype": None, "hs_is_closed": str(stage is not None and stage.is_closed).lower(),
        "hs_is_closed_won": str(is_won).lower(),
    }  # fmt: skip
    known = (str(company["hs_object_id"]),) if company is not None else ()
    return CrmDeal(
        id=deal_id, properties=base | properties, stage=stage, lines=lines or (crm_line(),), company=company,
        company_ids=tuple(company_ids if company_ids is not None else known),
        primary_company_ids=tuple(primary_company_ids), contacts=tuple(contacts),
    )  # fmt: skip


def without_lines(deal: CrmDeal) -> CrmDeal:
    """Return the deal with no line item left."""
    return replace(deal, lines=())


def set_today(day: date, zone: str = ZONE) -> None:
    """Move the sandbox's calendar so that it is this day in a zone, whatever the hour is. Commits."""
    clock.move(day, zone)
    db.session.commit()


def fresh_portal(**changes: Any) -> int:
    """Make a portal of its own for one test, in a database that tests share; `changes` are its columns. Commits."""
    return make_portal(hub_id=5_000_000 + next(_ids), **changes)


@pytest.fixture(scope="session")
def product(cluster: Cluster, new_database: Callable[[], Database]) -> Iterator[Flask]:
    """The wired process on a database that the tests of a folder share; each works in a portal of its own."""
    database = new_database()
    made = build_process(Settings.from_environ(environment(database.app_url, f"{cluster.redis_url}/9")))
    yield made
    with made.app_context():
        db.engine.dispose()
    drop_database(cluster, database)


@pytest.fixture
def unbound(product: Flask) -> Iterator[int]:
    """A portal for tests that commit, with QuickBooks connected; it is 1 March 2027 in New York."""
    with product.app_context():
        set_today(TODAY)
        portal_id = fresh_portal()
        with transaction(portal_id):
            connect_ledger()
        yield portal_id
        db.session.rollback()


@pytest.fixture
def portal(unbound: int) -> Iterator[Portal]:
    """The same portal, bound for one transaction that is rolled back: automatic, USD, live since 1 January 2026."""
    bind_portal(unbound)
    yield portals.current()
    db.session.rollback()
    db.session().info.pop("portal_id", None)


def actor(role: str = "approver") -> Actor:
    """Return a person who acts with a role."""
    return Actor(0, f"{role}@northwind.example", role)


def grant(access: str = "access-token", refresh: str = "refresh-token") -> Grant:
    """Return tokens that live for an hour."""
    return Grant(access, refresh, clock.now() + timedelta(hours=1))


def connect_ledger(realm_id: str = REALM, **facts: Any) -> Connection:
    """Connect the bound portal to a QuickBooks company with one income account."""
    connection = connections.connect(
        wiring().ring, provider=QUICKBOOKS, environment="sandbox", account_id=realm_id, name="Northwind Books",
        grant=grant(), by="ada@northwind.example",
    )  # fmt: skip
    company: dict[str, Any] = {
        "name": "Northwind Books", "currency": "USD", "country": "US", "timezone": ZONE, "multi_currency": False,
        "custom_numbers": False, "facts": {"income_accounts": [{"id": "79", "name": "Sales"}], "tax_codes": []},
    }  # fmt: skip
    connections.describe_company(connection, Company(**(company | facts)))
    return connection


def connect_crm(hub_id: int) -> Connection:
    """Connect the bound portal to its HubSpot account."""
    return connections.connect(
        wiring().ring, provider=HUBSPOT, environment="", account_id=str(hub_id), name="Northwind", grant=grant(),
        by="ada@northwind.example",
    )  # fmt: skip


def observe(deal: CrmDeal) -> Subscription | None:
    """Read and follow a deal, as the HubSpot lane does with what it read."""
    portal = portals.current()
    subscription = subscriptions.follow(deals.observe(deal, portal), portal)
    db.session.flush()
    return subscription


def win(deal: CrmDeal | None = None) -> Subscription:
    """Win a deal; its subscription is open."""
    subscription = observe(deal or crm_deal())
    assert subscription is not None
    return subscription


def agreed(subscription: Subscription, **fields: Any) -> None:
    """Have the subscription follow a version with these fields, whatever a deal in HubSpot could say."""
    now = db.session.get_one(DealVersion, subscription.deal_version_id)
    other = DealVersion(
        deal_id=now.deal_id,
        number=now.number + 100,
        document=now.document | fields,
        sources={},
        document_hash="made up",
    )
    db.session.add(other)
    db.session.flush()
    subscription.deal_version_id = subscription.wanted_version_id = other.id


def amendments(subscription_id: int) -> list[Amendment]:
    """Return a subscription's amendments that count, oldest first."""
    return subscription_queries.amendments(subscription_id)


def issue(subscription: Subscription | int) -> list[Invoice]:
    """Have what is drafted and approved in the ledger, past the point where its approval can be taken back."""
    found = draft(subscription)
    for invoice in found:
        assert invoice.state in ("approved", "open"), invoice.needs_person
        invoice.state = "open"
    db.session.flush()
    return found


def draft(subscription: Subscription | int) -> list[Invoice]:
    """Bring a subscription's drafts up to date and return all its invoices, oldest first."""
    subscription_id = subscription if isinstance(subscription, int) else subscription.id
    drafting.draft(subscription_id)
    return invoices(subscription_id)


def invoices(subscription_id: int, *states: str) -> list[Invoice]:
    """Return a subscription's invoices, or those in some states, by date."""
    statement = select(Invoice).where(Invoice.subscription_id == subscription_id)
    if states:
        statement = statement.where(Invoice.state.in_(states))
    return list(db.session.execute(statement.order_by(Invoice.scheduled_on, Invoice.id)).scalars())


def lines(invoice: Invoice) -> list[InvoiceLine]:
    """Return an invoice's lines in order."""
    statement = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
    return list(db.session.execute(statement).scalars())


def entries(subscription_id: int, *, live: bool = True) -> list[BilledEntry]:
    """Return what is settled for a subscription; released entries too if not `live`."""
    statement = select(BilledEntry).where(BilledEntry.subscription_id == subscription_id).order_by(BilledEntry.id)
    found = db.session.execute(statement.execution_options(populate_existing=True)).scalars()
    return [entry for entry in found if not live or entry.released_at is None]


def open_problems() -> dict[str, Problem]:
    """Return the open problems of the bound portal by code."""
    statement = select(Problem).where(Problem.closed_at.is_(None)).execution_options(populate_existing=True)
    return {problem.code: problem for problem in db.session.execute(statement).scalars()}


def how_many(table: Any, *where: Any) -> int:
    """Count rows."""
    return int(db.session.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def row(kind: str, subject: object) -> Work:
    """Return a row of work, as the database has it."""
    db.session.flush()
    found = db.session.execute(
        select(Work).where(Work.kind == kind, Work.subject == str(subject)).execution_options(populate_existing=True)
    ).scalar_one()
    return found


@dataclass(frozen=True)
class Pace:
    """Timing for `retries.apply`."""

    retry_base_s: float = 5
    unknown_wait_s: float = 150


def plan(step: Step, work_row: Work) -> Plan | NotNow:
    """Plan a step as the runner does: a plan marks the row as being sent, NotNow settles it."""
    db.session.flush()
    work_row.attempts += 1
    planned = step.plan(work_row, "access-token")
    if isinstance(planned, Plan):
        lanes.mark_sending(work_row, writes=step.writes)
    elif planned.done:
        work_row.state = "done"
    elif planned.delay_s is None:
        retries.park(work_row, planned.why)
    else:
        work_row.last_error = planned.why or None
        retries.wait(work_row, planned.delay_s)
    db.session.flush()
    return planned


def planned(step: Step, work_row: Work) -> Plan:
    """Plan a step that has something to send."""
    found = plan(step, work_row)
    assert isinstance(found, Plan), found
    return found


def record(step: Step, work_row: Work, outcome: Outcome) -> None:
    """Record a hand-made outcome as the runner does."""
    if isinstance(outcome, Done):
        work_row.failures, work_row.failure_kind, work_row.last_error = 0, None, None
        work_row.outcome_unknown, work_row.state = False, "done"
    else:
        retries.apply(work_row, outcome, Pace(), writes=step.writes)
    step.record(work_row, outcome)
    db.session.flush()


def push(step: Step, kind: str, subject: object, outcome: Outcome) -> Plan:
    """Plan and record one step."""
    work_row = row(kind, subject)
    assert work_row.state == WAITING
    made = planned(step, work_row)
    record(step, work_row, outcome)
    return made


def ledger_record(external_id: str = "58", name: str = "Acme Inc") -> LedgerRecord:
    """Return a customer or item as the ledger has it."""
    return LedgerRecord(external_id, "0", {"name": name})


def ledger_invoice(external_id: str = "145", **changes: Any) -> LedgerInvoice:
    """Return an invoice as the ledger has it: 1,000.00 USD, open, not mailed."""
    theirs = LedgerInvoice(
        id=external_id, sync_token="0", number="1001", issued_on=date(2027, 3, 1), due_on=date(2027, 3, 31),
        currency="USD", total_minor=100_000, tax_minor=0, balance_minor=100_000, emailed=False, voided=False,
        deleted=False, customer_id="58", marker="",
    )  # fmt: skip
    return replace(theirs, **changes)


def ledger_payment(*applied: tuple[str, int], payment_id: str = "201", **changes: Any) -> LedgerPayment:
    """Return a payment taken on 10 March 2027."""
    return replace(LedgerPayment(payment_id, date(2027, 3, 10), "USD", tuple(applied)), **changes)


def ledger_connection() -> Connection:
    """Return the bound portal's ledger connection."""
    connection = connection_queries.ledger()
    assert connection is not None
    return connection
