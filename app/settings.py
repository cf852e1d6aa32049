"""Settings: read once from the environment, complete or not at all."""

from __future__ import annotations

import base64
import binascii
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Environment = Literal["development", "test", "production"]


class SettingsError(SystemExit):
    """The process can't start: says, all at once, every setting that is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one process needs to know. Times are seconds; URLs carry no trailing slash; secrets never print."""

    environment: Environment
    public_origin: str
    database_url: str
    redis_url: str
    secret_keys: tuple[tuple[str, bytes], ...]
    lookup_key: bytes
    hubspot_client_id: str
    hubspot_client_secrets: tuple[str, ...]
    hubspot_app_id: int
    hubspot_api_url: str
    hubspot_app_url: str
    quickbooks_client_id: str
    quickbooks_client_secret: str
    quickbooks_verifier_tokens: tuple[str, ...]
    quickbooks_environment: Literal["sandbox", "production"]
    quickbooks_api_url: str
    quickbooks_authorize_url: str
    quickbooks_token_url: str
    quickbooks_revoke_url: str
    quickbooks_app_url: str
    sandbox: bool
    movable_clock: bool
    failpoint: str
    log_format: Literal["json", "text"]
    work_lease_s: float
    work_slice_s: float
    work_unknown_wait_s: float
    work_retry_base_s: float
    http_connect_timeout_s: float
    http_read_timeout_s: float
    clock_tick_s: float

    def __repr__(self) -> str:
        """Name the environment only: the rest holds secrets."""
        return f"Settings(environment={self.environment!r}, public_origin={self.public_origin!r})"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def lease_margin_s(self) -> float:
        """The last part of a lease, in which no outside call may still be under way."""
        return min(5.0, self.work_lease_s * 0.1)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read all settings; raise SettingsError that names each missing or wrong one."""
        reader = _Reader(os.environ if environ is None else environ)
        settings = _read(reader)
        reader.refuse_sandbox_in_production(settings)
        reader.refuse_short_leases(settings)
        if reader.errors:
            raise SettingsError("Dealwright can't start:\n" + "\n".join(f"  - {line}" for line in reader.errors))
        return settings


class _Reader:
    """Collects values and every complaint, so that one start shows all that is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.errors: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environ.get(name, "").strip()
        if value:
            return value
        if default is None:
            self.errors.append(f"{name} is missing")
            return ""
        return default

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.errors.append(f"{name} is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def url(self, name: str, default: str | None = None) -> str:
        value = self.text(name, default).rstrip("/")
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            self.errors.append(f"{name} is not an http(s) address")
        return value

    def many(self, name: str) -> tuple[str, ...]:
        value = self.text(name)
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
        if value and not parts:
            self.errors.append(f"{name} is an empty list")
        return parts

    def flag(self, name: str) -> bool:
        return self.one_of(name, ("0", "1"), "0") == "1"

    def number(self, name: str, default: float | None, parse: Callable[[str], float] = float) -> float:
        raw = self.text(name, None if default is None else str(default))
        try:
            value = parse(raw) if raw else 0
        except ValueError:
            self.errors.append(f"{name} is {raw!r}; it must be a number")
            return 0
        if raw and not (value > 0 and math.isfinite(value)):
            self.errors.append(f"{name} is {raw}; it must be above zero")
            return 0
        return value

    def key(self, name: str, value: str) -> bytes:
        try:
            raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        if value and len(raw) != 32:
            self.errors.append(f"{name} must hold 32 bytes in URL-safe base64")
        return raw

    def key_ring(self, name: str) -> tuple[tuple[str, bytes], ...]:
        ring: dict[str, bytes] = {}
        for part in self.many(name):
            key_id, colon, value = part.partition(":")
            # What stands there instead may be a key itself, so the complaint repeats nothing of it.
            if not colon or not key_id or key_id in ring:
                self.errors.append(f"{name} must be a list of id:key, each id once")
                continue
            ring[key_id] = self.key(f"{name} ({key_id})", value or "?")
        return tuple(ring.items())

    def refuse_short_leases(self, settings: Settings) -> None:
        """A write looks first and then sends: a lease that can't outlast both calls would never send anything."""
        two_calls = 2 * (settings.http_connect_timeout_s + settings.http_read_timeout_s)
        if settings.work_lease_s > 0 and settings.work_lease_s - settings.lease_margin_s <= two_calls:
            self.errors.append(
                f"WORK_LEASE_S is {settings.work_lease_s:g}; it must outlast two outside calls ({two_calls:g} s by the "
                "HTTP time-outs) and a margin"
            )

    def refuse_sandbox_in_production(self, settings: Settings) -> None:
        if not settings.is_production:
            return
        for name, is_set in (("SANDBOX", settings.sandbox), ("MOVABLE_CLOCK", settings.movable_clock),
                             ("FAILPOINT", bool(settings.failpoint))):  # fmt: skip
            if is_set:
                self.errors.append(f"{name} is for the sandbox and is refused in production")
        for field in ("public_origin", "hubspot_api_url", "hubspot_app_url", "quickbooks_api_url",
                      "quickbooks_authorize_url", "quickbooks_token_url", "quickbooks_revoke_url",
                      "quickbooks_app_url"):  # fmt: skip
            if urlsplit(getattr(settings, field)).scheme != "https":
                self.errors.append(f"{field.upper()} must be https in production")


def _read(r: _Reader) -> Settings:
    return Settings(
        environment=r.one_of("DEALWRIGHT_ENV", ("development", "test", "production"), "production"),  # type: ignore[arg-type]  # checked by one_of
        public_origin=r.url("PUBLIC_ORIGIN"),
        database_url=r.text("DATABASE_URL"),
        redis_url=r.text("REDIS_URL"),
        secret_keys=r.key_ring("SECRET_KEYS"),
        lookup_key=r.key("LOOKUP_KEY", r.text("LOOKUP_KEY")),
        hubspot_client_id=r.text("HUBSPOT_CLIENT_ID"),
        hubspot_client_secrets=r.many("HUBSPOT_CLIENT_SECRETS"),
        hubspot_app_id=int(r.number("HUBSPOT_APP_ID", None, int)),
        hubspot_api_url=r.url("HUBSPOT_API_URL", "https://api.hubapi.com"),
        hubspot_app_url=r.url("HUBSPOT_APP_URL", "https://app.hubspot.com"),
        quickbooks_client_id=r.text("QUICKBOOKS_CLIENT_ID"),
        quickbooks_client_secret=r.text("QUICKBOOKS_CLIENT_SECRET"),
        quickbooks_verifier_tokens=r.many("QUICKBOOKS_VERIFIER_TOKENS"),
        quickbooks_environment=r.one_of("QUICKBOOKS_ENVIRONMENT", ("sandbox", "production"), "production"),  # type: ignore[arg-type]  # checked by one_of
        quickbooks_api_url=r.url("QUICKBOOKS_API_URL", "https://quickbooks.api.intuit.com"),
        quickbooks_authorize_url=r.url("QUICKBOOKS_AUTHORIZE_URL", "https://appcenter.intuit.com/connect/oauth2"),
        quickbooks_token_url=r.url("QUICKBOOKS_TOKEN_URL", "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"),
        quickbooks_revoke_url=r.url(
            "QUICKBOOKS_REVOKE_URL", "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
        ),
        quickbooks_app_url=r.url("QUICKBOOKS_APP_URL", "https://app.qbo.intuit.com"),
        sandbox=r.flag("SANDBOX"),
        movable_clock=r.flag("MOVABLE_CLOCK"),
        failpoint=r.text("FAILPOINT", ""),
        log_format=r.one_of("LOG_FORMAT", ("json", "text"), "json"),  # type: ignore[arg-type]  # checked by one_of
        work_lease_s=r.number("WORK_LEASE_S", 60),
        work_slice_s=r.number("WORK_SLICE_S", 20),
        work_unknown_wait_s=r.number("WORK_UNKNOWN_WAIT_S", 150),
        work_retry_base_s=r.number("WORK_RETRY_BASE_S", 5),
        http_connect_timeout_s=r.number("HTTP_CONNECT_TIMEOUT_S", 5),
        http_read_timeout_s=r.number("HTTP_READ_TIMEOUT_S", 20),
        clock_tick_s=r.number("CLOCK_TICK_S", 1),
    )
