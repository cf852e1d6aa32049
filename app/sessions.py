"""The console session of the current request: cookie, form token, and the portal it binds."""

from __future__ import annotations

from flask import Response, g, request

from app.access import actions
from app.core.crypto import same
from app.core.errors import NotAllowed, NotSignedIn
from app.edge import wiring
from app.portals.actions import Actor


def require(*, form: bool = False) -> Actor:
    """Return who is signed in, with the portal bound. With `form`, the form token must be this session's."""
    if "actor" not in g:
        g.actor, g.csrf = actions.resume(request.cookies.get(cookie_name(), ""))
    if form and not same(request.form.get("csrf", ""), g.csrf):
        raise NotAllowed("This form belongs to another session. Reload the page and try again.")
    actor: Actor = g.actor
    return actor


def optional() -> Actor | None:
    """Return who is signed in, or None."""
    try:
        return require()
    except NotSignedIn:
        return None


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host and https; plain http on localhost has no such cookies."""
    return "__Host-dealwright" if wiring().settings.public_origin.startswith("https://") else "dealwright"


def set_cookie(response: Response, token: str) -> None:
    """Give the browser its session; a sign-in always gets a fresh one."""
    secure = wiring().settings.public_origin.startswith("https://")
    response.set_cookie(cookie_name(), token, max_age=12 * 3600, httponly=True, secure=secure, samesite="Lax", path="/")


def clear_cookie(response: Response) -> None:
    """Take the session away from the browser."""
    secure = wiring().settings.public_origin.startswith("https://")
    response.delete_cookie(cookie_name(), path="/", secure=secure, httponly=True, samesite="Lax")
