"""The control API, the seeded companies, and the state across a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.quickbooks.app import create_app
from sandbox.quickbooks.settings import Settings, read
from tests.sandbox.quickbooks.harness import CLIENT, DE, REDIRECT, US, Company, StandIn


class TestSeed:
    def test_companies(self, stand_in: StandIn) -> None:
        companies = {one["realm_id"]: one for one in stand_in.look("companies")["companies"]}
        us, de = companies[US], companies[DE]
        assert (us["name"], us["country"], us["currency"]) == ("Northwind Software Inc", "US", "USD")
        assert (de["name"], de["country"], de["currency"]) == ("Alpenglow GmbH", "DE", "EUR")
        assert (us["timezone"], de["timezone"]) == ("America/New_York", "Europe/Berlin")
        assert us["connected"] is de["connected"] is False

    @pytest.mark.parametrize("realm_id", [US, DE])
    def test_lists_have_the_promised_ids(self, stand_in: StandIn, realm_id: str) -> None:
        company = stand_in.connect(realm_id)
        assert company.read("account/79")["Name"] == "Sales of Product Income"
        assert company.read("account/1")["Name"] == "Services"
        assert company.read("term/3")["DueDays"] == 30
        assert company.read("term/1")["DueDays"] == 0
        assert company.read("item/1")["Type"] == "Service"
        assert company.found("select count(*) from Customer") == {"totalCount": 1}
        assert company.found("select count(*) from Vendor") == {"totalCount": 1}
        info = company.read(f"companyinfo/{realm_id}")
        assert info["Id"] == "1"
        assert info["DefaultTimeZone"] == ("America/New_York" if realm_id == US else "Europe/Berlin")


class TestCompanies:
    def test_new_one_has_its_preferences_and_no_customer(self, stand_in: StandIn) -> None:
        company = stand_in.new_company(country="FR", currency="EUR", SalesFormsPrefs={"CustomTxnNumbers": True})
        preferences = company.read("preferences")
        assert preferences["SalesFormsPrefs"]["CustomTxnNumbers"] is True
        assert preferences["SalesFormsPrefs"]["AllowDiscount"] is True
        assert preferences["CurrencyPrefs"]["HomeCurrency"] == {"value": "EUR"}
        assert company.found("select * from Customer") == {}

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("companies", {"name": "X", "currency": "USD", "country": "US", "timezone": "Mars"}),
            ("companies", {"name": "X", "currency": "USD", "country": "US", "timezone": "UTC", "realm_id": US}),
            ("companies", {"currency": "USD"}),
            ("settings", {"requestid": "maybe"}),
            ("settings", {"colour": "red"}),
            ("payments", {"realm_id": "1", "invoice_id": "1"}),
            ("payments", {"realm_id": US, "invoice_id": "999"}),
            ("tokens", {"realm_id": US, "end": "soon"}),
            ("merge", {"realm_id": US, "kept": "1", "gone": "1"}),
        ],
    )
    def test_what_makes_no_sense_is_400(self, stand_in: StandIn, path: str, body: dict[str, Any]) -> None:
        response = stand_in.session.post(f"{stand_in.base}/_sandbox/{path}", json=body)
        assert response.status_code == 400
        assert response.json()["error"]


class TestBooks:
    def test_dump_is_what_the_api_shows(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        us.pay(invoice, 4)
        dump = us.stand_in.look("books", realm_id=US)
        assert list(dump) == ["customers", "items", "invoices", "payments", "mails"]
        assert dump["invoices"] == [us.read(f"invoice/{invoice['Id']}")]
        assert dump["payments"][0]["Line"][0]["LinkedTxn"] == [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]

    def test_payment_by_hand_takes_the_balance(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        payment = us.stand_in.control("payments", realm_id=US, invoice_id=invoice["Id"])
        assert payment["TotalAmt"] == 10.0
        response = us.stand_in.session.post(
            f"{us.stand_in.base}/_sandbox/payments", json={"realm_id": US, "invoice_id": invoice["Id"]}
        )
        assert response.status_code == 400


class TestState:
    def settings(self) -> Settings:
        return Settings(0, *CLIENT, redirect_urls=(REDIRECT,), webhook_url="", verifier_token="v")

    def test_survives_a_restart(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SANDBOX_STATE_DIR", str(tmp_path))
        first = create_app(self.settings())
        with first.extensions["quickbooks"].books(US) as books:
            books.mails.append({"n": 1})
        first.extensions["quickbooks"].grants.consent(US, REDIRECT, "s")
        first.extensions["kit"].store.close()
        second = create_app(self.settings())
        with second.extensions["quickbooks"].books(US) as books:
            assert books.mails == [{"n": 1}]
        assert len(second.extensions["kit"].store.data["grants"]) == 1
        second.extensions["kit"].store.close()

    def test_everything_kept_is_json(self, us: Company) -> None:
        invoice = us.invoice({"Id": "1"}, "10.10", CustomField=[{"DefinitionId": "1", "Number": 1.5}], ExchangeRate=1.5)
        us.pay(invoice, 3.3)
        us.stand_in.control("settings", work_s=0.25)
        us.stand_in.control("preferences", realm_id=US, preferences={"OtherPrefs": {"Number": 0.5}})
        data = us.stand_in.app.extensions["kit"].store.data
        assert json.loads(json.dumps(data)) == data

    def test_settings_come_from_the_environment(self) -> None:
        environment = {
            "SANDBOX_QUICKBOOKS_PORT": "9",
            "SANDBOX_QUICKBOOKS_CLIENT_ID": "id",
            "SANDBOX_QUICKBOOKS_CLIENT_SECRET": "secret",
            "SANDBOX_QUICKBOOKS_REDIRECT_URLS": "http://localhost/a, http://localhost/b",
            "SANDBOX_QUICKBOOKS_WEBHOOK_URL": "http://localhost/w",
            "SANDBOX_QUICKBOOKS_VERIFIER_TOKEN": "v",
            "SANDBOX_FAST": "1",
        }
        settings = read(environment)
        assert settings.redirect_urls == ("http://localhost/a", "http://localhost/b")
        assert settings.retry_gaps_s[:4] == (0, 0.1, 0.2, 0.3)
        assert read({}).retry_gaps_s[:7] == (0, 10, 20, 30, 300, 1200, 7200)
