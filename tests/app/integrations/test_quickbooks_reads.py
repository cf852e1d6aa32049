"""Invoices and payments as QuickBooks has them, with money read exactly."""

from __future__ import annotations

from datetime import date

import pytest

from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.ports import LedgerAccount, LedgerPayment
from tests.app.integrations.faults import told, value
from tests.app.integrations.ledger_calls import (
    created,
    order,
)
from tests.sandbox.quickbooks.harness import US, Company, StandIn


def invoice_body(amount: str, currency: str = "USD", note: str = "") -> str:
    """Return an invoice's answer with an amount written exactly so."""
    return (
        '{"Invoice":{"Id":"145","SyncToken":"0","DocNumber":"1001","TxnDate":"2027-03-01","DueDate":"2027-03-31",'
        f'"CurrencyRef":{{"value":"{currency}"}},"CustomerRef":{{"value":"58"}},"TotalAmt":{amount},"Balance":{amount},'
        f'"PrivateNote":"{note}","EmailStatus":"NotSet","Line":[{{"Amount":{amount},"DetailType":"SalesItemLineDetail"}}]}},'
        '"time":"2027-03-01T00:00:00Z"}'
    )


class TestReadInvoice:
    def test_shows_payments_and_what_is_left(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str
    ) -> None:
        invoice = created(ledger, account, customer)
        payment = quickbooks.control("payments", realm_id=US, invoice_id=invoice.id, amount=400.1, date="2027-03-10")
        found = value(ledger.read_invoice(account, invoice.id))

        assert (found.balance_minor, found.payment_ids) == (59_990, (str(payment["Id"]),))

    def test_shows_one_that_was_voided(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, customer: str
    ) -> None:
        invoice = created(ledger, account, customer)
        us.make("invoice", {"Id": invoice.id, "SyncToken": invoice.sync_token}, operation="void")
        found = value(ledger.read_invoice(account, invoice.id))

        assert (found.voided, found.deleted, found.total_minor, found.balance_minor) == (True, False, 0, 0)

    def test_shows_one_that_was_deleted(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, customer: str
    ) -> None:
        invoice = created(ledger, account, customer)
        us.make("invoice", {"Id": invoice.id, "SyncToken": invoice.sync_token}, operation="delete")
        found = value(ledger.read_invoice(account, invoice.id))

        assert (found.id, found.deleted, found.voided) == (invoice.id, True, False)

    @pytest.mark.parametrize(
        ("amount", "minor"),
        [
            ("0.01", 1),
            ("1000", 100_000),
            ("1000.00", 100_000),
            ("1000.10", 100_010),
            ("90071992547409.93", 9_007_199_254_740_993),
        ],
    )
    def test_reads_money_exactly(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, amount: str, minor: int
    ) -> None:
        order(quickbooks, "invoice.read", status=200, body=invoice_body(amount))
        found = value(ledger.read_invoice(account, "145"))

        assert (found.total_minor, found.balance_minor) == (minor, minor)

    @pytest.mark.parametrize(
        ("amount", "currency"), [("10.001", "USD"), ("10.5", "JPY"), ("1.0001", "KWD"), ("10", "XXX")]
    )
    def test_does_not_guess_at_an_amount_finer_than_the_currency(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, amount: str, currency: str
    ) -> None:
        order(quickbooks, "invoice.read", status=200, body=invoice_body(amount, currency))

        assert told(ledger.read_invoice(account, "145")) == ("unknown", None)

    @pytest.mark.parametrize(("amount", "currency", "minor"), [("1000.00", "JPY", 1000), ("1.001", "KWD", 1001)])
    def test_reads_other_decimals(
        self,
        ledger: QuickBooksLedger,
        account: LedgerAccount,
        quickbooks: StandIn,
        amount: str,
        currency: str,
        minor: int,
    ) -> None:
        order(quickbooks, "invoice.read", status=200, body=invoice_body(amount, currency))

        assert value(ledger.read_invoice(account, "145")).total_minor == minor

    def test_does_not_take_a_note_alone_for_a_void(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn
    ) -> None:
        order(quickbooks, "invoice.read", status=200, body=invoice_body("5.00", note="Voided once, then made again"))

        assert not value(ledger.read_invoice(account, "145")).voided


class TestReadPayment:
    def test_shows_what_went_to_which_invoice(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, customer: str
    ) -> None:
        invoice = created(ledger, account, customer)
        made = quickbooks.control("payments", realm_id=US, invoice_id=invoice.id, amount=400.1, date="2027-03-10")
        found = value(ledger.read_payment(account, str(made["Id"])))

        assert isinstance(found, LedgerPayment)
        assert (found.paid_on, found.currency, tuple(found.applied)) == (
            date(2027, 3, 10),
            "USD",
            ((invoice.id, 40_010),),
        )

    def test_shows_one_that_was_deleted_as_applied_to_nothing(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, quickbooks: StandIn, customer: str
    ) -> None:
        invoice = created(ledger, account, customer)
        made = quickbooks.control("payments", realm_id=US, invoice_id=invoice.id)
        us.make("payment", {"Id": made["Id"], "SyncToken": made["SyncToken"]}, operation="delete")
        found = value(ledger.read_payment(account, str(made["Id"])))

        assert (found.deleted, tuple(found.applied)) == (True, ())
        assert value(ledger.read_invoice(account, invoice.id)).balance_minor == 100_000
