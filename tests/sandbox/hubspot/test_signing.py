"""Signatures against published values, and the decoding of the URI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.hubspot.signing import DECODED, decode_uri, sign_v1, sign_v2, sign_v3

_VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "fixtures/signature_vectors.json").read_text())[
    "vectors"
]


class TestPublishedVectors:
    @pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["id"])
    def test_are_met(self, vector: dict[str, Any]) -> None:
        secret, body = vector["clientSecret"], vector["body"].encode()
        made = {
            "v1": lambda: sign_v1(secret, body),
            "v2": lambda: sign_v2(secret, vector["method"], vector["uri"], body),
            "v3": lambda: sign_v3(secret, vector["method"], vector["uri"], body, vector["timestamp"]),
        }[vector["version"]]()

        assert made == vector["expectedSignature"]


class TestDecoding:
    def test_decodes_the_twelve_in_either_case(self) -> None:
        assert len(DECODED) == 12
        upper = "".join(f"%{code}" for code in DECODED)

        assert decode_uri(upper) == decode_uri(upper.lower()) == ":/?@!$'()*,;"

    @pytest.mark.parametrize("kept", ["%20", "%26", "%2B", "%2b", "%3D", "%25", "%2540", "%C3%BC", "+"])
    def test_leaves_everything_else(self, kept: str) -> None:
        assert decode_uri(f"/x?a={kept}") == f"/x?a={kept}"

    def test_decodes_once(self) -> None:
        assert decode_uri("%2540%40") == "%2540@"

    def test_signature_is_over_the_decoded_uri(self) -> None:
        encoded = sign_v3("s", "GET", "http://localhost/cards/v1?userEmail=a%40b.example&x=1%202", b"", "1")

        assert encoded == sign_v3("s", "GET", "http://localhost/cards/v1?userEmail=a@b.example&x=1%202", b"", "1")
