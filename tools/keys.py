"""The secrets of a sandbox: made up once, kept in a private file, never used outside this machine."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from tools.files import read_json, write_private


def load(file: Path) -> dict[str, str]:
    """Return every secret by name. Missing ones are made up and written to `file` (mode 0600)."""
    known = {str(name): str(value) for name, value in (read_json(file) or {}).items()}
    missing = {name: value for name, value in _fresh().items() if name not in known}
    if missing:
        known.update(missing)
        write_private(file, json.dumps(known, indent=1))
    return known


def _fresh() -> dict[str, str]:
    return {
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "OWNER_PASSWORD": secrets.token_urlsafe(24),
        "APP_PASSWORD": secrets.token_urlsafe(24),
        "VALKEY_PASSWORD": secrets.token_urlsafe(24),
        "SECRET_KEYS": f"k1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        "LOOKUP_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "HUBSPOT_CLIENT_ID": secrets.token_hex(16),
        "HUBSPOT_CLIENT_SECRETS": secrets.token_urlsafe(24),
        "HUBSPOT_APP_ID": str(1_000_000 + secrets.randbelow(9_000_000)),
        "QUICKBOOKS_CLIENT_ID": secrets.token_urlsafe(24),
        "QUICKBOOKS_CLIENT_SECRET": secrets.token_urlsafe(24),
        "QUICKBOOKS_VERIFIER_TOKENS": secrets.token_urlsafe(24),
    }
