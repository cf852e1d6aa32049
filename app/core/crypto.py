"""Sealing of secrets at rest and look-up digests.

AES-256-GCM with a key ring: the first key seals, all keys open, the key's id travels with the text, and each sealed
value is bound to its table, portal and column, so that a value copied to another row doesn't open there.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealError(ValueError):
    """A sealed value can't be opened: an unknown key, a changed value or another row's value."""


class KeyRing:
    """Seals and opens short texts. Build one per process from the settings."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], lookup_key: bytes) -> None:
        if not keys:
            raise ValueError("the key ring is empty")
        self._active = keys[0][0]
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys}
        self._lookup_key = lookup_key

    def seal(self, text: str, *, table: str, portal_id: int, column: str) -> bytes:
        """Return `key id | 0x00 | nonce | ciphertext`."""
        nonce = os.urandom(_NONCE_BYTES)
        bound = _binding(table, portal_id, column)
        body = self._ciphers[self._active].encrypt(nonce, text.encode(), bound)
        return self._active.encode() + b"\x00" + nonce + body

    def open(self, sealed: bytes, *, table: str, portal_id: int, column: str) -> str:
        """Return the text; raise SealError if the key is gone or the value belongs elsewhere."""
        key_id, _, rest = bytes(sealed).partition(b"\x00")
        cipher = self._ciphers.get(key_id.decode(errors="replace"))
        if cipher is None:
            raise SealError("the key this value was sealed with is not in the key ring")
        try:
            bound = _binding(table, portal_id, column)
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound).decode()
        except (InvalidTag, ValueError):
            # A value that was cut short has no whole nonce left, which is a ValueError.
            raise SealError("this value was changed or belongs to another row") from None

    def lookup_digest(self, purpose: str, value: str) -> str:
        """Return a keyed digest (hex) under which a guessable value, such as a realm id, can be found again."""
        return hmac.new(self._lookup_key, f"{purpose}\x00{value}".encode(), hashlib.sha256).hexdigest()


def _binding(table: str, portal_id: int, column: str) -> bytes:
    return f"{table}\x00{portal_id}\x00{column}".encode()


def new_token() -> str:
    """Return a fresh URL-safe secret of 256 bits."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Return the digest under which a random token is stored; the token itself is never kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(a: str, b: str) -> bool:
    """Compare two texts in constant time, whatever characters they hold."""
    return hmac.compare_digest(a.encode(), b.encode())
