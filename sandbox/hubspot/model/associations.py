"""Links between records. Each is kept from both sides, with the numbers of its types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.hubspot.errors import HubSpotError, validation
from sandbox.hubspot.model import objects
from sandbox.hubspot.model.portal import Actor, Portal
from sandbox.hubspot.object_types import COMPANY, CONTACT, DEAL, LINE_ITEM, ObjectType, find

Links = dict[str, list[int]]


@dataclass(frozen=True)
class LinkType:
    """`name` is the type in a record's answer; `label` is what people see."""

    id: int
    name: str
    label: str | None = None


@dataclass(frozen=True)
class _Pair:
    """What may stand between two kinds: a plain type, and for companies a primary one."""

    plain: LinkType
    primary: LinkType | None = None


_PAIRS: dict[tuple[str, str], _Pair] = {
    (DEAL.name, COMPANY.name): _Pair(
        LinkType(341, "deal_to_company_unlabeled"), LinkType(5, "deal_to_company", "Primary")
    ),
    (COMPANY.name, DEAL.name): _Pair(
        LinkType(342, "company_to_deal_unlabeled"), LinkType(6, "company_to_deal", "Deal with Primary Company")
    ),
    (CONTACT.name, COMPANY.name): _Pair(
        LinkType(279, "contact_to_company_unlabeled"), LinkType(1, "contact_to_company", "Primary")
    ),
    (COMPANY.name, CONTACT.name): _Pair(
        LinkType(280, "company_to_contact_unlabeled"), LinkType(2, "company_to_contact", "Contact with Primary Company")
    ),
    (DEAL.name, CONTACT.name): _Pair(LinkType(3, "deal_to_contact")),
    (CONTACT.name, DEAL.name): _Pair(LinkType(4, "contact_to_deal")),
    (DEAL.name, LINE_ITEM.name): _Pair(LinkType(19, "deal_to_line_item")),
    (LINE_ITEM.name, DEAL.name): _Pair(LinkType(20, "line_item_to_deal")),
}


def link(
    portal: Portal, kind: ObjectType, object_id: str, to: ObjectType, to_id: str, actor: Actor, *, primary: bool = False
) -> list[LinkType]:
    """Link two records, and make the company the primary one when asked to or when it is the first.

    Returns the types that now stand between them. Raises a 400 for kinds that cannot be linked and a 404 for a
    record that does not exist.
    """
    pair = _pair(kind, to)
    objects.get(portal, kind, object_id)
    objects.get(portal, to, to_id)
    wants_primary = pair.primary is not None and (primary or not _has_primary(portal, kind, object_id, to, to_id))
    if wants_primary:
        _demote(portal, kind, object_id, to, to_id)
    is_new = to_id not in _links(portal, kind, object_id, to)
    types = [found for found in (pair.primary if wants_primary else None, pair.plain) if found]
    _add(portal, kind, object_id, to, to_id, wants_primary)
    _add(portal, to, to_id, kind, object_id, wants_primary)
    portal.kit.store.changed()
    if is_new or wants_primary:
        _tell(portal, kind, object_id, to, to_id, actor, removed=False, primary=wants_primary)
    return types


def link_by_type(
    portal: Portal, kind: ObjectType, object_id: str, to: ObjectType, to_id: str, type_id: int, actor: Actor
) -> list[LinkType]:
    """Link two records by the number of a type. Raises a 400 for a number that does not fit the two kinds."""
    pair = _pair(kind, to)
    is_primary = pair.primary is not None and type_id == pair.primary.id
    if not is_primary and type_id != pair.plain.id:
        message = f"association type {type_id} is not valid from {kind.name} to {to.name}"
        raise HubSpotError(400, "VALIDATION_ERROR", message, sub_category="crm.associations.INVALID_ASSOCIATION_TYPE")
    return link(portal, kind, object_id, to, to_id, actor, primary=is_primary)


def unlink(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType, to_id: str, actor: Actor) -> None:
    """Remove every link between two records; none there is a success."""
    pair = _pair(kind, to)
    removed = _links(portal, kind, object_id, to).pop(to_id, None)
    _links(portal, to, to_id, kind).pop(object_id, None)
    if removed is not None:
        portal.kit.store.changed()
        was_primary = pair.primary is not None and pair.primary.id in removed
        _tell(portal, kind, object_id, to, to_id, actor, removed=True, primary=was_primary)


def linked(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType) -> list[tuple[str, list[LinkType]]]:
    """Return the linked records that are not archived, each with the types between, primary first."""
    pair = _pair(kind, to)
    known = {found.id: found for found in (pair.primary, pair.plain) if found is not None}
    rows = [
        (to_id, [known[number] for number in numbers])
        for to_id, numbers in _links(portal, kind, object_id, to).items()
        if objects.find(portal, to, to_id) is not None
    ]
    return sorted(rows, key=lambda row: -len(row[1]))


def linked_ids(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType) -> list[str]:
    """Return the ids of the linked records, the primary one first."""
    return [to_id for to_id, _ in linked(portal, kind, object_id, to)]


def spec(link_type: LinkType) -> dict[str, Any]:
    """Return a type as readings of associations show it."""
    return {"category": "HUBSPOT_DEFINED", "typeId": link_type.id, "label": link_type.label}


def _pair(kind: ObjectType, to: ObjectType) -> _Pair:
    pair = _PAIRS.get((kind.name, to.name))
    if pair is None:
        raise validation(f"{kind.name} cannot be associated with {to.name}")
    return pair


def _links(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType) -> Links:
    of_record = portal.data["links"].setdefault(f"{kind.name}:{object_id}", {})
    links: Links = of_record.setdefault(to.name, {})
    return links


def _add(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType, to_id: str, primary: bool) -> None:
    pair = _pair(kind, to)
    numbers = _links(portal, kind, object_id, to).setdefault(to_id, [pair.plain.id])
    if primary and pair.primary is not None and pair.primary.id not in numbers:
        numbers.insert(0, pair.primary.id)


def _has_primary(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType, to_id: str) -> bool:
    """Whether the deal or contact among the two has a primary company already."""
    if kind is COMPANY:
        return _has_primary(portal, to, to_id, kind, object_id)
    primary = _pair(kind, to).primary
    return any(
        primary is not None and primary.id in numbers for numbers in _links(portal, kind, object_id, to).values()
    )


def _demote(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType, to_id: str) -> None:
    """A deal or contact has one primary company: take the label from the present one, on both sides."""
    if kind is COMPANY:
        _demote(portal, to, to_id, kind, object_id)
        return
    here, there = _pair(kind, to).primary, _pair(to, kind).primary
    for other_id, numbers in _links(portal, kind, object_id, to).items():
        _drop(numbers, here)
        _drop(_links(portal, to, other_id, kind).get(object_id, []), there)


def _drop(numbers: list[int], link_type: LinkType | None) -> None:
    if link_type is not None and link_type.id in numbers:
        numbers.remove(link_type.id)


def _tell(
    portal: Portal,
    kind: ObjectType,
    object_id: str,
    to: ObjectType,
    to_id: str,
    actor: Actor,
    *,
    removed: bool,
    primary: bool,
) -> None:
    """A change of association is told once from each side."""
    portal.events.association_changed(portal, kind, object_id, to, to_id, actor, removed=removed, primary=primary)
    portal.events.association_changed(portal, to, to_id, kind, object_id, actor, removed=removed, primary=primary)


def target_of(kind: ObjectType, type_id: int) -> ObjectType:
    """Return the kind of record that an association type leads to. Raises a 400."""
    for (from_name, to_name), pair in _PAIRS.items():
        if from_name == kind.name and type_id in {found.id for found in (pair.plain, pair.primary) if found}:
            return find(to_name)
    raise validation(f"association type {type_id} does not start at {kind.name}")
