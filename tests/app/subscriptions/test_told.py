"""What is told, and holds nothing up: a start that moved after the win, a billed deal that left Closed Won."""

from __future__ import annotations

from datetime import date

from app.core.db import db
from app.portals.models import Portal
from app.problems import actions as problems
from app.problems.models import Problem
from app.subscriptions.models import ACTIVE, HELD
from tests import factories as make

JUNE = make.crm_line(hs_recurring_billing_start_date="2027-06-01")


def told(code: str) -> Problem:
    """Return the one open problem, which has this code."""
    found = make.open_problems()
    assert set(found) == {code}
    return found[code]


class TestStart:
    def test_that_moves_before_anything_is_issued_stays_and_is_told(self, portal: Portal) -> None:
        subscription = make.win()
        make.observe(make.crm_deal(JUNE))

        problem = told("start_changed")
        assert "started on 1 Mar 2027 when it was won, and HubSpot now says 1 Jun 2027" in problem.sentence
        assert "Nothing of it is approved or issued yet." in problem.sentence
        assert "win a clone that starts on 1 Jun 2027" in problem.action
        assert (subscription.state, subscription.start_on) == (ACTIVE, date(2027, 3, 1))
        assert make.draft(subscription)[0].scheduled_on == date(2027, 3, 1)

    def test_that_moves_after_an_invoice_says_what_is_issued(self, portal: Portal) -> None:
        subscription = make.win()
        make.issue(subscription)
        make.observe(make.crm_deal(JUNE))

        problem = told("start_changed")
        assert "Invoices up to 31 Mar 2027 are approved or issued." in problem.sentence
        assert "credit or charge the difference by hand in QuickBooks" in problem.action
        assert subscription.state == ACTIVE

    def test_that_is_set_back_closes_it(self, portal: Portal) -> None:
        make.win()
        make.observe(make.crm_deal(JUNE))
        make.observe(make.crm_deal())

        assert make.open_problems() == {}

    def test_is_not_asked_twice_once_a_person_settled_it(self, portal: Portal) -> None:
        make.win()
        make.observe(make.crm_deal(JUNE))
        problems.settle(make.actor(), told("start_changed").id)
        db.session.flush()
        make.observe(make.crm_deal(JUNE))
        assert make.open_problems() == {}

        make.observe(make.crm_deal(make.crm_line(hs_recurring_billing_start_date="2027-07-01")))
        assert "1 Jul 2027" in told("start_changed").sentence


class TestLeft:
    def test_closed_won_after_billing_is_told_and_stops(self, portal: Portal) -> None:
        subscription = make.win()
        make.issue(subscription)
        make.observe(make.crm_deal(stage=make.LOST))

        problem = told("left_closed_won")
        assert 'left Closed Won in HubSpot and is in "Closed Lost" now' in problem.sentence
        assert "for service up to 31 Mar 2027" in problem.sentence
        assert subscription.state == HELD

    def test_before_anything_was_billed_is_nothing_to_tell(self, portal: Portal) -> None:
        make.win()
        make.observe(make.crm_deal(stage=make.LOST))

        assert make.open_problems() == {}

    def test_closes_when_the_deal_is_won_again_and_is_told_again_when_it_leaves_again(self, portal: Portal) -> None:
        subscription = make.win()
        make.issue(subscription)
        make.observe(make.crm_deal(stage=make.LOST))
        problems.settle(make.actor(), told("left_closed_won").id)
        db.session.flush()
        make.observe(make.crm_deal(stage=make.LOST))
        assert make.open_problems() == {}

        make.win()
        assert (subscription.state, make.open_problems()) == (ACTIVE, {})
        make.observe(make.crm_deal(stage=make.LOST))
        assert told("left_closed_won").closed_at is None
