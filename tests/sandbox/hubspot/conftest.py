"""A served stand-in of HubSpot with the app of the tests registered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.hubspot.app import create_app
from sandbox.hubspot.settings import Settings
from tests.sandbox.hubspot.client import Client, settings_for
from tests.sandbox.support import Receiver, served


@pytest.fixture
def settings(receiver: Receiver) -> Settings:
    return settings_for(receiver.origin)


@pytest.fixture
def hubspot(settings: Settings) -> Iterator[Client]:
    """The stand-in, seeded, with no app installed yet."""
    app = create_app(settings)
    with served(app) as url, Client(url, settings, app.extensions["hubspot"]) as client:
        yield client


@pytest.fixture
def installed(hubspot: Client) -> Client:
    """The same with the app installed in the first seeded account."""
    hubspot.install()
    return hubspot
