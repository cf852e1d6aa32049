"""Fields of the deal document that are understood but not billed yet.

Each is checked by shape like any other field, so a document that is valid today stays valid; and each that is set to
more than its default becomes a question, because leaving it out in silence would bill a wrong amount.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.billing.shape import (
    COUNT,
    DAY,
    DECIMAL,
    FLAG,
    INTERVAL,
    MONTH,
    PERCENT,
    TEXT,
    Kind,
    Reader,
    choice,
    integer,
    money,
)

T = TypeVar("T")
ItemReader = Callable[[Reader], None]
_DAY_OF_MONTH = integer(1, 31)


def deal_fields(reader: Reader, currency: str, read_item: ItemReader) -> None:
    """Check the deal-level fields that are not billed yet. `read_item` checks an item inside a change."""
    if relation := reader.record("relation"):
        relation.other_than("kind", choice("new", "renewal", "adds", "replaces"), "new", "Relations to other deals")
        relation.values("of", TEXT)
        relation.close()
    _renewal(reader)
    _each(reader, "exits", "Early exits", lambda exit_: _exit(exit_, currency))
    _each(reader, "discounts", "Discounts", lambda discount: _discount(discount, currency, on_deal=True))
    _each(reader, "credits", "Credits", lambda credit: _credit(credit, currency))
    _each(reader, "changes", "Changes", lambda change: _change(change, currency, read_item))
    _each(reader, "bill_to", "Split payers", _payer)
    _each(reader, "usage", "Usage readings", _usage)
    tax(reader)
    _carried(reader)
    reader.other_than("control_total", money(currency), None, "Control totals")


def _each(reader: Reader, name: str, what: str, check: Callable[[Reader], None]) -> None:
    entries = reader.records(name)
    for entry in entries:
        check(entry)
        entry.close()
    if entries:
        reader.ask(name, what)


def _renewal(reader: Reader) -> None:
    renewal = reader.record("renewal")
    if renewal is None:
        return
    renewal.other_than("auto", FLAG, False, "Automatic renewals")
    renewal.other_than("term_months", MONTH, None, "Renewal terms")
    renewal.other_than("notice_days", COUNT, None, "Notice periods")
    if price := renewal.record("price"):
        form = price.one_of(("same", "uplift_percent", "list", "index", "cap_percent"))
        price.get("same", FLAG, None)
        price.get("list", FLAG, None)
        price.get("index", TEXT, None)
        for name in ("uplift_percent", "floor", "cap", "cap_percent"):
            price.get(name, PERCENT, None)
        price.close()
        if form not in (None, "same"):
            renewal.ask("price", "Renewal prices")
    renewal.close()


def _exit(reader: Reader, currency: str) -> None:
    reader.get("party", TEXT, None)
    reader.one_of(("after_month", "dates"))
    reader.get("after_month", MONTH, None)
    reader.values("dates", DAY)
    reader.get("notice_days", COUNT, None)
    reader.get("fee", money(currency), None)


def _discount(reader: Reader, currency: str, *, on_deal: bool = False) -> None:
    form = reader.one_of(("percent", "amount"))
    reader.get("percent", PERCENT, None)
    reader.get("amount", DECIMAL, None)
    per = choice("unit", "month", "period", "invoice", "once")
    if on_deal and form == "amount":
        reader.need("per", per)
    else:
        reader.get("per", per, None)
    for name in ("from_month", "to_month"):
        reader.get(name, MONTH, None)
    for name in ("from", "to"):
        reader.get(name, DAY, None)
    reader.values("items", TEXT)
    reader.get("mode", choice("multiplicative", "additive"), None)


def _credit(reader: Reader, currency: str) -> None:
    reader.need("amount", money(currency))
    reader.one_of(("when", "invoices"), required=False)
    reader.get("when", DAY, None)
    reader.get("invoices", COUNT, None)
    reader.get("carry", FLAG, None)


def _step(reader: Reader) -> None:
    reader.one_of(("from_month", "from"))
    reader.get("from_month", MONTH, None)
    reader.get("from", DAY, None)
    reader.one_of(("unit_price", "quantity", "uplift_percent"))
    reader.get("unit_price", DECIMAL, None)
    reader.get("quantity", DECIMAL, None)
    reader.get("uplift_percent", PERCENT, None)


def _payer(reader: Reader) -> None:
    reader.need("name", TEXT)
    reader.get("share", PERCENT, None)


def _usage(reader: Reader) -> None:
    reader.need("meter", TEXT)
    reader.need("start", DAY)
    reader.need("end", DAY)
    reader.need("quantity", DECIMAL)
    reader.get("complete", FLAG, None)


def _carried(reader: Reader) -> None:
    if order := reader.record("po"):
        order.other_than("number", TEXT, None, "Purchase order numbers")
        order.other_than("required", FLAG, False, "Required purchase orders")
        order.other_than("per", TEXT, None, "Purchase orders per period")
        order.close()
    if contacts := reader.record("contacts"):
        for name in ("to", "cc"):
            if contacts.values(name, TEXT):
                contacts.ask(name, "Own invoice recipients")
        contacts.close()
    reader.other_than("memo", TEXT, None, "Memos")
    reader.other_than("reference", TEXT, None, "References")


def tax(reader: Reader) -> None:
    """Check the tax treatment of a deal or an item: anything but exclusive without a code is a question."""
    if record := reader.record("tax"):
        record.other_than(
            "treatment", choice("exclusive", "inclusive", "exempt"), "exclusive", "Taxes other than exclusive ones"
        )
        record.other_than("code", TEXT, None, "Tax codes")
        record.close()


def payment_extras(reader: Reader) -> None:
    """Check the payment terms that are not billed yet."""
    if early := reader.record("early"):
        early.need("percent", PERCENT)
        early.need("days", COUNT)
        early.close()
        reader.ask("early", "Early payment discounts")
    if late := reader.record("late_fee"):
        late.need("percent", PERCENT)
        late.get("per", TEXT, None)
        late.close()
        reader.ask("late_fee", "Late fees")


def billing_extras(reader: Reader, is_deal_date: Callable[[object], bool]) -> None:
    """Check what a billing record may say beside its interval. `is_deal_date` knows the anchors that change nothing."""
    reader.other_than("timing", choice("advance", "arrears"), "advance", "Invoices in arrears")
    faults = len(reader.log.errors)
    anchor = reader.get("anchor", ANCHOR, "deal_date")
    if len(reader.log.errors) == faults and not is_deal_date(anchor):
        reader.ask("anchor", "Billing anchors other than the deal's own date")
    reader.other_than("stub", choice("own", "with_first", "with_last"), "own", "Merged first or last periods")
    reader.other_than("lead_days", COUNT, 0, "Invoices ahead of their period")
    _each(reader, "dates", "Explicit invoice dates", _invoice_date)


def _invoice_date(reader: Reader) -> None:
    reader.need("date", DAY)
    reader.get("share", PERCENT, None)


def item_extras(reader: Reader, currency: str) -> bool:
    """Check an item's fields that are not billed yet. Returns True when its amount cannot be known without them."""
    reader.other_than("trial_until", DAY, None, "Trials")
    tax(reader)
    _each(reader, "discounts", "Discounts", lambda discount: _discount(discount, currency))
    _each(reader, "steps", "Price steps", _step)
    has_model = _price(reader, currency)
    for name, what, fields in _usage_fields(currency):
        if record := reader.record(name):
            for field_name, kind in fields.items():
                record.get(field_name, kind, None)
            record.close()
            reader.ask(name, what)
    reader.get("meter", TEXT, None)
    reader.get("aggregate", choice("sum", "max", "last"), None)
    return has_model


def _usage_fields(currency: str) -> tuple[tuple[str, str, dict[str, Kind[object]]], ...]:
    amount = _plain(money(currency))
    text, count, quantity = _plain(TEXT), _plain(COUNT), _plain(DECIMAL)
    settle = _plain(choice("period_end", "term_end"))
    return (
        ("included", "Included quantities", {"quantity": quantity, "per": text, "rollover_months": count}),
        ("commit", "Commitments", {"amount": amount, "per": text, "settle": settle}),
        ("prepaid", "Prepaid credits", {"quantity": quantity, "amount": amount, "expires_months": count}),
        ("cap", "Caps", {"amount": amount, "per": text}),
    )


def _plain(kind: Kind[T]) -> Kind[object]:
    """Forget the value's type, so that kinds of several types stand in one table."""
    return Kind(kind.read, kind.allowed, kind.stand_in)


def _price(reader: Reader, currency: str) -> bool:
    price = reader.record("price")
    if price is None:
        return False
    price.need("model", choice("flat", "per_unit", "graduated", "volume", "package", "stairstep", "percentage"))
    for tier in price.records("tiers"):
        for name in ("up_to", "unit_price", "flat_fee"):
            tier.get(name, DECIMAL, None)
        tier.get("percent", PERCENT, None)
        tier.close()
    for name in ("package_size", "free"):
        price.get(name, DECIMAL, None)
    price.get("percent", PERCENT, None)
    for name in ("minimum", "maximum"):
        price.get(name, money(currency), None)
    price.close()
    reader.ask("price", "Price models")
    return True


def _change(reader: Reader, currency: str, read_item: ItemReader) -> None:
    reader.need("id", TEXT)
    reader.need("effective", DAY)
    reader.get("recorded", DAY, None)
    reader.get("proration", choice("daily", "none"), None)
    _settle(reader, currency)
    reader.one_of(("item", "add", "remove", "replace", "billing", "pause", "resume", "cancel", "uncancel"))
    reader.get("item", TEXT, None)
    reader.get("quantity", DECIMAL, None)
    reader.get("unit_price", DECIMAL, None)
    for step in reader.records("steps"):
        _step(step)
        step.close()
    for discount in reader.records("discounts"):
        _discount(discount, currency)
        discount.close()
    _change_forms(reader, read_item)


def _change_forms(reader: Reader, read_item: ItemReader) -> None:
    if added := reader.record("add"):
        read_item(added.quiet())
    reader.get("remove", TEXT, None)
    if replace := reader.record("replace"):
        replace.need("from", TEXT)
        if item := replace.record("to"):
            read_item(item.quiet())
        else:
            replace.need("to", TEXT)
        replace.close()
    if billing := reader.record("billing"):
        billing.get("interval", INTERVAL, None)
        billing_extras(billing.quiet(), lambda anchor: True)
        billing.close()
    if pause := reader.record("pause"):
        pause.get("until", DAY, None)
        pause.get("extends_term", FLAG, None)
        pause.close()
    if resume := reader.record("resume"):
        resume.get("extends_term", FLAG, None)
        resume.close()
    reader.get("cancel", choice("at", "period_end", "term_end"), None)
    reader.get("uncancel", Kind(_present, "true or an empty object", True), None)


def _settle(reader: Reader, currency: str) -> None:
    amount = money(currency)

    def read(value: object) -> object:
        return value if value in ("none", "unused") else amount.read(value)

    reader.get("settle", Kind[object](read, f'"none", "unused" or {amount.allowed}', "none"), None)


def _present(value: object) -> bool:
    if value is True or value == {}:
        return True
    raise ValueError


def _anchor(value: object) -> object:
    if value in ("deal_date", "calendar"):
        return value
    return DAY.read(value) if isinstance(value, str) else _DAY_OF_MONTH.read(value)


ANCHOR: Kind[object] = Kind(_anchor, "deal_date, calendar, a day 1 - 31 or a date YYYY-MM-DD", "deal_date")
