"""The billing run: asks the core what is due and keeps the drafts equal to its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete

from app.billing import Answer, PlannedDocument, preview
from app.core import clock, events
from app.core.db import db
from app.core.runner import NotNow
from app.core.work import Work
from app.deals import queries as deals
from app.invoices import approval, enqueue, queries
from app.invoices.models import Invoice, InvoiceLine
from app.portals import queries as portals
from app.portals.models import APPROVAL, Portal
from app.problems import actions as problems
from app.problems.actions import FINANCE, PORTAL_ADMIN, SALES, Finding
from app.subscriptions import actions as subscriptions
from app.subscriptions import queries as subscription_queries
from app.subscriptions.models import ACTIVE, Subscription
from app.subscriptions.settled import core_document

RUN = "billing.run"
LATE_DAYS = 31
CATCH_UP = "Several invoices of this deal are late at once."
# The one reason that says nothing about the draft itself.
ROUTINE = "This portal approves every invoice."


class DailyRun:
    """Once a billing day: bring every subscription's drafts up to date, each by itself."""

    kind = RUN

    def run(self, row: Work) -> NotNow | None:
        today = clock.today(portals.current().timezone)
        for subscription_id in subscription_queries.active_ids():
            subscriptions.want_billing(subscription_id)
        row.due_on = today + timedelta(days=1)
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
        for invoice in queries.of_subscription(subscription.id, ["approved"]):
            approval.take_back(invoice, subscription.held_because)
        return
    if not _adopt(subscription):
        return
    portal = portals.current()
    today = clock.today(subscription.zone)
    until = today + timedelta(days=portal.draft_ahead)
    version, entries = deals.version(subscription.deal_version_id), subscription_queries.live_entries(subscription.id)
    document = core_document(subscription, version, entries)
    answer = preview(document | {"until": until.isoformat()}, as_of=today)
    if answer.status != "ok":
        _ask(subscription, answer)
        return
    problems.close_problems("deal", subscription.first_deal_id, only="core_question")
    wanted = [document for document in answer.documents if document.dated <= until]
    written = _write_drafts(subscription, wanted)
    _approve_by_rule(subscription, portal, written, today)


def _adopt(subscription: Subscription) -> bool:
    """Let drafts follow the newest version of the deal; False while a change after billing waits for a person."""
    if subscription.wanted_version_id == subscription.deal_version_id:
        return True
    if agreed(subscription.wanted_version_id) != agreed(subscription.deal_version_id):
        for invoice in queries.of_subscription(subscription.id, ["approved"]):
            approval.take_back(invoice, "The deal changed before the invoice was sent.")
        if subscription_queries.live_entries(subscription.id):
            finding = Finding(
                code="changed_after_billing", holds="No further invoice of this deal is drafted.", who=FINANCE,
                sentence="The deal's line items or terms changed after its first invoice was issued.",
                action="Set the deal back to what was billed; Dealwright doesn't bill changes during a term yet.",
            )  # fmt: skip
            deal_id = subscription.first_deal_id
            problems.open_problem(finding, "deal", deal_id, deal_id=deal_id, customer_id=subscription.customer_id)
            return False
    subscription.deal_version_id = subscription.wanted_version_id
    problems.close_problems("deal", subscription.first_deal_id, only="changed_after_billing")
    return True


def agreed(version_id: int) -> dict[str, Any]:
    """Return what counts as a change of the deal.

    The start froze at the win; names, article numbers and the portal's payment terms apply to the next draft and
    change nothing that was agreed.
    """
    document = deals.version(version_id).document
    items = [{key: value for key, value in item.items() if key not in ("name", "sku")} for item in document["items"]]
    return {key: value for key, value in document.items() if key not in ("start", "customer", "payment")} | {
        "items": items
    }


def _ask(subscription: Subscription, answer: Answer) -> None:
    names = [item["name"] for item in deals.version(subscription.deal_version_id).document["items"]]
    texts = [question.text for question in answer.questions]
    texts += [f"{_in_words(error.field, names)} must be {error.allowed}." for error in answer.errors]
    finding = Finding(
        code="core_question", sentence=" ".join(texts), holds="Billing of this deal waits.", who=SALES,
        action="Change the deal's line items accordingly, or bill this deal by hand.",
    )  # fmt: skip
    deal_id = subscription.first_deal_id
    problems.open_problem(finding, "deal", deal_id, deal_id=deal_id, customer_id=subscription.customer_id)


def _in_words(field: str, names: Sequence[str]) -> str:
    """Return a document's field as a rep would say it: `items[0].unit_price` is the unit price of "Platform"."""
    match = re.fullmatch(r"items\[(\d+)\]\.(\w+)", field)
    if match is None or int(match[1]) >= len(names):
        return f"The deal's {field.replace('_', ' ')}"
    return f'The {match[2].replace("_", " ")} of "{names[int(match[1])]}"'


def _write_drafts(subscription: Subscription, wanted: Sequence[PlannedDocument]) -> list[Invoice]:
    """Create, update and drop drafts so that they equal `wanted`; return those that exist now."""
    existing = {(i.scheduled_on, i.kind): i for i in queries.of_subscription(subscription.id, ["draft"])}
    names = {item["key"]: item["name"] for item in deals.version(subscription.deal_version_id).document["items"]}
    lines = queries.lines([invoice.id for invoice in existing.values()])
    written = []
    for document in wanted:
        if not document.sent:
            _settle_zero(subscription, document)
            continue
        invoice = existing.pop((document.dated, document.kind), None)
        # The core's document has keys; the names that people and the ledger read may have changed by themselves.
        renamed = invoice is not None and any(
            line.name != names.get(line.item_key, line.item_key) for line in lines.get(invoice.id, [])
        )
        if invoice is None or renamed or invoice.document != document.to_json():
            invoice = _write_draft(subscription, invoice, document, names)
        invoice.deal_version_id = subscription.deal_version_id
        written.append(invoice)
    for invoice in existing.values():
        db.session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id))
        db.session.delete(invoice)
        events.record(
            "invoice.draft_dropped", "subscription", subscription.id, scheduled_on=invoice.scheduled_on.isoformat()
        )
    db.session.flush()
    return written


def _write_draft(
    subscription: Subscription, invoice: Invoice | None, document: PlannedDocument, names: dict[str, str]
) -> Invoice:
    net_days = (document.due - document.dated).days
    if invoice is None:
        invoice = Invoice(
            subscription_id=subscription.id, customer_id=subscription.customer_id, kind=document.kind, version=0,
            scheduled_on=document.dated, currency=subscription.currency, state="draft",
        )  # fmt: skip
        db.session.add(invoice)
    invoice.version += 1
    invoice.deal_version_id = subscription.deal_version_id
    invoice.due_on, invoice.net_days, invoice.net_minor = document.due, net_days, document.net.minor
    invoice.document = document.to_json()
    db.session.flush()
    db.session.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id))
    for position, line in enumerate(document.lines):
        db.session.add(
            InvoiceLine(
                invoice_id=invoice.id, position=position, item_key=line.item, name=names.get(line.item, line.item),
                start_on=line.period.start, end_on=line.period.end, quantity=Decimal(line.quantity),
                unit_price=Decimal(line.unit_price), amount_minor=line.amount.minor, fraction=line.fraction,
                why=line.why,
            )
        )  # fmt: skip
    events.record("invoice.drafted", "invoice", invoice.id, version=invoice.version, net_minor=invoice.net_minor)
    return invoice


def _settle_zero(subscription: Subscription, document: PlannedDocument) -> None:
    """A document whose every line is zero by itself goes to nobody; its periods are recorded as settled."""
    for line in document.lines:
        db.session.add(
            approval.entry(subscription, None, line.item, line.period.start, line.period.end, line.amount.minor)
        )
    events.record("invoice.not_sent_zero", "subscription", subscription.id, date=document.dated.isoformat())
    db.session.flush()


def _tell_blocked(subscription: Subscription, blocked: str | None) -> None:
    deal_id = subscription.first_deal_id
    if blocked is None:
        problems.close_problems("deal", deal_id, only="ledger_blocked")
        return
    finding = Finding(
        code="ledger_blocked", sentence=blocked, holds="The drafts of this deal wait.", who=PORTAL_ADMIN,
        action="Connect QuickBooks in Dealwright's settings; a deal in another currency is billed by hand so far.",
    )  # fmt: skip
    problems.open_problem(finding, "deal", deal_id, deal_id=deal_id, customer_id=subscription.customer_id)


def _approve_by_rule(subscription: Subscription, portal: Portal, drafts: Sequence[Invoice], today: date) -> None:
    """Note why each draft needs a person; approve those that don't."""
    catch_up = [draft for draft in drafts if draft.scheduled_on < today]
    blocked = enqueue.blocker(subscription.currency)
    _tell_blocked(subscription, blocked if drafts else None)
    first = portal.first_invoice_by_person and not queries.customer_was_billed(subscription.customer_id)
    for invoice in drafts:
        reasons = []
        if portal.invoice_mode == APPROVAL:
            reasons.append(ROUTINE)
        if invoice.kind == "credit_note":
            reasons.append("Credits are always approved by a person.")
        if (today - invoice.scheduled_on).days > LATE_DAYS:
            reasons.append(f"It is dated more than {LATE_DAYS} days back.")
        # Once one of several, always one: approving the others by hand doesn't let the last go by itself.
        if invoice in catch_up and (len(catch_up) > 1 or CATCH_UP in invoice.needs_person):
            reasons.append(CATCH_UP)
        if first:
            reasons.append("It is this customer's first invoice.")
        if blocked is not None:
            reasons.append(blocked)
        invoice.needs_person = reasons
        if not reasons:
            approval.approve(invoice, subscription, by="rule", today=today)
