"""One item of a deal document as schemas, with what items and deals have in common: rhythm, discounts, tax."""

from __future__ import annotations

from marshmallow import fields

from app.api.fields import (
    DAY_FORM,
    Strict,
    choice,
    day,
    decimal,
    forms,
    interval,
    many,
    month,
    one,
    percent,
    text,
    whole,
    word_form,
)

_PER = "What it is for: `period`, `month`, `quarter`, `year`, `term` or an ISO 8601 interval; `period` by default"


class InvoiceDate(Strict):
    """An explicit invoice date."""

    date = day("When the invoice is dated", "2027-01-15", required=True)
    share = percent("Its part of each item's whole agreed price; without one, an equal part of what is left", "40")


class Billing(Strict):
    """The rhythm in which items are invoiced."""

    interval = interval("How often; every month by default", "P3M")
    timing = choice("At the period's beginning (the default) or end", "advance", "arrears")
    anchor = forms("Where periods begin: the deal's start (the default), calendar periods, a day of the month, a date",
                   word_form("deal_date", "calendar"), {"type": "integer", "minimum": 1, "maximum": 31}, DAY_FORM,
                   example=15)  # fmt: skip
    stub = choice("A shorter first or last period is an invoice of its own (the default), or part of the full one "
                  "beside it", "own", "with_first", "with_last")  # fmt: skip
    lead_days = whole("Days by which an invoice is dated before its period", 0, 366, 14)
    dates = many(InvoiceDate, "Explicit invoice dates instead of a rhythm; only in a fixed term")


class Tax(Strict):
    """Tax treatment; the ledger decides the tax."""

    treatment = choice("Whether amounts are without tax (the default), with it, or untaxed", "exclusive", "inclusive",
                       "exempt")  # fmt: skip
    code = text("The ledger's tax code", "TAX")


class Discount(Strict):
    """A percentage or an amount off, always or inside a window."""

    percent = percent("How much, in percent")
    amount = decimal("How much, as an amount", "50.00")
    per = choice("What an amount is taken off: each unit of quantity (the default on an item), a month, a billing "
                 "period, each invoice, or the first invoice only. Required for an amount on a deal",
                 "unit", "month", "period", "invoice", "once")  # fmt: skip
    from_month = month("First service month, counted from 1", 1)
    to_month = month("Last service month, included", 2)
    from_ = day("First day", data_key="from")
    to = day("The first day without it", "2027-03-01")
    items = fields.List(text("Key of an item", "platform"), metadata={"description": "Only on these items"})
    mode = choice("Taken off what is left (the default), or added to the percentages beside it", "multiplicative",
                  "additive")  # fmt: skip


class Step(Strict):
    """From a day on: another price, another quantity, or the price then in force raised."""

    from_month = month("First service month, counted from 1", 13)
    from_ = day("First day", "2028-01-01", data_key="from")
    unit_price = decimal("The price from then on", "110.00")
    quantity = decimal("The quantity from then on", "20")
    uplift_percent = percent("Raises the price then in force; several compound", "5")


class Tier(Strict):
    """One tier of a price."""

    up_to = decimal("The last unit in it; null when open", "100", allow_none=True)
    unit_price = decimal("Price per unit, per package, or (stairstep) of the whole step", "2.00")
    flat_fee = decimal("Added once when anything is in the tier", "10.00")
    percent = percent("For `percentage`: the rate in this tier", "2.5")


class Price(Strict):
    """A price model: how a quantity becomes a price. The first `free` units cost nothing."""

    model = choice("Which one", "flat", "per_unit", "graduated", "volume", "package", "stairstep", "percentage",
                   required=True)  # fmt: skip
    tiers = many(Tier, "Where the price stands; only the last one is open")
    package_size = decimal("For `package`: units in each; packages round up", "100")
    percent = percent("For `percentage`: the rate", "2.9")
    minimum = decimal("At least this much a period", "50.00")
    maximum = decimal("At most this much a period", "500.00")
    free = decimal("Units that cost nothing", "1000")


class Included(Strict):
    """Usage in the price of something else."""

    quantity = decimal("How much", "1000", required=True)
    per = text(_PER, "month")
    rollover_months = whole("Months for which what is unused lives on", 0, 1200, 3)


class Commit(Strict):
    """The least the customer pays for usage; what is missing is charged."""

    amount = decimal("How much", "5000.00", required=True)
    per = text(_PER, "year")
    settle = choice("When what is missing is charged: at each period's end (the default), or at the term's end",
                    "period_end", "term_end")  # fmt: skip


class Prepaid(Strict):
    """Units bought beforehand and used first."""

    quantity = decimal("How many", "10000", required=True)
    amount = decimal("What they cost, once", "800.00", required=True)
    expires_months = month("Months after which they lapse", 12)


class Cap(Strict):
    """The most that usage costs."""

    amount = decimal("How much", "2000.00", required=True)
    per = text(_PER, "month")


class When(Strict):
    """The day of a one-time item or credit: a service month, or a milestone that is confirmed or not."""

    month = month("The first day of this service month")
    event = text("A milestone, not billed until it is confirmed", "go-live")
    confirmed_on = day("The day it was reached", "2027-02-10")


class Item(Strict):
    """One thing that is sold."""

    key = text("Its name in this document", "platform", required=True)
    name = text("Its name for people; the key by default", "Platform")
    sku = text("Its name in a catalogue; carried", "PLT-10")
    kind = choice("Billed again and again, once, or by a meter", "recurring", "one_time", "usage", required=True)
    quantity = decimal("How many; 1 by default", "10")
    unit_price = decimal("Price of one for each `price_interval` (recurring) or once")
    price_interval = interval("What the price is for; the deal's billing interval by default")
    price = one(Price, "A price model instead of `unit_price`")
    start = day("First day of its service; the deal's by default", "2027-04-01")
    end = day("The first day it is not served", "2027-10-01")
    term_months = month("Its own length, instead of `end`", 6)
    trial_until = day("The first day that is charged: earlier days are free", "2027-02-01")
    when = forms("Day of a one-time item: the start (the default), a date, a service month, or a milestone",
                 word_form("start"), DAY_FORM, {"$ref": "#/components/schemas/When"},
                 example={"event": "go-live", "confirmed_on": "2027-02-10"})  # fmt: skip
    billing = one(Billing, "Its own rhythm; what it doesn't say is the deal's")
    tax = one(Tax, "Its own tax treatment")
    discounts = many(Discount, "Its own discounts, before those of the deal")
    steps = many(Step, "Its price or quantity over time")
    meter = text("Usage: the meter that counts it; its key by default", "api_calls")
    aggregate = choice("Usage: how readings of a period become one quantity", "sum", "max", "last")
    included = one(Included, "Usage in the price of something else")
    commit = one(Commit, "The least that is paid")
    prepaid = one(Prepaid, "Units bought beforehand")
    cap = one(Cap, "The most that is paid")
