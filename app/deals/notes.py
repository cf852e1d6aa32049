"""What reading a deal leaves behind beside the document: questions for people, and where each value came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from app.problems.actions import SALES, Finding

HOLDS = "Billing of this deal waits."
# What a deal document and the database hold: 26 digits before the point and 12 after it.
_PLAIN = re.compile(r"[0-9]{1,26}(\.[0-9]{1,12})?")
_MOST_DIGITS = 26


@dataclass(slots=True)
class Notes:
    """Collects while a deal is read; nothing stops at the first finding."""

    findings: list[Finding] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def ask(self, code: str, sentence: str, action: str, who: str = SALES) -> None:
        """Record a question; while there is one, the deal has no document."""
        self.findings.append(Finding(code=code, sentence=sentence, holds=HOLDS, who=who, action=action))


def is_nothing(raw: str) -> bool:
    """Say whether a property is unset, or a zero however HubSpot writes it."""
    return raw == "" or re.fullmatch(r"0+(\.0*)?", raw) is not None


def number(raw: str, what: str, notes: Notes) -> Decimal | None:
    """Read a number of 0 or more, exactly; one that is none is asked about, by `what` it is, and comes back as None.

    HubSpot's "1E+2" and "10.0" are numbers too; NaN, negatives and what a deal document can't hold are not.
    """
    value = parse(raw)
    if value is None:
        shown = f'"{raw}"' if raw else "empty"
        notes.ask("bad_number", f"HubSpot has {shown} as {what}.", "Correct the line item.")
    return value


def parse(raw: str | Decimal | int) -> Decimal | None:
    """Return a number of 0 or more without needless zeros, or None where it is none that a deal document can hold."""
    try:
        # Python alone takes "1_000" for a number.
        value = Decimal("NaN" if "_" in str(raw) else raw)
    except (InvalidOperation, ValueError):
        return None
    if not value.is_finite() or value < 0 or (value != 0 and abs(value.adjusted()) > _MOST_DIGITS):
        return None
    text = plain(value)
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def plain(value: Decimal) -> str:
    """Write a decimal without sign, exponent and needless zeros."""
    text = format(abs(value), "f") if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text
