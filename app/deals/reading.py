"""From a deal as HubSpot has it to a deal document: pure, and nothing is guessed.

What isn't understood becomes a finding, a sentence that a rep can act on; while there is one, the deal waits.
Facts of HubSpot's properties: a line's `hs_recurring_billing_period` is the contract's length, not the cycle; `price`
is per billing period; a stage is won when its metadata says closed with probability 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from app.ports import CrmDeal, CrmLine, CrmStage
from app.problems.actions import FINANCE, PORTAL_ADMIN, SALES, Finding

FREQUENCIES = {"monthly": "P1M", "quarterly": "P3M", "annually": "P1Y"}
_HOLDS = "Billing of this deal waits."
_ISO_TERM = re.compile(r"^P(?:(\d+)Y)?(?:(\d+)M)?$")
# Properties that change what a line costs and that this width doesn't read: set, they are a question.
_UNREAD = {
    "discount": "a discount per unit",
    "hs_discount_percentage": "a discount in percent",
    "hs_tier_ranges": "tiered prices",
    "hs_billing_start_delay_days": "a billing start delayed by days",
    "hs_billing_start_delay_months": "a billing start delayed by months",
    "hs_tax_rate_group_id": "a tax rate",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a deal says. `document` is None while `findings` hold it; `sources` names where each value came from."""

    document: dict[str, Any] | None
    sources: dict[str, str]
    findings: tuple[Finding, ...]
    won_on: date | None
    start_on: date | None = None


@dataclass(slots=True)
class _Notes:
    findings: list[Finding] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    def ask(self, code: str, sentence: str, action: str, who: str = SALES) -> None:
        self.findings.append(Finding(code=code, sentence=sentence, holds=_HOLDS, who=who, action=action))


def is_won(deal: CrmDeal, won_stages: list[str] | None) -> bool | Finding:
    """Decide from the stage's metadata and HubSpot's own flag, never from a stage's id or label.

    Where the two disagree, or the stage is unknown, the answer is a question. `won_stages` narrows the won stages to
    those the admin chose.
    """
    flag = (deal.properties.get("hs_is_closed_won") or "").lower() == "true"
    stage = deal.stage
    if stage is None:
        if not flag:
            return False
        return _stage_question(deal, "The deal's stage is not in any of HubSpot's pipelines.")
    by_stage = stage.is_closed and _probability(stage) == 1
    if by_stage != flag:
        return _stage_question(
            deal,
            f'The stage "{stage.label}" is set up as {"won" if by_stage else "not won"}, '
            f"but HubSpot marks the deal as {'won' if flag else 'not won'}.",
        )
    return by_stage and (won_stages is None or stage.id in won_stages)


def read(deal: CrmDeal, *, zone: str, home_currency: str, net_days: int, keys: Mapping[str, str]) -> Reading:
    """Read a deal into a document. `keys` gives our own item key of each line item id."""
    notes = _Notes()
    won_on = close_day(deal, zone)
    currency = (deal.properties.get("deal_currency_code") or home_currency).upper()
    notes.sources["currency"] = "the deal" if deal.properties.get("deal_currency_code") else "the HubSpot account"
    if deal.company is None:
        _ask_for_company(deal, notes)
    if not deal.lines:
        notes.ask("no_lines", "The deal has no line items, so there is nothing to bill.", "Add line items to the deal.")
    if won_on is None:
        notes.ask("no_close_date", "The deal has no close date.", "Set the deal's close date.")
    items = [_item(line, keys[line.id], currency, notes) for line in deal.lines]
    starts = _starts(deal, won_on, zone, notes)
    start = min(starts) if starts else won_on
    term_months = _term(deal, notes)
    if notes.findings or start is None or deal.company is None:
        return Reading(None, notes.sources, tuple(notes.findings), won_on, start)
    document: dict[str, Any] = {
        "id": str(deal.id),
        "customer": deal.company.get("name") or deal.company.get("domain") or f"Company {deal.company['hs_object_id']}",
        "currency": currency,
        "start": start.isoformat(),
        "term_months": term_months,
        "payment": {"net_days": net_days},
        "items": items,
    }
    intervals = [item["price_interval"] for item in items if item["kind"] == "recurring"]
    if intervals:
        document["billing"] = {"interval": intervals[0]}
        for item in items:
            if item["kind"] == "recurring" and item["price_interval"] != intervals[0]:
                item["billing"] = {"interval": item["price_interval"]}
    return Reading(document, notes.sources, (), won_on, start)


def close_day(deal: CrmDeal, zone: str) -> date | None:
    """Return the close date as a day in the billing zone; HubSpot gives an instant, as ISO text or milliseconds."""
    raw = deal.properties.get("closedate") or ""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
            return date.fromisoformat(raw)
        instant = datetime.fromtimestamp(int(raw) / 1000, UTC) if raw.isdigit() else datetime.fromisoformat(raw)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).date()
    except (ValueError, OverflowError, OSError):
        return None


def _probability(stage: CrmStage) -> Decimal | None:
    try:
        return Decimal(stage.probability)
    except InvalidOperation:
        return None


def _stage_question(deal: CrmDeal, sentence: str) -> Finding:
    return Finding(
        code="stage_unclear", sentence=sentence, holds=_HOLDS, who=PORTAL_ADMIN,
        action="Correct the stage's probability in HubSpot's pipeline settings, then move the deal again.",
    )  # fmt: skip


def _ask_for_company(deal: CrmDeal, notes: _Notes) -> None:
    if len(deal.company_ids) > 1:
        primary = len(deal.primary_company_ids)
        words = f"{primary} of them are primary ones" if primary else "none of them is the primary one"
        notes.ask(
            "several_companies",
            f"The deal has {len(deal.company_ids)} companies and {words}.",
            "Mark the company to bill as the deal's primary company.",
        )
    else:
        notes.ask("no_company", "The deal has no company, so nobody can be billed.", "Add the company to the deal.")


def _item(line: CrmLine, key: str, currency: str, notes: _Notes) -> dict[str, Any]:
    p = line.properties
    name = (p.get("name") or "").strip() or f"Line item {line.id}"
    frequency = _frequency(line)
    item: dict[str, Any] = {"key": key, "name": name, "kind": "recurring" if frequency else "one_time"}
    if p.get("hs_sku"):
        item["sku"] = p["hs_sku"]
    item["quantity"] = _decimal(p.get("quantity") or "1", f'the quantity of "{name}"', notes)
    item["unit_price"] = _decimal(p.get("price") or "", f'the price of "{name}"', notes)
    notes.sources[key] = f"line item {line.id}"
    if frequency and frequency not in FREQUENCIES:
        notes.ask(
            "frequency",
            f'"{name}" is billed "{frequency}". Dealwright bills monthly, quarterly and annually so far.',
            "Choose one of these billing frequencies on the line item.",
        )
    elif frequency:
        item["price_interval"] = FREQUENCIES[frequency]
    _ask_about_unread(name, p, notes)
    line_currency = (p.get("hs_line_item_currency_code") or currency).upper()
    if line_currency != currency:
        notes.ask(
            "currency", f'"{name}" is priced in {line_currency}, but the deal is in {currency}.',
            "Give the deal and its line items one currency.",
        )  # fmt: skip
    return item


def _frequency(line: CrmLine) -> str:
    """Return the billing frequency's text; empty for a one-time line."""
    return (line.properties.get("recurringbillingfrequency") or "").strip()


def _ask_about_unread(name: str, p: Mapping[str, str | None], notes: _Notes) -> None:
    for prop, words in _UNREAD.items():
        if not _is_nothing((p.get(prop) or "").strip()):
            notes.ask(
                "not_supported", f'"{name}" has {words}, which Dealwright doesn\'t bill yet.',
                "Remove it from the line item, or bill this deal by hand.", FINANCE,
            )  # fmt: skip
    model = (p.get("hs_pricing_model") or "flat").strip()
    if model != "flat":
        notes.ask(
            "not_supported", f'"{name}" has the pricing model "{model}", which Dealwright doesn\'t bill yet.',
            "Use a flat price, or bill this deal by hand.", FINANCE,
        )  # fmt: skip


def _is_nothing(raw: str) -> bool:
    """Whether a property is unset, or a zero however HubSpot writes it."""
    return raw == "" or re.fullmatch(r"0+(\.0*)?", raw) is not None


def _decimal(raw: str, what: str, notes: _Notes) -> str:
    """Return a plain decimal text; HubSpot's "1E+2" and "10.0" are numbers too, NaN and negatives are not prices."""
    try:
        # Python alone takes "1_000" for a number.
        value = Decimal("NaN" if "_" in raw else raw)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        shown = f'"{raw}"' if raw else "empty"
        notes.ask("bad_number", f"HubSpot has {shown} as {what}.", "Correct the line item.")
        return "0"
    text = format(abs(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _starts(deal: CrmDeal, won_on: date | None, zone: str, notes: _Notes) -> set[date]:
    """Return the first days of service the recurring lines name; the close date where a line names none."""
    starts: set[date] = set()
    for line in deal.lines:
        if not _frequency(line):
            continue
        raw = line.properties.get("hs_recurring_billing_start_date") or ""
        try:
            day = date.fromisoformat(raw[:10]) if raw else won_on
        except ValueError:
            day = None
            name = line.properties.get("name") or line.id
            notes.ask(
                "bad_start", f'HubSpot has "{raw}" as the billing start date of "{name}".', "Correct the line item."
            )
        if day is not None:
            starts.add(day)
    notes.sources["start"] = "the line items' billing start date or the close date"
    if len(starts) > 1:
        days = ", ".join(sorted(day.isoformat() for day in starts))
        notes.ask(
            "several_starts", f"The line items start on different days ({days}), which Dealwright doesn't bill yet.",
            "Give all recurring line items one billing start date.",
        )  # fmt: skip
    return starts


def _term(deal: CrmDeal, notes: _Notes) -> int | None:
    """Return the contract's length in months, the same on every recurring line; a missing one is asked for."""
    terms: set[int] = set()
    recurring = [line for line in deal.lines if _frequency(line)]
    for line in recurring:
        raw = (line.properties.get("hs_recurring_billing_period") or "").strip()
        name = line.properties.get("name") or line.id
        match = _ISO_TERM.match(raw)
        months = int(match[1] or 0) * 12 + int(match[2] or 0) if match else 0
        if not raw:
            notes.ask(
                "no_term", f'"{name}" has no term, so Dealwright doesn\'t know how long to bill it.',
                'Set "Term" on the line item, for example 12 months.',
            )  # fmt: skip
        elif months == 0:
            notes.ask(
                "bad_term", f'"{name}" has the term "{raw}". Dealwright bills terms in whole months so far.',
                'Set "Term" on the line item in months or years.',
            )  # fmt: skip
        else:
            terms.add(months)
    if len(terms) > 1:
        notes.ask(
            "several_terms",
            f"The line items have different terms ({', '.join(f'{m} months' for m in sorted(terms))}).",
            "Give all recurring line items one term.",
        )  # fmt: skip
    notes.sources["term_months"] = "the line items' term"
    # A deal of one-time items alone has no term; BILLING's own default then stands.
    return terms.pop() if len(terms) == 1 else 12
