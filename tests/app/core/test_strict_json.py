"""JSON from strangers: what can't be kept or written back exactly is a fault, and nothing breaks the reader."""

from __future__ import annotations

import json

import pytest

from app.core.strict_json import DEEPEST, BadJson, read


def nested(levels: int, last: str = "1") -> str:
    return "[" * levels + last + "]" * levels


class TestRead:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            (b'{"a": [1, "x", null, true, 1.5]}', {"a": [1, "x", None, True, 1.5]}),
            ('{"a": {}}', {"a": {}}),
            (b'\xef\xbb\xbf{"name": "\xc3\x84"}', {"name": "Ä"}),
            ("\ufeff7", 7),
            (b' "\\ud800" ', "\ud800"),
            (nested(DEEPEST).encode(), json.loads(nested(DEEPEST))),
            (nested(DEEPEST, "").encode(), json.loads(nested(DEEPEST, ""))),
        ],
    )
    def test_returns_the_value(self, text: bytes | str, value: object) -> None:
        assert read(text) == value

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b"{'a': 1}", "not JSON"),
            (b'{"a": 1} {"a": 2}', "not JSON"),
            (b'{"a": NaN}', "NaN"),
            (b"[-Infinity]", "-Infinity"),
            (b"1e999", "too large"),
            (b"[-1E400]", "too large"),
            (b"1" * 5000, "too many digits"),
            (b"\xff{}", "not UTF-8 text (byte 1)"),
            (b'"\xc3"', "not UTF-8 text"),
            ("﻿{}".encode("utf-16"), "not UTF-8 text"),
            (b'{"a": 1, "b": 2, "a": 3}', "'a' twice"),
            (b'[{"b": {"a": 1, "a": 1}}]', "'a' twice"),
            (nested(DEEPEST + 1).encode(), "deeper than 32"),
            (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "deeper than 32"),
            (nested(100_000).encode(), "deeper than 32"),
            (b"[" * 500_000, "deeper than 32"),
            (b'{"a":' * 500_000, "deeper than 32"),
        ],
        ids=range(19),
    )
    def test_refuses_with_a_sentence(self, text: bytes, word: str) -> None:
        with pytest.raises(BadJson) as refused:
            read(text)
        sentence = str(refused.value)
        assert word in sentence
        assert len(sentence) < 200

    def test_many_names_of_which_the_last_stands_twice_take_no_time(self) -> None:
        names = ",".join(f'"n{n}":0' for n in range(50_000))
        with pytest.raises(BadJson, match="'n49999' twice"):
            read(f'{{{names},"n49999":1}}')
