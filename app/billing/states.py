"""The states of an invoice as one pure transition table.

`draft, approved, sending` are ours. `open, sent, partly_paid, paid` are the ledger's and may move in any direction
(a voided payment raises the balance again, so a paid invoice can become open). `voided` and `deleted` end a life.
Overdue is not a state: it arises with time, see `is_overdue`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum


class InvoiceState(StrEnum):
    """Where an invoice stands; the same words on card, console and write-back."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    OPEN = "open"
    SENT = "sent"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    VOIDED = "voided"
    DELETED = "deleted"


class InvoiceEvent(StrEnum):
    """What happens to an invoice. `ledger_*`: the ledger, read as it is now, says so."""

    APPROVE = "approve"
    TAKE_BACK = "take_back"
    SEND = "send"
    REFUSE = "refuse"
    DISCARD = "discard"
    LEDGER_OPEN = "ledger_open"
    LEDGER_SENT = "ledger_sent"
    LEDGER_PARTLY_PAID = "ledger_partly_paid"
    LEDGER_PAID = "ledger_paid"
    LEDGER_VOIDED = "ledger_voided"
    LEDGER_DELETED = "ledger_deleted"


class StateError(ValueError):
    """Base of the errors here; the message is fit for a person."""


class UnknownState(StateError):
    """A word that is no invoice state."""


class UnknownEvent(StateError):
    """A word that is no invoice event."""


class TransitionRefused(StateError):
    """An event that may not happen in this state."""

    def __init__(self, state: InvoiceState, event: InvoiceEvent) -> None:
        super().__init__(f"an invoice that is {state.replace('_', ' ')} cannot {_WORDS[event]}")
        self.state = state
        self.event = event


_WORDS = {
    InvoiceEvent.APPROVE: "be approved",
    InvoiceEvent.TAKE_BACK: "be taken back to draft",
    InvoiceEvent.SEND: "be sent to the ledger",
    InvoiceEvent.REFUSE: "be refused by the ledger",
    InvoiceEvent.DISCARD: "be discarded",
    InvoiceEvent.LEDGER_OPEN: "become open in the ledger",
    InvoiceEvent.LEDGER_SENT: "become sent in the ledger",
    InvoiceEvent.LEDGER_PARTLY_PAID: "become partly paid in the ledger",
    InvoiceEvent.LEDGER_PAID: "become paid in the ledger",
    InvoiceEvent.LEDGER_VOIDED: "become voided in the ledger",
    InvoiceEvent.LEDGER_DELETED: "become deleted in the ledger",
}

LEDGER_STATES = frozenset({InvoiceState.OPEN, InvoiceState.SENT, InvoiceState.PARTLY_PAID, InvoiceState.PAID})
FINAL_STATES = frozenset({InvoiceState.VOIDED, InvoiceState.DELETED})

# What each reading of the ledger leads to, from any state in which the ledger knows the invoice.
_LEDGER_TARGETS = {
    InvoiceEvent.LEDGER_OPEN: InvoiceState.OPEN,
    InvoiceEvent.LEDGER_SENT: InvoiceState.SENT,
    InvoiceEvent.LEDGER_PARTLY_PAID: InvoiceState.PARTLY_PAID,
    InvoiceEvent.LEDGER_PAID: InvoiceState.PAID,
    InvoiceEvent.LEDGER_VOIDED: InvoiceState.VOIDED,
    InvoiceEvent.LEDGER_DELETED: InvoiceState.DELETED,
}
TRANSITIONS: dict[InvoiceState, dict[InvoiceEvent, InvoiceState]] = {
    InvoiceState.DRAFT: {
        InvoiceEvent.APPROVE: InvoiceState.APPROVED,
        InvoiceEvent.DISCARD: InvoiceState.DELETED,
    },
    InvoiceState.APPROVED: {
        InvoiceEvent.SEND: InvoiceState.SENDING,
        InvoiceEvent.TAKE_BACK: InvoiceState.DRAFT,
        InvoiceEvent.DISCARD: InvoiceState.DELETED,
    },
    # Once sending began the ledger may have the invoice even if it never answered, so the only ways out are a definite
    # refusal and what the ledger itself shows.
    InvoiceState.SENDING: {InvoiceEvent.REFUSE: InvoiceState.APPROVED, **_LEDGER_TARGETS},
    **{state: dict(_LEDGER_TARGETS) for state in (InvoiceState.OPEN, InvoiceState.SENT)},
    **{state: dict(_LEDGER_TARGETS) for state in (InvoiceState.PARTLY_PAID, InvoiceState.PAID)},
    # A ledger lets a voided invoice still be deleted, never come back; the same news twice changes nothing.
    InvoiceState.VOIDED: {
        InvoiceEvent.LEDGER_VOIDED: InvoiceState.VOIDED,
        InvoiceEvent.LEDGER_DELETED: InvoiceState.DELETED,
    },
    InvoiceState.DELETED: {InvoiceEvent.LEDGER_DELETED: InvoiceState.DELETED},
}
LEDGER_EVENTS: dict[InvoiceState, InvoiceEvent] = {target: event for event, target in _LEDGER_TARGETS.items()}


def transition(state: str, event: str) -> InvoiceState:
    """Return the state that follows. Raises UnknownState, UnknownEvent or TransitionRefused."""
    try:
        now = InvoiceState(state)
    except ValueError:
        raise UnknownState(f"{state!r} is not an invoice state") from None
    try:
        happened = InvoiceEvent(event)
    except ValueError:
        raise UnknownEvent(f"{event!r} is not an invoice event") from None
    if happened not in TRANSITIONS[now]:
        raise TransitionRefused(now, happened)
    return TRANSITIONS[now][happened]


def ledger_state(
    *, total_minor: int, balance_minor: int, emailed: bool, voided: bool, deleted: bool, lines_zero: bool
) -> InvoiceState:
    """Derive the state from one full reading of the ledger's invoice.

    `voided`: its private note carries the ledger's "Voided" mark; that alone is not enough, since people type notes,
    so total, balance and every line (`lines_zero`) must be zero too (provider fact: QuickBooks zeroes them all).
    A zero total that is not voided owes nothing and counts as paid.
    """
    if deleted:
        return InvoiceState.DELETED
    if voided and lines_zero and total_minor == 0 and balance_minor == 0:
        return InvoiceState.VOIDED
    if balance_minor <= 0:
        return InvoiceState.PAID
    if balance_minor < total_minor:
        return InvoiceState.PARTLY_PAID
    return InvoiceState.SENT if emailed else InvoiceState.OPEN


def is_overdue(state: str, balance_minor: int, due_on: date, today: date) -> bool:
    """Say whether money is late: the ledger has the invoice, a balance is left, and its due date is before `today`.

    `today` is the portal's local day. An invoice due today is not overdue yet.
    """
    return state in LEDGER_STATES and balance_minor > 0 and due_on < today
