"""The one place that wires everything, at process start."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from flask import Flask
from redis import Redis
from sqlalchemy import MetaData
from sqlalchemy.engine import make_url

from app import edge
from app.connections.keeper import TokenKeeper
from app.connections.models import HUBSPOT, QUICKBOOKS
from app.core import log, work
from app.core.crypto import KeyRing
from app.core.db import Base, db, install_guard
from app.core.doorbell import RqDoorbell
from app.core.failpoints import Failpoints
from app.core.runner import Local, Runner, Step, Timing
from app.integrations.http import Timeouts
from app.integrations.hubspot.crm import HubSpotCrm
from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.invoices.drafting import BillSubscription, DailyRun
from app.invoices.push import CreateCustomer, CreateInvoice, CreateItem, MailInvoice
from app.invoices.sync import ReadInvoice, ReadPayment
from app.ports import Accounting, Crm, TokenIssuer
from app.problems.attendant import WorkProblems
from app.settings import Settings
from app.subscriptions.watch import ReadDeal
from oauth.providers import HubSpotIssuer, QuickBooksIssuer

MODEL_MODULES = (
    "app.core.work", "app.core.events", "app.core.idempotency",
    "app.portals.models", "app.connections.models", "app.access.models", "app.problems.models", "app.inbox.models",
    "app.customers.models", "app.deals.models", "app.subscriptions.models", "app.invoices.models",
    "app.payments.models",
)  # fmt: skip


def import_models() -> MetaData:
    """Import every module with tables and return the metadata that knows them all."""
    for name in MODEL_MODULES:
        importlib.import_module(name)
    return Base.metadata


def build_process(settings: Settings) -> Flask:
    """Return a wired application without routes: what a job or a command needs."""
    log.configure(settings.log_format)
    import_models()
    app = Flask("app", static_folder=None, template_folder=None)
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True, "pool_size": 8, "max_overflow": 4},
        MAX_CONTENT_LENGTH=5 * 1024 * 1024,
        PROPAGATE_EXCEPTIONS=False,
    )
    db.init_app(app)
    with app.app_context():
        install_guard(db.engine)
    work.use_doorbell(RqDoorbell(Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=1)))
    app.extensions["dealwright"] = _wire(settings)
    return app


def build_web(settings: Settings) -> Flask:
    """Return the web application with all its doors."""
    from app.api import routes as api
    from app.console import pages
    from app.health import blueprint as health
    from app.webhooks.hubspot import blueprint as hubspot_webhooks
    from app.webhooks.quickbooks import blueprint as quickbooks_webhooks
    from cards.routes import blueprint as cards
    from oauth.hubspot import blueprint as hubspot_install
    from oauth.quickbooks import blueprint as quickbooks_connect

    app = build_process(settings)
    edge.install(app)
    for blueprint in (health, hubspot_webhooks, quickbooks_webhooks, cards, hubspot_install, quickbooks_connect):
        app.register_blueprint(blueprint)
    api.install(app)
    pages.install(app)
    return app


def _wire(settings: Settings) -> edge.Wiring:
    timeouts = Timeouts(settings.http_connect_timeout_s, settings.http_read_timeout_s)
    ring = KeyRing(settings.secret_keys, settings.lookup_key)
    crm = HubSpotCrm(settings.hubspot_api_url, timeouts)
    accounting = QuickBooksLedger(settings.quickbooks_api_url, timeouts)
    issuers = _issuers(settings, timeouts)
    timing = Timing(
        lease_s=settings.work_lease_s,
        margin_s=settings.lease_margin_s,
        slice_s=settings.work_slice_s,
        unknown_wait_s=settings.work_unknown_wait_s,
        retry_base_s=settings.work_retry_base_s,
        call_s=timeouts.connect_s + timeouts.read_s,
    )
    runner = Runner(
        steps(crm, accounting, ring), TokenKeeper(ring, issuers), timing, Failpoints(settings.failpoint), WorkProblems()
    )
    return edge.Wiring(settings, ring, crm, accounting, issuers, runner)


def steps(crm: Crm, accounting: Accounting, ring: KeyRing) -> Mapping[str, Step | Local]:
    """Return every kind of work, by its stable name."""
    every: tuple[Step | Local, ...] = (
        ReadDeal(crm), DailyRun(), BillSubscription(),
        CreateCustomer(accounting, ring), CreateItem(accounting, ring), CreateInvoice(accounting, ring),
        MailInvoice(accounting, ring), ReadInvoice(accounting, ring), ReadPayment(accounting, ring),
    )  # fmt: skip
    return {step.kind: step for step in every}


def _issuers(settings: Settings, timeouts: Timeouts) -> Mapping[str, TokenIssuer]:
    return {
        HUBSPOT: HubSpotIssuer(
            client_id=settings.hubspot_client_id,
            client_secret=settings.hubspot_client_secrets[0],
            app_url=settings.hubspot_app_url,
            api_url=settings.hubspot_api_url,
            redirect_uri=f"{settings.public_origin}/oauth/hubspot/callback",
            timeout=timeouts.pair(),
        ),
        QUICKBOOKS: QuickBooksIssuer(
            client_id=settings.quickbooks_client_id,
            client_secret=settings.quickbooks_client_secret,
            authorize_url=settings.quickbooks_authorize_url,
            token_url=settings.quickbooks_token_url,
            redirect_uri=f"{settings.public_origin}/oauth/quickbooks/callback",
            timeout=timeouts.pair(),
        ),
    }
