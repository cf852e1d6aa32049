"""What the stand-in reads from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

# Provider fact: the first repetition follows at once, then 10, 20, 30 s, 5 min, 20 min, 2 h, 4 h, and every 6 h.
RETRY_GAPS_S = (0, 10, 20, 30, 300, 1200, 7200, 14400, 21600, 21600, 21600, 21600)
_FAST_FACTOR = 0.01


@dataclass(frozen=True)
class Settings:
    """One OAuth app, as its developer registered it, and where the webhooks of that app go."""

    port: int
    client_id: str
    client_secret: str
    redirect_urls: tuple[str, ...]
    webhook_url: str
    verifier_token: str
    is_fast: bool = False

    @property
    def retry_gaps_s(self) -> tuple[float, ...]:
        """Waits before each repetition of an unanswered webhook, in seconds."""
        factor = _FAST_FACTOR if self.is_fast else 1
        return tuple(gap * factor for gap in RETRY_GAPS_S)


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; names as in the README. Without a webhook URL no webhooks are sent."""
    urls = environ.get("SANDBOX_QUICKBOOKS_REDIRECT_URLS", "")
    return Settings(
        port=int(environ.get("SANDBOX_QUICKBOOKS_PORT", "0")),
        client_id=environ.get("SANDBOX_QUICKBOOKS_CLIENT_ID", "quickbooks-client"),
        client_secret=environ.get("SANDBOX_QUICKBOOKS_CLIENT_SECRET", "quickbooks-secret"),
        redirect_urls=tuple(url.strip() for url in urls.split(",") if url.strip()),
        webhook_url=environ.get("SANDBOX_QUICKBOOKS_WEBHOOK_URL", ""),
        verifier_token=environ.get("SANDBOX_QUICKBOOKS_VERIFIER_TOKEN", "quickbooks-verifier"),
        is_fast=environ.get("SANDBOX_FAST") == "1",
    )
