"""One database for the folder; each test has a portal of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.core import clock
from app.core.db import db, transaction
from app.portals import queries as portals
from tests import factories as make
from tests.app.console.browsing import Desk, sign_in
from tests.conftest import Tenant
from tests.factories import portal as portal
from tests.factories import product as product
from tests.factories import unbound as unbound


@pytest.fixture
def desk(shared_app: Flask, tenant: Tenant) -> Iterator[Desk]:
    """Two people signed in to a portal that approves every invoice; it is 1 March 2027 in New York."""
    with shared_app.app_context():
        make.set_today(make.TODAY)
        with transaction(tenant.id):
            make.connect_ledger(f"realm-{tenant.hub_id}")
            portals.current().invoice_mode, portals.current().draft_ahead_days = "approval", 31
    yield Desk(
        shared_app, tenant.id, sign_in(shared_app, tenant, "carla@northwind.example", 601),
        sign_in(shared_app, tenant, "bob@northwind.example", 602),
    )  # fmt: skip
    with shared_app.app_context():
        clock.move(None)
        db.session.commit()
