"""The kinds of CRM records the stand-in knows."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.hubspot.errors import HubSpotError


@dataclass(frozen=True)
class ObjectType:
    """`name` is the singular of events and errors, `plural` the name in paths, `key` the name among associations."""

    id: str
    name: str
    plural: str
    key: str
    defaults: tuple[str, ...]


CONTACT = ObjectType("0-1", "contact", "contacts", "contacts", ("firstname", "lastname", "email", "lastmodifieddate"))
COMPANY = ObjectType("0-2", "company", "companies", "companies", ("name", "domain"))
DEAL = ObjectType(
    "0-3", "deal", "deals", "deals", ("dealname", "amount", "closedate", "pipeline", "dealstage"),
)  # fmt: skip
LINE_ITEM = ObjectType("0-8", "line_item", "line_items", "line items", ())
ALL = (CONTACT, COMPANY, DEAL, LINE_ITEM)

_BY_NAME = {name: kind for kind in ALL for name in (kind.id, kind.name, kind.plural)}


def find(name: str) -> ObjectType:
    """Return the type for a path's or body's name of it: singular, plural or id. Raises a 400 as HubSpot does."""
    kind = _BY_NAME.get(name)
    if kind is None:
        raise HubSpotError(400, "VALIDATION_ERROR", f"Unable to infer object type from: {name}")
    return kind
