"""From a deal as HubSpot has it to a deal document: pure, and nothing is guessed.

What isn't understood becomes a finding, a sentence that a rep can act on; while there is one, the deal waits.
Lines are read by `lines` (prices in `pricing` and `tiers`, days in `service`); `contract` finds what they agree on.
A stage is won when its metadata says closed with probability 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from app.billing.money import is_currency
from app.deals import contract, lines
from app.deals.notes import HOLDS, Notes
from app.deals.service import is_sane
from app.ports import CrmDeal, CrmStage
from app.problems.actions import PORTAL_ADMIN, Finding


@dataclass(frozen=True, slots=True)
class Reading:
    """What a deal says. `document` is None while `findings` hold it; `sources` names where each value came from."""

    document: dict[str, Any] | None
    sources: dict[str, str]
    findings: tuple[Finding, ...]
    won_on: date | None
    start_on: date | None = None


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
    notes = Notes()
    won_on = close_day(deal, zone)
    currency = (deal.properties.get("deal_currency_code") or home_currency).strip().upper()
    notes.sources["currency"] = "the deal" if deal.properties.get("deal_currency_code") else "the HubSpot account"
    _ask_about_deal(deal, currency, won_on, notes)
    closed_on = won_on if won_on and is_sane(won_on) else None
    read_lines = [lines.read(line, keys[line.id], currency, closed_on, notes) for line in deal.lines]
    agreed = contract.agree(read_lines, closed_on, notes) if closed_on else None
    start = agreed.start if agreed else None
    if notes.findings or agreed is None or deal.company is None:
        return Reading(None, notes.sources, tuple(notes.findings), won_on, start)
    document: dict[str, Any] = {
        "id": str(deal.id),
        "customer": _customer(deal.company),
        "currency": currency,
        "payment": {"net_days": net_days},
        "items": [contract.item(line, agreed, notes) for line in read_lines],
    }
    return Reading(document | agreed.fields(), notes.sources, (), won_on, start)


def _customer(company: Mapping[str, str | None]) -> str:
    names = ((company.get(prop) or "").strip() for prop in ("name", "domain"))
    return next((name for name in names if name), f"Company {company['hs_object_id']}")


def _ask_about_deal(deal: CrmDeal, currency: str, won_on: date | None, notes: Notes) -> None:
    if deal.company is None:
        _ask_for_company(deal, notes)
    if not is_currency(currency):
        notes.ask(
            "currency", f'The deal is in "{currency}", which is no currency that can be invoiced.',
            "Set the deal's currency.",
        )  # fmt: skip
    if not deal.lines:
        notes.ask("no_lines", "The deal has no line items, so there is nothing to bill.", "Add line items to the deal.")
    if won_on is None:
        notes.ask("no_close_date", "The deal has no close date.", "Set the deal's close date.")
    elif not is_sane(won_on):
        notes.ask("no_close_date", f"The deal's close date is {won_on}.", "Correct the deal's close date.")


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
        code="stage_unclear", sentence=sentence, holds=HOLDS, who=PORTAL_ADMIN,
        action="Correct the stage's probability in HubSpot's pipeline settings, then move the deal again.",
    )  # fmt: skip


def _ask_for_company(deal: CrmDeal, notes: Notes) -> None:
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
