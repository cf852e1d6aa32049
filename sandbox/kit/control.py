"""The control API: never part of a provider's own surface, and the only unfaithful part."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from sandbox.kit.faults import BadRule

if TYPE_CHECKING:
    from sandbox.kit.app import Kit

blueprint = Blueprint("control", __name__)


def refuse(message: str) -> ResponseReturnValue:
    """Answer a control request that was not understood."""
    return jsonify({"error": message}), 400


def _kit() -> Kit:
    kit: Kit = current_app.extensions["kit"]
    return kit


def _body() -> Any:
    return request.get_json(force=True, silent=True)


@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """Say that the process serves."""
    return jsonify({"ok": True})


@blueprint.get("/_sandbox/journal")
def read_journal() -> ResponseReturnValue:
    """Return the calls after `since`; bodies only with `bodies=1`."""
    since = request.args.get("since", "0")
    if not since.isdecimal():
        return refuse("since must be a whole number")
    return jsonify(_kit().journal.since(int(since), bodies=request.args.get("bodies") == "1"))


@blueprint.get("/_sandbox/faults")
def list_faults() -> ResponseReturnValue:
    """Return the rules with uses left."""
    return jsonify({"faults": _kit().faults.list()})


@blueprint.post("/_sandbox/faults")
def order_fault() -> ResponseReturnValue:
    """Add a rule."""
    try:
        return jsonify({"id": _kit().faults.order(_body())})
    except BadRule as error:
        return refuse(str(error))


@blueprint.delete("/_sandbox/faults")
def clear_faults() -> ResponseReturnValue:
    """Forget every rule."""
    _kit().faults.clear()
    return jsonify({"ok": True})


@blueprint.post("/_sandbox/clock")
def move_clock() -> ResponseReturnValue:
    """Move the day people see; null follows the real date again."""
    body = _body()
    if not isinstance(body, dict) or "date" not in body:
        return refuse('send {"date": "YYYY-MM-DD"} or {"date": null}')
    try:
        day = date.fromisoformat(body["date"]) if body["date"] is not None else None
    except (TypeError, ValueError):
        return refuse("date must be YYYY-MM-DD or null")
    _kit().clock.move(day)
    return jsonify({"date": day.isoformat() if day else None})


@blueprint.post("/_sandbox/reset")
def reset() -> ResponseReturnValue:
    """Return to the seeded state."""
    _kit().reset()
    return jsonify({"ok": True})
