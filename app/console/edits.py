"""Changing a draft before it is approved: the form of one line, and taking a change back."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.console import drafts, meanwhile, shell
from app.console.edited import discount_typed, discount_words
from app.core.errors import Conflict, DomainError, Invalid
from app.invoices import editing
from app.invoices import queries as invoices
from app.invoices.approval import DraftChanged
from app.invoices.editing import AMOUNT, LONGEST_REASON, NO_DISCOUNT, PERCENT, Wish
from app.invoices.edits import ONCE

blueprint = Blueprint("edits", __name__)
_CHANGED = DraftChanged("The draft changed since this form was opened. Read what changed, then decide again.")
_TYPED = ("quantity", "discount_kind", "discount", "scope", "reason")


@blueprint.get("/drafts/<record:invoice_id>/edit")
def form(invoice_id: int) -> str:
    """Show the form that changes one line (`line`, from 0) of a draft."""
    sessions.require()
    return _form(invoice_id, _position(request.args.get("line", "0")), {})


@blueprint.post("/drafts/<record:invoice_id>/change")
def change(invoice_id: int) -> ResponseReturnValue:
    """Change the line in the version of the draft that was shown; the draft is written anew at once."""
    actor = sessions.require(form=True)
    invoices.one(invoice_id)
    typed = request.form
    position = _position(typed.get("line", ""))
    wish = Wish(
        position=position, scope=typed.get("scope", ""), quantity=typed.get("quantity", ""),
        discount_kind=typed.get("discount_kind", ""), discount=typed.get("discount", ""),
        reason=typed.get("reason", ""),
    )  # fmt: skip
    try:
        editing.edit(actor, invoice_id, _version(typed.get("version", "")), wish)
    except DraftChanged:
        return shell.refused(_CHANGED, lambda: _again(invoice_id, typed))
    except DomainError as error:
        if error.status in (403, 404):
            raise
        return shell.refused(error, lambda: _form(invoice_id, position, typed))
    return redirect(url_for("drafts.one", invoice_id=invoice_id, done="edited"), code=303)


@blueprint.post("/drafts/<record:invoice_id>/undo")
def undo(invoice_id: int) -> ResponseReturnValue:
    """Take back a change (`edit`) of a draft."""
    actor = sessions.require(form=True)
    invoices.one(invoice_id)
    try:
        editing.undo(actor, invoice_id, _version(request.form.get("version", "")), request.form.get("edit", ""))
    except DomainError as error:
        if error.status in (403, 404):
            raise
        return shell.refused(error, lambda: drafts.one_page(invoice_id))
    return redirect(url_for("drafts.one", invoice_id=invoice_id, done="undone"), code=303)


def _again(invoice_id: int, typed: Mapping[str, str]) -> str:
    """Show the draft as it is now, what was changed meanwhile and by whom, and what was typed beside it.

    Nothing that was typed but the reason is taken over: it was meant for a draft that is no more. A line that the
    draft no longer has leads to the draft itself.
    """
    lines = invoices.lines([invoice_id]).get(invoice_id, [])
    wanted = (typed.get("item", ""), typed.get("start", ""))
    found = (n for n, line in enumerate(lines) if (line.item_key, line.start_on.isoformat()) == wanted)
    position = next(found, None) if any(wanted) else _position(typed.get("line", ""))
    if position is None:
        return drafts.one_page(invoice_id)
    try:
        return _form(invoice_id, position, {"reason": typed.get("reason", "")}, missed=typed)
    except Conflict:
        return drafts.one_page(invoice_id)


def _form(invoice_id: int, position: int, typed: Mapping[str, str], *, missed: Mapping[str, str] | None = None) -> str:
    """Show the form with what was typed; `missed` is what was typed for a version that is no longer the newest."""
    listed = invoices.one(invoice_id)
    at = editing.editable(sessions.require(), invoice_id, position)
    lines = invoices.lines([invoice_id]).get(invoice_id, [])
    names = {line.item_key: line.name for line in lines}
    kind, value = discount_typed(at.values["discounts"])
    shown = {
        "quantity": at.values["quantity"], "discount_kind": kind, "discount": value,
        "scope": at.live.scope if at.live is not None else ONCE, "reason": "",
    } | {name: text for name, text in typed.items() if name in _TYPED}  # fmt: skip
    return shell.page(
        "edit.html", at="drafts", invoice=listed.invoice, customer=listed.customer, deal=listed.deal, at_line=at,
        position=position, name=names.get(at.line.item, at.line.item), typed=shown,
        discount=discount_words(at.values["discounts"], listed.invoice.currency), longest=LONGEST_REASON,
        kinds={PERCENT: "Percent off", AMOUNT: f"{listed.invoice.currency} off this line, on each invoice",
               NO_DISCOUNT: "No discount"},
        missed=missed, meanwhile=meanwhile.since(listed.invoice, _version(missed["version"])) if missed else (),
    )  # fmt: skip


def _position(raw: str) -> int:
    if not raw.isdecimal() or len(raw) > 4:
        raise Invalid("This line can't be found. Go back to the draft and choose it again.", field="line")
    return int(raw)


def _version(raw: str) -> int:
    if not raw.isdecimal() or len(raw) > 9:
        raise Invalid("This form came without its version. Go back to the draft and change it again.", field="version")
    return int(raw)
