"""Pages where a person plays the bookkeeper: companies, invoices, customers, mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.kit.app import page
from sandbox.quickbooks import by_hand, figures, standin
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities import BY_NAME, applied
from sandbox.quickbooks.fields import Document
from sandbox.quickbooks.refusals import Refusal

blueprint = Blueprint(
    "pages", __name__, template_folder="templates", static_folder="static", static_url_path="/static/quickbooks"
)
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True)
class Status:
    """How an invoice stands, in a word and a tone for its colour."""

    word: str
    tone: str


def status_of(invoice: Document, today: date) -> Status:
    """Return the word QuickBooks' own list would show."""
    total, balance = Decimal(invoice["TotalAmt"]), Decimal(invoice["Balance"])
    if total == 0 and str(invoice.get("PrivateNote", "")).startswith("Voided"):
        return Status("Voided", "quiet")
    if balance == 0:
        return Status("Paid", "good")
    if date.fromisoformat(invoice["DueDate"]) < today:
        return Status("Overdue", "bad")
    if balance < total:
        return Status("Partly paid", "warm")
    return Status("Sent", "open") if invoice["EmailStatus"] == "EmailSent" else Status("Open", "open")


@blueprint.app_template_filter("money")
def money(text: str, currency: str = "") -> str:
    """Return an amount as people read it: grouped, two decimals, a true minus sign."""
    number = figures.to_cents(Decimal(str(text)))
    sign = "\u2212" if number < 0 else ""
    symbol = _SYMBOLS.get(currency, f"{currency} " if currency else "")
    return f"{sign}{symbol}{abs(number):,.2f}"


@blueprint.app_template_filter("day")
def show_day(text: str) -> str:
    """Return a date as people write it: 1 Mar 2027."""
    moment = date.fromisoformat(str(text)[:10])
    return f"{moment.day} {moment:%b %Y}"


@blueprint.get("/")
@page
def companies() -> ResponseReturnValue:
    """List the companies with what is open in each."""
    connected = standin.get().grants.connected_realms()
    rows = []
    for realm_id in standin.get().realm_ids():
        with standin.get().books(realm_id, writes=False) as books:
            invoices = list(books.all("Invoice"))
            open_sum = figures.total(_at_home(one, "Balance") for one in invoices)
            counts = {"invoices": len(invoices), "mails": len(books.mails)}
            rows.append(books.profile | counts | {"connected": realm_id in connected, "open": open_sum})
    return render_template("quickbooks/companies.html", companies=rows)


@blueprint.get("/app/invoice")
@page
def linked_invoice() -> ResponseReturnValue:
    """Open an invoice by QuickBooks' own kind of link, which names no company (the real one: the last signed in)."""
    found = []
    for realm_id in standin.get().realm_ids():
        with standin.get().books(realm_id, writes=False) as books:
            matching = [one for one in books.all("Invoice") if one["Id"] == request.args.get("txnId")]
            found += [(realm_id, books.profile["name"], one) for one in matching]
    if len(found) == 1:
        return redirect(url_for("pages.invoice", realm_id=found[0][0], id=found[0][2]["Id"]))
    if not found:
        abort(404)
    return render_template("quickbooks/which.html", found=found)


@blueprint.get("/companies/<realm_id>/invoices")
@page
def invoices(realm_id: str) -> ResponseReturnValue:
    """List a company's invoices, newest first."""
    with _open(realm_id, writes=False) as books:
        rows = [_row(books, one) for one in books.all("Invoice")]
        rows.sort(key=lambda row: (row["TxnDate"], int(row["Id"])), reverse=True)
        return render_template("quickbooks/invoices.html", **_frame(books, "invoices"), invoices=rows, sums=_sums(rows))


@blueprint.get("/companies/<realm_id>/invoices/<id>")
@page
def invoice(realm_id: str, id: str) -> ResponseReturnValue:
    """Show one invoice as it would be printed, its payments, and what a bookkeeper can do."""
    with _open(realm_id, writes=False) as books:
        return _invoice_page(books, id)


def _invoice_page(books: Books, id: str, error: str | None = None) -> ResponseReturnValue:
    found = books.find("Invoice", id)
    if found is None:
        abort(404)
    payments = []
    for link in found["LinkedTxn"]:
        payment = books.find("Payment", link["TxnId"])
        if payment is not None:
            amount = figures.total(Decimal(line["Amount"]) for line in applied.lines_for(payment, id))
            payments.append({"date": payment["TxnDate"], "id": payment["Id"], "amount": amount})
    info = books.find("CompanyInfo", "1") or {}
    values: dict[str, Any] = {
        **_frame(books, "invoices"),
        "invoice": _row(books, found),
        "payments": payments,
        "company": info,
        "paid": figures.total(row["amount"] for row in payments),
        "mails": [mail for mail in books.mails if mail["id"] == id],
        "error": error,
    }
    return render_template("quickbooks/invoice.html", **values), 400 if error else 200


@blueprint.post("/companies/<realm_id>/invoices/<id>/payments")
@page
def pay(realm_id: str, id: str) -> ResponseReturnValue:
    """Take a payment from the page; an empty amount is the whole balance."""
    with _open(realm_id) as books:
        try:
            typed = request.form.get("amount", "").strip().replace(",", "")
            by_hand.take_payment(books, id, figures.parse(typed) if typed else None, request.form.get("date"))
        except figures.NotANumber:
            return _invoice_page(books, id, "Write the amount as a number, such as 250.00.")
        except Refusal as refusal:
            return _invoice_page(books, id, refusal.detail)
    if request.form.get("back") == "list":
        return redirect(url_for("pages.invoices", realm_id=realm_id))
    return redirect(url_for("pages.invoice", realm_id=realm_id, id=id))


@blueprint.post("/companies/<realm_id>/invoices/<id>/void")
@page
def void(realm_id: str, id: str) -> ResponseReturnValue:
    """Void an invoice from the page."""
    with _open(realm_id) as books:
        try:
            by_hand.void_invoice(books, id)
        except Refusal as refusal:
            return _invoice_page(books, id, refusal.detail)
    return redirect(url_for("pages.invoice", realm_id=realm_id, id=id))


@blueprint.get("/companies/<realm_id>/customers")
@page
def customers(realm_id: str) -> ResponseReturnValue:
    """List a company's customers with their open balances."""
    with _open(realm_id, writes=False) as books:
        rows = sorted(books.all("Customer"), key=lambda one: str(one["FullyQualifiedName"]).casefold())
        counts = [one["CustomerRef"]["value"] for one in books.all("Invoice")]
        rows = [one | {"invoices": counts.count(one["Id"])} for one in rows]
        return render_template("quickbooks/customers.html", **_frame(books, "customers"), customers=rows)


@blueprint.get("/companies/<realm_id>/mails")
@page
def mails(realm_id: str) -> ResponseReturnValue:
    """List the mails a company sent, newest first."""
    with _open(realm_id, writes=False) as books:
        return render_template("quickbooks/mails.html", **_frame(books, "mails"), mails=books.mails[::-1])


def _open(realm_id: str, *, writes: bool = True) -> Any:
    if realm_id not in standin.get().realm_ids():
        abort(404)
    return standin.get().books(realm_id, writes=writes)


def _frame(books: Books, here: str) -> dict[str, Any]:
    """Return what the frame around every page of a company needs."""
    return {"profile": books.profile, "here": here, "today": books.today().isoformat(), "mail_count": len(books.mails)}


def _row(books: Books, found: Document) -> dict[str, Any]:
    lines = [line for line in found["Line"] if line["DetailType"] != "SubTotalLineDetail"]
    subtotal = next((line["Amount"] for line in found["Line"] if line["DetailType"] == "SubTotalLineDetail"), "0")
    customer = BY_NAME["Customer"].current(books, books.find("Customer", found["CustomerRef"]["value"]) or {})
    return found | {
        "status": status_of(found, books.today()),
        "customer": found["CustomerRef"].get("name") or customer.get("DisplayName", ""),
        "currency": found["CurrencyRef"]["value"],
        "lines": lines,
        "subtotal": subtotal,
        "number": found.get("DocNumber") or f"no number (id {found['Id']})",
    }


def _sums(rows: Sequence[dict[str, Any]]) -> dict[str, Decimal]:
    """Return what the tiles above the list say, in the home currency."""
    overdue = [row for row in rows if row["status"].word == "Overdue"]
    return {
        "open": figures.total(_at_home(row, "Balance") for row in rows),
        "overdue": figures.total(_at_home(row, "Balance") for row in overdue),
        "paid": figures.total(_at_home(row, "TotalAmt") - _at_home(row, "Balance") for row in rows),
    }


def _at_home(found: Document, name: str) -> Decimal:
    """Return an amount in the home currency; only companies with several currencies keep it apart."""
    return Decimal(found.get(f"Home{name}") or found[name])
