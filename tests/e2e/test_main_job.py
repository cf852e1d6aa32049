"""The main job with every part its own process, and what may go wrong on its way."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
import requests

from tests.e2e.office import APPROVAL, Office, monthly, once, open_office
from tools.robot import TIMEOUT_S, wait_for
from tools.stack import Stack


class TestWonDealBecomesPaidInvoice:
    def test_arrives_once_is_mailed_and_shows_paid(self, office: Office) -> None:
        company = office.company("Acme Inc")
        deal = office.deal("Acme - Platform", company, [monthly(), once()])
        office.move(deal)
        card = office.wait_for_states(deal, "sent")
        assert (card["invoices"][0]["total"], card["invoices"][0]["balance"]) == ("3500.00", "3500.00")
        assert card["next_charge"]["amount"] == "1000.00"
        invoice = office.books.invoices()[0]
        office.books.pay("Acme Inc", invoice.dated, Decimal("1500.00"))
        assert office.wait_for_states(deal, "partly_paid")["totals"][0]["open"] == "2000.00"
        office.books.pay("Acme Inc", invoice.dated, Decimal("2000.00"))
        card = office.wait_for_states(deal, "paid")
        assert card["status"]["tone"] == "success"
        assert card["totals"] == [{"currency": "USD", "open": "0.00", "overdue": "0.00"}]
        books = office.dump()
        assert len(books["invoices"]) == len(books["mails"]) == 1
        assert [c["DisplayName"] for c in books["customers"]].count("Acme Inc") == 1

    def test_lines_carry_dates_and_amounts_in_quickbooks(self, office: Office) -> None:
        deal = office.deal("Globex - Annual", office.company("Globex"), [
            {"name": "Annual plan", "quantity": "1", "price": "12000.00", "recurringbillingfrequency": "annually",
             "hs_recurring_billing_period": "P1Y", "hs_recurring_billing_start_date": "2027-02-01"}])  # fmt: skip
        office.move(deal)
        card = wait_for("the first charge", lambda: (office.card(deal) or {}).get("next_charge"))
        assert (card["date"], card["amount"]) == ("2027-02-01", "12000.00")
        assert office.dump()["invoices"] == []

    def test_voided_in_quickbooks_is_not_billed_again(self, office: Office) -> None:
        deal = office.deal("Void - Platform", office.company("Void Inc"), [monthly()])
        office.move(deal)
        office.wait_for_states(deal, "sent")
        invoice = office.books.invoices()[0]
        office.books.void(invoice)
        card = office.wait_for_states(deal, "voided")
        assert any("voided in QuickBooks" in problem["text"] for problem in office.company_problems(deal))
        assert card["totals"][0]["open"] == "0.00"
        office.change("deals", deal, amount="999")
        office.settle()
        assert len(office.books.invoices()) == 1


class TestApprovalByAPerson:
    @pytest.fixture
    def careful(self, stack: Stack) -> Office:
        return open_office(stack, APPROVAL)

    def test_nothing_leaves_before_a_person_approves(self, careful: Office) -> None:
        deal = careful.deal("Acme - Platform", careful.company("Acme Inc"), [monthly()])
        careful.move(deal)
        careful.wait_for_states(deal, "draft")
        careful.settle()
        assert careful.dump()["invoices"] == []
        careful.approve()
        careful.wait_for_states(deal, "sent")
        assert len(careful.dump()["invoices"]) == 1

    def test_draft_that_changed_since_shown_is_not_approved(self, careful: Office) -> None:
        deal = careful.deal("Acme - Platform", careful.company("Acme Inc"), [monthly()])
        careful.move(deal)
        careful.wait_for_states(deal, "draft")
        page = careful.admin.browser.open(f"{careful.admin.app}/drafts")
        shown = careful.shown(page.text)
        careful.change("line_items", careful.lines[deal][0], quantity="11")
        wait_for("the new draft", lambda: careful.card(deal)["invoices"][0]["total"] == "1100.00")  # type: ignore[index]  # there is a card
        answer = careful.admin.browser.submit(page, "/drafts/approve", draft=shown)
        assert "changed" in answer.text
        assert careful.card(deal)["invoices"][0]["status"] == "draft"  # type: ignore[index]  # there is a card

    def test_pressing_approve_twice_sends_once(self, careful: Office) -> None:
        deal = careful.deal("Acme - Platform", careful.company("Acme Inc"), [monthly()])
        careful.move(deal)
        careful.wait_for_states(deal, "draft")
        page = careful.admin.browser.open(f"{careful.admin.app}/drafts")
        for _ in range(2):
            careful.admin.browser.submit(page, "/drafts/approve", draft=careful.shown(page.text))
        careful.wait_for_states(deal, "sent")
        careful.settle()
        assert len(careful.dump()["invoices"]) == len(careful.dump()["mails"]) == 1


class TestLostAndWonAgain:
    def test_unsent_draft_is_held_and_sent_after_the_second_win(self, stack: Stack) -> None:
        office = open_office(stack, APPROVAL)
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        office.move(deal)
        office.wait_for_states(deal, "draft")
        office.move(deal, "closedlost")
        wait_for("the hold", lambda: (office.card(deal) or {}).get("next_charge", 1) is None)
        assert office.shown(office.drafts().text) == []
        office.move(deal)
        wait_for("the subscription's return", lambda: (office.card(deal) or {}).get("next_charge"))
        office.approve()
        office.wait_for_states(deal, "sent")
        assert len(office.dump()["invoices"]) == 1

    def test_winning_three_times_bills_once(self, office: Office) -> None:
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        for stage in ("closedwon", "closedlost", "closedwon", "closedlost", "closedwon"):
            office.move(deal, stage)
        office.wait_for_states(deal, "sent")
        office.settle()
        assert len(office.dump()["invoices"]) == 1


class TestWebhooks:
    @pytest.mark.parametrize("kind", ["duplicate", "reorder", "delay"])
    def test_disordered_events_of_a_win_bill_once(self, office: Office, kind: str) -> None:
        office.order_fault("hubspot", match={"operation": "webhook"}, kind=kind, times=6, seconds=0.5)
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly(), once()])
        office.move(deal)
        office.wait_for_states(deal, "sent")
        office.settle()
        assert len(office.dump()["invoices"]) == 1

    def test_disordered_events_of_a_payment_end_in_paid(self, office: Office) -> None:
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        office.move(deal)
        office.wait_for_states(deal, "sent")
        office.order_fault("quickbooks", match={"operation": "webhook"}, kind="reorder", times=4)
        office.order_fault("quickbooks", match={"operation": "webhook"}, kind="duplicate", times=4)
        invoice = office.books.invoices()[0]
        office.books.pay("Acme Inc", invoice.dated, Decimal("400.00"))
        office.books.pay("Acme Inc", invoice.dated, Decimal("600.00"))
        office.wait_for_states(deal, "paid")

    def test_foreign_events_change_nothing(self, office: Office, stack: Stack) -> None:
        other = open_office(stack)
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        body = json.dumps([{"eventId": 1, "subscriptionId": 1, "portalId": other.hub_id, "appId": 1, "occurredAt": 1,
                            "subscriptionType": "deal.propertyChange", "attemptNumber": 0, "objectId": int(deal),
                            "propertyName": "dealstage", "propertyValue": "closedwon"}])  # fmt: skip
        answer = requests.post(f"{stack.url('web')}/webhooks/hubspot", data=body, timeout=TIMEOUT_S)
        assert answer.status_code == 401
        other.settle()
        card = office.card(deal)
        assert card is None or card["invoices"] == []
        assert office.dump()["invoices"] == other.dump()["invoices"] == []


class TestTwoPortals:
    def test_see_and_bill_only_their_own(self, office: Office, stack: Stack) -> None:
        other = open_office(stack)
        ours = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        theirs = other.deal("Acme - Platform", other.company("Acme Inc"), [monthly(price="70.00")])
        office.move(ours)
        other.move(theirs)
        assert office.wait_for_states(ours, "sent")["invoices"][0]["total"] == "1000.00"
        assert other.wait_for_states(theirs, "sent")["invoices"][0]["total"] == "700.00"
        assert [len(o.dump()["invoices"]) for o in (office, other)] == [1, 1]
        if ours != theirs:
            assert office.card(theirs) is None
        assert (
            other.admin.browser.session.get(f"{other.admin.app}/invoices/999999", timeout=TIMEOUT_S).status_code == 404
        )


class TestProblems:
    def test_missing_term_of_a_fixed_line_is_asked_for_and_mended_by_the_rep(self, office: Office) -> None:
        line = monthly(term="") | {"hs_recurring_billing_terms": "FIXED"}
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [line])
        office.move(deal)
        problem = office.wait_for_problem(deal, "no term")
        assert problem["who"] == "sales"
        assert office.dump()["invoices"] == []
        office.change("line_items", office.lines[deal][0], hs_recurring_billing_period="P12M")
        card = office.wait_for_states(deal, "sent")
        assert card["problems"] == []

    def test_line_without_a_term_runs_until_cancelled_and_is_billed(self, office: Office) -> None:
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly(term="")])
        office.move(deal)
        card = office.wait_for_states(deal, "sent")
        assert card["invoices"][0]["total"] == card["next_charge"]["amount"] == "1000.00"
        assert card["problems"] == []

    def test_frequency_of_weeks_is_billed_a_week_at_a_time(self, office: Office) -> None:
        line = monthly(term="P52W") | {"recurringbillingfrequency": "weekly"}
        deal = office.deal("Acme - Weekly", office.company("Acme Inc"), [line])
        office.move(deal)
        card = office.wait_for_states(deal, "sent")
        first, following = (
            date.fromisoformat(day) for day in (card["invoices"][0]["date"], card["next_charge"]["date"])
        )
        assert following - first == timedelta(weeks=1)
        assert card["invoices"][0]["total"] == card["next_charge"]["amount"] == "1000.00"

    def test_tax_we_do_not_bill_is_said_to_finance_and_nothing_is_sent(self, office: Office) -> None:
        line = monthly() | {"hs_tax_rate_group_id": "77"}
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [line])
        office.move(deal)
        problem = office.wait_for_problem(deal, "tax rate")
        assert problem["who"] == "finance"
        office.settle()
        assert office.dump()["invoices"] == []

    def test_name_taken_in_quickbooks_waits_for_a_person_and_goes_on_after_retry(self, office: Office) -> None:
        office.books.create_customer("Acme Inc", "somebody@else.example")
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        office.move(deal)
        problem = wait_for("the problem", lambda: office.company_problems(deal))[0]
        assert problem["who"] == "finance"
        office.books.rename_customer("Acme Inc", "Acme Inc (old)")
        office.retry_all()
        office.wait_for_states(deal, "sent")
        assert len(office.dump()["invoices"]) == 1

    def test_provider_that_is_away_for_a_while_delays_and_loses_nothing(self, office: Office) -> None:
        office.order_fault("quickbooks", match={"operation": "customer.*"}, kind="before", status=503, times=2)
        office.order_fault("quickbooks", match={"operation": "invoice.create"}, kind="before", status=429,
                           headers={"Retry-After": "1"}, times=1)  # fmt: skip
        office.order_fault("hubspot", match={"operation": "deal.read"}, kind="before", status=502, times=2)
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        office.move(deal)
        office.wait_for_states(deal, "sent")
        assert len(office.dump()["invoices"]) == 1


class TestRevokedConnection:
    def test_holds_the_queue_and_drains_it_once_after_reconnecting(self, office: Office) -> None:
        office.end_grant()
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
        office.move(deal)

        def is_lost() -> bool:
            card = office.card(deal)
            return card is not None and card["connections"]["quickbooks"] == "needs_reconnect"

        wait_for("the lost connection on the card", is_lost)
        office.admin.connect_quickbooks(office.realm_id)
        office.wait_for_states(deal, "sent")
        assert len(office.dump()["invoices"]) == len(office.dump()["mails"]) == 1
