"""A subscription follows its deal: opened once at the win, held while anything is unclear, resumed as the same one."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.core.db import db, transaction
from app.core.errors import Conflict
from app.core.events import Event
from app.deals import actions as deal_actions
from app.deals import queries as deals
from app.deals.models import BEFORE_GO_LIVE
from app.portals.models import Portal
from app.ports import CrmDeal
from app.subscriptions import actions, queries
from app.subscriptions.models import ACTIVE, HELD, Subscription
from tests import factories as make


def gone(hubspot_deal_id: int = 301) -> None:
    """Do as the HubSpot lane does when the deal isn't there any more."""
    deal = deal_actions.gone(hubspot_deal_id)
    assert deal is not None
    actions.deal_is_gone(deal)
    db.session.flush()


def kinds(subscription: Subscription) -> list[str]:
    where = (Event.subject_kind == "subscription", Event.subject_id == str(subscription.id))
    statement = select(Event.kind).where(*where).order_by(Event.id)
    return list(db.session.execute(statement).scalars())


class TestWin:
    def test_opens_one_subscription_with_what_is_frozen(self, portal: Portal) -> None:
        subscription = make.win()

        assert (subscription.state, subscription.start_on) == (ACTIVE, date(2027, 3, 1))
        assert (subscription.zone, subscription.currency, subscription.relation) == (make.ZONE, "USD", "new")
        assert subscription.deal_version_id == subscription.wanted_version_id
        assert make.row(actions.BILL, subscription.id).state == "waiting"

    def test_opens_no_second_one_when_it_is_read_again(self, portal: Portal) -> None:
        first = make.win()
        before = kinds(first)
        second = make.win()

        assert first is second
        assert make.how_many(Subscription) == 1
        assert kinds(first) == before == ["subscription.opened"]
        assert make.open_problems() == {}

    def test_opens_one_for_a_deal_that_was_created_already_won(self, portal: Portal) -> None:
        assert make.observe(make.crm_deal()) is not None

    def test_opens_none_for_an_open_deal_nor_complains_about_it(self, portal: Portal) -> None:
        half_filled = make.crm_deal(make.crm_line(price=None), stage=make.OPEN, company=None, closedate=None)

        assert make.observe(half_filled) is None
        assert make.open_problems() == {}

    def test_opens_none_while_the_deal_has_questions_and_one_when_they_are_mended(self, portal: Portal) -> None:
        assert make.observe(make.crm_deal(make.crm_line(price="x"), company=None, company_ids=())) is None
        assert set(make.open_problems()) == {"bad_number", "no_company"}

        assert make.observe(make.crm_deal()) is not None
        assert make.open_problems() == {}

    def test_asks_about_an_open_deal_only_where_its_stage_is_unclear(self, portal: Portal) -> None:
        make.observe(make.crm_deal(make.crm_line(price=None), hs_is_closed_won="false"))

        assert set(make.open_problems()) == {"stage_unclear"}

    def test_tells_several_faults_of_one_kind_in_one_problem(self, portal: Portal) -> None:
        make.observe(make.crm_deal(make.crm_line(price="x"), make.setup_line(price="y")))
        problem = make.open_problems()["bad_number"]

        assert problem.sentence == (
            'HubSpot has "x" as the price of "Platform". HubSpot has "y" as the price of "Set-up".'
        )
        assert problem.action == "Correct the line item."
        assert problem.deal_id is not None


class TestBeforeGoLive:
    @pytest.mark.parametrize(
        ("closed", "opens"), [("2025-12-31T23:00:00Z", False), ("2026-01-01T05:00:00Z", True), ("2027-03-01", True)]
    )
    def test_lists_a_win_before_go_live_and_never_bills_it(self, portal: Portal, closed: str, opens: bool) -> None:
        subscription = make.observe(make.crm_deal(closedate=closed))

        assert (subscription is not None) is opens
        assert [deal.state for deal in deals.before_go_live()] == ([] if opens else [BEFORE_GO_LIVE])

    def test_asks_nothing_about_such_a_deal(self, portal: Portal) -> None:
        make.observe(make.crm_deal(make.crm_line(price=None), closedate="2025-06-01"))

        assert make.open_problems() == {}


class TestLost:
    def test_holds_and_keeps_drafts_unsent(self, portal: Portal) -> None:
        portal.invoice_mode = "approval"
        subscription = make.win()
        make.draft(subscription)
        make.observe(make.crm_deal(stage=make.LOST))

        assert (subscription.state, subscription.held_because) == (
            HELD, 'The deal left Closed Won (it is in "Closed Lost").',
        )  # fmt: skip
        assert [invoice.state for invoice in make.draft(subscription)] == ["draft"]

    def test_drafts_nothing_while_it_is_held(self, portal: Portal) -> None:
        subscription = make.win()
        make.observe(make.crm_deal(stage=make.LOST))

        assert make.draft(subscription) == []

    def test_resumes_the_same_subscription_when_won_again(self, portal: Portal) -> None:
        subscription = make.win()
        make.observe(make.crm_deal(stage=make.LOST))
        again = make.win()

        assert again is subscription
        assert (subscription.state, subscription.held_because) == (ACTIVE, "")
        assert kinds(subscription) == ["subscription.opened", "subscription.held", "subscription.resumed"]
        assert [invoice.state for invoice in make.draft(subscription)] == ["approved"]

    def test_keeps_the_first_start_when_won_again_later(self, portal: Portal) -> None:
        subscription = make.win()
        make.observe(make.crm_deal(stage=make.LOST))
        make.win(make.crm_deal(closedate="2027-05-01"))

        assert subscription.start_on == date(2027, 3, 1)
        assert [invoice.scheduled_on for invoice in make.draft(subscription)] == [date(2027, 3, 1)]


class TestGone:
    def test_holds_and_asks_sales(self, portal: Portal) -> None:
        subscription = make.win()
        gone()
        problem = make.open_problems()["deal_gone"]

        assert (subscription.state, problem.who) == (HELD, "sales")
        assert problem.sentence == 'The deal "Acme - Platform" was deleted in HubSpot but has a subscription.'

    def test_resumes_when_the_deal_is_restored(self, portal: Portal) -> None:
        subscription = make.win()
        gone()
        make.win()

        assert subscription.state == ACTIVE
        assert make.open_problems() == {}

    def test_asks_nothing_where_nothing_was_billed(self, portal: Portal) -> None:
        make.observe(make.crm_deal(stage=make.OPEN))
        gone()

        assert make.open_problems() == {}


class TestChangedAfterTheWin:
    @pytest.mark.parametrize(
        ("changed", "code", "because"),
        [
            (
                make.crm_deal(deal_currency_code="EUR"), "currency_changed",
                "The deal's currency changed after the win.",
            ),
            (
                make.crm_deal(company={"hs_object_id": "902", "name": "Globex"}), "company_changed",
                "The deal's company changed after the win.",
            ),
            (make.crm_deal(company=None, company_ids=()), "no_company", "The deal has open questions."),
            (make.without_lines(make.crm_deal()), "no_lines", "The deal has open questions."),
        ],
    )  # fmt: skip
    def test_holds_asks_and_resumes_when_it_is_set_back(
        self, portal: Portal, changed: CrmDeal, code: str, because: str
    ) -> None:
        subscription = make.win()
        make.observe(changed)

        assert (subscription.state, subscription.held_because) == (HELD, because)
        assert make.open_problems()[code].holds == "Billing of this deal waits."

        make.observe(make.crm_deal())
        assert subscription.state == ACTIVE
        assert make.open_problems() == {}

    def test_keeps_the_customer_that_is_billed(self, portal: Portal) -> None:
        subscription = make.win()
        make.observe(make.crm_deal(company={"hs_object_id": "902", "name": "Globex"}))
        deal = deals.of_hubspot(301)

        assert deal is not None
        assert deal.customer_id == subscription.customer_id


class TestVanishedLine:
    def test_holds_and_asks_when_it_was_agreed_at_the_win(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(), make.setup_line()))
        make.observe(make.crm_deal())

        assert subscription.state == HELD
        assert make.open_problems()["line_vanished"].sentence.startswith('"Set-up" ')

    def test_resumes_when_the_line_is_added_again(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(), make.setup_line()))
        make.observe(make.crm_deal())
        make.observe(make.crm_deal(make.crm_line(), make.setup_line("990")))

        assert subscription.state == ACTIVE
        assert make.open_problems() == {}

    def test_resumes_without_it_once_a_person_said_it_left_on_purpose(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(), make.setup_line()))
        make.observe(make.crm_deal())
        actions.let_go(make.actor(), subscription.first_deal_id)
        make.observe(make.crm_deal())

        assert subscription.state == ACTIVE
        assert make.open_problems() == {}
        with pytest.raises(Conflict):
            actions.let_go(make.actor(), subscription.first_deal_id)

    def test_is_nothing_to_ask_about_when_it_left_before_the_win(self, portal: Portal) -> None:
        make.observe(make.crm_deal(make.crm_line(), make.setup_line(), stage=make.OPEN))
        make.observe(make.crm_deal(stage=make.OPEN))
        subscription = make.win()
        make.win()

        assert subscription.state == ACTIVE
        assert make.open_problems() == {}

    def test_is_nothing_to_ask_about_when_it_left_with_the_win(self, portal: Portal) -> None:
        make.observe(make.crm_deal(make.crm_line(), make.setup_line(), stage=make.OPEN))
        subscription = make.win()
        make.win()

        assert subscription.state == ACTIVE
        assert make.open_problems() == {}


class TestOtherPortals:
    def test_are_not_touched(self, unbound: int) -> None:
        other = make.fresh_portal()
        for portal_id in (unbound, other):
            with transaction(portal_id):
                make.win()
        with transaction(unbound):
            make.observe(make.crm_deal(stage=make.LOST))
        with transaction(other):
            (subscription_id,) = queries.active_ids()
            assert queries.locked(subscription_id).state == ACTIVE
            assert make.open_problems() == {}
