"""What every command about deal documents does alike: read JSON from a file or line by line, and answer each line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.core import clock
from app.core.strict_json import BadJson, read

# 0: every answer is ok. 1: some answer is not. 2: the file can't be read at all.
OK, NOT_OK, UNREADABLE = 0, 1, 2
Json = dict[str, Any]
Say = Callable[[str], None]
_MOST_ECHOED = 200


class Unreadable(Exception):
    """A file that can't be read at all; the message names it and says why."""


def invalid(field: str, value: object, allowed: str) -> Json:
    """Return the shortest `invalid` answer: one fault."""
    return {"status": "invalid", "errors": [{"field": field, "value": value, "allowed": allowed}]}


def read_file(path: Path) -> Any:
    """Return the JSON value of a file. Raises Unreadable when it can't be opened or is not JSON."""
    try:
        return read(path.read_bytes())
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from None
    except BadJson as error:
        raise Unreadable(f"{path}: {error}") from None


def answer_lines(path: Path | None, answer: Callable[[Any], Json], say: Say) -> int:
    """Answer each line of a file (standard input when None) with one line of JSON, in order, as it comes.

    A line that is not JSON answers its fault and the rest goes on. Blank lines have no answer. Returns the exit
    status; raises Unreadable.
    """
    status = OK
    for line in _lines(path):
        if not line.strip():
            continue
        body = _answer_line(line, answer)
        say(json.dumps(body, sort_keys=True, allow_nan=False))
        if body.get("status", "ok") != "ok":
            status = NOT_OK
    return status


def with_today(document: Any) -> Any:
    """Fill in `as_of` where a document doesn't say what day it is: today, in UTC."""
    if isinstance(document, dict) and document.get("as_of") is None:
        return {**document, "as_of": clock.now().date().isoformat()}
    return document


def _answer_line(line: bytes, answer: Callable[[Any], Json]) -> Json:
    try:
        value = read(line)
    except BadJson as error:
        start = line.strip()[:_MOST_ECHOED].decode("utf-8", errors="replace")
        return invalid("", start, f"one JSON object on one line. {error}")
    return answer(value)


def _lines(path: Path | None) -> Iterator[bytes]:
    # Bytes, because a line ends at a line feed only: a text's own idea of lines would split at U+2028 inside a name.
    try:
        if path is None:
            yield from sys.stdin.buffer
        else:
            with path.open("rb") as stream:
                yield from stream
    except OSError as error:
        raise Unreadable(f"{path or 'standard input'}: {error.strerror or error}") from None
