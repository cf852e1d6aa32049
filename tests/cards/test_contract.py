"""The card's answer in every state, held as files in cards/contract/ that the card's own code is built against.

After a change that is meant, `REGENERATE_GOLDENS=1 python -m pytest tests/cards/test_contract.py` rewrites them; the
rewrite is reviewed as a diff.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.schemas import BillingSchema
from tests.app.core.signed import as_card
from tests.cards.books import COMPANY, DEAL, STATES, Books
from tests.conftest import ROOT, Tenant

FOLDER = ROOT / "cards" / "contract"
AS_OF = "2026-06-15T09:00:00+00:00"
PLACES = {"company": f"/cards/v1/companies/{COMPANY}/billing", "deal": f"/cards/v1/deals/{DEAL}/billing"}
NAMES = [f"{place}-{state}" for place in PLACES for state in (*STATES, "nothing-yet")]
SetBooks = Callable[[Callable[[Books], None]], None]


def golden(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return what the file says; writes it first when that is asked for."""
    path = FOLDER / f"{name}.json"
    if os.environ.get("REGENERATE_GOLDENS") == "1":
        path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


class TestAnswer:
    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("place", PLACES)
    def test_is_as_written_and_matches_the_schema(
        self, client: FlaskClient, tenant: Tenant, set_books: SetBooks, place: str, state: str
    ) -> None:
        set_books(STATES[state])
        answer = as_card(client, PLACES[place], tenant.hub_id)
        assert answer.status_code == 200
        assert answer.content_type == "application/json"
        body = answer.json
        assert body is not None
        assert BillingSchema().validate(body) == {}
        assert len(body["as_of"]) == len(AS_OF)
        body["as_of"] = AS_OF
        assert body == golden(f"{place}-{state}", body)

    @pytest.mark.parametrize("place", PLACES)
    def test_is_404_as_written_while_nothing_was_won(self, client: FlaskClient, tenant: Tenant, place: str) -> None:
        answer = as_card(client, PLACES[place], tenant.hub_id)
        assert answer.status_code == 404
        assert answer.json is not None
        assert answer.json == golden(f"{place}-nothing-yet", answer.json)

    def test_folder_holds_nothing_else(self) -> None:
        assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES)

    @pytest.mark.parametrize("name", NAMES)
    def test_never_has_an_amount_as_a_number_that_a_browser_would_round(self, name: str) -> None:
        numbers: list[float] = []

        def note(text: str) -> float:
            numbers.append(float(text))
            return float(text)

        json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"), parse_float=note)
        assert numbers == []


class TestMeaning:
    """What the files must say whoever rewrites them."""

    def body(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        return told

    @pytest.mark.parametrize(
        ("name", "tone", "open_", "overdue"),
        [
            ("company-paid", "success", "0.00", "0.00"),
            ("company-open", "info", "1200.00", "0.00"),
            ("company-partly-paid", "info", "700.50", "0.00"),
            ("company-overdue", "danger", "1200.00", "1200.00"),
            ("company-draft-waiting", "info", "0.00", "0.00"),
            ("company-problem", "warning", "0.00", "0.00"),
            ("company-reconnect-needed", "danger", "1200.00", "1200.00"),
            ("company-quickbooks-not-connected", "warning", "0.00", "0.00"),
        ],
    )
    def test_totals_and_tone(self, name: str, tone: str, open_: str, overdue: str) -> None:
        body = self.body(name)
        assert body["status"]["tone"] == tone
        assert body["totals"] == [{"currency": "USD", "open": open_, "overdue": overdue}]

    def test_next_charge_is_the_month_after_the_last_that_was_billed(self) -> None:
        charge = self.body("company-paid")["next_charge"]
        assert (charge["date"], charge["amount"], charge["currency"]) == ("2026-07-15", "1200.00", "USD")
        assert "10" in charge["why"]

    def test_overdue_is_told_in_days_and_an_invoice_due_today_is_not_overdue(self) -> None:
        (late, _) = self.body("company-overdue")["invoices"]
        assert (late["overdue"], late["status_text"]) == (True, "Sent, overdue by 21 days")
        assert not any(invoice["overdue"] for invoice in self.body("company-open")["invoices"])

    def test_currencies_are_never_added_up_and_the_portals_own_comes_first(self) -> None:
        assert self.body("company-several-currencies")["totals"] == [
            {"currency": "USD", "open": "1200.00", "overdue": "0.00"},
            {"currency": "EUR", "open": "995.00", "overdue": "995.00"},
            {"currency": "JPY", "open": "50000", "overdue": "0"},
        ]

    def test_deal_tells_of_its_own_invoices_only(self) -> None:
        assert [invoice["number"] for invoice in self.body("deal-several-currencies")["invoices"]] == ["1001"]
        assert len(self.body("company-several-currencies")["invoices"]) == 3

    def test_problems_say_who_can_fix_them(self) -> None:
        assert [problem["who"] for problem in self.body("deal-problem")["problems"]] == ["sales", "finance"]
        assert self.body("company-reconnect-needed")["connections"] == {
            "hubspot": "connected",
            "quickbooks": "needs_reconnect",
        }

    def test_links_lead_to_the_invoice_in_quickbooks_once_it_is_there(self) -> None:
        invoices = self.body("company-draft-waiting")["invoices"]
        assert [invoice["url"] is None for invoice in invoices] == [True, False, False]
        assert invoices[1]["url"].endswith("/app/invoice?txnId=51002")
