"""The examples of docs/deal-document.md: each fenced JSON block and the tables below it say what has to come out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "deal-document.md"
Row = dict[str, str]
_SEPARATOR = re.compile(r"\|( *:?-+:? *\|)+")


@dataclass(frozen=True)
class Example:
    """One JSON block: what it says itself, the whole document, and the tables (by their first column's title)."""

    line: int
    said: dict[str, Any]
    document: dict[str, Any]
    tables: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def is_metrics(self) -> bool:
        """Whether it is a list of documents to measure."""
        return "documents" in self.said


def examples() -> list[Example]:
    """Return every example of the page; all but metrics are laid over the first one."""
    text = PAGE.read_text(encoding="utf-8").splitlines()
    found: list[Example] = []
    base: dict[str, Any] = {}
    at = 0
    while at < len(text):
        if text[at] == "```json":
            end = text.index("```", at)
            said = json.loads("\n".join(text[at + 1 : end]))
            base = base or said
            found.append(Example(at + 1, said, said if "documents" in said else {**base, **said}))
            at = end
        elif found and _SEPARATOR.fullmatch(text[at]):
            rows = list(_rows(text, at))
            if rows:
                found[-1].tables.setdefault(next(iter(rows[0])), []).extend(rows)
        at += 1
    return found


def _rows(text: list[str], separator: int) -> Iterator[Row]:
    heads = _cells(text[separator - 1])
    for line in text[separator + 1 :]:
        if not line.startswith("|"):
            return
        yield dict(zip(heads, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
