"""Verbs of amendments: follow an edited deal, ask finance where it costs less, write and take back amendments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.billing.calendar import people_date
from app.core import clock, events
from app.core.db import db
from app.core.errors import Conflict, Invalid
from app.deals import queries as deals
from app.portals.actions import Actor
from app.portals.models import APPROVER
from app.problems import actions as problems
from app.problems.actions import FINANCE, Finding
from app.subscriptions import agreed, edited, queries
from app.subscriptions.actions import want_billing
from app.subscriptions.edited import Dated, Decrease, Edit
from app.subscriptions.models import CONSOLE, HUBSPOT_EDIT, Amendment, BilledEntry, Subscription

IMPOSSIBLE, DECREASED, BOTH_CHANGED = "changed_after_billing", "deal_decreased", "both_changed"
# Problems of an edit: while one is open, nothing more of that deal is drafted or approved.
QUESTIONS = (IMPOSSIBLE, DECREASED, BOTH_CHANGED)
LOWER, KEEP, DEAL, OURS = "lower", "keep", "deal", "console"
_HOLDS = "No further invoice of this deal is drafted or approved."


@dataclass(frozen=True, slots=True)
class Writing:
    """Who makes amendments, when, and why."""

    by: str
    on: date
    source: str = HUBSPOT_EDIT
    reason: str = ""


def follow_edit(subscription: Subscription, entries: Sequence[BilledEntry], today: date) -> bool:
    """Adopt the version that the deal wants now; False while it waits for an answer. Under the subscription's lock.

    Nothing issued: the new version simply replaces the old. Otherwise it becomes amendments of what was first billed.
    """
    amendments = queries.amendments(subscription.id)
    if not entries:
        _replace(subscription, amendments, today)
        _adopted(subscription)
        return True
    edit = _edit(subscription, entries, amendments)
    if edit.impossible:
        _ask_impossible(subscription, " ".join(edit.impossible))
        return False
    if edit.conflicts:
        _ask_both(subscription, edit)
        return False
    less = edited.decreased(edit, today)
    if less.refused is not None:
        _ask_impossible(subscription, f"{_words(edit.steps)}. That can't be billed as it is: {less.refused}")
        return False
    if less.steps:
        _ask_decrease(subscription, edit, less)
        return False
    _write(subscription, edit, edit.steps, Writing("rule", today))
    _adopted(subscription)
    return True


def nothing_changed(subscription: Subscription) -> None:
    """Adopt a version that agrees the same: only names, article numbers or payment terms differ."""
    _adopted(subscription)


def answer(actor: Actor, subscription_id: int, version_id: int, said: str) -> Subscription:
    """Answer what an edit of the deal asks, for the version that was shown. Approvers may.

    `lower`: bill the lower amount from the next period on; `keep`: keep the agreed amount to the end of the term;
    `deal` and `console`: whose value counts, where both changed one. Conflict when the deal changed again meanwhile.
    """
    actor.must_be(APPROVER)
    subscription = queries.locked(subscription_id)
    if said not in (LOWER, KEEP, DEAL, OURS):
        raise Invalid("Choose one of the answers shown.", field="answer")
    if subscription.wanted_version_id != version_id or subscription.deal_version_id == version_id:
        raise Conflict("The deal changed since you saw this. Look at the question again.")
    today = clock.today(subscription.zone)
    entries = queries.live_entries(subscription.id)
    edit = _edit(subscription, entries, queries.amendments(subscription.id))
    by = Writing(actor.email, today)
    if edit.conflicts and said in (DEAL, OURS):
        _settle_conflicts(subscription, edit, by, said)
    elif not edit.conflicts and not edit.impossible and said in (LOWER, KEEP):
        less = edited.decreased(edit, today).steps
        settle = {dated.step.item or "": "unused" if said == LOWER else "none" for dated in less}
        _write(subscription, edit, edit.steps, by, settle)
        _adopted(subscription)
    else:
        raise Conflict("This question is not asked any more.")
    events.audit(actor.email, f"answered an edit of the deal: {_ANSWERED[said]}", "subscription", subscription.id,
                 answer=said, changes=[dated.step.words for dated in edit.steps])  # fmt: skip
    want_billing(subscription.id)
    return subscription


_ANSWERED = {
    LOWER: "bill the lower amount from the next period on", KEEP: "keep the agreed amount to the end of the term",
    DEAL: "the deal's value counts", OURS: "what was set in Dealwright counts",
}  # fmt: skip


def add(
    subscription: Subscription, effective: date, body: Mapping[str, Any], before: Mapping[str, Any], writing: Writing
) -> Amendment:
    """Write one amendment and return it. Under the subscription's lock."""
    made = Amendment(
        subscription_id=subscription.id, change=f"amendment-{queries.next_amendment(subscription.id)}",
        effective=effective, recorded_on=writing.on, body=dict(body), before=dict(before), source=writing.source,
        made_by=writing.by, reason=writing.reason,
        deal_version_id=subscription.wanted_version_id if writing.source == HUBSPOT_EDIT else None,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    events.record("subscription.amended", "subscription", subscription.id, change=made.change, by=writing.by)
    return made


def withdraw(subscription: Subscription, amendment: Amendment, writing: Writing) -> None:
    """Take an amendment back that nothing was issued with: it counts no more. Under the subscription's lock."""
    undo = Amendment(
        subscription_id=subscription.id, change=f"undo-{amendment.change}", effective=amendment.effective,
        recorded_on=writing.on, body={}, source=amendment.source, made_by=writing.by, reason=writing.reason,
        withdraws=amendment.id,
    )  # fmt: skip
    db.session.add(undo)
    db.session.flush()
    events.record("subscription.unamended", "subscription", subscription.id, change=amendment.change, by=writing.by)


def _edit(subscription: Subscription, entries: Sequence[BilledEntry], amendments: Sequence[Amendment]) -> Edit:
    adopted = deals.version(subscription.deal_version_id)
    base = adopted if subscription.base_version_id is None else deals.version(subscription.base_version_id)
    wanted = deals.version(subscription.wanted_version_id)
    return edited.read(subscription, (base, adopted, wanted), entries, amendments)


def _replace(subscription: Subscription, amendments: Sequence[Amendment], today: date) -> None:
    """Nothing is issued: the new version has all earlier edits in it; of the console's those that still fit stay."""
    keys = {item["key"] for item in deals.version(subscription.wanted_version_id).document["items"]}
    for amendment in amendments:
        if amendment.source == HUBSPOT_EDIT or amendment.body.get("item") not in keys:
            withdraw(subscription, amendment, Writing("rule", today, reason="The deal changed before it was billed."))
    subscription.base_version_id = None


def _write(
    subscription: Subscription,
    edit: Edit,
    steps: Sequence[Dated],
    writing: Writing,
    settle: Mapping[str, str] | None = None,
) -> None:
    for amendment in edit.stale:
        withdraw(subscription, amendment, Writing(writing.by, writing.on, reason="The deal was edited again."))
    for dated in steps:
        body = dict(dated.step.body)
        if (said := (settle or {}).get(dated.step.item or "")) is not None:
            body["settle"] = said
        add(subscription, dated.effective, body, dated.step.before, writing)
    subscription.base_version_id = edit.base.id


def _settle_conflicts(subscription: Subscription, edit: Edit, by: Writing, said: str) -> None:
    """Write the items that both changed; where ours counts it is said again, after the deal's."""
    both = [dated for dated in edit.steps if dated.step.item in edit.conflicts and "item" in dated.step.body]
    _write(subscription, edit, both, by, {dated.step.item or "": "unused" for dated in both})
    if said == OURS:
        for dated in both:
            ours = edit.conflicts[dated.step.item or ""]
            body = {"item": dated.step.item, **ours, "settle": "unused"}
            add(subscription, dated.effective, body, dict(dated.step.body),
                Writing(by.by, by.on, CONSOLE, "Kept what was set in Dealwright."))  # fmt: skip
    problems.close_problems("deal", subscription.first_deal_id, only=BOTH_CHANGED, by=by.by)


def _adopted(subscription: Subscription) -> None:
    subscription.deal_version_id = subscription.wanted_version_id
    for code in QUESTIONS:
        problems.close_problems("deal", subscription.first_deal_id, only=code)


def _ask_impossible(subscription: Subscription, sentence: str) -> None:
    _ask(subscription, Finding(
        code=IMPOSSIBLE, holds=_HOLDS, who=FINANCE, sentence=f"After its first invoice was issued: {sentence}",
        action="Set the deal back to what was billed; Dealwright can't bill this change during a term. To bill more "
        "for the rest of it, win a second deal that starts when the addition does: it is billed beside this one.",
    ))  # fmt: skip


def _ask_decrease(subscription: Subscription, edit: Edit, less: Decrease) -> None:
    first = min(dated.effective for dated in less.steps)
    answers = [
        [LOWER, f"Bill the lower amount from {people_date(first)} on"],
        [KEEP, "Keep the agreed amount to the end of the term"],
    ]
    _ask(subscription, Finding(
        code=DECREASED, holds=_HOLDS, who=FINANCE, action="Choose what is billed, or set the deal back.",
        sentence=f"{_words(less.steps)}. To the end of the term that is {less.missing} less than agreed.",
        data=_data(edit, answers, subscription),
    ))  # fmt: skip


def _ask_both(subscription: Subscription, edit: Edit) -> None:
    both = [dated for dated in edit.steps if dated.step.item in edit.conflicts]
    ours = "; ".join(
        f"{agreed.CHANGEABLE[field][1]} {value}" if isinstance(value, str) else agreed.CHANGEABLE[field][1]
        for fields in edit.conflicts.values() for field, value in fields.items()
    )  # fmt: skip
    answers = [[DEAL, "Take the deal's value from the next period on"], [OURS, "Keep what was set in Dealwright"]]
    _ask(subscription, Finding(
        code=BOTH_CHANGED, holds=_HOLDS, who=FINANCE, action="Choose which one counts.",
        sentence=f"{_words(both)} in HubSpot, and in Dealwright it was set to: {ours}.",
        data=_data(edit, answers, subscription),
    ))  # fmt: skip


def _data(edit: Edit, answers: list[list[str]], subscription: Subscription) -> dict[str, Any]:
    return {"subscription_id": subscription.id, "version_id": edit.wanted.id, "answers": answers}


def _ask(subscription: Subscription, finding: Finding) -> None:
    deal_id = subscription.first_deal_id
    problems.open_problem(finding, "deal", deal_id, deal_id=deal_id, customer_id=subscription.customer_id)
    for code in QUESTIONS:
        if code != finding.code:
            problems.close_problems("deal", deal_id, only=code)


def _words(steps: Sequence[Dated]) -> str:
    return "; ".join(dated.step.words for dated in steps)
