"""The core's words for people: how the deal was read, and why each line has its amount.

Everything is written from the same values as the amounts, so a sentence cannot say something else than the line.
"""

from __future__ import annotations

from datetime import timedelta

from app.billing.calendar import people_date
from app.billing.document import DealDocument, Item, OneTimeItem
from app.billing.money import Money, decimals_of, people_decimal
from app.billing.pricing import unit_of
from app.billing.settled import OpenPart


def reading(deal: DealDocument) -> list[str]:
    """Say in sentences how the deal was understood: life, each item, payment, end."""
    sentences = [_life(deal)]
    sentences.extend(_item(deal, item) for item in deal.items)
    sentences.append(_payment(deal))
    if deal.end:
        sentences.append("The contract does not renew by itself.")
    return sentences


def _life(deal: DealDocument) -> str:
    served = f"{deal.customer} is served from {people_date(deal.start)}"
    if deal.end is None or deal.term_months is None:
        return f"{served} with no end agreed, in {deal.currency}."
    last = people_date(deal.end - timedelta(days=1))
    months = "month" if deal.term_months == 1 else "months"
    return f"{served} to {last} ({deal.term_months} {months}), in {deal.currency}."


def _payment(deal: DealDocument) -> str:
    at_month_end = deal.due_from == "end_of_month"
    if not deal.net_days:
        return f"Invoices are due {'at the end of the month they are dated in' if at_month_end else 'on their date'}."
    base = "the end of the month they are dated in" if at_month_end else "their date"
    return f"Invoices are due {deal.net_days} {'day' if deal.net_days == 1 else 'days'} after {base}."


def _item(deal: DealDocument, item: Item) -> str:
    if isinstance(item, OneTimeItem):
        return f"{item.name}: {_price(deal, item)} once, on {people_date(item.on)}."
    every = item.billing_interval.noun()
    return f"{item.name}: {_price(deal, item)} {item.price_interval.per()}, invoiced every {every} in advance."


def _price(deal: DealDocument, item: Item) -> str:
    price = people_decimal(item.unit_price, decimals_of(deal.currency))
    return f"{people_decimal(item.quantity)} x {price}"


def why(deal: DealDocument, part: OpenPart) -> str:
    """Explain one line: price, share of it, days, and any rounding. "10 x 100.00 a month, 1 Jan - 31 Jan 2027"."""
    item = part.charge.item
    if isinstance(item, OneTimeItem):
        return f"{_price(deal, item)} once, on {people_date(item.on)}{_rounding(part)}"
    words = f"{_price(deal, item)} {item.price_interval.per()}{_share(part)}, {part.period}"
    if not part.is_whole:
        words += f" (the days of {part.charge.period} that are not settled yet)"
    return words + _rounding(part)


def _share(part: OpenPart) -> str:
    """Write how much of the price interval is served: " x 3 months", " / 12", " / 12 x 9/30 days"."""
    item, accrual = part.charge.item, part.accrual
    if isinstance(item, OneTimeItem):
        return ""
    unit = unit_of(item)
    instalments = item.price_interval.months // unit.months
    share = f" / {instalments}" if instalments > 1 else ""
    units = [unit.noun(accrual.whole)] if accrual.whole > 1 else []
    units += ["1 " + unit.noun()] if accrual.whole == 1 and accrual.parts else []
    units += [f"{days}/{of} days" for days, of in accrual.parts]
    if len(units) > 1:
        return f"{share} x ({' + '.join(units)})"
    return f"{share} x {units[0]}" if units else share


def _rounding(part: OpenPart) -> str:
    amount = part.amount
    if part.accrual.value == amount.exact():
        return ""
    instalment = part.charge.instalment
    if part.is_whole and instalment and instalment.is_rest:
        return f"; what is left of {instalment.whole.amount()}: {amount.amount()}"
    if Money.rounded(part.accrual.value, amount.currency) != amount:
        return f"; what is left of {part.charge.due.amount()}: {amount.amount()}"
    return f", rounded to {amount.amount()}"
