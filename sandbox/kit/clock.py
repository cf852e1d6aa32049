"""The day that people see. Tokens, signatures and limits never ask it."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from sandbox.kit.store import Store

_KEY = "_day"


class DayClock:
    """Today's date, which may be moved; the moved day is kept with the state of the stand-in."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def today(self, tz: str | tzinfo) -> date:
        """Return the moved day, or the real date in `tz` (a zone or its IANA name)."""
        moved = self.moved_to()
        if moved is not None:
            return moved
        zone = ZoneInfo(tz) if isinstance(tz, str) else tz
        return datetime.now(zone).date()

    def move(self, day: date | None) -> None:
        """Stand still at `day`, or follow the real date again with None."""
        with self._store.lock:
            self._store.data[_KEY] = day.isoformat() if day else None
            self._store.changed()

    def moved_to(self) -> date | None:
        """Return the day the clock was moved to, or None when it follows the real date."""
        with self._store.lock:
            text = self._store.data.get(_KEY)
        return date.fromisoformat(text) if text else None
