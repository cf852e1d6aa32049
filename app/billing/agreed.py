"""What is agreed of an item on a day, and what a step, a change or a renewal makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.billing.deal import Change, Discount, Item, Step
from app.billing.pricing import price_of


@dataclass(frozen=True, slots=True)
class State:
    """What is agreed of an item from one day on. `uplift` multiplies a price model; prices are exact.

    `is_listed`: a renewal at list price dropped all discounts. `is_known` False: the renewal price is not known yet.
    """

    quantity: Decimal
    unit_price: Fraction
    uplift: Fraction
    discounts: tuple[Discount, ...]
    is_listed: bool = False
    is_known: bool = True

    def price(self, item: Item, currency: str) -> Fraction:
        """Return the exact price of the whole quantity for one price interval, before discounts."""
        if item.price is None:
            return Fraction(self.quantity) * self.unit_price
        return price_of(item.price, self.quantity, currency).amount * self.uplift


def fields_of(change: Change) -> dict[str, Any]:
    """Return the fields of a state that a change sets."""
    found: dict[str, Any] = {}
    if change.quantity is not None:
        found["quantity"] = change.quantity
    if change.unit_price is not None:
        found |= {"unit_price": Fraction(change.unit_price), "is_known": True}
    if change.discounts is not None:
        found["discounts"] = change.discounts
    return found


def raised(state: State, percent: Fraction) -> State:
    """Raise the price by a percentage."""
    factor = 1 + percent / 100
    return replace(state, unit_price=state.unit_price * factor, uplift=state.uplift * factor)


def stepped(step: Step, state: State) -> State:
    """Take a step."""
    if step.unit_price is not None:
        state = replace(state, unit_price=Fraction(step.unit_price), is_known=True)
    if step.quantity is not None:
        state = replace(state, quantity=step.quantity)
    return raised(state, step.uplift) if step.uplift is not None else state


def after_steps(steps: Sequence[Step], state: State) -> State:
    """Return a state after some steps."""
    for step in steps:
        state = stepped(step, state)
    return state
