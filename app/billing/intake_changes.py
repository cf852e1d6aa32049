"""Reading the changes of a deal document."""

from __future__ import annotations

from dataclasses import replace

from app.billing import intake_parts as parts
from app.billing.deal import Change, Item
from app.billing.intake_items import item as read_item
from app.billing.intake_parts import Frame
from app.billing.money import Money
from app.billing.shape import DAY, DECIMAL, FLAG, TEXT, Kind, Reader, choice, money

FORMS = ("item", "add", "remove", "replace", "billing", "pause", "resume", "cancel", "uncancel")
_ITEM_FIELDS = ("quantity", "unit_price", "steps", "discounts")


def change(reader: Reader, frame: Frame, position: int) -> tuple[Change, ...]:
    """Read one change. A replacement is a removal and an addition under one id."""
    form = reader.one_of(FORMS)
    ident = reader.get("id", TEXT, None) or f"changes[{position}]"
    effective = reader.need("effective", DAY)
    base = Change(
        id=ident, kind=form or "item", effective=effective, recorded=reader.get("recorded", DAY, None),
        position=position, settle=_settle(reader, frame.currency),
        prorated=reader.get("proration", choice("daily", "none"), "daily") == "daily",
    )  # fmt: skip
    result: tuple[Change, ...]
    if form == "replace":
        result = _replacement(reader, frame, base)
    elif form == "add":
        result = (_addition(reader, frame, base),)
    else:
        result = (_plain(reader, frame, base),)
    _no_item_fields(reader, form)
    for name in FORMS:
        reader.get(name, parts.ANY, None)
    reader.close()
    return result


def _plain(reader: Reader, frame: Frame, base: Change) -> Change:
    if base.kind == "item":
        return _item_change(reader, frame, base)
    if base.kind == "remove":
        return replace(base, item=reader.need("remove", TEXT))
    if base.kind == "billing" and (record := reader.record("billing")):
        names = ("interval", "timing", "anchor", "stub", "lead_days", "dates")
        given = frozenset(name for name in names if record.has(name))
        if not given:
            reader.fail("billing", f"at least one of {', '.join(names)}")
        return replace(base, billing=parts.billing(record, frame.billing), billing_fields=given)
    if base.kind in ("pause", "resume") and (record := reader.record(base.kind)):
        until = record.get("until", DAY, None) if base.kind == "pause" else None
        if until is not None and until <= base.effective:
            record.fail("until", "a day after the pause begins (the first day served again)")
        extends = record.get("extends_term", FLAG, False)
        record.close()
        return replace(base, until=until, extends_term=extends)
    if base.kind == "cancel":
        return replace(base, cancel=reader.need("cancel", choice("at", "period_end", "term_end")))
    reader.get("uncancel", Kind(_present, "true or an empty object", True), None)
    return base


def _item_change(reader: Reader, frame: Frame, base: Change) -> Change:
    key = reader.get("item", TEXT, None)
    if key is not None and not any(reader.has(name) for name in _ITEM_FIELDS):
        reader.fail("quantity", f"one of {', '.join(_ITEM_FIELDS)}")
    return replace(
        base,
        item=key,
        quantity=reader.get("quantity", DECIMAL, None),
        unit_price=reader.get("unit_price", DECIMAL, None),
        steps=parts.steps(reader, frame) if reader.has("steps") else None,
        discounts=parts.discounts(reader, frame) if reader.has("discounts") else None,
    )


def _no_item_fields(reader: Reader, form: str | None) -> None:
    for name in _ITEM_FIELDS:
        if form is not None and form != "item" and reader.has(name):
            reader.fail(name, "only together with `item`")
        reader.get(name, parts.ANY, None)


def _addition(reader: Reader, frame: Frame, base: Change) -> Change:
    record = reader.record("add")
    return replace(base, added=_added(record, frame, base)) if record else base


def _added(record: Reader, frame: Frame, base: Change) -> Item:
    return read_item(record, frame, added_on=base.effective, change=base.id)


def _replacement(reader: Reader, frame: Frame, base: Change) -> tuple[Change, ...]:
    record = reader.record("replace")
    if record is None:
        return (base,)
    old = record.need("from", TEXT)
    new = record.record("to")
    if new is None:
        record.need("to", Kind(_never, "an item", None))
    record.close()
    removal = replace(base, kind="remove", item=old, settle=base.settle or "unused")
    if new is None:
        return (removal,)
    return removal, replace(base, kind="add", added=_added(new, frame, base))


def _settle(reader: Reader, currency: str) -> str | Money | None:
    amount = money(currency)

    def read(value: object) -> str | Money:
        return str(value) if value in ("none", "unused") else amount.read(value)

    return reader.get("settle", Kind[str | Money](read, f'"none", "unused" or {amount.allowed}', "none"), None)


def _present(value: object) -> bool:
    if value is True or value == {}:
        return True
    raise ValueError


def _never(value: object) -> None:
    raise ValueError
