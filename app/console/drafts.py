"""Drafts: read what goes out, line by line with its reason, and approve exactly what was shown."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.connections import queries as connections
from app.console import compare, edited, onwards, queries, shell
from app.core.errors import Conflict, Invalid
from app.core.idempotency import once
from app.customers.models import Customer
from app.deals.models import Deal
from app.invoices import approval
from app.invoices import queries as invoices
from app.invoices.models import Invoice, InvoiceLine
from app.invoices.planning import ROUTINE
from app.invoices.queries import Listed
from app.portals.actions import Actor
from app.standing.answer import BY_HAND

blueprint = Blueprint("drafts", __name__)
DOOR = "console.approve"
# The billing run gives this reason to every draft of a portal that approves all; beside it a draft is routine.
_SHOWN = re.compile(r"([0-9]{1,18}):([0-9]{1,9})")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
SHOW = {"all": "All", "closer": "Need a closer look", "routine": "Routine"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with all that a person needs to judge it."""

    invoice: Invoice
    customer: Customer
    deal: Deal
    lines: Sequence[InvoiceLine]
    held: str | None
    versions: compare.Comparison | None
    edits: Sequence[edited.Told]
    onwards: Sequence[onwards.Onwards] = ()

    @property
    def reasons(self) -> list[str]:
        """Why it waits for a person, the unusual reasons only."""
        return [reason for reason in self.invoice.needs_person if reason != ROUTINE]

    @property
    def is_routine(self) -> bool:
        """Whether nothing about it is unusual."""
        is_as_before = self.versions is None and not any(one.is_new for one in self.onwards)
        return is_as_before and not self.reasons and self.held is None

    @property
    def has_older_edit(self) -> bool:
        """Whether a person changed it before the deal changed, so that the two were never seen together."""
        return any(edit.is_before_deal for edit in self.edits)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an approval: what was approved, what was not and why, how many drafts were gone by then."""

    approved: Sequence[tuple[Invoice, Customer]]
    refused: Sequence[tuple[Invoice, Customer, str]]
    gone: int

    @property
    def sums(self) -> list[tuple[str, int]]:
        """(currency, net) of what was approved."""
        sums: dict[str, int] = {}
        for invoice, _ in self.approved:
            sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.net_minor
        return sorted(sums.items())


@blueprint.get("/drafts")
def index() -> str:
    """List the drafts, the earliest first, each with its lines and reasons; after an approval, its result on top."""
    sessions.require()
    return _list()


@blueprint.get("/drafts/<record:invoice_id>")
def one(invoice_id: int) -> ResponseReturnValue:
    """Show one draft as the customer will get it, each line with its reason. One that went out is an invoice now."""
    sessions.require()
    if invoices.one(invoice_id).invoice.state == "draft":
        return one_page(invoice_id)
    # The next draft to read may have gone out meanwhile; what an approval did is told all the same.
    told = request.args.get("result", "")
    return redirect(url_for("drafts.index", result=told) if told else url_for("invoices.one", invoice_id=invoice_id))


def one_page(invoice_id: int) -> str:
    """Return a draft's own page, with the drafts before and after it at hand. Conflict if it is none any more."""
    listed = invoices.one(invoice_id)
    every = [draft.invoice.id for draft in invoices.drafts()]
    if invoice_id not in every:
        raise Conflict("This draft went out meanwhile.")
    dated, at = max(listed.invoice.scheduled_on, shell.today()), every.index(invoice_id)
    return shell.page(
        "draft.html", at="drafts", draft=_drafts([listed])[0], key=secrets.token_urlsafe(18), blocked=blocked(),
        before=every[at - 1] if at else None, after=every[at + 1] if at + 1 < len(every) else None,
        dated=dated, due=dated + timedelta(days=listed.invoice.net_days), by_hand=BY_HAND,
        result=result(request.args.get("result", "")),
    )  # fmt: skip


@blueprint.post("/drafts/approve")
def approve() -> ResponseReturnValue:
    """Approve drafts in the versions shown (`draft=<id>:<version>`, repeated). The same `key` again changes nothing."""
    body = request.get_data(cache=True)
    actor = sessions.require(form=True)
    try:
        key, shown = _key(request.form.get("key", "")), _shown(request.form.getlist("draft"))
        answer = once(DOOR, key, body, lambda: _approve(actor, shown))
    except (Conflict, Invalid) as error:
        told = error
        if "key" in error.fields:
            told = Conflict("This page was used already. It is up to date again now: look once more, then approve.")
        return shell.refused(told, _list)
    return redirect(_then(request.form.get("then", ""), answer, key), code=303)


def _then(wanted: str, answer: dict[str, Any], key: str) -> str:
    """Return where to go on: from a draft's own page to the next draft, or to itself if it was not approved."""
    refused = [verdict["id"] for verdict in answer["verdicts"] if verdict["error"]]
    if not wanted.isdecimal() or len(wanted) > 18:
        show = request.form.get("show", "")
        return url_for("drafts.index", result=key, show=show if show in ("closer", "routine") else None)
    return url_for("drafts.one", invoice_id=refused[0] if refused else int(wanted), result=key)


def blocked() -> str | None:
    """Return why nothing can be approved by anybody right now, if that is so."""
    if connections.ledger() is None:
        return "QuickBooks is not connected, so approved invoices would have nowhere to go."
    return None


def _list() -> str:
    drafts = _drafts(invoices.drafts())
    show = request.args.get("show", "all")
    routine = sum(draft.is_routine for draft in drafts)
    counts = {"all": len(drafts), "closer": len(drafts) - routine, "routine": routine}
    shown = [draft for draft in drafts if show not in ("closer", "routine") or draft.is_routine == (show == "routine")]
    return shell.page(
        "drafts.html", at="drafts", drafts=shown, counts=counts, filters=SHOW, show=show if show in SHOW else "all",
        key=secrets.token_urlsafe(18), result=result(request.args.get("result", "")), blocked=blocked(),
    )  # fmt: skip


def _drafts(listed: Sequence[Listed]) -> list[Draft]:
    lines = invoices.lines([row.invoice.id for row in listed])
    held = queries.held()
    reached = onwards.of_drafts((row.invoice, lines.get(row.invoice.id, [])) for row in listed)
    return [
        Draft(
            row.invoice, row.customer, row.deal, lines.get(row.invoice.id, []), held.get(row.invoice.subscription_id),
            compare.comparison(row.invoice, lines.get(row.invoice.id, [])),
            edited.told(row.invoice, lines.get(row.invoice.id, [])), reached.get(row.invoice.id, ()),
        )
        for row in listed
    ]  # fmt: skip


def _key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Invalid("This form came without its key. Reload the page and approve again.", field="key")
    return key


def _shown(values: Sequence[str]) -> list[tuple[int, int]]:
    """Read what the page showed: (invoice id, version) pairs, each once."""
    if not values:
        raise Invalid("No draft was selected. Tick those that may go out, then approve.", field="draft")
    matches = [_SHOWN.fullmatch(value) for value in values]
    if not all(matches):
        raise Invalid("The list of drafts can't be read. Reload the page and approve again.", field="draft")
    return list(dict.fromkeys((int(match[1]), int(match[2])) for match in matches if match))


def _approve(actor: Actor, shown: Sequence[tuple[int, int]]) -> dict[str, Any]:
    verdicts = approval.approve_many(actor, shown)
    return {"verdicts": [{"id": verdict.invoice_id, "error": verdict.error} for verdict in verdicts]}


def result(key: str) -> Result | None:
    """Return what the approval with this key did, if this portal made one."""
    answer = queries.remembered(DOOR, key) if _KEY.fullmatch(key) else None
    if answer is None:
        return None
    named = queries.named(verdict["id"] for verdict in answer["verdicts"])
    approved, refused, gone = [], [], 0
    for verdict in answer["verdicts"]:
        if verdict["id"] not in named:
            gone += 1
            continue
        invoice, customer = named[verdict["id"]]
        if verdict["error"] is None:
            approved.append((invoice, customer))
        else:
            refused.append((invoice, customer, verdict["error"]))
    return Result(approved, refused, gone)
