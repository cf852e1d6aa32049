"""Verbs of sign-in: links, sessions, OAuth states. Secrets are returned once and stored as digests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update

from app.access.models import ConsoleSession, SignInLink
from app.core import clock
from app.core.crypto import new_token, token_digest
from app.core.db import bind_portal, db, lookup
from app.core.errors import NotFound, NotSignedIn
from app.portals import queries as portal_queries
from app.portals.actions import Actor
from app.portals.models import Person

LINK_LIFE = timedelta(seconds=60)
SESSION_LIFE = timedelta(hours=12)
STATE_LIFE_S = 600


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just opened: the cookie's secret, and the form token."""

    token: str
    csrf: str


@dataclass(frozen=True, slots=True)
class TakenState:
    """What a consumed OAuth state was made for; no portal for an install."""

    portal_id: int | None
    actor: str


def make_link(person: Person, life: timedelta = LINK_LIFE) -> str:
    """Return the secret of a fresh one-time sign-in link for a person of the bound portal."""
    token = new_token()
    db.session.add(SignInLink(person_id=person.id, digest=token_digest(token), expires_at=clock.now() + life))
    return token


def look_at_link(token: str) -> Person:
    """Bind the link's portal and return whom it signs in, without using it up; NotFound if it can't be used."""
    rows = lookup("SELECT portal_id, link_id FROM signin_link_of(:digest)", digest=token_digest(token))
    if rows:
        bind_portal(rows[0].portal_id)
        link = db.session.execute(select(SignInLink).where(SignInLink.id == rows[0].link_id)).scalar_one()
        if link.used_at is None and link.expires_at > clock.now():
            return portal_queries.person(link.person_id)
    raise NotFound("This sign-in link was used already or is too old. Open Dealwright from HubSpot again.")


def use_link(token: str) -> SignedIn:
    """Use a link up and open a session. A second use, even at the same instant, is refused."""
    person = look_at_link(token)
    used = db.session.execute(
        update(SignInLink)
        .where(SignInLink.digest == token_digest(token), SignInLink.used_at.is_(None))
        .values(used_at=func.clock_timestamp())
        .returning(SignInLink.id)
    ).scalar_one_or_none()
    if used is None:
        raise NotFound("This sign-in link was used already. Open Dealwright from HubSpot again.")
    return open_session(person)


def open_session(person: Person) -> SignedIn:
    """Open a console session for a person; old ones of this person that are over are cleared away."""
    signed_in = SignedIn(token=new_token(), csrf=new_token())
    db.session.execute(delete(ConsoleSession).where(ConsoleSession.expires_at < func.clock_timestamp()))
    db.session.add(
        ConsoleSession(
            person_id=person.id,
            digest=token_digest(signed_in.token),
            csrf=signed_in.csrf,
            expires_at=clock.now() + SESSION_LIFE,
        )
    )
    return signed_in


def resume(token: str) -> tuple[Actor, str]:
    """Bind the session's portal; return who is signed in and the form token. Raises NotSignedIn."""
    rows = lookup("SELECT portal_id, session_id FROM console_session_of(:digest)", digest=token_digest(token))
    if not rows:
        raise NotSignedIn("You are not signed in. Open Dealwright from a HubSpot record.")
    bind_portal(rows[0].portal_id)
    session, person = db.session.execute(
        select(ConsoleSession, Person)
        .join(Person, Person.id == ConsoleSession.person_id)
        .where(ConsoleSession.id == rows[0].session_id)
    ).one()
    return Actor(person.id, person.email, person.role), session.csrf


def close_session(token: str) -> None:
    """Sign out."""
    db.session.execute(delete(ConsoleSession).where(ConsoleSession.digest == token_digest(token)))


def make_state(provider: str, browser: str, *, portal_id: int | None = None, actor: str = "") -> str:
    """Return a fresh single-use OAuth state bound to the browser's secret; lives ten minutes."""
    state = new_token()
    lookup(
        "SELECT oauth_state_make(:provider, :state, :browser, :portal, :actor, make_interval(secs => :life))",
        provider=provider, state=token_digest(state), browser=token_digest(browser), portal=portal_id, actor=actor,
        life=STATE_LIFE_S,
    )  # fmt: skip
    return state


def take_state(provider: str, state: str, browser: str) -> TakenState:
    """Use a state up. NotFound if it is unknown, over, used, or another browser's: start again."""
    rows = lookup(
        "SELECT portal_id, actor FROM oauth_state_take(:provider, :state, :browser)",
        provider=provider, state=token_digest(state), browser=token_digest(browser),
    )  # fmt: skip
    if not rows:
        raise NotFound("This connection attempt is over or began in another browser. Please start again.")
    return TakenState(rows[0].portal_id, rows[0].actor)
