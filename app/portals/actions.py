"""Verbs of portals and people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.dialects.postgresql import insert

from app.core import events
from app.core.db import bound_portal, db, lookup
from app.core.errors import Invalid, NotAllowed
from app.portals import queries
from app.portals.models import ADMIN, APPROVAL, APPROVER, AUTOMATIC, VIEWER, Person, Portal

_RANK = {VIEWER: 0, APPROVER: 1, ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person of the bound portal."""

    person_id: int
    email: str
    role: str

    def must_be(self, role: str) -> None:
        """Raise NotAllowed unless this person has the role or a higher one."""
        if _RANK[self.role] < _RANK[role]:
            raise NotAllowed(f"This needs the role {role}; you are {self.role}. An admin of your portal can grant it.")

    def may(self, role: str) -> bool:
        return _RANK[self.role] >= _RANK[role]


def open_portal(hub_id: int) -> int:
    """Return our id of a HubSpot account, made at the first install; works without a bound portal."""
    return int(lookup("SELECT portal_id FROM portal_open(:hub)", hub=hub_id)[0].portal_id)


def describe(
    portal: Portal, *, name: str, ui_domain: str, account_type: str, zone: str, currency: str, today: date
) -> None:
    """Write what HubSpot says about the account. Zone, currency and go-live day are set once and kept."""
    portal.name, portal.ui_domain, portal.account_type, portal.state = name, ui_domain, account_type, "active"
    if portal.go_live_on is None:
        portal.timezone, portal.currency, portal.go_live_on = checked_zone(zone), currency, today


def checked_zone(name: str) -> str:
    """Return an IANA zone's name; raise Invalid for anything else."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is not a time zone name such as Europe/Berlin.", field="timezone") from None


def signed_person(*, hubspot_user_id: int, email: str, first_admin: bool = False) -> Person:
    """Return the person HubSpot's signature names, known from now on; a viewer unless someone granted more.

    The installer becomes the first admin. A changed e-mail follows the HubSpot user id.
    """
    email = email.strip().lower()
    person = db.session.query(Person).filter_by(hubspot_user_id=hubspot_user_id).one_or_none()
    by_email = queries.person_by_email(email)
    if person is None and by_email is not None and by_email.hubspot_user_id in (None, hubspot_user_id):
        person, by_email.hubspot_user_id = by_email, hubspot_user_id
    if person is None:
        if by_email is not None:
            raise NotAllowed("This e-mail belongs to another user of the portal. An admin has to sort that out.")
        # Two cards of the same new user may ask at the same instant.
        new = insert(Person).values(portal_id=bound_portal(), hubspot_user_id=hubspot_user_id, email=email, role=VIEWER)
        db.session.execute(new.on_conflict_do_nothing())
        person = db.session.query(Person).filter_by(hubspot_user_id=hubspot_user_id).one()
    elif person.email != email and by_email is None:
        person.email = email
    if first_admin and person.role != ADMIN and not queries.has_admin():
        person.role = ADMIN
        events.audit(email, "became the first admin (installer)", "person", email)
    db.session.flush()
    return person


def grant_role(actor: Actor, person_id: int, role: str) -> Person:
    """Give a person a role. Only an admin may; the last admin can't step down."""
    actor.must_be(ADMIN)
    if role not in _RANK:
        raise Invalid(f"{role!r} is not a role. Allowed: viewer, approver, admin.", field="role")
    person = queries.person(person_id)
    admins = db.session.query(Person).filter_by(role=ADMIN).count()
    if person.role == ADMIN and role != ADMIN and admins == 1:
        raise Invalid("The portal needs one admin at least. Make somebody else an admin first.", field="role")
    events.audit(actor.email, f"made {person.email} {role} (was {person.role})", "person", person.id)
    person.role = role
    return person


def invite(actor: Actor, email: str, role: str) -> Person:
    """Add a person who has not opened a card yet, with a role. Only an admin may."""
    actor.must_be(ADMIN)
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}", email):
        raise Invalid("That is not an e-mail address.", field="email")
    person = queries.person_by_email(email)
    if person is None:
        person = Person(email=email, role=VIEWER)
        db.session.add(person)
        db.session.flush()
    return grant_role(actor, person.id, role)


def choose(
    actor: Actor, *, invoice_mode: str, first_invoice_by_person: bool, draft_ahead_days: int | None, net_days: int,
    carry_changes: bool = False,
) -> Portal:  # fmt: skip
    """Change the portal's billing choices. Only an admin may; what was approved already is not touched."""
    actor.must_be(ADMIN)
    if invoice_mode not in (AUTOMATIC, APPROVAL):
        raise Invalid("Invoice mode is 'automatic' or 'approval'.", field="invoice_mode")
    if draft_ahead_days is not None and not 0 <= draft_ahead_days <= 60:
        raise Invalid("Drafts can be written 0 to 60 days ahead.", field="draft_ahead_days")
    if not 0 <= net_days <= 365:
        raise Invalid("Payment terms are 0 to 365 days.", field="net_days")
    portal = queries.current()
    portal.invoice_mode, portal.first_invoice_by_person = invoice_mode, first_invoice_by_person
    portal.draft_ahead_days, portal.net_days, portal.carry_changes = draft_ahead_days, net_days, carry_changes
    events.audit(
        actor.email, "changed the billing settings", "portal", portal.id, invoice_mode=invoice_mode,
        first_invoice_by_person=first_invoice_by_person, draft_ahead_days=draft_ahead_days, net_days=net_days,
        carry_changes=carry_changes,
    )  # fmt: skip
    return portal
