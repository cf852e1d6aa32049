"""What the stand-in is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The app as registered with HubSpot, and where it runs.

    `required_scopes` empty means: any known scopes are accepted at the consent. `is_fast` shortens the gaps between
    webhook tries, nothing else.
    """

    port: int
    client_id: str
    client_secret: str
    app_id: int
    redirect_urls: tuple[str, ...]
    webhook_url: str | None
    app_origin: str
    required_scopes: tuple[str, ...] = ()
    is_fast: bool = False
    app_name: str = "Dealwright"

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read SANDBOX_*; raises KeyError or ValueError naming what is missing or wrong."""
        env = os.environ if env is None else env
        return cls(
            port=int(env["SANDBOX_HUBSPOT_PORT"]),
            client_id=env["SANDBOX_HUBSPOT_CLIENT_ID"],
            client_secret=env["SANDBOX_HUBSPOT_CLIENT_SECRET"],
            app_id=int(env["SANDBOX_HUBSPOT_APP_ID"]),
            redirect_urls=_comma_list(env["SANDBOX_HUBSPOT_REDIRECT_URLS"]),
            webhook_url=env.get("SANDBOX_HUBSPOT_WEBHOOK_URL") or None,
            app_origin=env["SANDBOX_APP_ORIGIN"].rstrip("/"),
            required_scopes=_comma_list(env.get("SANDBOX_HUBSPOT_REQUIRED_SCOPES", "")),
            is_fast=env.get("SANDBOX_FAST") == "1",
        )


def _comma_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
