"""Approval freezes what was shown, settles its periods and queues its delivery: all of it, or nothing."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core.db import db, transaction
from app.core.errors import Conflict, NotAllowed, NotFound
from app.core.events import Audit, Event
from app.core.work import Work
from app.invoices import approval, enqueue, settling
from app.invoices.approval import DraftChanged
from app.invoices.identity import mark
from app.invoices.models import Invoice, LedgerItem
from app.portals import queries as portals
from app.portals.models import Portal
from app.subscriptions import queries as subscriptions
from tests import factories as make

DELIVERY = {enqueue.CUSTOMER, enqueue.ITEM, enqueue.INVOICE, enqueue.MAIL}


def delivery() -> dict[str, Work]:
    """Return the rows that deliver invoices, by kind."""
    db.session.flush()
    rows = db.session.execute(select(Work).where(Work.kind.in_(DELIVERY)).execution_options(populate_existing=True))
    return {row.kind: row for row in rows.scalars()}


class TestByRule:
    def test_approves_in_automatic_mode(self, portal: Portal) -> None:
        (invoice,) = make.draft(make.win())

        assert (invoice.state, invoice.approved_by, invoice.needs_person) == ("approved", "rule", [])

    def test_leaves_every_invoice_to_a_person_in_approval_mode(self, drafted: Invoice) -> None:
        assert (drafted.state, drafted.needs_person) == ("draft", ["This portal approves every invoice."])

    def test_leaves_a_customers_first_invoice_to_a_person(self, portal: Portal) -> None:
        portal.first_invoice_by_person = True
        (invoice,) = make.draft(make.win())

        assert invoice.needs_person == ["It is this customer's first invoice."]

    def test_approves_the_second_one_of_a_customer(self, portal: Portal) -> None:
        portal.first_invoice_by_person = True
        (first,) = make.draft(make.win())
        approval.approve_one(make.actor(), first.id, first.version)
        more = make.win(make.crm_deal(make.crm_line("601"), deal_id=302, dealtype="newbusiness"))

        assert [invoice.state for invoice in make.draft(more)] == ["approved"]

    @pytest.mark.parametrize(
        ("start", "reasons"),
        [("2027-01-29", []), ("2027-01-28", ["It is dated more than 31 days back."])],
    )
    def test_leaves_what_is_dated_more_than_31_days_back_to_a_person(
        self, portal: Portal, start: str, reasons: list[str]
    ) -> None:
        line = make.crm_line(hs_recurring_billing_start_date=start, recurringbillingfrequency="annually")
        (invoice,) = make.draft(make.win(make.crm_deal(line)))

        assert invoice.needs_person == reasons
        assert invoice.state == ("draft" if reasons else "approved")

    def test_leaves_more_than_one_catch_up_to_a_person_and_approves_todays(self, portal: Portal) -> None:
        line = make.crm_line(hs_recurring_billing_start_date="2027-01-31")
        invoices = make.draft(make.win(make.crm_deal(line)))

        assert [(i.scheduled_on.isoformat(), i.state) for i in invoices] == [
            ("2027-01-31", "draft"), ("2027-02-28", "draft"),
        ]  # fmt: skip
        assert {tuple(invoice.needs_person) for invoice in invoices} == {
            ("Several invoices of this deal are late at once.",)
        }

    def test_leaves_the_last_of_several_to_a_person_too(self, portal: Portal) -> None:
        line = make.crm_line(hs_recurring_billing_start_date="2027-01-31")
        subscription = make.win(make.crm_deal(line))
        first, second = make.draft(subscription)
        approval.approve_one(make.actor(), first.id, first.version)
        make.draft(subscription)

        assert (first.state, second.state) == ("approved", "draft")

    def test_approves_a_single_catch_up(self, portal: Portal) -> None:
        line = make.crm_line(hs_recurring_billing_start_date="2027-02-15")
        (invoice,) = make.draft(make.win(make.crm_deal(line)))

        assert (invoice.state, invoice.issued_on) == ("approved", date(2027, 3, 1))

    def test_keeps_drafts_while_quickbooks_is_not_connected_and_approves_them_afterwards(self, unbound: int) -> None:
        portal_id = make.fresh_portal()
        with transaction(portal_id):
            subscription = make.win()
            (invoice,) = make.draft(subscription)
            assert (invoice.state, invoice.needs_person) == ("draft", ["QuickBooks is not connected."])
            make.connect_ledger()
            assert [invoice.state for invoice in make.draft(subscription)] == ["approved"]


class TestByPerson:
    def test_approves_the_version_that_was_shown(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)

        assert (drafted.state, drafted.approved_by) == ("approved", "approver@northwind.example")
        assert (drafted.issued_on, drafted.due_on) == (date(2027, 3, 1), date(2027, 3, 31))

    @pytest.mark.parametrize("shown", [0, 2, 99])
    def test_conflicts_when_the_draft_changed_since_it_was_shown(self, drafted: Invoice, shown: int) -> None:
        with pytest.raises(DraftChanged, match="changed since you saw it") as caught:
            approval.approve_one(make.actor(), drafted.id, shown)

        assert dict(caught.value.fields) == {"shown": shown, "current": 1}
        assert (drafted.state, caught.value.status) == ("draft", 409)

    def test_needs_an_approver(self, drafted: Invoice) -> None:
        with pytest.raises(NotAllowed):
            approval.approve_one(make.actor("viewer"), drafted.id, 1)
        with pytest.raises(NotAllowed):
            approval.approve_many(make.actor("viewer"), [(drafted.id, 1)])
        assert drafted.state == "draft"

    def test_conflicts_when_it_is_approved_already(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)

        with pytest.raises(Conflict, match="This invoice is approved already"):
            approval.approve_one(make.actor(), drafted.id, 1)

    def test_conflicts_while_the_deal_is_held(self, drafted: Invoice) -> None:
        make.observe(make.crm_deal(stage=make.LOST))

        with pytest.raises(Conflict, match="This draft is held: The deal left Closed Won"):
            approval.approve_one(make.actor(), drafted.id, 1)

    def test_of_a_currency_the_ledger_does_not_keep_is_asked_and_drafted(self, portal: Portal) -> None:
        (draft,) = make.draft(make.win(make.crm_deal(deal_currency_code="EUR")))
        sentence = "The deal is in EUR, but Northwind Books keeps its books in USD."

        assert (draft.state, draft.needs_person) == ("draft", [sentence])
        assert make.open_problems()["ledger_blocked"].sentence == sentence
        with pytest.raises(Conflict, match="keeps its books in USD"):
            approval.approve_one(make.actor(), draft.id, 1)

    def test_conflicts_while_an_edit_of_the_deal_is_to_be_answered(self, by_hand: Portal) -> None:
        by_hand.draft_ahead_days = 40
        subscription = make.win()
        first, second = make.draft(subscription)
        approval.approve_one(make.actor(), first.id, 1)
        first.state = "open"
        make.observe(make.crm_deal(make.crm_line(price="80.00")))
        make.draft(subscription)

        with pytest.raises(Conflict, match='open question: "Platform" changed: price 100 → 80'):
            approval.approve_one(make.actor(), second.id, second.version)

    def test_conflicts_while_the_core_asks_something_of_the_deal(self, drafted: Invoice) -> None:
        make.agreed(subscriptions.locked(drafted.subscription_id), terms="Two months free if they pay early.")
        make.draft(drafted.subscription_id)

        with pytest.raises(Conflict, match="open question"):
            approval.approve_one(make.actor(), drafted.id, drafted.version)

    def test_conflicts_while_quickbooks_is_not_connected(self, unbound: int) -> None:
        with transaction(make.fresh_portal(invoice_mode="approval")):
            (draft,) = make.draft(make.win())
            with pytest.raises(Conflict, match="QuickBooks is not connected"):
                approval.approve_one(make.actor(), draft.id, 1)

    def test_finds_no_draft_of_another_portal(self, unbound: int) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
        with transaction(make.fresh_portal()), pytest.raises(NotFound):
            approval.approve_one(make.actor(), draft.id, 1)


class TestWhatApprovalWrites:
    def test_settles_each_line(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)

        settled = {
            entry.item_key: (
                entry.period.lower,
                entry.period.upper,
                entry.charged_minor,
                str(entry.unit_price.normalize()),
            )
            for entry in make.entries(drafted.subscription_id)
            if entry.unit_price is not None
        }
        assert settled == {
            "platform": (date(2027, 3, 1), date(2027, 4, 1), 100_000, "1E+2"),
            "set-up": (date(2027, 3, 1), date(2027, 3, 2), 250_000, "2.5E+3"),
        }

    def test_freezes_canonical_bytes(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)
        assert drafted.frozen is not None
        frozen = json.loads(drafted.frozen)

        assert (frozen["customer"], frozen["email"], frozen["net_minor"]) == (
            "Acme Inc",
            "billing@acme.example",
            350_000,
        )
        assert (frozen["issued_on"], frozen["due_on"], frozen["currency"]) == ("2027-03-01", "2027-03-31", "USD")
        assert frozen["marker"] == mark("invoice", drafted.id, drafted.created_at)
        assert [(line["item"], line["amount_minor"]) for line in frozen["lines"]] == [
            ("Platform", 100_000),
            ("Set-up", 250_000),
        ]
        assert drafted.frozen == json.dumps(frozen, sort_keys=True, separators=(",", ":")).encode()

    def test_tells_who_did_it_and_queues_the_delivery(self, drafted: Invoice) -> None:
        approval.approve_one(make.actor(), drafted.id, 1)
        rows = delivery()
        items = db.session.execute(select(Work.id).where(Work.kind == enqueue.ITEM)).scalars().all()

        assert make.how_many(Event, Event.kind == "invoice.approved") == 1
        assert make.how_many(Audit, Audit.action == "approved", Audit.actor == "approver@northwind.example") == 1
        assert set(rows) == DELIVERY
        assert make.how_many(LedgerItem) == 2
        assert set(rows[enqueue.INVOICE].after) == {rows[enqueue.CUSTOMER].id, *items}
        assert rows[enqueue.MAIL].after == [rows[enqueue.INVOICE].id]
        assert {row.state for row in rows.values()} == {"waiting"}

    def test_lets_nothing_leave_before_the_invoices_date(self, by_hand: Portal) -> None:
        (draft,) = make.draft(make.win(make.crm_deal(make.crm_line(hs_recurring_billing_start_date="2027-03-05"))))
        approval.approve_one(make.actor(), draft.id, 1)
        rows = delivery()

        assert rows[enqueue.INVOICE].due_on == rows[enqueue.MAIL].due_on == date(2027, 3, 5)
        assert (draft.issued_on, draft.due_on) == (date(2027, 3, 5), date(2027, 4, 4))

    def test_dates_a_late_approval_on_its_day_and_moves_the_due_date(self, unbound: int) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())
        make.set_today(date(2027, 3, 20))
        with transaction(unbound):
            invoice = approval.approve_one(make.actor(), draft.id, 1)
            assert (invoice.scheduled_on, invoice.issued_on) == (date(2027, 3, 1), date(2027, 3, 20))
            assert invoice.due_on == date(2027, 4, 19)
            (entry,) = make.entries(invoice.subscription_id)
            assert (entry.period.lower, entry.period.upper) == (date(2027, 3, 1), date(2027, 4, 1))

    def test_leaves_nothing_behind_when_it_fails_at_the_last_moment(self, unbound: int) -> None:
        """The overlap is refused by the database after the invoice and its bytes were written."""
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            (draft,) = make.draft(make.win())

        def approve_over_settled_days() -> None:
            with transaction(unbound):
                subscription = subscriptions.locked(draft.subscription_id)
                db.session.add(settling.entry(subscription, None, "platform", date(2027, 3, 31), date(2027, 5, 1), 1))
                approval.approve_one(make.actor(), draft.id, 1)

        with pytest.raises(IntegrityError, match="ex_billed_entry_overlap"):
            approve_over_settled_days()
        with transaction(unbound):
            (left,) = make.invoices(draft.subscription_id)
            assert (left.state, left.frozen, left.approved_at) == ("draft", None, None)
            assert make.entries(draft.subscription_id) == []
            assert delivery() == {}
            assert make.how_many(Event, Event.kind == "invoice.approved") == 0
            assert make.how_many(Audit, Audit.action == "approved") == 0
