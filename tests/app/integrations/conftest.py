"""The stand-ins run in threads of this process; the product's gateways and the real client libraries talk to them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from flask import Flask

from app.bootstrap import build_process
from app.core.db import db
from app.integrations.http import Timeouts
from app.integrations.hubspot.crm import HubSpotCrm
from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.ports import LedgerAccount
from app.settings import Settings
from sandbox.hubspot.app import create_app
from tests.conftest import environment
from tests.sandbox.hubspot.client import Client, settings_for
from tests.sandbox.quickbooks.harness import US, Company, Receiver, StandIn, running
from tests.sandbox.support import served

# An answer that is held for longer than this counts as none.
READ_TIMEOUT_S = 0.4
TIMEOUTS = Timeouts(connect_s=1, read_s=READ_TIMEOUT_S)


@pytest.fixture(scope="session")
def process() -> Flask:
    """The wired process; its database leads nowhere, since no gateway may need one."""
    assert "SANDBOX_STATE_DIR" not in os.environ
    return build_process(
        Settings.from_environ(environment("postgresql://nobody@127.0.0.1:9/none", "redis://127.0.0.1:9"))
    )


@pytest.fixture(autouse=True)
def no_transaction(process: Flask) -> Iterator[None]:
    """An app context without a transaction, which is what a step's send runs in."""
    with process.app_context():
        yield
        db.session.rollback()


@pytest.fixture(scope="session")
def webhooks() -> Iterator[Receiver]:
    """Where the stand-ins post their webhooks to, unread."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def hubspot_server(webhooks: Receiver) -> Iterator[Client]:
    settings = settings_for(webhooks.url.removesuffix("/webhooks/quickbooks"))
    app = create_app(settings)
    with served(app) as url, Client(url, settings, app.extensions["hubspot"]) as client:
        yield client


@pytest.fixture
def hubspot(hubspot_server: Client) -> Client:
    """The HubSpot stand-in from its seeded state, the app installed in the first account."""
    assert hubspot_server.control("reset").ok
    hubspot_server.install()
    return hubspot_server


@pytest.fixture
def crm(hubspot: Client) -> HubSpotCrm:
    return HubSpotCrm(hubspot.url, TIMEOUTS)


@pytest.fixture(scope="session")
def quickbooks_server(webhooks: Receiver) -> Iterator[StandIn]:
    with running(webhooks) as stand_in:
        yield stand_in


@pytest.fixture
def quickbooks(quickbooks_server: StandIn) -> StandIn:
    """The QuickBooks stand-in from its seeded state."""
    quickbooks_server.reset()
    return quickbooks_server


@pytest.fixture
def us(quickbooks: StandIn) -> Company:
    """The seeded US company, connected."""
    return quickbooks.connect(US)


@pytest.fixture
def ledger(quickbooks: StandIn) -> QuickBooksLedger:
    return QuickBooksLedger(quickbooks.base, TIMEOUTS)


@pytest.fixture
def account(us: Company) -> LedgerAccount:
    """The seeded US company, as the product knows it."""
    return LedgerAccount(us.realm_id, us.tokens["access_token"])


@pytest.fixture
def customer(us: Company) -> str:
    """A customer of the US company."""
    return str(us.customer(DisplayName="Acme Inc")["Id"])
