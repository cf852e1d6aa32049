"""The invoice's way into the ledger, with outcomes that the tests make up."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.connections.models import NEEDS_RECONNECT, Token
from app.core import clock, work
from app.core.db import db
from app.core.outcome import Done, FailureKind, Rejected
from app.core.runner import NotNow
from app.core.work import DONE, PARKED, WAITING, Lane
from app.invoices import approval, enqueue
from app.invoices.identity import mark
from app.invoices.models import Invoice
from app.invoices.push import CreateInvoice
from app.problems import actions as problems
from app.subscriptions import actions as subscriptions
from tests import factories as make
from tests.app.invoices.pushing import EXPIRED, LOST, REFUSED, REVOKED, sending, step, theirs


class TestFrozenRequest:
    def test_is_made_once_and_repeated_with_the_same_id(self, linked: Invoice) -> None:
        creating, row, first = sending(linked)
        make.record(creating, row, LOST)
        again = make.planned(creating, row)

        assert (again.request, again.request_id) == (first.request, first.request_id)
        assert bytes(row.request or b"") == first.request
        assert len(first.request_id) == 32

    def test_stays_when_what_it_was_made_from_changes(self, linked: Invoice) -> None:
        creating, row, first = sending(linked)
        make.record(creating, row, LOST)
        connection = make.ledger_connection()
        connection.tax_code_id = "99"
        connection.income_account_id = "1"

        assert make.planned(creating, row).request == first.request

    def test_is_the_invoice_as_it_was_approved(self, linked: Invoice) -> None:
        _, _, plan = sending(linked)
        body = json.loads(plan.request)

        assert body["CustomerRef"] == {"value": "58"}
        assert (body["TxnDate"], body["DueDate"]) == ("2027-03-01", "2027-03-31")
        assert body["PrivateNote"] == mark("invoice", linked.id, linked.created_at)
        assert body["BillEmail"] == {"Address": "billing@acme.example"}
        (line,) = body["Line"]
        assert (line["Amount"], line["SalesItemLineDetail"]["ItemRef"]) == (1000.00, {"value": "19"})

    def test_carries_realm_and_token_beside_the_bytes(self, linked: Invoice) -> None:
        _, _, plan = sending(linked)

        assert (plan.data["realm"], plan.access_token) == (make.REALM, "access-token")
        assert make.REALM.encode() not in plan.request

    def test_ids_differ_between_kinds_and_subjects(self, linked: Invoice) -> None:
        _, row, plan = sending(linked)
        customer = make.row(enqueue.CUSTOMER, linked.customer_id)

        assert len({plan.request_id, customer.request_id}) == 2
        assert row.request_hash != customer.request_hash


class TestUnknown:
    def test_looks_first_and_waits(self, linked: Invoice) -> None:
        creating, row, first = sending(linked)
        assert not first.look_first
        make.record(creating, row, LOST)

        assert (row.state, row.outcome_unknown) == (WAITING, True)
        assert row.send_began_at is not None
        assert (row.due_at - row.send_began_at).total_seconds() >= 150
        assert make.planned(creating, row).look_first

    def test_keeps_the_invoice_on_its_way(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, LOST)

        assert linked.state == "sending"
        assert make.open_problems() == {}

    def test_needs_a_person_at_last_and_never_gets_a_new_id(self, linked: Invoice) -> None:
        creating, row, first = sending(linked)
        make.record(creating, row, LOST)
        for _ in range(20):
            if row.state == PARKED:
                break
            make.planned(creating, row)
            make.record(creating, row, LOST)
        problem = make.open_problems()["invoice_refused"]
        problems.retry(make.actor(), problem.id)
        again = make.planned(creating, row)

        assert (row.epoch, again.request_id, again.look_first) == (0, first.request_id, True)

    def test_does_not_turn_certain_by_a_later_rejection(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, LOST)
        make.planned(creating, row)
        make.record(creating, row, Rejected(FailureKind.REJECTED, "it has this invoice more than once.", "found_twice"))

        assert (linked.state, row.outcome_unknown, row.state) == ("sending", True, PARKED)

    def test_ends_when_the_invoice_is_found(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, LOST)
        make.planned(creating, row)
        make.record(creating, row, Done(theirs(linked)))

        assert (linked.state, row.state, row.outcome_unknown) == ("open", DONE, False)


class TestRejected:
    def test_opens_a_problem_for_finance_and_holds_this_invoice(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, REFUSED)
        problem = make.open_problems()["invoice_refused"]

        assert (linked.state, row.state) == ("approved", PARKED)
        assert (problem.who, problem.holds, problem.work_id) == ("finance", "This invoice waits; others go on.", row.id)
        assert problem.sentence == (
            "QuickBooks refuses the invoice over 1,000.00 USD: "
            "the document number exists already (QuickBooks code 6140)."
        )
        assert problem.customer_id == linked.customer_id

    def test_gets_a_new_id_and_new_bytes_only_when_a_person_retries(self, linked: Invoice) -> None:
        creating, row, first = sending(linked)
        make.record(creating, row, REFUSED)
        assert row.epoch == 0
        problems.retry(make.actor(), make.open_problems()["invoice_refused"].id)

        assert (row.state, row.epoch, row.request) == (WAITING, 1, None)
        assert make.open_problems() == {}
        assert make.planned(creating, row).request_id != first.request_id
        assert linked.state == "sending"

    def test_gets_a_new_id_when_the_deal_is_changed_instead(self, linked: Invoice) -> None:
        """The refused bytes went out under the first id; other bytes must not follow under the same one."""
        creating, row, first = sending(linked)
        make.record(creating, row, REFUSED)
        make.observe(make.crm_deal(make.crm_line(price="120.00")))
        (again,) = make.draft(linked.subscription_id)
        assert (again.state, row.state) == ("approved", WAITING)
        plan = make.planned(creating, row)

        assert plan.request != first.request
        assert plan.request_id != first.request_id

    def test_closes_when_it_goes_through_at_last(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, REFUSED)
        work.again(row, new_epoch=True)
        make.planned(creating, row)
        make.record(creating, row, Done(theirs(linked)))

        assert make.open_problems() == {}

    @pytest.mark.parametrize(
        "outcome",
        [
            Rejected(FailureKind.TRANSIENT, "QuickBooks can't be reached."),
            Rejected(FailureKind.THROTTLED, "slow", "3001", 30),
        ],
    )
    def test_for_the_moment_only_waits_without_a_problem(self, linked: Invoice, outcome: Rejected) -> None:
        creating, row, first = sending(linked)
        make.record(creating, row, outcome)

        assert (row.state, linked.state, row.outcome_unknown) == (WAITING, "approved", False)
        assert make.open_problems() == {}
        again = make.planned(creating, row)
        assert (again.request_id, again.request, again.look_first) == (first.request_id, first.request, False)


class TestConnectionTrouble:
    def test_expired_ends_the_access_token_and_tries_again(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, EXPIRED)
        token = db.session.execute(select(Token).execution_options(populate_existing=True)).scalar_one()

        assert token.access_expires_at <= clock.now()
        assert (row.state, make.open_problems()) == (WAITING, {})

    def test_expired_time_and_again_asks_for_a_new_connection(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, EXPIRED)
        for _ in range(2):
            make.planned(creating, row)
            make.record(creating, row, EXPIRED)

        assert set(make.open_problems()) == {"reconnect"}
        assert row.state == WAITING

    def test_revoked_pauses_the_lane_and_asks_an_admin_to_reconnect(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, REVOKED)
        problem = make.open_problems()["reconnect"]
        lane = db.session.execute(select(Lane).where(Lane.id == row.lane_id)).scalar_one()

        assert lane.paused == "QuickBooks has to be connected again."
        assert make.ledger_connection().state == NEEDS_RECONNECT
        assert (problem.who, problem.action) == ("admin", "Connect QuickBooks again.")
        assert (row.state, linked.state) == (WAITING, "approved")
        assert set(make.open_problems()) == {"reconnect"}

    def test_revoked_ends_with_a_new_connection_and_the_queue_goes_on(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, REVOKED)
        make.connect_ledger()
        lane = db.session.execute(select(Lane).where(Lane.id == row.lane_id)).scalar_one()

        assert (lane.paused, make.open_problems()) == (None, {})
        assert row.state == WAITING

    def test_configuration_is_the_operators_alarm(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, Rejected(FailureKind.CONFIGURATION, "QuickBooks refuses Dealwright itself.", "x"))

        assert make.open_problems()["configuration"].who == "operator"
        assert row.state == WAITING


class TestTakenBackBeforeSending:
    def test_when_the_deal_changed_after_approval(self, linked: Invoice) -> None:
        make.observe(make.crm_deal(make.crm_line(price="120.00")))
        row = make.row(enqueue.INVOICE, linked.id)
        found = make.plan(step(CreateInvoice), row)

        assert isinstance(found, NotNow)
        assert (found.done, row.state) == (False, PARKED)
        assert (linked.state, linked.version) == ("draft", 2)
        assert linked.superseded is not None
        assert linked.superseded["why"] == "The deal changed before the invoice was sent."
        assert make.entries(linked.subscription_id) == []
        assert make.row(subscriptions.BILL, linked.subscription_id).state == WAITING

    def test_when_the_deal_is_held(self, linked: Invoice) -> None:
        make.observe(make.crm_deal(stage=make.LOST))
        make.plan(step(CreateInvoice), make.row(enqueue.INVOICE, linked.id))

        assert linked.state == "draft"
        assert linked.superseded is not None
        assert linked.superseded["why"] == 'The deal left Closed Won (it is in "Closed Lost").'

    def test_never_once_it_may_have_reached_the_ledger(self, linked: Invoice) -> None:
        creating, row, _ = sending(linked)
        make.record(creating, row, LOST)
        make.observe(make.crm_deal(stage=make.LOST))

        assert make.planned(creating, row).look_first
        assert linked.state == "sending"

    def test_never_by_the_billing_run_while_it_is_being_sent(self, linked: Invoice) -> None:
        sending(linked)
        make.observe(make.crm_deal(make.crm_line(price="120.00")))
        make.draft(linked.subscription_id)

        assert linked.state == "sending"
        assert len(make.entries(linked.subscription_id)) == 1

    def test_is_not_needed_when_only_the_companys_name_changed(self, linked: Invoice) -> None:
        make.observe(make.crm_deal(company={**make.ACME, "name": "Acme Holding"}))

        sending(linked)
        assert linked.state == "sending"

    def test_leaves_a_draft_to_be_approved_again_and_sent_once(self, linked: Invoice) -> None:
        make.observe(make.crm_deal(make.crm_line(price="120.00")))
        make.plan(step(CreateInvoice), make.row(enqueue.INVOICE, linked.id))
        make.draft(linked.subscription_id)
        _, _, plan = sending(linked)

        assert json.loads(plan.request)["Line"][0]["Amount"] == 1200.00
        assert linked.state == "sending"


def test_an_invoice_that_is_a_draft_again_is_not_sent(linked: Invoice) -> None:
    approval.take_back(linked, "A test took it back.")
    row = make.row(enqueue.INVOICE, linked.id)
    row.state = WAITING

    found = make.plan(step(CreateInvoice), row)
    assert isinstance(found, NotNow)
    assert (found.done, row.state) == (False, PARKED)
