"""Signatures of incoming requests: HubSpot v3 and QuickBooks.

HubSpot v3: base64(HMAC-SHA256(secret, method + URI + body + timestamp)); the URI is the public address exactly as
called, with twelve escape sequences decoded and everything else left as it came. QuickBooks: base64(HMAC-SHA256(
verifier token, raw body)), no timestamp.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

from app.core.errors import BadSignature

MAX_AGE_MS = 300_000
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_SEQUENCE = re.compile("|".join(_DECODED), re.IGNORECASE)


def hubspot_uri(uri: str) -> str:
    """Decode the twelve sequences HubSpot decodes before signing; leave every other escape alone."""
    return _SEQUENCE.sub(lambda match: _DECODED[match.group().upper()], uri)


def hubspot_v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """Return the v3 signature of a request whose `uri` is already in signing form."""
    message = method.encode() + uri.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def verify_hubspot_v3(
    secrets: Iterable[str], *, method: str, uri: str, body: bytes, timestamp: str, signature: str, now_ms: int
) -> None:
    """Accept only a request signed by one of `secrets` within five minutes of now, before or after.

    `uri` is the public origin plus the raw request target. Both forms of it, decoded and raw, are accepted: each
    needs the secret. Raises BadSignature with a sentence that gives nothing away.
    """
    if not re.fullmatch(r"[0-9]{1,16}", timestamp):
        raise BadSignature("The request carries no valid signature time.")
    if abs(now_ms - int(timestamp)) > MAX_AGE_MS:
        raise BadSignature("The request's signature is too old or from the future.")
    given = signature.encode("utf-8", "surrogateescape")
    forms = {hubspot_uri(uri), uri}
    expected = [hubspot_v3(secret, method, form, body, timestamp).encode() for secret in secrets for form in forms]
    # Every candidate is compared, so that the time taken doesn't tell which one came close.
    matches = [hmac.compare_digest(given, candidate) for candidate in expected]
    if not any(matches):
        raise BadSignature("The request's signature doesn't match.")


def verify_quickbooks(tokens: Iterable[str], *, body: bytes, signature: str) -> None:
    """Accept only a body signed with one of the verifier tokens. Raises BadSignature."""
    given = signature.encode("utf-8", "surrogateescape")
    expected = [base64.b64encode(hmac.new(t.encode(), body, hashlib.sha256).digest()) for t in tokens]
    matches = [hmac.compare_digest(given, candidate) for candidate in expected]
    if not any(matches):
        raise BadSignature("The notification's signature doesn't match.")
