"""Full and sparse updates, through raw calls and through the objects of the client library."""

from __future__ import annotations

from quickbooks.objects.customer import Customer
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.item import Item
from quickbooks.objects.preferences import Preferences

from tests.sandbox.quickbooks.harness import Company, sales_line


class TestSparse:
    def test_changes_only_what_is_sent(self, us: Company) -> None:
        made = us.customer(Notes="old", CompanyName="Company")
        changed = us.make("customer", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Notes": "new"})
        assert changed == made | {
            "Notes": "new",
            "SyncToken": "1",
            "MetaData": changed["MetaData"],
        }

    def test_null_empties(self, us: Company) -> None:
        made = us.customer(Notes="old")
        body = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Notes": None}
        assert "Notes" not in us.make("customer", body)

    def test_lines_are_replaced_as_a_whole(self, us: Company) -> None:
        made = us.invoice({"Id": "1"}, "10", "20")
        kept = made["Line"][1] | {"Description": "kept"}
        body = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Line": [kept, sales_line(5)]}
        changed = us.make("invoice", body)
        assert [(line.get("Id"), line["Amount"]) for line in changed["Line"]] == [("2", 20.0), ("3", 5.0), (None, 25.0)]
        assert changed["Line"][0]["Description"] == "kept"
        assert (changed["TotalAmt"], changed["Balance"], changed["DocNumber"]) == (25.0, 25.0, made["DocNumber"])


class TestFull:
    def test_empties_what_is_left_out(self, us: Company) -> None:
        made = us.customer(Notes="old", CompanyName="Company")
        changed = us.make("customer", {"Id": made["Id"], "SyncToken": "0", "DisplayName": "New name"})
        assert not {"Notes", "CompanyName"} & set(changed)
        assert changed["MetaData"]["CreateTime"] == made["MetaData"]["CreateTime"]

    def test_what_was_read_can_be_sent_back(self, us: Company) -> None:
        made = us.invoice({"Id": "1"}, "10", "20", CustomerMemo={"value": "Thanks"}, SalesTermRef={"value": "1"})
        changed = us.make("invoice", made | {"PrivateNote": "checked"})
        assert changed == made | {"PrivateNote": "checked", "SyncToken": "1", "MetaData": changed["MetaData"]}


class TestClientObjects:
    """The library sends many empty defaults; QuickBooks takes them."""

    def test_customer_and_item(self, us: Company) -> None:
        client = us.client()
        customer = Customer()
        customer.DisplayName = "From the library"
        customer.save(qb=client)
        assert int(customer.Id) > 0
        item = Item()
        item.Name, item.Type, item.IncomeAccountRef = "Library", "Service", {"value": "79"}
        item.save(qb=client)
        assert Item.get(item.Id, qb=client).Name == "Library"

    def test_invoice(self, us: Company) -> None:
        client = us.client()
        line = SalesItemLine()
        line.Amount = 12.5
        line.SalesItemLineDetail = SalesItemLineDetail()
        line.SalesItemLineDetail.ItemRef = {"value": "1"}
        line.SalesItemLineDetail.Qty, line.SalesItemLineDetail.UnitPrice = 5, 2.5
        invoice = Invoice()
        invoice.CustomerRef = {"value": "1"}
        invoice.Line = [line]
        invoice.save(qb=client, request_id="library-1")
        invoice.send(qb=client, send_to="a+b@x.example")
        sent = Invoice.get(invoice.Id, qb=client)
        assert sent.Balance == 12.5
        assert (sent.EmailStatus, sent.BillEmail.Address) == ("EmailSent", "a+b@x.example")
        assert Invoice.download_pdf(sent, qb=client).startswith(b"%PDF-1.")

    def test_preferences(self, us: Company) -> None:
        assert Preferences.get(qb=us.client()).CurrencyPrefs.MultiCurrencyEnabled is False
