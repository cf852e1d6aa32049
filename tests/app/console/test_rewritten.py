"""A draft that something rewrote says what changed, by what, and is looked at more closely."""

from __future__ import annotations

import pytest

from app.core.errors import Invalid
from app.invoices import editing
from app.invoices.editing import Wish
from tests import factories as make
from tests.app.console.browsing import Desk, words

REASON = "Two more for the audit"
TYPED = {"line": "0", "quantity": "12", "scope": "once", "reason": REASON}


def change(desk: Desk, draft: int, **form: str) -> None:
    version, _ = desk.stands(draft)
    assert desk.carla.sends(f"/drafts/{draft}/change", version=str(version), **(TYPED | form)).status_code == 303


def shown(desk: Desk, which: str) -> str:
    return words(desk.bob.opens(f"/drafts?show={which}"))


class TestDealEdited:
    def test_tells_the_nets_the_lines_and_that_hubspot_did_it(self, desk: Desk) -> None:
        march, _ = desk.wins()
        desk.edits_deal(price="110.00")

        page = words(desk.bob.opens(f"/drafts/{march}"))
        assert "This draft was rewritten The deal was edited in HubSpot." in page
        assert "It was over 1,000.00 USD and is now 1,100.00 USD." in page
        assert "Platform 1 Mar - 31 Mar 2027 1,000.00" in page

    def test_needs_a_closer_look_in_the_list(self, desk: Desk) -> None:
        desk.wins()
        assert "Rewritten" not in shown(desk, "all")
        desk.edits_deal(price="110.00")

        said = "Rewritten The deal was edited in HubSpot. 1,000.00 USD → 1,100.00 USD: Platform."
        assert shown(desk, "closer").count(said) == 2
        assert said not in shown(desk, "routine")

    def test_twice_tells_what_the_draft_was_at_first(self, desk: Desk) -> None:
        march, _ = desk.wins()
        desk.edits_deal(price="110.00")
        desk.edits_deal(price="120.00")

        assert "over 1,000.00 USD and is now 1,200.00 USD" in words(desk.bob.opens(f"/drafts/{march}"))

    def test_and_set_back_is_routine_again(self, desk: Desk) -> None:
        march, _ = desk.wins()
        desk.edits_deal(price="110.00")
        desk.edits_deal(price="100.00")

        assert "rewritten" not in words(desk.bob.opens(f"/drafts/{march}"))


class TestFromNowOn:
    def test_is_told_with_person_and_reason_on_the_other_drafts(self, desk: Desk) -> None:
        march, april = desk.wins()
        change(desk, march, scope="onwards")

        page = words(desk.bob.opens(f"/drafts/{april}"))
        assert "Changed from now on Platform : units 10 → 12, from 1 Mar 2027 on." in page
        assert f"“{REASON}” carla@northwind.example" in page
        assert "It was over 1,000.00 USD and is now 1,200.00 USD." in page
        listed = shown(desk, "closer")
        assert f"Changed from now on Platform, units 10 → 12, by carla@northwind.example: “{REASON}”" in listed

    def test_is_told_once_on_its_own_draft(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march, scope="onwards")

        page = words(desk.bob.opens(f"/drafts/{march}"))
        assert ("Changed by people" in page, "Changed from now on" in page) == (True, False)
        assert "rewritten" not in page

    def test_taken_back_leaves_nothing_to_tell(self, desk: Desk) -> None:
        march, april = desk.wins()
        change(desk, march, scope="onwards")
        version, _ = desk.stands(march)
        desk.carla.sends(f"/drafts/{march}/undo", version=str(version), edit="edit-1")

        page = words(desk.bob.opens(f"/drafts/{april}"))
        assert ("Changed from now on" in page, "rewritten" in page) == (False, False)


class TestEditBeforeTheDealChanged:
    SAID = "The deal was edited in HubSpot after this change was made."

    def test_is_told_to_who_approves(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march)
        page = words(desk.bob.opens(f"/drafts/{march}"))
        assert (self.SAID in page, "rewritten" in page) == (False, False)
        desk.edits_deal(price="110.00")

        assert self.SAID in words(desk.bob.opens(f"/drafts/{march}"))
        assert "Changed by hand before the deal changed" in shown(desk, "closer")

    def test_is_not_said_of_one_made_after_it(self, desk: Desk) -> None:
        march, _ = desk.wins()
        desk.edits_deal(price="110.00")
        change(desk, march)

        assert self.SAID not in words(desk.bob.opens(f"/drafts/{march}"))


class TestTwoEditors:
    def test_the_second_sees_what_the_first_did_and_overwrites_nothing_unseen(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march)
        late = {**TYPED, "quantity": "15", "reason": "Five more", "version": "1"}
        answer = desk.bob.sends(f"/drafts/{march}/change", **late)

        page = words(answer)
        assert answer.status_code == 409
        assert f"Changed the draft: units 10 → 12, on this invoice only (“{REASON}”) carla@northwind.example" in page
        assert "You had typed: units 15" in page
        assert 'name="version" value="2"' in answer.text
        assert 'name="quantity" inputmode="decimal" autocomplete="off" value="12"' in answer.text
        assert desk.bob.sends(f"/drafts/{march}/change", **late).status_code == 409
        assert desk.stands(march) == (2, 120_000)

    def test_pressing_again_as_it_is_shown_changes_nothing(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march)
        again = desk.bob.sends(f"/drafts/{march}/change", **(TYPED | {"version": "2", "discount_kind": "none"}))

        assert (again.status_code, desk.stands(march)) == (422, (2, 120_000))

    def test_a_change_that_was_taken_back_is_told_too(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march)
        desk.carla.sends(f"/drafts/{march}/undo", version="2", edit="edit-1")
        answer = desk.bob.sends(f"/drafts/{march}/change", **(TYPED | {"version": "2"}))

        assert "Took back a change of the draft" in words(answer)

    def test_a_deal_that_changed_is_told_too(self, desk: Desk) -> None:
        march, _ = desk.wins()
        desk.edits_deal(price="110.00")
        answer = desk.bob.sends(f"/drafts/{march}/change", **(TYPED | {"version": "1"}))

        assert "Wrote it anew over 1,100.00 USD, as what is due changed" in words(answer)

    def test_a_line_that_is_gone_leads_to_the_draft(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march)
        late = TYPED | {"version": "1", "item": "support", "start": "2027-03-01"}
        answer = desk.bob.sends(f"/drafts/{march}/change", **late)

        assert (answer.status_code, "Why it waits" in words(answer)) == (409, True)


class TestReason:
    @pytest.mark.parametrize(("reason", "said"), [("x" * 501, "has 501 characters; at most 500"), (" ", "Say why")])
    def test_that_can_not_be_kept_is_a_trouble_of_its_field(self, desk: Desk, reason: str, said: str) -> None:
        march, _ = desk.wins()
        answer = desk.carla.sends(f"/drafts/{march}/change", **(TYPED | {"version": "1", "reason": reason}))

        assert answer.status_code == 422
        assert said in answer.text.partition('id="trouble-reason">')[2].partition("</p>")[0]
        assert f'value="{reason}"' in answer.text
        assert desk.stands(march) == (1, 100_000)

    def test_of_the_most_characters_is_kept_whole(self, desk: Desk) -> None:
        march, _ = desk.wins()
        change(desk, march, reason="x" * 500)

        assert "x" * 500 in words(desk.bob.opens(f"/drafts/{march}"))

    def test_names_its_field(self, desk: Desk) -> None:
        march, _ = desk.wins()
        with desk.books(), pytest.raises(Invalid) as refused:
            editing.edit(make.actor(), march, 1, Wish(0, "once", "12", "", "", "x" * 501))
        assert refused.value.fields == {"field": "reason"}


class TestWording:
    def test_what_was_not_changed_is_said_once(self, desk: Desk) -> None:
        march, _ = desk.wins()
        answer = desk.carla.sends(f"/drafts/{march}/change", **(TYPED | {"version": "1", "quantity": "10"}))

        assert (answer.status_code, words(answer).count("Nothing was")) == (422, 1)
        selected = desk.carla.sends("/drafts/approve", key="k" * 20)
        assert words(selected).count("Nothing was") == 1
