"""One portal and its company file in a running stack: what people do there, over HTTP only.

Imports nothing of the product: what these tests see is what HubSpot, QuickBooks and a browser see.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests

from tools.books import Books
from tools.robot import TIMEOUT_S, Admin, Choices, Page, Stuck, wait_for
from tools.seed import Seeded, set_up
from tools.stack import Stack

_numbers = itertools.count(1)
AUTOMATIC = Choices("automatic", first_invoice_by_person=False)
APPROVAL = Choices("approval", first_invoice_by_person=True, draft_ahead_days="0")


@dataclass
class Office:
    """A portal with its people, deals and books."""

    stack: Stack
    hub_id: int
    realm_id: str
    admin: Admin
    books: Books
    lines: dict[str, list[str]] = field(default_factory=dict)
    companies: dict[str, list[str]] = field(default_factory=dict)

    @property
    def hubspot(self) -> str:
        return self.stack.url("hubspot")

    @property
    def quickbooks(self) -> str:
        return self.stack.url("quickbooks")

    def company(self, name: str, email: str | None = "billing@customer.example") -> tuple[str, str | None]:
        """Make a company and its billing contact; return both ids."""
        company = self._make("companies", {"name": name})
        contact = None
        if email is not None:
            contact = self._make("contacts", {"email": email, "firstname": "Bill", "lastname": "Payer"},
                                 [{"to_type": "companies", "to_id": company}])  # fmt: skip
        return company, contact

    def deal(self, name: str, company: tuple[str, str | None], lines: list[dict[str, str]], **properties: str) -> str:
        """Make an open deal of a company with line items; return its id."""
        company_id, contact_id = company
        linked = [{"to_type": "companies", "to_id": company_id, "type_id": 5}]
        linked += [{"to_type": "contacts", "to_id": contact_id}] if contact_id else []
        stage = {"pipeline": "default", "dealstage": "appointmentscheduled", "dealtype": "newbusiness"}
        deal = self._make("deals", {"dealname": name, **stage, **properties}, linked)
        self.companies[deal] = [company_id]
        self.lines[deal] = [
            self._make("line_items", line, [{"to_type": "deals", "to_id": deal}]) for line in lines
        ]  # fmt: skip
        return deal

    def move(self, deal: str, stage: str = "closedwon") -> None:
        """Drag a deal to another stage of the default pipeline."""
        self.change("deals", deal, dealstage=stage)

    def change(self, kind: str, record: str, **properties: str) -> None:
        """Edit a record as a person of the portal would."""
        self._post(f"{self.hubspot}/_sandbox/objects/{self.hub_id}/{kind}/{record}", {"properties": properties})

    def card(self, deal: str) -> dict[str, Any] | None:
        """Return a deal's card, or None while there is nothing to show."""
        status, answer = self.admin.fetch(f"/cards/v1/deals/{deal}/billing")
        assert status in (200, 404), answer
        return answer if status == 200 else None

    def company_card(self, company: str) -> dict[str, Any] | None:
        """Return a company's card, or None while there is nothing to show."""
        status, answer = self.admin.fetch(f"/cards/v1/companies/{company}/billing")
        assert status in (200, 404), answer
        return answer if status == 200 else None

    def wait_for_states(self, deal: str, *states: str) -> dict[str, Any]:
        """Wait until a deal's invoices are in these states, newest first; return the card."""

        def look() -> dict[str, Any] | None:
            card = self.card(deal)
            return card if card and [i["status"] for i in card["invoices"]] == list(states) else None

        try:
            return wait_for(f"invoices {states} of deal {deal}", look)
        except Stuck as stuck:
            raise Stuck(f"{stuck}; the card says {self.card(deal)}") from None

    def wait_for_problem(self, deal: str, words: str) -> dict[str, Any]:
        """Wait until a deal's card tells a problem with these words; return the problem."""

        def look() -> dict[str, Any] | None:
            card = self.card(deal)
            found = [p for p in card["problems"] if re.search(words, p["text"])] if card else []
            return found[0] if found else None

        return wait_for(f"a problem about {words!r}", look)

    def settle(self) -> None:
        """Wait until every event sent so far has been worked off: a deal won after them shows its problem."""
        probe = self.deal("Probe", self.company(f"Probe {next(_numbers)}"), [])
        self.move(probe)
        self.wait_for_problem(probe, "no line items")

    def approve(self, count: int = 1) -> None:
        """Approve what the console shows, once it shows that much."""
        wait_for(f"{count} drafts", lambda: len(self.shown(self.drafts().text)) >= count)
        self.approve_now()

    def approve_now(self) -> None:
        """Approve whatever the console shows at this moment."""
        page = self.drafts()
        self.admin.browser.submit(page, "/drafts/approve", draft=self.shown(page.text))

    @staticmethod
    def shown(page: str) -> list[str]:
        """Return `id:version` of every draft on the drafts page."""
        return list(dict.fromkeys(re.findall(r'name="draft"[^>]*value="(\d+:\d+)"', page)))

    def end_grant(self) -> None:
        """Disconnect Dealwright inside QuickBooks."""
        self._post(f"{self.quickbooks}/_sandbox/tokens", {"realm_id": self.realm_id, "end": "revoked"})

    def drafts(self) -> Page:
        """Open the drafts page."""
        return self.admin.browser.open(f"{self.admin.app}/drafts")

    def company_problems(self, deal: str) -> list[dict[str, Any]]:
        """Return the problems on the card of a deal's company."""
        for company in self.companies[deal]:
            card = self.company_card(company)
            return list(card["problems"]) if card else []
        return []

    def retry_all(self) -> None:
        """Press every retry button on the problems page."""
        page = self.admin.browser.open(f"{self.admin.app}/problems")
        for form in page.forms:
            if form.action.endswith("/retry"):
                self.admin.browser.submit(page, re.escape(form.action))

    def dump(self) -> dict[str, Any]:
        """Return the company file's books as they are."""
        answer = requests.get(f"{self.quickbooks}/_sandbox/books?realm_id={self.realm_id}", timeout=TIMEOUT_S)
        books: dict[str, Any] = answer.json(parse_float=Decimal)
        return books

    def order_fault(self, stand_in: str, **rule: Any) -> None:
        """Order a fault at a stand-in."""
        self._post(f"{self.stack.url(stand_in)}/_sandbox/faults", rule)

    def _make(self, kind: str, properties: dict[str, str], linked: list[dict[str, Any]] | None = None) -> str:
        body = {"hub_id": self.hub_id, "type": kind, "properties": properties, "associations": linked or []}
        return str(self._post(f"{self.hubspot}/_sandbox/objects", body)["id"])

    def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(url, json=body, timeout=TIMEOUT_S)
        assert answer.ok, f"{url} answered {answer.status_code}: {answer.text[:300]}"
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made


def open_office(stack: Stack, choices: Choices = AUTOMATIC) -> Office:
    """Make a portal and a company file, install, connect and choose, as an admin would in the browser."""
    number = next(_numbers)
    user = {"id": 9000 + number, "email": f"admin{number}@portal.example"}
    portal = {"name": f"Portal {number}", "timezone": "America/New_York", "currency": "USD", "user": user}
    made = requests.post(f"{stack.url('hubspot')}/_sandbox/portals", json=portal, timeout=TIMEOUT_S).json()
    company = {"name": f"Books {number}", "currency": "USD", "country": "US", "timezone": "America/New_York"}
    realm = requests.post(f"{stack.url('quickbooks')}/_sandbox/companies", json=company, timeout=TIMEOUT_S).json()
    seeded = Seeded(made["hub_id"], user["id"], user["email"], realm["realm_id"], choices)  # type: ignore[arg-type]  # ids are numbers
    admin = set_up(stack.env, seeded)
    return Office(stack, made["hub_id"], realm["realm_id"], admin, Books(stack.env, realm["realm_id"]))


def monthly(name: str = "Platform", quantity: str = "10", price: str = "100.00", term: str = "P12M") -> dict[str, str]:
    """Return a monthly line item."""
    return {"name": name, "quantity": quantity, "price": price, "recurringbillingfrequency": "monthly",
            "hs_recurring_billing_period": term}  # fmt: skip


def once(name: str = "Set-up", price: str = "2500.00") -> dict[str, str]:
    """Return a one-time line item."""
    return {"name": name, "quantity": "1", "price": price}
