"""A session under python-quickbooks: time-outs, one host, and the raw answer kept, which the library hides."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from quickbooks.client import QuickBooks

from app.core.sending import refuse_after_lease
from app.integrations.http import Timeouts
from app.ports import LedgerAccount

MINOR_VERSION = 75


class WrongHost(RuntimeError):
    """A call was about to leave for a host that isn't QuickBooks' API."""


class LedgerSession(OAuth2Session):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's session with the two things the library asks of it; never refreshes by itself."""

    def __init__(self, access_token: str, api_url: str, timeouts: Timeouts) -> None:
        super().__init__(token={"access_token": access_token, "token_type": "Bearer"})
        self.access_token = access_token
        self._netloc = urlsplit(api_url).netloc
        self._timeouts = timeouts
        self.last: requests.Response | None = None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Send with time-outs to the API's host only, while the worker's lease outlasts it; keep the answer."""
        if urlsplit(url).netloc != self._netloc:
            raise WrongHost(urlsplit(url).netloc)
        # The library puts the same bearer token there that Authlib adds itself.
        kwargs.get("headers", {}).pop("Authorization", None)
        kwargs.setdefault("timeout", self._timeouts.pair())
        kwargs["allow_redirects"] = False
        self.last = None
        refuse_after_lease()
        self.last = super().request(method, url, *args, **kwargs)
        return self.last


def client(api_url: str, account: LedgerAccount, timeouts: Timeouts) -> QuickBooks:
    """Return a library client for one company and one job; nothing global is touched."""
    qb = QuickBooks(company_id=account.realm_id, minorversion=MINOR_VERSION, use_decimal=True)
    qb.session = LedgerSession(account.access_token, api_url, timeouts)
    qb.api_url_v3 = f"{api_url}/v3"
    return qb
