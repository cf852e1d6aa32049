"""The two OAuth providers, through Authlib, as token issuers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from app.core import clock
from app.core.db import refuse_open_transaction
from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown
from app.ports import Grant, Installation

HUBSPOT_SCOPES = (
    "oauth", "crm.objects.deals.read", "crm.objects.companies.read", "crm.objects.contacts.read",
    "crm.objects.line_items.read", "crm.schemas.deals.read",
)  # fmt: skip
QUICKBOOKS_SCOPES = ("com.intuit.quickbooks.accounting",)
HUBSPOT_VERSION = "2026-09"
_OUR_OWN_FAULT = {"invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type", "invalid_scope"}


class Issuer:
    """An OAuth provider's token endpoint. Errors keep three things apart: the grant is gone, our own configuration is

    wrong (never a mark against a customer), and nobody knows.
    """

    name = ""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        authorize_endpoint: str,
        token_endpoint: str,
        redirect_uri: str,
        scopes: tuple[str, ...],
        auth_method: str,
        timeout: tuple[float, float],
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._authorize_endpoint = authorize_endpoint
        self._token_endpoint = token_endpoint
        self._redirect_uri = redirect_uri
        self._scopes = scopes
        self._auth_method = auth_method
        self._timeout = timeout

    def authorize_url(self, state: str) -> str:
        """Return the provider's consent page for this state; spaces as %20, which both providers take."""
        session = self._session(scope=" ".join(self._scopes), redirect_uri=self._redirect_uri)
        url, _ = session.create_authorization_url(self._authorize_endpoint, state=state)
        return str(url).replace("+", "%20")

    def exchange(self, code: str) -> Outcome:
        """Exchange a one-time code; never repeat it, whatever happens."""
        return self._token(
            lambda session: session.fetch_token(
                self._token_endpoint, grant_type="authorization_code", code=code, timeout=self._timeout,
                headers=self._headers(),
            )
        )  # fmt: skip

    def refresh(self, refresh_token: str) -> Outcome:
        """Exchange a refresh token for a new pair. The caller stores the pair before using it."""
        return self._token(
            lambda session: session.refresh_token(
                self._token_endpoint, refresh_token=refresh_token, timeout=self._timeout, headers=self._headers()
            )
        )

    def _session(self, **options: Any) -> OAuth2Session:
        return OAuth2Session(
            self._client_id, self._client_secret, token_endpoint_auth_method=self._auth_method, **options
        )

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}

    def _token(self, ask: Any) -> Outcome:
        refuse_open_transaction()
        session = self._session(redirect_uri=self._redirect_uri)
        try:
            return Done(self._grant(ask(session)))
        except OAuthError as error:
            return self._refused(str(error.error or ""), str(error.description or ""))
        except requests.HTTPError as error:
            return Unknown(f"{self.name}'s token service answered {error.response.status_code}.")
        except (requests.RequestException, AuthlibBaseError, ValueError, KeyError, TypeError) as error:
            return Unknown(f"{self.name}'s token service did not answer ({type(error).__name__}).")

    def _refused(self, error: str, description: str) -> Outcome:
        if error == "invalid_grant" or (error == "access_denied"):
            return Rejected(FailureKind.REVOKED, "the authorisation was withdrawn or has ended.", error)
        if error in _OUR_OWN_FAULT:
            return Rejected(FailureKind.CONFIGURATION, f"{self.name} refuses Dealwright itself ({error}).", error)
        # An unknown refusal is treated as our configuration, never as a mass revocation.
        return Rejected(FailureKind.CONFIGURATION, f"{self.name}'s token service refused: {error}.", error)

    def _grant(self, token: Mapping[str, Any]) -> Grant:
        now = clock.now()
        refresh_life = token.get("x_refresh_token_expires_in")
        scopes = token.get("scopes") or str(token.get("scope") or "").split()
        return Grant(
            access_token=str(token["access_token"]),
            refresh_token=str(token["refresh_token"]),
            access_expires_at=now + timedelta(seconds=int(token["expires_in"])),
            refresh_expires_at=now + timedelta(seconds=int(refresh_life)) if refresh_life else None,
            scopes=tuple(str(scope) for scope in scopes),
        )


class HubSpotIssuer(Issuer):
    """HubSpot at its dated endpoints; client credentials travel in the form."""

    name = "HubSpot"

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        app_url: str,
        api_url: str,
        redirect_uri: str,
        timeout: tuple[float, float],
    ) -> None:
        super().__init__(
            client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri, scopes=HUBSPOT_SCOPES,
            authorize_endpoint=f"{app_url}/oauth/authorize", token_endpoint=f"{api_url}/oauth/{HUBSPOT_VERSION}/token",
            auth_method="client_secret_post", timeout=timeout,
        )  # fmt: skip

    def introspect(self, access_token: str) -> Outcome:
        """Ask HubSpot whose token this is: the account, and who installed."""
        refuse_open_transaction()
        form = {"client_id": self._client_id, "client_secret": self._client_secret, "token": access_token,
                "token_type_hint": "access_token"}  # fmt: skip
        try:
            answer = requests.post(
                f"{self._token_endpoint}/introspect", data=form, timeout=self._timeout, allow_redirects=False
            )
            body = answer.json()
            if not answer.ok or body.get("active") is not True:
                return Unknown("HubSpot doesn't vouch for the token it just issued.")
            return Done(
                Installation(
                    hub_id=int(body["hub_id"]), user_id=int(body["user_id"]), user_email=str(body["user"]),
                    app_id=int(body["app_id"]), hub_domain=str(body.get("hub_domain", "")),
                    scopes=tuple(str(scope) for scope in body.get("scopes", [])),
                )
            )  # fmt: skip
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            return Unknown(f"HubSpot's introspection can't be read ({type(error).__name__}).")


class QuickBooksIssuer(Issuer):
    """QuickBooks: client credentials by HTTP Basic; the refresh token rotates; its hard end is asked for."""

    name = "QuickBooks"

    def __init__(
        self, *, client_id: str, client_secret: str, authorize_url: str, token_url: str, redirect_uri: str,
        timeout: tuple[float, float],
    ) -> None:  # fmt: skip
        super().__init__(
            client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri, scopes=QUICKBOOKS_SCOPES,
            authorize_endpoint=authorize_url, token_endpoint=token_url, auth_method="client_secret_basic",
            timeout=timeout,
        )  # fmt: skip

    def introspect(self, access_token: str) -> Outcome:
        """QuickBooks names no installer this way."""
        return Rejected(FailureKind.REJECTED, "QuickBooks tokens can't be introspected.", "unsupported")

    def _headers(self) -> dict[str, str]:
        return super()._headers() | {"x-include-refresh-token-hard-expires-in": "true"}
