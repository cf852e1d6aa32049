"""Ordering of faults, and what outcome each has to have."""

from __future__ import annotations

from typing import Any

from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown

HTML = "<html><body><h1>Bad gateway</h1></body></html>"
# Held for longer than the read time-out of the tests.
HELD_S = 0.8


def told(outcome: Outcome) -> tuple[str, FailureKind | None]:
    """Return an outcome's kind: done, unknown, or rejected and why."""
    if isinstance(outcome, Done):
        return "done", None
    if isinstance(outcome, Unknown):
        return "unknown", None
    assert isinstance(outcome, Rejected)
    return "rejected", outcome.kind


def rejected(outcome: Outcome) -> Rejected:
    assert isinstance(outcome, Rejected), outcome
    return outcome


def value(outcome: Outcome) -> Any:
    assert isinstance(outcome, Done), outcome
    return outcome.value
