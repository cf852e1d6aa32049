"""The environment variables of a stack: every setting of the product and of both stand-ins, for one data directory."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tools.home import Home
from tools.processes import command_path

# What processes inherit from the person's shell. Everything else is ours to say, so that neither a forgotten setting
# nor a proxy changes what a sandbox does.
INHERITED = (
    *("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TERM", "NO_COLOR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH"),
)
# What a person may set for `./dev up`.
OVERRIDES = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "LOG_FORMAT", "WEB_CONCURRENCY", "WEB_THREADS"),
    *("WORK_LEASE_S", "WORK_SLICE_S", "WORK_UNKNOWN_WAIT_S", "WORK_RETRY_BASE_S"),
    *("HTTP_CONNECT_TIMEOUT_S", "HTTP_READ_TIMEOUT_S", "CLOCK_TICK_S", "SANDBOX_FAST"),
)
# How names of the product's own settings begin.
SETTINGS = (
    *("DEALWRIGHT_ENV", "DEALWRIGHT_TEST_", "PORT", "PUBLIC_ORIGIN", "DATABASE_", "REDIS_", "SECRET_KEYS"),
    *("LOOKUP_KEY", "HUBSPOT_", "QUICKBOOKS_", "SANDBOX", "MOVABLE_CLOCK", "FAILPOINT", "LOG_FORMAT"),
    *("WORK_", "HTTP_CONNECT_", "HTTP_READ_", "CLOCK_", "WEB_"),
)
# Tried first for `.data/`, so that the board has an address that people remember.
PREFERRED_PORTS = {"web": 8700, "hubspot": 8701, "quickbooks": 8702}


def inherited() -> dict[str, str]:
    """Return the part of our own environment that every process gets, with the environment's programs on PATH."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "PATH": command_path(),
        "PYTHONUNBUFFERED": "1",
    }


def overrides() -> dict[str, str]:
    """Return what the person set in the shell and `./dev up` takes over."""
    return {name: os.environ[name] for name in OVERRIDES if os.environ.get(name)}


def scrubbed() -> dict[str, str]:
    """Return our own environment without any setting of the product, for tests and checks.

    A DATABASE_URL left in a shell must not become a test's database, nor a proxy come between loopback addresses.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    return {**kept, "PATH": command_path()}


def of(home: Home, given: Mapping[str, str], prefer: Mapping[str, int]) -> dict[str, str]:
    """Return the whole environment but the servers' addresses; `given` wins over everything."""
    ports = {name: home.ports.get(name, prefer.get(name)) for name in ("web", "hubspot", "quickbooks")}
    origin = f"http://localhost:{ports['web']}"
    hubspot, quickbooks = (f"http://127.0.0.1:{ports[name]}" for name in ("hubspot", "quickbooks"))
    env = {
        **inherited(),
        "DEALWRIGHT_ENV": "development",
        "PORT": str(ports["web"]),
        "PUBLIC_ORIGIN": origin,
        "SANDBOX": "1",
        "MOVABLE_CLOCK": "1",
        "LOG_FORMAT": "text",
        **_product(home, hubspot, quickbooks),
        **given,
    }
    return {**_stand_ins(home, env, ports), **env}


def _product(home: Home, hubspot: str, quickbooks: str) -> dict[str, str]:
    names = (
        *("SECRET_KEYS", "LOOKUP_KEY", "HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRETS", "HUBSPOT_APP_ID"),
        *("QUICKBOOKS_CLIENT_ID", "QUICKBOOKS_CLIENT_SECRET", "QUICKBOOKS_VERIFIER_TOKENS"),
    )
    return {
        **{name: home.keys[name] for name in names},
        "HUBSPOT_API_URL": hubspot,
        "HUBSPOT_APP_URL": hubspot,
        "QUICKBOOKS_ENVIRONMENT": "sandbox",
        "QUICKBOOKS_API_URL": quickbooks,
        "QUICKBOOKS_APP_URL": quickbooks,
        "QUICKBOOKS_AUTHORIZE_URL": f"{quickbooks}/connect/oauth2",
        "QUICKBOOKS_TOKEN_URL": f"{quickbooks}/oauth2/v1/tokens/bearer",
        "QUICKBOOKS_REVOKE_URL": f"{quickbooks}/v2/oauth2/tokens/revoke",
    }


def _stand_ins(home: Home, env: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, str]:
    """Return the stand-ins' settings, which repeat what the product was told about its providers."""
    origin = env["PUBLIC_ORIGIN"]
    state = home.folder / "sandbox"
    state.mkdir(mode=0o700, exist_ok=True)
    return {
        "SANDBOX_STATE_DIR": str(state),
        "SANDBOX_APP_ORIGIN": origin,
        "SANDBOX_HUBSPOT_PORT": str(ports["hubspot"]),
        "SANDBOX_HUBSPOT_CLIENT_ID": env["HUBSPOT_CLIENT_ID"],
        "SANDBOX_HUBSPOT_CLIENT_SECRET": env["HUBSPOT_CLIENT_SECRETS"].split(",")[0],
        "SANDBOX_HUBSPOT_APP_ID": env["HUBSPOT_APP_ID"],
        "SANDBOX_HUBSPOT_REDIRECT_URLS": f"{origin}/oauth/hubspot/callback,{origin}/oauth/hubspot/marketplace",
        "SANDBOX_HUBSPOT_WEBHOOK_URL": f"{origin}/webhooks/hubspot",
        "SANDBOX_QUICKBOOKS_PORT": str(ports["quickbooks"]),
        "SANDBOX_QUICKBOOKS_CLIENT_ID": env["QUICKBOOKS_CLIENT_ID"],
        "SANDBOX_QUICKBOOKS_CLIENT_SECRET": env["QUICKBOOKS_CLIENT_SECRET"],
        "SANDBOX_QUICKBOOKS_REDIRECT_URLS": f"{origin}/oauth/quickbooks/callback",
        "SANDBOX_QUICKBOOKS_WEBHOOK_URL": f"{origin}/webhooks/quickbooks",
        "SANDBOX_QUICKBOOKS_VERIFIER_TOKEN": env["QUICKBOOKS_VERIFIER_TOKENS"].split(",")[0],
    }
