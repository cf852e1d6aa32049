"""What the tests of the OAuth doors stand on: both providers' stand-ins, served, and the application set to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app import create_app
from app.core.db import db
from app.settings import Settings
from sandbox.hubspot import app as hubspot_app
from sandbox.hubspot.settings import Settings as HubSpotSettings
from sandbox.quickbooks import app as quickbooks_app
from sandbox.quickbooks.settings import Settings as QuickBooksSettings
from tests.app.core.signed import ORIGIN
from tests.conftest import APP_ID, SECRET, VERIFIER, Cluster, Database, environment
from tests.oauth.world import World
from tests.sandbox.support import served


@pytest.fixture(scope="package")
def world(cluster: Cluster, new_database: Callable[[], Database]) -> Iterator[World]:
    """The application between its providers; accounts and companies are made per test."""
    hubspot = hubspot_app.create_app(
        HubSpotSettings(
            port=0, client_id="hubspot-client", client_secret=SECRET, app_id=APP_ID,
            redirect_urls=(f"{ORIGIN}/oauth/hubspot/callback",), webhook_url=None, app_origin=ORIGIN,
        )
    )  # fmt: skip
    quickbooks = quickbooks_app.create_app(
        QuickBooksSettings(
            port=0, client_id="quickbooks-client", client_secret="quickbooks-secret",
            redirect_urls=(f"{ORIGIN}/oauth/quickbooks/callback",), webhook_url="", verifier_token=VERIFIER,
        )
    )  # fmt: skip
    with served(hubspot) as hubspot_url, served(quickbooks) as quickbooks_url:
        database = new_database()
        settings = Settings.from_environ(
            environment(
                database.app_url, f"{cluster.redis_url}/9",
                HUBSPOT_API_URL=hubspot_url, HUBSPOT_APP_URL=hubspot_url, QUICKBOOKS_API_URL=quickbooks_url,
                QUICKBOOKS_AUTHORIZE_URL=f"{quickbooks_url}/connect/oauth2",
                QUICKBOOKS_TOKEN_URL=f"{quickbooks_url}/oauth2/v1/tokens/bearer", HTTP_CONNECT_TIMEOUT_S="2",
                HTTP_READ_TIMEOUT_S="2",
            )
        )  # fmt: skip
        app = create_app(settings)
        made = World(app, hubspot_url, quickbooks_url, database, hubspot, quickbooks)
        yield made
        made.http.close()
        with app.app_context():
            db.engine.dispose()
