"""Calls the stand-in as the application would."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.hubspot.context import Context
from sandbox.hubspot.settings import Settings

NORTHWIND = 4001001
ALPENGLOW = 4001002
REDIRECT = "http://localhost:9000/oauth/hubspot/callback"
SCOPES = (
    "oauth crm.objects.deals.read crm.objects.deals.write crm.objects.companies.read crm.objects.companies.write "
    "crm.objects.line_items.read crm.objects.line_items.write crm.objects.contacts.read crm.objects.contacts.write "
    "crm.schemas.companies.write crm.schemas.deals.read"
)
ACME_DEAL = ACME = "30200000001"


def settings_for(app_origin: str) -> Settings:
    """The app as the tests register it, with webhooks going to `app_origin`."""
    return Settings(
        port=0,
        client_id="client-1",
        client_secret="secret-1",
        app_id=771,
        redirect_urls=(REDIRECT, "http://localhost:9000/other"),
        webhook_url=f"{app_origin}/webhooks/hubspot",
        app_origin=app_origin,
        is_fast=True,
    )


class Client:
    """A thin client; `install` gives it a token."""

    def __init__(self, url: str, settings: Settings, parts: Context) -> None:
        self.url = url
        self.settings = settings
        self.parts = parts
        self.http = requests.Session()
        self.token = ""
        self.refresh_token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def consent(self, hub_id: int | str = NORTHWIND, **changes: str) -> requests.Response:
        """Post the consent form as a script would."""
        form = {
            "client_id": "client-1",
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": "state-1",
            "hub_id": str(hub_id),
            "decision": "connect",
        }
        return self.http.post(f"{self.url}/oauth/authorize", data={**form, **changes}, allow_redirects=False)

    def code(self, hub_id: int | str = NORTHWIND, **changes: str) -> str:
        """Return the code of a consent."""
        return str(self.answer_of(self.consent(hub_id, **changes))["code"])

    @staticmethod
    def answer_of(response: requests.Response) -> dict[str, str]:
        """Return the query the browser is sent back to the app with."""
        query = parse_qs(urlsplit(response.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}

    def token_call(self, path: str = "token", version: str = "2026-09", **form: str) -> requests.Response:
        """Call a token endpoint with the app's credentials unless `form` has others."""
        client = {"client_id": "client-1", "client_secret": "secret-1"}
        return self.http.post(f"{self.url}/oauth/{version}/{path}", data={**client, **form})

    def exchange(self, code: str, **form: str) -> requests.Response:
        """Exchange a code."""
        return self.token_call(**{"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **form})

    def install(self, hub_id: int | str = NORTHWIND, **changes: str) -> dict[str, Any]:
        """Install the app in an account and use its token from now on."""
        answer: dict[str, Any] = self.exchange(self.code(hub_id, **changes)).json()
        self.token, self.refresh_token = answer["access_token"], answer["refresh_token"]
        return answer

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Call the API with the present token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=5, **options)

    def get(self, path: str) -> Any:
        """GET the API and return the JSON of a success."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def control(self, path: str, body: Any = None) -> requests.Response:
        """POST to the control API."""
        return self.http.post(f"{self.url}/_sandbox/{path}", json=body, timeout=20)

    def person_changes(self, kind: str, object_id: str, **properties: str | None) -> None:
        """Change a record of the first account as a person on its page would."""
        answer = self.control(f"objects/{NORTHWIND}/{kind}/{object_id}", {"properties": properties})
        assert answer.status_code == 200, answer.text
