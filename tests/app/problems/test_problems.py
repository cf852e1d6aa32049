"""Problems open once, close when mended, and are tried again by those who may."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core import work
from app.core.db import db, transaction
from app.core.errors import Conflict, NotAllowed, NotFound
from app.core.events import Audit
from app.core.work import DONE, PARKED, SENDING, WAITING, Work
from app.portals.models import Portal
from app.problems import actions, queries
from app.problems.actions import FINANCE, PORTAL_ADMIN, Finding
from app.problems.models import Problem
from tests import factories as make


def finding(code: str = "odd", sentence: str = "Something is odd.", who: str = FINANCE) -> Finding:
    return Finding(code=code, sentence=sentence, holds="It waits.", who=who, action="Mend it.", data={"n": 1})


def opened(subject: object = 7, **options: object) -> Problem:
    """Open a problem and return it."""
    actions.open_problem(finding(**options.pop("finding", {})), "deal", subject, **options)  # type: ignore[arg-type]  # a test's own options
    return list(queries.open_ones())[-1]


@pytest.fixture
def parked(portal: Portal) -> Work:
    """A row of work that was given up."""
    lane = work.lane("portal")
    row = db.session.get_one(Work, work.want(lane.id, "test.kind", 1))
    row.state, row.failures, row.last_error = PARKED, 3, "refused"
    row.request, row.request_id = b"bytes", "id-1"
    db.session.flush()
    return row


class TestOpen:
    def test_is_once_per_code_and_subject_and_told_anew(self, portal: Portal) -> None:
        actions.open_problem(finding(), "deal", 7)
        actions.open_problem(finding(sentence="It is still odd."), "deal", 7)

        (problem,) = queries.open_ones()
        assert (problem.sentence, problem.data, problem.closed_at) == ("It is still odd.", {"n": 1}, None)

    def test_is_apart_for_other_codes_and_subjects(self, portal: Portal) -> None:
        actions.open_problem(finding(), "deal", 7)
        actions.open_problem(finding("other"), "deal", 7)
        actions.open_problem(finding(), "deal", 8)
        actions.open_problem(finding(), "invoice", 7)

        assert len(queries.open_ones()) == 4

    def test_is_a_new_one_after_the_old_was_closed(self, portal: Portal) -> None:
        first = opened()
        actions.close_problems("deal", 7)
        second = opened()

        assert first.id != second.id
        assert make.how_many(Problem) == 2


class TestClose:
    def test_leaves_other_subjects_and_kept_codes_open(self, portal: Portal) -> None:
        for code, subject in (("a", 7), ("b", 7), ("a", 8)):
            actions.open_problem(finding(code), "deal", subject)
        actions.close_problems("deal", 7, keep=["b"])

        assert [(p.code, p.subject_id) for p in queries.open_ones()] == [("b", "7"), ("a", "8")]

    def test_of_one_code_leaves_the_rest(self, portal: Portal) -> None:
        for code in ("a", "b"):
            actions.open_problem(finding(code), "deal", 7)
        actions.close_problems("deal", 7, only="a", by="ada@northwind.example")

        assert [problem.code for problem in queries.open_ones()] == ["b"]
        closed = db.session.execute(select(Problem.closed_by).where(Problem.code == "a")).scalar_one()
        assert closed == "ada@northwind.example"


class TestLists:
    def test_show_a_customers_and_a_deals_own_and_the_portals(self, portal: Portal) -> None:
        subscription = make.win()
        deal, customer = subscription.first_deal_id, subscription.customer_id
        actions.open_problem(finding("of_deal"), "deal", deal, deal_id=deal, customer_id=customer)
        actions.open_problem(finding("of_customer"), "customer", customer, customer_id=customer)
        actions.open_problem(finding("of_portal"), "connection", 1)

        assert [p.code for p in queries.open_ones()] == ["of_deal", "of_customer", "of_portal"]
        assert [p.code for p in queries.open_ones(deal_id=deal)] == ["of_deal", "of_portal"]
        assert [p.code for p in queries.open_ones(customer_id=customer)] == ["of_deal", "of_customer", "of_portal"]
        assert [p.code for p in queries.open_ones(customer_id=0)] == ["of_portal"]

    def test_say_whether_a_subject_has_one(self, portal: Portal) -> None:
        opened()

        assert queries.first_open("deal", 7) is not None
        assert queries.first_open("deal", 7, "odd", "other") is not None
        assert queries.first_open("deal", 7, "other") is None
        assert queries.first_open("deal", 8) is None


class TestRetry:
    def test_runs_the_work_again_with_a_new_epoch(self, parked: Work) -> None:
        problem = opened(work_id=parked.id)
        actions.retry(make.actor(), problem.id)
        db.session.flush()

        assert (parked.state, parked.epoch, parked.request, parked.failures) == (WAITING, 1, None, 0)
        assert list(queries.open_ones()) == []
        assert make.how_many(Audit, Audit.action == "asked to try again") == 1

    def test_keeps_bytes_and_id_where_the_outcome_is_unknown(self, parked: Work) -> None:
        parked.outcome_unknown = True
        problem = opened(work_id=parked.id)
        actions.retry(make.actor(), problem.id)

        assert (parked.state, parked.epoch, parked.request, parked.request_id) == (WAITING, 0, b"bytes", "id-1")

    @pytest.mark.parametrize("state", [SENDING, DONE])
    def test_conflicts_where_nothing_waits(self, parked: Work, state: str) -> None:
        parked.state = state
        problem = opened(work_id=parked.id)

        with pytest.raises(Conflict):
            actions.retry(make.actor(), problem.id)
        assert queries.first_open("deal", 7) is not None

    def test_conflicts_the_second_time(self, parked: Work) -> None:
        problem = opened(work_id=parked.id)
        actions.retry(make.actor(), problem.id)
        db.session.flush()

        with pytest.raises(Conflict, match="closed already"):
            actions.retry(make.actor(), problem.id)

    def test_conflicts_with_what_to_do_where_there_is_no_work(self, portal: Portal) -> None:
        with pytest.raises(Conflict, match="nothing to try again here: Mend it"):
            actions.retry(make.actor(), opened().id)

    @pytest.mark.parametrize(
        ("who", "role", "may"),
        [
            (FINANCE, "viewer", False), (FINANCE, "approver", True), (FINANCE, "admin", True),
            (PORTAL_ADMIN, "approver", False), (PORTAL_ADMIN, "admin", True),
        ],
    )  # fmt: skip
    def test_needs_the_role(self, parked: Work, who: str, role: str, may: bool) -> None:
        problem = opened(work_id=parked.id, finding={"who": who})

        if may:
            actions.retry(make.actor(role), problem.id)
            assert parked.state == WAITING
        else:
            with pytest.raises(NotAllowed):
                actions.retry(make.actor(role), problem.id)
            assert parked.state == PARKED

    def test_finds_no_problem_of_another_portal(self, unbound: int) -> None:
        with transaction(unbound):
            problem_id = opened().id
        with transaction(make.fresh_portal()):
            assert list(queries.open_ones()) == []
            with pytest.raises(NotFound):
                actions.retry(make.actor("admin"), problem_id)


class TestRearm:
    def test_closes_what_was_mended_and_runs_it_again_under_the_same_id(self, parked: Work) -> None:
        opened(work_id=parked.id)
        opened(8, finding={"code": "other"})
        actions.rearm(["odd"], "ada@northwind.example")
        db.session.flush()

        assert (parked.state, parked.epoch, parked.request_id) == (WAITING, 0, "id-1")
        assert [problem.code for problem in queries.open_ones()] == ["other"]
