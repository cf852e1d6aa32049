"""What QuickBooks refuses is refused, and nothing is changed by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.quickbooks.harness import DE, US, Company, StandIn, code_of, invoice_body, sales_line

SERVICE = {"Name": "New service", "Type": "Service", "IncomeAccountRef": {"value": "79"}}


class TestNames:
    @pytest.mark.parametrize("name", ["Acme Inc", "ACME INC", "  acme inc "])
    @pytest.mark.parametrize("taken_by", ["customer", "vendor", "employee"])
    def test_unique_over_customers_vendors_and_employees(self, us: Company, name: str, taken_by: str) -> None:
        us.make(taken_by, {"DisplayName": "Acme Inc", "GivenName": "A", "FamilyName": "B"})
        assert code_of(us.post("customer", {"DisplayName": name})) == "6240"

    def test_inactive_names_count(self, us: Company) -> None:
        made = us.customer(DisplayName="Gone")
        us.make("customer", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False})
        assert code_of(us.post("customer", {"DisplayName": "gone"})) == "6240"

    def test_rename_to_a_taken_name(self, us: Company) -> None:
        us.customer(DisplayName="One")
        two = us.customer(DisplayName="Two")
        body = {"Id": two["Id"], "SyncToken": "0", "sparse": True, "DisplayName": "one"}
        assert code_of(us.post("customer", body)) == "6240"
        assert us.read(f"customer/{two['Id']}")["DisplayName"] == "Two"

    def test_colon_is_refused(self, us: Company) -> None:
        assert code_of(us.post("customer", {"DisplayName": "Acme: West"})) == "6000"

    def test_name_is_built_from_its_parts_and_none_is_refused(self, us: Company) -> None:
        made = us.make("customer", {"GivenName": "Ada", "FamilyName": "Lovelace"})
        assert made["DisplayName"] == "Ada Lovelace"
        assert code_of(us.post("customer", {"CompanyName": "Only a company"})) == "2020"

    def test_items_accounts_and_terms_are_unique_each_in_its_list(self, us: Company) -> None:
        assert code_of(us.post("item", SERVICE | {"Name": "services"})) == "6240"
        assert code_of(us.post("account", {"Name": "SERVICES", "AccountType": "Income"})) == "6240"
        assert code_of(us.post("term", {"Name": "net 30", "DueDays": 30})) == "6240"
        assert us.make("item", SERVICE | {"Name": "Harbor Hosting LLC"})["Name"] == "Harbor Hosting LLC"


class TestProperties:
    def test_unknown_one_deep_inside(self, us: Company) -> None:
        line = sales_line(1, Quantity=1)
        assert code_of(us.post("invoice", {"CustomerRef": {"value": "1"}, "Line": [line]})) == "2010"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"TxnDate": "next week"},
            {"TxnDate": "2026-02-30"},
            {"EmailStatus": "Sent"},
            {"CustomerRef": "1"},
            {"ApplyTaxAfterDiscount": "perhaps"},
            {"Line": {}},
            {"ExchangeRate": "one"},
            {"Deposit": 10**15},
        ],
    )
    def test_value_of_the_wrong_kind(self, us: Company, wrong: dict[str, Any]) -> None:
        assert code_of(us.post("invoice", invoice_body({"Id": "1"}) | wrong)) == "2010"

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"TotalAmt": NaN}', b'"x"'])
    def test_body_that_is_no_object(self, us: Company, body: bytes) -> None:
        response = us.stand_in.session.post(f"{us.url}/invoice", data=body, headers=us.headers)
        assert code_of(response) == "2010"

    def test_bytes_that_are_no_utf8(self, us: Company) -> None:
        response = us.stand_in.session.post(f"{us.url}/invoice", data=b'{"DocNumber": "\xff"}', headers=us.headers)
        assert code_of(response) == "500"

    @pytest.mark.parametrize(
        ("entity", "body"),
        [
            ("invoice", {"DocNumber": "x" * 22}),
            ("invoice", {"PrivateNote": "x" * 4001}),
            ("invoice", {"CustomerMemo": {"value": "x" * 1001}}),
            ("customer", {"DisplayName": "x" * 501}),
            ("customer", {"PrimaryEmailAddr": {"Address": "x" * 101}}),
            ("item", {"Name": "x" * 101}),
        ],
    )
    def test_text_that_is_too_long(self, us: Company, entity: str, body: dict[str, Any]) -> None:
        assert code_of(us.post(entity, body)) == "2050"

    def test_read_only_values_are_ignored(self, us: Company) -> None:
        sent = invoice_body({"Id": "1"}, TotalAmt=1, Balance=1, SyncToken="9", domain="X")
        made = us.make("invoice", sent)
        assert (made["TotalAmt"], made["Balance"], made["SyncToken"], made["domain"]) == (100.0, 100.0, "0", "QBO")

    @pytest.mark.parametrize(
        ("entity", "body", "missing"),
        [
            ("invoice", {"Line": [sales_line(1)]}, "CustomerRef"),
            ("invoice", {"CustomerRef": {"value": "1"}}, "Line"),
            ("invoice", {"CustomerRef": {"value": "1"}, "Line": []}, "Line"),
            ("invoice", {"CustomerRef": {"value": "1"}, "Line": [{"Amount": 1}]}, "Line.DetailType"),
            ("invoice", invoice_body({"Id": "1"}, EmailStatus="NeedToSend"), "BillEmail"),
            ("payment", {"TotalAmt": 1}, "CustomerRef"),
            ("payment", {"CustomerRef": {"value": "1"}}, "TotalAmt"),
            ("item", {"Type": "Service", "IncomeAccountRef": {"value": "1"}}, "Name"),
            ("item", {"Name": "X", "Type": "Service"}, "IncomeAccountRef"),
            ("term", {"Name": "X"}, "DueDays"),
            ("account", {"Name": "X"}, "AccountType"),
            ("customer", {"Id": "1", "sparse": True}, "SyncToken"),
            ("customer", {"DisplayName": "X", "Job": True}, "ParentRef"),
        ],
    )
    def test_missing_one(self, us: Company, entity: str, body: dict[str, Any], missing: str) -> None:
        response = us.post(entity, body)
        assert code_of(response) == "2020"
        assert response.json()["Fault"]["Error"][0]["element"] == missing


class TestReferences:
    def test_to_what_never_was(self, us: Company) -> None:
        assert code_of(us.post("invoice", invoice_body({"Id": "999"}))) == "2500"
        line = sales_line(1, ItemRef={"value": "999"})
        assert code_of(us.post("invoice", {"CustomerRef": {"value": "1"}, "Line": [line]})) == "2500"
        assert code_of(us.post("item", SERVICE | {"IncomeAccountRef": {"value": "999"}})) == "2500"
        assert code_of(us.post("invoice", invoice_body({"Id": "1"}, SalesTermRef={"value": "99"}))) == "2500"
        assert code_of(us.post("customer", {"DisplayName": "X", "ParentRef": {"value": "99"}})) == "2500"

    @pytest.mark.parametrize("entity", ["customer", "item"])
    def test_to_what_is_inactive(self, us: Company, entity: str) -> None:
        us.make(entity, {"Id": "1", "SyncToken": "0", "sparse": True, "Active": False})
        assert code_of(us.post("invoice", invoice_body({"Id": "1"}))) == "610"
        assert us.read(f"{entity}/1")["Active"] is False

    def test_to_what_is_deleted(self, us: Company) -> None:
        kept, gone = us.customer(), us.customer()
        us.stand_in.control("merge", realm_id=US, kept=kept["Id"], gone=gone["Id"])
        assert code_of(us.post("invoice", invoice_body(gone))) == "610"
        invoice = us.invoice(kept)
        us.make("invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="delete")
        link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
        body = {"CustomerRef": {"value": kept["Id"]}, "TotalAmt": 1, "Line": [{"Amount": 1, "LinkedTxn": [link]}]}
        assert code_of(us.post("payment", body)) == "610"

    def test_customers_can_not_stand_in_a_circle(self, us: Company) -> None:
        above = us.customer()
        below = us.customer(Job=True, ParentRef={"value": above["Id"]})
        body = {"Id": above["Id"], "SyncToken": "0", "sparse": True, "ParentRef": {"value": below["Id"]}}
        assert code_of(us.post("customer", body)) == "6000"

    def test_account_of_the_wrong_type(self, us: Company) -> None:
        assert code_of(us.post("item", SERVICE | {"IncomeAccountRef": {"value": "35"}})) == "6430"
        body = {"CustomerRef": {"value": "1"}, "TotalAmt": 1, "DepositToAccountRef": {"value": "79"}}
        assert code_of(us.post("payment", body)) == "6430"


class TestVersions:
    @pytest.mark.parametrize("operation", [None, "delete", "void"])
    def test_stale_one(self, us: Company, operation: str | None) -> None:
        made = us.invoice({"Id": "1"})
        us.make("invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "first"})
        options = {"operation": operation} if operation else {}
        late = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "second"}
        assert code_of(us.post("invoice", late, **options)) == "5010"
        assert us.read(f"invoice/{made['Id']}")["PrivateNote"] == "first"

    def test_deleted_one(self, us: Company) -> None:
        made = us.invoice({"Id": "1"})
        us.make("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
        assert code_of(us.get(f"invoice/{made['Id']}")) == "610"
        assert code_of(us.post("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="void")) == "610"


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "quantity", "price"),
        [("99.99", 3, 33.34), ("100.01", 1, 100), ("33.33", 0.333, 100.09), ("0", 1, 5)],
    )
    def test_amount_must_be_the_exact_product(self, us: Company, amount: str, quantity: float, price: float) -> None:
        line = sales_line(amount, Qty=quantity, UnitPrice=price)
        assert code_of(us.post("invoice", {"CustomerRef": {"value": "1"}, "Line": [line]})) == "6070"

    def test_exact_product_is_taken(self, us: Company) -> None:
        line = sales_line("99.99", Qty=3, UnitPrice=33.33)
        assert us.make("invoice", {"CustomerRef": {"value": "1"}, "Line": [line]})["TotalAmt"] == 99.99

    def test_negative_total(self, us: Company) -> None:
        assert code_of(us.post("invoice", invoice_body({"Id": "1"}, "100", "-100.01"))) == "6000"
        assert us.invoice({"Id": "1"}, "100", "-100")["TotalAmt"] == 0
        assert code_of(us.post("payment", {"CustomerRef": {"value": "1"}, "TotalAmt": -1})) == "6000"


class TestNumbers:
    def test_custom_numbers_must_be_free(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(SalesFormsPrefs={"CustomTxnNumbers": True})
        customer = company.customer()
        first = company.invoice(customer, DocNumber="D-1")
        refused = company.post("invoice", invoice_body(customer, DocNumber="D-1"))
        assert code_of(refused) == "6140"
        assert f"TxnId={first['Id']}" in refused.json()["Fault"]["Error"][0]["Detail"]
        other = company.invoice(customer, DocNumber="D-2")
        renamed = {"Id": other["Id"], "SyncToken": "0", "sparse": True, "DocNumber": "D-1"}
        assert code_of(company.post("invoice", renamed)) == "6140"

    def test_custom_numbers_stay_empty_when_not_sent(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(SalesFormsPrefs={"CustomTxnNumbers": True})
        customer = company.customer()
        assert "DocNumber" not in company.invoice(customer)
        assert company.invoice(customer, DocNumber="AUTO_GENERATE")["DocNumber"] == "1001"

    def test_deleted_number_is_free_again_and_a_voided_one_is_not(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(SalesFormsPrefs={"CustomTxnNumbers": True})
        customer = company.customer()
        for operation, code in (("delete", None), ("void", "6140")):
            made = company.invoice(customer, DocNumber=operation)
            company.make("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation=operation)
            again = company.post("invoice", invoice_body(customer, DocNumber=operation))
            assert again.ok if code is None else code_of(again) == code

    def test_quickbooks_numbers_when_custom_numbers_are_off(self, us: Company) -> None:
        numbers = [us.invoice({"Id": "1"})["DocNumber"] for _ in range(3)]
        assert numbers == ["1001", "1002", "1003"]

    def test_number_sent_although_off_stays_and_may_be_a_double(self, us: Company) -> None:
        assert [us.invoice({"Id": "1"}, DocNumber="7")["DocNumber"] for _ in range(2)] == ["7", "7"]
        assert us.invoice({"Id": "1"})["DocNumber"] == "1001"


class TestClosedBooks:
    def test_nothing_changes_up_to_the_closing_date(self, us: Company) -> None:
        old = us.invoice({"Id": "1"}, TxnDate="2026-03-31")
        us.stand_in.control(
            "preferences", realm_id=US, preferences={"AccountingInfoPrefs": {"BookCloseDate": "2026-03-31"}}
        )
        assert us.read("preferences")["AccountingInfoPrefs"]["BookCloseDate"] == "2026-03-31"
        assert code_of(us.post("invoice", invoice_body({"Id": "1"}, TxnDate="2026-03-31"))) == "6210"
        key = {"Id": old["Id"], "SyncToken": "0"}
        assert code_of(us.post("invoice", key | {"sparse": True, "TxnDate": "2026-04-01"})) == "6210"
        assert code_of(us.post("invoice", key, operation="void")) == "6210"
        assert code_of(us.post("invoice", key, operation="delete")) == "6210"
        payment = {"CustomerRef": {"value": "1"}, "TotalAmt": 1, "TxnDate": "2026-03-01"}
        assert code_of(us.post("payment", payment)) == "6210"
        assert us.invoice({"Id": "1"}, TxnDate="2026-04-01")["TxnDate"] == "2026-04-01"


class TestCurrency:
    def test_another_currency_needs_multicurrency(self, us: Company) -> None:
        assert code_of(us.post("customer", {"DisplayName": "X", "CurrencyRef": {"value": "EUR"}})) == "6000"

    def test_of_an_invoice_is_that_of_the_customer(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(CurrencyPrefs={"MultiCurrencyEnabled": True})
        customer = company.customer(CurrencyRef={"value": "EUR"})
        assert customer["CurrencyRef"] == {"value": "EUR", "name": "Euro"}
        assert code_of(company.post("invoice", invoice_body(customer))) == "2020"
        assert code_of(company.post("invoice", invoice_body(customer, CurrencyRef={"value": "USD"}))) == "6000"
        made = company.invoice(customer, CurrencyRef={"value": "EUR"}, ExchangeRate=1.1)
        assert (made["HomeTotalAmt"], made["HomeBalance"], made["ExchangeRate"]) == (110.0, 110.0, 1.1)

    def test_of_a_customer_is_fixed(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(CurrencyPrefs={"MultiCurrencyEnabled": True})
        made = company.customer(CurrencyRef={"value": "EUR"})
        body = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "CurrencyRef": {"value": "USD"}}
        assert code_of(company.post("customer", body)) == "6000"


class TestOperations:
    def test_customers_are_not_deleted(self, us: Company) -> None:
        assert code_of(us.post("customer", {"Id": "1", "SyncToken": "0"}, operation="delete")) == "500"

    def test_tax_codes_are_read_only(self, us: Company) -> None:
        assert code_of(us.post("taxcode", {"Name": "X"})) == "500"

    @pytest.mark.parametrize("path", ["custmoer/1", "customer/1/pdf"])
    def test_path_that_does_not_exist(self, us: Company, path: str) -> None:
        assert code_of(us.get(path)) == "500"

    def test_companies_are_apart(self, stand_in: StandIn) -> None:
        us, de = stand_in.connect(US), stand_in.connect(DE)
        made = us.customer(DisplayName="Only here")
        assert de.found("select * from Customer where DisplayName = 'Only here'") == {}
        assert code_of(de.get(f"customer/{made['Id']}")) == "610"
