"""Request signatures, written from HubSpot's description and independent of the application's check."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

# Only these are decoded before signing; every other escape, %20 for instance, stays as it is.
DECODED = {
    "3A": ":", "2F": "/", "3F": "?", "40": "@", "21": "!", "24": "$",
    "27": "'", "28": "(", "29": ")", "2A": "*", "2C": ",", "3B": ";",
}  # fmt: skip
_ESCAPE = re.compile("%(" + "|".join(DECODED) + ")", re.IGNORECASE)


def decode_uri(uri: str) -> str:
    """Decode the twelve sequences HubSpot decodes, once, in either case."""
    return _ESCAPE.sub(lambda found: DECODED[found[1].upper()], uri)


def sign_v1(secret: str, body: bytes) -> str:
    """Hex SHA-256 over secret and body; what webhooks carry in X-HubSpot-Signature."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def sign_v2(secret: str, method: str, uri: str, body: bytes) -> str:
    """Hex SHA-256 over secret, method, URI and body."""
    return hashlib.sha256(secret.encode() + method.encode() + uri.encode() + body).hexdigest()


def sign_v3(secret: str, method: str, uri: str, body: bytes, timestamp_ms: str) -> str:
    """Base64 HMAC-SHA-256 with the client secret over method, decoded URI, body and timestamp."""
    message = method.encode() + decode_uri(uri).encode() + body + timestamp_ms.encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()
