"""The main job once, told as a story: from Closed Won to paid, with the books and the cards compared to the cent.

Plays a rep on HubSpot's board, a finance manager in the console and a bookkeeper in QuickBooks, all over HTTP. Expects
amounts worked out by hand below, reads the books through QuickBooks' own API and the cards through signed requests,
and ends with exit status 1 if any two of the three disagree. Knows nothing of the product's inside.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import requests

from tools.books import Books
from tools.robot import TIMEOUT_S, Admin, Choices, Page, Stuck, wait_for

HUB_ID, USER_ID, EMAIL, REALM = 4001001, 501, "ada@northwind.example", "9130001001"
ACME, GLOBEX = "30200000001", "30200000002"
ACME_DEAL, GLOBEX_DEAL = "30200000001", "30200000002"


@dataclass(frozen=True)
class Expected:
    """An invoice as agreed: what a person with the deal in hand would write."""

    customer: str
    dated: date
    total: Decimal
    balance: Decimal


class Story:
    """Tells each step in a line, with the seconds it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, sentence: str) -> None:
        """Print one step."""
        print(f"{time.monotonic() - self._began:6.1f} s  {sentence}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Play the story on the stack whose environment this process has."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument(
        "--plant-wrong-cent", action="store_true", help="change an invoice by a cent in QuickBooks: must fail"
    )
    options = parser.parse_args(arguments)
    try:
        return _play(dict(os.environ), wrong_cent=options.plant_wrong_cent)
    except Stuck as stuck:
        print(f"The demo is stuck: {stuck}", file=sys.stderr)
        return 1


def _play(env: dict[str, str], *, wrong_cent: bool) -> int:
    story, admin = Story(), Admin(env, HUB_ID, USER_ID, EMAIL)
    books = Books(env, REALM)
    _set_up(story, admin)
    first_day = _win(story, admin)
    _approve(story, admin, 2)
    acme = Expected("Acme Inc", first_day, Decimal("3500.00"), Decimal("3500.00"))
    globex = Expected("Globex Corporation", first_day, Decimal("12000.00"), Decimal("12000.00"))
    _wait_for_books(books, 2)
    story.tell(
        "QuickBooks has both invoices and mailed them: Acme 3,500.00 (1,000.00 + set-up 2,500.00), Globex 12,000.00."
    )
    _compare(story, admin, books, [acme, globex])

    books.pay("Acme Inc", first_day, Decimal("1500.00"))
    books.pay("Globex Corporation", first_day, Decimal("12000.00"))
    acme = Expected(acme.customer, acme.dated, acme.total, Decimal("2000.00"))
    globex = Expected(globex.customer, globex.dated, globex.total, Decimal("0.00"))
    _wait_for_card(admin, ACME, "partly_paid")
    _wait_for_card(admin, GLOBEX, "paid")
    story.tell("Acme paid 1,500.00 of it, Globex everything; both cards know.")
    _compare(story, admin, books, [acme, globex])

    next_month = _a_month_later(first_day)
    _move_clock(env, admin, next_month)
    story.tell(f"The calendar moves to {next_month:%-d %B %Y}.")
    _approve(story, admin, 1)
    second = Expected("Acme Inc", next_month, Decimal("1000.00"), Decimal("1000.00"))
    _wait_for_books(books, 3)
    story.tell("Acme's second month is billed: 1,000.00. Globex paid for the year and gets nothing.")
    if wrong_cent:
        books.add_a_cent("Acme Inc", next_month)
        story.tell("A cent is planted in QuickBooks: Acme's second invoice is now 1,000.01 there.")
    agrees = _compare(story, admin, books, [acme, globex, second])
    story.tell("Books, cards and agreement are equal to the cent." if agrees else "They do NOT agree.")
    return 0 if agrees else 1


def _set_up(story: Story, admin: Admin) -> None:
    admin.install()
    story.tell("Ada installs Dealwright into HubSpot account 4001001.")
    admin.sign_in()
    admin.connect_quickbooks(REALM)
    admin.name_accounts(income_account_id="1")
    admin.choose(Choices("approval", first_invoice_by_person=True, draft_ahead_days="0"))
    story.tell("She connects QuickBooks and chooses that finance approves every invoice.")


def _win(story: Story, admin: Admin) -> date:
    """Move both deals to Closed Won on the board; return the day, in the billing zone, on which that was."""
    for deal in (ACME_DEAL, GLOBEX_DEAL):
        answer = requests.post(
            f"{admin.hubspot}/portals/{HUB_ID}/deals/{deal}/stage", data={"stage": "closedwon"}, timeout=TIMEOUT_S
        )
        answer.raise_for_status()
    story.tell("A rep drags two deals to Closed Won: Acme (monthly, with a set-up fee) and Globex (annual).")
    draft = wait_for("Acme's draft on its card", lambda: _card_invoices(admin, ACME))[0]
    return date.fromisoformat(draft["date"])


def _approve(story: Story, admin: Admin, count: int) -> None:
    """Approve what waits, as finance does: look at the drafts, then approve exactly what was shown."""

    def drafts() -> Page | None:
        page = admin.browser.open(f"{admin.app}/drafts")
        shown = [form for form in page.forms if form.action.endswith("/drafts/approve")]
        return page if shown and len(_shown(page)) >= count else None

    page = wait_for(f"{count} drafts to approve", drafts)
    shown = _shown(page)
    done = admin.browser.submit(page, "/drafts/approve", draft=shown)
    story.tell(f"Finance sees {len(shown)} draft{'s' if len(shown) > 1 else ''} and approves.")
    if "changed since" in done.text:
        raise Stuck("a draft changed between showing and approving")


def _shown(page: Page) -> list[str]:
    """Return `id:version` of every draft on the page, as its checkboxes offer them."""
    return list(dict.fromkeys(re.findall(r'name="draft"[^>]*value="(\d+:\d+)"', page.text)))


def _card_invoices(admin: Admin, company_id: str) -> list[dict[str, Any]] | None:
    status, answer = admin.fetch(f"/cards/v1/companies/{company_id}/billing")
    return answer["invoices"] if status == 200 and answer["invoices"] else None


def _wait_for_card(admin: Admin, company_id: str, state: str) -> None:
    wait_for(
        f"a card that says {state}",
        lambda: any(invoice["status"] == state for invoice in _card_invoices(admin, company_id) or []),
    )


def _wait_for_books(books: Books, count: int) -> None:
    wait_for(f"{count} mailed invoices in QuickBooks", lambda: len([i for i in books.invoices() if i.emailed]) >= count)


def _a_month_later(day: date) -> date:
    """Return the same day of the next month, or that month's last: Acme's next billing date."""
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return min(first.replace(day=min(day.day, last.day)), last)


def _move_clock(env: dict[str, str], admin: Admin, day: date) -> None:
    for stand_in in (env["HUBSPOT_APP_URL"], env["QUICKBOOKS_APP_URL"]):
        requests.post(
            f"{stand_in}/_sandbox/clock", json={"date": day.isoformat()}, timeout=TIMEOUT_S
        ).raise_for_status()
    admin.browser.submit(admin.browser.open(f"{admin.app}/"), "/sandbox/clock", date=day.isoformat())


def _compare(story: Story, admin: Admin, books: Books, expected: list[Expected]) -> bool:
    """Compare agreement, books and cards; tell each difference. The cards get a moment to hear of the last change."""
    wrong = _against_books(books, expected)
    cards = [_card_differs(admin, books, "Acme Inc", ACME), _card_differs(admin, books, "Globex Corporation", GLOBEX)]
    wrong += [line for card in cards for line in card]
    for line in wrong:
        story.tell(f"WRONG: {line}")
    return not wrong


def _against_books(books: Books, expected: list[Expected]) -> list[str]:
    have = sorted((i.customer, i.dated, i.total, i.balance) for i in books.invoices())
    want = sorted((e.customer, e.dated, e.total, e.balance) for e in expected)
    wrong = [
        f"the books have {row[0]} {row[1]} {row[2]} (open {row[3]}), which nobody agreed"
        for row in have
        if row not in want
    ]
    return wrong + [f"the books lack {row[0]} {row[1]} {row[2]} (open {row[3]})" for row in want if row not in have]


def _card_differs(admin: Admin, books: Books, customer: str, company_id: str) -> list[str]:
    """Return what differs between a company's card and the books, once the card had time to hear of it."""

    def look() -> list[str]:
        answer = admin.fetch(f"/cards/v1/companies/{company_id}/billing")[1]
        theirs = {i.number: (i.total, i.balance) for i in books.invoices() if i.customer == customer}
        ours = {i["number"]: (Decimal(i["total"]), Decimal(i["balance"])) for i in answer["invoices"] if i["number"]}
        wrong = [f"{customer}'s card says {ours.get(n)}, the books {theirs.get(n)} of invoice {n}"
                 for n in sorted(set(ours) | set(theirs)) if ours.get(n) != theirs.get(n)]  # fmt: skip
        open_ = sum((balance for _, balance in theirs.values()), Decimal(0))
        shown = sum((Decimal(total["open"]) for total in answer["totals"]), Decimal(0))
        return wrong + ([] if open_ == shown else [f"{customer}'s card says {shown} open, the books {open_}"])

    deadline = time.monotonic() + 15
    while (wrong := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
