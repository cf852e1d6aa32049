"""The parts that a deal, its items and its changes have in common: billing rhythm, discounts, steps, price models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from app.billing.calendar import Interval, add_months
from app.billing.deal import Allowance, Anchor, Billing, Discount, InvoiceDate, Prepaid, PriceModel, Step, Tier
from app.billing.shape import (
    COUNT,
    DAY,
    DECIMAL,
    INTERVAL,
    MONTH,
    PERCENT,
    SHARE,
    TEXT,
    Kind,
    Reader,
    choice,
    integer,
    money,
)

_DAY_OF_MONTH = integer(1, 31)
_LEAD = integer(0, 366)
MODELS = ("flat", "per_unit", "graduated", "volume", "package", "stairstep", "percentage")
_WORDS_PER = {"month": Interval(months=1), "quarter": Interval(months=3), "year": Interval(months=12)}


@dataclass(frozen=True, slots=True)
class Frame:
    """What defaults come from: the deal's currency, start and term, and its billing before changes."""

    currency: str
    start: date
    term_months: int | None
    billing: Billing

    @property
    def end(self) -> date | None:
        """The first day after the initial term."""
        return None if self.term_months is None else add_months(self.start, self.term_months)

    def month(self, number: int) -> date:
        """Return the first day of a service month; months count from 1 at the deal's start (convention 5)."""
        return add_months(self.start, number - 1)


def billing(reader: Reader, default: Billing) -> Billing:
    """Read a billing record; what it doesn't say is `default`'s."""
    result = replace(
        default,
        interval=reader.get("interval", INTERVAL, default.interval),
        timing=reader.get("timing", choice("advance", "arrears"), default.timing),
        anchor=reader.get("anchor", ANCHOR, default.anchor),
        stub=reader.get("stub", choice("own", "with_first", "with_last"), default.stub),
        lead_days=reader.get("lead_days", _LEAD, default.lead_days),
        dates=_dates(reader) if reader.has("dates") else default.dates,
    )
    reader.get("dates", ANY, None)
    if isinstance(result.anchor, int) and not result.interval.months and reader.has("anchor"):
        reader.fail("anchor", "a day of the month needs an interval of months or years")
    reader.close()
    return result


def _dates(reader: Reader) -> tuple[InvoiceDate, ...]:
    found: list[InvoiceDate] = []
    shares = Fraction(0)
    for entry in reader.records("dates"):
        on, share = entry.need("date", DAY), entry.get("share", SHARE, None)
        shares += share or 0
        if found and on <= found[-1].on:
            entry.fail("date", "a day after the invoice date before it")
        if shares > 100:
            entry.fail("share", "shares that are 100 in all at most")
        found.append(InvoiceDate(on, share))
        entry.close()
    return tuple(found)


def discounts(reader: Reader, frame: Frame, *, on_deal: bool = False) -> tuple[Discount, ...]:
    """Read the discounts of a deal, an item or a change."""
    return tuple(_discount(entry, frame, on_deal) for entry in reader.records("discounts"))


def _discount(reader: Reader, frame: Frame, on_deal: bool) -> Discount:
    form = reader.one_of(("percent", "amount"))
    percent, amount = reader.get("percent", SHARE, None), reader.get("amount", DECIMAL, None)
    kind = choice("unit", "month", "period", "invoice", "once")
    per = reader.need("per", kind) if on_deal and form == "amount" else reader.get("per", kind, "unit")
    start, end, by_month = _window(reader, frame)
    items = reader.values("items", TEXT)
    mode = reader.get("mode", choice("multiplicative", "additive"), "multiplicative")
    reader.close()
    return Discount(
        percent=percent, amount=None if amount is None else Fraction(amount), per=per, start=start, end=end,
        by_month=by_month, items=frozenset(items) if items else None, additive=mode == "additive",
    )  # fmt: skip


def _window(reader: Reader, frame: Frame) -> tuple[date | None, date | None, bool]:
    first, last = reader.get("from_month", MONTH, None), reader.get("to_month", MONTH, None)
    start, end = reader.get("from", DAY, None), reader.get("to", DAY, None)
    if first is not None and start is not None:
        reader.fail("from", "only one of from_month, from")
    if last is not None and end is not None:
        reader.fail("to", "only one of to_month, to")
    start = frame.month(first) if first is not None else start
    end = frame.month(last + 1) if last is not None else end
    if start is not None and end is not None and start >= end:
        name = "to_month" if last is not None else "to"
        reader.fail(name, "an end after its beginning (`to_month` is included, `to` is the first day without it)")
    return start, end, first is not None or last is not None


def steps(reader: Reader, frame: Frame) -> tuple[Step, ...]:
    """Read steps of price or quantity over time, in order of their days."""
    found = [_step(entry, frame) for entry in reader.records("steps")]
    return tuple(sorted(found, key=lambda step: step.on))


def _step(reader: Reader, frame: Frame) -> Step:
    form = reader.one_of(("from_month", "from"))
    month, day = reader.get("from_month", MONTH, None), reader.get("from", DAY, None)
    if not any(reader.has(name) for name in ("unit_price", "quantity", "uplift_percent")):
        reader.fail("unit_price", "one of unit_price, quantity, uplift_percent")
    if reader.has("unit_price") and reader.has("uplift_percent"):
        reader.fail("uplift_percent", "only one of unit_price, uplift_percent")
    uplift = reader.get("uplift_percent", PERCENT, None)
    step = Step(
        on=frame.month(month) if month is not None else day or frame.start,
        by_month=form == "from_month",
        unit_price=reader.get("unit_price", DECIMAL, None),
        quantity=reader.get("quantity", DECIMAL, None),
        uplift=None if uplift is None else Fraction(uplift),
    )
    reader.close()
    return step


def price_model(reader: Reader, currency: str) -> PriceModel | None:
    """Read an item's `price`, or None when it has none."""
    price = reader.record("price")
    if price is None:
        return None
    model = price.need("model", choice(*MODELS))
    tiers = tuple(_tier(tier) for tier in price.records("tiers"))
    percent = price.get("percent", PERCENT, None)
    size = price.get("package_size", DECIMAL, None)
    amount = money(currency)
    result = PriceModel(
        model=model, tiers=tiers, package_size=size, percent=percent,
        minimum=price.get("minimum", amount, None), maximum=price.get("maximum", amount, None),
        free=price.get("free", DECIMAL, Decimal(0)),
    )  # fmt: skip
    _check_model(price, result)
    price.close()
    return result


def _tier(reader: Reader) -> Tier:
    names = ("unit_price", "flat_fee", "percent")
    if not any(reader.has(name) for name in names):
        reader.fail("unit_price", "one of unit_price, flat_fee, percent")
    tier = Tier(
        up_to=reader.get("up_to", DECIMAL, None),
        unit_price=reader.get("unit_price", DECIMAL, None),
        flat_fee=reader.get("flat_fee", DECIMAL, None),
        percent=reader.get("percent", PERCENT, None),
    )
    reader.close()
    return tier


def _check_model(reader: Reader, price: PriceModel) -> None:
    if price.model == "percentage" and price.percent is None and not any(tier.percent for tier in price.tiers):
        reader.fail("percent", "a percentage, here or in each tier")
    elif price.model != "percentage" and not price.tiers:
        reader.fail("tiers", "a list of at least one tier: the price stands there")
    if price.model in ("flat", "per_unit") and len(price.tiers) > 1:
        reader.fail("tiers", "one open tier; use graduated, volume or stairstep for more")
    if price.model == "package" and not price.package_size:
        reader.fail("package_size", "how many units a package holds, more than 0")
    limits = [tier.up_to for tier in price.tiers]
    if any(limit is None for limit in limits[:-1]):
        reader.fail("tiers", "tiers of which only the last is open (`up_to` null)")
    closed = [limit for limit in limits if limit is not None]
    if any(low >= high for low, high in pairwise(closed)):
        reader.fail("tiers", "tiers with growing `up_to`")
    if price.minimum is not None and price.maximum is not None and price.minimum.minor > price.maximum.minor:
        reader.fail("minimum", "at most the maximum")


def allowance(reader: Reader, name: str, currency: str, *, what: str) -> Allowance | None:
    """Read `included` (`what` quantity), `commit` or `cap` (`what` amount)."""
    record = reader.record(name)
    if record is None:
        return None
    quantity = record.need("quantity", DECIMAL) if what == "quantity" else Decimal(0)
    amount = record.need("amount", money(currency)).exact() if what == "amount" else Fraction(0)
    per, is_period = record.get("per", PER, (None, True))
    rollover = record.get("rollover_months", COUNT, 0) if name == "included" else 0
    settle = record.get("settle", choice("period_end", "term_end"), "period_end") if name == "commit" else ""
    record.close()
    return Allowance(per, is_period, quantity, amount, rollover, settle == "term_end")


def prepaid(reader: Reader, currency: str) -> Prepaid | None:
    """Read prepaid units."""
    record = reader.record("prepaid")
    if record is None:
        return None
    result = Prepaid(
        record.need("quantity", DECIMAL),
        record.need("amount", money(currency)).exact(),
        record.get("expires_months", MONTH, None),
    )
    record.close()
    return result


def _anchor(value: object) -> Anchor:
    if value in ("deal_date", "calendar"):
        return str(value)
    return DAY.read(value) if isinstance(value, str) else _DAY_OF_MONTH.read(value)


def _per(value: object) -> tuple[Interval | None, bool]:
    if value == "term":
        return None, False
    if value == "period":
        return None, True
    if isinstance(value, str) and value in _WORDS_PER:
        return _WORDS_PER[value], False
    return INTERVAL.read(value), False


def _same(value: object) -> object:
    return value


ANCHOR: Kind[Anchor] = Kind(_anchor, "deal_date, calendar, a day 1 - 31 or a date YYYY-MM-DD", "deal_date")
PER: Kind[tuple[Interval | None, bool]] = Kind(
    _per, "period, month, quarter, year, term or an ISO 8601 interval", (None, True)
)
ANY: Kind[object] = Kind(_same, "anything", None)
