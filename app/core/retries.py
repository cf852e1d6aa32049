"""What happens to a row after a failed attempt: a budget and a pace for each kind of failure."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import db
from app.core.errors import DomainError
from app.core.outcome import FailureKind, Rejected, Unknown
from app.core.work import PARKED, WAITING, Work

# What the work runner catches at one row so that the rest of the lane goes on. Bugs of these kinds are logged with
# their traceback and stay visible on the row.
EXPECTED = (SQLAlchemyError, DomainError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError)


class Pace(Protocol):
    """The timing that retries need, in seconds."""

    @property
    def retry_base_s(self) -> float: ...

    @property
    def unknown_wait_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a kind of failure is retried, and how fast: base times `factor`, doubled each time, at most an hour."""

    tries: int
    factor: float
    doubles: bool = True


BUDGETS = {
    FailureKind.TRANSIENT: Budget(tries=12, factor=1),
    FailureKind.THROTTLED: Budget(tries=60, factor=12, doubles=False),
    # Refreshed at once; a third refusal in a row is no matter of the token's age any more.
    FailureKind.EXPIRED: Budget(tries=2, factor=0),
    FailureKind.CONFIGURATION: Budget(tries=24, factor=60),
    # The lane is paused until the account is connected again; its rows wait, however long that takes.
    FailureKind.REVOKED: Budget(tries=sys.maxsize, factor=12, doubles=False),
    FailureKind.REJECTED: Budget(tries=0, factor=0),
}
_UNKNOWN = Budget(tries=12, factor=1)
# Failures of our own are never given up: a database that is away for an hour must not end the daily billing run.
_INTERNAL = Budget(tries=sys.maxsize, factor=1)
TOLD_AFTER = 3
_MOST_DOUBLINGS = 16
_LONGEST_S = 3600.0


def apply(row: Work, outcome: Rejected | Unknown, pace: Pace, *, writes: bool) -> None:
    """Put a row that failed back in the queue, or park it when its budget is used up.

    An unknown write waits `unknown_wait_s` from the send's beginning and is then looked up; see `Plan.look_first`.
    """
    row.lease_until = None
    if isinstance(outcome, Unknown):
        row.last_error = outcome.reason
        row.outcome_unknown = row.outcome_unknown or writes
        if _spend(row, "unknown", _UNKNOWN):
            wait(row, pace.retry_base_s * _growth(row))
        else:
            park(row, outcome.reason)
        # A parked row too: a person who retries it at once must not be faster than the wait.
        if writes and row.send_began_at is not None:
            row.due_at = max(row.due_at, row.send_began_at + timedelta(seconds=pace.unknown_wait_s))
        return
    row.last_error = outcome.message
    budget = BUDGETS[outcome.kind]
    if not _spend(row, outcome.kind, budget):
        park(row, outcome.message)
        return
    growth = _growth(row) if budget.doubles else 1
    wait(
        row, outcome.retry_after_s if outcome.retry_after_s is not None else pace.retry_base_s * budget.factor * growth
    )


def internal(row: Work, error: Exception, pace: Pace) -> None:
    """An error of our own at this row: back off, at most an hour each time, for as long as it takes."""
    row.lease_until = None
    row.last_error = f"{type(error).__name__}: {error}"[:500]
    _spend(row, "internal", _INTERNAL)
    wait(row, pace.retry_base_s * _growth(row))


def wait(row: Work, delay_s: float) -> None:
    """Let the row wait, by the database's clock."""
    row.state = WAITING
    row.lease_until = None
    delay = timedelta(seconds=min(delay_s, _LONGEST_S))
    row.due_at = db.session.execute(select(func.clock_timestamp() + delay)).scalar_one()


def park(row: Work, why: str) -> None:
    """Take the row out of the queue until a person or an event re-arms it; it stays visible."""
    row.state = PARKED
    row.lease_until = None
    row.last_error = why[:500] or row.last_error


def _growth(row: Work) -> int:
    """Return by how much the pace has grown after this row's failures: doubled with each."""
    doubled: int = 2 ** min(row.failures - 1, _MOST_DOUBLINGS)
    return doubled


def _spend(row: Work, kind: str, budget: Budget) -> bool:
    """Count a failure of this kind; False when there is nothing left to spend."""
    row.failures = row.failures + 1 if row.failure_kind == kind else 1
    row.failure_kind = kind
    return row.failures <= budget.tries
