"""What an outside call came to: done, definitely rejected, or unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FailureKind(StrEnum):
    """Why a call definitely did nothing; each kind has its own budget of retries."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CONFIGURATION = "configuration"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Done:
    """The other side did it and said so. `value` is what it answered, in our own types."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The other side definitely did nothing. `message` is for a person; `code` is the provider's."""

    kind: FailureKind
    message: str
    code: str = ""
    retry_after_s: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was done: a time-out, a cut connection, an unreadable answer, a 5xx."""

    reason: str


Outcome = Done | Rejected | Unknown
