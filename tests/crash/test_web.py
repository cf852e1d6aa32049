"""The web process is killed in the middle of a webhook: the provider sends it again, and nothing is lost or doubled."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import requests

from tests.crash.harness import Case, Ground, wait_until
from tests.crash.outcome import assert_exactly_once
from tests.factories import ZONE
from tools.seed import NORTHWIND, set_up

PLATFORM = {
    "name": "Platform", "quantity": "10", "price": "100.00", "recurringbillingfrequency": "monthly",
    "hs_recurring_billing_period": "P12M",
}  # fmt: skip
SET_UP = {"name": "Set-up", "quantity": "1", "price": "2500.00"}


class Rep:
    """A portal on HubSpot's own site, with one deal that is about to be won."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        user = {"id": NORTHWIND.user_id, "email": NORTHWIND.email}
        self.hub_id = int(
            ground.control("hubspot", "portals", name="Northwind", timezone=ZONE, currency="USD", user=user)["hub_id"]
        )
        company = self._make("companies", {"name": "Acme Inc", "domain": "acme.example"})
        contact = self._make("contacts", {"email": "billing@acme.example", "firstname": "Wile", "lastname": "Carter"})
        today = datetime.now(ZoneInfo(ZONE)).replace(hour=12).isoformat()
        deal = {"dealname": "Acme - Platform", "dealstage": "contractsent", "closedate": today}
        linked = [("companies", company), ("contacts", contact)]
        self.deal_id = self._make("deals", deal, linked)
        for line in (PLATFORM, SET_UP):
            self._make("line_items", line, [("deals", self.deal_id)])

    def install(self) -> Case:
        """Install and connect as an admin does, by the pages; return the case of the deal."""
        ground, realm_id = self._ground, self._ground.company()
        # Fully automatic, as the sandbox's first portal.
        portal = replace(NORTHWIND, hub_id=self.hub_id, realm_id=realm_id)
        set_up(ground.stack.env, portal, income_account="79")
        ours = ground.rows("SELECT id FROM portal WHERE hubspot_portal_id = %s", self.hub_id)
        return ground.case_of(ours[0]["id"], realm_id)

    def win(self) -> None:
        """Drag the deal to Closed Won."""
        url = f"{self._ground.stack.url('hubspot')}/portals/{self.hub_id}/deals/{self.deal_id}/stage"
        requests.post(url, data={"stage": "closedwon"}, timeout=10).raise_for_status()

    def _make(self, type_: str, properties: dict[str, str], linked: list[tuple[str, str]] | None = None) -> str:
        ends = [{"to_type": to_type, "to_id": to_id} for to_type, to_id in linked or []]
        made = self._ground.control(
            "hubspot", "objects", hub_id=self.hub_id, type=type_, properties=properties, associations=ends
        )
        return str(made["id"])


@contextmanager
def _blocked(ground: Ground, table: str) -> Iterator[None]:
    """Nobody can write to a table meanwhile; who tries waits inside its transaction."""
    with psycopg.connect(ground.database.superuser_url) as connection:
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def _waits_for(ground: Ground, table: str) -> bool:
    return bool(
        ground.rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE %s AND datname = %s",
            f"insert into {table}%",
            ground.database.name,
        )
    )


def _kill_web(ground: Ground) -> None:
    ground.stack.kill("web")
    ground.stack.clear("web")


def _inbox(ground: Ground, case: Case, kind: str) -> list[dict[str, Any]]:
    statement = "SELECT id FROM inbox_event WHERE portal_id = %s AND kind ILIKE %s"
    return ground.rows(statement, case.portal_id, kind)


@pytest.fixture
def rep(ground: Ground) -> Rep:
    """A rep in a portal of their own."""
    ground.control("quickbooks", "settings", requestid="forget")
    return Rep(ground)


def test_exactly_once_when_web_dies_before_it_stored_a_webhook(ground: Ground, rep: Rep) -> None:
    case = rep.install()
    with _blocked(ground, "inbox_event"):
        rep.win()
        wait_until("the webhook to be written", lambda: _waits_for(ground, "inbox_event"))
        _kill_web(ground)
    assert not _inbox(ground, case, "deal.propertyChange")
    ground.stack.start("web")
    ground.settle(case)
    assert_exactly_once(ground, case)


def test_exactly_once_when_web_dies_after_it_stored_a_webhook_and_before_it_answered(ground: Ground, rep: Rep) -> None:
    case = rep.install()
    ground.stack.kill("valkey", signal.SIGSTOP)  # the ring after the commit waits for it
    try:
        rep.win()
        wait_until("the webhook to be stored", lambda: _inbox(ground, case, "deal.propertyChange"))
        _kill_web(ground)
    finally:
        ground.stack.kill("valkey", signal.SIGCONT)
    ground.stack.start("web")
    ground.settle(case)
    assert_exactly_once(ground, case)


def test_a_payment_is_seen_once_when_web_dies_in_its_webhook(ground: Ground) -> None:
    ground.control("quickbooks", "settings", requestid="forget")
    case = ground.case()
    ground.win(case)
    ground.settle(case)
    assert_exactly_once(ground, case)
    # So that the webhook in whose middle web dies is the payment's.
    wait_until("the last webhook of the delivery", lambda: _inbox(ground, case, "qbo.invoice.emailed%"))
    invoice_id = ground.books(case)["invoices"][0]["Id"]
    with _blocked(ground, "inbox_event"):
        ground.control("quickbooks", "payments", realm_id=case.realm_id, invoice_id=invoice_id)
        wait_until("the webhook to be written", lambda: _waits_for(ground, "inbox_event"))
        _kill_web(ground)
    assert not _inbox(ground, case, "qbo.payment%")
    ground.stack.start("web")
    wait_until("the payment to be read", lambda: _are_done(ground, case, "quickbooks.read_payment"))
    wait_until("the invoice to be read", lambda: _are_done(ground, case, "quickbooks.read_invoice"))
    invoices = ground.rows("SELECT state, balance_minor FROM invoice WHERE portal_id = %s", case.portal_id)
    assert [(row["state"], row["balance_minor"]) for row in invoices] == [("paid", 0)]
    applied = ground.rows("SELECT amount_minor FROM payment_applied WHERE portal_id = %s", case.portal_id)
    assert [row["amount_minor"] for row in applied] == [case.net_minor]


def _are_done(ground: Ground, case: Case, kind: str) -> bool:
    return [row["state"] for row in ground.work(case, kind)] == ["done"]
