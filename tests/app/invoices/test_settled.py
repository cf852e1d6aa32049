"""What is settled never overlaps, comes free when an approval is taken back, and is written once."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import clock
from app.core.db import db, transaction
from app.core.errors import Conflict
from app.core.events import Event
from app.core.work import Work
from app.invoices import approval, drafting, enqueue, settling
from app.invoices.approval import DraftChanged
from app.invoices.models import Invoice
from app.portals import queries as portals
from app.portals.models import Portal
from app.subscriptions import queries as subscriptions
from app.subscriptions.models import BilledEntry, Subscription
from tests import factories as make

DELIVERY = {enqueue.CUSTOMER, enqueue.ITEM, enqueue.INVOICE, enqueue.MAIL}


def delivery() -> dict[str, Work]:
    """Return the rows that deliver invoices, by kind."""
    db.session.flush()
    rows = db.session.execute(select(Work).where(Work.kind.in_(DELIVERY)).execution_options(populate_existing=True))
    return {row.kind: row for row in rows.scalars()}


class TestOverlappingEntries:
    @pytest.fixture
    def subscription(self, by_hand: Portal) -> Subscription:
        subscription = make.win()
        db.session.add(settling.entry(subscription, None, "platform", date(2027, 3, 1), date(2027, 4, 1), 100))
        db.session.flush()
        return subscription

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            ("2027-03-01", "2027-04-01"),
            ("2027-03-31", "2027-04-01"),
            ("2027-02-01", "2027-03-02"),
            ("2027-03-10", "2027-03-11"),
        ],
    )
    def test_are_refused(self, subscription: Subscription, start: str, end: str) -> None:
        with pytest.raises(IntegrityError, match="ex_billed_entry_overlap"), db.session.begin_nested():
            self._add(subscription, start=start, end=end)

    @pytest.mark.parametrize(
        "changes",
        [
            {"start": "2027-04-01", "end": "2027-05-01"}, {"start": "2027-02-01", "end": "2027-03-01"},
            {"item": "support"}, {"bill_to": "Parent Inc"}, {"change": "c1"}, {"corrects": True},
        ],
    )  # fmt: skip
    def test_are_those_of_one_item_payer_and_change_only(
        self, subscription: Subscription, changes: dict[str, Any]
    ) -> None:
        self._add(subscription, **changes)

        assert len(make.entries(subscription.id)) == 2

    def test_are_no_overlap_once_the_first_was_released(self, subscription: Subscription) -> None:
        (entry,) = make.entries(subscription.id)
        entry.released_at = clock.now()
        db.session.flush()
        self._add(subscription)

        assert len(make.entries(subscription.id, live=False)) == 2

    def _add(
        self, subscription: Subscription, *, start: str = "2027-03-01", end: str = "2027-04-01", item: str = "platform",
        bill_to: str = "", change: str = "", corrects: bool = False,
    ) -> None:  # fmt: skip
        added = settling.entry(subscription, None, item, date.fromisoformat(start), date.fromisoformat(end), 100)
        added.bill_to, added.change = bill_to, change
        added.corrects = make.entries(subscription.id)[0].id if corrects else None
        db.session.add(added)
        db.session.flush()


class TestTakeBack:
    def take(self, invoice: Invoice) -> None:
        subscriptions.locked(invoice.subscription_id)
        approval.take_back(invoice, "The deal changed before the invoice was sent.")

    def test_releases_what_was_settled_and_keeps_what_was_approved(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)
        self.take(drafted)

        assert (drafted.state, drafted.version, drafted.frozen, drafted.approved_at) == ("draft", 2, None, None)
        assert drafted.superseded == {
            "document": drafted.document, "approved_by": "approver@northwind.example",
            "why": "The deal changed before the invoice was sent.",
        }  # fmt: skip
        assert make.entries(drafted.subscription_id) == []
        assert len(make.entries(drafted.subscription_id, live=False)) == 2
        assert {row.state for kind, row in delivery().items() if kind in (enqueue.INVOICE, enqueue.MAIL)} == {"parked"}

    def test_lets_it_be_approved_again_on_the_same_rows_of_work(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)
        before = {kind: row.id for kind, row in delivery().items()}
        self.take(drafted)
        with pytest.raises(DraftChanged):
            approval.approve_one(make.actor(), drafted.id, 1)
        approval.approve_one(make.actor(), drafted.id, 2)
        rows = delivery()

        assert {kind: row.id for kind, row in rows.items()} == before
        assert {row.state for row in rows.values()} == {"waiting"}
        assert len(make.entries(drafted.subscription_id)) == 2

    @pytest.mark.parametrize("state", ["draft", "sending", "open", "paid"])
    def test_is_refused_in_any_other_state(self, drafted: Invoice, state: str) -> None:
        drafted.state = state

        with pytest.raises(ValueError, match="cannot be taken back"):
            self.take(drafted)

    def test_happens_when_the_billing_run_finds_the_deal_changed(self, portal: Portal) -> None:
        subscription = make.win()
        (invoice,) = make.draft(subscription)
        assert invoice.state == "approved"
        make.observe(make.crm_deal(make.crm_line(price="120.00")))
        (again,) = make.draft(subscription)

        assert again.id == invoice.id
        assert (again.state, again.net_minor) == ("approved", 120_000)
        assert again.superseded is not None
        assert again.superseded["document"]["net"] == "1000.00"
        assert [entry.charged_minor for entry in make.entries(subscription.id)] == [120_000]
        assert make.open_problems() == {}

    def test_leaves_other_invoices_of_the_deal_settled(self, unbound: int) -> None:
        with transaction(unbound):
            subscription_id = make.win().id
            (march,) = make.issue(subscription_id)
        make.set_today(date(2027, 4, 1))
        with transaction(unbound):
            _, april = make.draft(subscription_id)
            assert (april.state, april.net_minor) == ("approved", 100_000)
            make.observe(make.crm_deal(make.crm_line(price="120.00")))
            make.draft(subscription_id)
            assert (april.state, april.version, april.net_minor) == ("approved", 3, 120_000)
            settled = [(entry.invoice_id, entry.charged_minor) for entry in make.entries(subscription_id)]
            assert settled == [(march.id, 100_000), (april.id, 120_000)]
            assert make.open_problems() == {}

    def test_never_takes_back_a_credit_note_that_may_be_in_the_ledger_by_hand(self, drafted: Invoice) -> None:
        drafted.kind = "credit_note"
        approval.approve_one(make.actor(), drafted.id, 1)
        make.observe(make.crm_deal(make.crm_line(), make.setup_line(), stage=make.LOST))
        drafting.draft(drafted.subscription_id)

        assert drafted.state == "approved"
        assert len(make.entries(drafted.subscription_id)) == 2

    def test_makes_room_where_another_draft_took_its_place(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)
        columns = (
            "subscription_id", "customer_id", "deal_version_id", "scheduled_on", "due_on", "net_days", "currency",
            "net_minor", "document",
        )  # fmt: skip
        rival = Invoice(**{name: getattr(drafted, name) for name in columns})
        db.session.add(rival)
        db.session.flush()
        self.take(drafted)

        assert [invoice.id for invoice in make.invoices(drafted.subscription_id)] == [drafted.id]


class TestApproveMany:
    def drafts(self, portal: Portal) -> list[Invoice]:
        portal.draft_ahead_days = 62
        drafts = make.draft(make.win())
        assert len(drafts) == 3
        return drafts

    def test_approves_all_and_says_so_of_each(self, by_hand: Portal) -> None:
        drafts = self.drafts(by_hand)
        verdicts = approval.approve_many(make.actor(), [(draft.id, 1) for draft in reversed(drafts)])

        assert [(verdict.invoice_id, verdict.error) for verdict in verdicts] == [(draft.id, None) for draft in drafts]
        assert {draft.state for draft in drafts} == {"approved"}

    def test_lets_one_bad_draft_stop_no_other(self, by_hand: Portal) -> None:
        first, second, third = self.drafts(by_hand)
        verdicts = approval.approve_many(make.actor(), [(first.id, 1), (second.id, 7), (third.id, 1), (10**9, 1)])

        assert [verdict.error for verdict in verdicts] == [
            None, "The draft changed since you saw it. Look at the new version and approve again.", None,
            "There is no such invoice.",
        ]  # fmt: skip
        assert [draft.state for draft in (first, second, third)] == ["approved", "draft", "approved"]
        assert len(make.entries(first.subscription_id)) == 2

    def test_conflicts_with_itself_when_a_draft_is_named_twice(self, by_hand: Portal) -> None:
        first, *_ = self.drafts(by_hand)
        verdicts = approval.approve_many(make.actor(), [(first.id, 1), (first.id, 1)])

        assert [verdict.error for verdict in verdicts] == [None, "This invoice is approved already."]


class TestTwoAtOnce:
    def test_of_two_approvals_of_one_draft_one_wins_and_one_conflicts(self, product: Flask, unbound: int) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
        together = threading.Barrier(2)
        results: list[str] = []

        def approve() -> None:
            with product.app_context():
                try:
                    with transaction(unbound):
                        together.wait(10)
                        approval.approve_one(make.actor(), draft.id, 1)
                    results.append("approved")
                except Conflict as conflict:
                    results.append(conflict.message)

        threads = [threading.Thread(target=approve) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        assert sorted(results) == ["This invoice is approved already.", "approved"]
        with transaction(unbound):
            assert len(make.entries(draft.subscription_id)) == 1
            assert make.how_many(Event, Event.kind == "invoice.approved") == 1

    def test_of_an_approval_and_a_rewrite_of_the_draft_the_later_one_sees_the_first(
        self, product: Flask, unbound: int
    ) -> None:
        """An approval that waits for the billing run's lock approves nothing that wasn't shown."""
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
            make.observe(make.crm_deal(make.crm_line(price="120.00")))
        caught: list[type[Exception]] = []

        def approve() -> None:
            with product.app_context():
                try:
                    with transaction(unbound):
                        approval.approve_one(make.actor(), draft.id, 1)
                except Conflict as conflict:
                    caught.append(type(conflict))

        waiting = threading.Thread(target=approve)
        with transaction(unbound):
            drafting.draft(draft.subscription_id)
            waiting.start()
            waiting.join(0.2)
        waiting.join(20)

        assert caught == [DraftChanged]
        with transaction(unbound):
            assert make.how_many(BilledEntry) == 0


def test_entry_keeps_charges_and_credits_apart(portal: Portal) -> None:
    subscription = make.win()
    day = timedelta(days=1)
    charged = settling.entry(subscription, None, "a", make.TODAY, make.TODAY + day, 150)
    credited = settling.entry(subscription, None, "a", make.TODAY, make.TODAY + day, -150)

    assert (charged.charged_minor, charged.credited_minor) == (150, 0)
    assert (credited.charged_minor, credited.credited_minor) == (0, 150)
