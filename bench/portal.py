"""A portal with many subscriptions, billed month by month as the daily run does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from app.bootstrap import build_process
from app.connections import actions as connections
from app.connections.models import QUICKBOOKS
from app.core import clock, work
from app.core.bulk import fresh_ids, insert_rows
from app.core.db import Base, db, transaction
from app.core.runner import Runner
from app.customers.models import Customer
from app.deals import actions as deals
from app.deals.models import Deal, DealItem, DealVersion
from app.edge import wiring
from app.invoices import approval, drafting
from app.invoices.models import Invoice
from app.portals import actions as portals
from app.portals import queries as portal_queries
from app.ports import Company, CrmDeal, CrmLine, CrmStage, Grant
from app.subscriptions import actions as subscriptions
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import Subscription
from bench.places import Database

ZONE, HUB_ID = "America/New_York", 4001001
FIRST_DAY = date(2027, 3, 1)
_WON = CrmStage("closedwon", "default", "Closed Won", True, "1.0")


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal on a database of its own with `count` subscriptions, and the lane of its daily run."""

    app: Flask
    database: Database
    id: int
    lane_id: int
    count: int

    def move_to(self, day: date) -> None:
        """Make it another day, on which the daily run is due."""
        with self.app.app_context():
            clock.move(day, ZONE)
            db.session.commit()

    def run(self) -> None:
        """Work off what the clock would ring for: the daily run, batch by batch, each in its own transaction."""
        runner: Runner = self.app.extensions["dealwright"].runner
        with self.app.app_context():
            while runner.drain(self.lane_id):
                pass

    def approve(self, today: date) -> int:
        """Approve every draft, as a person would, so that the next month begins with settled ones; say how many."""
        approved = 0
        with self.app.app_context():
            while found := self._approve_some(today):
                approved += found
        return approved

    def _approve_some(self, today: date) -> int:
        with transaction(self.id) as session:
            drafts = session.execute(
                select(Invoice).where(Invoice.state == "draft").order_by(Invoice.id).limit(drafting.BATCH)
            ).scalars().all()  # fmt: skip
            locked = subscription_queries.lock_free(draft.subscription_id for draft in drafts)
            by_id = {subscription.id: subscription for subscription in locked}
            pairs = [(by_id[draft.subscription_id], draft) for draft in drafts]
            approval.approve(pairs, by="ada@northwind.example", today=today)
            return len(drafts)


@contextmanager
def opened(database: Database, *, mode: str, count: int) -> Iterator[Portal]:
    """Make a portal in which `count` deals are won on the first day, in an invoice mode."""
    app = build_process(database.settings)
    with ExitStack() as undo:
        with app.app_context():
            undo.callback(db.engine.dispose)
            clock.move(FIRST_DAY, ZONE)
            db.session.commit()
            portal_id = portals.open_portal(HUB_ID)
            with transaction(portal_id):
                lane_id = _set_up(mode)
                model = _win()
                for n in range(1, count, drafting.BATCH):
                    _copy(model, range(n, min(n + drafting.BATCH, count)))
        yield Portal(app, database, portal_id, lane_id, count)


def _set_up(mode: str) -> int:
    """Leave the bound portal as an install and its settings do, with QuickBooks connected; return its lane."""
    portal = portal_queries.current()
    portals.describe(
        portal, name="Northwind Software", ui_domain="app.hubspot.com", account_type="STANDARD", zone=ZONE,
        currency="USD", today=date(2026, 1, 1),
    )  # fmt: skip
    portal.invoice_mode, portal.first_invoice_by_person = mode, False
    connection = connections.connect(
        wiring().ring, provider=QUICKBOOKS, environment="sandbox", account_id="9130001001", name="Northwind Books",
        grant=Grant("access", "refresh", clock.now() + timedelta(days=1)), by="ada@northwind.example",
    )  # fmt: skip
    connections.describe_company(connection, Company(
        name="Northwind Books", currency="USD", country="US", timezone=ZONE, multi_currency=False,
        custom_numbers=False, facts={"income_accounts": [{"id": "79", "name": "Sales"}], "tax_codes": []},
    ))  # fmt: skip
    lane_id = work.lane("portal").id
    work.want(lane_id, drafting.RUN, "daily")
    return lane_id


def _win() -> Subscription:
    """Win one deal, read and followed as one from HubSpot: ten seats of Platform at 100.00 a month for a year."""
    line = CrmLine("501", {
        "name": "Platform", "quantity": "10", "price": "100.00", "recurringbillingfrequency": "monthly",
        "hs_recurring_billing_period": "P12M",
    })  # fmt: skip
    deal = CrmDeal(
        id=300, stage=_WON, lines=(line,), company={"hs_object_id": "900", "name": "Acme Inc"}, company_ids=("900",),
        primary_company_ids=(), contacts=({"hs_object_id": "800", "email": "billing@acme.example"},),
        properties={
            "dealname": "Acme - Platform", "closedate": f"{FIRST_DAY}T17:00:00Z", "deal_currency_code": "USD",
            "hs_is_closed": "true", "hs_is_closed_won": "true",
        },
    )  # fmt: skip
    portal = portal_queries.current()
    observed = deals.observe(deal, portal)
    subscription = subscriptions.follow(observed, portal)
    if subscription is None or observed.findings:
        raise RuntimeError(f"the deal of the benchmark is not billable: {observed.findings}")
    db.session.flush()
    return subscription


def _copy(model: Subscription, numbers: Sequence[int]) -> None:
    """Write customers, deals and subscriptions like the one that was won, in bulk: winning each takes minutes."""
    session, count = db.session, len(numbers)
    deal = session.get_one(Deal, model.first_deal_id)
    version = session.get_one(DealVersion, model.deal_version_id)
    item = session.execute(select(DealItem).where(DealItem.deal_id == deal.id)).scalar_one()
    customer = session.get_one(Customer, model.customer_id)
    ids = {name: fresh_ids(name, count) for name in ("customer", "deal", "deal_version", "subscription")}
    told = list(zip(*ids.values(), numbers, strict=True))
    _insert(customer, ({"id": c, "hubspot_company_id": 900 + n, "name": f"Acme {n}"} for c, _, _, _, n in told))
    _insert(deal, (
        {"id": d, "hubspot_deal_id": 300 + n, "customer_id": c, "subscription_id": None, "name": f"Acme {n} - Platform"}
        for c, d, _, _, n in told
    ))  # fmt: skip
    _insert(item, ({"id": None, "deal_id": d, "hubspot_line_id": f"{501 + n}"} for _, d, _, _, n in told))
    _insert(version, (
        {"id": v, "deal_id": d, "document": version.document | {"id": f"{300 + n}", "customer": f"Acme {n}"},
         "document_hash": f"copy {n}"} for _, d, v, _, n in told
    ))  # fmt: skip
    _insert(model, (
        {"id": s, "customer_id": c, "first_deal_id": d, "deal_version_id": v, "wanted_version_id": v}
        for c, d, v, s, _ in told
    ))  # fmt: skip
    back = "UPDATE deal SET subscription_id = s.id FROM subscription s WHERE s.first_deal_id = deal.id"
    session.execute(text(f"{back} AND s.id = ANY(:made)"), {"made": ids["subscription"]})


def _insert(model: Base, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows that differ from a model row as each says; an id of None is left to the database."""
    columns = {column.name: getattr(model, column.key) for column in type(model).__table__.columns}
    made = [columns | row for row in rows]
    kept = [name for name in columns if made[0][name] is not None]
    insert_rows(type(model).__tablename__, [{name: row[name] for name in kept} for row in made])
