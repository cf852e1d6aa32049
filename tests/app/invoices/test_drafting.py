"""Drafts equal the core's answer; an edit rewrites them while nothing is billed."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.billing import preview
from app.core import clock, work
from app.core.db import db, transaction
from app.core.events import Event
from app.core.work import Work
from app.deals import queries as deals
from app.invoices import drafting, planning, writing
from app.invoices.models import Invoice, InvoiceLine
from app.portals import queries as portals
from app.portals.models import Portal
from app.ports import CrmDeal, CrmLine
from app.subscriptions import queries as subscriptions
from app.subscriptions.models import Subscription
from app.subscriptions.settled import core_document
from tests import factories as make

MONTHLY = make.crm_line()
# More than an invoice, or a bigint, can hold.
HUGE = {
    "items": [{"key": "platform", "name": "Platform", "kind": "recurring", "quantity": "9" * 26, "unit_price": "1"}]
}
QUARTERLY = make.crm_line("503", name="Analytics", recurringbillingfrequency="quarterly", price="333.33", quantity="3")
ANNUAL = make.crm_line("504", name="Support", recurringbillingfrequency="annually", price="1200.005", quantity="1")


@pytest.fixture
def by_hand(portal: Portal) -> Portal:
    """The portal after approval, with drafts written a whole year ahead."""
    portal.invoice_mode, portal.draft_ahead_days = "approval", 400
    return portal


def answered(subscription: Subscription, days_ahead: int) -> list[dict[str, object]]:
    """Return the documents of the core for a subscription, as JSON."""
    today = clock.today(subscription.zone)
    document = core_document(
        subscription, deals.version(subscription.deal_version_id), subscriptions.live_entries(subscription.id)
    )
    until = today + timedelta(days=days_ahead)
    answer = preview(document | {"until": until.isoformat()}, as_of=today)
    assert answer.status == "ok"
    return [document.to_json() for document in answer.documents]


def shown(invoices: list[Invoice]) -> list[tuple[str, int, int]]:
    return [(invoice.scheduled_on.isoformat(), invoice.net_minor, invoice.version) for invoice in invoices]


class TestDraftsEqualPreview:
    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            (
                (MONTHLY,),
                [(f"2027-{m:02}-01", 100_000) for m in range(3, 13)]
                + [("2028-01-01", 100_000), ("2028-02-01", 100_000)],
            ),
            (
                (QUARTERLY,),
                [("2027-03-01", 99_999), ("2027-06-01", 99_999), ("2027-09-01", 99_999), ("2027-12-01", 99_999)],
            ),
            ((ANNUAL,), [("2027-03-01", 120_001)]),
            ((make.setup_line(),), [("2027-03-01", 250_000)]),
            (
                (QUARTERLY, ANNUAL, make.setup_line()),
                [("2027-03-01", 470_000), ("2027-06-01", 99_999), ("2027-09-01", 99_999), ("2027-12-01", 99_999)],
            ),
        ],
        ids=["monthly", "quarterly", "annual", "one-time", "mixed"],
    )
    def test_in_date_net_and_lines(
        self, by_hand: Portal, lines: tuple[CrmLine, ...], expected: list[tuple[str, int]]
    ) -> None:
        subscription = make.win(make.crm_deal(*lines))
        wanted = answered(subscription, 400)
        drafts = make.draft(subscription)

        assert [draft.document for draft in drafts] == wanted
        assert [(draft.scheduled_on.isoformat(), draft.net_minor) for draft in drafts] == expected
        for draft in drafts:
            assert [self._written(line) for line in make.lines(draft)] == [
                self._said(line) for line in draft.document["lines"]
            ]
            assert draft.net_minor == sum(line.amount_minor for line in make.lines(draft))
            assert draft.due_on == draft.scheduled_on + timedelta(days=30)

    def _written(self, line: InvoiceLine) -> tuple[object, ...]:
        return line.item_key, line.start_on.isoformat(), line.end_on.isoformat(), line.amount_minor, line.why

    def _said(self, line: dict[str, Any]) -> tuple[object, ...]:
        return line["item"], line["start"], line["end"], int(line["amount"].replace(".", "")), line["why"]

    @pytest.mark.parametrize(
        ("start", "dates"),
        [
            ("2027-01-31", ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
            ("2027-03-30", ["2027-03-30", "2027-04-30", "2027-05-30"]),
        ],
    )
    def test_at_month_ends(self, by_hand: Portal, start: str, dates: list[str]) -> None:
        by_hand.draft_ahead_days = 90
        line = make.crm_line(hs_recurring_billing_start_date=start)
        drafts = make.draft(make.win(make.crm_deal(line)))

        assert [draft.scheduled_on.isoformat() for draft in drafts][: len(dates)] == dates

    def test_in_a_currency_without_decimals(self, by_hand: Portal) -> None:
        line = make.crm_line(price="1000.5", quantity="1")
        drafts = make.draft(make.win(make.crm_deal(line, deal_currency_code="JPY")))

        assert (drafts[0].net_minor, drafts[0].currency) == (1001, "JPY")


class TestTwice:
    def test_adds_nothing(self, by_hand: Portal) -> None:
        subscription = make.win()
        first = shown(make.draft(subscription))
        events = make.how_many(Event)

        assert shown(make.draft(subscription)) == first
        assert make.how_many(Event) == events
        assert {version for _, _, version in first} == {1}

    def test_adds_nothing_after_the_rule_approved(self, portal: Portal) -> None:
        subscription = make.win()
        make.draft(subscription)
        make.draft(subscription)

        assert [invoice.state for invoice in make.draft(subscription)] == ["approved"]
        assert len(make.entries(subscription.id)) == 1


class TestDraftAhead:
    @pytest.mark.parametrize(
        ("mode", "days", "count"),
        [
            ("approval", None, 1), ("approval", 30, 1), ("approval", 31, 2), ("approval", 0, 1), ("automatic", None, 1),
            ("automatic", 31, 2),
        ],
    )  # fmt: skip
    def test_says_how_far_drafts_go(self, portal: Portal, mode: str, days: int | None, count: int) -> None:
        portal.invoice_mode, portal.draft_ahead_days = mode, days
        subscription = make.win()

        assert len(make.draft(subscription)) == count

    def test_of_seven_days_writes_the_draft_a_week_before_its_date(self, unbound: int) -> None:
        with transaction(unbound):
            portals.current().invoice_mode = "approval"
            subscription_id = make.win(make.crm_deal(make.crm_line(hs_recurring_billing_start_date="2027-03-20"))).id
        for today, drafts in (
            (date(2027, 3, 12), 0),
            (date(2027, 3, 13), 1),
            (date(2027, 4, 12), 1),
            (date(2027, 4, 13), 2),
        ):
            make.set_today(today)
            with transaction(unbound):
                assert len(make.draft(subscription_id)) == drafts, today

    def test_keeps_the_day_of_the_billing_zone(self, unbound: int) -> None:
        make.set_today(date(2027, 3, 1), "Pacific/Auckland")
        with transaction(unbound):
            in_auckland = make.win().id
            subscriptions.locked(in_auckland).zone = "Pacific/Auckland"
            assert clock.today(make.ZONE) in (date(2027, 2, 28), date(2027, 3, 1))
            assert [invoice.state for invoice in make.draft(in_auckland)] == ["approved"]


class TestEditBeforeAnythingIsBilled:
    @pytest.mark.parametrize(
        ("edited", "nets"),
        [
            (make.crm_deal(make.crm_line(price="120.00")), [120_000]),
            (make.crm_deal(make.crm_line(quantity="5")), [50_000]),
            (make.crm_deal(make.crm_line(), make.setup_line()), [350_000]),
            (make.crm_deal(make.crm_line(recurringbillingfrequency="quarterly")), [100_000]),
        ],
    )
    def test_rewrites_the_draft(self, portal: Portal, edited: CrmDeal, nets: list[int]) -> None:
        portal.invoice_mode = "approval"
        subscription = make.win()
        (before,) = make.draft(subscription)
        make.observe(edited)
        drafts = make.draft(subscription)

        assert [draft.net_minor for draft in drafts] == nets
        assert [(draft.id, draft.version) for draft in drafts] == [(before.id, 2)]
        assert [draft.document for draft in drafts] == answered(subscription, 7)
        assert make.open_problems() == {}

    def test_drops_drafts_that_are_due_no_more(self, by_hand: Portal) -> None:
        subscription = make.win()
        assert len(make.draft(subscription)) == 12
        make.observe(make.crm_deal(make.crm_line(hs_recurring_billing_period="P3M")))

        assert len(make.draft(subscription)) == 3
        assert make.how_many(InvoiceLine) == 3
        assert make.how_many(Event, Event.kind == "invoice.draft_dropped") == 9

    def test_writes_a_new_name_into_the_draft(self, by_hand: Portal) -> None:
        by_hand.draft_ahead_days = 0
        subscription = make.win()
        make.draft(subscription)
        make.observe(make.crm_deal(make.crm_line(name="Platform Pro")))
        (draft,) = make.draft(subscription)

        assert [line.name for line in make.lines(draft)] == ["Platform Pro"]

    def test_leaves_the_version_where_the_content_is_the_same(self, by_hand: Portal) -> None:
        subscription = make.win()
        before = shown(make.draft(subscription))
        make.observe(make.crm_deal(make.crm_line(hs_sku="PLAT-2")))

        assert shown(make.draft(subscription)) == before

    def test_never_moves_the_start_that_was_frozen(self, by_hand: Portal) -> None:
        subscription = make.win()
        make.observe(make.crm_deal(make.crm_line(hs_recurring_billing_start_date="2027-06-01")))

        assert make.draft(subscription)[0].scheduled_on == date(2027, 3, 1)


class TestZero:
    def test_settles_a_document_of_nothing_as_not_sent(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(quantity="0")))

        assert make.draft(subscription) == []
        (entry,) = make.entries(subscription.id)
        assert (entry.invoice_id, entry.charged_minor, entry.credited_minor) == (None, 0, 0)
        assert make.how_many(Event, Event.kind == "invoice.not_sent_zero") == 1

    def test_settles_it_once(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(price="0")))
        make.draft(subscription)
        make.draft(subscription)

        assert len(make.entries(subscription.id)) == 1

    def test_sends_a_zero_line_beside_one_that_is_not(self, portal: Portal) -> None:
        free = make.crm_line("503", name="Free", price="0")
        (invoice,) = make.draft(make.win(make.crm_deal(make.crm_line(), free)))

        assert [line.amount_minor for line in make.lines(invoice)] == [100_000, 0]

    def test_counts_as_billed_so_that_a_later_price_counts_from_the_next_period(self, portal: Portal) -> None:
        portal.draft_ahead_days = 40
        subscription = make.win(make.crm_deal(make.crm_line(price="0")))
        make.draft(subscription)
        make.observe(make.crm_deal())

        assert make.draft(subscription) == []
        (raised,) = make.amendments(subscription.id)
        assert (raised.effective, raised.body["unit_price"]) == (date(2027, 5, 1), "100")


class TestWhatTheCoreDoesNotTake:
    @pytest.mark.parametrize(
        "fields", [{"terms": "Two months free if they pay early."}, {"term_months": 10**6}, {"items": []}, HUGE]
    )
    def test_is_asked_and_nothing_is_drafted(self, portal: Portal, fields: dict[str, Any]) -> None:
        subscription = make.win()
        make.agreed(subscription, **fields)

        assert make.draft(subscription) == []
        assert set(make.open_problems()) == {"core_question"}

    def test_is_asked_no_more_once_it_is_mended(self, portal: Portal) -> None:
        subscription = make.win()
        make.agreed(subscription, terms="Two months free if they pay early.")
        make.draft(subscription)
        make.observe(make.crm_deal(make.crm_line(price="90.00")))

        assert [invoice.state for invoice in make.draft(subscription)] == ["approved"]
        assert make.open_problems() == {}


class TestDailyRun:
    @pytest.fixture
    def run(self, portal: Portal) -> Work:
        work.want(work.lane("portal").id, drafting.RUN, "daily")
        return make.row(drafting.RUN, "daily")

    def win_many(self, count: int) -> list[Subscription]:
        """Win deals beside each other; nothing of them is asked to be billed yet."""
        many = [
            make.win(make.crm_deal(make.crm_line(str(600 + n)), deal_id=310 + n, dealtype="newbusiness"))
            for n in range(count)
        ]
        for one in many:
            make.row(drafting.BillSubscription.kind, one.id).state = "done"
        return many

    def test_bills_every_active_subscription_and_comes_back_tomorrow(self, portal: Portal, run: Work) -> None:
        *active, held = self.win_many(3)
        make.observe(make.crm_deal(make.crm_line("602"), deal_id=312, stage=make.LOST))
        make.row(drafting.BillSubscription.kind, held.id).state = "done"

        drafting.DailyRun().run(run)

        assert run.due_on == make.TODAY + timedelta(days=1)
        assert [[i.state for i in make.invoices(one.id)] for one in active] == [["approved"]] * 2
        assert make.invoices(held.id) == []
        assert {make.row(drafting.BillSubscription.kind, one.id).state for one in (*active, held)} == {"done"}

    def test_goes_batch_by_batch_and_remembers_how_far_it_came(
        self, run: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drafting, "BATCH", 2)
        many = self.win_many(3)
        drafting.DailyRun().run(run)
        assert [len(make.invoices(one.id)) for one in many] == [1, 1, 0]
        assert (run.payload, run.due_on) == ({"after": many[1].id}, None)

        drafting.DailyRun().run(run)
        assert [len(make.invoices(one.id)) for one in many] == [1, 1, 1]
        assert (run.payload, run.due_on) == ({}, make.TODAY + timedelta(days=1))

    def test_writes_the_same_as_billing_one_by_one(self, portal: Portal, run: Work) -> None:
        portal.invoice_mode, portal.draft_ahead_days = "approval", 40
        batched, alone = self.win_many(2)
        make.draft(alone)
        drafting.DailyRun().run(run)

        assert shown(make.invoices(batched.id)) == shown(make.invoices(alone.id))
        assert len(shown(make.invoices(alone.id))) == 2

    def test_leaves_a_changed_deal_to_its_own_row_of_work(self, run: Work) -> None:
        changed, other = self.win_many(2)
        make.observe(make.crm_deal(make.crm_line("600", price="120.00"), deal_id=310))
        make.row(drafting.BillSubscription.kind, changed.id).state = "done"
        drafting.DailyRun().run(run)

        assert make.invoices(changed.id) == []
        assert make.row(drafting.BillSubscription.kind, changed.id).state == "waiting"
        assert [invoice.state for invoice in make.invoices(other.id)] == ["approved"]

    def test_lets_one_faulty_subscription_stop_no_other(self, run: Work, monkeypatch: pytest.MonkeyPatch) -> None:
        faulty, other = self.win_many(2)

        def plan(known: Any, subscription: Subscription) -> Any:
            if subscription.id == faulty.id:
                raise ValueError("a subscription nobody can read")
            return planning.plan(known, subscription)

        monkeypatch.setattr(drafting, "plan", plan)
        drafting.DailyRun().run(run)

        assert [invoice.state for invoice in make.invoices(other.id)] == ["approved"]
        assert make.row(drafting.BillSubscription.kind, faulty.id).state == "waiting"

    def test_does_them_one_by_one_where_the_database_refuses_the_batch(
        self, run: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        many = self.win_many(2)

        def write(plans: Any) -> Any:
            db.session.execute(text("SELECT 1 / 0"))

        monkeypatch.setattr(writing, "write", write)
        drafting.DailyRun().run(run)

        assert [make.row(drafting.BillSubscription.kind, one.id).state for one in many] == ["waiting", "waiting"]
        assert make.how_many(Invoice) == 0

    def test_passes_by_a_subscription_that_somebody_holds(self, product: Flask, unbound: int) -> None:
        with transaction(unbound):
            held, free = (one.id for one in self.win_many(2))
        together = threading.Barrier(2)

        def hold() -> None:
            with product.app_context(), transaction(unbound):
                subscriptions.locked(held)
                together.wait(10)
                together.wait(10)

        holding = threading.Thread(target=hold)
        holding.start()
        together.wait(10)
        with transaction(unbound):
            assert drafting.draft_many([held, free]) == [held]
        together.wait(10)
        holding.join(10)
        with transaction(unbound):
            assert [len(make.invoices(one)) for one in (held, free)] == [0, 1]

    def test_bills_one_subscription(self, portal: Portal) -> None:
        subscription = make.win()
        drafting.BillSubscription().run(make.row(drafting.BillSubscription.kind, subscription.id))

        assert [invoice.state for invoice in make.invoices(subscription.id)] == ["approved"]
