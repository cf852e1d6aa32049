"""Verbs of deals: observe one as it is now, forget one that is gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.core import clock, events
from app.core.db import db
from app.customers import actions as customers
from app.customers.models import Customer
from app.deals import queries, reading
from app.deals.keys import Alias, Assigned, assign
from app.deals.models import GONE, LOST, OPEN, WON, Deal, DealItem, DealVersion
from app.portals.models import Portal
from app.ports import CrmDeal
from app.problems.actions import Finding


@dataclass(frozen=True, slots=True)
class Observed:
    """A deal after it was read: `won` is False too where a finding says that we can't tell.

    `vanished` are items whose line is gone; whether that is a question depends on what was billed of them.
    """

    deal: Deal
    customer: Customer | None
    won: bool
    version: DealVersion | None
    reading: reading.Reading
    findings: tuple[Finding, ...]
    vanished: tuple[Alias, ...] = ()


def observe(crm: CrmDeal, portal: Portal) -> Observed:
    """Write what HubSpot says of a deal now: customer, item aliases, snapshot, and a version if the deal changed."""
    deal = queries.of_hubspot(crm.id)
    if deal is None:
        deal = Deal(hubspot_deal_id=crm.id)
        db.session.add(deal)
        db.session.flush()
    customer = customers.observe(crm.company, crm.contacts) if crm.company else None
    assigned = _assign_keys(deal, crm)
    read = reading.read(
        crm, zone=portal.timezone, home_currency=portal.currency, net_days=portal.net_days, keys=assigned.keys
    )
    verdict = reading.is_won(crm, portal.won_stages)
    findings = list(read.findings)
    if isinstance(verdict, Finding):
        findings.append(verdict)
    won = verdict is True
    _write(deal, crm, customer, read, won)
    version = _version(deal, read.document, read.sources) if read.document else None
    return Observed(deal, customer, won, version, read, tuple(findings), assigned.vanished)


def gone(hubspot_deal_id: int) -> Deal | None:
    """HubSpot says the deal doesn't exist any more; return ours, marked, if we knew it."""
    deal = queries.of_hubspot(hubspot_deal_id)
    if deal is not None and deal.state != GONE:
        deal.state, deal.synced_at = GONE, clock.now()
        events.record("deal.gone", "deal", deal.id)
    return deal


def _write(deal: Deal, crm: CrmDeal, customer: Customer | None, read: reading.Reading, won: bool) -> None:
    closed = (crm.properties.get("hs_is_closed") or "").lower() == "true"
    deal.name = (crm.properties.get("dealname") or f"Deal {crm.id}").strip()
    deal.state = WON if won else LOST if closed else OPEN
    deal.stage_label = crm.stage.label if crm.stage else ""
    deal.won_on = read.won_on if won else None
    if deal.subscription_id is None:
        deal.customer_id = customer.id if customer else None
    deal.line_ids = [line.id for line in crm.lines]
    deal.contact_ids = [str(contact["hs_object_id"]) for contact in crm.contacts]
    deal.snapshot = {
        "properties": dict(crm.properties),
        "lines": {line.id: dict(line.properties) for line in crm.lines},
        "company": crm.company["hs_object_id"] if crm.company else None,
    }
    deal.synced_at = clock.now()
    db.session.flush()


def _assign_keys(deal: Deal, crm: CrmDeal) -> Assigned:
    rows = db.session.execute(select(DealItem).where(DealItem.deal_id == deal.id).order_by(DealItem.id)).scalars().all()
    known = [Alias(row.key, row.hubspot_line_id, row.hubspot_product_id, row.name) for row in rows]
    assigned = assign(known, crm.lines)
    by_key = {row.key: row for row in rows}
    for alias in assigned.changed:
        row = by_key.get(alias.key)
        if row is None:
            row = DealItem(deal_id=deal.id, key=alias.key)
            db.session.add(row)
        row.name, row.hubspot_line_id, row.hubspot_product_id = alias.name, alias.line_id, alias.product_id
    if deal.subscription_id is None:
        # Nothing is agreed yet: a line that left is simply not there, and is no question after the win either.
        for alias in assigned.vanished:
            db.session.delete(by_key[alias.key])
    return assigned


def forget_vanished(deal: Deal) -> list[str]:
    """Forget the items whose line was not among the deal's when it was last read; return their names."""
    gone = db.session.execute(
        select(DealItem).where(DealItem.deal_id == deal.id, DealItem.hubspot_line_id.not_in(deal.line_ids))
    ).scalars()
    names = []
    for item in gone.all():
        names.append(item.name)
        db.session.delete(item)
    db.session.flush()
    return names


def document_hash(document: Mapping[str, Any]) -> str:
    """Return a digest of a document that doesn't depend on the order of its fields."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _version(deal: Deal, document: dict[str, Any], sources: dict[str, str]) -> DealVersion:
    newest = queries.newest_version(deal.id)
    digest = document_hash(document)
    if newest is not None and newest.document_hash == digest:
        return newest
    version = DealVersion(
        deal_id=deal.id,
        number=(newest.number if newest else 0) + 1,
        document=document,
        sources=sources,
        document_hash=digest,
    )
    db.session.add(version)
    db.session.flush()
    events.record("deal.version", "deal", deal.id, number=version.number)
    return version
