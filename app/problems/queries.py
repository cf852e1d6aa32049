"""Reads of problems."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.core.db import db
from app.core.errors import NotFound
from app.problems.models import Problem


def open_ones(*, customer_id: int | None = None, deal_id: int | None = None) -> Sequence[Problem]:
    """Return open problems, oldest first: all, or those of a customer or a deal (with the portal-wide ones)."""
    statement = select(Problem).where(Problem.closed_at.is_(None)).order_by(Problem.id)
    portal_wide = Problem.customer_id.is_(None) & Problem.deal_id.is_(None)
    if deal_id is not None:
        # What holds up the customer as a whole holds up this deal too.
        of_customer = Problem.deal_id.is_(None) & (Problem.customer_id == customer_id)
        statement = statement.where((Problem.deal_id == deal_id) | of_customer | portal_wide)
    elif customer_id is not None:
        statement = statement.where((Problem.customer_id == customer_id) | portal_wide)
    return db.session.execute(statement).scalars().all()


def first_open(subject_kind: str, subject_id: object, *codes: str) -> Problem | None:
    """Return a subject's oldest open problem, of these codes if any are named."""
    statement = select(Problem).where(
        Problem.subject_kind == subject_kind, Problem.subject_id == str(subject_id), Problem.closed_at.is_(None)
    )
    if codes:
        statement = statement.where(Problem.code.in_(codes))
    return db.session.execute(statement.order_by(Problem.id).limit(1)).scalar_one_or_none()


def is_decided(subject_kind: str, subject_id: object, codes: Collection[str], data: Mapping[str, Any]) -> bool:
    """Whether a person closed a problem of this subject that held this `data`: it is not asked a second time."""
    statement = select(Problem.id).where(
        Problem.subject_kind == subject_kind, Problem.subject_id == str(subject_id), Problem.code.in_(codes),
        Problem.closed_by != "rule", Problem.data.contains(dict(data)),
    )  # fmt: skip
    return db.session.execute(statement.limit(1)).first() is not None


def get(problem_id: int) -> Problem:
    """Return a problem of the bound portal; NotFound otherwise."""
    found = db.session.execute(select(Problem).where(Problem.id == problem_id)).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such problem.")
    return found
