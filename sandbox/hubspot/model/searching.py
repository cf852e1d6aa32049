"""CRM search: filters, order and pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.hubspot.errors import validation
from sandbox.hubspot.model import objects, properties
from sandbox.hubspot.model.portal import Portal
from sandbox.hubspot.object_types import ObjectType

GROUP_LIMIT = 5
FILTERS_PER_GROUP = 6
FILTER_LIMIT = 18
PAGE_LIMIT = 200
RESULT_LIMIT = 10_000

# Both sides of a comparison are of one property, and so of one type.
Comparable = Any
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "LT": lambda here, there: here < there,
    "LTE": lambda here, there: here <= there,
    "GT": lambda here, there: here > there,
    "GTE": lambda here, there: here >= there,
}


def search(portal: Portal, kind: ObjectType, body: dict[str, Any]) -> dict[str, Any]:
    """Return {"total", "results", "paging"?} for a search body. Raises a 400 beyond HubSpot's limits."""
    groups = _groups(body.get("filterGroups") or [])
    limit, after = _position(body)
    rows = [(record, objects.values(portal, kind, record)) for record in objects.listed(portal, kind)]
    found = [row for row in rows if _matches_any(portal, kind, row[1], groups) and _has_text(row[1], body)]
    for name, is_descending in reversed(_sorts(body)):
        found.sort(key=lambda row: _sort_key(portal, kind, name, row[1]), reverse=is_descending)
    page = found[after : after + limit]
    names = body.get("properties") or ()
    answer: dict[str, Any] = {
        "total": len(found),
        "results": [objects.shown(portal, kind, record, names) for record, _ in page],
    }
    if after + limit < len(found):
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return answer


def _groups(wanted: Any) -> list[list[dict[str, Any]]]:
    try:
        groups = [list(group["filters"]) for group in wanted]
    except (KeyError, TypeError):
        raise validation("filterGroups must be a list of objects with filters") from None
    if len(groups) > GROUP_LIMIT or any(len(group) > FILTERS_PER_GROUP for group in groups):
        raise validation(f"at most {GROUP_LIMIT} filterGroups with {FILTERS_PER_GROUP} filters each")
    if sum(map(len, groups)) > FILTER_LIMIT:
        raise validation(f"at most {FILTER_LIMIT} filters")
    return groups


def _position(body: dict[str, Any]) -> tuple[int, int]:
    limit, after = body.get("limit", 10), str(body.get("after") or "0")
    if not isinstance(limit, int) or not 1 <= limit <= PAGE_LIMIT or not after.isdecimal():
        raise validation(f"limit must be from 1 to {PAGE_LIMIT}, and after a position given by an earlier answer")
    if int(after) + limit > RESULT_LIMIT:
        raise validation(f"paging beyond {RESULT_LIMIT} results is not possible")
    return limit, int(after)


def _sorts(body: dict[str, Any]) -> list[tuple[str, bool]]:
    """The orders, as (property, is descending); without any, by the time of creation."""
    sorts = []
    for sort in body.get("sorts") or ["createdate"]:
        if isinstance(sort, str):
            sorts.append((sort.lstrip("-"), sort.startswith("-")))
        else:
            sorts.append((str(sort.get("propertyName")), sort.get("direction") == "DESCENDING"))
    return sorts


def _sort_key(portal: Portal, kind: ObjectType, name: str, values: dict[str, str | None]) -> tuple[bool, Any]:
    text = values.get(name)
    return (text is None, _comparable(portal, kind, name, text) if text is not None else "")


def _matches_any(
    portal: Portal, kind: ObjectType, values: dict[str, str | None], groups: list[list[dict[str, Any]]]
) -> bool:
    return not groups or any(all(_matches(portal, kind, values, rule) for rule in group) for group in groups)


def _matches(portal: Portal, kind: ObjectType, values: dict[str, str | None], rule: dict[str, Any]) -> bool:
    name, operator = str(rule.get("propertyName")), str(rule.get("operator"))
    if properties.find(portal, kind.name, name) is None:
        raise validation(f"There was a problem with the request: property {name} does not exist", names=[name])
    here = values.get(name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return (here is not None) == (operator == "HAS_PROPERTY")

    def value_of(text: Any) -> Comparable:
        return _comparable(portal, kind, name, str(text))

    if operator in ("EQ", "NEQ"):
        is_equal: bool = here is not None and value_of(here) == value_of(rule.get("value"))
        return is_equal == (operator == "EQ")
    if operator in ("IN", "NOT_IN"):
        is_among: bool = here is not None and value_of(here) in [value_of(text) for text in rule.get("values") or []]
        return is_among == (operator == "IN")
    if operator == "BETWEEN":
        low, high = value_of(rule.get("value")), value_of(rule.get("highValue"))
        return here is not None and bool(low <= value_of(here) <= high)
    if operator == "CONTAINS_TOKEN":
        return here is not None and str(rule.get("value")).strip("*").lower() in here.lower()
    if operator not in _COMPARE:
        raise validation(f"unknown operator {operator}")
    return here is not None and _COMPARE[operator](value_of(here), value_of(rule.get("value")))


def _comparable(portal: Portal, kind: ObjectType, name: str, text: str) -> Comparable:
    """Numbers and instants as numbers (ISO texts and milliseconds mean the same), other texts without case."""
    definition = properties.find(portal, kind.name, name)
    value_type = definition["type"] if definition else "string"
    try:
        if value_type == "number":
            return Decimal(text)
        if value_type in ("date", "datetime"):
            return _milliseconds(text)
    except (InvalidOperation, ValueError):
        raise validation(f"{text} is not a valid {value_type}", names=[name]) from None
    return text.lower()


def _milliseconds(text: str) -> Decimal:
    if text.lstrip("-").isdecimal():
        return Decimal(text)
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Decimal(round(moment.timestamp() * 1000))


def _has_text(values: dict[str, str | None], body: dict[str, Any]) -> bool:
    query = str(body.get("query") or "").lower()
    return not query or any(query in value.lower() for value in values.values() if value)
