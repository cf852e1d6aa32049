"""Editing a draft before approval: this invoice only, or from now on; recomputed at once, undone, and never lost."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.core.db import transaction
from app.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from app.core.events import Audit
from app.invoices import approval, editing, planning
from app.invoices.approval import DraftChanged
from app.invoices.editing import Wish
from app.invoices.models import Invoice
from app.portals import queries as portals
from app.portals.models import Portal
from app.subscriptions import actions
from app.subscriptions import queries as subscriptions
from tests import factories as make


def wish(**changes: Any) -> Wish:
    """Return what a person types: twelve units on this invoice only, because two more were agreed."""
    values: dict[str, Any] = {
        "position": 0, "scope": "once", "quantity": "12", "discount_kind": "", "discount": "",
        "reason": "Two more for the audit",
    }  # fmt: skip
    return Wish(**(values | changes))


def edit(draft: Invoice, **changes: Any) -> Invoice:
    return editing.edit(make.actor(), draft.id, draft.version, wish(**changes))


def undo(draft: Invoice, edit_id: str = "edit-1") -> Invoice:
    return editing.undo(make.actor(), draft.id, draft.version, edit_id)


def states(draft: Invoice) -> list[tuple[str, str]]:
    return [(one["id"], one["state"]) for one in draft.edits]


class TestOnce:
    def test_recomputes_the_draft_at_once_in_a_new_version(self, drafted: Invoice) -> None:
        edit(drafted)
        line, set_up = make.lines(drafted)

        assert (drafted.version, drafted.net_minor) == (2, 370_000)
        assert (line.quantity, line.amount_minor, line.why) == (
            Decimal(12),
            120_000,
            "12 x 100.00 a month, 1 Mar - 31 Mar 2027",
        )
        assert (line.due_quantity, line.due_unit_price, line.due_amount_minor) == (Decimal(10), Decimal(100), 100_000)
        assert (set_up.amount_minor, set_up.due_amount_minor) == (250_000, None)
        assert drafted.document["net"] == "3700.00"

    def test_keeps_who_when_why_and_what_was_before(self, drafted: Invoice) -> None:
        edit(drafted)
        (kept,) = drafted.edits

        assert (kept["by"], kept["reason"], kept["state"]) == (
            "approver@northwind.example",
            "Two more for the audit",
            "live",
        )
        assert (kept["set"], kept["before"], kept["amount_before"]) == (
            {"quantity": "12"},
            {"quantity": "10"},
            "1000.00",
        )
        assert make.how_many(Audit, Audit.action == "changed the draft", Audit.actor == kept["by"]) == 1

    @pytest.mark.parametrize(
        ("kind", "value", "amount"),
        [
            ("percent", "10", 90_000),
            ("percent", "33.333", 66_667),
            ("amount", "50", 95_000),
            ("amount", "50.00", 95_000),
        ],
    )
    def test_takes_a_discount(self, drafted: Invoice, kind: str, value: str, amount: int) -> None:
        edit(drafted, quantity="", discount_kind=kind, discount=value)
        line = make.lines(drafted)[0]

        assert (line.amount_minor, line.gross_minor, line.discount_minor) == (amount, 100_000, 100_000 - amount)

    def test_takes_units_and_discount_together(self, drafted: Invoice) -> None:
        edit(drafted, discount_kind="percent", discount="10")

        assert make.lines(drafted)[0].amount_minor == 108_000

    @pytest.mark.parametrize(
        ("changes", "amount"),
        [({"quantity": "2"}, 500_000), ({"quantity": "", "discount_kind": "amount", "discount": "500"}, 200_000),
         ({"quantity": "", "discount_kind": "percent", "discount": "20"}, 200_000)],
    )  # fmt: skip
    def test_changes_a_one_time_line(self, drafted: Invoice, changes: dict[str, str], amount: int) -> None:
        edit(drafted, position=1, **changes)

        assert [line.amount_minor for line in make.lines(drafted)] == [100_000, amount]

    def test_is_settled_as_an_override_of_what_was_due(self, drafted: Invoice) -> None:
        edit(drafted)
        approval.approve_one(make.actor(), drafted.id, drafted.version)
        platform, set_up = make.entries(drafted.subscription_id)

        assert (platform.kind, platform.charged_minor) == ("override", 120_000)
        assert (platform.quantity, platform.unit_price) == (Decimal(10), Decimal(100))
        assert (set_up.kind, set_up.charged_minor) == ("billed", 250_000)
        assert drafted.frozen is not None
        assert json.loads(drafted.frozen)["lines"][0]["quantity"] == "12.000000000000"

    def test_is_never_billed_back(self, by_hand: Portal) -> None:
        by_hand.draft_ahead_days = 31
        march, april = make.draft(make.win())
        edit(march, quantity="5")
        approval.approve_one(make.actor(), march.id, march.version)

        assert [(i.id, i.net_minor, i.version) for i in make.draft(march.subscription_id)] == [
            (march.id, 50_000, 2), (april.id, 100_000, 1),
        ]  # fmt: skip

    def test_survives_the_daily_run_without_a_new_version(self, drafted: Invoice) -> None:
        edit(drafted)
        make.draft(drafted.subscription_id)

        assert (drafted.version, drafted.net_minor, states(drafted)) == (2, 370_000, [("edit-1", "live")])

    def test_survives_an_edit_of_the_deal_that_leaves_its_line(self, drafted: Invoice) -> None:
        edit(drafted)
        make.observe(make.crm_deal(make.crm_line(price="110.00"), make.setup_line()))
        make.draft(drafted.subscription_id)

        assert (make.lines(drafted)[0].amount_minor, make.lines(drafted)[0].due_amount_minor) == (132_000, 110_000)

    def test_survives_being_taken_back_after_approval(self, drafted: Invoice) -> None:
        edit(drafted)
        approval.approve_one(make.actor(), drafted.id, drafted.version)
        subscriptions.locked(drafted.subscription_id)
        approval.take_back(drafted, "The deal changed before the invoice was sent.")
        make.draft(drafted.subscription_id)

        assert (drafted.state, drafted.net_minor, states(drafted)) == ("draft", 370_000, [("edit-1", "live")])

    def test_is_dropped_with_a_note_when_its_line_is_gone(self, drafted: Invoice) -> None:
        edit(drafted)
        make.observe(
            make.crm_deal(make.crm_line(recurringbillingfrequency="quarterly", price="300.00"), make.setup_line())
        )
        (draft,) = make.draft(drafted.subscription_id)

        assert (draft.net_minor, states(draft)) == (550_000, [("edit-1", "dropped")])
        assert draft.edits[0]["note"] == "The line it was made on is no longer on this draft, so it doesn't count."

    def test_is_told_on_the_next_draft_when_its_own_draft_is_gone(self, by_hand: Portal) -> None:
        by_hand.draft_ahead_days = 40
        march, april = make.draft(make.win())
        edit(april)
        make.observe(make.crm_deal(make.crm_line(recurringbillingfrequency="quarterly", price="300.00")))
        (left,) = make.draft(march.subscription_id)

        assert [(one["state"], one["note"]) for one in left.edits] == [
            ("dropped", "The draft it was made on is gone, so it doesn't count.")
        ]

    def test_keeps_the_rule_from_approving_it(self, portal: Portal) -> None:
        portal.first_invoice_by_person = True
        (draft,) = make.draft(make.win())
        edit(draft)
        portal.first_invoice_by_person = False
        make.draft(draft.subscription_id)

        assert (draft.state, draft.needs_person) == ("draft", [planning.EDITED])


class TestOnwards:
    @pytest.fixture
    def march(self, by_hand: Portal) -> Invoice:
        by_hand.draft_ahead_days = 31
        march, _ = make.draft(make.win())
        return march

    def test_changes_this_and_every_later_draft(self, march: Invoice) -> None:
        edit(march, scope="onwards")

        assert [(i.net_minor, i.version) for i in make.invoices(march.subscription_id)] == [(120_000, 2), (120_000, 2)]
        assert make.lines(march)[0].due_amount_minor is None

    def test_is_an_amendment_from_the_lines_first_day(self, march: Invoice) -> None:
        edit(march, scope="onwards")
        (amendment,) = make.amendments(march.subscription_id)

        assert (amendment.effective, amendment.source, amendment.reason) == (
            date(2027, 3, 1), "console", "Two more for the audit",
        )  # fmt: skip
        assert amendment.body == {"item": "platform", "quantity": "12", "settle": "unused"}
        assert (amendment.before, amendment.made_by) == ({"quantity": "10"}, "approver@northwind.example")

    @pytest.mark.parametrize(
        ("changes", "net"),
        [({"quantity": "8"}, 80_000), ({"quantity": "", "discount_kind": "percent", "discount": "25"}, 75_000),
         ({"quantity": "", "discount_kind": "amount", "discount": "30"}, 97_000)],
    )  # fmt: skip
    def test_needs_no_answer_of_finance_for_less(self, march: Invoice, changes: dict[str, str], net: int) -> None:
        edit(march, scope="onwards", **changes)

        assert [i.net_minor for i in make.draft(march.subscription_id)] == [net, net]
        assert make.open_problems() == {}

    def test_settles_as_billed_with_what_is_due_now(self, march: Invoice) -> None:
        edit(march, scope="onwards")
        approval.approve_one(make.actor(), march.id, march.version)
        (entry,) = make.entries(march.subscription_id)

        assert (entry.kind, entry.quantity, entry.charged_minor, entry.change) == ("billed", Decimal(12), 120_000, "")
        assert [i.net_minor for i in make.draft(march.subscription_id)] == [120_000, 120_000]

    def test_conflicts_when_a_later_period_is_invoiced(self, march: Invoice) -> None:
        _, april = make.invoices(march.subscription_id)
        approval.approve_one(make.actor(), april.id, april.version)

        with pytest.raises(Conflict, match="A later period of this item is invoiced already"):
            edit(march, scope="onwards")

    def test_is_undone_for_all_drafts(self, march: Invoice) -> None:
        edit(march, scope="onwards")
        undo(march)

        assert [i.net_minor for i in make.invoices(march.subscription_id)] == [100_000, 100_000]
        assert make.amendments(march.subscription_id) == []
        assert states(march) == [("edit-1", "undone")]

    def test_is_not_undone_once_an_invoice_was_approved_with_it(self, march: Invoice) -> None:
        edit(march, scope="onwards")
        _, april = make.invoices(march.subscription_id)
        approval.approve_one(make.actor(), april.id, april.version)

        with pytest.raises(Conflict, match="approved with this change already"):
            undo(march)

    def test_of_a_one_time_line_is_refused(self, drafted: Invoice) -> None:
        with pytest.raises(Invalid, match="charged a single time"):
            edit(drafted, position=1, quantity="2", scope="onwards")

    def test_counts_no_more_when_its_item_leaves_the_deal_before_it_was_billed(self, by_hand: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(), make.crm_line("503", name="Support")))
        (draft,) = make.draft(subscription)
        edit(draft, scope="onwards", position=1)
        make.observe(make.crm_deal())
        actions.let_go(make.actor(), subscription.first_deal_id)
        make.observe(make.crm_deal())
        make.draft(subscription)

        assert (draft.net_minor, states(draft)) == (100_000, [("edit-1", "dropped")])
        assert draft.needs_person == [planning.ROUTINE]

    def test_stays_when_the_price_is_edited_in_hubspot(self, march: Invoice) -> None:
        edit(march, scope="onwards")
        make.observe(make.crm_deal(make.crm_line(price="110.00")))

        assert [i.net_minor for i in make.draft(march.subscription_id)] == [132_000, 132_000]


class TestAgain:
    def test_replaces_the_edit_before_and_tells_the_first_amount(self, drafted: Invoice) -> None:
        edit(drafted)
        edit(drafted, quantity="14")

        assert (drafted.net_minor, drafted.version) == (390_000, 3)
        assert states(drafted) == [("edit-1", "undone"), ("edit-2", "live")]
        assert (drafted.edits[1]["before"], drafted.edits[1]["amount_before"]) == ({"quantity": "10"}, "1000.00")

    def test_keeps_the_units_when_only_the_discount_is_typed(self, drafted: Invoice) -> None:
        edit(drafted)
        edit(drafted, quantity="", discount_kind="percent", discount="50")

        assert make.lines(drafted)[0].amount_minor == 60_000

    def test_takes_a_discount_away_whatever_number_still_stands_beside_it(self, drafted: Invoice) -> None:
        edit(drafted, discount_kind="percent", discount="10")
        edit(drafted, discount_kind="none", discount="10")

        assert make.lines(drafted)[0].amount_minor == 120_000

    def test_turns_this_invoice_only_into_from_now_on(self, by_hand: Portal) -> None:
        by_hand.draft_ahead_days = 31
        march, april = make.draft(make.win())
        edit(march)
        edit(march, scope="onwards")

        assert (march.net_minor, april.net_minor) == (120_000, 120_000)
        assert len(make.amendments(march.subscription_id)) == 1
        assert make.lines(march)[0].due_amount_minor is None

    def test_turns_from_now_on_into_this_invoice_only(self, by_hand: Portal) -> None:
        by_hand.draft_ahead_days = 31
        march, april = make.draft(make.win())
        edit(march, scope="onwards")
        edit(march, quantity="14")

        assert (march.net_minor, april.net_minor) == (140_000, 100_000)
        assert make.amendments(march.subscription_id) == []

    def test_twice_from_now_on_leaves_one_amendment(self, by_hand: Portal) -> None:
        (march,) = make.draft(make.win())
        edit(march, scope="onwards")
        edit(march, scope="onwards", quantity="15")

        assert [one.body["quantity"] for one in make.amendments(march.subscription_id)] == ["15"]
        assert march.net_minor == 150_000


class TestUndo:
    def test_brings_back_what_was_agreed(self, drafted: Invoice) -> None:
        edit(drafted)
        undo(drafted)

        assert (drafted.net_minor, drafted.version, states(drafted)) == (350_000, 3, [("edit-1", "undone")])
        assert make.lines(drafted)[0].due_amount_minor is None
        assert make.how_many(Audit, Audit.action == "took back a change of the draft") == 1

    def test_twice_conflicts(self, drafted: Invoice) -> None:
        edit(drafted)
        undo(drafted)
        with pytest.raises(Conflict, match="taken back already"):
            undo(drafted)

    def test_conflicts_after_approval(self, drafted: Invoice) -> None:
        edit(drafted)
        approval.approve_one(make.actor(), drafted.id, drafted.version)
        with pytest.raises(Conflict, match="approved already"):
            undo(drafted)


class TestRefused:
    def test_approval_of_the_version_before_the_edit(self, drafted: Invoice) -> None:
        edit(drafted)

        with pytest.raises(DraftChanged):
            approval.approve_one(make.actor(), drafted.id, 1)

    def test_edit_of_a_version_that_changed_since_it_was_shown(self, drafted: Invoice) -> None:
        edit(drafted)

        with pytest.raises(DraftChanged):
            editing.edit(make.actor(), drafted.id, 1, wish(quantity="13"))

    def test_people_who_may_not_approve(self, drafted: Invoice) -> None:
        for act in (
            lambda: editing.edit(make.actor("viewer"), drafted.id, 1, wish()),
            lambda: editing.undo(make.actor("viewer"), drafted.id, 1, "edit-1"),
            lambda: editing.editable(make.actor("viewer"), drafted.id, 0),
        ):
            with pytest.raises(NotAllowed):
                act()

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"reason": "  "}, "Say why"), ({"scope": "always"}, "this invoice only"),
            ({"quantity": "a dozen"}, "plain number"), ({"quantity": "-1"}, "plain number"),
            ({"quantity": "1e3"}, "plain number"), ({"quantity": "10"}, "just that already"),
            ({"quantity": "", "discount_kind": "none"}, "just that already"), ({"reason": "x" * 501}, "at most 500"),
            ({"discount_kind": "percent", "discount": "101"}, "at most 100"),
            ({"discount_kind": "percent", "discount": "ten"}, "in percent"),
            ({"discount_kind": "amount", "discount": "1.234"}, "as an amount"),
            ({"discount_kind": "amount", "discount": "-5"}, "not below zero"),
            ({"discount_kind": "gift", "discount": "5"}, "what kind"),
            ({"discount_kind": "none", "discount": "5"}, "what kind"),
            ({"position": 7}, "no longer on the draft"),
        ],
    )  # fmt: skip
    def test_what_can_not_be_read_or_changes_nothing(
        self, drafted: Invoice, changes: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(DomainError, match=said):
            edit(drafted, **changes)

        assert (drafted.version, drafted.edits) == (1, [])

    def test_going_back_to_what_was_agreed_instead_of_undoing(self, drafted: Invoice) -> None:
        edit(drafted)

        with pytest.raises(Invalid, match="Take the change back instead"):
            edit(drafted, quantity="10")

    @pytest.mark.parametrize(
        "changes",
        [{"quantity": "0"}, {"quantity": "", "discount_kind": "percent", "discount": "100"},
         {"quantity": "0", "scope": "onwards"}],
    )  # fmt: skip
    def test_what_leaves_nothing_to_pay(self, unbound: int, changes: dict[str, str]) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
        with pytest.raises(Conflict, match="leaves nothing to pay"), transaction(unbound):
            edit(draft, **changes)
        with transaction(unbound):
            (left,) = make.invoices(draft.subscription_id)
            assert (left.version, left.net_minor, left.edits) == (1, 100_000, [])
            assert make.amendments(draft.subscription_id) == []
            assert make.entries(draft.subscription_id) == []

    @pytest.mark.parametrize("scope", ["once", "onwards"])
    def test_what_comes_to_more_than_an_invoice_can_hold(self, unbound: int, scope: str) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
        with pytest.raises(Conflict, match="can't be billed so"), transaction(unbound):
            edit(draft, quantity="9" * 26, scope=scope)
        with transaction(unbound):
            assert make.amendments(draft.subscription_id) == []
            assert make.open_problems() == {}

    def test_a_held_deal(self, drafted: Invoice) -> None:
        make.observe(make.crm_deal(stage=make.LOST))
        with pytest.raises(Conflict, match="held"):
            edit(drafted)

    def test_another_portals_draft(self, unbound: int) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
        with transaction(make.fresh_portal()), pytest.raises(NotFound):
            edit(draft)

    def test_a_line_that_corrects(self, unbound: int) -> None:
        with transaction(unbound):
            won = make.win()
            make.issue(won)
            portals.current().invoice_mode, portals.current().draft_ahead_days = "approval", 20
            change = {"id": "c1", "effective": "2027-03-16", "recorded": "2027-03-01"}
            make.agreed(won, changes=[change | {"item": "platform", "unit_price": "150"}])
            _, mixed = make.draft(won)
            with pytest.raises(Conflict, match="corrects or credits"):
                edit(mixed)
