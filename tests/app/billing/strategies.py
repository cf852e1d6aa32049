"""Random deals of any width: rhythms, stubs, steps, discounts, payers and changes that do not contradict each other."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from app.billing.calendar import add_months
from app.billing.money import decimals_of

from .builders import Json, deal, one_time, recurring

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
STARTS = st.one_of(
    st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    st.sampled_from([date(2027, 1, 31), date(2028, 1, 31), date(2028, 2, 29), date(2027, 12, 31), date(2027, 8, 30)]),
    st.just(date(2027, 1, 1)),
)
_MONTHS = ["P1M", "P1M", "P1M", "P3M", "P6M", "P1Y", "P2Y"]
_DAYS = ["P1W", "P2W", "P10D", "P1D"]
# One is a whole number of the other in most, neither in some, and months meet days in a few.
RHYTHMS = st.one_of(
    st.tuples(st.sampled_from(_MONTHS), st.sampled_from(_MONTHS)),
    st.sampled_from([("P2M", "P4M"), ("P5M", "P3M"), ("P3M", "P2M"), ("P1W", "P2W"), ("P4W", "P1W"), ("P1D", "P1W")]),
    st.sampled_from([("P1M", "P1W"), ("P1W", "P1M"), ("P1Y", "P10D"), ("P10D", "P10D")]),
)
_CHANGED_KINDS = (
    "quantity", "quantity", "unit_price", "discounts", "steps", "add", "remove", "replace", "billing", "pause",
    "resume", "cancel", "uncancel",
)  # fmt: skip


def iso(day: date) -> str:
    return day.isoformat()


@st.composite
def prices(draw: st.DrawFn, currency: str) -> str:
    """Return a price: round, odd, a minor unit, with more decimals than the currency, or nothing."""
    places = decimals_of(currency)
    minor = draw(st.one_of(st.sampled_from([10000, 5000, 9999, 100, 1, 0]), st.integers(0, 5_000_000)))
    if draw(st.integers(0, 4)) == 0:
        places += 2
    text = str(minor).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}" if places else text


QUANTITIES = st.one_of(st.sampled_from(["2", "1", "3", "10", "2.5", "0.75", "1000", "0"]), st.integers(0, 40).map(str))


@st.composite
def windows(draw: st.DrawFn, start: date, months: int) -> Json:
    """Return from and to of a discount: in service months, in dates, or none."""
    form = draw(st.sampled_from(["none", "months", "dates", "from_month", "from"]))
    first = draw(st.integers(1, months))
    last = draw(st.integers(first, months))
    day = start + timedelta(days=draw(st.integers(0, months * 28)))
    return {
        "none": {},
        "months": {"from_month": first, "to_month": last},
        "from_month": {"from_month": first},
        "from": {"from": iso(day)},
        "dates": {"from": iso(day), "to": iso(day + timedelta(days=draw(st.integers(1, 200))))},
    }[form]


@st.composite
def discounts(draw: st.DrawFn, currency: str, start: date, months: int, *, pers: tuple[str, ...]) -> Json:
    """Return a discount in percent or, per one of `pers`, an amount."""
    window = draw(windows(start, months))
    mode = {"mode": "additive"} if draw(st.integers(0, 4)) == 0 else {}
    if draw(st.booleans()) or not pers:
        return {"percent": draw(st.sampled_from(["10", "20", "33.3", "100", "0"])), **window, **mode}
    return {"amount": draw(prices(currency)), "per": draw(st.sampled_from(pers)), **window, **mode}


@st.composite
def steps(draw: st.DrawFn, currency: str, start: date, months: int) -> list[Json]:
    """Return one or two steps of price, quantity or uplift."""
    found: list[Json] = []
    for _ in range(draw(st.integers(1, 2))):
        form = draw(st.sampled_from(["unit_price", "quantity", "uplift_percent"]))
        value = {
            "unit_price": draw(prices(currency)), "quantity": draw(QUANTITIES),
            "uplift_percent": draw(st.sampled_from(["5", "7.5"])),
        }[form]  # fmt: skip
        if draw(st.booleans()):
            found.append({"from_month": draw(st.integers(2, months + 1)), form: value})
        else:
            found.append({"from": iso(start + timedelta(days=draw(st.integers(1, months * 30)))), form: value})
    return found


@st.composite
def rhythms(draw: st.DrawFn, start: date, interval: str) -> Json:
    """Return a `billing` of one interval: every timing, anchor and stub."""
    billing: Json = {"interval": interval}
    if draw(st.integers(0, 2)) == 0:
        billing["timing"] = "arrears"
    by_months = interval[-1] in "MY"
    anchors: list[object] = [
        "deal_date",
        "deal_date",
        "calendar",
        iso(start + timedelta(days=draw(st.integers(0, 40)))),
    ]
    if by_months:
        anchors += [1, 15, 28, 29, 30, 31]
    billing["anchor"] = draw(st.sampled_from(anchors))
    billing["stub"] = draw(st.sampled_from(["own", "own", "with_first", "with_last"]))
    if draw(st.integers(0, 4)) == 0:
        billing["lead_days"] = draw(st.sampled_from([1, 14, 40]))
    return billing


@st.composite
def items(draw: st.DrawFn, key: str, currency: str, start: date, months: int, deal_interval: str) -> Json:
    """Return a recurring or a one-time item."""
    last = (add_months(start, months) - start).days
    if draw(st.integers(0, 5)) == 0:
        day = start + timedelta(days=draw(st.integers(0, last - 1)))
        when = draw(st.sampled_from(["start", iso(day), {"month": draw(st.integers(1, months))}]))
        return one_time(key, unit_price=draw(prices(currency)), when=when)
    price_interval, interval = draw(RHYTHMS)
    item = recurring(key, unit_price=draw(prices(currency)), quantity=draw(QUANTITIES), price_interval=price_interval)
    if interval != deal_interval and draw(st.integers(0, 2)) == 0:
        item["billing"] = {"interval": interval}
    if draw(st.integers(0, 5)) == 0:
        first = start + timedelta(days=draw(st.integers(0, last - 1)))
        item["start"] = iso(first)
        if draw(st.booleans()):
            item["end"] = iso(first + timedelta(days=draw(st.integers(1, 200))))
    elif draw(st.integers(0, 6)) == 0:
        item["trial_until"] = iso(start + timedelta(days=draw(st.integers(0, min(last - 1, 45)))))
    if draw(st.integers(0, 3)) == 0:
        pers = ("unit", "month", "period", "invoice", "once")
        item["discounts"] = [draw(discounts(currency, start, months, pers=pers))]
    if draw(st.integers(0, 4)) == 0:
        item["steps"] = draw(steps(currency, start, months))
    return item


@st.composite
def plain_deals(draw: st.DrawFn, *, payers: bool = True, open_ended: bool = True) -> Json:
    """Return a deal without changes."""
    start, currency = draw(STARTS), draw(CURRENCIES)
    months = draw(st.sampled_from([1, 2, 3, 6, 12, 12, 12, 13, 18, 24]))
    interval = draw(st.sampled_from([*_MONTHS, *_DAYS[:3]]))
    document = deal(
        *[draw(items(f"item{n}", currency, start, months, interval)) for n in range(draw(st.integers(1, 3)))],
        currency=currency,
        start=iso(start),
        term_months=months,
        billing=draw(rhythms(start, interval)),
        until=iso(add_months(start, months + 3)),
    )
    if open_ended and draw(st.integers(0, 3)) == 0:
        document["term_months"] = None
        months = 12
        document["until"] = iso(add_months(start, 12))
    elif draw(st.integers(0, 5)) == 0:
        price = draw(st.sampled_from([{"same": True}, {"uplift_percent": "5"}, {"list": True}]))
        document["renewal"] = {"auto": True, "price": price, "notice_days": draw(st.sampled_from([0, 30]))}
    if draw(st.integers(0, 2)) == 0:
        pers = ("unit", "month", "period", "invoice", "once")
        document["discounts"] = [
            draw(discounts(currency, start, months, pers=pers)) for _ in range(draw(st.integers(1, 2)))
        ]
    if payers and draw(st.integers(0, 3)) == 0:
        document["bill_to"] = draw(bill_to())
    return document


@st.composite
def bill_to(draw: st.DrawFn) -> list[Json]:
    """Return two or three payers; the last takes the rest."""
    shares = draw(st.sampled_from([["40"], ["33.33", "33.33"], ["50"], ["100"], ["0"], ["12.5", "50"]]))
    return [{"name": f"Payer {n}", "share": share} for n, share in enumerate(shares)] + [{"name": "Rest"}]


@st.composite
def changes(draw: st.DrawFn, document: Json, most: int = 4) -> list[Json]:
    """Return changes on days of their own, of items in service, that end in a billable state."""
    start = date.fromisoformat(str(document["start"]))
    until = date.fromisoformat(str(document["until"]))
    end = until if "renewal" in document else add_months(start, int(str(document["term_months"] or 12)))
    currency = str(document["currency"])
    days = draw(st.lists(st.integers(0, (end - start).days - 1), min_size=1, max_size=most, unique=True))
    # An item with a service of its own could be out of it on that day, and a one-time item has passed.
    items_: list[Json] = document["items"]  # type: ignore[assignment]  # a list of objects
    live = [str(item["key"]) for item in items_ if item["kind"] == "recurring" and not {"start", "end"} & set(item)]
    found: list[Json] = []
    for n, offset in enumerate(sorted(days)):
        day = start + timedelta(days=offset)
        change: Json = {"id": f"c{n}", "effective": iso(day)}
        if draw(st.booleans()):
            change["recorded"] = iso(min(day + timedelta(days=draw(st.integers(-45, 45))), until))
        kind = draw(st.sampled_from(_CHANGED_KINDS))
        if kind in ("quantity", "unit_price", "discounts", "steps", "remove", "replace") and not live:
            kind = "add"
        change |= draw(_body(kind, live, currency, day, n))
        if kind in ("remove", "replace"):
            gone = str(change["remove"]) if kind == "remove" else str(change["replace"]["from"])  # type: ignore[index]  # both are objects
            live.remove(gone)
        if kind in ("add", "replace"):
            live.append(f"new{n}")
        found.append(change)
    return found


@st.composite
def _body(draw: st.DrawFn, kind: str, keys: list[str], currency: str, day: date, n: int) -> Json:
    key = draw(st.sampled_from(keys)) if keys else ""
    new = recurring(f"new{n}", unit_price=draw(prices(currency)), price_interval=draw(st.sampled_from(["P1M", "P1Y"])))
    settle: Json = {}
    if kind in ("quantity", "unit_price", "discounts", "remove", "replace", "cancel"):
        choice = draw(st.sampled_from([None, None, "none", "unused", "unused", "amount"]))
        if choice:
            settle["settle"] = draw(prices(currency).filter(_fits(currency))) if choice == "amount" else choice
        if draw(st.integers(0, 4)) == 0:
            settle["proration"] = "none"
    pause: Json = {"until": iso(day + timedelta(days=draw(st.integers(1, 90))))} if draw(st.booleans()) else {}
    if draw(st.integers(0, 2)) == 0:
        pause["extends_term"] = True
    billing = draw(
        st.sampled_from([{"interval": "P3M"}, {"interval": "P1M"}, {"anchor": "calendar"}, {"timing": "arrears"}])
    )
    bodies: dict[str, Json] = {
        "quantity": {"item": key, "quantity": draw(QUANTITIES)},
        "unit_price": {"item": key, "unit_price": draw(prices(currency))},
        "discounts": {"item": key, "discounts": [{"percent": draw(st.sampled_from(["10", "50", "100"]))}]},
        "steps": {"item": key, "steps": [{"from": iso(day + timedelta(days=40)), "quantity": draw(QUANTITIES)}]},
        "add": {"add": new},
        "remove": {"remove": key},
        "replace": {"replace": {"from": key, "to": new}},
        "billing": {"billing": billing},
        "pause": {"pause": pause},
        "resume": {"resume": {}},
        "cancel": {"cancel": draw(st.sampled_from(["at", "at", "period_end", "term_end"]))},
        "uncancel": {"uncancel": True},
    }
    return {**bodies[kind], **settle}


def _fits(currency: str) -> object:
    places = decimals_of(currency)
    return lambda text: len(text.partition(".")[2]) <= places


@st.composite
def changed_deals(draw: st.DrawFn, *, most: int = 4, payers: bool = True) -> Json:
    """Return a deal with changes."""
    document = draw(plain_deals(payers=payers))
    return {**document, "changes": draw(changes(document, most))}


@st.composite
def run_days(draw: st.DrawFn, document: Json, most: int = 4) -> list[date]:
    """Return days, in order, on which the billing of a deal runs."""
    start = date.fromisoformat(str(document["start"]))
    until = date.fromisoformat(str(document["until"]))
    offsets = draw(st.lists(st.integers(-45, (until - start).days), max_size=most))
    return [start + timedelta(days=offset) for offset in sorted(offsets)]
