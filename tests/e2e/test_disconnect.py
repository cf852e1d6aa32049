"""An admin ends the QuickBooks connection and takes it up again; nothing is lost and nothing goes twice."""

from __future__ import annotations

from tests.e2e.office import Office, monthly
from tools.robot import wait_for


def test_what_waited_while_disconnected_goes_once_after_connecting_again(office: Office) -> None:
    settings = office.admin.browser.open(f"{office.admin.app}/settings")
    office.admin.browser.submit(settings, "/settings/disconnect")
    deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()])
    office.move(deal)
    office.wait_for_problem(deal, "QuickBooks is not connected")
    assert office.dump()["invoices"] == []
    office.admin.connect_quickbooks(office.realm_id)
    office.wait_for_states(deal, "sent")
    wait_for("the problem to close", lambda: office.card(deal)["problems"] == [])  # type: ignore[index]  # there is a card
    assert len(office.dump()["invoices"]) == len(office.dump()["mails"]) == 1
