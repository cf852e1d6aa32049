"""What the tests of the QuickBooks stand-in stand on: a real server, the real client, and a place webhooks arrive."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask
from quickbooks import QuickBooks

from sandbox.quickbooks.app import create_app
from sandbox.quickbooks.settings import Settings
from tests.sandbox.support import served

US, DE = "9130001001", "9130001002"
REDIRECT = "http://localhost:8000/oauth/quickbooks/callback"
CLIENT = ("client-1", "secret-1")
VERIFIER = "verifier-1"
SCOPE = "com.intuit.quickbooks.accounting"
FIXTURES = Path(__file__).parent / "fixtures"
JSON = dict[str, Any]


def fixture(name: str) -> Any:
    """Return a recorded exchange."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


class Session(requests.Session):
    """What python-quickbooks needs of a session: a time-out and the token."""

    access_token = ""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send with a time-out."""
        kwargs.setdefault("timeout", 10)
        return super().request(*args, **kwargs)


class Receiver:
    """Takes webhooks; `answers` are the statuses for the next ones, then 200."""

    def __init__(self) -> None:
        self.posts: list[tuple[Mapping[str, str], bytes]] = []
        self.answers: list[int] = []
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._arrived:
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    receiver._arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/quickbooks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def clear(self) -> None:
        """Forget what arrived."""
        with self._arrived:
            self.posts.clear()
            self.answers.clear()

    def wait_for(self, count: int, timeout_s: float = 5) -> None:
        """Wait until `count` posts arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.posts) >= count, timeout_s), self.posts

    def events(self) -> list[JSON]:
        """Return every event so far."""
        return [event for _, body in self.posts for event in json.loads(body)]

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StandIn:
    """A running stand-in, and calls to it without a client library."""

    def __init__(self, app: Flask, address: str) -> None:
        self.app = app
        self.base = address
        self.session = Session()

    def reset(self) -> None:
        """Return to the seeded state."""
        assert self.session.post(f"{self.base}/_sandbox/reset").ok

    def control(self, path: str, **body: Any) -> JSON:
        """Call the control API; it must succeed."""
        response = self.session.post(f"{self.base}/_sandbox/{path}", json=body)
        assert response.ok, response.text
        answer: JSON = response.json()
        return answer

    def look(self, path: str, **query: Any) -> JSON:
        """Read from the control API."""
        response = self.session.get(f"{self.base}/_sandbox/{path}", params=query)
        assert response.ok, response.text
        answer: JSON = response.json()
        return answer

    def consent(self, company: str, **changes: str) -> requests.Response:
        """Decide on the consent page as a script does."""
        form = {
            "client_id": CLIENT[0],
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": REDIRECT,
            "state": "state-1",
            "realm_id": company,
            "decision": "connect",
        }
        return self.session.post(f"{self.base}/connect/oauth2", data=form | changes, allow_redirects=False)

    def token(self, auth: tuple[str, str] = CLIENT, headers: Mapping[str, str] | None = None, **form: str) -> Any:
        """Call the token endpoint."""
        url = f"{self.base}/oauth2/v1/tokens/bearer"
        return self.session.post(url, data=form, auth=auth, headers=headers)

    def connect(self, realm_id: str = US) -> Company:
        """Consent and exchange."""
        code = query_of(self.consent(realm_id))["code"]
        tokens = self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()
        return Company(self, realm_id, tokens)

    def new_company(self, *, country: str = "US", currency: str = "USD", **preferences: Any) -> Company:
        """Open and connect a company with preferences of its own."""
        opened = self.control(
            "companies",
            name="Test company",
            currency=currency,
            country=country,
            timezone="Europe/Berlin",
            preferences=preferences,
        )
        return self.connect(opened["realm_id"])


class Company:
    """A connected company: raw calls with a token, and the real client."""

    def __init__(self, stand_in: StandIn, realm_id: str, tokens: JSON) -> None:
        self.stand_in = stand_in
        self.realm_id = realm_id
        self.tokens = tokens
        self.url = f"{stand_in.base}/v3/company/{realm_id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}", "Accept": "application/json"}

    def client(self) -> QuickBooks:
        """Return the real client on our session."""
        auth = SimpleNamespace(
            environment="production",
            access_token=self.tokens["access_token"],
            refresh_token=self.tokens["refresh_token"],
            client_id=CLIENT[0],
        )
        client = QuickBooks(auth_client=auth, company_id=self.realm_id, minorversion=75)
        client.session.close()
        client.session = self.stand_in.session
        client.session.access_token = self.tokens["access_token"]
        client.api_url_v3 = f"{self.stand_in.base}/v3"
        return client

    def get(self, path: str, **query: str) -> requests.Response:
        """Read."""
        return self.stand_in.session.get(f"{self.url}/{path}", params=query, headers=self.headers)

    def post(self, path: str, body: JSON, **query: str) -> requests.Response:
        """Write."""
        return self.stand_in.session.post(f"{self.url}/{path}", json=body, params=query, headers=self.headers)

    def query(self, text: str) -> requests.Response:
        """Query by POST."""
        headers = self.headers | {"Content-Type": "application/text"}
        return self.stand_in.session.post(f"{self.url}/query", data=text.encode(), headers=headers)

    def found(self, text: str) -> JSON:
        """Query and return what was found."""
        response = self.query(text)
        assert response.ok, response.text
        answer: JSON = response.json()["QueryResponse"]
        return answer

    def make(self, path: str, body: JSON, **query: str) -> JSON:
        """Write, and return the object; it must succeed."""
        response = self.post(path, body, **query)
        assert response.ok, response.text
        return next(value for name, value in response.json().items() if name != "time")

    def read(self, path: str) -> JSON:
        """Read, and return the object; it must succeed."""
        response = self.get(path)
        assert response.ok, response.text
        return next(value for name, value in response.json().items() if name != "time")

    def customer(self, **fields: Any) -> JSON:
        """Make a customer."""
        return self.make("customer", {"DisplayName": f"Customer {uuid.uuid4().hex[:8]}"} | fields)

    def invoice(self, customer: JSON, *amounts: str, **fields: Any) -> JSON:
        """Make an invoice with a line per amount."""
        return self.make("invoice", invoice_body(customer, *amounts, **fields))

    def pay(self, invoice: JSON, amount: float, total: float | None = None) -> JSON:
        """Make a payment on an invoice."""
        link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
        body = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": amount if total is None else total}
        return self.make("payment", body | {"Line": [{"Amount": amount, "LinkedTxn": [link]}]})


def sales_line(amount: float | str, **detail: Any) -> JSON:
    """Return a line of the service item 1."""
    return {
        "Amount": float(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}} | detail,
    }


def invoice_body(customer: JSON, *amounts: str, **fields: Any) -> JSON:
    """Return an invoice with a line per amount."""
    return {"CustomerRef": {"value": customer["Id"]}, "Line": [sales_line(one) for one in amounts or ("100",)]} | fields


def code_of(response: requests.Response, status: int = 400) -> str:
    """Return the code of a refusal."""
    assert response.status_code == status, response.text
    return str(response.json()["Fault"]["Error"][0]["code"])


def query_of(response: requests.Response) -> dict[str, str]:
    """Return the parameters a redirect carries."""
    assert response.status_code == 302, response.text
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def shape(value: Any) -> Any:
    """Return names and kinds of a JSON value; lists by the kinds of their members, numbers are one kind."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return "number"


@contextmanager
def running(receiver: Receiver) -> Iterator[StandIn]:
    """Serve the stand-in on a free port."""
    settings = Settings(
        port=0,
        client_id=CLIENT[0],
        client_secret=CLIENT[1],
        redirect_urls=(REDIRECT,),
        webhook_url=receiver.url,
        verifier_token=VERIFIER,
        is_fast=True,
    )
    app = create_app(settings)
    with served(app) as address:
        stand_in = StandIn(app, address)
        try:
            yield stand_in
        finally:
            stand_in.session.close()
