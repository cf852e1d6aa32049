"""Tables of plain text for people, 80 to 120 columns wide."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

NARROWEST, WIDEST = 80, 120


def width() -> int:
    """Return how many columns there are to write in: the terminal's, but 80 at least and 120 at most."""
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size((100, 24)).columns))


def tidy(text: object) -> str:
    """Return a text without what would move the cursor or can't be written: names come from anybody."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(text))


def cut(text: object, most: int) -> str:
    """Return a tidy text of at most `most` characters; a cut one ends in an ellipsis."""
    clean = tidy(text)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def money(text: str | None) -> str:
    """Group the thousands of a plain amount: "-1234.50" is "-1,234.50"; no amount is a dash."""
    if text is None:
        return "–"
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, part = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{part}"


def wrapped(text: object, columns: int, indent: str, hanging: str = "") -> list[str]:
    """Return a text folded to `columns`, its first line after `indent`, the others after `indent` and `hanging`."""
    found = textwrap.wrap(
        tidy(text), columns, initial_indent=indent, subsequent_indent=indent + hanging, break_on_hyphens=False
    )
    return found or [indent.rstrip()]


def columns(rows: Sequence[Sequence[str]], *, left: frozenset[int], indent: str = "") -> Iterator[str]:
    """Yield rows as aligned columns two blanks apart; the columns in `left` are flush left, the others right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = (
            cell.ljust(space) if n in left else cell.rjust(space)
            for n, (cell, space) in enumerate(zip(row, widths, strict=True))
        )
        yield (indent + "  ".join(cells)).rstrip()
