"""The deal document as the oracle reads it: the same fields, parsed, with the page's defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from tests.oracle.dates import Interval, add_months, interval_of

DECIMALS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}


@dataclass(frozen=True, slots=True)
class Billing:
    """How an item is billed; `anchor` as written."""

    interval: Interval
    timing: str = "advance"
    anchor: object = "deal_date"
    stub: str = "own"
    lead_days: int = 0
    dates: tuple[tuple[date, Fraction | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Discount:
    """A percentage or an amount, with its window of days [since, to)."""

    percent: Fraction | None
    amount: Fraction | None
    per: str
    since: date | None
    to: date | None
    by_month: bool
    items: tuple[str, ...] | None
    additive: bool

    def covers(self, day: date) -> bool:
        """Claim that `day` is inside the window."""
        return (self.since is None or self.since <= day) and (self.to is None or day < self.to)


@dataclass(frozen=True, slots=True)
class Step:
    """From `day` on: a price, a quantity or an uplift in percent."""

    day: date
    by_month: bool
    unit_price: Fraction | None = None
    quantity: Fraction | None = None
    uplift: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier of a price model."""

    up_to: Fraction | None
    unit_price: Fraction
    flat_fee: Fraction


@dataclass(frozen=True, slots=True)
class Model:
    """A price model: what a quantity costs per price interval."""

    model: str
    tiers: tuple[Tier, ...]
    package_size: Fraction
    free: Fraction
    minimum: Fraction | None
    maximum: Fraction | None


@dataclass(frozen=True, slots=True)
class Item:
    """An item; `added_by` is the change that brings it."""

    key: str
    kind: str
    quantity: Fraction
    unit_price: Fraction
    model: Model | None
    price_interval: Interval
    start: date
    own_end: date | None
    trial_until: date | None
    billing: Billing
    discounts: tuple[Discount, ...]
    steps: tuple[Step, ...]
    when: object
    added_by: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An amendment; `body` keeps the fields that say what changes."""

    id: str
    effective: date
    recorded: date
    position: int
    daily: bool
    settle: str | None
    kind: str
    key: str | None
    body: Mapping[str, Any] = field(hash=False, compare=False)

    @property
    def order(self) -> tuple[date, date, int]:
        """Return the order in which changes apply."""
        return (self.effective, self.recorded, self.position)


@dataclass(frozen=True, slots=True)
class Deal:
    """The whole document. `end` is None when nothing agreed ends it (open ended, automatic renewal)."""

    start: date
    end: date | None
    term_months: int | None
    renewal: Mapping[str, Any]
    decimals: int
    billing: Billing
    items: tuple[Item, ...]
    discounts: tuple[Discount, ...]
    changes: tuple[Change, ...]
    payers: tuple[tuple[str, Fraction], ...]
    credits: tuple[Mapping[str, Any], ...]
    exits: tuple[Mapping[str, Any], ...]
    usage: tuple[Mapping[str, Any], ...]
    as_of: date
    until: date

    @property
    def auto(self) -> bool:
        """Claim that the contract renews by itself."""
        return bool(self.renewal.get("auto"))


def day_of(text: object) -> date | None:
    """Read an optional date."""
    return date.fromisoformat(str(text)) if text else None


def month_start(start: date, month: int) -> date:
    """Return the first day of service month `month`, counted from 1 (rule 0010, convention 5)."""
    return add_months(start, month - 1)


def number(body: Mapping[str, Any], name: str) -> Fraction | None:
    """Read an optional decimal."""
    return Fraction(str(body[name])) if body.get(name) is not None else None


def read_billing(body: Mapping[str, Any], base: Billing) -> Billing:
    """Lay what `body` says over `base`."""
    found = base
    if "interval" in body:
        found = replace(found, interval=interval_of(body["interval"]))
    for name in ("timing", "stub", "lead_days", "anchor"):
        if name in body:
            found = replace(found, **{name: body[name]})
    if body.get("dates"):
        dates = tuple((date.fromisoformat(d["date"]), number(d, "share")) for d in body["dates"])
        found = replace(found, dates=dates)
    return found


def read_discount(body: Mapping[str, Any], start: date) -> Discount:
    """Read one discount; months count from the deal's start."""
    since, to = day_of(body.get("from")), day_of(body.get("to"))
    if "from_month" in body:
        since = month_start(start, body["from_month"])
    if "to_month" in body:
        to = month_start(start, body["to_month"] + 1)
    items = tuple(body["items"]) if body.get("items") else None
    return Discount(
        number(body, "percent"),
        number(body, "amount"),
        str(body.get("per", "unit")),
        since,
        to,
        "from_month" in body or "to_month" in body,
        items,
        body.get("mode") == "additive",
    )


def read_step(body: Mapping[str, Any], start: date) -> Step:
    """Read one step."""
    by_month = "from_month" in body
    day = month_start(start, body["from_month"]) if by_month else date.fromisoformat(body["from"])
    return Step(day, by_month, number(body, "unit_price"), number(body, "quantity"), number(body, "uplift_percent"))


def read_model(body: Mapping[str, Any]) -> Model:
    """Read a price model."""
    tiers = tuple(
        Tier(number(tier, "up_to"), number(tier, "unit_price") or Fraction(0), number(tier, "flat_fee") or Fraction(0))
        for tier in body.get("tiers", ())
    )
    return Model(
        body["model"],
        tiers,
        number(body, "package_size") or Fraction(1),
        number(body, "free") or Fraction(0),
        number(body, "minimum"),
        number(body, "maximum"),
    )


def read_item(body: Mapping[str, Any], start: date, billing: Billing, added: Change | None = None) -> Item:
    """Read one item; `start` is the deal's, an added item starts with its change or later."""
    first = day_of(body.get("start")) or (added.effective if added else start)
    own_end = day_of(body.get("end"))
    if body.get("term_months"):
        own_end = add_months(first, body["term_months"])
    own_billing = read_billing(body["billing"], billing) if body.get("billing") else billing
    interval = interval_of(body["price_interval"]) if body.get("price_interval") else billing.interval
    return Item(
        body["key"],
        body["kind"],
        number(body, "quantity") or Fraction(1) if "quantity" not in body else Fraction(str(body["quantity"])),
        number(body, "unit_price") or Fraction(0),
        read_model(body["price"]) if body.get("price") else None,
        interval,
        first,
        own_end,
        day_of(body.get("trial_until")),
        own_billing,
        tuple(read_discount(part, start) for part in body.get("discounts", ())),
        tuple(read_step(part, start) for part in body.get("steps", ())),
        body.get("when", "start"),
        added.id if added else None,
    )


ITEM_FIELDS = ("quantity", "unit_price", "steps", "discounts")
KINDS = ("add", "remove", "replace", "billing", "pause", "resume", "cancel", "uncancel")


def read_change(body: Mapping[str, Any], position: int, as_of: date) -> Change:
    """Read one change; its kind is the field that says what changes."""
    kind = next((name for name in KINDS if name in body), "item")
    key = body.get("item") or (body["remove"] if kind == "remove" else None)
    return Change(
        body["id"],
        date.fromisoformat(body["effective"]),
        day_of(body.get("recorded")) or as_of,
        position,
        body.get("proration", "daily") == "daily",
        body.get("settle"),
        kind,
        key,
        body,
    )


def read_payers(body: Mapping[str, Any]) -> tuple[tuple[str, Fraction], ...]:
    """Read who pays which percent; alone it is the customer."""
    payers: Sequence[Mapping[str, Any]] = body.get("bill_to") or ({"name": body["customer"], "share": "100"},)
    return tuple((payer["name"], number(payer, "share") or Fraction(0)) for payer in payers)


def read_deal(body: Mapping[str, Any]) -> Deal:
    """Read a valid document. Changes not yet recorded on `as_of` are unknown and left out."""
    start = date.fromisoformat(body["start"])
    as_of = date.fromisoformat(body["as_of"])
    term = body.get("term_months", 12)
    renewal = body.get("renewal", {})
    billing = read_billing(body.get("billing", {}), Billing(Interval(months=1)))
    changes = [read_change(part, index, as_of) for index, part in enumerate(body.get("changes", ()))]
    known = tuple(sorted((change for change in changes if change.recorded <= as_of), key=lambda change: change.order))
    items = [read_item(part, start, billing) for part in body["items"]]
    for change in known:
        if change.kind in ("add", "replace"):
            added = change.body["add"] if change.kind == "add" else change.body["replace"]["to"]
            items.append(read_item(added, start, billing, change))
    term_end = add_months(start, term) if term else None
    until = day_of(body.get("until")) or term_end or add_months(max(start, as_of), 12)
    return Deal(
        start,
        None if renewal.get("auto") else term_end,
        term,
        renewal,
        DECIMALS.get(body["currency"], 2),
        billing,
        tuple(items),
        tuple(read_discount(part, start) for part in body.get("discounts", ())),
        known,
        read_payers(body),
        tuple(body.get("credits", ())),
        tuple(body.get("exits", ())),
        tuple(body.get("usage", ())),
        as_of,
        until,
    )
