"""A person at a browser, for the seed, the demo and end-to-end tests: pages, forms and redirects over real HTTP.

Knows the addresses and forms that people see, and nothing of the product's inside.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT_S = 30
T = TypeVar("T")


class Stuck(RuntimeError):
    """The person can't go on: what was on the screen instead."""


@dataclass(slots=True)
class Form:
    """A form on a page: where it goes and what it holds by itself."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]

    def form(self, action: str) -> Form:
        """Return the form whose address ends so; Stuck if there is none."""
        for form in self.forms:
            if re.search(action + r"$", urlsplit(form.action).path):
                return form
        raise Stuck(f"{self.url} ({self.status}) has no form to {action}; it reads: {words(self.text)[:300]}")


class Browser:
    """One browser with its cookies."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def open(self, url: str) -> Page:
        """Go to an address, following redirects. Stuck on an error page."""
        return self._shown(self.session.get(url, timeout=TIMEOUT_S))

    def submit(self, page: Page, action: str, **values: str | list[str]) -> Page:
        """Fill a form in and send it. `values` replace what the form holds under the same names."""
        form = page.form(action)
        data = [(name, value) for name, value in form.fields if name not in values]
        for name, value in values.items():
            data += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        address = urljoin(page.url, form.action)
        headers = {"Origin": "{0.scheme}://{0.netloc}".format(urlsplit(page.url)), "Referer": page.url}
        if form.method == "post":
            return self._shown(self.session.post(address, data=data, headers=headers, timeout=TIMEOUT_S))
        return self._shown(self.session.get(address, params=data, headers=headers, timeout=TIMEOUT_S))

    def _shown(self, answer: requests.Response) -> Page:
        if answer.status_code >= 400:
            raise Stuck(f"{urlsplit(answer.url).path} answered {answer.status_code}: {words(answer.text)[:300]}")
        reader = _Forms()
        reader.feed(answer.text)
        return Page(answer.url, answer.status_code, answer.text, tuple(reader.forms))


@dataclass(frozen=True, slots=True)
class Choices:
    """A portal's billing choices as the settings form takes them; no `draft_ahead_days` leaves the mode's own."""

    invoice_mode: str
    first_invoice_by_person: bool
    draft_ahead_days: str = ""
    net_days: str = "30"


class Admin:
    """The admin of one portal: installs, connects QuickBooks, chooses, signs in."""

    def __init__(self, env: dict[str, str], hub_id: int, user_id: int, email: str) -> None:
        self.app = env["PUBLIC_ORIGIN"]
        self.hubspot = env["HUBSPOT_APP_URL"]
        self.quickbooks = env["QUICKBOOKS_APP_URL"]
        self.hub_id, self.user_id, self.email = hub_id, user_id, email
        self.browser = Browser()

    def install(self) -> Page:
        """Install the app into the portal from the app's own site."""
        consent = self.browser.open(f"{self.app}/oauth/hubspot/install")
        return self.browser.submit(consent, "/oauth/authorize", hub_id=str(self.hub_id), decision="connect")

    def fetch(self, path: str, method: str = "GET") -> tuple[int, Any]:
        """Call a card endpoint as HubSpot's page does for this user; return status and JSON."""
        ask = {"portalId": self.hub_id, "userId": self.user_id, "userEmail": self.email, "method": method,
               "url": self.app + path}  # fmt: skip
        if method == "POST":
            ask["body"] = {}
        answer = requests.post(f"{self.hubspot}/_sandbox/fetch", json=ask, timeout=TIMEOUT_S)
        answer.raise_for_status()
        seen = answer.json()
        body = seen["body"]
        if isinstance(body, str) and body.startswith(("{", "[")):
            body = json.loads(body)
        return int(seen["status"]), body

    def signin_link(self) -> str:
        """Ask for a one-time link from the card."""
        status, body = self.fetch("/cards/v1/signin-link", "POST")
        if status != 200:
            raise Stuck(f"the card gave no sign-in link ({status}): {body}")
        return str(body["url"])

    def sign_in(self) -> Page:
        """Open the console with a one-time link."""
        return self.browser.submit(self.browser.open(self.signin_link()), "/signin")

    def needs_quickbooks(self) -> bool:
        """Whether the settings page asks for a QuickBooks connection."""
        page = self.browser.open(f"{self.app}/settings")
        return any(form.action.endswith("/oauth/quickbooks/connect") for form in page.forms)

    def connect_quickbooks(self, realm_id: str) -> Page:
        """Connect a company from the settings page, and name its accounts."""
        settings = self.browser.open(f"{self.app}/settings")
        consent = self.browser.submit(settings, "/oauth/quickbooks/connect")
        return self.browser.submit(consent, "/connect/oauth2", realm_id=realm_id, decision="connect")

    def choose(self, choices: Choices) -> Page:
        """Change the billing choices."""
        return self.browser.submit(
            self.browser.open(f"{self.app}/settings"),
            "/settings/billing",
            invoice_mode=choices.invoice_mode,
            # A box that isn't ticked sends nothing.
            first_invoice_by_person=["1"] if choices.first_invoice_by_person else [],
            draft_ahead_days=choices.draft_ahead_days,
            net_days=choices.net_days,
        )

    def name_accounts(self, **choices: str) -> Page:
        """Name the account of new items and the tax code."""
        return self.browser.submit(self.browser.open(f"{self.app}/settings"), "/settings/ledger", **choices)


def wait_for(what: str, look: Callable[[], T | None], timeout_s: float = 30) -> T:
    """Look until there is something to see, at most `timeout_s`; Stuck says what never came."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise Stuck(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(0.1)


def words(page: str) -> str:
    """Return a page's text without its markup."""
    text = re.sub(r"(?s)<(style|script|head).*?</\1>", " ", page)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


class _Forms(HTMLParser):
    """Collects forms with the values they would send untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        given = {name for name, _ in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", ""), values.get("method", "get").lower()))
        elif not self.forms:
            return
        elif tag == "input" and values.get("name") and "disabled" not in given:
            kind = values.get("type", "text")
            if kind in ("submit", "button", "image") or (kind in ("radio", "checkbox") and "checked" not in given):
                return
            self.forms[-1].fields.append((values["name"], values.get("value", "on" if kind == "checkbox" else "")))
        elif tag == "select":
            self._select = values.get("name")
        elif tag == "option" and self._select and "selected" in given:
            self.forms[-1].fields.append((self._select, values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
