"""Verbs of subscriptions: follow a deal, relate a second one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from app.core import events, work
from app.core.db import db
from app.core.errors import Conflict, Invalid
from app.deals import actions as deal_actions
from app.deals import queries as deals
from app.deals.actions import Observed
from app.deals.models import BEFORE_GO_LIVE, WON, Deal
from app.portals.actions import Actor
from app.portals.models import APPROVER, Portal
from app.problems import actions as problems
from app.problems import queries as problem_queries
from app.problems.actions import FINANCE, SALES, Finding
from app.subscriptions import asking, queries
from app.subscriptions.models import ACTIVE, HELD, WAITING_RELATION, Subscription

BILL = "billing.subscription"
_NEW_BUSINESS = "newbusiness"


def follow(observed: Observed, portal: Portal) -> Subscription | None:
    """Bring a deal's subscription in line with what was just observed; open one at the first win.

    Every finding becomes an open problem of the deal, and problems that no longer hold are closed.
    """
    deal = observed.deal
    subscription = queries.of_deal(deal.id)
    findings = list(observed.findings) if observed.won or subscription else _stage_only(observed)
    findings += _vanished(observed, subscription)
    if not observed.won:
        findings += _left(observed, subscription)
        _hold(subscription, f'The deal left Closed Won (it is in "{deal.stage_label}").')
    elif subscription is None and _before_go_live(deal, portal):
        deal.state = BEFORE_GO_LIVE
        findings = []
    elif findings or observed.version is None:
        _hold(subscription, "The deal has open questions.")
    elif subscription is None:
        subscription, question = _open(observed, portal)
        findings += [question] if question else []
    else:
        findings += _resume(subscription, observed, portal)
    _write_findings(deal, findings)
    if subscription is not None:
        want_billing(subscription.id)
    return subscription


def deal_is_gone(deal: Deal) -> None:
    """Hold the subscription of a deal that HubSpot no longer has, and ask."""
    subscription = queries.of_deal(deal.id)
    if subscription is None:
        return
    _hold(subscription, "The deal no longer exists in HubSpot.")
    problems.close_problems("deal", deal.id, only=asking.LEFT)
    finding = Finding(
        code="deal_gone", sentence=f'The deal "{deal.name}" was deleted in HubSpot but has a subscription.',
        holds="Unsent drafts of this deal are held.", who=SALES,
        action="Restore the deal in HubSpot to go on billing; otherwise nothing more will be sent.",
    )  # fmt: skip
    problems.open_problem(finding, "deal", deal.id, deal_id=deal.id, customer_id=deal.customer_id)


def relate(actor: Actor, subscription_id: int, relation: str) -> Subscription:
    """Say how a second won deal stands to the customer's other one. `new` bills it beside the other.

    What became of the deal while it waited counts: one that was lost, or has questions, is held until that is mended.
    """
    actor.must_be(APPROVER)
    if relation != "new":
        raise Invalid('Dealwright can bill a second deal as "new beside the other" so far.', field="relation")
    subscription = queries.locked(subscription_id)
    if subscription.state != WAITING_RELATION:
        raise Conflict("This deal's relation is settled already.")
    subscription.state, subscription.held_because, subscription.relation = ACTIVE, "", relation
    problems.close_problems("deal", subscription.first_deal_id, only="relation", by=actor.email)
    deal = deals.get(subscription.first_deal_id)
    asked = {problem.code for problem in problem_queries.open_ones(deal_id=deal.id) if problem.subject_kind == "deal"}
    if asked - set(asking.TOLD):
        _hold(subscription, "The deal has open questions.")
    elif deal.state != WON:
        _hold(subscription, f'The deal left Closed Won (it is in "{deal.stage_label}").')
    events.audit(
        actor.email, f"said the deal is {relation} beside the customer's other one", "subscription", subscription.id
    )
    want_billing(subscription.id)
    return subscription


def let_go(actor: Actor, deal_id: int) -> None:
    """Say that the line items missing from a deal were taken out on purpose; the deal is then read again without them.

    Where something was billed of them, the next run asks from when on that counts.
    """
    actor.must_be(APPROVER)
    names = deal_actions.forget_vanished(deals.get(deal_id))
    if not names:
        raise Conflict("No line item of this deal is missing.")
    problems.close_problems("deal", deal_id, only="line_vanished", by=actor.email)
    events.audit(actor.email, "said that line items were taken out on purpose", "deal", deal_id, names=names)


def want_billing(subscription_id: int) -> None:
    """Ask the portal's lane to bring a subscription's drafts up to date."""
    want_billing_of([subscription_id])


def want_billing_of(subscription_ids: Iterable[int]) -> None:
    """Ask the same for many subscriptions, in one statement."""
    work.refresh_all(work.lane("portal").id, BILL, subscription_ids)


def _vanished(observed: Observed, subscription: Subscription | None) -> list[Finding]:
    """A line that left a won deal holds it and asks: it may be re-added at the next moment, or be gone for good."""
    if subscription is None or not observed.vanished:
        return []
    names = ", ".join(f'"{alias.name}"' for alias in observed.vanished)
    return [
        Finding(
            code="line_vanished", sentence=f"{names} was agreed on this deal and is no longer among its line items.",
            holds="Billing of this deal waits.", who=FINANCE, data={"deal_id": observed.deal.id},
            action="Add the line item back, or say that it was taken out on purpose.",
        )
    ]  # fmt: skip


def _left(observed: Observed, subscription: Subscription | None) -> list[Finding]:
    """A billed deal that is won no more is told; whether it is can't be said while its stage is unclear."""
    if subscription is None or any(finding.code == "stage_unclear" for finding in observed.findings):
        return []
    finding = asking.left(subscription, observed.deal)
    return [finding] if finding is not None else []


def _stage_only(observed: Observed) -> list[Finding]:
    """Before the win only a stage that can't be told is a problem; a half-filled open deal is just work in progress."""
    return [finding for finding in observed.findings if finding.code == "stage_unclear"]


def _before_go_live(deal: Deal, portal: Portal) -> bool:
    return deal.won_on is not None and portal.go_live_on is not None and deal.won_on < portal.go_live_on


def _open(observed: Observed, portal: Portal) -> tuple[Subscription, Finding | None]:
    deal, customer, version = observed.deal, observed.customer, observed.version
    assert customer is not None and version is not None and observed.reading.document is not None
    others = [s for s in queries.of_customer(customer.id) if s.first_deal_id != deal.id]
    deal_type = (deal.snapshot["properties"].get("dealtype") or "").lower()
    is_clear = not others or deal_type == _NEW_BUSINESS
    subscription = Subscription(
        customer_id=customer.id,
        first_deal_id=deal.id,
        deal_version_id=version.id,
        wanted_version_id=version.id,
        state=ACTIVE if is_clear else WAITING_RELATION,
        start_on=date.fromisoformat(observed.reading.document["start"]),
        zone=portal.timezone,
        currency=observed.reading.document["currency"],
    )
    db.session.add(subscription)
    db.session.flush()
    deal.subscription_id = subscription.id
    events.record("subscription.opened", "subscription", subscription.id, deal=deal.id)
    if is_clear:
        return subscription, None
    subscription.held_because = "It isn't known how this deal stands to the customer's other one."
    return subscription, Finding(
        code="relation", sentence=f'{customer.name} already has a subscription. Is "{deal.name}" a new one beside it?',
        holds="Billing of this deal waits.", who=FINANCE, action="Bill it beside the other one",
        data={"subscription_id": subscription.id},
    )  # fmt: skip


def _resume(subscription: Subscription, observed: Observed, portal: Portal) -> list[Finding]:
    """The deal is (still or again) won: what was frozen at the win may not have changed; the rest is wanted."""
    assert observed.version is not None and observed.reading.document is not None
    document = observed.reading.document
    if document["currency"] != subscription.currency:
        _hold(subscription, "The deal's currency changed after the win.")
        return [
            Finding(
                code="currency_changed", holds="Billing of this deal waits.", who=SALES,
                sentence=f"The deal was won in {subscription.currency} and is now in {document['currency']}.",
                action=f"Set the currency back to {subscription.currency}.",
            )
        ]  # fmt: skip
    if observed.customer is None or observed.customer.id != subscription.customer_id:
        _hold(subscription, "The deal's company changed after the win.")
        return [
            Finding(
                code="company_changed", holds="Billing of this deal waits.", who=SALES,
                sentence="The deal's company is no longer the one that its subscription bills.",
                action="Set the primary company back to the one billed so far.",
            )
        ]  # fmt: skip
    subscription.wanted_version_id = observed.version.id
    moved = asking.start(subscription, observed.deal, date.fromisoformat(document["start"]))
    _go_on(subscription)
    return [moved] if moved is not None else []


def _go_on(subscription: Subscription) -> None:
    """Let a held subscription bill again."""
    if subscription.state == HELD:
        subscription.state, subscription.held_because = ACTIVE, ""
        events.record("subscription.resumed", "subscription", subscription.id)


def _hold(subscription: Subscription | None, because: str) -> None:
    if subscription is None or subscription.state == WAITING_RELATION:
        return
    if subscription.state != HELD:
        events.record("subscription.held", "subscription", subscription.id, because=because)
    subscription.state, subscription.held_because = HELD, because


def _write_findings(deal: Deal, findings: list[Finding]) -> None:
    for finding in findings:
        # One open problem per code: several of the same kind are told together.
        same = [f for f in findings if f.code == finding.code]
        if finding is same[0]:
            told = Finding(
                code=finding.code, sentence=" ".join(dict.fromkeys(f.sentence for f in same)), holds=finding.holds,
                who=finding.who, action=" ".join(dict.fromkeys(f.action for f in same)), data=finding.data,
            )  # fmt: skip
            problems.open_problem(told, "deal", deal.id, deal_id=deal.id, customer_id=deal.customer_id)
    keep = {finding.code for finding in findings}
    if deal.subscription_id is not None:
        keep |= {"relation", *_OWN_CODES}
    problems.close_problems("deal", deal.id, keep=keep)


# Problems of the deal that the billing run opens and closes, not the reading of the deal.
_OWN_CODES = ("changed_after_billing", "deal_decreased", "both_changed", "core_question", "ledger_blocked")
