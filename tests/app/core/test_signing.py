"""Signatures of incoming requests against the vectors that the providers' own clients publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import BadSignature
from app.core.signing import MAX_AGE_MS, hubspot_uri, hubspot_v3, verify_hubspot_v3, verify_quickbooks

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "vectors.json").read_text())
V3 = [vector for vector in VECTORS["hubspot"] if vector["version"] == "v3"]
OLDER = [vector for vector in VECTORS["hubspot"] if vector["version"] != "v3"]
SECRET, URI, BODY, NOW = "secret", "https://app.example/cards/v1/x?a=1", b'{"a": 1}', 1_700_000_000_000
TWELVE = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip


def verify(**changes: Any) -> None:
    """Verify a request that is signed rightly but for `changes`."""
    parts: dict[str, Any] = {"method": "POST", "uri": URI, "body": BODY, "timestamp": str(NOW), "now_ms": NOW}
    if "signature" not in changes:
        changes["signature"] = hubspot_v3(SECRET, "POST", URI, BODY, changes.get("timestamp", str(NOW)))
    verify_hubspot_v3(changes.pop("secrets", [SECRET]), **{**parts, **changes})


class TestPublishedVectors:
    @pytest.mark.parametrize("vector", V3, ids=[vector["id"] for vector in V3])
    def test_of_version_3_are_computed_and_accepted(self, vector: dict[str, Any]) -> None:
        parts = (vector["method"], vector["uri"], vector["body"].encode(), vector["timestamp"])
        assert hubspot_v3(vector["clientSecret"], *parts) == vector["expectedSignature"]
        verify_hubspot_v3(
            [vector["clientSecret"]], method=parts[0], uri=parts[1], body=parts[2], timestamp=parts[3],
            signature=vector["expectedSignature"], now_ms=int(vector["timestamp"]) + 1000,
        )  # fmt: skip

    @pytest.mark.parametrize("vector", OLDER, ids=[vector["id"] for vector in OLDER])
    def test_of_older_versions_are_refused_because_they_could_be_replayed(self, vector: dict[str, Any]) -> None:
        with pytest.raises(BadSignature):
            verify_hubspot_v3(
                [vector["clientSecret"]], method=vector["method"], uri=vector["uri"] or URI,
                body=vector["body"].encode(), timestamp=str(NOW), signature=vector["expectedSignature"], now_ms=NOW,
            )  # fmt: skip

    @pytest.mark.parametrize("vector", VECTORS["quickbooks"], ids=[v["id"] for v in VECTORS["quickbooks"]])
    def test_of_quickbooks_are_accepted(self, vector: dict[str, Any]) -> None:
        verify_quickbooks(
            [vector["verifierToken"]], body=vector["body"].encode(), signature=vector["expectedSignature"]
        )


class TestDecoding:
    @pytest.mark.parametrize(("escaped", "plain"), TWELVE.items())
    def test_decodes_the_twelve_in_either_case(self, escaped: str, plain: str) -> None:
        assert hubspot_uri(f"a{escaped}b{escaped.lower()}c") == f"a{plain}b{plain}c"

    def test_leaves_every_other_escape_as_it_came(self) -> None:
        others = [f"%{n:02X}" for n in range(256) if f"%{n:02X}" not in TWELVE]
        assert len(others) == 244
        assert [escape for escape in others if hubspot_uri(escape) != escape] == []
        assert hubspot_uri("%2b%zz%") == "%2b%zz%"

    def test_decodes_once_only(self) -> None:
        assert hubspot_uri("%2540%252F") == "%2540%252F"

    def test_accepts_a_signature_over_the_decoded_and_over_the_raw_address(self) -> None:
        raw, decoded = "https://a.example/c?e=ada%40x.example", "https://a.example/c?e=ada@x.example"
        for form in (raw, decoded):
            verify(uri=raw, signature=hubspot_v3(SECRET, "POST", form, BODY, str(NOW)))

    def test_refuses_a_signature_over_a_fully_decoded_address(self) -> None:
        signature = hubspot_v3(SECRET, "POST", "https://a.example/c?e=a b&f", BODY, str(NOW))
        with pytest.raises(BadSignature):
            verify(uri="https://a.example/c?e=a%20b%26f", signature=signature)


class TestWhatIsSigned:
    @pytest.mark.parametrize(
        "change",
        [{"method": "GET"}, {"uri": URI + "0"}, {"uri": URI.replace("https", "http")}, {"body": b'{"a":1}'},
         {"body": b""}, {"secrets": ["other"]}, {"secrets": []}],
    )  # fmt: skip
    def test_is_refused_when_any_part_differs(self, change: dict[str, Any]) -> None:
        with pytest.raises(BadSignature, match="doesn't match"):
            verify(**change)

    def test_is_the_body_as_utf8_bytes(self) -> None:
        body = '{"name": "Grüße 株式会社"}'.encode()
        verify(body=body, signature=hubspot_v3(SECRET, "POST", URI, body, str(NOW)))

    def test_is_the_body_even_when_it_is_no_text(self) -> None:
        body = b"\xff\xfe\x00"
        verify(body=body, signature=hubspot_v3(SECRET, "POST", URI, body, str(NOW)))

    def test_timestamp_is_signed_too(self) -> None:
        with pytest.raises(BadSignature):
            verify(timestamp=str(NOW + 1), signature=hubspot_v3(SECRET, "POST", URI, BODY, str(NOW)))


class TestAge:
    @pytest.mark.parametrize("age_ms", [0, 1, MAX_AGE_MS, -1, -MAX_AGE_MS])
    def test_is_accepted_up_to_five_minutes_before_and_after(self, age_ms: int) -> None:
        verify(timestamp=str(NOW - age_ms))

    @pytest.mark.parametrize("age_ms", [MAX_AGE_MS + 1, -MAX_AGE_MS - 1, NOW, NOW - 1700000000])
    def test_is_refused_one_millisecond_later(self, age_ms: int) -> None:
        with pytest.raises(BadSignature, match="too old or from the future"):
            verify(timestamp=str(NOW - age_ms))


class TestRotation:
    def test_second_secret_is_accepted_while_both_are_set(self) -> None:
        verify(secrets=["new", SECRET])

    def test_removed_secret_is_refused(self) -> None:
        with pytest.raises(BadSignature):
            verify(secrets=["new"])

    def test_second_verifier_token_of_quickbooks_is_accepted(self) -> None:
        vector = VECTORS["quickbooks"][1]
        tokens = ["new", vector["verifierToken"]]
        verify_quickbooks(tokens, body=vector["body"].encode(), signature=vector["expectedSignature"])


class TestHostileHeaders:
    @pytest.mark.parametrize(
        "timestamp",
        ["", " ", "NaN", "inf", "-1", f"+{NOW}", f" {NOW}", f"{NOW} ", f"{NOW}\n", f"{NOW}.0", "1e12", "0x1", "1_700",
         "١٧٠٠", "9" * 17, "9" * 5000, "x" * 100_000, "\udcff"],
    )  # fmt: skip
    def test_timestamp_that_is_no_plain_number_is_refused(self, timestamp: str) -> None:
        with pytest.raises(BadSignature, match="no valid signature time"):
            verify(timestamp=timestamp, signature="x")

    @pytest.mark.parametrize(
        "signature", ["", " ", "ä", "\udcff", "not base64!", "=" * 44, "A" * 1_000_000, "\x00", "None"]
    )
    def test_signature_of_any_shape_is_refused_and_never_an_error(self, signature: str) -> None:
        with pytest.raises(BadSignature, match="doesn't match"):
            verify(signature=signature)
        with pytest.raises(BadSignature, match="doesn't match"):
            verify_quickbooks([SECRET], body=BODY, signature=signature)

    def test_signature_with_anything_around_it_is_refused(self) -> None:
        right = hubspot_v3(SECRET, "POST", URI, BODY, str(NOW))
        verify(signature=right)
        for wrong in (right + "\n", " " + right, right.rstrip("="), right.lower(), right + right):
            with pytest.raises(BadSignature):
                verify(signature=wrong)

    def test_refusal_says_nothing_about_the_right_signature(self) -> None:
        right = hubspot_v3(SECRET, "POST", URI, BODY, str(NOW))
        with pytest.raises(BadSignature) as refused:
            verify(signature="wrong")
        assert right not in str(refused.value)
        assert refused.value.status == 401
