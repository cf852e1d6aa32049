"""What was agreed, as frozen values: the deal document after it was read.

Dates are local days of the portal's billing zone, periods half-open, prices and quantities exact decimals. Months of
service (`from_month`, `when: {month}`) are resolved to days here: they count from the deal's start (convention 5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from app.billing.answer import FieldError, Question
from app.billing.calendar import Grid, Interval, Period, last_day_of_month
from app.billing.money import Money

ItemKind = Literal["recurring", "one_time", "usage"]
Anchor = str | int | date
SETTLED_KINDS = ("billed", "skipped", "waived", "held", "override")


class InvalidDocument(ValueError):
    """A document that cannot be read; `errors` lists every fault with field, value and what is allowed."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.allowed}" for error in errors))
        self.errors = errors


MONTHLY = Interval(months=1)


@dataclass(frozen=True, slots=True)
class InvoiceDate:
    """One explicit invoice date; `share` in percent of the item's whole agreed price, None for an equal part."""

    on: date
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Billing:
    """The rhythm in which an item is invoiced. `anchor`: deal_date, calendar, a day 1-31, or a date."""

    interval: Interval = MONTHLY
    timing: str = "advance"
    anchor: Anchor = "deal_date"
    stub: str = "own"
    lead_days: int = 0
    dates: tuple[InvoiceDate, ...] = ()

    def grid(self, interval: Interval, start: date) -> Grid:
        """Return the boundaries of `interval` under this anchor, for a deal that starts on `start` (convention 2)."""
        if isinstance(self.anchor, date):
            return Grid.anchored(interval, self.anchor)
        if isinstance(self.anchor, int):
            return Grid.anchored(interval, start, self.anchor)
        if self.anchor == "calendar" and interval.months:
            return Grid.anchored(interval, date(start.year, 1, 1))
        if self.anchor == "calendar" and interval.days % 7 == 0:
            return Grid.anchored(interval, date.fromordinal(start.toordinal() - start.weekday()))
        return Grid.anchored(interval, start)


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of a price: up to and with `up_to` units (None: open), each `unit_price`, plus `flat_fee`."""

    up_to: Decimal | None
    unit_price: Decimal | None
    flat_fee: Decimal | None
    percent: Decimal | None


@dataclass(frozen=True, slots=True)
class PriceModel:
    """How a quantity becomes a price (convention 11). The first `free` units cost nothing."""

    model: str
    tiers: tuple[Tier, ...]
    package_size: Decimal | None = None
    percent: Decimal | None = None
    minimum: Money | None = None
    maximum: Money | None = None
    free: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Step:
    """From day `on`: another price, another quantity, or the price then in force raised by `uplift` percent."""

    on: date
    by_month: bool
    unit_price: Decimal | None = None
    quantity: Decimal | None = None
    uplift: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Discount:
    """A percentage or an amount off, from `start` up to but without `end` (None: without limit).

    `per` is unit, month, period, invoice or once for an amount. `items` None: the item that carries it, or on the deal
    all recurring items. `by_month`: the window is in service months.
    """

    percent: Fraction | None = None
    amount: Fraction | None = None
    per: str = "unit"
    start: date | None = None
    end: date | None = None
    by_month: bool = False
    items: frozenset[str] | None = None
    additive: bool = False

    @property
    def is_rate(self) -> bool:
        """Whether it lowers the rate at which value accrues, rather than one document."""
        return self.percent is not None or self.per in ("unit", "month", "period")

    def covers(self, day: date) -> bool:
        """Say whether `day` is in its window."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def touches(self, start: date, end: date) -> bool:
        """Say whether any day of [start, end) is in its window."""
        return (self.start is None or self.start < end) and (self.end is None or start < self.end)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A quantity or an amount each `per` (an interval; None: the whole term); `is_period`: each billing period."""

    per: Interval | None
    is_period: bool
    quantity: Decimal = Decimal(0)
    amount: Fraction = Fraction(0)
    rollover_months: int = 0
    at_term_end: bool = False


@dataclass(frozen=True, slots=True)
class Prepaid:
    """Units bought beforehand for `amount`, used before anything is charged; None: they do not lapse."""

    quantity: Decimal
    amount: Fraction
    expires_months: int | None


@dataclass(frozen=True, slots=True)
class UsageTerms:
    """What makes an item a usage item: its meter and what is included, committed, prepaid and capped."""

    meter: str
    aggregate: str = "sum"
    included: Allowance | None = None
    commit: Allowance | None = None
    prepaid: Prepaid | None = None
    cap: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a deal, with its defaults filled in.

    `start`/`end`: its agreed service; `end` None when it follows the contract. `on`: the day of a one-time item, None
    for a milestone that is not confirmed. `change`: the id of the change that added it.
    """

    key: str
    name: str
    kind: ItemKind
    quantity: Decimal
    unit_price: Decimal
    price: PriceModel | None
    price_interval: Interval
    billing: Billing
    start: date
    end: date | None = None
    trial_until: date | None = None
    discounts: tuple[Discount, ...] = ()
    steps: tuple[Step, ...] = ()
    on: date | None = None
    has_lead: bool = True
    milestone: str | None = None
    usage: UsageTerms | None = None
    own_billing: bool = False
    change: str | None = None

    @property
    def first_due(self) -> date:
        """The first day that can be charged: the start, or the day a trial ends."""
        return max(self.start, self.trial_until) if self.trial_until else self.start


@dataclass(frozen=True, slots=True)
class Change:
    """One amendment (convention 10). `settle`: none, unused, an amount, or None for the default of its kind."""

    id: str
    kind: str
    effective: date
    recorded: date | None
    position: int
    prorated: bool = True
    settle: str | Money | None = None
    item: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    steps: tuple[Step, ...] | None = None
    discounts: tuple[Discount, ...] | None = None
    added: Item | None = None
    billing: Billing | None = None
    billing_fields: frozenset[str] = frozenset()
    until: date | None = None
    extends_term: bool = False
    cancel: str | None = None

    def order(self, as_of: date) -> tuple[date, date, int]:
        """Return the order in which changes apply: effective, recorded (`as_of` unless said), position."""
        return (self.effective, self.recorded or as_of, self.position)

    @property
    def items(self) -> tuple[str, ...]:
        """Keys it names; none when it is about the whole deal."""
        return tuple(key for key in (self.item, self.added.key if self.added else None) if key is not None)


@dataclass(frozen=True, slots=True)
class Settled:
    """One entry of `issued`: days of an item that are settled, by a document (`billed`) or by a person's decision."""

    item: str
    period: Period
    charged: Money
    credited: Money
    kind: str = "billed"
    change: str | None = None
    document: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    bill_to: str | None = None

    @property
    def net(self) -> Money:
        """What was charged and not given back."""
        return self.charged - self.credited


@dataclass(frozen=True, slots=True)
class RenewalTerms:
    """What happens at the end of a fixed term; `form` of the price: same, uplift_percent, list, index, cap_percent."""

    auto: bool = False
    term_months: int | None = None
    notice_days: int = 0
    form: str = "same"
    uplift: Fraction = Fraction(0)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Exit:
    """An early way out: on or after `from_day`, or on one of `dates`; `fee` is charged when it is used."""

    party: str | None
    from_day: date | None
    dates: tuple[date, ...]
    notice_days: int
    fee: Money | None


@dataclass(frozen=True, slots=True)
class Credit:
    """An amount owed to the customer, used from invoices of `on` (None: from a milestone that is not confirmed)."""

    amount: Money
    on: date | None
    invoices: int
    carry: bool


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays `share` percent of each line; the last payer takes the rest."""

    name: str
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class UsageReading:
    """`quantity` of a meter over some days; `complete`: nothing more will come for days before its end."""

    meter: str
    period: Period
    quantity: Decimal
    complete: bool
    field: str


@dataclass(frozen=True, slots=True)
class DealDocument:
    """What was agreed, what changed, what was used and what was settled.

    `end` is the first day not served of the initial term, counted from the start (31 January plus one month is 28 or
    29 February); None when open ended. `carried`: words for the printed invoice.
    """

    customer: str
    currency: str
    start: date
    term_months: int | None
    end: date | None
    billing: Billing
    items: tuple[Item, ...]
    as_of: date | None = None
    until: date | None = None
    id: str | None = None
    relation: str = "new"
    related: tuple[str, ...] = ()
    net_days: int = 30
    due_from: str = "invoice"
    renewal: RenewalTerms = RenewalTerms()
    exits: tuple[Exit, ...] = ()
    discounts: tuple[Discount, ...] = ()
    credits: tuple[Credit, ...] = ()
    changes: tuple[Change, ...] = ()
    payers: tuple[Payer, ...] = ()
    usage: tuple[UsageReading, ...] = ()
    issued: tuple[Settled, ...] = ()
    terms: str = ""
    control_total: Money | None = None
    carried: tuple[str, ...] = ()
    questions: tuple[Question, ...] = field(default=())

    def due_on(self, day: date) -> date:
        """Return the due date of a document dated `day`: `net_days` after it or after the end of its month."""
        base = last_day_of_month(day.year, day.month) if self.due_from == "end_of_month" else day
        return date.fromordinal(base.toordinal() + self.net_days)

    def all_items(self) -> tuple[Item, ...]:
        """Return the items agreed at the start, then those that changes add, in the order written."""
        return self.items + tuple(change.added for change in self.changes if change.added is not None)
