"""The accounts, records and deals a first start finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandbox.hubspot.model import associations, objects
from sandbox.hubspot.model.portal import Actor, Portal, Portals
from sandbox.hubspot.object_types import COMPANY, CONTACT, DEAL, LINE_ITEM

_FILES = ("northwind.json", "alpenglow.json")


def plant(portals: Portals) -> None:
    """Make the seeded accounts. Ids come out the same each time, because they count up from a fixed number."""
    for name in _FILES:
        text = (Path(__file__).parent / name).read_text()
        _plant_portal(portals, json.loads(text))


def _plant_portal(portals: Portals, spec: dict[str, Any]) -> None:
    portal = portals.create(spec["portal"])
    actor = Actor.person(portal.user["id"])
    for company in spec["companies"]:
        company_id = objects.create(portal, COMPANY, company["properties"], actor)["id"]
        contact_ids = [objects.create(portal, CONTACT, contact, actor)["id"] for contact in company["contacts"]]
        for contact_id in contact_ids:
            associations.link(portal, CONTACT, contact_id, COMPANY, company_id, actor)
        for deal in company["deals"]:
            _plant_deal(portal, deal, company_id, contact_ids, actor)


def _plant_deal(portal: Portal, spec: dict[str, Any], company_id: str, contact_ids: list[str], actor: Actor) -> None:
    deal_id = objects.create(portal, DEAL, spec["properties"], actor)["id"]
    associations.link(portal, DEAL, deal_id, COMPANY, company_id, actor)
    for contact_id in contact_ids[:1]:
        associations.link(portal, DEAL, deal_id, CONTACT, contact_id, actor)
    for line in spec["line_items"]:
        line_id = objects.create(portal, LINE_ITEM, line, actor)["id"]
        associations.link(portal, LINE_ITEM, line_id, DEAL, deal_id, actor)
