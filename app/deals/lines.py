"""A line item of HubSpot as an item of the deal document, and what of it concerns the whole deal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.deals import pricing, service
from app.deals.notes import Notes, is_nothing
from app.deals.service import FREQUENCIES, Service
from app.ports import CrmLine
from app.problems.actions import FINANCE


@dataclass(frozen=True, slots=True)
class Line:
    """An item without the fields that depend on the other lines. `service`: of a recurring one.

    `billed_on`: the day a one-time line names, None when it goes with the deal's start.
    """

    key: str
    item: dict[str, Any]
    service: Service | None = None
    billed_on: date | None = None


def read(line: CrmLine, key: str, currency: str, won_on: date | None, notes: Notes) -> Line:
    """Read a line item; `won_on` is the close date, its start where it names none. What isn't understood is asked."""
    p = line.properties
    name = (p.get("name") or "").strip() or f"Line item {line.id}"
    notes.sources[key] = f"line item {line.id}"
    frequency = service.frequency(p)
    item: dict[str, Any] = {"key": key, "name": name, "kind": "recurring" if frequency else "one_time"}
    if sku := (p.get("hs_sku") or "").strip():
        item["sku"] = sku
    item |= pricing.read(key, name, p, currency, notes)
    if frequency and frequency not in FREQUENCIES:
        notes.ask(
            "frequency", f'"{name}" is billed "{frequency}", which Dealwright doesn\'t know.',
            "Choose one of HubSpot's billing frequencies on the line item.",
        )  # fmt: skip
    elif frequency:
        item["price_interval"] = FREQUENCIES[frequency][0]
    _ask_about_tax_and_currency(line, name, currency, notes)
    first = service.first_day(name, p, won_on, notes)
    if not frequency:
        return Line(key, item, billed_on=first)
    # Without a day there is a question already; any day will do to find the other ones.
    return Line(key, item, service=service.read(name, p, first or won_on or date(2000, 1, 1), notes))


def _ask_about_tax_and_currency(line: CrmLine, name: str, currency: str, notes: Notes) -> None:
    p = line.properties
    if not is_nothing((p.get("hs_tax_rate_group_id") or "").strip()):
        notes.ask(
            "not_supported", f'"{name}" has a tax rate, which Dealwright doesn\'t bill yet.',
            "Remove it from the line item, or bill this deal by hand.", FINANCE,
        )  # fmt: skip
    line_currency = (p.get("hs_line_item_currency_code") or currency).upper()
    if line_currency != currency:
        notes.ask(
            "currency", f'"{name}" is priced in {line_currency}, but the deal is in {currency}.',
            "Give the deal and its line items one currency.",
        )  # fmt: skip
