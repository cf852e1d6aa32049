"""Until when a worker may begin outside calls: its lease has to outlast each of them.

The runner says until when; gateways ask right before every single call, because a step makes several and a process may
freeze anywhere between them. What freezes inside the last of them, after it asked, is what request ids are for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from app.core import clock

_until: ContextVar[float | None] = ContextVar("calls_until", default=None)


class LeaseOver(RuntimeError):
    """A call was about to begin that the lease might not outlast. Nothing was sent."""


@contextmanager
def calls_until(moment: float) -> Iterator[None]:
    """Let outside calls of this block begin only before `moment`, in seconds of `clock.monotonic`."""
    token = _until.set(moment)
    try:
        yield
    finally:
        _until.reset(token)


def refuse_after_lease() -> None:
    """Called by gateways right before an outside call; raises LeaseOver. Silent where no lease is held."""
    until = _until.get()
    if until is not None and clock.monotonic() >= until:
        raise LeaseOver("the lease would not outlast another call")
