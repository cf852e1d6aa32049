"""Sign-in by a one-time link, and sign-out."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.access import actions
from app.core.errors import NotAllowed
from app.portals import queries as portals

blueprint = Blueprint("signin", __name__)


@blueprint.get("/signin")
def show() -> str:
    """Say whom the link signs in, and where, without using it up. No session begins here."""
    token = request.args.get("token", "")
    if not token:
        return render_template("signin.html", signed_out="signed_out" in request.args)
    person = actions.look_at_link(token)
    return render_template("signin.html", token=token, person=person, portal=portals.current())


@blueprint.post("/signin")
def use() -> ResponseReturnValue:
    """Use the link up and open a session; the redirect leaves the link behind."""
    # The link's secret stands for a form token, but not against a page that signs a visitor in to somebody else's
    # portal: browsers say where a form came from.
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise NotAllowed("This sign-in came from another site. Open Dealwright from HubSpot again.")
    signed_in = actions.use_link(request.form.get("token", ""))
    # A session that this browser still had ends here, if it was of the same portal; another portal's runs out.
    actions.close_session(request.cookies.get(sessions.cookie_name(), ""))
    response = make_response(redirect(url_for("home.index"), code=303))
    sessions.set_cookie(response, signed_in.token)
    return response


@blueprint.post("/signout")
def leave() -> ResponseReturnValue:
    """End the session."""
    sessions.require(form=True)
    actions.close_session(request.cookies.get(sessions.cookie_name(), ""))
    response = make_response(redirect(url_for("signin.show", signed_out=1), code=303))
    sessions.clear_cookie(response)
    return response
