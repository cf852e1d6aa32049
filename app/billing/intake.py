"""From JSON to a deal: every fault is found at once, with field, value and what is allowed.

Format: docs/deal-document.md. What only a person can answer becomes a question on the result, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.billing import intake_parts as parts
from app.billing.answer import Question
from app.billing.calendar import Period
from app.billing.deal import (
    SETTLED_KINDS,
    Billing,
    Change,
    Credit,
    DealDocument,
    Discount,
    Exit,
    InvalidDocument,
    Item,
    Payer,
    RenewalTerms,
    Settled,
    UsageReading,
)
from app.billing.intake_changes import change
from app.billing.intake_items import item, tax
from app.billing.intake_parts import Frame
from app.billing.money import Money, plain_decimal
from app.billing.shape import (
    COUNT,
    CURRENCY,
    DAY,
    DECIMAL,
    FLAG,
    MONTH,
    PERCENT,
    SHARE,
    TEXT,
    WORDS,
    YES,
    Kind,
    Log,
    Reader,
    choice,
    integer,
    money,
)


def read_document(document: Mapping[str, object]) -> DealDocument:
    """Read a deal document. Raises InvalidDocument with every fault; questions are on the result, not raised."""
    log = Log()
    reader = Reader(document, "", log)
    ident = reader.get("id", TEXT, None)
    customer, currency = reader.need("customer", TEXT), reader.need("currency", CURRENCY)
    default_term = None if "term_months" in document and document["term_months"] is None else 12
    term_months = reader.get("term_months", MONTH, default_term)
    start = reader.need("start", DAY)
    record = reader.record("billing")
    billing = parts.billing(record, Billing()) if record else Billing()
    frame = Frame(currency, start, term_months, billing)
    payment = _payment(reader)
    items = _items(reader, frame)
    changes = tuple(c for n, entry in enumerate(reader.records("changes")) for c in change(entry, frame, n))
    relation, related = _relation(reader)
    renewal = _renewal(reader)
    exits = tuple(_exit(entry, frame) for entry in reader.records("exits"))
    discounts = parts.discounts(reader, frame, on_deal=True)
    credits_ = tuple(_credit(entry, frame) for entry in reader.records("credits"))
    payers = _payers(reader)
    tax(reader)
    carried = _carried(reader)
    control_total = reader.get("control_total", money(currency), None)
    terms = _terms(reader)
    usage = tuple(reading for entry in reader.records("usage") for reading in _usage(entry))
    issued = tuple(settled for entry in reader.records("issued") for settled in _issued(entry, currency))
    as_of, until = reader.get("as_of", DAY, None), reader.get("until", DAY, None)
    reader.close()
    _check_keys(reader, items, changes, discounts)
    _check_dates(reader, frame, items)
    if log.errors:
        raise InvalidDocument(tuple(log.errors))
    return DealDocument(
        customer=customer, currency=currency, start=start, term_months=term_months, end=frame.end, billing=billing,
        items=items, as_of=as_of, until=until, id=ident, relation=relation, related=related, net_days=payment.net_days,
        due_from=payment.due_from, renewal=renewal, exits=exits, discounts=discounts, credits=credits_,
        changes=changes, payers=payers, usage=usage, issued=issued, terms=terms,
        control_total=control_total, carried=(*carried, *payment.words), questions=tuple(log.questions),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Payment:
    net_days: int = 30
    due_from: str = "invoice"
    words: tuple[str, ...] = ()


def _payment(reader: Reader) -> _Payment:
    """Read the payment terms. Early-payment offers and late fees are printed, never computed into totals."""
    payment = reader.record("payment")
    if payment is None:
        return _Payment()
    net_days = payment.get("net_days", integer(0, 3650), 30)
    due_from = payment.get("from", choice("invoice", "end_of_month"), "invoice")
    words = []
    if early := payment.record("early"):
        percent, days = early.need("percent", SHARE), early.need("days", COUNT)
        words.append(f"{_plain(percent)}% discount if paid within {days} days.")
        early.close()
    if late := payment.record("late_fee"):
        fee, per = Fraction(late.need("percent", PERCENT)), late.get("per", TEXT, "month")
        words.append(f"Late payments bear {_plain(fee)}% a {per}.")
        late.close()
    payment.close()
    return _Payment(net_days, due_from, tuple(words))


def _plain(value: Fraction) -> str:
    return plain_decimal(Decimal(value.numerator) / Decimal(value.denominator))


def _items(reader: Reader, frame: Frame) -> tuple[Item, ...]:
    readers = reader.records("items")
    if not readers and not any(error.field.startswith("items") for error in reader.log.errors):
        reader.fail("items", "a list of at least one item")
    items: list[Item] = []
    for entry in readers:
        read = item(entry, frame)
        if read.key and any(read.key == other.key for other in items):
            entry.fail("key", "a key that no other item of the deal has")
        items.append(read)
    return tuple(items)


def _relation(reader: Reader) -> tuple[str, tuple[str, ...]]:
    relation = reader.record("relation")
    if relation is None:
        return "new", ()
    kind = relation.get("kind", choice("new", "renewal", "adds", "replaces"), "new")
    related = tuple(relation.values("of", TEXT))
    relation.close()
    return kind, related


def _renewal(reader: Reader) -> RenewalTerms:
    renewal = reader.record("renewal")
    if renewal is None:
        return RenewalTerms()
    auto = renewal.get("auto", FLAG, False)
    term_months = renewal.get("term_months", MONTH, None)
    notice_days = renewal.get("notice_days", COUNT, 0)
    form, uplift, words = "same", Fraction(0), ""
    if price := renewal.record("price"):
        form = price.one_of(("same", "uplift_percent", "list", "index", "cap_percent")) or "same"
        price.get("same", YES, None)
        price.get("list", YES, None)
        uplift = Fraction(price.get("uplift_percent", PERCENT, 0))
        index, floor, cap = (
            price.get("index", TEXT, ""),
            price.get("floor", PERCENT, None),
            price.get("cap", PERCENT, None),
        )
        most = price.get("cap_percent", PERCENT, None)
        for name, limit in (("floor", floor), ("cap", cap)):
            if limit is not None and form != "index":
                price.fail(name, "nothing, unless the price follows an index")
        price.close()
        if form == "index":
            limits = [
                f"{word} {limit}%" for word, limit in (("at least", floor), ("at most", cap)) if limit is not None
            ]
            words = ", ".join([f"the {index} index", *limits])
        elif form == "cap_percent":
            words = f"an increase of at most {most}%"
    renewal.close()
    return RenewalTerms(auto, term_months, notice_days, form, uplift, words)


def _exit(reader: Reader, frame: Frame) -> Exit:
    reader.one_of(("after_month", "dates"))
    after = reader.get("after_month", MONTH, None)
    result = Exit(
        party=reader.get("party", TEXT, None),
        from_day=None if after is None else frame.month(after + 1),
        dates=tuple(reader.values("dates", DAY)),
        notice_days=reader.get("notice_days", COUNT, 0),
        fee=reader.get("fee", money(frame.currency), None),
    )
    reader.close()
    return result


def _credit(reader: Reader, frame: Frame) -> Credit:
    amount = reader.need("amount", money(frame.currency))
    # "start": from the first invoice, which `lead_days` may date before the first day of service.
    on: date | None = date.min
    if when := reader.record_if_object("when"):
        form = when.one_of(("month", "event"))
        month, confirmed = when.get("month", MONTH, 1), when.get("confirmed_on", DAY, None)
        when.get("event", TEXT, None)
        when.close()
        on = confirmed if form == "event" else frame.month(month)
    else:
        day: Kind[date] = Kind(
            lambda v: date.min if v == "start" else DAY.read(v), '"start" or a date YYYY-MM-DD', date.min
        )
        on = reader.get("when", day, date.min)
    invoices, carry = reader.get("invoices", integer(1, 1200), 1), reader.get("carry", FLAG, True)
    reader.close()
    return Credit(amount, on, invoices, carry)


def _payers(reader: Reader) -> tuple[Payer, ...]:
    payers: list[Payer] = []
    for entry in reader.records("bill_to"):
        name, share = entry.need("name", TEXT), entry.get("share", SHARE, None)
        if any(name == other.name for other in payers):
            entry.fail("name", "a payer who is not named twice")
        payers.append(Payer(name, share))
        entry.close()
    if sum((payer.share or Fraction(0) for payer in payers), Fraction(0)) > 100:
        reader.fail("bill_to", "shares that are 100 in all at most; the last payer takes the rest")
    if any(payer.share is None for payer in payers[:-1]):
        reader.fail("bill_to", "a share for every payer but the last, who takes the rest")
    return tuple(payers)


def _carried(reader: Reader) -> tuple[str, ...]:
    """Read what is carried to the invoice as it is; say it in words for the document's notes."""
    words = []
    if order := reader.record("po"):
        number, required = order.get("number", TEXT, None), order.get("required", FLAG, False)
        order.get("per", TEXT, None)
        if number:
            words.append(f"PO {number}")
        elif required:
            order.ask("number", "The customer requires a purchase order number on every invoice. Which is it?")
        order.close()
    if contacts := reader.record("contacts"):
        contacts.values("to", TEXT)
        contacts.values("cc", TEXT)
        contacts.close()
    for name in ("memo", "reference"):
        if (text := reader.get(name, TEXT, None)) is not None:
            words.append(text)
    return tuple(words)


def _terms(reader: Reader) -> str:
    terms = reader.get("terms", WORDS, "")
    if terms.strip():
        text = (
            f"The words of `terms` are not read yet: “{terms.strip()}”. What do they change? "
            "Until this is answered nothing of this deal is invoiced, and the documents show it without these words."
        )
        reader.log.questions.append(Question(text, "terms", (0, len(terms))))
    return terms


def _usage(reader: Reader) -> Sequence[UsageReading]:
    meter, days = reader.need("meter", TEXT), _period(reader)
    quantity, complete = reader.need("quantity", DECIMAL), reader.get("complete", FLAG, False)
    reader.close()
    return [] if days is None else [UsageReading(meter, days, quantity, complete, reader.path("quantity"))]


def _period(reader: Reader) -> Period | None:
    faults = len(reader.log.errors)
    start, end = reader.need("start", DAY), reader.need("end", DAY)
    if len(reader.log.errors) > faults:
        return None
    if start >= end:
        reader.fail("end", "a day after start (the first day not settled)")
        return None
    return Period(start, end)


def _issued(reader: Reader, currency: str) -> Sequence[Settled]:
    item_key, days = reader.need("item", TEXT), _period(reader)
    amount = money(currency)
    charged, credited = (
        reader.get("charged", amount, Money.zero(currency)),
        reader.get("credited", amount, Money.zero(currency)),
    )
    kind = reader.get("kind", choice(*SETTLED_KINDS), "billed")
    change_id, document = reader.get("change", TEXT, None), reader.get("document", TEXT, None)
    quantity, unit_price = reader.get("quantity", DECIMAL, None), reader.get("unit_price", DECIMAL, None)
    bill_to = reader.get("bill_to", TEXT, None)
    reader.close()
    if days is None:
        return []
    return [Settled(item_key, days, charged, credited, kind, change_id, document, quantity, unit_price, bill_to)]


def _check_keys(
    reader: Reader, items: Sequence[Item], changes: Sequence[Change], discounts: Sequence[Discount]
) -> None:
    """Every key that is named has to be one of the deal's items, agreed or added."""
    added = [c.added.key for c in changes if c.added is not None]
    keys = {i.key for i in items} | set(added)
    known = f"the key of an item of this deal: {', '.join(sorted(key for key in keys if key))}"
    for n, discount in enumerate(discounts):
        for key in sorted((discount.items or frozenset()) - keys):
            reader.fault(f"discounts[{n}].items", key, known)
    days: dict[str, Change] = {}
    for one in changes:
        if days.setdefault(one.id, one).effective != one.effective:
            reader.fault(f"changes[{one.position}].id", one.id, "an id that no change of another day has")
        if one.item is not None and one.item not in keys:
            name = "item" if one.kind == "item" else "remove"
            reader.fault(f"changes[{one.position}].{name}", one.item, known)


def _check_dates(reader: Reader, frame: Frame, items: Sequence[Item]) -> None:
    """Explicit invoice dates share out a whole price, so there has to be an end."""
    if frame.billing.dates and frame.end is None:
        reader.fail("billing", "explicit invoice dates only with a fixed term")
    for n, one in enumerate(items):
        if one.end is not None or frame.end is None or one.start < frame.end:
            continue
        reader.fault(f"items[{n}].start", one.start.isoformat(), f"a day before the contract's end {frame.end}")
