"""Secrets at rest open only where they were sealed, and only with a key of the ring."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from app.core.crypto import KeyRing, SealError, new_token, same, token_digest

OLD, NEW, LOOKUP = b"o" * 32, b"n" * 32, b"l" * 32
PLACE: dict[str, Any] = {"table": "token", "portal_id": 7, "column": "access"}


def ring(*keys: tuple[str, bytes]) -> KeyRing:
    return KeyRing(keys or (("k1", OLD),), LOOKUP)


class TestSeal:
    def test_opens_to_the_same_text(self) -> None:
        assert ring().open(ring().seal("Grüße €", **PLACE), **PLACE) == "Grüße €"

    def test_hides_the_text_and_differs_every_time(self) -> None:
        first, second = ring().seal("secret-token", **PLACE), ring().seal("secret-token", **PLACE)
        assert first != second
        assert b"secret-token" not in first

    def test_is_refused_when_the_ring_is_empty(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            KeyRing((), LOOKUP)


class TestRotation:
    def test_old_value_opens_while_its_key_is_in_the_ring(self) -> None:
        sealed = ring(("k1", OLD)).seal("x", **PLACE)
        assert ring(("k2", NEW), ("k1", OLD)).open(sealed, **PLACE) == "x"

    def test_new_value_is_sealed_with_the_first_key(self) -> None:
        sealed = ring(("k2", NEW), ("k1", OLD)).seal("x", **PLACE)
        assert ring(("k2", NEW)).open(sealed, **PLACE) == "x"

    def test_does_not_open_when_its_key_was_removed(self) -> None:
        sealed = ring(("k1", OLD)).seal("x", **PLACE)
        with pytest.raises(SealError, match="not in the key ring"):
            ring(("k2", NEW)).open(sealed, **PLACE)

    def test_does_not_open_when_another_key_took_its_id(self) -> None:
        sealed = ring(("k1", OLD)).seal("x", **PLACE)
        with pytest.raises(SealError, match="changed or belongs"):
            ring(("k1", NEW)).open(sealed, **PLACE)


class TestBinding:
    @pytest.mark.parametrize("change", [{"table": "connection"}, {"portal_id": 8}, {"column": "refresh"}])
    def test_does_not_open_in_another_place(self, change: dict[str, object]) -> None:
        sealed = ring().seal("x", **PLACE)
        with pytest.raises(SealError, match="changed or belongs"):
            ring().open(sealed, **(PLACE | change))

    def test_places_can_not_be_confused_by_moving_a_border(self) -> None:
        sealed = ring().seal("x", table="a", portal_id=11, column="b")
        with pytest.raises(SealError):
            ring().open(sealed, table="a1", portal_id=1, column="b")


class TestChanged:
    def test_does_not_open_when_any_byte_was_changed(self) -> None:
        sealed = ring().seal("secret", **PLACE)
        for position in range(len(sealed)):
            changed = bytearray(sealed)
            changed[position] ^= 1
            with pytest.raises(SealError):
                ring().open(bytes(changed), **PLACE)

    def test_does_not_open_when_cut_anywhere(self) -> None:
        sealed = ring().seal("secret", **PLACE)
        for length in range(len(sealed)):
            with pytest.raises(SealError):
                ring().open(sealed[:length], **PLACE)


class TestLookupDigest:
    def test_is_the_same_for_the_same_value_and_hides_it(self) -> None:
        digest = ring().lookup_digest("quickbooks:production", "9130001001")
        assert digest == ring(("k9", NEW)).lookup_digest("quickbooks:production", "9130001001")
        assert "9130001001" not in digest

    def test_differs_by_purpose_and_by_key(self) -> None:
        digest = ring().lookup_digest("a", "1")
        assert digest != ring().lookup_digest("b", "1")
        assert digest != KeyRing((("k1", OLD),), NEW).lookup_digest("a", "1")
        assert ring().lookup_digest("a", "b\x00c") != ring().lookup_digest("a\x00b", "d")


class TestTokens:
    def test_are_long_random_and_stored_as_digests(self) -> None:
        tokens = {new_token() for _ in range(50)}
        assert len(tokens) == 50
        assert all(len(base64.urlsafe_b64decode(token + "=")) == 32 for token in tokens)
        assert all(token not in token_digest(token) for token in tokens)

    def test_comparison_takes_any_characters(self) -> None:
        assert same("ä", "ä")
        assert not same("ä", "a")
        assert not same("", "a")
