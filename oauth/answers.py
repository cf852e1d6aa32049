"""What a person reads when a provider didn't give what connecting needs."""

from __future__ import annotations

from typing import TypeVar

from app.core.errors import NotAllowed, Unavailable
from app.core.outcome import Done, Outcome, Rejected

T = TypeVar("T")


def value_of(outcome: Outcome, expected: type[T], provider: str, again: str) -> T:
    """Return a call's value, or raise what to do; a code is never exchanged twice, so it is `again` from the start."""
    if isinstance(outcome, Done) and isinstance(outcome.value, expected):
        return outcome.value
    if isinstance(outcome, Rejected):
        raise NotAllowed(f"{provider} refused: {outcome.message} {again}.")
    raise Unavailable(f"{provider} didn't answer. {again} in a moment.")
