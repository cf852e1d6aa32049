"""The deal document: read from JSON with every fault at once, and held as frozen values.

Format: the deal document page (docs/deal-document.md when it is written). First width: recurring items of fixed
quantity billed in advance from the deal's date, and one-time items. Everything else the format knows is checked by
shape in `later` and becomes a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from app.billing import later
from app.billing.answer import FieldError, Question
from app.billing.calendar import Interval, Period, add_months, last_day_of_month
from app.billing.money import Money, decimals_of
from app.billing.shape import (
    CURRENCY,
    DAY,
    DECIMAL,
    INTERVAL,
    MONTH,
    TEXT,
    WORDS,
    Kind,
    Log,
    Reader,
    choice,
    integer,
    money,
)

ItemKind = Literal["recurring", "one_time"]
SETTLED_KINDS = ("billed", "skipped", "waived", "held", "override")
_MONTHLY = Interval(months=1)
# Keeps every amount, summed over a hundred years on one line, inside a 64-bit integer of minor units.
_MOST_MINOR = 10**15


class InvalidDocument(ValueError):
    """A document that cannot be read; `errors` lists every fault with field, value and what is allowed."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.allowed}" for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class RecurringItem:
    """`quantity` x `unit_price` each `price_interval`, invoiced every `billing_interval` (both whole months)."""

    key: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    price_interval: Interval
    billing_interval: Interval

    @property
    def price(self) -> Fraction:
        """Exact price of the whole quantity for one price interval, in major units."""
        return Fraction(self.quantity) * Fraction(self.unit_price)


@dataclass(frozen=True, slots=True)
class OneTimeItem:
    """`quantity` x `unit_price` once, served and invoiced on the day `on`."""

    key: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    on: date

    @property
    def price(self) -> Fraction:
        """Exact price of the whole quantity, in major units."""
        return Fraction(self.quantity) * Fraction(self.unit_price)


Item = RecurringItem | OneTimeItem


@dataclass(frozen=True, slots=True)
class Settled:
    """One entry of `issued`: days of an item that are settled, by an invoice (`billed`) or by a person's decision."""

    item: str
    period: Period
    charged: Money
    credited: Money
    kind: str
    change: str | None
    document: str | None

    @property
    def net(self) -> Money:
        """What was charged and not given back."""
        return self.charged - self.credited


@dataclass(frozen=True, slots=True)
class DealDocument:
    """What was agreed and what was settled.

    `end` is the first day not served, counted from the start (31 January plus one month is 28 or 29 February); None
    when open ended.
    `items` are those that bill in this width; `other_items` are the keys of those that only raise questions.
    """

    customer: str
    currency: str
    start: date
    term_months: int | None
    end: date | None
    billing_interval: Interval
    net_days: int
    due_from: str
    items: tuple[Item, ...]
    other_items: frozenset[str]
    terms: str
    issued: tuple[Settled, ...]
    as_of: date | None
    until: date | None
    questions: tuple[Question, ...]

    def due_on(self, day: date) -> date:
        """Return the due date of a document dated `day`: `net_days` after it or after the end of its month."""
        base = last_day_of_month(day.year, day.month) if self.due_from == "end_of_month" else day
        return date.fromordinal(base.toordinal() + self.net_days)


@dataclass(frozen=True)
class _Frame:
    """What an item's defaults come from."""

    currency: str
    start: date
    term_months: int | None
    interval: Interval

    @property
    def end(self) -> date | None:
        return None if self.term_months is None else add_months(self.start, self.term_months)


def read_document(document: Mapping[str, object]) -> DealDocument:
    """Read a deal document. Raises InvalidDocument with every fault; questions are on the result, not raised."""
    log = Log()
    reader = Reader(document, "", log)
    reader.get("id", TEXT, None)
    customer, currency = reader.need("customer", TEXT), reader.need("currency", CURRENCY)
    term_months = None if "term_months" in document and document["term_months"] is None else 12
    term_months = reader.get("term_months", MONTH, term_months)
    start = reader.need("start", DAY)
    interval = _deal_billing(reader, start)
    frame = _Frame(currency, start, term_months, interval)
    net_days, due_from = _payment(reader, currency)
    items, other_items = _items(reader, frame)
    later.deal_fields(reader, currency, lambda item: _skip(item, frame))
    terms = _terms(reader)
    issued = _issued(reader, currency)
    as_of, until = reader.get("as_of", DAY, None), reader.get("until", DAY, None)
    reader.close()
    if log.errors:
        raise InvalidDocument(tuple(log.errors))
    return DealDocument(
        customer=customer,
        currency=currency,
        start=start,
        term_months=term_months,
        end=frame.end,
        billing_interval=interval,
        net_days=net_days,
        due_from=due_from,
        items=items,
        other_items=other_items,
        terms=terms,
        issued=issued,
        as_of=as_of,
        until=until,
        questions=tuple(log.questions),
    )


def _terms(reader: Reader) -> str:
    terms = reader.get("terms", WORDS, "")
    if terms.strip():
        text = (
            f"The words of `terms` are not read yet: “{terms.strip()}”. What do they change? "
            "Until this is answered nothing of this deal is invoiced, and the documents show it without these words."
        )
        reader.log.questions.append(Question(text, "terms", (0, len(terms))))
    return terms


def _deal_billing(reader: Reader, start: date) -> Interval:
    billing = reader.record("billing")
    interval = _billing(billing, start, _MONTHLY) if billing else _MONTHLY
    if not interval.months:
        reader.ask("billing.interval", "Billing intervals of days or weeks")
    return interval


def _billing(billing: Reader, start: date, default: Interval) -> Interval:
    """Read a billing record; anchors that fall on the deal's own boundaries anyway are no question."""
    interval = billing.get("interval", INTERVAL, default)
    later.billing_extras(billing, lambda anchor: anchor in ("deal_date", start, start.day))
    billing.close()
    return interval


def _payment(reader: Reader, currency: str) -> tuple[int, str]:
    payment = reader.record("payment")
    if payment is None:
        return 30, "invoice"
    net_days = payment.get("net_days", integer(0, 3650), 30)
    due_from = payment.get("from", choice("invoice", "end_of_month"), "invoice")
    later.payment_extras(payment)
    payment.close()
    return net_days, due_from


def _items(reader: Reader, frame: _Frame) -> tuple[tuple[Item, ...], frozenset[str]]:
    readers = reader.records("items")
    if not readers and not any(error.field.startswith("items") for error in reader.log.errors):
        reader.fail("items", "a list of at least one item")
    items: list[Item] = []
    keys: set[str] = set()
    for item_reader in readers:
        key, item = _item(item_reader, frame)
        if key and key in keys:
            item_reader.fail("key", "a key that no other item of the deal has")
        keys.add(key)
        if item is not None:
            items.append(item)
    return tuple(items), frozenset(keys - {item.key for item in items})


def _skip(reader: Reader, frame: _Frame) -> None:
    _item(reader, frame)


def _item(reader: Reader, frame: _Frame) -> tuple[str, Item | None]:
    """Read one item. The item is None when it only raises questions (or faults)."""
    key = reader.need("key", TEXT)
    name = reader.get("name", TEXT, None) or key
    reader.get("sku", TEXT, None)
    kind = reader.need("kind", choice("recurring", "one_time", "usage"))
    quantity = reader.get("quantity", DECIMAL, Decimal(1))
    has_model = later.item_extras(reader, frame.currency)
    unit_price = _unit_price(reader, quantity, frame, needed=kind != "usage" and not has_model)
    reader.other_than("start", DAY, frame.start, "Items that start on another day than the deal")
    reader.other_than("end", DAY, frame.end, "Items that end on another day than the deal")
    reader.other_than("term_months", MONTH, frame.term_months, "Items with a term of their own")
    if kind == "usage":
        reader.ask("kind", "Usage items")
    rhythm = _rhythm(reader, frame, kind)
    on = _when(reader, frame, kind)
    reader.close()
    if kind == "usage" or has_model:
        return key, None
    if kind == "one_time":
        return key, None if on is None else OneTimeItem(key, name, quantity, unit_price, on)
    return key, None if rhythm is None else RecurringItem(key, name, quantity, unit_price, *rhythm)


def _unit_price(reader: Reader, quantity: Decimal, frame: _Frame, *, needed: bool) -> Decimal:
    price = reader.need("unit_price", DECIMAL) if needed else reader.get("unit_price", DECIMAL, Decimal(0))
    if Fraction(quantity) * Fraction(price) * 10 ** decimals_of(frame.currency) > _MOST_MINOR:
        reader.fail("unit_price", f"a price whose amount stays below {Money(_MOST_MINOR, frame.currency)}")
    return price


def _rhythm(reader: Reader, frame: _Frame, kind: str) -> tuple[Interval, Interval] | None:
    """Read price and billing interval; None when they are of a kind that does not bill yet."""
    if kind == "one_time":
        for name in ("price_interval", "billing"):
            if reader.has(name):
                reader.fail(name, "only on recurring and usage items")
            reader.get(name, _ANYTHING, None)
        return None
    price = reader.get("price_interval", INTERVAL, frame.interval)
    billing = reader.record("billing")
    interval = _billing(billing, frame.start, frame.interval) if billing else frame.interval
    if not price.months and reader.has("price_interval"):
        reader.ask("price_interval", "Prices per day or week")
    if not interval.months and billing:
        reader.ask("billing.interval", "Billing intervals of days or weeks")
    if not price.months or not interval.months:
        return None
    if max(price.months, interval.months) % min(price.months, interval.months):
        reader.ask("price_interval", f"Prices per {price.noun()} invoiced every {interval.noun()}")
        return None
    return price, interval


def _when(reader: Reader, frame: _Frame, kind: str) -> date | None:
    """Read a one-time item's day; None when it is one that is not known yet."""
    if kind != "one_time":
        if reader.has("when"):
            reader.fail("when", "only on one-time items")
        reader.get("when", _ANYTHING, None)
        return None
    faults = len(reader.log.errors)
    if reader.has("when") and (record := reader.record_if_object("when")):
        form = record.one_of(("month", "event"))
        record.get("month", MONTH, None)
        record.get("event", TEXT, None)
        record.get("confirmed_on", DAY, None)
        record.close()
        if len(reader.log.errors) == faults:
            reader.ask("when", "Milestones" if form == "event" else "One-time items in a later month")
        return None
    day = reader.get("when", _START_OR_DAY, None) or frame.start
    if frame.end is not None and day >= frame.end:
        reader.ask("when", "One-time items after the contract's last day")
    return day


def _issued(reader: Reader, currency: str) -> tuple[Settled, ...]:
    entries: list[Settled] = []
    for entry in reader.records("issued"):
        faults = len(reader.log.errors)
        item, start, end = entry.need("item", TEXT), entry.need("start", DAY), entry.need("end", DAY)
        if len(reader.log.errors) > faults:
            continue
        if start >= end:
            entry.fail("end", "a day after start (the first day not settled)")
            continue
        entry.get("quantity", DECIMAL, None)
        entry.get("unit_price", DECIMAL, None)
        entry.get("bill_to", TEXT, None)
        entries.append(
            Settled(
                item=item,
                period=Period(start, end),
                charged=entry.get("charged", money(currency), Money.zero(currency)),
                credited=entry.get("credited", money(currency), Money.zero(currency)),
                kind=entry.get("kind", choice(*SETTLED_KINDS), "billed"),
                change=entry.get("change", TEXT, None),
                document=entry.get("document", TEXT, None),
            )
        )
        entry.close()
    return tuple(entries)


def _start_or_day(value: object) -> date | None:
    return None if value == "start" else DAY.read(value)


def _same(value: object) -> object:
    return value


_START_OR_DAY: Kind[date | None] = Kind(_start_or_day, '"start" or a date YYYY-MM-DD', None)
_ANYTHING: Kind[object] = Kind(_same, "anything", None)
