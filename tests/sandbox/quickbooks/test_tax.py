"""Tax as the stand-in computes it, over the API and in the pure arithmetic."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.quickbooks.posting import EXCLUDED, INCLUSIVE, NOT_APPLICABLE, Tax, post
from tests.sandbox.quickbooks.harness import Company, code_of, invoice_body, sales_line

TAXES = {"19": Tax("5", Decimal(19)), "7": Tax("6", Decimal(7))}


class TestUs:
    def test_line_without_a_code_is_exempt(self, us: Company) -> None:
        made = us.invoice({"Id": "1"})
        assert made["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
        assert made["TxnTaxDetail"] == {"TotalTax": 0}

    def test_taxable_line_as_recorded(self, us: Company) -> None:
        body = {"CustomerRef": {"value": "1"}, "Line": [sales_line(325.75, TaxCodeRef={"value": "TAX"})]}
        made = us.make("invoice", body)
        # Recorded on an estimate of QuickBooks' own sample company.
        assert made["TxnTaxDetail"] == {
            "TxnTaxCodeRef": {"value": "2"},
            "TotalTax": 26.06,
            "TaxLine": [
                {
                    "Amount": 26.06,
                    "DetailType": "TaxLineDetail",
                    "TaxLineDetail": {
                        "TaxRateRef": {"value": "3"},
                        "PercentBased": True,
                        "TaxPercent": 8,
                        "NetAmountTaxable": 325.75,
                    },
                }
            ],
        }
        assert made["TotalAmt"] == 351.81

    def test_other_codes_are_unknown(self, us: Company) -> None:
        body = {"CustomerRef": {"value": "1"}, "Line": [sales_line(1, TaxCodeRef={"value": "3"})]}
        assert code_of(us.post("invoice", body)) == "2500"

    def test_global_calculation_has_no_meaning(self, us: Company) -> None:
        assert "GlobalTaxCalculation" not in us.invoice({"Id": "1"}, GlobalTaxCalculation="TaxExcluded")


class TestGermany:
    def body(self, *lines: dict[str, Any], method: str | None = "TaxExcluded") -> dict[str, Any]:
        given = {"GlobalTaxCalculation": method} if method else {}
        return {"CustomerRef": {"value": "1"}, "Line": list(lines)} | given

    def test_every_line_needs_a_code(self, de: Company) -> None:
        taxed = sales_line(100, TaxCodeRef={"value": "3"})
        assert code_of(de.post("invoice", self.body(taxed, sales_line(1)))) == "6000"

    def test_calculation_must_be_said(self, de: Company) -> None:
        assert code_of(de.post("invoice", self.body(sales_line(1, TaxCodeRef={"value": "3"}), method=None))) == "2020"

    def test_unknown_code(self, de: Company) -> None:
        assert code_of(de.post("invoice", self.body(sales_line(1, TaxCodeRef={"value": "99"})))) == "2500"

    def test_standard_rate(self, de: Company) -> None:
        made = de.make("invoice", self.body(sales_line(100, TaxCodeRef={"value": "3"})))
        assert (made["TxnTaxDetail"]["TotalTax"], made["TotalAmt"], made["Balance"]) == (19.0, 119.0, 119.0)
        assert made["GlobalTaxCalculation"] == "TaxExcluded"
        assert made["CurrencyRef"] == {"value": "EUR", "name": "Euro"}

    def test_inclusive_keeps_the_gross(self, de: Company) -> None:
        made = de.make("invoice", self.body(sales_line(119, TaxCodeRef={"value": "3"}), method="TaxInclusive"))
        assert (made["Line"][0]["Amount"], made["TotalAmt"]) == (100.0, 119.0)
        assert made["Line"][0]["SalesItemLineDetail"]["TaxInclusiveAmt"] == 119.0

    def test_codes_can_be_read(self, de: Company) -> None:
        codes = de.found("select * from TaxCode where Active = true")["TaxCode"]
        assert [code["Name"] for code in codes] == ["19% VAT", "7% VAT", "0% VAT"]
        rate = codes[0]["SalesTaxRateList"]["TaxRateDetail"][0]["TaxRateRef"]["value"]
        assert de.read(f"taxrate/{rate}")["RateValue"] == 19


def line(amount: str, code: str | None = None, **more: Any) -> dict[str, Any]:
    detail = {"TaxCodeRef": {"value": code}} if code else {}
    return {"DetailType": "SalesItemLineDetail", "Amount": amount, "SalesItemLineDetail": detail} | more


def percent(value: str) -> dict[str, Any]:
    detail = {"PercentBased": True, "DiscountPercent": value}
    return {"DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}


class TestPost:
    @pytest.mark.parametrize(
        ("lines", "method", "tax", "total"),
        [
            ([line("0.03", "19")], EXCLUDED, "0.01", "0.04"),
            ([line("0.02", "19")], EXCLUDED, "0.00", "0.02"),
            # One rounding per rate, not per line: 3 x 0.0057 = 0.0171.
            ([line("0.03", "19")] * 3, EXCLUDED, "0.02", "0.11"),
            ([line("100.00", "19"), line("100.00", "7"), line("50.00")], EXCLUDED, "26.00", "276.00"),
            ([line("100.00", "19")], NOT_APPLICABLE, "0.00", "100.00"),
            ([line("10.00", "19")] * 3, INCLUSIVE, "4.80", "30.00"),
            ([line("-10.00", "19"), line("110.00", "19")], EXCLUDED, "19.00", "119.00"),
        ],
    )
    def test_totals(self, lines: list[dict[str, Any]], method: str, tax: str, total: str) -> None:
        posted = post(lines, TAXES, method)
        assert posted.tax_detail["TotalTax"] == tax
        assert posted.total == Decimal(total)

    def test_discount_after_or_before_tax(self) -> None:
        lines = [line("100.00", "19"), percent("10")]
        assert post(lines, TAXES).total == Decimal("109.00")
        assert post(lines, TAXES, discount_lowers_tax=True).total == Decimal("107.10")

    def test_lines_are_numbered_and_the_subtotal_made_anew(self) -> None:
        lines = [
            line("1.00", Id="4"),
            line("2.00"),
            {"DetailType": "SubTotalLineDetail", "Amount": "9.00"},
            percent("50"),
        ]
        posted = post(lines, {}, last_line_id=6)
        assert [(one.get("Id"), one.get("LineNum")) for one in posted.lines] == [
            ("4", 1),
            ("7", 2),
            (None, None),
            ("8", 3),
        ]
        assert posted.lines[2]["Amount"] == "3.00"
        assert posted.total == Decimal("1.50")


def test_discount_needs_the_preference(us: Company) -> None:
    us.stand_in.control("preferences", realm_id=us.realm_id, preferences={"SalesFormsPrefs": {"AllowDiscount": False}})
    body = invoice_body({"Id": "1"})
    assert code_of(us.post("invoice", body | {"Line": [*body["Line"], percent("10")]})) == "6000"
