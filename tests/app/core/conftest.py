"""What the tests of the core stand on: a portal of their own, and an application context around each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.core import lanes, work
from app.core.db import db, transaction
from app.core.lanes import Held
from tests.conftest import Tenant


@pytest.fixture
def portal(shared_app: Flask, tenant: Tenant) -> Iterator[int]:
    """A fresh portal's id, with an application context around the test."""
    with shared_app.app_context():
        yield tenant.id
        db.session.rollback()


@pytest.fixture
def lane_id(portal: int) -> int:
    """The portal's own lane."""
    with transaction(portal):
        return work.lane("portal").id


@pytest.fixture
def held(lane_id: int) -> Held:
    """That lane, held by us for a minute."""
    taken = lanes.take(lane_id, "us", 60)
    assert taken is not None
    return taken
