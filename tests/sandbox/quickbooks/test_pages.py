"""The pages where a person plays the bookkeeper."""

from __future__ import annotations

import pytest

from tests.sandbox.quickbooks.harness import DE, US, Company, StandIn


def page(stand_in: StandIn, path: str, status: int = 200) -> str:
    response = stand_in.session.get(f"{stand_in.base}{path}")
    assert response.status_code == status
    return response.text


class TestReading:
    def test_companies(self, us: Company) -> None:
        us.invoice({"Id": "1"}, "1234.5")
        text = page(us.stand_in, "/")
        assert "Northwind Software Inc" in text
        assert "$1,234.50" in text
        assert text.count("Not connected") == 1

    @pytest.mark.parametrize("name", ["invoices", "customers", "mails"])
    def test_empty_company_says_what_to_do(self, stand_in: StandIn, name: str) -> None:
        company = stand_in.new_company()
        assert 'class="empty"' in page(stand_in, f"/companies/{company.realm_id}/{name}")

    @pytest.mark.parametrize(
        ("fields", "paid", "word"),
        [
            ({"TxnDate": "2027-01-01"}, None, "Open"),
            ({"TxnDate": "2027-01-01", "BillEmail": {"Address": "a@x.example"}}, None, "Sent"),
            ({"TxnDate": "2026-01-01"}, None, "Overdue"),
            ({"TxnDate": "2027-01-01"}, 4, "Partly paid"),
            ({"TxnDate": "2027-01-01"}, 10, "Paid"),
        ],
    )
    def test_status_of_an_invoice(self, us: Company, fields: dict[str, object], paid: float | None, word: str) -> None:
        us.stand_in.control("clock", date="2027-01-02")
        invoice = us.invoice({"Id": "1"}, "10", **fields)
        if "BillEmail" in fields:
            us.make(f"invoice/{invoice['Id']}/send", {})
        if paid:
            us.pay(invoice, paid)
        for path in ("invoices", f"invoices/{invoice['Id']}"):
            assert f">{word}</span>" in page(us.stand_in, f"/companies/{US}/{path}")

    def test_names_are_escaped(self, us: Company) -> None:
        customer = us.customer(DisplayName="<b>Bold</b>")
        us.invoice(customer)
        assert "<b>Bold" not in page(us.stand_in, f"/companies/{US}/invoices")

    def test_mails(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"})
        us.make(f"invoice/{invoice['Id']}/send", {}, sendTo="pay@x.example")
        assert "pay@x.example" in page(us.stand_in, f"/companies/{US}/mails")

    @pytest.mark.parametrize("path", ["/companies/1/invoices", f"/companies/{US}/invoices/9"])
    def test_unknown_is_404(self, stand_in: StandIn, path: str) -> None:
        page(stand_in, path, 404)

    def test_are_not_in_the_journal(self, stand_in: StandIn) -> None:
        page(stand_in, "/")
        assert stand_in.look("journal")["calls"] == []


class TestDoing:
    def test_part_payment_then_the_rest(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "1100")
        url = f"{us.stand_in.base}/companies/{US}/invoices/{invoice['Id']}/payments"
        form = {"amount": "1,000.00", "date": "2026-12-01", "back": "list"}
        response = us.stand_in.session.post(url, data=form)
        assert response.url.endswith(f"/companies/{US}/invoices")
        assert us.read(f"invoice/{invoice['Id']}")["Balance"] == 100.0
        response = us.stand_in.session.post(url, data={"amount": "", "date": "2026-12-02"})
        assert "Paid" in response.text
        assert us.read(f"invoice/{invoice['Id']}")["Balance"] == 0

    @pytest.mark.parametrize("amount", ["ten", "-5", "0"])
    def test_amount_that_makes_no_sense_is_said(self, us: Company, amount: str) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        url = f"{us.stand_in.base}/companies/{US}/invoices/{invoice['Id']}/payments"
        response = us.stand_in.session.post(url, data={"amount": amount, "date": "2026-12-01"})
        assert response.status_code == 400
        assert 'role="alert"' in response.text
        assert us.read(f"invoice/{invoice['Id']}")["Balance"] == 10.0

    def test_void(self, de: Company) -> None:
        line = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "3"}}
        body = {
            "CustomerRef": {"value": "1"},
            "GlobalTaxCalculation": "TaxExcluded",
            "Line": [{"Amount": 100, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": line}],
        }
        invoice = de.make("invoice", body)
        assert "€119.00" in page(de.stand_in, f"/companies/{DE}/invoices/{invoice['Id']}")
        url = f"{de.stand_in.base}/companies/{DE}/invoices/{invoice['Id']}/void"
        assert "Voided" in de.stand_in.session.post(url).text
        assert de.read(f"invoice/{invoice['Id']}")["TotalAmt"] == 0


class TestLinkToAnInvoice:
    def test_opens_it_where_one_company_has_the_id(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10.00")
        assert invoice["DocNumber"] in page(us.stand_in, f"/app/invoice?txnId={invoice['Id']}")

    def test_asks_for_the_company_where_several_have_the_id(self, us: Company) -> None:
        other = us.stand_in.connect(us.stand_in.new_company().realm_id)
        invoice, theirs = us.invoice({"Id": "1"}, "10.00"), other.invoice(other.customer(), "20.00")
        assert invoice["Id"] == theirs["Id"]
        text = page(us.stand_in, f"/app/invoice?txnId={invoice['Id']}")
        assert "Which company?" in text
        assert "$20.00" in text

    def test_to_nothing_is_not_found(self, us: Company) -> None:
        page(us.stand_in, "/app/invoice?txnId=999", status=404)
