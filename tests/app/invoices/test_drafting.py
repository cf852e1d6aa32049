"""Drafts equal the core's answer; an edit rewrites them while nothing is billed, and asks afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from app.billing import preview
from app.core import clock, work
from app.core.db import transaction
from app.core.events import Event
from app.deals import queries as deals
from app.invoices import drafting
from app.invoices.models import Invoice, InvoiceLine
from app.portals import queries as portals
from app.portals.models import Portal
from app.ports import CrmDeal, CrmLine
from app.subscriptions import queries as subscriptions
from app.subscriptions.models import Subscription
from app.subscriptions.settled import core_document
from tests import factories as make

MONTHLY = make.crm_line()
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


class TestEditAfterBilling:
    def test_asks_finance_and_drafts_nothing_more(self, unbound: int) -> None:
        subscription_id = self._billed_and_edited(unbound)
        make.set_today(date(2027, 4, 1))
        with transaction(unbound):
            assert len(make.draft(subscription_id)) == 1
            problem = make.open_problems()["changed_after_billing"]
            assert problem.who == "finance"
            assert problem.sentence == "The deal's line items or terms changed after its first invoice was issued."

    def test_goes_on_when_it_is_set_back(self, unbound: int) -> None:
        subscription_id = self._billed_and_edited(unbound)
        make.set_today(date(2027, 4, 1))
        with transaction(unbound):
            make.observe(make.crm_deal())
            assert [invoice.scheduled_on for invoice in make.draft(subscription_id)] == [
                date(2027, 3, 1), date(2027, 4, 1),
            ]  # fmt: skip
            assert make.open_problems() == {}

    def test_stays_asked_when_the_deal_is_read_again(self, unbound: int) -> None:
        self._billed_and_edited(unbound)
        with transaction(unbound):
            make.observe(make.crm_deal(make.crm_line(price="120.00")))
            assert set(make.open_problems()) == {"changed_after_billing"}

    def test_of_the_companys_name_alone_is_no_change(self, unbound: int) -> None:
        with transaction(unbound):
            subscription = make.win()
            self._bill(subscription)
            make.observe(make.crm_deal(company={**make.ACME, "name": "Acme Holding"}))
            make.draft(subscription)
            assert make.open_problems() == {}

    def _billed_and_edited(self, portal_id: int) -> int:
        with transaction(portal_id):
            subscription = make.win()
            self._bill(subscription)
            make.observe(make.crm_deal(make.crm_line(price="120.00")))
            assert len(make.draft(subscription)) == 1
            return subscription.id

    def _bill(self, subscription: Subscription) -> None:
        """Have the first invoice in the ledger, past the point where its approval can be taken back."""
        (invoice,) = make.draft(subscription)
        invoice.state = "open"


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

    def test_counts_as_billed_so_that_a_later_price_is_a_question(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(price="0")))
        make.draft(subscription)
        make.observe(make.crm_deal())

        assert make.draft(subscription) == []
        assert set(make.open_problems()) == {"changed_after_billing"}


class TestWhatTheCoreDoesNotTake:
    @pytest.mark.parametrize(
        "line",
        [
            make.crm_line(price="0.1234567890123"),
            make.crm_line(quantity="1E+30"),
            make.crm_line(hs_recurring_billing_period="P9999Y"),
        ],
    )
    def test_is_asked_and_nothing_is_drafted(self, portal: Portal, line: CrmLine) -> None:
        subscription = make.win(make.crm_deal(line))

        assert make.draft(subscription) == []
        assert set(make.open_problems()) == {"core_question"}

    def test_is_asked_no_more_once_it_is_mended(self, portal: Portal) -> None:
        subscription = make.win(make.crm_deal(make.crm_line(price="0.1234567890123")))
        make.draft(subscription)
        make.observe(make.crm_deal())

        assert [invoice.state for invoice in make.draft(subscription)] == ["approved"]
        assert make.open_problems() == {}


class TestDailyRun:
    def test_wants_every_active_subscription_and_comes_back_tomorrow(self, portal: Portal) -> None:
        subscription = make.win()
        held = make.win(make.crm_deal(make.crm_line("601"), deal_id=302, dealtype="newbusiness"))
        make.observe(make.crm_deal(make.crm_line("601"), deal_id=302, stage=make.LOST))
        for one in (subscription, held):
            make.row(drafting.BillSubscription.kind, one.id).state = "done"
        lane = work.lane("portal")
        work.want(lane.id, drafting.RUN, "daily")
        run = make.row(drafting.RUN, "daily")

        drafting.DailyRun().run(run)

        assert run.due_on == make.TODAY + timedelta(days=1)
        assert make.row(drafting.BillSubscription.kind, subscription.id).state == "waiting"
        assert make.row(drafting.BillSubscription.kind, held.id).state == "done"

    def test_bills_one_subscription(self, portal: Portal) -> None:
        subscription = make.win()
        drafting.BillSubscription().run(make.row(drafting.BillSubscription.kind, subscription.id))

        assert [invoice.state for invoice in make.invoices(subscription.id)] == ["approved"]
