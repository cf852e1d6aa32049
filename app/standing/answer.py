"""The answer made of the facts: one sentence with its tone, totals, next charge, invoices, risk and problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from app.billing.calendar import people_date
from app.billing.health import ChurnRisk, HealthFacts, churn_risk
from app.billing.money import Money
from app.billing.states import LEDGER_STATES, is_overdue
from app.connections.models import CONNECTED, QUICKBOOKS
from app.deals.models import BEFORE_GO_LIVE
from app.invoices.models import Invoice
from app.standing.facts import Facts

Tone = Literal["success", "info", "warning", "danger", "neutral"]
WORDS = {
    "draft": "Draft", "approved": "Approved", "sending": "Being sent", "open": "Open", "sent": "Sent",
    "partly_paid": "Partly paid", "paid": "Paid", "voided": "Voided", "deleted": "Deleted",
}  # fmt: skip
# What becomes of an approved credit note so far.
BY_HAND = "Credit notes are sent to QuickBooks in a coming version; issue it there by hand."
_CONNECTION_WORDS = {"hubspot": "HubSpot", "quickbooks": "QuickBooks"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence a rep reads in two seconds, and its tone."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Total:
    """Open and overdue of one currency."""

    open: Money
    overdue: Money


def overdue(invoice: Invoice, today: date) -> bool:
    """Whether an invoice's money is late on this billing day."""
    return is_overdue(invoice.state, invoice.balance_minor or 0, invoice.due_on, today)


def is_credit(invoice: Invoice) -> bool:
    """Whether this is a credit note: money owed to the customer, never open nor overdue."""
    return invoice.kind == "credit_note"


def waits_by_hand(invoice: Invoice) -> bool:
    """Whether it is approved and a person has to issue it in the ledger."""
    return is_credit(invoice) and invoice.state == "approved"


def totals(facts: Facts) -> list[Total]:
    """Return open and overdue per currency, the portal's own currency first."""
    sums: dict[str, tuple[int, int]] = {}
    for invoice in facts.invoices:
        if invoice.state in LEDGER_STATES:
            open_, late = sums.get(invoice.currency, (0, 0))
            balance = invoice.balance_minor or 0
            sums[invoice.currency] = (open_ + balance, late + (balance if overdue(invoice, facts.today) else 0))
    home = facts.portal.currency
    if not sums:
        sums[home] = (0, 0)
    order = sorted(sums, key=lambda code: (code != home, code))
    return [Total(Money(sums[code][0], code), Money(sums[code][1], code)) for code in order]


def risk(facts: Facts) -> ChurnRisk:
    """Return the churn risk by the rule table of `app.billing.health`."""
    late_days = [
        (i.paid_on - i.due_on).days for i in facts.invoices if i.state == "paid" and i.paid_on and _recent(i, facts)
    ]
    late = [days for days in late_days if days > 0]
    overdue_days = [(facts.today - i.due_on).days for i in facts.invoices if overdue(i, facts.today)]
    return churn_risk(
        HealthFacts(
            as_of=facts.today,
            contract_ends_on=facts.contract_ends_on,
            overdue_days_max=max(overdue_days, default=0),
            # Currencies can't be added; the worst of them speaks for the customer.
            overdue_share_percent=max(
                (t.overdue.minor * 100 // t.open.minor for t in totals(facts) if t.open.minor), default=0
            ),
            late_payments=len(late),
            average_days_late=sum(late) // len(late) if late else 0,
        )
    )


def _recent(invoice: Invoice, facts: Facts) -> bool:
    return invoice.paid_on is not None and (facts.today - invoice.paid_on).days <= 365


def sentence(facts: Facts) -> Sentence:
    """Return where this customer or deal stands, the most urgent thing first."""
    return (
        _connection_lost(facts)
        or _overdue(facts)
        or _waiting(facts)
        or _to_approve(facts)
        or _open(facts)
        or _quiet(facts)
    )  # fmt: skip


def _connection_lost(facts: Facts) -> Sentence | None:
    for connection in facts.connections:
        if connection.state != CONNECTED:
            name = _CONNECTION_WORDS[connection.provider]
            return Sentence(f"{name} has to be connected again; until then invoices wait.", "danger")
    if facts.subscriptions and not any(c.provider == QUICKBOOKS for c in facts.connections):
        return Sentence("QuickBooks is not connected yet; invoices wait.", "warning")
    return None


def _overdue(facts: Facts) -> Sentence | None:
    late = [i for i in facts.invoices if overdue(i, facts.today)]
    if not late:
        return None
    days = max((facts.today - i.due_on).days for i in late)
    amounts = _sum(late)
    return Sentence(f"{amounts} is overdue, the oldest by {days} day{'s' if days != 1 else ''}.", "danger")


def _waiting(facts: Facts) -> Sentence | None:
    own = [p for p in facts.problems if p.customer_id is not None or p.deal_id is not None]
    return Sentence(f"Billing waits: {own[0].sentence}", "warning") if own else None


def _to_approve(facts: Facts) -> Sentence | None:
    waiting = [i for i in facts.invoices if i.state == "draft" and i.needs_person and i.scheduled_on <= facts.today]
    drafts = [i for i in waiting if not is_credit(i)]
    if not drafts and not waiting:
        return None
    if not drafts:
        what = "A credit" if len(waiting) == 1 else f"{len(waiting)} credits"
        verb = "waits" if len(waiting) == 1 else "wait"
        return Sentence(f"{what} of {_sum(waiting, net=True, sign=-1)} {verb} for approval by finance.", "info")
    what = "An invoice" if len(drafts) == 1 else f"{len(drafts)} invoices"
    total = _sum(drafts, net=True)
    return Sentence(f"{what} over {total} wait{'s' if len(drafts) == 1 else ''} for approval by finance.", "info")


def _open(facts: Facts) -> Sentence | None:
    unpaid = [i for i in facts.invoices if i.state in LEDGER_STATES and (i.balance_minor or 0) > 0]
    if not unpaid:
        return None
    due = min(i.due_on for i in unpaid)
    first = [i for i in unpaid if i.due_on == due]
    if len(first) == len(unpaid):
        return Sentence(f"{_sum(unpaid)} is open, due by {people_date(due)}.", "info")
    return Sentence(f"{_sum(unpaid)} is open; {_sum(first)} of it is due by {people_date(due)}.", "info")


def _quiet(facts: Facts) -> Sentence:
    sent = [i for i in facts.invoices if i.state == "paid"]
    coming = [i for i in facts.invoices if i.state in ("approved", "sending") and not is_credit(i)]
    charge = facts.next_charge
    if coming:
        return Sentence(f"An invoice over {_sum(coming, net=True)} is on its way to QuickBooks.", "info")
    if sent and charge:
        return Sentence(f"Everything is paid. The next charge is {charge.net} on {people_date(charge.on)}.", "success")
    if sent:
        return Sentence("Everything is paid.", "success")
    if charge:
        return Sentence(f"The first charge is {charge.net} on {people_date(charge.on)}.", "info")
    if facts.deal is not None and facts.deal.state == BEFORE_GO_LIVE:
        return Sentence(
            "This deal was won before Dealwright went live; finance decides whether to import it.", "neutral"
        )
    if facts.subscriptions:
        return Sentence("What was agreed leaves nothing to bill.", "neutral")
    what = "deal" if facts.deal is not None else "company"
    return Sentence(f"Nothing is billed for this {what} yet. Billing starts when a deal is won.", "neutral")


def _sum(invoices: Iterable[Invoice], *, net: bool = False, sign: int = 1) -> str:
    sums: dict[str, int] = {}
    for invoice in invoices:
        amount = sign * (invoice.net_minor if net else invoice.balance_minor or 0)
        sums[invoice.currency] = sums.get(invoice.currency, 0) + amount
    return " and ".join(str(Money(minor, code)) for code, minor in sorted(sums.items()))


def status_words(invoice: Invoice, today: date) -> str:
    """Return an invoice's state as people say it; overdue is said with its days."""
    words = WORDS[invoice.state]
    if waits_by_hand(invoice):
        return "Credit note, to be issued in QuickBooks by hand"
    if is_credit(invoice):
        return f"Credit note, {words.lower()}"
    if overdue(invoice, today):
        days = (today - invoice.due_on).days
        return f"{words}, overdue by {days} day{'s' if days != 1 else ''}"
    return words


def connection_states(facts: Facts) -> Mapping[str, str]:
    """Return the state of each provider's connection; `not_connected` where there is none."""
    states = dict.fromkeys(_CONNECTION_WORDS, "not_connected")
    for connection in facts.connections:
        states[connection.provider] = connection.state
    return states


def to_json(facts: Facts, invoice_url: str) -> dict[str, Any]:
    """Return the card's answer. `invoice_url` is the ledger's page with a place for the invoice's id."""
    said = sentence(facts)
    charge = facts.next_charge
    return {
        "status": {"text": said.text, "tone": said.tone},
        "totals": [
            {"currency": t.open.currency, "open": t.open.plain(), "overdue": t.overdue.plain()} for t in totals(facts)
        ],
        "next_charge": None
        if charge is None
        else {
            "date": charge.on.isoformat(),
            "amount": charge.net.plain(),
            "currency": charge.net.currency,
            "why": charge.why,
        },
        "invoices": [_invoice(invoice, facts, invoice_url) for invoice in facts.invoices],
        "churn_risk": risk(facts).to_json(),
        "problems": [{"text": p.sentence, "who": p.who, "action": p.action, "holds": p.holds} for p in facts.problems],
        "connections": dict(connection_states(facts)),
        "as_of": facts.as_of.isoformat(timespec="seconds"),
    }


def _invoice(invoice: Invoice, facts: Facts, invoice_url: str) -> dict[str, Any]:
    total = invoice.total_minor if invoice.total_minor is not None else invoice.net_minor
    # What is owed to the customer is no balance of theirs.
    unpaid = 0 if is_credit(invoice) else total
    balance = invoice.balance_minor if invoice.balance_minor is not None else unpaid
    external_id = facts.external_ids.get(invoice.id)
    return {
        "kind": invoice.kind,
        "number": invoice.number,
        "date": (invoice.issued_on or invoice.scheduled_on).isoformat(),
        "due": invoice.due_on.isoformat(),
        "total": Money(total, invoice.currency).plain(),
        "balance": Money(balance, invoice.currency).plain(),
        "currency": invoice.currency,
        "status": invoice.state,
        "overdue": overdue(invoice, facts.today),
        "status_text": status_words(invoice, facts.today),
        "url": invoice_url.format(id=external_id) if external_id else None,
    }
