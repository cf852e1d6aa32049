"""What the tests of the stand-ins share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.support import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The application's side of webhooks and card calls."""
    with receiving() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_STATE_DIR", raising=False)
