"""The billing choices, and a credit note's page."""

from __future__ import annotations

import pytest

from app.access import actions
from app.core.db import db
from app.invoices.models import Invoice
from app.portals import queries as portals
from tests import factories as make
from tests.app.console.browsing import Desk, words

CHOICES = {"invoice_mode": "approval", "draft_ahead_days": "31", "net_days": "30"}
BOX = '<input type="checkbox" id="carry" name="carry_changes" value="1"'


def is_ticked(text: str) -> bool:
    assert text.count(BOX) == 1
    return " checked" in text.partition(BOX)[2].partition(">")[0]


def is_carried(desk: Desk) -> bool:
    with desk.books():
        return portals.current().carry_changes


class TestCarryChanges:
    def test_is_shown_saved_and_taken_away_again(self, desk: Desk) -> None:
        assert not is_ticked(desk.carla.opens("/settings").text)
        assert desk.carla.sends("/settings/billing", carry_changes="1", **CHOICES).status_code == 303
        assert (is_carried(desk), is_ticked(desk.bob.opens("/settings").text)) == (True, True)
        assert desk.carla.sends("/settings/billing", **CHOICES).status_code == 303
        assert (is_carried(desk), is_ticked(desk.bob.opens("/settings").text)) == (False, False)

    @pytest.mark.parametrize("ticked", [{"carry_changes": "1"}, {}])
    def test_stays_as_typed_when_another_choice_is_refused(self, desk: Desk, ticked: dict[str, str]) -> None:
        before = {} if ticked else {"carry_changes": "1"}
        desk.carla.sends("/settings/billing", **CHOICES, **before)
        answer = desk.carla.sends("/settings/billing", **(CHOICES | {"net_days": "soon"}), **ticked)

        assert (answer.status_code, is_ticked(answer.text)) == (422, bool(ticked))
        assert is_carried(desk) == bool(before)


class TestCreditNote:
    @pytest.mark.parametrize(("state", "path"), [("draft", "drafts"), ("approved", "invoices")])
    @pytest.mark.parametrize(("kind", "is_due"), [("invoice", True), ("credit_note", False)])
    def test_is_never_due(self, desk: Desk, state: str, path: str, kind: str, is_due: bool) -> None:
        march, _ = desk.wins()
        with desk.books():
            invoice = db.session.get_one(Invoice, march)
            invoice.kind, invoice.state, invoice.due_on = kind, state, make.TODAY

        assert ("<dt>Due</dt>" in desk.bob.opens(f"/{path}/{march}").text) == is_due

    def test_has_no_due_date_in_the_list(self, desk: Desk) -> None:
        march, _ = desk.wins()
        with desk.books():
            invoice = db.session.get_one(Invoice, march)
            invoice.kind, invoice.state = "credit_note", "approved"

        assert '<td class="c-due"></td>' in desk.bob.opens("/invoices").text


class TestSignIn:
    def test_says_what_the_link_does(self, desk: Desk) -> None:
        with desk.books():
            person = portals.person_by_email("bob@northwind.example")
            assert person is not None
            token = actions.make_link(person)
        page = desk.app.test_client().get(f"/signin?token={token}")

        assert "This link signs you in a single time, within a minute" in page.text
        assert "works once and for" not in words(page)
