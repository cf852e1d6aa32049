"""Who calls a card endpoint: verified by HubSpot's v3 signature, then read from the signed query."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from flask import request

from app.core import clock, log
from app.core.db import bind_portal
from app.core.errors import BadSignature, NotAllowed
from app.core.signing import verify_hubspot_v3
from app.edge import raw_target, wiring
from app.portals import actions as portals
from app.portals import queries as portal_queries
from app.portals.models import Person

# Every number of 18 digits fits a bigint; HubSpot's ids have fewer.
_DIGITS = re.compile(r"[0-9]{1,18}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The HubSpot user whose card this is."""

    hub_id: int
    hubspot_user_id: int
    email: str


def verify() -> Caller:
    """Check the signature over method, public address, raw target and raw body; bind the portal it names.

    The four values HubSpot adds must be there exactly once each: a card could put a rival of the same name into its
    own address. Raises BadSignature, or NotAllowed where the app isn't installed.
    """
    settings = wiring().settings
    target = raw_target()
    path, _, query = target.partition("?")
    if "%" in path or not path.startswith("/cards/"):
        raise BadSignature("The address of this request is not one of a card's.")
    verify_hubspot_v3(
        settings.hubspot_client_secrets,
        method=request.method,
        uri=settings.public_origin + target,
        body=request.get_data(cache=True),
        timestamp=request.headers.get("X-HubSpot-Request-Timestamp", ""),
        signature=request.headers.get("X-HubSpot-Signature-v3", ""),
        now_ms=clock.now_ms(),
    )
    caller = _caller(query, settings.hubspot_app_id)
    portal_id = portal_queries.id_of_hubspot(caller.hub_id)
    if portal_id is None:
        raise NotAllowed("Dealwright isn't installed in this HubSpot account.")
    bind_portal(portal_id)
    log.bind(portal=portal_id)
    if portal_queries.current().state != "active":
        raise NotAllowed("Dealwright was uninstalled from this HubSpot account.")
    return caller


def person_of(caller: Caller) -> Person:
    """Return the caller as a person of the portal; any signed user is a viewer at least."""
    return portals.signed_person(hubspot_user_id=caller.hubspot_user_id, email=caller.email)


def _caller(query: str, app_id: int) -> Caller:
    # Not as a form is read: a plus sign in an e-mail address is a plus sign.
    values: dict[str, list[str]] = {}
    for name, _, value in (pair.partition("=") for pair in query.split("&")):
        values.setdefault(unquote(name), []).append(unquote(value))
    found: dict[str, str] = {}
    for name in ("userId", "portalId", "userEmail", "appId"):
        given = values.get(name, [])
        if len(given) != 1:
            raise BadSignature(f"The request must name {name} exactly once.")
        found[name] = given[0]
    for name in ("userId", "portalId", "appId"):
        if not _DIGITS.fullmatch(found[name]):
            raise BadSignature(f"{name} is not a number.")
    if not _EMAIL.fullmatch(found["userEmail"]):
        raise BadSignature("userEmail is not one e-mail address.")
    if int(found["appId"]) != app_id:
        raise BadSignature("The request is for another app.")
    return Caller(int(found["portalId"]), int(found["userId"]), found["userEmail"].lower())
