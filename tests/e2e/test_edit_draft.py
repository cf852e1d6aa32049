"""Finance changes a draft before it goes out, and answers an edit of a deal: in a browser, and read in the books."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.office import Office, monthly, once
from tests.e2e.test_browser import SIZES, barriers, sign_in
from tools.robot import wait_for

REASON = "Two more seats for the audit"


@pytest.fixture
def deal(careful: Office) -> str:
    """A won deal whose first invoice waits as a draft: 1,000.00 of Platform and a set-up fee."""
    deal = careful.deal("Acme - Platform", careful.company("Acme Inc"), [monthly(), once()])
    careful.move(deal)
    careful.wait_for_states(deal, "draft")
    return deal


def open_draft(page: Page, office: Office) -> None:
    sign_in(page, office)
    page.goto(f"{office.admin.app}/drafts")
    page.get_by_role("link", name="Acme Inc").first.click()


class TestThisInvoiceOnly:
    def test_is_typed_with_the_keyboard_alone_and_goes_out_as_shown(
        self, page: Page, careful: Office, deal: str
    ) -> None:
        open_draft(page, careful)
        page.get_by_role("link", name="Change Platform").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Updated units")).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type("12")
        for _ in range(4):
            page.keyboard.press("Tab")
        expect(page.get_by_label("Reason")).to_be_focused()
        page.keyboard.type(REASON)
        page.keyboard.press("Enter")
        changes = page.get_by_role("region", name="Changed by people")
        expect(changes).to_contain_text("units 10 → 12, on this invoice only")
        expect(changes).to_contain_text("1,000.00 → 1,200.00 USD")
        expect(changes).to_contain_text(REASON)
        expect(changes).to_contain_text(careful.admin.email)
        page.get_by_role("button", name="Approve 3,700.00 USD").click()
        card = careful.wait_for_states(deal, "sent")
        assert (card["invoices"][0]["total"], card["next_charge"]["amount"]) == ("3700.00", "1000.00")
        (invoice,) = careful.dump()["invoices"]
        assert sorted(line["Amount"] for line in invoice["Line"] if "SalesItemLineDetail" in line) == [1200, 2500]
        page.goto(f"{careful.admin.app}/invoices")
        page.get_by_role("link", name="1001", exact=True).click()
        expect(page.get_by_role("region", name="Changed by people")).to_contain_text(REASON)

    def test_can_be_taken_back(self, page: Page, careful: Office, deal: str) -> None:
        open_draft(page, careful)
        page.get_by_role("link", name="Change Set-up").click()
        page.get_by_label("Discount", exact=True).select_option(label="Percent off")
        page.get_by_label("How much").fill("10")
        page.get_by_label("Reason").fill("Agreed on the phone")
        page.get_by_role("button", name="Change the draft").click()
        expect(page.get_by_role("button", name="Approve 3,250.00 USD")).to_be_visible()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_role("button", name="Approve 3,500.00 USD")).to_be_visible()
        expect(page.get_by_role("region", name="Changed by people")).to_have_count(0)

    def test_keeps_what_was_typed_when_it_can_not_be_read(self, chromium: Browser, careful: Office, deal: str) -> None:
        shown = chromium.new_context(java_script_enabled=False).new_page()
        open_draft(shown, careful)
        shown.get_by_role("link", name="Change Platform").click()
        shown.get_by_label("Updated units").fill("a dozen")
        shown.get_by_label("Reason").fill(REASON)
        shown.get_by_role("button", name="Change the draft").click()
        expect(shown.get_by_role("alert")).to_contain_text("Write the units as a plain number")
        expect(shown.get_by_label("Updated units")).to_have_value("a dozen")
        expect(shown.get_by_label("Reason")).to_have_value(REASON)
        shown.context.close()


class TestFromNowOn:
    def test_changes_what_comes_next_too(self, page: Page, careful: Office, deal: str) -> None:
        open_draft(page, careful)
        page.get_by_role("link", name="Change Platform").click()
        page.get_by_label("Updated units").fill("12")
        page.get_by_label("From now on").check()
        page.get_by_label("Reason").fill("Amendment 1, signed")
        page.get_by_role("button", name="Change the draft").click()
        page.get_by_role("button", name="Approve 3,700.00 USD").click()
        card = careful.wait_for_states(deal, "sent")
        assert card["next_charge"]["amount"] == "1200.00"


class TestApprovalOfTheVersionBefore:
    def test_is_refused(self, page: Page, careful: Office, deal: str) -> None:
        before = careful.drafts()
        shown = careful.shown(before.text)
        open_draft(page, careful)
        page.get_by_role("link", name="Change Platform").click()
        page.get_by_label("Updated units").fill("12")
        page.get_by_label("Reason").fill(REASON)
        page.get_by_role("button", name="Change the draft").click()
        expect(page.get_by_role("button", name="Approve 3,700.00 USD")).to_be_visible()
        answer = careful.admin.browser.submit(before, "/drafts/approve", draft=shown)
        assert "changed since you saw it" in answer.text
        assert careful.dump()["invoices"] == []


class TestEditOfTheDealAfterBilling:
    @pytest.mark.parametrize(
        ("button", "next_charge"), [("Bill the lower amount", "800.00"), ("Keep the agreed amount", "1000.00")]
    )
    def test_for_less_is_answered_with_a_button(
        self, page: Page, careful: Office, deal: str, button: str, next_charge: str
    ) -> None:
        careful.approve()
        careful.wait_for_states(deal, "sent")
        careful.change("line_items", careful.lines[deal][0], quantity="8")
        careful.wait_for_problem(deal, "less than agreed")
        sign_in(page, careful)
        page.goto(f"{careful.admin.app}/problems")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_contain_text("Answered")
        card = wait_for("the next charge", lambda: (careful.card(deal) or {}).get("next_charge"))
        assert card["amount"] == next_charge
        assert careful.card(deal)["problems"] == []  # type: ignore[index]  # there is a card

    def test_for_more_counts_from_the_next_period_without_asking(self, careful: Office, deal: str) -> None:
        careful.approve()
        careful.wait_for_states(deal, "sent")
        careful.change("line_items", careful.lines[deal][0], quantity="12")

        def raised() -> bool:
            card = careful.card(deal)
            return card is not None and (card["next_charge"] or {}).get("amount") == "1200.00"

        wait_for("the next charge", raised)
        assert careful.card(deal)["problems"] == []  # type: ignore[index]  # there is a card
        assert len(careful.dump()["invoices"]) == 1


class TestThePages:
    @pytest.mark.parametrize(("width", "height"), SIZES)
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_of_a_change_fit_their_window_and_keep_nobody_out(
        self, chromium: Browser, careful: Office, deal: str, width: int, height: int, scheme: str
    ) -> None:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
        shown = context.new_page()
        open_draft(shown, careful)
        shown.get_by_role("link", name="Change Platform").click()
        expect(shown.get_by_label("Updated units")).to_be_focused()
        self.check(shown)
        shown.get_by_label("Updated units").fill("1" * 26)
        shown.get_by_label("Reason").fill("w" * 120)
        shown.get_by_role("button", name="Change the draft").click()
        expect(shown.get_by_role("alert")).to_contain_text("can't be billed so")
        self.check(shown)
        shown.get_by_label("Updated units").fill("12.5")
        shown.get_by_role("button", name="Change the draft").click()
        expect(shown.get_by_role("region", name="Changed by people")).to_be_visible()
        self.check(shown)
        context.close()

    def check(self, shown: Page) -> None:
        assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), shown.url
        assert shown.locator("h1").count() == 1, shown.url
        assert barriers(shown) == [], shown.url
