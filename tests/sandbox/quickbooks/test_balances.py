"""Payments and what they do to invoices and customers; sending; dates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.quickbooks.harness import US, Company, StandIn, code_of, sales_line


def links(document: dict[str, Any]) -> list[str]:
    return [link["TxnId"] for link in document["LinkedTxn"] if link["TxnType"] == "Payment"]


def token_of(document: dict[str, Any]) -> dict[str, str]:
    return {"Id": document["Id"], "SyncToken": document["SyncToken"]}


class TestPayment:
    def test_partial_payments_lower_the_balance_to_the_cent(self, us: Company) -> None:
        customer = us.customer()
        invoice = us.invoice(customer, "100.10")
        first = us.pay(invoice, 33.37)
        assert (first["TotalAmt"], first["UnappliedAmt"]) == (33.37, 0)
        seen = us.read(f"invoice/{invoice['Id']}")
        assert (seen["Balance"], seen["TotalAmt"], links(seen)) == (66.73, 100.10, [first["Id"]])
        assert int(seen["SyncToken"]) > int(invoice["SyncToken"])
        assert us.read(f"customer/{customer['Id']}")["Balance"] == 66.73
        second = us.pay(invoice, 66.73)
        seen = us.read(f"invoice/{invoice['Id']}")
        assert (seen["Balance"], links(seen)) == (0, [first["Id"], second["Id"]])
        assert us.read(f"customer/{customer['Id']}")["Balance"] == 0

    def test_paying_too_much_leaves_the_rest_unapplied(self, us: Company) -> None:
        customer = us.customer()
        invoice = us.invoice(customer, "100")
        payment = us.pay(invoice, 150)
        assert (payment["UnappliedAmt"], payment["Line"][0]["Amount"]) == (50.0, 100.0)
        assert us.read(f"invoice/{invoice['Id']}")["Balance"] == 0
        assert us.read(f"customer/{customer['Id']}")["Balance"] == -50.0

    def test_without_lines_it_is_unapplied(self, us: Company) -> None:
        payment = us.make("payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 20})
        assert (payment["UnappliedAmt"], payment["Line"]) == (20.0, [])
        assert payment["DepositToAccountRef"] == {"value": "4"}

    def test_one_payment_pays_several_invoices(self, us: Company) -> None:
        one, two = us.invoice({"Id": "1"}, "10"), us.invoice({"Id": "1"}, "20")
        lines = [
            {"Amount": amount, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
            for invoice, amount in ((one, 10), (two, 5))
        ]
        us.make("payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 15, "Line": lines})
        assert us.read(f"invoice/{one['Id']}")["Balance"] == 0
        assert us.read(f"invoice/{two['Id']}")["Balance"] == 15.0

    def test_refused_ones_change_nothing(self, us: Company) -> None:
        invoice = us.invoice(us.customer(), "10")
        link = [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
        own = {"CustomerRef": invoice["CustomerRef"]}
        other_customer = {"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [{"Amount": 10, "LinkedTxn": link}]}
        assert code_of(us.post("payment", other_customer)) == "6000"
        more_than_total = own | {"TotalAmt": 5, "Line": [{"Amount": 10, "LinkedTxn": link}]}
        assert code_of(us.post("payment", more_than_total)) == "6000"
        unknown = own | {"TotalAmt": 5, "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "9", "TxnType": "Invoice"}]}]}
        assert code_of(us.post("payment", unknown)) == "2500"
        assert us.read(f"invoice/{invoice['Id']}") == invoice

    def test_changed_lines_open_the_invoice_again(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        payment = us.pay(invoice, 10)
        us.make("payment", token_of(payment) | {"sparse": True, "Line": []})
        seen = us.read(f"invoice/{invoice['Id']}")
        assert (seen["Balance"], seen["LinkedTxn"]) == (10.0, [])

    @pytest.mark.parametrize("options", [{"operation": "update", "include": "void"}, {"operation": "delete"}])
    def test_voided_or_deleted_one_opens_the_invoice_again(self, us: Company, options: dict[str, str]) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        payment = us.pay(invoice, 10)
        us.make("payment", token_of(payment) | {"sparse": True}, **options)
        assert us.read(f"invoice/{invoice['Id']}")["Balance"] == 10.0


class TestInvoice:
    def test_void_sets_payments_free(self, us: Company) -> None:
        customer = us.customer()
        invoice = us.invoice(customer, "10", PrivateNote="ours")
        payment = us.pay(invoice, 4)
        now = us.read(f"invoice/{invoice['Id']}")
        voided = us.make("invoice", token_of(now), operation="void")
        assert voided["PrivateNote"].startswith("Voided")
        assert "ours" in voided["PrivateNote"]
        assert (voided["TotalAmt"], voided["Balance"], voided["LinkedTxn"]) == (0, 0, [])
        freed = us.read(f"payment/{payment['Id']}")
        assert (freed["UnappliedAmt"], freed["Line"], freed["SyncToken"]) == (4.0, [], "1")
        assert us.read(f"customer/{customer['Id']}")["Balance"] == -4.0

    def test_void_makes_quantities_nothing(self, us: Company) -> None:
        line = sales_line(10, Qty=2, UnitPrice=5)
        made = us.make("invoice", {"CustomerRef": {"value": "1"}, "Line": [line]})
        voided = us.make("invoice", token_of(made), operation="void")
        assert voided["Line"][0]["Amount"] == voided["Line"][0]["SalesItemLineDetail"]["Qty"] == 0

    def test_linked_one_is_not_deleted(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        us.pay(invoice, 4)
        now = us.read(f"invoice/{invoice['Id']}")
        assert code_of(us.post("invoice", token_of(now), operation="delete")) == "6000"

    def test_smaller_than_paid_gives_credit(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        payment = us.pay(invoice, 8)
        now = us.read(f"invoice/{invoice['Id']}")
        changed = us.make("invoice", token_of(now) | {"sparse": True, "Line": [sales_line(5)]})
        assert (changed["TotalAmt"], changed["Balance"]) == (5.0, 0)
        assert us.read(f"payment/{payment['Id']}")["UnappliedAmt"] == 3.0

    def test_deposit_lowers_the_balance_without_a_payment(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(SalesFormsPrefs={"AllowDeposit": True})
        made = company.invoice(company.customer(), "100", Deposit=30)
        assert (made["Balance"], made["Deposit"], made["LinkedTxn"]) == (70.0, 30.0, [])

    def test_line_without_an_item_is_text(self, us: Company) -> None:
        text = {"DetailType": "SalesItemLineDetail", "Amount": 99, "Description": "only words"}
        made = us.make("invoice", {"CustomerRef": {"value": "1"}, "Line": [sales_line(1), text]})
        assert made["TotalAmt"] == 1.0
        assert "Amount" not in made["Line"][1]

    def test_jobs_count_for_their_parent(self, us: Company) -> None:
        parent = us.customer(DisplayName="Parent")
        job = us.customer(DisplayName="Job", Job=True, ParentRef={"value": parent["Id"]})
        assert (job["FullyQualifiedName"], job["Level"]) == ("Parent:Job", 1)
        us.invoice(job, "10")
        us.invoice(parent, "5")
        seen = us.read(f"customer/{parent['Id']}")
        assert (seen["Balance"], seen["BalanceWithJobs"]) == (5.0, 15.0)


class TestDates:
    @pytest.mark.parametrize(
        ("fields", "due"),
        [
            ({}, "2026-03-02"),
            ({"SalesTermRef": {"value": "1"}}, "2026-01-31"),
            ({"SalesTermRef": {"value": "2"}}, "2026-02-15"),
            ({"SalesTermRef": {"value": "2"}, "DueDate": "2026-05-05"}, "2026-05-05"),
        ],
    )
    def test_due_date_follows_the_terms(self, us: Company, fields: dict[str, Any], due: str) -> None:
        assert us.invoice({"Id": "1"}, TxnDate="2026-01-31", **fields)["DueDate"] == due

    @pytest.mark.parametrize(
        ("issued", "due"), [("2026-01-05", "2026-01-31"), ("2026-01-31", "2026-01-31"), ("2026-02-10", "2026-02-28")]
    )
    def test_due_on_a_day_of_the_month(self, us: Company, issued: str, due: str) -> None:
        term = us.make("term", {"Name": "Last of month", "DayOfMonthDue": 31})
        made = us.invoice({"Id": "1"}, TxnDate=issued, SalesTermRef={"value": term["Id"]})
        assert made["DueDate"] == due

    def test_terms_of_the_customer_come_before_those_of_the_company(self, us: Company) -> None:
        customer = us.customer(SalesTermRef={"value": "1"})
        assert us.invoice(customer, TxnDate="2026-01-31")["DueDate"] == "2026-01-31"

    def test_default_is_the_moved_day(self, us: Company) -> None:
        us.stand_in.control("clock", date="2027-04-30")
        assert us.invoice({"Id": "1"})["TxnDate"] == "2027-04-30"
        us.stand_in.control("payments", realm_id=US, invoice_id=us.invoice({"Id": "1"})["Id"])
        assert us.stand_in.look("books", realm_id=US)["payments"][0]["TxnDate"] == "2027-04-30"


class TestSend:
    def test_overwrites_the_address_and_is_counted(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, BillEmail={"Address": "old@x.example"})
        sent = us.make(f"invoice/{invoice['Id']}/send", {}, sendTo="new@x.example")
        assert (sent["EmailStatus"], sent["BillEmail"]) == ("EmailSent", {"Address": "new@x.example"})
        assert sent["DeliveryInfo"]["DeliveryType"] == "Email"
        assert sent["SyncToken"] == "1"
        us.make(f"invoice/{invoice['Id']}/send", {})
        mails = us.stand_in.look("mails", realm_id=US)
        assert mails["count"] == 2
        assert [mail["to"] for mail in mails["mails"]] == ["new@x.example"] * 2

    def test_needs_an_address(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"})
        assert code_of(us.post(f"invoice/{invoice['Id']}/send", {})) == "2020"
        assert us.stand_in.look("mails", realm_id=US)["count"] == 0

    def test_pdf_points_at_its_objects(self, us: Company) -> None:
        response = us.get(f"invoice/{us.invoice({'Id': '1'})['Id']}/pdf")
        assert response.headers["Content-Type"].startswith("application/pdf")
        content = response.content
        table = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
        entries = content[table:].split(b"trailer")[0].splitlines()[3:]
        for number, entry in enumerate(entries, start=1):
            assert content[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
        assert code_of(us.get("invoice/999/pdf")) == "610"
