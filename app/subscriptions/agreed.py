"""What counts as agreed, and how an edit of it is told as dated changes. Pure.

An edit in HubSpot carries no date. It is compared item by item with what was agreed so far; each difference becomes a
step in the core's own format, which the caller dates. What no change can express is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.billing.money import plain_decimal
from app.subscriptions.settled import SILENT, SILENT_OF_ITEM

# The fields of an item that a change can set, with what they are when nothing is said, and their words.
CHANGEABLE: dict[str, tuple[Any, str]] = {
    "quantity": ("1", "quantity"), "unit_price": (None, "price"), "discounts": ([], "discounts"),
    "steps": ([], "steps"),
}  # fmt: skip
_MONTHS = {"P1M": 1, "P3M": 3, "P6M": 6, "P1Y": 12, "P12M": 12, "P2Y": 24, "P24M": 24}


@dataclass(frozen=True, slots=True)
class Step:
    """One difference: the change's body without id and days, what was agreed before, and both in words.

    `item` is the item's key, None where the deal as a whole changes.
    """

    item: str | None
    body: Mapping[str, Any]
    before: Mapping[str, Any]
    words: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All steps from one document to another; `impossible` says what no dated change can express."""

    steps: tuple[Step, ...]
    impossible: tuple[str, ...]


def content(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts as a change of the deal.

    The start froze at the win; names, article numbers and the portal's payment terms apply to the next draft and
    change nothing that was agreed.
    """
    items = [{key: value for key, value in item.items() if key not in SILENT_OF_ITEM} for item in document["items"]]
    return {key: value for key, value in document.items() if key not in ("start", *SILENT)} | {"items": items}


def applied(document: Mapping[str, Any], bodies: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a document as it reads once these changes of it are all in force."""
    items = {item["key"]: dict(item) for item in document["items"]}
    billing = document.get("billing")
    for body in bodies:
        if "add" in body:
            items[body["add"]["key"]] = dict(body["add"])
        elif "remove" in body:
            items.pop(body["remove"], None)
        elif "billing" in body:
            billing = {**(billing or {}), **body["billing"]}
        elif body.get("item") in items:
            items[body["item"]] |= {name: body[name] for name in CHANGEABLE if name in body}
    return {**document, "items": list(items.values()), **({"billing": billing} if billing else {})}


def difference(
    old: Mapping[str, Any], new: Mapping[str, Any], *, billed_once: Collection[str] = (), ended: Collection[str] = ()
) -> Difference:
    """Compare what was agreed with what is wanted now.

    `billed_once`: keys of one-time items that were issued, for which no later period comes; `ended`: keys of items
    that an earlier change removed.
    """
    wanted = _same_price_interval(old, new)
    before, after = ({item["key"]: item for item in document["items"]} for document in (old, wanted))
    steps: list[Step] = []
    impossible = [*_of_the_deal(old, wanted)]
    for key, item in after.items():
        if key in before:
            step = _changed(before[key], item, impossible)
            if step is not None and key in billed_once:
                impossible.append(f"{step.words}, after it was invoiced.")
            elif step is not None:
                steps.append(step)
        elif key in ended:
            impossible.append(f'"{_name(item)}" was ended earlier and is among the line items again.')
        else:
            steps.append(Step(key, {"add": dict(item)}, {}, f'"{_name(item)}" was added'))
    for key, item in before.items():
        if key not in after and key not in billed_once:
            steps.append(Step(key, {"remove": key}, {"item": dict(item)}, f'"{_name(item)}" was taken out'))
    billing = _billing(old, wanted)
    if billing is not None:
        steps.append(billing)
    return Difference(tuple(steps), tuple(impossible))


def _of_the_deal(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Fields of the deal itself, but for its items and its billing interval, have no change that sets them."""
    left, right = (
        {name: value for name, value in content(document).items() if name not in ("items", "billing", "changes", "id")}
        for document in (old, new)
    )
    said = []
    for name in sorted(set(left) | set(right)):
        if left.get(name) != right.get(name):
            said.append(f"The deal's {_WORDS.get(name, name.replace('_', ' '))} changed.")
    extras = [{n: v for n, v in (document.get("billing") or {}).items() if n != "interval"} for document in (old, new)]
    return said if extras[0] == extras[1] else [*said, "The way the deal is invoiced changed."]


_WORDS = {"term_months": "term", "discounts": "discount", "bill_to": "payers"}


def _billing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Step | None:
    before, after = ((document.get("billing") or {}).get("interval") for document in (old, new))
    if before == after or after is None:
        return None
    return Step(
        None, {"billing": {"interval": after}}, {"billing": {"interval": before}},
        f"The billing interval changed from {_every(before)} to {_every(after)}",
    )  # fmt: skip


def _every(interval: str | None) -> str:
    months = _MONTHS.get(interval or "P1M")
    return f"{months} month{'s' if months != 1 else ''}" if months else str(interval)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], impossible: list[str]) -> Step | None:
    name = _name(new)
    fixed = {*old, *new} - {*CHANGEABLE, *SILENT_OF_ITEM, "key"}
    if any(old.get(field) != new.get(field) for field in fixed):
        impossible.append(f'The way "{name}" is priced or invoiced changed.')
        return None
    body: dict[str, Any] = {}
    before: dict[str, Any] = {}
    words = []
    for field, (nothing, said) in CHANGEABLE.items():
        was, now = old.get(field, nothing), new.get(field, nothing)
        if not _equal(was, now):
            body[field], before[field] = now, was
            words.append(f"{said} {was} → {now}" if isinstance(now, str) else said)
    if not body:
        return None
    return Step(new["key"], {"item": new["key"], **body}, before, f'"{name}" changed: {", ".join(words)}')


def _equal(was: Any, now: Any) -> bool:
    if isinstance(was, str) and isinstance(now, str):
        return Decimal(was) == Decimal(now)
    return bool(was == now)


def _same_price_interval(old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `new` with its prices told per the intervals of `old`, where that is exact.

    HubSpot's price is per billing period: who moves a deal from monthly 100.00 to quarterly 300.00 changed when it is
    invoiced, not what it costs.
    """
    if (old.get("billing") or {}).get("interval") == (new.get("billing") or {}).get("interval"):
        return new
    before = {item["key"]: item for item in old["items"]}
    return {**new, "items": [_told_per(before.get(item["key"]), item) for item in new["items"]]}


def _told_per(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Mapping[str, Any]:
    if old is None or "billing" in old or "billing" in new or "unit_price" not in new:
        return new
    months, wanted = _MONTHS.get(old.get("price_interval", "")), _MONTHS.get(new.get("price_interval", ""))
    if months is None or wanted is None or months == wanted:
        return new
    price = Fraction(new["unit_price"]) * months / wanted
    exact = Decimal(price.numerator) / Decimal(price.denominator)
    if Fraction(exact) != price or exact != round(exact, 12):
        return new
    return {**new, "price_interval": old["price_interval"], "unit_price": plain_decimal(exact)}


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or item["key"])
