"""Our own item keys: HubSpot's line item ids are aliases that come and go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.ports import CrmLine


@dataclass(frozen=True, slots=True)
class Alias:
    """An item we know: our key and what HubSpot called it last."""

    key: str
    line_id: str
    product_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """Keys by line id; aliases that are new, re-pointed or renamed; items whose line is gone."""

    keys: dict[str, str]
    changed: tuple[Alias, ...]
    vanished: tuple[Alias, ...]


def assign(known: Sequence[Alias], lines: Iterable[CrmLine]) -> Assigned:
    """Give every line its item's key: by line id, else a re-added line by product and name, else a new key."""
    lines = list(lines)
    by_line = {alias.line_id: alias for alias in known}
    present = {line.id for line in lines}
    gone = [alias for alias in known if alias.line_id not in present]
    taken = {alias.key for alias in known}
    keys: dict[str, str] = {}
    changed: list[Alias] = []
    for line in lines:
        name, product = (line.properties.get("name") or "").strip(), line.properties.get("hs_product_id") or None
        alias = by_line.get(line.id)
        if alias is None:
            alias = next((a for a in gone if a.product_id == product and a.name == name), None)
            if alias is not None:
                gone.remove(alias)
                alias = Alias(alias.key, line.id, product, name)
            else:
                alias = Alias(_fresh_key(name, taken), line.id, product, name)
                taken.add(alias.key)
            changed.append(alias)
        elif (alias.name, alias.product_id) != (name, product):
            # A renamed line is the same item, and is found again by its new name.
            changed.append(Alias(alias.key, line.id, product, name))
        keys[line.id] = alias.key
    return Assigned(keys, tuple(changed), tuple(gone))


def _fresh_key(name: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "item"
    key, n = stem, 2
    while key in taken:
        key, n = f"{stem}-{n}", n + 1
    return key
