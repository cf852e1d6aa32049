"""Dated changes of what was issued: own documents, credit notes that wait, lines that name what they correct."""

from __future__ import annotations

import json
from datetime import date

import pytest

from app.core.db import transaction
from app.core.errors import Conflict
from app.core.work import Work
from app.invoices import approval, enqueue, planning
from app.invoices.models import Invoice
from app.portals import queries as portals
from app.standing import answer
from app.subscriptions import amending, queries
from app.subscriptions.amending import Writing
from app.subscriptions.models import CONSOLE
from tests import factories as make

MID_MARCH = date(2027, 3, 16)


@pytest.fixture
def march(unbound: int) -> Invoice:
    """Ten seats at 100.00, March issued as an invoice; the books are still open to changes on 1 March."""
    with transaction(unbound):
        (invoice,) = make.issue(make.win())
        portals.current().draft_ahead_days = 20
        return invoice


def amend(march: Invoice, **body: object) -> list[Invoice]:
    """Change the deal from 16 March on, as a person dates it; return what there is beside March."""
    writing = Writing("ada@northwind.example", make.TODAY, CONSOLE, "Agreed on the phone.")
    amending.add(queries.locked(march.subscription_id), MID_MARCH, {"settle": "unused", **body}, {}, writing)
    return [invoice for invoice in make.draft(march.subscription_id) if invoice.id != march.id]


class TestCreditNote:
    def test_is_drafted_for_less_and_waits_for_a_person_in_automatic_mode(self, unbound: int, march: Invoice) -> None:
        with transaction(unbound):
            (note,) = amend(march, item="platform", quantity="5")
            assert (note.kind, note.state, note.scheduled_on) == ("credit_note", "draft", MID_MARCH)
            assert (note.net_minor, note.change) == (-25_807, "amendment-1")
            assert note.needs_person == [planning.CREDIT]

    def test_is_settled_at_approval_and_names_what_it_corrects(self, unbound: int, march: Invoice) -> None:
        with transaction(unbound):
            (note,) = amend(march, item="platform", quantity="5")
            (first,) = make.entries(march.subscription_id)
            approval.approve_one(make.actor(), note.id, note.version)
            _, credit, charge = make.entries(march.subscription_id)
            assert (credit.charged_minor, credit.credited_minor, credit.corrects) == (0, 51_613, first.id)
            assert (charge.charged_minor, charge.credited_minor, charge.corrects) == (25_806, 0, None)
            assert {credit.change, charge.change} == {"amendment-1"}
            assert credit.document == "credit note of 16 Mar 2027"
            assert [line.corrects for line in make.lines(note)] == ["invoice of 1 Mar 2027", ""]

    def test_is_not_queued_for_quickbooks_and_says_that_it_waits(self, unbound: int, march: Invoice) -> None:
        with transaction(unbound):
            (note,) = amend(march, item="platform", quantity="5")
            approval.approve_one(make.actor(), note.id, note.version)
            assert (note.state, note.approved_by) == ("approved", "approver@northwind.example")
            assert make.how_many(Work, Work.kind == enqueue.INVOICE, Work.subject == str(note.id)) == 0
            assert answer.status_words(note, make.TODAY) == "Credit note, to be issued in QuickBooks by hand"

    def test_is_drafted_once(self, unbound: int, march: Invoice) -> None:
        with transaction(unbound):
            (note,) = amend(march, item="platform", quantity="5")
            make.draft(march.subscription_id)
            approval.approve_one(make.actor(), note.id, 1)
            assert [i.id for i in make.draft(march.subscription_id)] == [march.id, note.id]
            assert len(make.entries(march.subscription_id)) == 3

    def test_can_be_approved_while_quickbooks_is_not_connected(self, unbound: int) -> None:
        with transaction(make.fresh_portal(draft_ahead_days=20)):
            make.connect_ledger()
            (invoice,) = make.issue(make.win())
            connection = make.ledger_connection()
            connection.state = "disconnected"
            (note,) = amend(invoice, item="platform", quantity="5")
            assert note.needs_person == [planning.CREDIT]
            approval.approve_one(make.actor(), note.id, note.version)
            assert note.state == "approved"

    def test_leaves_the_next_month_at_the_new_amount(self, unbound: int, march: Invoice) -> None:
        with transaction(unbound):
            amend(march, item="platform", quantity="5")
            portals.current().draft_ahead_days = 31
            assert [(i.scheduled_on, i.net_minor) for i in make.draft(march.subscription_id)[1:]] == [
                (MID_MARCH, -25_807), (date(2027, 4, 1), 50_000),
            ]  # fmt: skip


class TestMixedInvoice:
    def test_shows_credit_and_charge_and_sends_no_line_below_zero(self, unbound: int, march: Invoice) -> None:
        with transaction(unbound):
            (invoice,) = amend(march, item="platform", unit_price="150")
            assert (invoice.kind, invoice.state, invoice.net_minor) == ("invoice", "approved", 25_806)
            assert [line.amount_minor for line in make.lines(invoice)] == [-51_613, 77_419]
            assert invoice.frozen is not None
            frozen = json.loads(invoice.frozen)
            assert [line["amount_minor"] for line in frozen["lines"]] == [25_806]
            assert frozen["net_minor"] == 25_806
            assert "less 516.13: Platform" in frozen["lines"][0]["why"]

    def test_stands_beside_the_regular_invoice_of_the_same_day(self, unbound: int, march: Invoice) -> None:
        """A change's own document stays apart: both can be drafts of one day."""
        with transaction(unbound):
            portals.current().invoice_mode, portals.current().draft_ahead_days = "approval", 31
            writing = Writing("ada@northwind.example", make.TODAY, CONSOLE, "Agreed on the phone.")
            added = {"key": "training", "name": "Training", "kind": "one_time", "unit_price": "700"}
            subscription = queries.locked(march.subscription_id)
            amending.add(subscription, date(2027, 4, 1), {"add": added}, {}, writing)
            drafts = make.draft(march.subscription_id)[1:]
            assert [(i.scheduled_on.day, i.change, i.net_minor) for i in drafts] == [
                (1, "", 100_000), (1, "amendment-1", 70_000),
            ]  # fmt: skip
            again = make.draft(march.subscription_id)[1:]
            assert [(i.id, i.version) for i in again] == [(i.id, 1) for i in drafts]


class TestSeveralPayers:
    def test_of_another_one_waits_for_a_person_and_can_not_be_approved(self, unbound: int) -> None:
        with transaction(unbound):
            won = make.win()
            make.agreed(won, bill_to=[{"name": "Acme Inc", "share": "60"}, {"name": "Parent Inc", "share": "40"}])
            ours, theirs = sorted(make.draft(won), key=lambda invoice: invoice.bill_to)
            assert (ours.bill_to, ours.net_minor, ours.state) == ("Acme Inc", 60_000, "approved")
            assert (theirs.bill_to, theirs.net_minor, theirs.state) == ("Parent Inc", 40_000, "draft")
            assert theirs.needs_person == [planning.other_payer("Parent Inc")]
            with pytest.raises(Conflict, match="Parent Inc pays it"):
                approval.approve_one(make.actor(), theirs.id, theirs.version)
            assert [entry.bill_to for entry in make.entries(won.id)] == ["Acme Inc"]

    def test_adds_nothing_when_it_runs_again(self, unbound: int) -> None:
        with transaction(unbound):
            won = make.win()
            make.agreed(won, bill_to=[{"name": "Acme Inc", "share": "60"}, {"name": "Parent Inc", "share": "40"}])
            make.draft(won)
            assert len(make.draft(won)) == 2
