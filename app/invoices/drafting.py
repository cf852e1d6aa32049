"""The billing run: asks the core what is due and keeps the drafts equal to its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy.exc import SQLAlchemyError

from app.billing import Answer
from app.core import clock, log
from app.core.db import db
from app.core.errors import DomainError
from app.core.runner import NotNow
from app.core.work import Work
from app.deals import queries as deals
from app.invoices import approval, ground, queries, settling, writing
from app.invoices.models import Invoice
from app.invoices.planning import Plan, plan
from app.portals import queries as portals
from app.problems import actions as problems
from app.problems.actions import PORTAL_ADMIN, SALES, Finding
from app.subscriptions import actions as subscriptions
from app.subscriptions import agreed, amending
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import ACTIVE, Subscription

RUN = "billing.run"
# So many subscriptions share a transaction: enough that its cost is shared, few enough that nobody waits for its locks.
BATCH = 200
_FAULTS = (DomainError, ValueError, LookupError, TypeError, ArithmeticError)
_log = log.get(__name__)


class DailyRun:
    """Once a billing day: bring every subscription's drafts up to date, a batch at a time.

    What a batch can't do (a changed deal, a fault) is left to the subscription's own row of work: a bad one holds up no
    other. Each batch commits with how far it came, so that a death repeats one batch, which adds nothing.
    """

    kind = RUN

    def run(self, row: Work) -> NotNow | None:
        after = int(row.payload.get("after", 0))
        batch = subscription_queries.active_after(after, BATCH)
        subscriptions.want_billing_of(draft_many(batch))
        if len(batch) == BATCH:
            row.payload = {"after": batch[-1]}
            return NotNow(delay_s=0)
        row.payload = {}
        row.due_on = clock.today(portals.current().timezone) + timedelta(days=1)
        return NotNow(delay_s=0)


class BillSubscription:
    """Bring one subscription's drafts up to date; a bad one holds up no other."""

    kind = subscriptions.BILL

    def run(self, row: Work) -> NotNow | None:
        draft(int(row.subject))
        return None


def draft(subscription_id: int) -> None:
    """Make the unapproved drafts of a subscription equal to the core's answer, and approve what the rule may.

    Runs under the subscription's lock. Twice the same is nothing new.
    """
    subscription = subscription_queries.locked(subscription_id)
    if subscription.state != ACTIVE:
        # A deal that left Closed Won holds what was approved and not yet begun to be sent, too.
        _take_back(subscription, subscription.held_because)
        return
    if not _adopt(subscription):
        return
    known = ground.read([subscription])
    _carry_out(known, [plan(known, subscription)])


def draft_many(subscription_ids: Sequence[int]) -> list[int]:
    """Do the same for many subscriptions at once; return those that have to be done one by one.

    Locked by somebody else, changed in HubSpot, or faulty: none of these stops the others.
    """
    locked = subscription_queries.lock_free(subscription_ids)
    ready = [one for one in locked if one.state == ACTIVE and one.wanted_version_id == one.deal_version_id]
    try:
        with db.session.begin_nested():
            known = ground.read(ready)
            plans = _plans(known, ready)
            _carry_out(known, plans)
    except (SQLAlchemyError, *_FAULTS) as error:
        _log.warning("a batch of subscriptions is done one by one", error=str(error))
        return list(subscription_ids)
    done = {one.subscription.id for one in plans}
    return [one for one in subscription_ids if one not in done]


def _plans(known: ground.Ground, subscriptions_: Sequence[Subscription]) -> list[Plan]:
    """Plan each; one that can't be planned is left out, and tells of itself when it is done alone."""
    plans = []
    for subscription in subscriptions_:
        try:
            plans.append(plan(known, subscription))
        except _FAULTS as error:
            _log.warning("a subscription is left out of the batch", subscription=subscription.id, error=str(error))
    return plans


def _carry_out(known: ground.Ground, plans: Sequence[Plan]) -> None:
    """Write drafts, settle what is zero, ask what is unclear, and approve by rule what needs no person."""
    clear = [one for one in plans if one.answer.status == "ok"]
    for one in plans:
        _tell(known, one)
    settling.not_sent((one.subscription, *zero) for one in clear for zero in one.zeros)
    by_day: dict[date, list[tuple[Subscription, Invoice]]] = {}
    for one, invoice in writing.write(clear):
        by_day.setdefault(one.today, []).append((one.subscription, invoice))
    for today, ready in by_day.items():
        approval.approve(ready, by="rule", today=today)


def _adopt(subscription: Subscription) -> bool:
    """Let drafts follow the newest version of the deal; False while its edit waits for a person."""
    if subscription.wanted_version_id == subscription.deal_version_id:
        return True
    wanted, adopted = (deals.version(i) for i in (subscription.wanted_version_id, subscription.deal_version_id))
    if agreed.content(wanted.document) == agreed.content(adopted.document):
        amending.nothing_changed(subscription)
        return True
    _take_back(subscription, "The deal changed before the invoice was sent.")
    entries = subscription_queries.live_entries(subscription.id)
    return amending.follow_edit(subscription, entries, clock.today(subscription.zone))


def _take_back(subscription: Subscription, why: str) -> None:
    """Take approvals back whose invoice never began to be sent. A credit note may be there by hand: it stays."""
    for invoice in queries.of_subscription(subscription.id, ["approved"]):
        if invoice.kind == "invoice":
            approval.take_back(invoice, why)


def _tell(known: ground.Ground, one: Plan) -> None:
    """Open or close the problems that a plan shows; what was not open before needs no closing."""
    subscription, deal_id = one.subscription, one.subscription.first_deal_id
    asked = known.asked.get(deal_id, frozenset())
    findings = {"core_question": _question(one) if one.answer.status != "ok" else None}
    if one.answer.status == "ok":
        findings["ledger_blocked"] = _blocked(one.blocked) if one.blocked is not None else None
    for code, finding in findings.items():
        if finding is not None:
            problems.open_problem(finding, "deal", deal_id, deal_id=deal_id, customer_id=subscription.customer_id)
        elif code in asked:
            problems.close_problems("deal", deal_id, only=code)


def _blocked(sentence: str) -> Finding:
    return Finding(
        code="ledger_blocked", sentence=sentence, holds="The drafts of this deal wait.", who=PORTAL_ADMIN,
        action="Connect QuickBooks in Dealwright's settings; a deal in another currency is billed by hand so far.",
    )  # fmt: skip


def _question(one: Plan) -> Finding:
    names = [item["name"] for item in deals.version(one.subscription.deal_version_id).document["items"]]
    return Finding(
        code="core_question", sentence=_asked(one.answer, names), holds="Billing of this deal waits.", who=SALES,
        action="Change the deal's line items accordingly, or bill this deal by hand.",
    )  # fmt: skip


def _asked(answer: Answer, names: Sequence[str]) -> str:
    texts = [question.text for question in answer.questions]
    texts += [f"{_in_words(error.field, names)} must be {error.allowed}." for error in answer.errors]
    texts += [answer.reason] if answer.reason else []
    return " ".join(texts)


def _in_words(field: str, names: Sequence[str]) -> str:
    """Return a document's field as a rep would say it: `items[0].unit_price` is the unit price of "Platform"."""
    match = re.fullmatch(r"items\[(\d+)\]\.(\w+)", field)
    if match is None or int(match[1]) >= len(names):
        return f"The deal's {field.replace('_', ' ')}"
    return f'The {match[2].replace("_", " ")} of "{names[int(match[1])]}"'
