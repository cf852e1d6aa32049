"""Reads of portals and people."""

from __future__ import annotations

from sqlalchemy import func, select

from app.core.db import bound_portal, db, lookup
from app.core.errors import NotFound
from app.portals.models import ADMIN, Person, Portal


def current() -> Portal:
    """Return the bound portal."""
    return db.session.execute(select(Portal).where(Portal.id == bound_portal())).scalar_one()


def locked() -> Portal:
    """Lock and return the bound portal, so that two installs or connects of it happen one after the other."""
    statement = select(Portal).where(Portal.id == bound_portal()).with_for_update()
    return db.session.execute(statement.execution_options(populate_existing=True)).scalar_one()


def id_of_hubspot(hub_id: int) -> int | None:
    """Return our id of a HubSpot account, without a bound portal."""
    rows = lookup("SELECT portal_id FROM portal_of_hubspot(:hub)", hub=hub_id)
    return rows[0].portal_id if rows else None


def active_ids() -> list[int]:
    """Return the ids of all active portals, without a bound portal."""
    return [row.portal_id for row in lookup("SELECT portal_id FROM portals_active()")]


def person(person_id: int) -> Person:
    """Return a person of the bound portal; NotFound otherwise."""
    found = db.session.execute(select(Person).where(Person.id == person_id)).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such person.")
    return found


def person_by_email(email: str) -> Person | None:
    """Return the person with this e-mail, if there is one."""
    return db.session.execute(select(Person).where(Person.email == email.strip().lower())).scalar_one_or_none()


def has_admin() -> bool:
    """Whether the portal has an admin yet."""
    return bool(db.session.execute(select(func.count()).where(Person.role == ADMIN)).scalar_one())
