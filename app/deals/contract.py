"""What the lines of a deal agree on: one start, one term, one rhythm; and what each line has of its own.

HubSpot knows these of each line only. The deal starts with its earliest recurring line and runs as long as the longest
one; a line that differs says so itself, and bills from its own first day, as HubSpot shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.billing.calendar import add_months, months_until
from app.deals.lines import Line
from app.deals.notes import Notes
from app.deals.service import Service
from app.problems.actions import FINANCE

_DEFAULT_TERM = 12


@dataclass(frozen=True, slots=True)
class Contract:
    """The deal's own terms. `term_months` None: until cancelled; `interval` None: nothing recurs."""

    start: date
    term_months: int | None
    interval: str | None
    renews: bool

    @property
    def end(self) -> date | None:
        """The first day not served of the first term."""
        return None if self.term_months is None else add_months(self.start, self.term_months)

    def fields(self) -> dict[str, Any]:
        """Return the deal-level fields of the document."""
        found: dict[str, Any] = {"start": self.start.isoformat(), "term_months": self.term_months}
        if self.interval:
            found["billing"] = {"interval": self.interval}
        if self.renews:
            found["renewal"] = {"auto": True}
        return found


def agree(lines: Sequence[Line], won_on: date, notes: Notes) -> Contract:
    """Return what the lines have in common; renewals that no one contract can hold are asked about."""
    recurring = [line for line in lines if line.service is not None]
    services = [line.service for line in recurring if line.service is not None]
    start = min((service.start for service in services), default=won_on)
    term = _term(services)
    renewing = {(service.start, service.length) for service in services if service.renews}
    notes.sources["start"] = "the line items' billing start date or the close date"
    notes.sources["term_months"] = "the line items' term"
    if renewing:
        notes.sources["renewal"] = "the line items' billing terms"
        first, length = next(iter(renewing))
        term = length.months if length else None
        if len(renewing) > 1 or first != start or any(service.length is None for service in services):
            notes.ask(
                "renewals", "Some line items renew automatically and others start or end in another way, "
                "so the deal has no one day on which it renews.",
                "Give the line items that renew one billing start and one term, or sell the others in a deal of their "
                "own.", FINANCE,
            )  # fmt: skip
    interval = next((line.item.get("price_interval") for line in recurring), None)
    return Contract(start, term, interval, bool(renewing))


def item(line: Line, contract: Contract, notes: Notes) -> dict[str, Any]:
    """Return a line's item with what it has of its own beside the contract."""
    if line.service is None:
        return line.item | _billed_on(line, contract, notes)
    found = dict(line.item)
    service, interval = line.service, line.item.get("price_interval")
    if service.start != contract.start:
        # Without an anchor it would be billed on the deal's days; HubSpot's payments count from the line's own.
        found["start"] = service.start.isoformat()
        found["billing"] = {"interval": interval, "anchor": service.start.isoformat()}
        notes.sources[f"{line.key}.start"] = "the line item's billing start"
    elif interval != contract.interval:
        found["billing"] = {"interval": interval}
    if service.length is not None and not _follows(service, contract):
        own: dict[str, Any] = {"term_months": service.length.months}
        if not service.length.months and service.end:
            own = {"end": service.end.isoformat()}
        found |= own
        notes.sources[f"{line.key}.{next(iter(own))}"] = "the line item's term"
    return found


def _billed_on(line: Line, contract: Contract, notes: Notes) -> dict[str, Any]:
    if line.billed_on is None or line.billed_on == contract.start:
        return {}
    notes.sources[f"{line.key}.when"] = "the line item's billing start"
    return {"when": line.billed_on.isoformat()}


def _follows(service: Service, contract: Contract) -> bool:
    """Whether a line ends (or renews) with the contract, so that it needs no end of its own."""
    return service.renews or (not contract.renews and service.end == contract.end)


def _term(services: Sequence[Service]) -> int | None:
    """Return the longest term in whole months; None when a line is open ended. Weeks are rounded up to months."""
    longest = 0
    for service in services:
        if service.end is None:
            return None
        months = months_until(service.start, service.end)
        longest = max(longest, months if add_months(service.start, months) == service.end else months + 1)
    # A deal of one-time items alone has no term; the document's own default then stands.
    return longest or _DEFAULT_TERM
