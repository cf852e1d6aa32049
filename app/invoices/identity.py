"""By what the ledger's records of ours are recognised, and what makes a repeated request harmless.

Row ids alone would not do: a database restored from scratch counts from one again, and must neither adopt an older
installation's invoice nor be answered with it. So the instant of the row's birth belongs to its identity.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime


def mark(kind: str, local_id: int, born_at: datetime) -> str:
    """Return the mark we leave in a ledger record, in brackets so that no mark is part of another."""
    return f"[dealwright {kind} {local_id} {_digest(kind, local_id, _instant(born_at))[:12]}]"


def request_id(environment: str, realm: str, kind: str, local_id: str, born_at: datetime, epoch: int) -> str:
    """Return the id under which the ledger answers a repeat of this very request: 32 characters, of 36 allowed.

    `born_at` is the instant at which the work row was made; `epoch` grows only after a definite rejection.
    """
    return _digest(environment, realm, kind, local_id, _instant(born_at), epoch)[:32]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _digest(*parts: object) -> str:
    return hashlib.sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()
