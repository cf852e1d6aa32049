"""Reading one item of a deal document, or one that a change adds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.billing import intake_parts as parts
from app.billing.calendar import add_months
from app.billing.deal import Item, ItemKind, PriceModel, UsageTerms
from app.billing.intake_parts import ANY, Frame
from app.billing.money import Money, decimals_of
from app.billing.shape import DAY, DECIMAL, INTERVAL, MONTH, TEXT, Kind, Reader, choice

# Keeps every amount, summed over a hundred years on one line, inside a 64-bit integer of minor units.
_MOST_MINOR = 10**15
_USAGE_FIELDS = ("meter", "aggregate", "included", "commit", "prepaid", "cap")


@dataclass(frozen=True, slots=True)
class _When:
    """The day of a one-time item. `on` None: a milestone that is not confirmed, named `milestone`."""

    on: date | None
    has_lead: bool = True
    milestone: str | None = None


def item(reader: Reader, frame: Frame, *, added_on: date | None = None, change: str | None = None) -> Item:
    """Read one item with its defaults filled in; an added one starts on `added_on`, the day of its `change`."""
    key = reader.need("key", TEXT)
    name = reader.get("name", TEXT, None) or key
    reader.get("sku", TEXT, None)
    kind = reader.need("kind", KIND)
    quantity, unit_price, price = _amounts(reader, frame, kind)
    start, end = _service(reader, frame, added_on)
    _only_on(reader, kind, ("price_interval", "billing"), ("recurring", "usage"))
    _only_on(reader, kind, ("when",), ("one_time",))
    _only_on(reader, kind, _USAGE_FIELDS, ("usage",))
    price_interval = frame.billing.interval
    if kind == "recurring":
        price_interval = reader.get("price_interval", INTERVAL, price_interval)
    record = reader.record("billing") if kind != "one_time" else None
    billing = parts.billing(record, frame.billing) if record else frame.billing
    when = _when(reader, frame, start) if kind == "one_time" else _When(None)
    result = Item(
        key=key, name=name, kind=kind, quantity=quantity, unit_price=unit_price, price=price,
        price_interval=price_interval, billing=billing, start=start, end=end, trial_until=_trial(reader, start, end),
        discounts=parts.discounts(reader, frame), steps=parts.steps(reader, frame), on=when.on, has_lead=when.has_lead,
        milestone=when.milestone, usage=_usage(reader, frame, key) if kind == "usage" else None,
        own_billing=record is not None, change=change,
    )  # fmt: skip
    tax(reader)
    reader.close()
    return result


def _amounts(reader: Reader, frame: Frame, kind: str) -> tuple[Decimal, Decimal, PriceModel | None]:
    quantity = reader.get("quantity", DECIMAL, Decimal(1))
    price = parts.price_model(reader, frame.currency)
    unit_price = _unit_price(reader, quantity, frame, needed=kind != "usage" and price is None)
    if price is not None and reader.has("unit_price"):
        reader.fail("unit_price", "only one of unit_price, price")
    return quantity, unit_price, price


def tax(reader: Reader) -> None:
    """Check the tax treatment of a deal or an item; the ledger decides the tax (convention 13)."""
    if record := reader.record("tax"):
        record.get("treatment", choice("exclusive", "inclusive", "exempt"), "exclusive")
        record.get("code", TEXT, None)
        record.close()


def _only_on(reader: Reader, kind: str, names: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    if kind in kinds or kind not in ("recurring", "one_time", "usage"):
        return
    for name in names:
        if reader.has(name):
            reader.fail(name, f"only on {' and '.join(kinds).replace('_', '-')} items")
        reader.get(name, ANY, None)


def _unit_price(reader: Reader, quantity: Decimal, frame: Frame, *, needed: bool) -> Decimal:
    price = reader.need("unit_price", DECIMAL) if needed else reader.get("unit_price", DECIMAL, Decimal(0))
    if Fraction(quantity) * Fraction(price) * 10 ** decimals_of(frame.currency) > _MOST_MINOR:
        reader.fail("unit_price", f"a price whose amount stays below {Money(_MOST_MINOR, frame.currency)}")
    return price


def _service(reader: Reader, frame: Frame, added_on: date | None) -> tuple[date, date | None]:
    """Return the first day of service and, where the item says so itself, the first day after it."""
    start = reader.get("start", DAY, None) or added_on or frame.start
    if added_on is not None and start < added_on:
        reader.fail("start", "a day on or after the change that adds the item")
    end, term = reader.get("end", DAY, None), reader.get("term_months", MONTH, None)
    by_term = None if term is None else add_months(start, term)
    if end is not None and by_term is not None and end != by_term:
        reader.fail("term_months", "only one of end, term_months")
    end = end or by_term
    if end is not None and end <= start:
        reader.fail("end", "a day after the item's start (the first day not served)")
        end = None
    return start, end


def _trial(reader: Reader, start: date, end: date | None) -> date | None:
    until = reader.get("trial_until", DAY, None)
    if until is not None and (until < start or (end is not None and until > end)):
        reader.fail("trial_until", "a day of the item's service (the first day that is charged)")
    return until


def _when(reader: Reader, frame: Frame, start: date) -> _When:
    """Read a one-time item's day: its start, a date, the first day of a service month, or a confirmed milestone."""
    record = reader.record_if_object("when")
    if record is None:
        return _When(reader.get("when", _START_OR_DAY, None) or start)
    form = record.one_of(("month", "event"))
    month, event = record.get("month", MONTH, 1), record.get("event", TEXT, None)
    confirmed = record.get("confirmed_on", DAY, None)
    record.close()
    if form == "event":
        return _When(confirmed, has_lead=False, milestone=event)
    return _When(frame.month(month))


def _usage(reader: Reader, frame: Frame, key: str) -> UsageTerms:
    return UsageTerms(
        meter=reader.get("meter", TEXT, None) or key,
        aggregate=reader.get("aggregate", choice("sum", "max", "last"), "sum"),
        included=parts.allowance(reader, "included", frame.currency, what="quantity"),
        commit=parts.allowance(reader, "commit", frame.currency, what="amount"),
        prepaid=parts.prepaid(reader, frame.currency),
        cap=parts.allowance(reader, "cap", frame.currency, what="amount"),
    )


def _kind(value: object) -> ItemKind:
    if value == "recurring" or value == "one_time" or value == "usage":
        return value
    raise ValueError


def _start_or_day(value: object) -> date | None:
    return None if value == "start" else DAY.read(value)


_START_OR_DAY: Kind[date | None] = Kind(_start_or_day, '"start" or a date YYYY-MM-DD', None)
KIND: Kind[ItemKind] = Kind(_kind, "one of recurring, one_time, usage", "recurring")
