"""A customer's second won deal waits until somebody says how it stands to the first."""

from __future__ import annotations

import pytest

from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.core.events import Audit
from app.portals.models import Portal
from app.ports import CrmDeal
from app.subscriptions import actions
from app.subscriptions.models import ACTIVE, HELD, WAITING_RELATION, Subscription
from tests import factories as make


def second(**changes: object) -> CrmDeal:
    """Return another won deal of the same customer."""
    lines = changes.pop("lines", (make.crm_line("601", name="More seats"),))
    return make.crm_deal(*lines, deal_id=302, dealname="Acme - More", **changes)  # type: ignore[misc, arg-type]  # a table's own values


@pytest.fixture
def waiting(portal: Portal) -> Subscription:
    """The second deal's subscription, which waits."""
    make.win()
    return make.win(second())


class TestSecondDeal:
    def test_waits_and_asks_finance(self, waiting: Subscription) -> None:
        problem = make.open_problems()["relation"]

        assert waiting.state == WAITING_RELATION
        assert problem.sentence == 'Acme Inc already has a subscription. Is "Acme - More" a new one beside it?'
        assert (problem.who, problem.data) == ("finance", {"subscription_id": waiting.id})
        assert make.draft(waiting) == []

    def test_goes_on_waiting_when_it_is_read_again(self, waiting: Subscription) -> None:
        make.observe(second())

        assert waiting.state == WAITING_RELATION
        assert set(make.open_problems()) == {"relation"}

    @pytest.mark.parametrize("deal_type", ["newbusiness", "NewBusiness"])
    def test_bills_at_once_where_its_type_is_new_business(self, portal: Portal, deal_type: str) -> None:
        make.win()
        subscription = make.win(second(dealtype=deal_type))

        assert subscription.state == ACTIVE
        assert make.open_problems() == {}

    @pytest.mark.parametrize("deal_type", [None, "", "existingbusiness", "renewal"])
    def test_waits_for_any_other_type(self, portal: Portal, deal_type: str | None) -> None:
        make.win()

        assert make.win(second(dealtype=deal_type)).state == WAITING_RELATION

    def test_does_not_wait_for_another_customer(self, portal: Portal) -> None:
        make.win()
        globex = {"hs_object_id": "902", "name": "Globex"}

        assert make.win(second(company=globex)).state == ACTIVE


class TestRelate:
    def test_bills_it_beside_the_other(self, waiting: Subscription) -> None:
        actions.relate(make.actor(), waiting.id, "new")

        assert (waiting.state, waiting.held_because, waiting.relation) == (ACTIVE, "", "new")
        assert make.open_problems() == {}
        assert [invoice.state for invoice in make.draft(waiting)] == ["approved"]
        assert make.how_many(Audit, Audit.subject_kind == "subscription") == 1

    def test_conflicts_the_second_time(self, waiting: Subscription) -> None:
        actions.relate(make.actor(), waiting.id, "new")

        with pytest.raises(Conflict, match="settled already"):
            actions.relate(make.actor(), waiting.id, "new")

    @pytest.mark.parametrize("relation", ["renewal", "adds", "replaces", "", "x"])
    def test_refuses_what_it_cannot_bill_yet(self, waiting: Subscription, relation: str) -> None:
        with pytest.raises(Invalid, match="new beside the other"):
            actions.relate(make.actor(), waiting.id, relation)

    def test_needs_an_approver(self, waiting: Subscription) -> None:
        with pytest.raises(NotAllowed):
            actions.relate(make.actor("viewer"), waiting.id, "new")
        assert waiting.state == WAITING_RELATION

    def test_finds_no_subscription_of_another_portal(self, unbound: int) -> None:
        with transaction(unbound):
            make.win()
            waiting_id = make.win(second()).id
        with transaction(make.fresh_portal()), pytest.raises(NotFound):
            actions.relate(make.actor(), waiting_id, "new")


class TestWhatChangedWhileItWaited:
    def test_a_lost_deal_is_held_and_bills_nothing_when_it_is_related(self, waiting: Subscription) -> None:
        make.observe(second(stage=make.LOST))
        actions.relate(make.actor(), waiting.id, "new")

        assert waiting.state == HELD
        assert make.draft(waiting) == []

    def test_a_lost_deal_that_was_related_bills_once_it_is_won_again(self, waiting: Subscription) -> None:
        make.observe(second(stage=make.LOST))
        actions.relate(make.actor(), waiting.id, "new")
        make.observe(second())

        assert waiting.state == ACTIVE
        assert [invoice.state for invoice in make.draft(waiting)] == ["approved"]

    def test_a_deal_with_questions_is_held_when_it_is_related(self, waiting: Subscription) -> None:
        make.observe(second(deal_currency_code="EUR"))
        actions.relate(make.actor(), waiting.id, "new")

        assert waiting.state == HELD
        assert set(make.open_problems()) == {"currency_changed"}

    def test_an_edit_is_what_is_billed(self, waiting: Subscription) -> None:
        make.observe(second(lines=(make.crm_line("601", name="More seats", price="7.00"),)))
        actions.relate(make.actor(), waiting.id, "new")

        assert [invoice.net_minor for invoice in make.draft(waiting)] == [7_000]
