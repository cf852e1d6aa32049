"""Small decisions of the pages that need no database."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.billing.states import InvoiceState
from app.console import drafts, home, invoices, settings, shell
from app.invoices.models import Invoice
from app.portals.models import APPROVAL, AUTOMATIC, Portal


class TestAgeingBar:
    def test_fills_its_width_in_proportion(self) -> None:
        stretches = home.bars((300, 0, 100, 0, 0))
        assert [(bar.x, bar.width, bar.index) for bar in stretches] == [(0, 750, 0), (750, 250, 2)]

    def test_shows_even_the_smallest_debt(self) -> None:
        stretches = home.bars((10_000_000, 1, 0, 0, 1))
        assert sum(bar.width for bar in stretches) == 1000
        assert min(bar.width for bar in stretches) >= 8

    def test_of_no_money_is_empty(self) -> None:
        assert home.bars((0, 0, 0, 0, 0)) == []


class TestApprovalForm:
    def test_reads_each_draft_with_its_version_once(self) -> None:
        assert drafts._shown(["12:3", "4:1", "12:3"]) == [(12, 3), (4, 1)]

    @pytest.mark.parametrize("value", ["12", "12:", ":3", "12:3:4", "a:b", "12:-3", "1e3:1", "12:3\n", "9" * 19 + ":1"])
    def test_refuses_what_the_page_never_writes(self, value: str) -> None:
        with pytest.raises(drafts.Invalid):
            drafts._shown([value])

    def test_refuses_an_empty_selection(self) -> None:
        with pytest.raises(drafts.Invalid, match="No draft was selected"):
            drafts._shown([])

    @pytest.mark.parametrize("key", ["", "short", "with blank in it....", "x" * 65, "ü" * 20])
    def test_refuses_a_key_it_never_made(self, key: str) -> None:
        with pytest.raises(drafts.Invalid):
            drafts._key(key)


class TestInvoices:
    def test_every_state_has_a_tone(self) -> None:
        for state in InvoiceState:
            invoice = Invoice(state=state.value, balance_minor=0, due_on=date(2026, 12, 1))
            assert invoices.tone(invoice, date(2026, 12, 1)) in {"neutral", "info", "success", "warning"}

    def test_late_money_is_danger(self) -> None:
        invoice = Invoice(state="sent", balance_minor=1, due_on=date(2026, 11, 30))
        assert invoices.tone(invoice, date(2026, 12, 1)) == "danger"

    def test_every_issued_state_is_in_the_list_of_all_and_in_one_other(self) -> None:
        apart = ("all", "overdue", "by_hand")
        parts = [state for name, (_, states) in invoices.LISTS.items() if name not in apart for state in states]
        assert sorted(parts) == sorted(invoices.LISTS["all"][1])


class TestSettings:
    def test_the_example_follows_the_choices(self) -> None:
        portal = Portal(invoice_mode=APPROVAL, draft_ahead_days=None, net_days=30)
        made_up = settings.example(portal, date(2026, 11, 24))
        assert (made_up.dated, made_up.drafted, made_up.due) == (
            date(2026, 12, 1), date(2026, 11, 24), date(2026, 12, 31),
        )  # fmt: skip
        portal.invoice_mode = AUTOMATIC
        assert settings.example(portal, date(2026, 12, 31)).drafted == date(2027, 1, 1)

    def test_the_connect_form_may_lead_to_the_consent_page_only(self) -> None:
        assert settings.form_targets("http://127.0.0.1:9002/connect/oauth2") == "http://127.0.0.1:9002"

    def test_intuits_own_sign_in_pages_are_part_of_its_consent(self) -> None:
        real = "https://appcenter.intuit.com/connect/oauth2"
        assert settings.form_targets(real) == "https://appcenter.intuit.com https://*.intuit.com"
        assert "*" not in settings.form_targets("https://evilintuit.com/connect")


class TestStaticFiles:
    templates = Path(shell.__file__).with_name("templates")

    def test_stay_small_enough_to_read(self) -> None:
        for file in shell.STATIC.iterdir():
            assert len(file.read_text().splitlines()) < 400, file.name

    def test_no_template_has_inline_style_or_handlers(self) -> None:
        """The content security policy would refuse them in the browser, silently."""
        for file in self.templates.iterdir():
            text = file.read_text()
            for banned in (" style=", " onclick=", " onsubmit=", " onchange=", "javascript:"):
                assert banned not in text, (file.name, banned)

    def test_every_script_carries_the_nonce(self) -> None:
        for file in self.templates.iterdir():
            text = file.read_text()
            assert text.count("<script") == text.count('nonce="{{ g.csp_nonce }}"'), file.name

    def test_every_form_that_writes_carries_the_form_token(self) -> None:
        for file in self.templates.iterdir():
            text = file.read_text()
            for form in text.split("<form")[1:]:
                if 'method="post"' in form.split(">")[0] and "signin.use" not in form.split(">")[0]:
                    assert "{{ csrf() }}" in form.split("</form>")[0], (file.name, form[:80])
