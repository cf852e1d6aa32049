"""Random valid deal documents: simple ones often, corner dates more often than the calendar has them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.oracle.amendments import with_changes
from tests.oracle.dates import add_months, interval_of

Body = dict[str, Any]
# Each name can be asked for alone (`--only`): a document then uses nothing else.
FEATURES = (
    *("currencies", "intervals", "anchors", "stubs", "arrears", "lead", "items", "own_billing", "trial", "one_time"),
    *("steps", "discounts", "item_amounts", "deal_discounts", "open", "models", "payers", "renewal"),
    *("quantity", "price", "change_steps", "change_discounts", "pause", "cancel", "uncancel", "add", "remove"),
    *("replace", "settle", "amount_settle", "proration", "recorded"),
    *("deal_amounts", "credits"),
)
SETS = {
    "recurring": ("currencies", "intervals", "arrears", "lead"),
    "plain": (*FEATURES[: FEATURES.index("deal_discounts") + 1], "open"),
    "changes": FEATURES[FEATURES.index("quantity") : FEATURES.index("deal_amounts")],
}
# The documents of the first 10,000 on which the two billers still differ: several changes of one item that meet.
# 1080, 9119: a pause that is lifted inside the period of which an agreed amount comes back. 9426: such an amount of a
# period in arrears. 7041: a change of price that counts from before a step, and other steps on that step's day.
# 4021, 4327, 5433, 7798, 7894, 8453, 9215, 9454: an `unused` change is less, or is seen early, only without another
# change. 8522: one that counts from before the old amount that waits, and is more there. 4042: a step of an old amount
# that would have ended its waiting, were it not for another decrease in between. 4337: whether a discount whose window
# is over waited too. 8697, 8753: which of two changes of a day names the document.
CORNERS = frozenset(
    {1080, 4021, 4042, 4327, 4337, 5433, 7041, 7798, 7894, 8453, 8522, 8697, 8753, 9119, 9215, 9426, 9454}
)
# The same of whole lives. 989: like 4337. 6335: steps that take a future rise of an old amount away while it waits.
# 7774, 8571, 9897: like 1080. 6770, 9346, 9931: a cent spread over many invoices, of which the first parts are nothing,
# so no entry says that they were given.
CORNERS_OF_LIVES = CORNERS | {989, 6335, 6770, 7774, 8571, 9346, 9897, 9931}
STARTS = (
    *("2027-01-01", "2027-01-31", "2027-01-30", "2027-01-29", "2028-02-29", "2027-02-28", "2028-01-31", "2026-12-31"),
    *("2027-03-31", "2027-08-31", "2027-11-30", "2028-02-01", "2027-04-30", "2026-02-28", "2027-12-15", "2028-01-29"),
)
INTERVALS = (
    "P1M",
    "P1M",
    "P1M",
    "P3M",
    "P3M",
    "P6M",
    "P1Y",
    "P1Y",
    "P2Y",
    "P2M",
    "P4M",
    "P12M",
    "P1W",
    "P2W",
    "P10D",
    "P30D",
)
PRICES = {
    2: ("100.00", "100.00", "99.99", "33.33", "0.01", "1234.56", "7.77", "0.125", "1000.00", "0.00"),
    0: ("1000", "100", "7", "1", "33333", "0.5", "0"),
    3: ("10.000", "33.333", "0.001", "1.005", "99.999", "0.0005"),
}
QUANTITIES = ("1", "1", "1", "10", "3", "7", "2.5", "0", "100")


@dataclass(slots=True)
class Draw:
    """A random source and the features a document may use."""

    rng: random.Random
    features: frozenset[str]
    chance: float

    def uses(self, feature: str, chance: float | None = None) -> bool:
        """Toss whether to use `feature`."""
        return feature in self.features and self.rng.random() < (self.chance if chance is None else chance)

    def day(self, start: date, end: date) -> date:
        """Draw a day of [start, end): often a corner of the month or of the range."""
        span = max(1, (end - start).days)
        day = start + timedelta(days=self.rng.randrange(span))
        corner = self.rng.random()
        if corner < 0.15:
            day = day.replace(day=1)
        elif corner < 0.3:
            day = day.replace(day=1) - timedelta(days=self.rng.choice((1, 1, 2)))
        elif corner < 0.5:
            day = add_months(start, self.rng.randrange(span // 28 + 1)) + timedelta(
                days=self.rng.choice((0, 0, 0, -1, 1))
            )
        elif corner < 0.55:
            day = start
        return min(max(day, start), start + timedelta(days=span - 1))


def features_of(only: Iterable[str]) -> frozenset[str]:
    """Return the features behind names of features and of sets; all when there are none."""
    found: set[str] = set()
    for name in only:
        if name not in FEATURES and name not in SETS:
            raise ValueError(f"no such feature: {name}")
        found |= set(SETS.get(name, (name,)))
    return frozenset(found or FEATURES)


def document_of(seed: int, features: frozenset[str]) -> Body:
    """Return the deal document number `seed`."""
    rng = random.Random(seed)
    draw = Draw(rng, features, rng.choice((0.0, 0.12, 0.12, 0.25, 0.25, 0.45)))
    body: Body = {"customer": "Acme Inc", "currency": "USD", "start": start_of(draw)}
    if draw.uses("currencies", 0.3):
        body["currency"] = rng.choice(("JPY", "KWD"))
    term = rng.choice((12, 12, 12, 6, 3, 1, 24, 13, 18, 2))
    body["term_months"] = None if draw.uses("open") else term
    billing = billing_of(draw, body)
    if billing:
        body["billing"] = billing
    body["items"] = items_of(draw, body)
    if draw.uses("deal_discounts"):
        body["discounts"] = deal_discounts(draw, body)
    if draw.uses("payers"):
        shares = rng.choice((("50", "50"), ("33.3333", "66.6667"), ("20", "30", "50"), ("100", "0")))
        body["bill_to"] = [{"name": f"Payer {n}", "share": share} for n, share in enumerate(shares)]
    if draw.uses("renewal") and body["term_months"] is not None:
        body["renewal"] = {"auto": True, "price": rng.choice(({"same": True}, {"uplift_percent": "5"}))}
    start = date.fromisoformat(body["start"])
    body["as_of"] = draw.day(add_months(start, -2), add_months(start, 16)).isoformat()
    body["until"] = add_months(start, 15 if body["term_months"] is None or "renewal" in body else 48).isoformat()
    with_changes(draw, body)
    if draw.uses("deal_amounts"):
        amounts_in_common(draw, body)
    if draw.uses("credits"):
        body["credits"] = credits_of(draw, body)
    return body


def amounts_in_common(draw: Draw, body: Body) -> None:
    """Add amounts that all lines of a period share; the page says how only for items with the same periods."""
    items = [item for item in body["items"] if item["kind"] == "recurring"]
    added = any("add" in change or "replace" in change for change in body.get("changes", ()))
    own = any(name in item for item in items for name in ("billing", "start", "end", "term_months", "trial_until"))
    if added or own:
        return
    interval = body.get("billing", {}).get("interval", "P1M")
    alike = len({item["price_interval"] for item in items}) == 1 and is_months(interval)
    pers = (
        ("invoice", "once", "month", "period")
        if alike and is_months(items[0]["price_interval"])
        else ("invoice", "once")
    )
    start = date.fromisoformat(body["start"])
    part = {"amount": amount_of(draw, body), "per": draw.rng.choice(pers), **window_of(draw, start)}
    body["discounts"] = [*body.get("discounts", ()), part]


def credits_of(draw: Draw, body: Body) -> list[Body]:
    """Draw amounts owed to the customer: from a day on, or spread over invoices."""
    start = date.fromisoformat(body["start"])
    found: list[Body] = []
    for _ in range(draw.rng.choice((1, 1, 2))):
        part: Body = {"amount": amount_of(draw, body)}
        if draw.rng.random() < 0.4:
            part["invoices"] = draw.rng.choice((1, 2, 3, 7))
        else:
            part["when"] = draw.rng.choice(("start", draw.day(start, add_months(start, 12)).isoformat()))
        if draw.rng.random() < 0.3:
            part["carry"] = False
        found.append(part)
    return found


def start_of(draw: Draw) -> str:
    """Draw the first day of service."""
    if draw.rng.random() < 0.5:
        return draw.rng.choice(STARTS)
    return (date(2026, 6, 1) + timedelta(days=draw.rng.randrange(900))).isoformat()


def is_months(interval: str) -> bool:
    """Claim that the interval counts months."""
    return interval_of(interval).is_months


def billing_of(draw: Draw, body: Body) -> Body:
    """Draw how the deal, or one item, is billed."""
    rng = draw.rng
    billing: Body = {}
    if draw.uses("intervals", 0.6):
        billing["interval"] = rng.choice(INTERVALS)
    interval = billing.get("interval", "P1M")
    if draw.uses("anchors", 0.5):
        start = date.fromisoformat(body["start"])
        near = add_months(start, rng.randrange(-14, 15)) + timedelta(days=rng.choice((0, 0, -1, 1, 9, 17)))
        forms: list[object] = ["calendar", "deal_date", near.isoformat()]
        if is_months(interval):
            forms += [rng.randrange(1, 32), rng.choice((1, 15, 28, 29, 30, 31)), rng.choice((30, 31))]
        billing["anchor"] = rng.choice(forms)
    if draw.uses("arrears"):
        billing["timing"] = "arrears"
    if draw.uses("stubs", 0.4):
        billing["stub"] = rng.choice(("own", "with_first", "with_last"))
    if draw.uses("lead"):
        billing["lead_days"] = rng.choice((1, 7, 14, 30, 45))
    return billing


def price_of(draw: Draw, body: Body) -> str:
    """Draw a unit price in the deal's currency."""
    return draw.rng.choice(PRICES[{"USD": 2, "JPY": 0, "KWD": 3}[body["currency"]]])


def amount_of(draw: Draw, body: Body) -> str:
    """Draw a whole number of minor units."""
    return draw.rng.choice({"USD": ("10.00", "0.01", "50.00", "33.33", "500.00"), "JPY": ("100", "1", "7", "5000"),
                            "KWD": ("1.000", "0.001", "33.333")}[body["currency"]])  # fmt: skip


def items_of(draw: Draw, body: Body) -> list[Body]:
    """Draw the items: mostly one or two recurring ones."""
    count = draw.rng.choice((1, 1, 1, 2, 3))
    items = [recurring_of(draw, body, f"item{n}") for n in range(count)]
    if draw.uses("one_time", 0.3):
        when: object = draw.rng.choice(("start", "start", "date", {"month": draw.rng.randrange(1, 5)}))
        if when == "date":
            start = date.fromisoformat(body["start"])
            when = draw.day(start, add_months(start, 2)).isoformat()
        items.append(
            {"key": "setup", "name": "Set-up", "kind": "one_time", "unit_price": price_of(draw, body), "when": when}
        )
    return items


def recurring_of(draw: Draw, body: Body, key: str, *, added: bool = False) -> Body:
    """Draw one recurring item."""
    rng = draw.rng
    item: Body = {"key": key, "name": key.title(), "kind": "recurring", "quantity": rng.choice(QUANTITIES)}
    start = date.fromisoformat(body["start"])
    if draw.uses("models"):
        item["price"] = model_of(draw, body)
    else:
        item["unit_price"] = price_of(draw, body)
    interval = body.get("billing", {}).get("interval", "P1M")
    item["price_interval"] = (
        rng.choice((*INTERVALS, interval, interval, interval)) if "intervals" in draw.features else "P1M"
    )
    if draw.uses("own_billing"):
        item["billing"] = billing_of(draw, body) or {"interval": "P1M"}
        anchor = item["billing"].get("anchor", body.get("billing", {}).get("anchor"))
        if isinstance(anchor, int) and not is_months(item["billing"].get("interval", interval)):
            item["billing"]["anchor"] = "deal_date"
    if not added:
        span_of(draw, body, item, start)
    mix_guard(body, item)
    if draw.uses("trial", 0.15) and not added:
        first = date.fromisoformat(str(item.get("start", body["start"])))
        last = (
            date.fromisoformat(item["end"]) if "end" in item else add_months(first, min(item.get("term_months", 12), 2))
        )
        item["trial_until"] = draw.day(first + timedelta(days=1), max(last, first + timedelta(days=2))).isoformat()
    if draw.uses("steps"):
        item["steps"] = steps_of(draw, body, item, start)
    if draw.uses("discounts"):
        item["discounts"] = [discount_of(draw, body, item, start) for _ in range(rng.choice((1, 1, 2)))]
    return item


def span_of(draw: Draw, body: Body, item: Body, start: date) -> None:
    """Draw an item's own start, end or term."""
    term = body["term_months"] or 12
    if draw.uses("items"):
        item["start"] = draw.day(start, add_months(start, term)).isoformat()
    if draw.uses("items"):
        first = date.fromisoformat(str(item.get("start", body["start"])))
        if draw.rng.random() < 0.5:
            item["term_months"] = draw.rng.choice((1, 3, 6, 12, 12, 24))
        else:
            item["end"] = draw.day(first + timedelta(days=1), add_months(start, term + 3)).isoformat()


def mix_guard(body: Body, item: Body) -> None:
    """Keep out what the conventions leave open: instalments together with merged stubs."""
    price = interval_of(item["price_interval"])
    shown = {**body.get("billing", {}), **item.get("billing", {})}
    billing = interval_of(shown.get("interval", "P1M"))
    if price.is_months == billing.is_months and price.size > billing.size and shown.get("stub", "own") != "own":
        item["price_interval"] = shown.get("interval", "P1M")


def model_of(draw: Draw, body: Body) -> Body:
    """Draw a price model of a recurring item."""
    kind = draw.rng.choice(("graduated", "volume", "stairstep", "package", "per_unit"))
    if kind in ("package", "per_unit"):
        model: Body = {"model": kind, "tiers": [{"up_to": None, "unit_price": price_of(draw, body)}]}
        if kind == "package":
            model["package_size"] = draw.rng.choice(("5", "10"))
    else:
        tiers: list[Body] = [
            {"up_to": "5", "unit_price": price_of(draw, body)},
            {"up_to": None, "unit_price": price_of(draw, body)},
        ]
        if kind != "stairstep" and draw.rng.random() < 0.3:
            tiers[0]["flat_fee"] = amount_of(draw, body)
        model = {"model": kind, "tiers": tiers}
    return model


def steps_of(draw: Draw, body: Body, item: Body, start: date, since: date | None = None) -> list[Body]:
    """Draw steps over time, in order of their days."""
    months = draw.rng.random() < 0.5 and since is None
    first = since or date.fromisoformat(str(item.get("start", body["start"])))
    marks = sorted({draw.rng.randrange(2, 14) for _ in range(draw.rng.choice((1, 2)))})
    days = sorted({draw.day(first + timedelta(days=1), add_months(first, 10)) for _ in marks})
    steps: list[Body] = []
    for where in marks if months else days:
        step: Body = {"from_month": where} if isinstance(where, int) else {"from": where.isoformat()}
        kind = draw.rng.choice(("unit_price", "quantity", "uplift_percent"))
        if "price" in item:
            kind = "quantity"
        value = {"unit_price": price_of(draw, body), "quantity": draw.rng.choice(QUANTITIES), "uplift_percent": "5"}[
            kind
        ]
        steps.append({**step, kind: value})
    return steps


def window_of(draw: Draw, start: date) -> Body:
    """Draw a window of service months, of days, or none."""
    kind = draw.rng.random()
    if kind < 0.3:
        return {}
    if kind < 0.7:
        first = draw.rng.randrange(1, 6)
        window: Body = {"from_month": first, "to_month": first + draw.rng.randrange(0, 4)}
        if draw.rng.random() < 0.3:
            del window[draw.rng.choice(("from_month", "to_month"))]
        return window
    low = draw.day(start, add_months(start, 8))
    return {"from": low.isoformat(), "to": (low + timedelta(days=draw.rng.randrange(1, 120))).isoformat()}


def discount_of(draw: Draw, body: Body, item: Body, start: date) -> Body:
    """Draw a discount of one item."""
    window = window_of(draw, start)
    if not draw.uses("item_amounts", 0.5):
        return {"percent": draw.rng.choice(("10", "20", "100", "33.33", "0")), **window}
    interval = item.get("billing", {}).get("interval") or body.get("billing", {}).get("interval", "P1M")
    pers = ["unit", "unit", None]
    if is_months(item["price_interval"]) and is_months(interval):
        pers += ["month", "period"]
    if "trial_until" not in item:
        pers += ["invoice", "once"]
    per = draw.rng.choice(pers)
    return {"amount": amount_of(draw, body), **({"per": per} if per else {}), **window}


def deal_discounts(draw: Draw, body: Body) -> list[Body]:
    """Draw discounts of the whole deal: percentages, amounts per unit."""
    start = date.fromisoformat(body["start"])
    found: list[Body] = []
    for _ in range(draw.rng.choice((1, 1, 2))):
        kind = draw.rng.random()
        window = window_of(draw, start)
        if kind < 0.15:
            found += [{"percent": "10", "mode": "additive", **window}, {"percent": "15", "mode": "additive"}]
            continue
        part: Body = (
            {"percent": draw.rng.choice(("10", "25", "7.5"))}
            if kind < 0.8
            else {"amount": amount_of(draw, body), "per": "unit"}
        )
        if draw.rng.random() < 0.3:
            part["items"] = [draw.rng.choice(body["items"])["key"]]
        found.append({**part, **window})
    return found
