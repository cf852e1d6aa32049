"""How a deal was read, in sentences: its life, each item, discounts, changes, payment and what happens at its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from app.billing.calendar import people_date
from app.billing.deal import Change, DealDocument, Discount, Item, Step
from app.billing.money import Money, decimals_of, people_decimal
from app.billing.pricing import decimal_of

_TIMING = {"advance": "in advance", "arrears": "in arrears"}


def sentences(deal: DealDocument) -> list[str]:
    """Say in sentences how the deal was understood."""
    found = [_life(deal)]
    for item in deal.items:
        found.append(_item(deal, item))
        found.extend(f"{item.name}: {words}" for words in _details(deal, item))
    found.extend(f"{_discount(deal, d).capitalize()}." for d in deal.discounts)
    found.extend(f"A credit of {credit.amount} is used on the next invoices." for credit in deal.credits)
    found.extend(_change(deal, change) for change in deal.changes)
    if len(deal.payers) > 1:
        shares = [f"{p.name} pays {_percent(p.share)} of each line" for p in deal.payers[:-1] if p.share is not None]
        last = deal.payers[-1]
        said = f" (not only {_percent(last.share)})" if last.share not in (None, _rest_of(deal)) else ""
        found.append(f"{', '.join(shares)}; {last.name} pays the rest{said}.")
    found.append(_payment(deal))
    found.extend(_end(deal))
    return found


def _rest_of(deal: DealDocument) -> Fraction:
    return 100 - sum((p.share or Fraction(0) for p in deal.payers[:-1]), Fraction(0))


def _life(deal: DealDocument) -> str:
    served = f"{deal.customer} is served from {people_date(deal.start)}"
    if deal.end is None or deal.term_months is None:
        return f"{served} with no end agreed, in {deal.currency}."
    last = people_date(deal.end - timedelta(days=1))
    months = "month" if deal.term_months == 1 else "months"
    return f"{served} to {last} ({deal.term_months} {months}), in {deal.currency}."


def _item(deal: DealDocument, item: Item) -> str:
    if item.kind == "one_time":
        if item.on is None:
            return f"{item.name}: {_price(deal, item)} once, when “{item.milestone}” is confirmed."
        return f"{item.name}: {_price(deal, item)} once, on {people_date(item.on)}."
    billing = item.billing
    every = f"invoiced every {billing.interval.noun()}"
    if item.usage is not None:
        return f"{item.name}: what “{item.usage.meter}” measured, {every} in arrears."
    if billing.dates:
        every = f"invoiced on {', '.join(people_date(entry.on) for entry in billing.dates)}"
        return f"{item.name}: {_price(deal, item)} {item.price_interval.per()}, {every}."
    return f"{item.name}: {_price(deal, item)} {item.price_interval.per()}, {every} {_TIMING[billing.timing]}."


def _price(deal: DealDocument, item: Item) -> str:
    if item.price is not None:
        return f"{people_decimal(item.quantity)} at {item.price.model.replace('_', ' ')} prices"
    return f"{people_decimal(item.quantity)} x {people_decimal(item.unit_price, decimals_of(deal.currency))}"


def _details(deal: DealDocument, item: Item) -> Iterator[str]:
    if item.start != deal.start:
        yield f"served from {people_date(item.start)}."
    if item.end is not None and item.end != deal.end:
        yield f"served to {people_date(item.end - timedelta(days=1))}."
    if item.trial_until is not None:
        yield f"free until {people_date(item.trial_until - timedelta(days=1))}."
    for step in item.steps:
        yield f"from {people_date(step.on)} {_step(deal, step)}."
    for discount in item.discounts:
        yield f"{_discount(deal, discount)}."


def _step(deal: DealDocument, step: Step) -> str:
    words = []
    if step.unit_price is not None:
        words.append(f"each costs {people_decimal(step.unit_price, decimals_of(deal.currency))}")
    if step.quantity is not None:
        words.append(f"the quantity is {people_decimal(step.quantity)}")
    if step.uplift is not None:
        words.append(f"the price rises by {_percent(step.uplift)}")
    return " and ".join(words)


def _percent(value: Fraction | None) -> str:
    return f"{people_decimal(decimal_of(value or Fraction(0)))}%"


def _discount(deal: DealDocument, discount: Discount) -> str:
    if discount.percent is not None:
        off = f"{_percent(discount.percent)} off"
    else:
        per = {"once": "once", "unit": "each unit"}.get(discount.per, f"a {discount.per}")
        off = f"{Money.rounded(discount.amount or Fraction(0), deal.currency)} off {per}"
    if discount.start is not None and discount.start > deal.start:
        off += f" from {people_date(discount.start)}"
    if discount.end is not None:
        off += f" to {people_date(discount.end - timedelta(days=1))}"
    return f"{off} on {', '.join(sorted(discount.items))}" if discount.items else off


def _change(deal: DealDocument, change: Change) -> str:
    day = people_date(change.effective)
    name = {item.key: item.name for item in deal.all_items()}.get(change.item or "", change.item or "")
    if change.added is not None:
        return f"On {day} {change.added.name} is added: {_price(deal, change.added)}."
    if change.kind == "item":
        words = []
        if change.quantity is not None:
            words.append(f"the quantity becomes {people_decimal(change.quantity)}")
        if change.unit_price is not None:
            words.append(f"the price becomes {people_decimal(change.unit_price, decimals_of(deal.currency))}")
        if change.steps is not None:
            words.append("other steps are agreed")
        if change.discounts is not None:
            words.append("other discounts are agreed")
        return f"On {day} {name} changes: {', '.join(words)}."
    if change.kind == "remove":
        return f"On {day} {name} is taken out."
    if change.kind == "pause":
        until = f" until {people_date(change.until - timedelta(days=1))}" if change.until else ""
        return f"Service pauses from {day}{until}."
    if change.kind == "cancel":
        last = people_date(change.effective - timedelta(days=1))
        when = {
            "at": f"with {last}", "period_end": "with the billing period in progress",
            "term_end": "with the term in progress",
        }  # fmt: skip
        return f"Cancelled as of {day}: service ends {when[change.cancel or 'at']}."
    words_of = {
        "resume": "service resumes",
        "uncancel": "the cancellation is taken back",
        "billing": "the billing changes",
    }
    return f"On {day} {words_of[change.kind]}."


def _payment(deal: DealDocument) -> str:
    at_month_end = deal.due_from == "end_of_month"
    if not deal.net_days:
        return f"Invoices are due {'at the end of the month they are dated in' if at_month_end else 'on their date'}."
    base = "the end of the month they are dated in" if at_month_end else "their date"
    return f"Invoices are due {deal.net_days} {'day' if deal.net_days == 1 else 'days'} after {base}."


def _end(deal: DealDocument) -> Iterator[str]:
    if deal.end is None:
        return
    renewal = deal.renewal
    if not renewal.auto:
        yield "The contract does not renew by itself."
        return
    price = {
        "same": "at the same price", "uplift_percent": f"{_percent(renewal.uplift)} dearer each time",
        "list": "at list price, without discounts",
    }.get(renewal.form, f"at a price that follows {renewal.words}")  # fmt: skip
    months = renewal.term_months or deal.term_months or 0
    yield f"The contract renews by itself for {months} {'month' if months == 1 else 'months'} at a time, {price}."
    if renewal.notice_days:
        yield f"Notice has to be given {renewal.notice_days} days before a term ends."
