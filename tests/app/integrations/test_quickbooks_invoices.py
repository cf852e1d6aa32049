"""Invoices are written and mailed once, on whichever side of a failure QuickBooks did the work."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from app.core.outcome import FailureKind, Outcome
from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.ports import LedgerAccount, LedgerInvoice
from tests.app.integrations.faults import HELD_S, rejected, told, value
from tests.app.integrations.ledger_calls import (
    FROZEN,
    LINE,
    MARKER,
    calls,
    create,
    created,
    order,
    ours,
    request,
)
from tests.sandbox.quickbooks.harness import DE, US, Company, StandIn


class TestCreateInvoice:
    def test_sends_the_bytes_exactly_as_they_were_frozen(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str
    ) -> None:
        body = request(ledger, customer)
        value(create(ledger, account, body))
        (call,) = calls(quickbooks, "invoice.create")
        sent = call["request_body"]

        assert (sent if isinstance(sent, str) else json.dumps(sent, sort_keys=True, separators=(",", ":"))) == (
            body.decode()
            if isinstance(sent, str)
            else json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
        )
        assert "minorversion=75" in call["query"]
        assert "requestid=request-1" in call["query"]

    def test_answers_number_dates_and_figures(
        self, ledger: QuickBooksLedger, account: LedgerAccount, customer: str
    ) -> None:
        found = created(ledger, account, customer)

        assert (found.total_minor, found.tax_minor, found.balance_minor, found.currency) == (100_000, 0, 100_000, "USD")
        assert (found.issued_on, found.due_on) == (date(2027, 3, 1), date(2027, 3, 31))
        assert (found.marker, found.customer_id, found.number != "") == (MARKER, customer, True)
        assert (found.emailed, found.voided, found.deleted, found.payment_ids) == (False, False, False, ())

    def test_writes_quantity_and_price_where_they_give_the_amount(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, customer: str
    ) -> None:
        line = us.read(f"invoice/{created(ledger, account, customer).id}")["Line"][0]
        detail = line["SalesItemLineDetail"]

        assert (detail["Qty"], detail["UnitPrice"], line["Amount"]) == (10, 100, 1000)
        assert (line["Description"], detail["ServiceDate"]) == ("Platform, 1 Mar 2027 - 31 Mar 2027", "2027-03-01")

    @pytest.mark.parametrize(
        ("changes", "amount"),
        [
            ({"unit_price": "33.333", "quantity": "3", "amount_minor": 10_000}, 100),
            ({"unit_price": "12000", "quantity": "1", "amount_minor": 100_000}, 1000),
            ({"unit_price": "0.005", "quantity": "1", "amount_minor": 1}, 0.01),
        ],
    )
    def test_writes_one_times_the_amount_with_the_reason_where_they_do_not(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, customer: str, changes: dict[str, Any],
        amount: float,
    ) -> None:  # fmt: skip
        invoice = created(ledger, account, customer, lines=[{**LINE, **changes}])
        line = us.read(f"invoice/{invoice.id}")["Line"][0]

        assert (line["SalesItemLineDetail"]["Qty"], line["SalesItemLineDetail"]["UnitPrice"]) == (1, amount)
        assert line["Description"].endswith(LINE["why"])
        assert invoice.total_minor == changes["amount_minor"]

    def test_writes_a_one_time_line_with_its_day(
        self, ledger: QuickBooksLedger, account: LedgerAccount, customer: str
    ) -> None:
        setup = {
            **LINE,
            "item": "Set-up",
            "end": "2027-03-02",
            "quantity": "1",
            "unit_price": "2500",
            "amount_minor": 250_000,
        }
        body = json.loads(request(ledger, customer, lines=[LINE, setup]))

        assert [line["Description"] for line in body["Line"]] == [
            "Platform, 1 Mar 2027 - 31 Mar 2027",
            "Set-up, 1 Mar 2027",
        ]
        assert created(ledger, account, customer, lines=[LINE, setup]).total_minor == 350_000

    @pytest.mark.parametrize(
        ("currency", "minor", "price", "written"),
        [
            ("JPY", 1001, "1001", "1001"),
            ("KWD", 1_001, "1.001", "1.001"),
            ("USD", 10, "0.10", "0.10"),
            ("USD", 0, "0", "0.00"),
        ],
    )
    def test_writes_amounts_with_the_currencys_decimals_and_no_float(
        self, ledger: QuickBooksLedger, currency: str, minor: int, price: str, written: str
    ) -> None:
        line = {**LINE, "quantity": "1", "unit_price": price, "amount_minor": minor}
        body = request(ledger, "58", lines=[line], currency=currency)

        assert f'"Amount":{written},'.encode() in body

    def test_keeps_an_amount_that_no_float_can_hold(self, ledger: QuickBooksLedger) -> None:
        line = {**LINE, "quantity": "1", "unit_price": "90071992547409.93", "amount_minor": 9_007_199_254_740_993}

        assert b'"Amount":90071992547409.93,' in request(ledger, "58", lines=[line])

    def test_takes_our_number_where_numbers_are_ours(self, ledger: QuickBooksLedger, quickbooks: StandIn) -> None:
        company = quickbooks.new_company(SalesFormsPrefs={"CustomTxnNumbers": True})
        account = LedgerAccount(company.realm_id, company.tokens["access_token"])
        found = created(ledger, account, str(company.customer()["Id"]), number="DW-7")

        assert found.number == "DW-7"

    def test_carries_the_tax_code_and_its_tax_comes_back_apart(
        self, ledger: QuickBooksLedger, quickbooks: StandIn
    ) -> None:
        de = quickbooks.connect(DE)
        account = LedgerAccount(DE, de.tokens["access_token"])
        codes = value(ledger.company(account)).facts["tax_codes"]
        customer = str(de.customer(DisplayName="Blaumeise")["Id"])
        found = [created(ledger, account, customer, tax_code=code["id"], currency="EUR") for code in codes]

        assert {invoice.total_minor - invoice.tax_minor for invoice in found} == {100_000}
        assert any(invoice.tax_minor > 0 for invoice in found)

    @pytest.mark.parametrize("requestid", ["honour", "forget"])
    @pytest.mark.parametrize("kind", ["close_after", "hang_after", "close_before", "after", "before"])
    def test_is_made_once_on_whichever_side_of_the_failure_it_was_made(
        self,
        ledger: QuickBooksLedger,
        account: LedgerAccount,
        quickbooks: StandIn,
        customer: str,
        requestid: str,
        kind: str,
    ) -> None:
        quickbooks.control("settings", requestid=requestid)
        body = request(ledger, customer)
        order(quickbooks, "invoice.create", kind, status=503, seconds=HELD_S)
        assert told(create(ledger, account, body)) == ("unknown", None)
        found = value(create(ledger, account, body, look_first=True))

        assert [one["Id"] for one in ours(quickbooks)] == [found.id]

    def test_is_answered_from_memory_where_the_request_id_is_honoured(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str
    ) -> None:
        body = request(ledger, customer)

        assert value(create(ledger, account, body)).id == value(create(ledger, account, body)).id
        assert len(ours(quickbooks)) == 1

    def test_is_found_though_it_was_voided_meanwhile(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, quickbooks: StandIn, customer: str
    ) -> None:
        quickbooks.control("settings", requestid="forget")
        first = created(ledger, account, customer)
        us.make("invoice", {"Id": first.id, "SyncToken": first.sync_token}, operation="void")
        found = value(create(ledger, account, request(ledger, customer), look_first=True))

        assert (found.id, found.voided) == (first.id, True)

    def test_asks_a_person_where_it_is_there_twice(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str
    ) -> None:
        quickbooks.control("settings", requestid="forget")
        for _ in range(2):
            created(ledger, account, customer)
        outcome = rejected(create(ledger, account, request(ledger, customer), look_first=True))

        assert (outcome.kind, outcome.code) == (FailureKind.REJECTED, "found_twice")
        assert len(ours(quickbooks)) == 2

    def test_is_not_taken_for_a_namesake_of_the_day(
        self, ledger: QuickBooksLedger, account: LedgerAccount, customer: str
    ) -> None:
        other = created(ledger, account, customer, marker="[dealwright invoice 11 0123456789ab]")
        body = request(ledger, customer)
        found = value(ledger.create_invoice(account, body, "request-2", look_first=True))

        assert found.id != other.id

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (503, ("unknown", None)),
            (401, ("rejected", FailureKind.EXPIRED)),
            (429, ("rejected", FailureKind.THROTTLED)),
        ],
    )
    def test_sends_nothing_and_stays_unknown_when_the_look_up_fails(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str, status: int,
        expected: tuple[str, FailureKind | None],
    ) -> None:  # fmt: skip
        order(quickbooks, "invoice.query", status=status)

        assert told(create(ledger, account, request(ledger, customer), look_first=True)) == expected
        assert calls(quickbooks, "invoice.create") == []

    @pytest.mark.parametrize("item", ["99999"])
    def test_is_refused_what_names_something_that_is_not_there(
        self, ledger: QuickBooksLedger, account: LedgerAccount, customer: str, item: str
    ) -> None:
        body = ledger.invoice_request(FROZEN, customer, {"Platform": item}, None)

        assert rejected(create(ledger, account, body)).kind is FailureKind.REJECTED


class TestSendInvoice:
    def send(self, ledger: QuickBooksLedger, account: LedgerAccount, invoice: LedgerInvoice, **options: Any) -> Outcome:
        return ledger.send_invoice(
            account, invoice.id, "billing@acme.example", "request-m", **({"look_first": False} | options)
        )

    def mails(self, quickbooks: StandIn) -> list[str]:
        return [mail["to"] for mail in quickbooks.look("mails", realm_id=US)["mails"]]

    def test_mails_once_and_says_so(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str
    ) -> None:
        sent = value(self.send(ledger, account, created(ledger, account, customer)))

        assert (sent.emailed, self.mails(quickbooks)) == (True, ["billing@acme.example"])

    @pytest.mark.parametrize("requestid", ["honour", "forget"])
    @pytest.mark.parametrize("kind", ["close_after", "hang_after", "close_before", "before"])
    def test_mails_once_on_whichever_side_of_the_failure(
        self,
        ledger: QuickBooksLedger,
        account: LedgerAccount,
        quickbooks: StandIn,
        customer: str,
        requestid: str,
        kind: str,
    ) -> None:
        quickbooks.control("settings", requestid=requestid)
        invoice = created(ledger, account, customer)
        order(quickbooks, "invoice.send", kind, status=503, seconds=HELD_S)
        assert told(self.send(ledger, account, invoice)) == ("unknown", None)

        assert value(self.send(ledger, account, invoice, look_first=True)).emailed
        assert self.mails(quickbooks) == ["billing@acme.example"]

    def test_mails_nothing_that_was_deleted_meanwhile(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, quickbooks: StandIn, customer: str
    ) -> None:
        invoice = created(ledger, account, customer)
        us.make("invoice", {"Id": invoice.id, "SyncToken": invoice.sync_token}, operation="delete")

        assert value(self.send(ledger, account, invoice, look_first=True)).deleted
        assert rejected(self.send(ledger, account, invoice)).code == "610"
        assert self.mails(quickbooks) == []
