"""Drains a lane: plan (transaction), send (no transaction), record (transaction).

Each step may die on any line. What was planned and not recorded is found by its expired lease, counts as unknown and
is looked up before it is sent again; see `app.core.lanes` for claims and `app.core.retries` for budgets.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from app.core import clock, lanes, log, retries
from app.core.db import refuse_open_transaction, transaction
from app.core.failpoints import Failpoints
from app.core.outcome import Done, Outcome, Rejected, Unknown
from app.core.sending import LeaseOver, calls_until
from app.core.work import DONE, SENDING, WAITING, Work

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `send` needs, all of it plain values: no ORM object leaves the transaction.

    `look_first` is set when an earlier attempt's outcome is unknown: look for its result before sending again.
    """

    work_id: int
    portal_id: int
    subject: str
    request_id: str
    request: bytes
    look_first: bool
    access_token: str = field(repr=False)
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotNow:
    """Planning found that there is nothing to send: `done` ends the row, otherwise it waits `delay_s` or is parked."""

    done: bool = False
    delay_s: float | None = None
    why: str = ""


class Step(Protocol):
    """One kind of work. `writes` says whether repeating the call could double something outside."""

    kind: str
    writes: bool
    calls: int

    def plan(self, row: Work, access_token: str) -> Plan | NotNow: ...

    def send(self, plan: Plan) -> Outcome: ...

    def record(self, row: Work, outcome: Outcome) -> None: ...


@runtime_checkable
class Local(Protocol):
    """A kind of work that needs no outside call: one transaction."""

    kind: str

    def run(self, row: Work) -> NotNow | None: ...


class Attendant(Protocol):
    """Hears of rows that keep failing by our own fault, and of their recovery; each inside the row's transaction."""

    def stuck(self, row: Work) -> None: ...

    def recovered(self, row: Work) -> None: ...


class TokenSource(Protocol):
    """Hands out a fresh access token of a lane's connection; refreshes by expiry, stores before use."""

    def fresh(self, portal_id: int, lane_id: int) -> str | Rejected | Unknown: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A send begins only while the lease outlasts `call_s` times the step's calls, plus the margin."""

    lease_s: float
    margin_s: float
    slice_s: float
    unknown_wait_s: float
    retry_base_s: float
    call_s: float


class Runner:
    """The work runner of one process; the only place besides the request edge that commits."""

    def __init__(
        self,
        steps: Mapping[str, Step | Local],
        tokens: TokenSource,
        timing: Timing,
        failpoints: Failpoints,
        attendant: Attendant,
    ) -> None:
        self._steps = steps
        self._tokens = tokens
        self._timing = timing
        self._failpoints = failpoints
        self._attendant = attendant
        self.holder = f"{socket.gethostname()}:{os.getpid()}"

    def drain(self, lane_id: int) -> bool:
        """Work the lane's due rows off for one slice. Returns True if due work is left for another slice."""
        held = lanes.take(lane_id, self.holder, self._timing.lease_s)
        if held is None:
            return False
        log.bind(lane=lane_id, portal=held.portal_id)
        stop_at = clock.monotonic() + self._timing.slice_s
        try:
            while clock.monotonic() < stop_at:
                if not self._work_one(held):
                    return False
            return True
        finally:
            lanes.release(held)
            log.clear()

    def _work_one(self, held: lanes.Held) -> bool:
        """Do one due row; False when the lane has nothing due or was lost."""
        began = clock.monotonic()
        with transaction(held.portal_id):
            if not lanes.renew(held, self._timing.lease_s):
                return False
            lanes.sweep(held, self._timing.unknown_wait_s)
            row = lanes.next_due(held)
            kind = row.kind if row else ""
            work_id = row.id if row else 0
        if not work_id:
            return False
        log.bind(work=work_id, kind=kind)
        step = self._steps[kind]
        if isinstance(step, Local):
            self._run_local(held, step, work_id)
        else:
            self._run_step(held, step, work_id, began)
        return True

    def _run_local(self, held: lanes.Held, step: Local, work_id: int) -> None:
        try:
            with transaction(held.portal_id):
                row = lanes.claim(held, work_id, self._timing.lease_s)
                if row is None:
                    return
                self._failpoints.here(f"{step.kind}.run")
                verdict = step.run(row)
                self._recover(row)
                _settle(row, verdict)
                self._failpoints.here(f"{step.kind}.before_commit")
        except retries.EXPECTED as error:
            self._fail(held, work_id, error)

    def _run_step(self, held: lanes.Held, step: Step, work_id: int, began: float) -> None:
        """Plan, send and record a row. `began` is from before the lane's lease was renewed: that one counts, too."""
        try:
            token = self._tokens.fresh(held.portal_id, held.lane_id)
            plan = self._plan(held, step, work_id, token)
            if plan is None:
                return
            self._failpoints.here(f"{step.kind}.planned")
            until = began + self._timing.lease_s - self._timing.margin_s
            if step.writes and clock.monotonic() > until - self._timing.call_s * step.calls:
                self._give_back(held, work_id)
                return
            refuse_open_transaction()
            self._failpoints.here(f"{step.kind}.before_send")
            with calls_until(until - self._timing.call_s):
                outcome = step.send(plan)
            self._failpoints.here(f"{step.kind}.after_send")
            self._record(held, step, work_id, outcome)
            self._failpoints.here(f"{step.kind}.recorded")
        except LeaseOver:
            self._give_back(held, work_id)
        except retries.EXPECTED as error:
            self._fail(held, work_id, error)

    def _plan(self, held: lanes.Held, step: Step, work_id: int, token: str | Rejected | Unknown) -> Plan | None:
        with transaction(held.portal_id):
            row = lanes.claim(held, work_id, self._timing.lease_s)
            if row is None:
                return None
            if not isinstance(token, str):
                retries.apply(row, token, self._timing, writes=False)
                return None
            plan = step.plan(row, token)
            if isinstance(plan, NotNow):
                _settle(row, plan)
                return None
            lanes.mark_sending(row, writes=step.writes)
            self._failpoints.here(f"{step.kind}.before_plan_commit")
            return plan

    def _record(self, held: lanes.Held, step: Step, work_id: int, outcome: Outcome) -> None:
        with transaction(held.portal_id):
            row = lanes.still_mine(held, work_id)
            if row is None:
                _log.warning("outcome of a lost lease is left to the next holder")
                return
            if isinstance(outcome, Done):
                self._recover(row)
                row.outcome_unknown = False
                _settle(row, NotNow(done=True))
            else:
                retries.apply(row, outcome, self._timing, writes=step.writes)
            step.record(row, outcome)
            self._failpoints.here(f"{step.kind}.before_record_commit")

    def _give_back(self, held: lanes.Held, work_id: int) -> None:
        """The lease wouldn't have outlasted the call: nothing was sent, so the row simply waits for the next turn."""
        with transaction(held.portal_id):
            row = lanes.still_mine(held, work_id)
            if row is not None:
                row.state, row.lease_until = WAITING, None

    def _fail(self, held: lanes.Held, work_id: int, error: Exception) -> None:
        """Our own code or the database failed at this row: it backs off, visible, and holds up nothing else."""
        _log.error("work failed", exc_info=error)
        with transaction(held.portal_id):
            # Once another holds the lane the row is that one's, also while it waits to be looked up.
            row = lanes.fetch(work_id) if lanes.is_held(held) else None
            if row is None or row.state not in (WAITING, SENDING):
                return
            if row.state == SENDING and row.send_began_at is not None:
                retries.apply(row, Unknown(f"{type(error).__name__}: {error}"), self._timing, writes=row.writes)
            else:
                retries.internal(row, error, self._timing)
            if row.failures == retries.TOLD_AFTER:
                self._attendant.stuck(row)

    def _recover(self, row: Work) -> None:
        """The row went well: what it failed with before is over."""
        if row.failures >= retries.TOLD_AFTER:
            self._attendant.recovered(row)
        row.failures, row.failure_kind, row.last_error = 0, None, None


def _settle(row: Work, verdict: NotNow | None) -> None:
    """Write what a step's plan or run decided about its row."""
    row.lease_until = None
    if verdict is None or verdict.done:
        if row.wanted > row.served:
            row.state = WAITING
            return
        row.state, row.done_at = DONE, clock.now()
        return
    row.last_error = verdict.why or None
    if verdict.delay_s is None:
        retries.park(row, verdict.why)
    else:
        retries.wait(row, verdict.delay_s)
