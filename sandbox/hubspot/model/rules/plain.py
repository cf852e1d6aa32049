"""Records without rules of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.hubspot.model.portal import Portal

Values = dict[str, str | None]


def _nothing(portal: Portal, stored: Values, written: Values) -> Values:
    return {}


def _no_values(portal: Portal, stored: Values) -> Values:
    return {}


@dataclass(frozen=True)
class Rules:
    """`prepare(portal, stored, written)` checks a write and returns what HubSpot sets along with it; it raises a 400.
    `computed(portal, stored)` returns the values that are worked out at each reading.
    """

    prepare: Callable[[Portal, Values, Values], Values] = _nothing
    computed: Callable[[Portal, Values], Values] = _no_values


def _contact_computed(portal: Portal, stored: Values) -> Values:
    # Contacts carry the same instant under a second, older name.
    return {"lastmodifieddate": stored.get("hs_lastmodifieddate")}


RULES = Rules()
CONTACT_RULES = Rules(computed=_contact_computed)
