"""Consent and tokens: codes, access tokens, refresh tokens that rotate, and which companies are connected.

Lifetimes run on the real clock. Provider facts: access tokens live 3600 s; a refresh token lives 8,726,400 s from its
last use, and at most five years from consent; its value changes at the first refresh after 24 hours; a code works
once, and using it again ends the grant.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.kit.store import Store

ACCESS_LIFE_S = 3600
REFRESH_LIFE_S = 8_726_400
HARD_LIFE_S = 5 * 365 * 24 * 3600
ROTATION_S = 24 * 3600
CODE_LIFE_S = 600
ACCOUNTING = "com.intuit.quickbooks.accounting"
SCOPES = frozenset({ACCOUNTING, "com.intuit.quickbooks.payment", "openid", "profile", "email", "phone", "address"})
_KEY = "grants"


class InvalidGrant(Exception):
    """The code or refresh token is unknown, used, expired, replaced or revoked."""


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gives."""

    access_token: str
    refresh_token: str
    refresh_expires_in_s: int
    hard_expires_in_s: int


class Grants:
    """All consents, kept in the store."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def _all(self) -> dict[str, Any]:
        grants: dict[str, Any] = self._store.data.setdefault(_KEY, {})
        return grants

    def consent(self, realm_id: str, redirect_uri: str, scope: str) -> str:
        """Record a person's consent for a company and return the code for the redirect."""
        code = secrets.token_urlsafe(36)
        with self._store.lock:
            self._all()[secrets.token_hex(8)] = {
                "realm_id": realm_id,
                "scope": scope,
                "redirect_uri": redirect_uri,
                "code": code,
                "consented_at": self._clock(),
                "is_used": False,
                "is_revoked": False,
                "access": {},
                "refresh": None,
            }
            self._store.changed()
        return code

    def exchange(self, code: str, redirect_uri: str) -> Tokens:
        """Trade a code for tokens, once. Raises InvalidGrant."""
        with self._store.lock:
            grant = next((one for one in self._all().values() if _same(one["code"], code)), None)
            if grant is None or grant["redirect_uri"] != redirect_uri:
                raise InvalidGrant
            if grant["is_used"]:
                grant["is_revoked"] = True
                self._store.changed()
                raise InvalidGrant
            if self._clock() > grant["consented_at"] + CODE_LIFE_S:
                raise InvalidGrant
            grant["is_used"] = True
            return self._issue(grant, rotates=True)

    def refresh(self, refresh_token: str, rotates_always: bool) -> Tokens:
        """Trade a refresh token for new tokens; after a rotation the old value is dead at once. Raises InvalidGrant."""
        with self._store.lock:
            grant = self._grant_of_refresh(refresh_token)
            if grant is None or not self._is_alive(grant):
                raise InvalidGrant
            is_old = self._clock() >= grant["refresh"]["made_at"] + ROTATION_S
            return self._issue(grant, rotates=rotates_always or is_old)

    def revoke(self, token: str) -> bool:
        """End the grant of an access or refresh token; False when the token is unknown."""
        with self._store.lock:
            grant = self._grant_of_refresh(token) or self._grant_of_access(token)
            if grant is None:
                return False
            grant["is_revoked"] = True
            self._store.changed()
            return True

    def realm_of(self, access_token: str) -> str | None:
        """Return the company an access token opens, or None for a bad, expired or revoked one."""
        with self._store.lock:
            grant = self._grant_of_access(access_token)
            if grant is None or grant["is_revoked"] or ACCOUNTING not in grant["scope"].split():
                return None
            return str(grant["realm_id"]) if self._clock() < grant["access"][access_token] else None

    def connected_realms(self) -> set[str]:
        """Return the companies with a living grant."""
        with self._store.lock:
            return {one["realm_id"] for one in self._all().values() if self._is_alive(one)}

    def end(self, realm_id: str, what: str) -> int:
        """Play what time or a person does to a company's tokens: `access` or `refresh` expire, or all are `revoked`.

        Returns how many grants that touched.
        """
        with self._store.lock:
            grants = [one for one in self._all().values() if one["realm_id"] == realm_id and self._is_alive(one)]
            for grant in grants:
                grant["access"] = dict.fromkeys(grant["access"], 0.0)
                if what == "refresh":
                    grant["refresh"]["expires_at"] = 0.0
                grant["is_revoked"] = grant["is_revoked"] or what == "revoked"
            self._store.changed()
            return len(grants)

    def _is_alive(self, grant: dict[str, Any]) -> bool:
        refresh = grant["refresh"]
        return bool(refresh and not grant["is_revoked"] and self._clock() < self._refresh_end(grant))

    def _refresh_end(self, grant: dict[str, Any]) -> float:
        return float(min(grant["refresh"]["expires_at"], grant["consented_at"] + HARD_LIFE_S))

    def _issue(self, grant: dict[str, Any], rotates: bool) -> Tokens:
        now = self._clock()
        access = secrets.token_urlsafe(48)
        grant["access"] = {token: end for token, end in grant["access"].items() if end > now}
        grant["access"][access] = now + ACCESS_LIFE_S
        if rotates or grant["refresh"] is None:
            grant["refresh"] = {"token": f"RT1-{secrets.token_urlsafe(32)}", "made_at": now, "expires_at": 0.0}
        grant["refresh"]["expires_at"] = now + REFRESH_LIFE_S
        self._store.changed()
        hard = int(grant["consented_at"] + HARD_LIFE_S - now)
        return Tokens(access, grant["refresh"]["token"], min(REFRESH_LIFE_S, hard), hard)

    def _grant_of_refresh(self, token: str) -> dict[str, Any] | None:
        for grant in self._all().values():
            if grant["refresh"] and _same(grant["refresh"]["token"], token):
                found: dict[str, Any] = grant
                return found
        return None

    def _grant_of_access(self, token: str) -> dict[str, Any] | None:
        for grant in self._all().values():
            if token in grant["access"]:
                found: dict[str, Any] = grant
                return found
        return None


def _same(kept: str, given: str) -> bool:
    return secrets.compare_digest(kept.encode(), given.encode())
