"""An edit of a deal after something was issued counts from the first period not issued; less than agreed is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotAllowed
from app.core.events import Audit
from app.invoices import approval
from app.portals import queries as portals
from app.ports import CrmDeal
from app.subscriptions import actions, amending, queries
from app.subscriptions.amending import BOTH_CHANGED, DECREASED, IMPOSSIBLE, Writing
from app.subscriptions.models import CONSOLE
from tests import factories as make

SUPPORT = make.crm_line("503", name="Support", price="50.00", quantity="1")
APRIL = date(2027, 4, 1)


@pytest.fixture
def subscription_id(unbound: int) -> int:
    """Ten seats of Platform, whose March is issued; drafts are written up to the first of May."""
    with transaction(unbound):
        won = make.win()
        make.issue(won)
        portals.current().draft_ahead_days = 31
        return won.id


def edited(subscription_id: int, *lines: Any, **changes: Any) -> list[tuple[str, int]]:
    """Edit the deal in HubSpot, bill it, and return (day, net) of what there is after March."""
    make.observe(make.crm_deal(*lines, **changes))
    return after_march(subscription_id)


def after_march(subscription_id: int) -> list[tuple[str, int]]:
    return [(i.scheduled_on.isoformat(), i.net_minor) for i in make.draft(subscription_id)[1:]]


class TestCarriedChanges:
    def test_stand_on_the_next_regular_invoice_where_the_portal_chose_so(
        self, unbound: int, subscription_id: int
    ) -> None:
        with transaction(unbound):
            portals.current().carry_changes = True
            writing = Writing(by="ada@northwind.example", on=make.TODAY, source=CONSOLE, reason="Two more seats")
            amending.add(
                queries.locked(subscription_id), date(2027, 3, 16), {"item": "platform", "quantity": "12"}, {}, writing
            )
            assert after_march(subscription_id) == [("2027-04-01", 120_000 + 10_322)]
            april = make.invoices(subscription_id)[-1]
            change = make.amendments(subscription_id)[0].change
            assert sorted((line.change, line.amount_minor) for line in make.lines(april)) == [
                ("", 120_000), (change, -51_613), (change, 61_935),
            ]  # fmt: skip


class TestMore:
    @pytest.mark.parametrize(
        ("lines", "april", "body"),
        [
            ((make.crm_line(price="120.00"),), 120_000, {"item": "platform", "unit_price": "120"}),
            ((make.crm_line(quantity="12"),), 120_000, {"item": "platform", "quantity": "12"}),
            ((make.crm_line(), SUPPORT), 105_000, None),
        ],
    )
    def test_counts_from_the_first_period_not_issued_without_asking(
        self, unbound: int, subscription_id: int, lines: tuple[Any, ...], april: int, body: dict[str, str] | None
    ) -> None:
        with transaction(unbound):
            assert edited(subscription_id, *lines) == [("2027-04-01", april)]
            (amendment,) = make.amendments(subscription_id)
            assert (amendment.effective, amendment.source, amendment.made_by) == (APRIL, "hubspot", "rule")
            assert body is None or amendment.body == body
            assert amendment.recorded_on == make.TODAY
            assert make.open_problems() == {}

    def test_keeps_the_version_that_was_first_billed_as_the_base(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            first = queries.locked(subscription_id).deal_version_id
            edited(subscription_id, make.crm_line(price="120.00"))
            edited(subscription_id, make.crm_line(price="120.00", quantity="11"))
            now = queries.locked(subscription_id)
            assert now.base_version_id == first
            assert now.deal_version_id == now.wanted_version_id != first

    def test_twice_writes_nothing_more(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="120.00"))
            edited(subscription_id, make.crm_line(price="120.00"))
            assert len(make.amendments(subscription_id)) == 1

    def test_one_time_item_that_is_added_gets_a_document_of_its_own(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            assert edited(subscription_id, make.crm_line(), make.setup_line()) == [
                ("2027-04-01", 100_000), ("2027-04-01", 250_000),
            ]  # fmt: skip
            assert [i.change for i in make.invoices(subscription_id)] == ["", "", "amendment-1"]
            assert [i.name for i in make.lines(make.invoices(subscription_id)[2])] == ["Set-up"]

    def test_billing_interval_moves_to_the_new_rhythm_after_what_is_issued(
        self, unbound: int, subscription_id: int
    ) -> None:
        with transaction(unbound):
            quarterly = make.crm_line(recurringbillingfrequency="quarterly", price="300.00")
            (first, *_) = edited(subscription_id, quarterly)
            assert first[0] == "2027-04-01"
            (amendment,) = make.amendments(subscription_id)
            assert amendment.body == {"billing": {"interval": "P3M"}}

    def test_new_name_is_no_amendment_and_is_on_the_next_draft(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="120.00"))
            portals.current().invoice_mode = "approval"
            april = make.invoices(subscription_id)[1]
            approval.take_back(april, "To be seen again.")
            edited(subscription_id, make.crm_line(price="120.00", name="Platform Pro"))
            assert [line.name for line in make.lines(april)] == ["Platform Pro"]
            assert len(make.amendments(subscription_id)) == 1


class TestEditedAgain:
    def test_before_the_next_period_is_issued_the_newer_edit_replaces_the_older(
        self, unbound: int, subscription_id: int
    ) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="120.00"))
            assert edited(subscription_id, make.crm_line(price="110.00")) == [("2027-04-01", 110_000)]
            assert [one.body["unit_price"] for one in make.amendments(subscription_id)] == ["110"]
            assert make.open_problems() == {}

    def test_and_set_back_leaves_what_was_agreed_at_first(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="120.00"))
            assert edited(subscription_id) == [("2027-04-01", 100_000)]
            assert make.amendments(subscription_id) == []

    def test_after_it_was_issued_both_stand(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="120.00"))
            make.issue(subscription_id)
            edited(subscription_id, make.crm_line(price="130.00"))
            assert [(one.effective, one.body["unit_price"]) for one in make.amendments(subscription_id)] == [
                (APRIL, "120"), (date(2027, 5, 1), "130"),
            ]  # fmt: skip


class TestLess:
    LOWER = (
        make.crm_deal(make.crm_line(price="80.00")), make.crm_deal(make.crm_line(quantity="8")),
        make.crm_deal(make.crm_line(hs_discount_percentage="20")),
    )  # fmt: skip

    @pytest.mark.parametrize("deal", LOWER)
    def test_is_asked_and_the_deal_waits(self, unbound: int, subscription_id: int, deal: CrmDeal) -> None:
        with transaction(unbound):
            make.observe(deal)
            assert after_march(subscription_id) == []
            problem = make.open_problems()[DECREASED]
            assert (problem.who, set(make.open_problems())) == ("finance", {DECREASED})
            assert problem.sentence.startswith('"Platform" changed: ')
            # April to February: eleven months at 200.00 less.
            assert problem.sentence.endswith("To the end of the term that is 2,200.00 USD less than agreed.")
            assert [answer for answer, _ in problem.data["answers"]] == ["lower", "keep"]
            assert make.amendments(subscription_id) == []

    @pytest.mark.parametrize("deal", LOWER)
    @pytest.mark.parametrize(("said", "net"), [("lower", 80_000), ("keep", 100_000)])
    def test_is_billed_as_finance_answers(
        self, unbound: int, subscription_id: int, deal: CrmDeal, said: str, net: int
    ) -> None:
        with transaction(unbound):
            make.observe(deal)
            make.draft(subscription_id)
            self.answer(subscription_id, said)
            assert after_march(subscription_id) == [("2027-04-01", net)]
            (amendment,) = make.amendments(subscription_id)
            assert (amendment.made_by, amendment.effective) == ("approver@northwind.example", APRIL)
            assert amendment.body["settle"] == ("unused" if said == "lower" else "none")
            assert make.open_problems() == {}
            assert make.how_many(Audit, Audit.subject_kind == "subscription") == 1

    def test_stays_asked_when_the_deal_is_read_again(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="80.00"))
            edited(subscription_id, make.crm_line(price="80.00"))
            assert set(make.open_problems()) == {DECREASED}

    def test_is_asked_no_more_once_the_deal_is_set_back(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="80.00"))
            assert edited(subscription_id) == [("2027-04-01", 100_000)]
            assert make.open_problems() == {}

    def test_beside_more_is_answered_for_what_is_less(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="80.00"), SUPPORT)
            self.answer(subscription_id, "keep")
            assert after_march(subscription_id) == [("2027-04-01", 105_000)]

    def test_by_one_hand_and_more_by_the_other_is_asked_by_what_the_item_costs(
        self, unbound: int, subscription_id: int
    ) -> None:
        with transaction(unbound):
            assert edited(subscription_id, make.crm_line(price="50.00", quantity="21")) == [("2027-04-01", 105_000)]
            assert make.open_problems() == {}

    def test_takes_back_what_was_approved_and_not_sent(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            assert after_march(subscription_id) == [("2027-04-01", 100_000)]
            edited(subscription_id, make.crm_line(price="80.00"))
            assert [invoice.state for invoice in make.invoices(subscription_id)] == ["open", "draft"]
            self.answer(subscription_id, "lower")
            assert after_march(subscription_id) == [("2027-04-01", 80_000)]

    def test_of_an_item_taken_out_on_purpose(self, unbound: int) -> None:
        with transaction(unbound):
            won = make.win(make.crm_deal(make.crm_line(), SUPPORT))
            make.issue(won)
            portals.current().draft_ahead_days = 31
            make.observe(make.crm_deal())
            actions.let_go(make.actor(), won.first_deal_id)
            assert edited(won.id) == []
            assert make.open_problems()[DECREASED].sentence.startswith('"Support" was taken out')
            self.answer(won.id, "lower")
            assert after_march(won.id) == [("2027-04-01", 100_000)]

    def answer(self, subscription_id: int, said: str) -> None:
        shown = make.open_problems()[DECREASED].data
        assert shown["subscription_id"] == subscription_id
        amending.answer(make.actor(), subscription_id, shown["version_id"], said)


class TestAnswer:
    @pytest.fixture
    def asked(self, unbound: int, subscription_id: int) -> int:
        """The version that is asked about."""
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="80.00"))
            return int(make.open_problems()[DECREASED].data["version_id"])

    def test_needs_an_approver(self, unbound: int, subscription_id: int, asked: int) -> None:
        with transaction(unbound), pytest.raises(NotAllowed):
            amending.answer(make.actor("viewer"), subscription_id, asked, "lower")

    def test_conflicts_when_the_deal_changed_since_it_was_shown(
        self, unbound: int, subscription_id: int, asked: int
    ) -> None:
        with transaction(unbound):
            edited(subscription_id, make.crm_line(price="70.00"))
            with pytest.raises(Conflict, match="changed since you saw this"):
                amending.answer(make.actor(), subscription_id, asked, "lower")
            assert make.amendments(subscription_id) == []

    def test_twice_conflicts(self, unbound: int, subscription_id: int, asked: int) -> None:
        with transaction(unbound):
            amending.answer(make.actor(), subscription_id, asked, "lower")
            with pytest.raises(Conflict):
                amending.answer(make.actor(), subscription_id, asked, "lower")
            assert len(make.amendments(subscription_id)) == 1

    @pytest.mark.parametrize(("said", "error"), [("maybe", Invalid), ("", Invalid), ("console", Conflict)])
    def test_is_one_of_those_that_were_offered(
        self, unbound: int, subscription_id: int, asked: int, said: str, error: type[Exception]
    ) -> None:
        with transaction(unbound), pytest.raises(error):
            amending.answer(make.actor(), subscription_id, asked, said)


class TestWhatNoChangeExpresses:
    @pytest.mark.parametrize(
        ("deal", "said"),
        [
            (make.crm_deal(make.crm_line(hs_recurring_billing_period="P24M")), "The deal's term changed."),
            (
                make.crm_deal(make.crm_line(), make.setup_line(price="3000.00")),
                '"Set-up" changed: price 2500 → 3000, after it was invoiced.',
            ),
        ],
    )
    def test_is_a_question_and_the_deal_waits(self, unbound: int, deal: CrmDeal, said: str) -> None:
        with transaction(unbound):
            won = make.win(make.crm_deal(make.crm_line(), make.setup_line()))
            make.issue(won)
            portals.current().draft_ahead_days = 31
            lines = deal.lines if len(deal.lines) > 1 else (*deal.lines, make.setup_line())
            assert edited(won.id, *lines) == []
            problem = make.open_problems()[IMPOSSIBLE]
            assert (problem.who, problem.sentence) == ("finance", f"After its first invoice was issued: {said}")

    def test_is_an_edit_when_the_whole_term_is_invoiced(self, unbound: int) -> None:
        annual = {"recurringbillingfrequency": "annually", "price": "1200.00", "quantity": "1"}
        with transaction(unbound):
            won = make.win(make.crm_deal(make.crm_line(**annual)))
            make.issue(won)
            make.observe(make.crm_deal(make.crm_line(**(annual | {"price": "1500.00"}))))
            make.draft(won)
            assert "its whole term is invoiced already" in make.open_problems()[IMPOSSIBLE].sentence


class TestBothChanged:
    @pytest.fixture
    def asked(self, unbound: int, subscription_id: int) -> int:
        """A person set twelve seats in the console; the deal now says fourteen. Returns the deal's version."""
        with transaction(unbound):
            subscription = queries.locked(subscription_id)
            amending.add(
                subscription, APRIL, {"item": "platform", "quantity": "12", "settle": "unused"}, {"quantity": "10"},
                Writing("ada@northwind.example", make.TODAY, CONSOLE, "Two more."),
            )  # fmt: skip
            assert after_march(subscription_id) == [("2027-04-01", 120_000)]
            edited(subscription_id, make.crm_line(quantity="14"))
            return int(make.open_problems()[BOTH_CHANGED].data["version_id"])

    def test_shows_both_values(self, unbound: int, subscription_id: int, asked: int) -> None:
        with transaction(unbound):
            sentence = make.open_problems()[BOTH_CHANGED].sentence
            assert sentence == (
                '"Platform" changed: quantity 10 → 14 in HubSpot, and in Dealwright it was set to: quantity 12.'
            )

    @pytest.mark.parametrize(("said", "net"), [("deal", 140_000), ("console", 120_000)])
    def test_is_billed_as_the_person_says_and_not_asked_again(
        self, unbound: int, subscription_id: int, asked: int, said: str, net: int
    ) -> None:
        with transaction(unbound):
            amending.answer(make.actor(), subscription_id, asked, said)
            assert after_march(subscription_id) == [("2027-04-01", net)]
            assert make.open_problems() == {}
            assert after_march(subscription_id) == [("2027-04-01", net)]

    def test_is_no_question_where_the_deal_leaves_that_field_alone(self, unbound: int, subscription_id: int) -> None:
        with transaction(unbound):
            amending.add(
                queries.locked(subscription_id), APRIL, {"item": "platform", "quantity": "12"}, {"quantity": "10"},
                Writing("ada@northwind.example", make.TODAY, CONSOLE, "Two more."),
            )  # fmt: skip
            assert edited(subscription_id, make.crm_line(price="110.00")) == [("2027-04-01", 132_000)]
            assert make.open_problems() == {}


class TestBeforeAnythingIsIssued:
    def test_the_new_version_replaces_the_old_and_what_still_fits_of_the_console_stays(self, unbound: int) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            won = make.win(make.crm_deal(make.crm_line(), SUPPORT))
            by = Writing("ada@northwind.example", make.TODAY, CONSOLE, "Two more.")
            for key in ("platform", "support"):
                amending.add(won, make.TODAY, {"item": key, "quantity": "12"}, {}, by)
            make.observe(make.crm_deal(make.crm_line(price="110.00")))
            actions.let_go(make.actor(), won.first_deal_id)
            make.observe(make.crm_deal(make.crm_line(price="110.00")))
            assert [invoice.net_minor for invoice in make.draft(won)] == [132_000]
            assert [one.body["item"] for one in make.amendments(won.id)] == ["platform"]
            assert queries.locked(won.id).base_version_id is None
