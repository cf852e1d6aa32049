"""Verbs of problems: open, close, retry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.core import clock, events, work
from app.core.db import bound_portal, db
from app.core.errors import Conflict
from app.portals.actions import Actor
from app.portals.models import ADMIN, APPROVER
from app.problems import queries
from app.problems.models import Problem

# Problems without a cause to mend: somebody has to say that it is all right.
SETTLED_BY_DECISION = ("ended_in_ledger", "start_changed", "left_closed_won")
SALES, FINANCE, PORTAL_ADMIN, OPERATOR = "sales", "finance", "admin", "operator"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before it is written: what is wrong, what waits, who can fix it, and what to do."""

    code: str
    sentence: str
    holds: str
    who: str
    action: str
    data: dict[str, Any] = field(default_factory=dict)


def open_problem(
    finding: Finding,
    subject_kind: str,
    subject_id: object,
    *,
    deal_id: int | None = None,
    customer_id: int | None = None,
    work_id: int | None = None,
) -> None:
    """Open a problem, or bring the open one with the same code and subject up to date."""
    values = {
        "sentence": finding.sentence, "holds": finding.holds, "who": finding.who, "action": finding.action,
        "data": finding.data, "deal_id": deal_id, "customer_id": customer_id, "work_id": work_id,
    }  # fmt: skip
    statement = insert(Problem).values(
        portal_id=bound_portal(), code=finding.code, subject_kind=subject_kind, subject_id=str(subject_id), **values
    )
    statement = statement.on_conflict_do_update(
        index_elements=["portal_id", "code", "subject_kind", "subject_id"],
        index_where=Problem.closed_at.is_(None),
        set_=values,
    )
    db.session.execute(statement)
    events.record("problem.opened", subject_kind, subject_id, code=finding.code)


def close_problems(
    subject_kind: str, subject_id: object, *, keep: Collection[str] = (), only: str | None = None, by: str = "rule"
) -> None:
    """Close the open problems of a subject, except those whose codes are in `keep`; or only one code."""
    statement = update(Problem).where(
        Problem.subject_kind == subject_kind, Problem.subject_id == str(subject_id), Problem.closed_at.is_(None)
    )
    if only is not None:
        statement = statement.where(Problem.code == only)
    if keep:
        statement = statement.where(Problem.code.not_in(keep))
    db.session.execute(statement.values(closed_at=func.clock_timestamp(), closed_by=by))


def rearm(codes: Collection[str], by: str) -> None:
    """Close the open problems of these codes and try again what they held: their cause was just mended."""
    held = db.session.execute(select(Problem).where(Problem.code.in_(codes), Problem.closed_at.is_(None))).scalars()
    for problem in held.all():
        problem.closed_at, problem.closed_by = clock.now(), by
        row = db.session.get(work.Work, problem.work_id) if problem.work_id is not None else None
        if row is not None and row.state == work.PARKED:
            work.again(row, new_epoch=False)


def settle(actor: Actor, problem_id: int) -> Problem:
    """Close a problem that only a decision settles. Approvers may; who decided stands in the audit."""
    actor.must_be(APPROVER)
    problem = queries.get(problem_id)
    if problem.closed_at is not None:
        raise Conflict("This problem is closed already.")
    if problem.code not in SETTLED_BY_DECISION:
        raise Conflict("This closes by itself once its cause is mended: " + problem.action)
    problem.closed_at, problem.closed_by = clock.now(), actor.email
    events.audit(actor.email, "settled a problem", "problem", problem.id, code=problem.code, sentence=problem.sentence)
    return problem


def retry(actor: Actor, problem_id: int) -> Problem:
    """Try again what a problem holds up. Approvers may; the problem closes and comes back if nothing changed."""
    actor.must_be(ADMIN if queries.get(problem_id).who == PORTAL_ADMIN else APPROVER)
    problem = queries.get(problem_id)
    if problem.closed_at is not None:
        raise Conflict("This problem is closed already.")
    if problem.work_id is None:
        raise Conflict("There is nothing to try again here: " + problem.action)
    row = db.session.execute(select(work.Work).where(work.Work.id == problem.work_id).with_for_update()).scalar_one()
    if row.state not in (work.PARKED, work.WAITING):
        raise Conflict("It is being worked on at this moment.")
    work.again(row, new_epoch=True)
    problem.closed_at, problem.closed_by = func.clock_timestamp(), actor.email
    events.audit(actor.email, "asked to try again", "problem", problem.id, code=problem.code)
    return problem
