"""Recurring revenue of one deal on one day (convention 14), first width: no discounts, steps, trials or changes."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from app.billing.document import DealDocument, RecurringItem
from app.billing.money import Money


def mrr(deal: DealDocument, on: date) -> Money:
    """Return the monthly value of the recurring items that are live on `on`, rounded once, half away from zero.

    Live is from the start up to but without the end. A price per k months counts 1/k of it. One-time items never count.
    """
    live = deal.start <= on and (deal.end is None or on < deal.end)
    recurring = [item for item in deal.items if isinstance(item, RecurringItem)] if live else []
    return Money.rounded(
        sum((item.price / item.price_interval.months for item in recurring), Fraction(0)), deal.currency
    )
