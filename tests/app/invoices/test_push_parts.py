"""What stands around the invoice: its customer, its items, its net, its mail."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.connections import queries as connections
from app.core.db import db
from app.core.outcome import Done, FailureKind, Rejected
from app.core.runner import NotNow
from app.core.work import PARKED, WAITING
from app.customers.models import Customer
from app.invoices import enqueue, ledger
from app.invoices.models import Invoice, LedgerItem
from app.invoices.push import CreateCustomer, CreateInvoice, CreateItem, MailInvoice
from app.problems import actions as problems
from tests import factories as make
from tests.app.invoices.pushing import LOST, REFUSED, step, theirs


class TestCustomer:
    def test_is_linked(self, invoice: Invoice) -> None:
        make.push(step(CreateCustomer), enqueue.CUSTOMER, invoice.customer_id, Done(make.ledger_record("58")))
        ref = connections.ref_of_local(make.ledger_connection().id, "customer", invoice.customer_id)

        assert ref is not None
        assert (ref.external_id, ref.snapshot) == ("58", {"name": "Acme Inc"})

    def test_is_not_planned_again_once_it_is_linked(self, linked: Invoice) -> None:
        found = make.plan(step(CreateCustomer), make.row(enqueue.CUSTOMER, linked.customer_id))

        assert found == NotNow(done=True)

    def test_that_is_doubtful_asks_finance_with_the_candidates(self, invoice: Invoice) -> None:
        candidates = [{"id": "7", "name": "Acme Inc", "email": "old@acme.example", "active": True}]
        doubtful = Rejected(
            FailureKind.REJECTED, 'a customer "Acme Inc" exists there, but its e-mail or currency is another.',
            "doubtful_match", detail={"candidates": candidates},
        )  # fmt: skip
        make.push(step(CreateCustomer), enqueue.CUSTOMER, invoice.customer_id, doubtful)
        problem = make.open_problems()["customer_refused"]

        assert (problem.who, problem.data) == ("finance", {"candidates": candidates})
        assert problem.holds == "This customer's invoices wait; no other customer's."
        assert problem.customer_id == invoice.customer_id

    def test_of_unknown_outcome_is_looked_for_first(self, invoice: Invoice) -> None:
        creating, row = step(CreateCustomer), make.row(enqueue.CUSTOMER, invoice.customer_id)
        make.planned(creating, row)
        make.record(creating, row, LOST)

        assert make.planned(creating, row).look_first


class TestItem:
    def test_waits_for_an_admin_while_no_income_account_is_chosen(self, invoice: Invoice) -> None:
        make.ledger_connection().income_account_id = None
        (item_id,) = db.session.execute(select(LedgerItem.id)).scalars()
        row = make.row(enqueue.ITEM, item_id)
        found = make.plan(step(CreateItem), row)
        problem = make.open_problems()["no_income_account"]

        assert isinstance(found, NotNow)
        assert (row.state, problem.who, problem.holds) == (PARKED, "admin", 'Invoices with "Platform" wait.')

    def test_is_made_into_the_account_that_was_named(self, invoice: Invoice) -> None:
        (item_id,) = db.session.execute(select(LedgerItem.id)).scalars()
        plan = make.planned(step(CreateItem), make.row(enqueue.ITEM, item_id))

        assert json.loads(plan.request)["IncomeAccountRef"] == {"value": "79"}

    def test_that_is_refused_holds_the_invoices_with_it(self, invoice: Invoice) -> None:
        (item_id,) = db.session.execute(select(LedgerItem.id)).scalars()
        make.push(step(CreateItem), enqueue.ITEM, item_id, replace(REFUSED, message="the name is taken."))

        assert make.open_problems()["item_refused"].sentence == (
            'QuickBooks refuses the item "Platform": the name is taken.'
        )


class TestNetDiffers:
    def test_opens_a_problem_and_the_invoice_is_not_mailed(self, linked: Invoice) -> None:
        make.push(step(CreateInvoice), enqueue.INVOICE, linked.id, Done(theirs(linked, total_minor=100_001)))
        problem = make.open_problems()["net_differs"]
        row = make.row(enqueue.MAIL, linked.id)

        assert problem.sentence == "Invoice 1001 is 1,000.00 USD net here and 1,000.01 USD in QuickBooks."
        assert (problem.who, problem.holds) == ("finance", "The invoice is not mailed.")
        assert isinstance(make.plan(step(MailInvoice), row), NotNow)
        assert row.state == PARKED

    def test_is_not_told_for_tax_alone(self, linked: Invoice) -> None:
        changed = theirs(linked, total_minor=119_000, tax_minor=19_000, balance_minor=119_000)
        make.push(step(CreateInvoice), enqueue.INVOICE, linked.id, Done(changed))

        assert make.open_problems() == {}
        assert (linked.total_minor, linked.tax_minor) == (119_000, 19_000)
        make.planned(step(MailInvoice), make.row(enqueue.MAIL, linked.id))

    def test_closes_and_lets_the_mail_go_once_it_is_corrected_there(self, linked: Invoice) -> None:
        make.push(step(CreateInvoice), enqueue.INVOICE, linked.id, Done(theirs(linked, total_minor=100_001)))
        row = make.row(enqueue.MAIL, linked.id)
        make.plan(step(MailInvoice), row)
        ledger.apply(make.ledger_connection(), linked, theirs(linked))
        db.session.flush()

        assert make.open_problems() == {}
        assert row.state == WAITING
        make.planned(step(MailInvoice), row)


class TestMail:
    def test_goes_to_the_billing_contact_and_is_noted(self, in_ledger: Invoice) -> None:
        plan = make.push(step(MailInvoice), enqueue.MAIL, in_ledger.id, Done(theirs(in_ledger, emailed=True)))

        assert (plan.data["email"], plan.data["external_id"]) == ("billing@acme.example", "145")
        assert (in_ledger.state, in_ledger.mailed_at is not None) == ("sent", True)

    def test_is_not_sent_twice(self, in_ledger: Invoice) -> None:
        make.push(step(MailInvoice), enqueue.MAIL, in_ledger.id, Done(theirs(in_ledger, emailed=True)))

        assert make.plan(step(MailInvoice), make.row(enqueue.MAIL, in_ledger.id)) == NotNow(done=True)

    @pytest.mark.parametrize("changes", [{"voided": True, "total_minor": 0, "balance_minor": 0}, {"deleted": True}])
    def test_is_not_sent_for_an_invoice_that_was_ended_before(
        self, in_ledger: Invoice, changes: dict[str, Any]
    ) -> None:
        ledger.apply(make.ledger_connection(), in_ledger, theirs(in_ledger, **changes))

        assert make.plan(step(MailInvoice), make.row(enqueue.MAIL, in_ledger.id)) == NotNow(done=True)

    def test_waits_for_the_invoice(self, linked: Invoice) -> None:
        found = make.plan(step(MailInvoice), make.row(enqueue.MAIL, linked.id))

        assert isinstance(found, NotNow)
        assert found.delay_s == 60

    def test_without_an_address_asks_sales_and_goes_on_by_itself_once_there_is_one(self, in_ledger: Invoice) -> None:
        customer = db.session.get_one(Customer, in_ledger.customer_id)
        customer.billing_email = None
        row = make.row(enqueue.MAIL, in_ledger.id)
        found = make.plan(step(MailInvoice), row)
        problem = make.open_problems()["no_email"]

        assert isinstance(found, NotNow)
        assert (found.delay_s, row.state, problem.who) == (3600, WAITING, "sales")
        assert problem.sentence == "Acme Inc has no billing e-mail, so its invoice can't be mailed."

        make.observe(make.crm_deal())
        assert make.planned(step(MailInvoice), row).data["email"] == "billing@acme.example"
        make.record(step(MailInvoice), row, Done(theirs(in_ledger, emailed=True)))
        assert make.open_problems() == {}

    def test_repeats_the_same_address_after_an_unknown_outcome(self, in_ledger: Invoice) -> None:
        mailing, row = step(MailInvoice), make.row(enqueue.MAIL, in_ledger.id)
        first = make.planned(mailing, row)
        make.record(mailing, row, LOST)
        db.session.get_one(Customer, in_ledger.customer_id).billing_email = "new@acme.example"
        again = make.planned(mailing, row)

        assert again.data["email"] == "billing@acme.example"
        assert (again.request_id, again.look_first) == (first.request_id, True)

    def test_goes_to_the_corrected_address_when_the_first_was_refused(self, in_ledger: Invoice) -> None:
        mailing, row = step(MailInvoice), make.row(enqueue.MAIL, in_ledger.id)
        first = make.planned(mailing, row)
        make.record(mailing, row, replace(REFUSED, message="the address is not valid."))
        db.session.get_one(Customer, in_ledger.customer_id).billing_email = "new@acme.example"
        problems.retry(make.actor(), make.open_problems()["mail_refused"].id)
        again = make.planned(mailing, row)

        assert again.data["email"] == "new@acme.example"
        assert again.request_id != first.request_id


class TestTaxCode:
    def test_is_asked_for_outside_the_us_before_anything_is_sent(self, linked: Invoice) -> None:
        make.ledger_connection().country = "DE"
        row = make.row(enqueue.INVOICE, linked.id)

        assert isinstance(make.plan(step(CreateInvoice), row), NotNow)
        assert make.open_problems()["no_tax_code"].who == "admin"
        assert (row.state, linked.state) == (PARKED, "approved")


class TestNamesTheLedgerTakesForOne:
    def test_two_customers_that_are_one_in_the_ledger_ask_a_person(self, linked: Invoice) -> None:
        """Two HubSpot companies of one name and e-mail: the ledger has one customer."""
        twin = make.win(
            make.crm_deal(
                make.crm_line("601"), deal_id=302, company={**make.ACME, "hs_object_id": "999"}, company_ids=("999",)
            )
        )
        make.draft(twin)
        make.push(step(CreateCustomer), enqueue.CUSTOMER, twin.customer_id, Done(make.ledger_record("58")))

        assert "customer_refused" in make.open_problems()

    def test_two_items_that_are_one_in_the_ledger_ask_a_person(self, linked: Invoice) -> None:
        other = make.win(make.crm_deal(make.crm_line("601", name="PLATFORM"), deal_id=302, dealtype="newbusiness"))
        make.draft(other)
        item_id = db.session.execute(select(LedgerItem.id).where(LedgerItem.name == "PLATFORM")).scalar_one()
        make.push(step(CreateItem), enqueue.ITEM, item_id, Done(make.ledger_record("19", "Platform")))

        assert make.row(enqueue.ITEM, item_id).state == PARKED
        assert make.open_problems()["item_refused"].sentence == (
            'QuickBooks refuses the item "PLATFORM": "Platform" there stands for another item of ours already.'
        )
