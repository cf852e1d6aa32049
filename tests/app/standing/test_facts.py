"""What a standing is told from: the right records of the right customer, in a number of queries that doesn't grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from app.billing import preview
from app.core.db import db, transaction
from app.deals import queries as deals
from app.invoices import editing, ledger
from app.invoices.editing import Wish
from app.portals.models import Portal
from app.problems.actions import FINANCE, Finding, open_problem
from app.standing import answer, facts
from app.standing.facts import NothingBilled
from app.subscriptions import queries as subscriptions
from app.subscriptions.settled import core_document
from tests import factories as make


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that are run inside."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


class TestNothingBilled:
    @pytest.mark.parametrize(("find", "words"), [(facts.of_company, "this company"), (facts.of_deal, "this deal")])
    def test_is_said_of_a_record_we_never_met(self, portal: Portal, find: Any, words: str) -> None:
        with pytest.raises(NothingBilled, match=words) as caught:
            find(12345)
        assert caught.value.status == 404

    def test_is_said_of_another_portals_records(self, unbound: int) -> None:
        with transaction(unbound):
            make.draft(make.win())
        with transaction(make.fresh_portal()):
            for find, hubspot_id in ((facts.of_company, 901), (facts.of_deal, 301)):
                with pytest.raises(NothingBilled):
                    find(hubspot_id)


class TestNextCharge:
    def test_is_the_cores_next_document(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(), make.setup_line()))
        make.draft(subscription)
        document = core_document(
            subscription, deals.version(subscription.deal_version_id), subscriptions.live_entries(subscription.id)
        )
        (first, *_) = preview(document, as_of=make.TODAY).documents
        charge = facts.of_company(901).next_charge

        assert charge is not None
        assert (charge.on, charge.net) == (first.dated, first.net) == (date(2027, 4, 1), first.net)
        assert charge.why == "10 x 100.00 a month, 1 Apr - 30 Apr 2027"

    def test_is_today_at_the_earliest(self, portal: Portal) -> None:
        portal.invoice_mode = "approval"
        make.draft(make.win(make.crm_deal(make.crm_line(hs_recurring_billing_start_date="2027-02-01"))))
        charge = facts.of_company(901).next_charge

        assert charge is not None
        assert charge.on == make.TODAY

    def test_is_what_a_person_made_of_its_draft(self, portal: Portal) -> None:
        portal.invoice_mode = "approval"
        (draft,) = make.draft(make.win())
        wish = Wish(0, "once", "12", "", "", "Two more for the audit")
        editing.edit(make.actor(), draft.id, draft.version, wish)
        charge = facts.of_company(901).next_charge

        assert charge is not None
        assert (charge.net.minor, charge.why) == (120_000, "12 x 100.00 a month, 1 Mar - 31 Mar 2027")

    def test_is_the_next_invoice_and_not_a_credit(self, portal: Portal) -> None:
        subscription = make.win()
        make.issue(subscription)
        change = {"id": "c1", "effective": "2027-03-16", "recorded": "2027-03-01", "settle": "unused"}
        make.agreed(subscription, changes=[change | {"item": "platform", "quantity": "5"}])
        charge = facts.of_company(901).next_charge

        assert charge is not None
        assert (charge.on, charge.net.minor) == (date(2027, 4, 1), 50_000)

    def test_follows_the_amendments(self, portal: Portal) -> None:
        subscription = make.win()
        make.issue(subscription)
        make.observe(make.crm_deal(make.crm_line(price="120.00")))
        make.draft(subscription)
        charge = facts.of_company(901).next_charge

        assert charge is not None
        assert charge.net.minor == 120_000

    def test_is_none_while_an_edit_of_the_deal_is_to_be_answered(self, portal: Portal) -> None:
        subscription = make.win()
        make.issue(subscription)
        make.observe(make.crm_deal(make.crm_line(price="80.00")))
        make.draft(subscription)

        assert facts.of_company(901).next_charge is None

    def test_is_none_while_the_deal_is_held(self, portal: Portal) -> None:
        make.win()
        make.observe(make.crm_deal(stage=make.LOST))

        assert facts.of_company(901).next_charge is None

    def test_is_the_earliest_of_all_subscriptions(self, portal: Portal) -> None:
        make.win(make.crm_deal(make.crm_line(hs_recurring_billing_start_date="2027-05-01")))
        other = make.crm_line("601", hs_recurring_billing_start_date="2027-04-15", price="1.00")
        make.win(make.crm_deal(other, deal_id=302, dealtype="newbusiness"))

        charge = facts.of_company(901).next_charge
        assert charge is not None
        assert (charge.on, charge.net.minor) == (date(2027, 4, 15), 1_000)
        of_deal = facts.of_deal(301).next_charge
        assert of_deal is not None
        assert of_deal.on == date(2027, 5, 1)


class TestContractEnd:
    def test_is_the_last_day_served(self, portal: Portal) -> None:
        make.win()

        assert facts.of_company(901).contract_ends_on == date(2028, 2, 29)


class TestOwnRecords:
    def test_of_a_deal_are_its_own_invoices_only(self, portal: Portal) -> None:
        make.draft(make.win())
        other = make.win(make.crm_deal(make.crm_line("601", price="1.00"), deal_id=302, dealtype="newbusiness"))
        make.draft(other)

        assert [invoice.net_minor for invoice in facts.of_deal(302).invoices] == [1_000]
        assert sorted(invoice.net_minor for invoice in facts.of_company(901).invoices) == [1_000, 100_000]

    def test_are_named_with_their_ledger_ids_and_problems(self, portal: Portal) -> None:
        (invoice,) = make.draft(make.win())
        invoice.state = "sending"
        ledger.adopt(make.ledger_connection(), invoice, make.ledger_invoice("145"))
        open_problem(Finding("odd", "Odd.", "It waits.", FINANCE, "Mend it."), "connection", 1)
        found = facts.of_company(901)

        assert found.external_ids == {invoice.id: "145"}
        assert [problem.code for problem in found.problems] == ["odd"]
        assert answer.sentence(found).text == "1,000.00 USD is open, due by 31 Mar 2027."

    def test_of_an_open_deal_with_a_customer_say_that_nothing_is_billed(self, portal: Portal) -> None:
        make.observe(make.crm_deal(stage=make.OPEN))

        assert answer.sentence(facts.of_deal(301)).tone == "neutral"
        assert facts.of_company(901).subscriptions == []

    def test_of_a_deal_without_a_company_are_empty(self, portal: Portal) -> None:
        make.observe(make.crm_deal(company=None, company_ids=()))
        found = facts.of_deal(301)

        assert (found.customer, found.invoices) == (None, [])
        assert answer.sentence(found).text == "Billing waits: The deal has no company, so nobody can be billed."


class TestQueries:
    def test_are_as_many_for_a_big_customer_as_for_a_small_one(self, portal: Portal) -> None:
        portal.draft_ahead_days = 400
        make.draft(make.win(make.crm_deal(make.setup_line())))
        db.session.flush()
        db.session.expire_all()
        with counted() as few:
            facts.of_company(901)
        for n in range(3):
            deal = make.crm_deal(make.crm_line(str(601 + n)), deal_id=400 + n, dealtype="newbusiness")
            make.draft(make.win(deal))
        db.session.flush()
        db.session.expunge_all()
        with counted() as many:
            found = facts.of_company(901)

        assert len(found.invoices) == 37
        assert len(many) <= len(few)
