"""Problems: what waits for a person, grouped by who can fix it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import sessions
from app.console import queries, shell
from app.console.queries import Told
from app.core.errors import DomainError, Invalid
from app.deals import queries as deals
from app.portals.actions import Actor
from app.portals.models import ADMIN, APPROVER
from app.problems import actions
from app.problems.actions import FINANCE, OPERATOR, PORTAL_ADMIN, SALES
from app.subscriptions import actions as subscriptions
from app.subscriptions import amending, watch

blueprint = Blueprint("problems", __name__)


@dataclass(frozen=True, slots=True)
class Who:
    """A kind of person: what we call them, and where they fix things."""

    name: str
    where: str


WHO = {
    FINANCE: Who("Finance", "You can settle these here or in QuickBooks."),
    SALES: Who("Sales", "The deal's owner settles these in HubSpot; the deal is read again by itself."),
    PORTAL_ADMIN: Who("Admin", "An admin of this portal settles these in the settings."),
    OPERATOR: Who("Dealwright", "These are ours to fix. Nothing is lost meanwhile."),
}
_SETTINGS_CODES = ("reconnect", "no_income_account", "no_tax_code", "ledger_blocked")


@blueprint.get("/problems")
def index() -> str:
    """List every open problem with what it holds up and the button that settles it."""
    sessions.require()
    return _list()


@blueprint.post("/problems/<record:problem_id>/retry")
def retry(problem_id: int) -> ResponseReturnValue:
    """Try again what a problem holds up."""
    actor = sessions.require(form=True)
    try:
        actions.retry(actor, problem_id)
    except DomainError as error:
        if error.status == 404:
            raise
        return shell.refused(error, _list)
    return redirect(url_for("problems.index", done="retried"), code=303)


@blueprint.post("/problems/<record:problem_id>/settle")
def settle(problem_id: int) -> ResponseReturnValue:
    """Close a problem that a decision settles."""
    actor = sessions.require(form=True)
    try:
        actions.settle(actor, problem_id)
    except DomainError as error:
        if error.status == 404:
            raise
        return shell.refused(error, _list)
    return redirect(url_for("problems.index", done="settled"), code=303)


@blueprint.post("/deals/<record:deal_id>/let-go")
def let_go(deal_id: int) -> ResponseReturnValue:
    """Accept that line items left a deal, and have the deal read again."""
    actor = sessions.require(form=True)
    try:
        subscriptions.let_go(actor, deal_id)
        watch.want_deals([deals.get(deal_id).hubspot_deal_id])
    except DomainError as error:
        if error.status == 404:
            raise
        return shell.refused(error, _list)
    return redirect(url_for("problems.index", done="let-go"), code=303)


@blueprint.post("/subscriptions/<record:subscription_id>/relation")
def relation(subscription_id: int) -> ResponseReturnValue:
    """Bill a second deal of a customer beside the first."""
    actor = sessions.require(form=True)
    try:
        subscriptions.relate(actor, subscription_id, request.form.get("relation", "new"))
    except DomainError as error:
        if error.status == 404:
            raise
        return shell.refused(error, _list)
    return redirect(url_for("problems.index", done="related"), code=303)


@blueprint.post("/subscriptions/<record:subscription_id>/answer")
def answer(subscription_id: int) -> ResponseReturnValue:
    """Answer what an edit of a deal asks, for the version of the deal that was shown."""
    actor = sessions.require(form=True)
    version = request.form.get("version", "")
    try:
        if not version.isdecimal() or len(version) > 18:
            raise Invalid("This form came without the deal's version. Reload the page and answer again.")
        amending.answer(actor, subscription_id, int(version), request.form.get("answer", ""))
    except DomainError as error:
        if error.status == 404:
            raise
        return shell.refused(error, _list)
    return redirect(url_for("problems.index", done="answered"), code=303)


def may_press(actor: Actor, who: str) -> bool:
    """Whether this person may press a problem's button; the action checks it again."""
    return actor.may(ADMIN if who == PORTAL_ADMIN else APPROVER)


def _list() -> str:
    by_who: dict[str, list[Told]] = {}
    for told in queries.told_problems():
        by_who.setdefault(told.problem.who, []).append(told)
    known = [(who, words, by_who.pop(who)) for who, words in WHO.items() if who in by_who]
    other = [(who, Who(who.capitalize(), ""), told) for who, told in by_who.items()]
    return shell.page(
        "problems.html", at="problems", groups=known + other, may_press=lambda who: may_press(g.actor, who),
        in_settings=_SETTINGS_CODES, by_decision=actions.SETTLED_BY_DECISION,
    )  # fmt: skip
