"""One stand-in serves the whole folder; each test starts from its seeded state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.quickbooks.harness import DE, US, Company, Receiver, StandIn, running


@pytest.fixture(scope="package")
def receiver_server() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="package")
def server(receiver_server: Receiver) -> Iterator[StandIn]:
    with running(receiver_server) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(server: StandIn) -> StandIn:
    server.reset()
    return server


@pytest.fixture
def receiver(receiver_server: Receiver, stand_in: StandIn) -> Receiver:
    """Return the receiver of webhooks, empty; asked for after `stand_in`, so nothing old is on its way."""
    stand_in.app.extensions["quickbooks"].notifier.wait_until_idle(5)
    receiver_server.clear()
    return receiver_server


@pytest.fixture
def us(stand_in: StandIn) -> Company:
    return stand_in.connect(US)


@pytest.fixture
def de(stand_in: StandIn) -> Company:
    return stand_in.connect(DE)
