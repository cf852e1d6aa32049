"""Invoices: what was approved, where each one stands, and its whole story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.billing.money import Money
from app.billing.states import InvoiceState
from app.connections import queries as connections
from app.console import compare, edited, queries, shell
from app.core.errors import NotFound
from app.invoices import queries as invoices
from app.invoices.edits import Edit
from app.invoices.models import Invoice
from app.problems import queries as problems
from app.standing.answer import BY_HAND, WORDS, overdue, status_words, waits_by_hand

blueprint = Blueprint("invoices", __name__)
_ISSUED = tuple(state.value for state in InvoiceState if state is not InvoiceState.DRAFT)
# Lists by what people ask for; each state's own name works as an address too.
LISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": ("All", _ISSUED),
    "on_its_way": ("On its way", ("approved", "sending")),
    "unpaid": ("Unpaid", ("open", "sent", "partly_paid")),
    "overdue": ("Overdue", ("open", "sent", "partly_paid")),
    "paid": ("Paid", ("paid",)),
    "ended": ("Voided or deleted", ("voided", "deleted")),
    # Of what is approved, credit notes go nowhere by themselves so far.
    "by_hand": ("To issue by hand", ("approved",)),
}
_KINDS = {"by_hand": "credit_note", "on_its_way": "invoice"}
# Further than anybody turns pages; it keeps a made-up number out of the database.
_LAST_PAGE = 100_000
_TONES = {
    "draft": "neutral", "approved": "info", "sending": "info", "open": "info", "sent": "info", "partly_paid": "warning",
    "paid": "success", "voided": "neutral", "deleted": "neutral",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened to an invoice: when, who (a person, or who acted by itself), and what."""

    at: datetime
    who: str
    what: str


@blueprint.get("/invoices")
def index() -> str:
    """List invoices by state, a hundred a page; a text is looked for in numbers and customers' names."""
    sessions.require()
    today = shell.today()
    state, text = request.args.get("state", "all"), request.args.get("q", "").replace("\0", "").strip()[:100]
    number = min(max(1, request.args.get("page", 1, type=int)), _LAST_PAGE)
    found = queries.find_invoices(
        _states(state), text=text, overdue_on=today if state == "overdue" else None, page=number,
        kind=_KINDS.get(state),
    )  # fmt: skip
    return shell.page(
        "invoices.html", at="invoices", found=found, state=state, lists=LISTS, counts=_counts(today), text=text,
        number=number, pages=-(-found.total // queries.PAGE), external=external_ids([i.id for i, _ in found.rows]),
        words=status_words, tone=tone, words_of=WORDS,
    )  # fmt: skip


@blueprint.get("/invoices/<record:invoice_id>")
def one(invoice_id: int) -> ResponseReturnValue:
    """Tell one invoice whole: lines and reasons, who approved it when, what happened since, and its payments."""
    sessions.require()
    listed = invoices.one(invoice_id)
    invoice = listed.invoice
    if invoice.state == "draft":
        return redirect(url_for("drafts.one", invoice_id=invoice_id))
    lines = invoices.lines([invoice_id]).get(invoice_id, [])
    return shell.page(
        "invoice.html", at="invoices", invoice=invoice, customer=listed.customer, deal=listed.deal, lines=lines,
        versions=compare.comparison(invoice, lines), edits=edited.told(invoice, lines), by_hand=BY_HAND,
        waits_by_hand=waits_by_hand(invoice), story=story(invoice), payments=queries.payments_of(invoice_id),
        external=external_ids([invoice_id]).get(invoice_id), words=status_words, tone=tone,
        problems=[p for p in problems.open_ones(customer_id=invoice.customer_id) if p.customer_id is not None],
    )  # fmt: skip


def tone(invoice: Invoice, today: date) -> str:
    """Return the tone that an invoice's state is shown in, beside its words."""
    if waits_by_hand(invoice):
        return "warning"
    return "danger" if overdue(invoice, today) else _TONES[invoice.state]


def external_ids(invoice_ids: Sequence[int]) -> dict[int, str]:
    """Return {our id: QuickBooks' id} of those that are there."""
    ledger = connections.ledger()
    return connections.external_ids(ledger.id, "invoice", invoice_ids) if ledger and invoice_ids else {}


def story(invoice: Invoice) -> list[Moment]:
    """Return what happened to an invoice, oldest first: people's and the rule's acts, and what the ledger said."""
    told = [
        Moment(a.created_at, _who(a.actor), act(a.action, a.detail, invoice.currency))
        for a in queries.audit_of("invoice", invoice.id)
    ]
    for event in queries.events_of("invoice", invoice.id):
        what = _happening(event.kind, event.data, invoice.currency)
        if what is not None:
            told.append(Moment(event.created_at, *what))
    return sorted(told, key=lambda moment: moment.at)


def _states(state: str) -> tuple[str, ...]:
    if state in LISTS:
        return LISTS[state][1]
    if state in _ISSUED:
        return (state,)
    raise NotFound("There is no such list of invoices.")


def _counts(today: date) -> dict[str, int]:
    by_state = invoices.counts_by_state()
    counts = {name: sum(by_state.get(state, 0) for state in states) for name, (_, states) in LISTS.items()}
    by_hand = queries.by_hand_count()
    on_its_way = counts["on_its_way"] - by_hand
    return counts | {"overdue": queries.overdue_count(today), "by_hand": by_hand, "on_its_way": on_its_way}


def _who(actor: str) -> str:
    return "Dealwright, by the rule" if actor == "rule" else actor


def act(action: str, detail: dict[str, Any], currency: str) -> str:
    """Return what a person or the rule did, in words, with the change where it was one."""
    version = f" version {detail['version']}" if action == "approved" and "version" in detail else ""
    what = f"{action[:1].upper()}{action[1:]}{version}"
    if "edit" not in detail:
        return what
    edit = Edit(**detail["edit"])
    return f"{what}: {edited.words(edit, currency)}, {edited.SCOPES[edit.scope]} (“{edit.reason}”)"


def _happening(kind: str, data: dict[str, Any], currency: str) -> tuple[str, str] | None:
    """Return who and what of an event in words; None for those that the audit tells already."""
    if kind == "invoice.drafted":
        return "Dealwright", f"Wrote version {data['version']} over {Money(data['net_minor'], currency)}"
    if kind == "invoice.in_ledger":
        number = f" as number {data['number']}" if data.get("number") else ""
        return "QuickBooks", f"Created{number}"
    if kind == "invoice.mailed":
        return "QuickBooks", "Mailed it to the customer"
    if kind == "invoice.state":
        return "QuickBooks", f"{WORDS.get(data['before'], data['before'])} → {WORDS.get(data['now'], data['now'])}"
    if kind == "problem.opened":
        return "Dealwright", "Opened a problem that a person has to settle"
    return None
