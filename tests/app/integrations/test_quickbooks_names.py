"""The company, its customers and its items through the real QuickBooks client."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.outcome import FailureKind, Outcome
from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.ports import Company as Settings
from app.ports import LedgerAccount
from tests.app.integrations.faults import rejected, told, value
from tests.app.integrations.ledger_calls import (
    OURS,
    books,
    calls,
    make_customer,
    order,
)
from tests.sandbox.quickbooks.harness import DE, Company, StandIn


class TestCompany:
    def test_is_read_with_the_settings_that_concern_us(self, ledger: QuickBooksLedger, account: LedgerAccount) -> None:
        found = value(ledger.company(account))

        assert isinstance(found, Settings)
        assert (found.name, found.currency, found.country) == ("Northwind Software Inc", "USD", "US")
        assert {"id": "79", "name": "Sales of Product Income"} in found.facts["income_accounts"]
        assert found.facts["tax_codes"] == []

    def test_has_tax_codes_outside_the_us(self, ledger: QuickBooksLedger, quickbooks: StandIn) -> None:
        de = quickbooks.connect(DE)
        found = value(ledger.company(LedgerAccount(DE, de.tokens["access_token"])))

        assert (found.currency, found.country) == ("EUR", "DE")
        assert found.facts["tax_codes"] != []


class TestCreateCustomer:
    def test_makes_one_that_is_new(self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company) -> None:
        record = value(make_customer(ledger, account))
        theirs = us.read(f"customer/{record.id}")

        assert record.snapshot == {"name": "Acme Inc", "email": "billing@acme.example", "currency": "USD"}
        assert (theirs["DisplayName"], theirs["Notes"]) == ("Acme Inc", OURS.marker)
        assert theirs["PrimaryEmailAddr"] == {"Address": "billing@acme.example"}

    def test_finds_ours_by_its_marker_whatever_else_changed(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company
    ) -> None:
        first = value(make_customer(ledger, account))
        us.make(
            "customer",
            {
                "Id": first.id,
                "SyncToken": first.sync_token,
                "sparse": True,
                "PrimaryEmailAddr": {"Address": "x@y.example"},
            },
        )

        assert value(make_customer(ledger, account)).id == first.id

    @pytest.mark.parametrize("name", ["O'Brien & Söhne", 'Back\\slash "quoted"', "A: B", "Tab\tbed  twice"])
    def test_finds_ours_again_whatever_its_name(
        self, ledger: QuickBooksLedger, account: LedgerAccount, name: str
    ) -> None:
        new = replace(OURS, name=name)
        first = value(make_customer(ledger, account, new))

        assert value(make_customer(ledger, account, new)).id == first.id

    def test_links_the_one_sure_match(self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company) -> None:
        theirs = us.customer(DisplayName="Acme Inc", PrimaryEmailAddr={"Address": "Billing@Acme.example"})

        assert value(make_customer(ledger, account)).id == theirs["Id"]

    @pytest.mark.parametrize(
        "fields", [{}, {"PrimaryEmailAddr": {"Address": "other@acme.example"}}], ids=["no e-mail", "another e-mail"]
    )
    def test_asks_about_a_doubtful_match_with_candidates(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company, quickbooks: StandIn, fields: dict[str, Any]
    ) -> None:
        theirs = us.customer(DisplayName="Acme Inc", **fields)
        outcome = rejected(make_customer(ledger, account))

        assert (outcome.kind, outcome.code) == (FailureKind.REJECTED, "doubtful_match")
        (candidate,) = outcome.detail["candidates"]
        assert (candidate["id"], candidate["active"]) == (theirs["Id"], True)
        assert len(calls(quickbooks, "customer.create")) == 1

    def test_asks_when_we_have_no_e_mail_to_be_sure_by(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company
    ) -> None:
        us.customer(DisplayName="Acme Inc", PrimaryEmailAddr={"Address": "billing@acme.example"})

        assert rejected(make_customer(ledger, account, replace(OURS, email=None))).code == "doubtful_match"

    def test_asks_about_an_inactive_namesake(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company
    ) -> None:
        theirs = us.customer(DisplayName="Acme Inc", PrimaryEmailAddr={"Address": "billing@acme.example"})
        us.make("customer", {"Id": theirs["Id"], "SyncToken": theirs["SyncToken"], "sparse": True, "Active": False})
        outcome = rejected(make_customer(ledger, account))

        assert outcome.code in ("doubtful_match", "6240")

    def test_is_refused_a_name_that_a_vendor_has(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company
    ) -> None:
        us.make("vendor", {"DisplayName": "Acme Inc"})
        outcome = rejected(make_customer(ledger, account))

        assert (outcome.kind, outcome.code) == (FailureKind.REJECTED, "6240")
        assert outcome.message.startswith("the name is taken by another customer, a vendor")

    @pytest.mark.parametrize("requestid", ["honour", "forget"])
    def test_is_made_once_though_the_first_answer_was_lost(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, requestid: str
    ) -> None:
        quickbooks.control("settings", requestid=requestid)
        order(quickbooks, "customer.create", "close_after")
        assert told(make_customer(ledger, account)) == ("unknown", None)
        again = ledger.create_customer(account, ledger.customer_request(OURS), "request-c", look_first=True)

        assert told(again) == ("done", None)
        assert [one["DisplayName"] for one in books(quickbooks)["customers"]].count("Acme Inc") == 1

    def test_has_sent_nothing_when_the_look_up_failed(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn
    ) -> None:
        order(quickbooks, "customer.query", status=503)

        assert rejected(make_customer(ledger, account)).kind is FailureKind.TRANSIENT
        assert calls(quickbooks, "customer.create") == []

    def test_finds_customers_by_name_inactive_ones_too(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company
    ) -> None:
        us.customer(DisplayName="Acme Inc")

        assert [one.snapshot["name"] for one in value(ledger.find_customers(account, "Acme Inc"))] == ["Acme Inc"]
        assert value(ledger.find_customers(account, "Acme")) == []


class TestCreateItem:
    def item(
        self, ledger: QuickBooksLedger, account: LedgerAccount, name: str = "Platform", income: str = "79"
    ) -> Outcome:
        return ledger.create_item(account, ledger.item_request(name, income), "request-i", look_first=False)

    def test_makes_a_service_into_the_account_named(
        self, ledger: QuickBooksLedger, account: LedgerAccount, us: Company
    ) -> None:
        theirs = us.read(f"item/{value(self.item(ledger, account)).id}")

        assert (theirs["Name"], theirs["Type"], theirs["IncomeAccountRef"]["value"]) == ("Platform", "Service", "79")

    @pytest.mark.parametrize("name", ["Platform", "O'Reilly's seat", "Seat: named", "x" * 150])
    def test_links_the_one_that_is_there(self, ledger: QuickBooksLedger, account: LedgerAccount, name: str) -> None:
        first = value(self.item(ledger, account, name))

        assert value(self.item(ledger, account, name)).id == first.id

    def test_is_refused_an_account_that_is_not_there(self, ledger: QuickBooksLedger, account: LedgerAccount) -> None:
        assert rejected(self.item(ledger, account, income="99999")).kind is FailureKind.REJECTED
