"""OAuth codes and tokens. Their times are real; the movable day never touches them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.hubspot.model.portal import Portal
from sandbox.hubspot.timestamps import now_iso
from sandbox.kit.store import Store

ACCESS_LIFE_S = 1800
CODE_LIFE_S = 600

Grant = dict[str, Any]


class Tokens:
    """Gives and checks codes, access tokens and refresh tokens. `now` is seconds since 1970, for tests to replace."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self.now = now

    def new_code(self, portal: Portal, redirect_uri: str, scopes: Sequence[str]) -> str:
        """Return a one-time code for a consent that was just given."""
        code = secrets.token_hex(18)
        grant = {"hub_id": portal.hub_id, "user_id": portal.user["id"], "scopes": sorted(set(scopes))}
        self._kept("codes")[code] = {**grant, "redirect_uri": redirect_uri, "expires_at": self.now() + CODE_LIFE_S}
        self._store.changed()
        return code

    def use_code(self, code: str) -> Grant | None:
        """Return what the code stands for and forget it; None when it was used, has expired or never was."""
        grant: Grant | None = self._kept("codes").pop(code, None)
        self._store.changed()
        return grant if grant and grant["expires_at"] > self.now() else None

    def install(self, portal: Portal, grant: Grant) -> tuple[str, str]:
        """Mark the app as installed and return (access, refresh). Refresh tokens of an earlier install end."""
        self._forget("refresh", portal.hub_id)
        refresh = f"{portal.data['hublet']}-{secrets.token_hex(4)}-{secrets.token_urlsafe(24)}"
        self._kept("refresh")[refresh] = _about(grant)
        portal.data["install"] = {"scopes": grant["scopes"], "user_id": grant["user_id"], "at": now_iso()}
        return self.new_access(grant), refresh

    def new_access(self, grant: Grant) -> str:
        """Return a new access token; those given before live on until they expire."""
        # Real ones are long and of no fixed length.
        token = "CL" + secrets.token_urlsafe(300 + secrets.randbelow(60))
        kept = self._kept("access")
        for old in [name for name, other in kept.items() if other["expires_at"] < self.now() - 86_400]:
            del kept[old]
        kept[token] = {**_about(grant), "expires_at": self.now() + ACCESS_LIFE_S}
        self._store.changed()
        return token

    def access(self, token: str) -> Grant | None:
        """Return the grant of an access token, expired or not; None when there is none."""
        return self._kept("access").get(token)

    def refresh(self, token: str) -> Grant | None:
        """Return the grant of a refresh token; it stays good until uninstall, revocation or a new install."""
        return self._kept("refresh").get(token)

    def revoke(self, token: str) -> None:
        """End a refresh token. Access tokens made from it live on until they expire."""
        self._kept("refresh").pop(token, None)
        self._store.changed()

    def uninstall(self, portal: Portal) -> None:
        """Take the app out of the account: all its tokens end."""
        self._forget("refresh", portal.hub_id)
        self._forget("access", portal.hub_id)
        portal.data["install"] = None
        self._store.changed()

    def expire(self, hub_id: int) -> int:
        """Have all access tokens of an account expire a second ago; returns how many."""
        grants = [grant for grant in self._kept("access").values() if grant["hub_id"] == hub_id]
        for grant in grants:
            grant["expires_at"] = min(grant["expires_at"], self.now() - 1)
        self._store.changed()
        return len(grants)

    def _forget(self, kind: str, hub_id: int) -> None:
        kept = self._kept(kind)
        for token in [name for name, grant in kept.items() if grant["hub_id"] == hub_id]:
            del kept[token]
        self._store.changed()

    def _kept(self, kind: str) -> dict[str, Grant]:
        kept: dict[str, Grant] = self._store.data.setdefault("tokens", {}).setdefault(kind, {})
        return kept


def _about(grant: Grant) -> Grant:
    return {name: grant[name] for name in ("hub_id", "user_id", "scopes")}
