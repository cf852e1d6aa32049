"""The sandbox's calendar. Where it can't be moved, these pages do not exist."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.core import clock, events
from app.core.errors import Invalid, NotFound
from app.edge import wiring
from app.portals import queries as portals
from app.portals.models import ADMIN

blueprint = Blueprint("sandbox", __name__)
_PLACES = {"home": "home.index", "drafts": "drafts.index", "invoices": "invoices.index", "problems": "problems.index"}


@blueprint.post("/sandbox/clock")
def move_clock() -> ResponseReturnValue:
    """Move the calendar of every portal in this sandbox to a day; an empty day brings it back to the real one."""
    if not wiring().settings.movable_clock:
        raise NotFound("There is nothing here.")
    actor = sessions.require(form=True)
    actor.must_be(ADMIN)
    wanted = request.form.get("date", "")
    try:
        day = date.fromisoformat(wanted) if wanted else None
    except ValueError:
        raise Invalid("Choose a day, for example 2026-12-01.", field="date") from None
    clock.move(day, portals.current().timezone)
    events.audit(
        actor.email, f"moved the sandbox's calendar to {wanted or 'the real day'}", "portal", portals.current().id
    )
    place = _PLACES.get(request.form.get("at", ""), "home.index")
    return redirect(url_for(place, done="clock"), code=303)
