"""What people see and press, in a real Chromium against the running stack."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.office import Office, monthly, once

SIZES = ((1440, 900), (390, 844), (320, 700))
PAGES = ("/", "/drafts", "/invoices", "/problems", "/settings")


def sign_in(page: Page, office: Office) -> None:
    page.goto(office.admin.signin_link())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


class TestRep:
    def test_drags_a_deal_to_closed_won_and_sees_its_invoice_on_the_record(self, page: Page, office: Office) -> None:
        company = office.company("Acme Inc")
        deal = office.deal("Acme - Platform", company, [monthly(), once()])
        page.goto(f"{office.hubspot}/portals/{office.hub_id}/board")
        card, column = page.locator(f'[data-deal="{deal}"]'), page.locator('[data-stage="closedwon"]')
        card.drag_to(column)
        expect(column.locator(f'[data-deal="{deal}"]')).to_be_visible()
        office.wait_for_states(deal, "sent")
        page.goto(f"{office.hubspot}/portals/{office.hub_id}/companies/{company[0]}")
        expect(page.get_by_text("3,500.00 USD is open")).to_be_visible()

    def test_wins_a_deal_with_the_keyboard_alone(self, page: Page, office: Office) -> None:
        deal = office.deal("Acme - Platform", office.company("Acme Inc"), [monthly()], dealstage="contractsent")
        page.goto(f"{office.hubspot}/portals/{office.hub_id}/board")
        page.locator(f'[data-deal="{deal}"]').focus()
        page.keyboard.press("ArrowRight")
        office.wait_for_states(deal, "sent")

    def test_opens_the_console_from_the_record_by_a_link_that_works_once(self, page: Page, office: Office) -> None:
        company = office.company("Acme Inc")
        office.move(office.deal("Acme - Platform", company, [monthly()]))
        page.goto(f"{office.hubspot}/portals/{office.hub_id}/companies/{company[0]}")
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Open Dealwright").click()
        console = opened.value
        link = console.url
        console.get_by_role("button", name="Sign in").click()
        expect(console.get_by_role("heading", level=1)).to_have_text("Today")
        page.context.clear_cookies()
        console.goto(link)
        expect(console.get_by_text("used already")).to_be_visible()


class TestFinance:
    def test_approves_what_was_shown_with_the_keyboard_and_sees_it_sent(self, page: Page, careful: Office) -> None:
        deal = careful.deal("Acme - Platform", careful.company("Acme Inc"), [monthly(), once()])
        careful.move(deal)
        careful.wait_for_states(deal, "draft")
        sign_in(page, careful)
        page.get_by_role("navigation").get_by_role("link", name="Drafts").click()
        expect(page.get_by_text("Acme Inc").first).to_be_visible()
        for key in ("j", "x", "a"):
            page.keyboard.press(key)
        careful.wait_for_states(deal, "sent")
        page.goto(f"{careful.admin.app}/invoices")
        expect(page.get_by_role("row").filter(has_text="Acme Inc")).to_contain_text("3,500.00")

    def test_reads_every_line_with_its_reason(self, page: Page, careful: Office) -> None:
        deal = careful.deal("Acme - Platform", careful.company("Acme Inc"), [monthly(), once()])
        careful.move(deal)
        careful.wait_for_states(deal, "draft")
        sign_in(page, careful)
        page.goto(f"{careful.admin.app}/drafts")
        page.get_by_role("link", name="Acme Inc").first.click()
        expect(page.get_by_text("10 x 100.00 a month")).to_be_visible()


class TestEveryPage:
    @pytest.mark.parametrize(("width", "height"), SIZES)
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fits_its_window_and_says_what_it_is(
        self, chromium: Browser, careful: Office, width: int, height: int, scheme: str
    ) -> None:
        deal = careful.deal(
            "A deal with quite a long name - Platform, Support and Onboarding, second amendment",
            careful.company("Donaudampfschifffahrtsgesellschaft und Partner Holding International GmbH"),
            [monthly("Enterprise platform with every add-on there is"), once()],
        )
        careful.move(deal)
        careful.wait_for_states(deal, "draft")
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
        shown = context.new_page()
        sign_in(shown, careful)
        for path in PAGES:
            shown.goto(careful.admin.app + path)
            assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
            assert shown.locator("h1").count() == 1, path
            assert shown.locator("main").count() == 1, path
            assert barriers(shown) == [], path
        context.close()

    def test_signs_out(self, page: Page, careful: Office) -> None:
        sign_in(page, careful)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_load_state()
        assert page.request.get(f"{careful.admin.app}/drafts").status == 401


def barriers(page: Page) -> list[str]:
    """Return what an automated check finds that keeps people out, as `rule: element` lines."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]
