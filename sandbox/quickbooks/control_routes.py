"""The control API that only this stand-in has: companies, behaviour, payments by hand, mails, the books in plain."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.kit.app import page
from sandbox.quickbooks import figures, merging, seed, standin, wire
from sandbox.quickbooks.by_hand import take_payment
from sandbox.quickbooks.entities import BY_NAME
from sandbox.quickbooks.ledger import shown
from sandbox.quickbooks.refusals import Refusal

blueprint = Blueprint("quickbooks_control", __name__, url_prefix="/_sandbox")
_CHOICES = {"requestid": ("honour", "forget"), "rotate": ("daily", "always")}
_ENDINGS = ("access", "refresh", "revoked")


class Unclear(Exception):
    """A control request that can't be carried out; the message says why."""


@blueprint.errorhandler(Unclear)
def unclear(error: Unclear) -> ResponseReturnValue:
    """Answer 400 with the reason."""
    return jsonify({"error": str(error)}), 400


@blueprint.errorhandler(Refusal)
def refused(refusal: Refusal) -> ResponseReturnValue:
    """Answer what the books refuse as QuickBooks would."""
    return jsonify({"error": refusal.detail, "code": refusal.code}), refusal.status


@blueprint.post("/companies")
@page
def add_company() -> ResponseReturnValue:
    """Open a company, with the lists of the seeded ones but no customer."""
    body = _body()
    company: dict[str, Any] = {name: str(body.get(name) or "") for name in ("name", "currency", "country", "timezone")}
    realm_id = str(body.get("realm_id") or "") or None
    if not company["name"] or not re.fullmatch(r"[A-Z]{3}", company["currency"]) or not company["country"]:
        raise Unclear("name, currency (three letters) and country are needed")
    if company["timezone"] not in available_timezones():
        raise Unclear("timezone must be the name of a zone, such as Europe/Berlin")
    if realm_id is not None and (not realm_id.isdecimal() or realm_id in standin.get().realm_ids()):
        raise Unclear("realm_id must be digits and not yet taken")
    preferences = _object(body.get("preferences") or {}, "preferences")
    return jsonify({"realm_id": standin.get().add_company(realm_id=realm_id, preferences=preferences, **company)})


@blueprint.get("/companies")
@page
def list_companies() -> ResponseReturnValue:
    """Return all companies, and whether each is connected."""
    connected = standin.get().grants.connected_realms()
    companies = []
    for realm_id in standin.get().realm_ids():
        with standin.get().books(realm_id, writes=False) as books:
            companies.append(books.profile | {"connected": realm_id in connected, "preferences": books.preferences})
    return jsonify({"companies": companies})


@blueprint.post("/preferences")
@page
def change_preferences() -> ResponseReturnValue:
    """Change a company's preferences, group by group, as a person does in its settings."""
    body = _body()
    changes = _object(body.get("preferences"), "preferences")
    with standin.get().books(_realm(body)) as books:
        document = books.preferences
        seed.merge(document, {name: value for name, value in changes.items() if name.endswith("Prefs")})
        books.put_changed("Preferences", document)
        books.tell("Preferences", "updated", document["Id"])
        return jsonify(shown(books, BY_NAME["Preferences"], document))


@blueprint.post("/settings")
@page
def change_settings() -> ResponseReturnValue:
    """Change how the stand-in behaves: requestid, rotate, work_s (how long each write takes)."""
    body = _body()
    changes: dict[str, Any] = {}
    for name, value in body.items():
        is_known = value in _CHOICES.get(name, ()) if name != "work_s" else _is_seconds(value)
        if not is_known:
            raise Unclear(f"{name} can not be {value!r}")
        changes[name] = float(value) if name == "work_s" else value
    with standin.get().kit.store.lock:
        standin.get().behaviour.update(changes)
        standin.get().kit.store.changed()
        return jsonify(standin.get().behaviour)


@blueprint.post("/payments")
@page
def pay() -> ResponseReturnValue:
    """Take a payment on an invoice: its whole balance, or an amount; today, or on a date."""
    body = _body()
    with standin.get().books(_realm(body)) as books:
        amount = _amount(body.get("amount")) if body.get("amount") is not None else None
        return jsonify(take_payment(books, str(body.get("invoice_id") or ""), amount, body.get("date")))


@blueprint.post("/merge")
@page
def merge_customers() -> ResponseReturnValue:
    """Merge customer `gone` into `kept`, as a person does on the customer page."""
    body = _body()
    with standin.get().books(_realm(body)) as books:
        return jsonify(merging.merge(books, str(body.get("kept") or ""), str(body.get("gone") or "")))


@blueprint.post("/tokens")
@page
def end_tokens() -> ResponseReturnValue:
    """End a company's tokens: `access` or `refresh` expired, or the app `revoked` from inside QuickBooks."""
    body = _body()
    what = str(body.get("end") or "")
    if what not in _ENDINGS:
        raise Unclear(f"end must be one of {', '.join(_ENDINGS)}")
    return jsonify({"ended": standin.get().grants.end(_realm(body), what)})


@blueprint.get("/mails")
@page
def list_mails() -> ResponseReturnValue:
    """Return the mails a company sent, oldest first."""
    with standin.get().books(_realm(request.args), writes=False) as books:
        return jsonify({"count": len(books.mails), "mails": books.mails})


@blueprint.get("/books")
@page
def dump_books() -> ResponseReturnValue:
    """Return a company's documents as the API shows them, for scripts that compare."""
    with standin.get().books(_realm(request.args), writes=False) as books:
        dump: dict[str, Any] = {
            key: [shown(books, BY_NAME[entity], one) for one in books.all(entity)]
            for key, entity in (
                ("customers", "Customer"),
                ("items", "Item"),
                ("invoices", "Invoice"),
                ("payments", "Payment"),
            )
        }
        return jsonify(dump | {"mails": books.mails})


def _body() -> dict[str, Any]:
    try:
        return wire.read_object(request.get_data())
    except Refusal as error:
        raise Unclear("send a JSON object") from error


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unclear(f"{name} must be an object")
    plain: dict[str, Any] = json.loads(json.dumps(value, default=str))
    return plain


def _realm(source: Mapping[str, Any]) -> str:
    realm_id = str(source.get("realm_id") or "")
    if realm_id not in standin.get().realm_ids():
        raise Unclear("realm_id is not one of the companies")
    return realm_id


def _amount(value: Any) -> Decimal:
    try:
        return figures.parse(value)
    except figures.NotANumber as error:
        raise Unclear("amount must be a number") from error


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= 60
