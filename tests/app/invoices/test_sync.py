"""What the ledger says of invoices and payments, written into ours; nothing is billed again by itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock, work
from app.core.db import bind_portal, db, transaction
from app.core.errors import Conflict
from app.core.events import Event
from app.core.outcome import Done, FailureKind, Rejected, Unknown
from app.core.runner import NotNow
from app.core.work import DONE, PARKED, WAITING, Work
from app.edge import wiring
from app.invoices import enqueue, ledger, queries, sync
from app.invoices.models import Invoice
from app.invoices.sync import ReadInvoice, ReadPayment
from app.payments.models import PaymentApplied
from app.portals import queries as portals
from app.portals.models import Portal
from app.problems import actions as problems
from app.standing import answer
from tests import factories as make


@pytest.fixture
def invoice(portal: Portal) -> Invoice:
    """An invoice over 1,000.00, due 31 March, open in the ledger as number 145."""
    (approved,) = make.draft(make.win())
    return adopt(approved, "145")


def adopt(invoice: Invoice, external_id: str) -> Invoice:
    """Have an approved invoice in the ledger."""
    invoice.state = "sending"
    ledger.adopt(make.ledger_connection(), invoice, make.ledger_invoice(external_id))
    db.session.flush()
    return invoice


def apply(invoice: Invoice, **changes: Any) -> Invoice:
    """Read the invoice in the ledger as it is now."""
    ledger.apply(make.ledger_connection(), invoice, make.ledger_invoice(**changes))
    db.session.flush()
    return invoice


def read(step: Any, kind: str, subject: str, outcome: Any) -> Work:
    """Plan and record a read that is wanted."""
    row = make.row(kind, subject)
    make.planned(step, row)
    make.record(step, row, outcome)
    return row


def pay(payment: Any, payment_id: str = "201") -> None:
    """Read a payment."""
    sync.want_payments(make.ledger_connection(), [payment_id])
    step = ReadPayment(wiring().accounting, wiring().ring)
    row = make.row(enqueue.READ_PAYMENT, payment_id)
    row.state = WAITING
    make.planned(step, row)
    make.record(step, row, Done(payment))


def wanted() -> set[str]:
    """Return the external ids of invoices that are wanted, and want none any more."""
    rows = db.session.execute(select(Work).where(Work.kind == enqueue.READ_INVOICE, Work.state == WAITING)).scalars()
    found = set()
    for row in rows:
        found.add(row.subject)
        row.state = DONE
    db.session.flush()
    return found


class TestAdopt:
    def test_links_the_two_and_takes_number_and_figures(self, invoice: Invoice) -> None:
        connection = make.ledger_connection()
        (listed,) = queries.listed(["open"])

        assert listed.invoice is invoice
        assert (invoice.number, invoice.total_minor, invoice.balance_minor) == ("1001", 100_000, 100_000)
        assert queries.customers_billed([invoice.customer_id])
        assert connection.synced_at is not None

    def test_refuses_to_link_ours_to_a_second_one(self, invoice: Invoice) -> None:
        with pytest.raises(Conflict, match="linked to another record"):
            ledger.adopt(make.ledger_connection(), invoice, make.ledger_invoice("146"))


class TestStates:
    @pytest.mark.parametrize(
        ("changes", "state", "balance"),
        [
            ({}, "open", 100_000),
            ({"emailed": True}, "sent", 100_000),
            ({"balance_minor": 99_999}, "partly_paid", 99_999),
            ({"balance_minor": 1, "emailed": True}, "partly_paid", 1),
            ({"balance_minor": 0}, "paid", 0),
            ({"balance_minor": 0, "total_minor": 0, "voided": True}, "voided", 0),
            ({"deleted": True}, "deleted", 0),
        ],
    )
    def test_follow_the_ledger(self, invoice: Invoice, changes: dict[str, Any], state: str, balance: int) -> None:
        apply(invoice, **changes)

        assert (invoice.state, invoice.balance_minor) == (state, balance)

    def test_change_nothing_when_the_same_news_comes_twice(self, invoice: Invoice) -> None:
        before = make.how_many(Event)
        apply(invoice, balance_minor=0)
        apply(invoice, balance_minor=0)

        assert make.how_many(Event) == before + 1
        assert invoice.state == "paid"

    def test_go_back_when_a_payment_was_reversed(self, invoice: Invoice) -> None:
        states = [apply(invoice, emailed=True, balance_minor=balance).state for balance in (50_000, 0, 50_000, 100_000)]

        assert states == ["partly_paid", "paid", "partly_paid", "sent"]
        assert invoice.paid_on is None

    def test_follow_a_due_date_that_was_moved_there(self, invoice: Invoice) -> None:
        assert apply(invoice, due_on=date(2027, 4, 15)).due_on == date(2027, 4, 15)
        assert apply(invoice, due_on=None).due_on == date(2027, 4, 15)


class TestPaidOn:
    def test_is_the_day_of_the_last_payment(self, invoice: Invoice) -> None:
        pay(make.ledger_payment(("145", 40_000), paid_on=date(2027, 3, 10)))
        pay(make.ledger_payment(("145", 60_000), payment_id="202", paid_on=date(2027, 3, 20)), "202")

        assert apply(invoice, balance_minor=0).paid_on == date(2027, 3, 20)

    def test_is_today_until_the_payment_is_read(self, invoice: Invoice) -> None:
        assert apply(invoice, balance_minor=0).paid_on == make.TODAY
        pay(make.ledger_payment(("145", 100_000)))

        assert wanted() == {"145"}
        assert apply(invoice, balance_minor=0).paid_on == date(2027, 3, 10)


class TestEndedInTheLedger:
    @pytest.mark.parametrize(
        ("changes", "word"),
        [({"voided": True, "total_minor": 0, "balance_minor": 0}, "voided"), ({"deleted": True}, "deleted")],
    )
    def test_asks_finance_and_its_period_is_not_billed_again(
        self, invoice: Invoice, changes: dict[str, Any], word: str
    ) -> None:
        apply(invoice, **changes)
        problem = make.open_problems()["ended_in_ledger"]

        assert problem.sentence == f"Invoice 1001 over 1,000.00 USD was {word} in QuickBooks."
        assert (problem.who, problem.holds) == ("finance", "Its period is not billed again by itself.")
        assert [one.state for one in make.draft(invoice.subscription_id)] == [word]
        assert len(make.entries(invoice.subscription_id)) == 1

    def test_asks_once_however_often_it_is_read(self, invoice: Invoice) -> None:
        for _ in range(3):
            apply(invoice, deleted=True)

        assert len(make.open_problems()) == 1

    def test_lets_the_next_period_be_billed(self, unbound: int) -> None:
        with transaction(unbound):
            (march,) = make.draft(make.win())
            apply(adopt(march, "145"), deleted=True)
        make.set_today(date(2027, 4, 1))
        with transaction(unbound):
            assert [(i.scheduled_on.isoformat(), i.state) for i in make.draft(march.subscription_id)] == [
                ("2027-03-01", "deleted"), ("2027-04-01", "approved"),
            ]  # fmt: skip

    def test_of_a_voided_one_may_still_become_deleted(self, invoice: Invoice) -> None:
        apply(invoice, voided=True, total_minor=0, balance_minor=0)

        assert apply(invoice, deleted=True).state == "deleted"


class TestOverdue:
    @pytest.mark.parametrize(("day", "late"), [("2027-03-31", False), ("2027-04-01", True), ("2028-01-01", True)])
    def test_comes_with_the_day_and_is_no_state(self, unbound: int, day: str, late: bool) -> None:
        with transaction(unbound):
            (approved,) = make.draft(make.win())
            adopt(approved, "145")
        make.set_today(date.fromisoformat(day))
        with transaction(unbound):
            (invoice,) = make.invoices(approved.subscription_id)
            today = clock.today(make.ZONE)
            assert answer.overdue(invoice, today) is late
            assert invoice.state == "open"

    def test_ends_when_it_is_paid(self, invoice: Invoice) -> None:
        apply(invoice, balance_minor=0)

        assert not answer.overdue(invoice, date(2028, 1, 1))


class TestReadInvoice:
    def step(self) -> ReadInvoice:
        return ReadInvoice(wiring().accounting, wiring().ring)

    def test_writes_what_was_read(self, invoice: Invoice) -> None:
        sync.want_invoices(make.ledger_connection(), ["145"])
        read(self.step(), enqueue.READ_INVOICE, "145", Done(make.ledger_invoice(balance_minor=0)))

        assert invoice.state == "paid"

    def test_wants_a_burst_of_events_once(self, invoice: Invoice) -> None:
        for _ in range(5):
            sync.want_invoices(make.ledger_connection(), ["145"])

        assert make.row(enqueue.READ_INVOICE, "145").wanted == 5
        assert make.how_many(Work, Work.kind == enqueue.READ_INVOICE) == 1

    @pytest.mark.parametrize("state", [DONE, PARKED])
    def test_is_wanted_again_after_it_was_read_or_given_up(self, invoice: Invoice, state: str) -> None:
        sync.want_invoices(make.ledger_connection(), ["145"])
        make.row(enqueue.READ_INVOICE, "145").state = state
        sync.want_invoices(make.ledger_connection(), ["145"])

        assert make.row(enqueue.READ_INVOICE, "145").state == WAITING

    def test_drops_one_that_is_not_ours(self, invoice: Invoice) -> None:
        sync.want_invoices(make.ledger_connection(), ["999"])

        assert make.plan(self.step(), make.row(enqueue.READ_INVOICE, "999")) == NotNow(done=True)

    @pytest.mark.parametrize("changes", [{"state": "sending"}, {"outcome_unknown": True}])
    def test_waits_for_an_unknown_one_while_a_send_is_under_way(
        self, invoice: Invoice, changes: dict[str, Any]
    ) -> None:
        sync.want_invoices(make.ledger_connection(), ["999"])
        creating = make.row(enqueue.INVOICE, invoice.id)
        for name, value in changes.items():
            setattr(creating, name, value)
        row = make.row(enqueue.READ_INVOICE, "999")
        found = make.plan(self.step(), row)

        assert isinstance(found, NotNow)
        assert (found.done, row.state) == (False, WAITING)

    def test_takes_it_for_ours_once_the_send_was_recorded(self, portal: Portal) -> None:
        (approved,) = make.draft(make.win())
        creating = make.row(enqueue.INVOICE, approved.id)
        creating.state = "sending"
        sync.want_invoices(make.ledger_connection(), ["145"])
        row = make.row(enqueue.READ_INVOICE, "145")
        assert isinstance(make.plan(self.step(), row), NotNow)
        adopt(approved, "145")
        creating.state = DONE

        assert not isinstance(make.plan(self.step(), row), NotNow)

    def test_that_fails_for_good_asks_the_operator_and_closes_with_the_next_success(self, invoice: Invoice) -> None:
        sync.want_invoices(make.ledger_connection(), ["145"])
        row = read(self.step(), enqueue.READ_INVOICE, "145", Rejected(FailureKind.REJECTED, "it is odd.", "x"))
        problem = make.open_problems()["ledger_read_failed"]

        assert (row.state, problem.who) == (PARKED, "operator")
        assert problem.sentence == "A change in QuickBooks can't be read: it is odd."

        problems.retry(make.actor(), problem.id)
        make.planned(self.step(), row)
        make.record(self.step(), row, Done(make.ledger_invoice()))
        assert make.open_problems() == {}

    def test_of_unknown_outcome_is_simply_read_again(self, invoice: Invoice) -> None:
        sync.want_invoices(make.ledger_connection(), ["145"])
        row = read(self.step(), enqueue.READ_INVOICE, "145", Unknown("QuickBooks answered 503."))

        assert (row.state, row.outcome_unknown, make.open_problems()) == (WAITING, False, {})

    def test_that_is_refused_a_token_waits_for_the_new_connection(self, invoice: Invoice) -> None:
        sync.want_invoices(make.ledger_connection(), ["145"])
        row = read(self.step(), enqueue.READ_INVOICE, "145", Rejected(FailureKind.REVOKED, "not authorised.", "3100"))

        assert row.state == WAITING
        assert set(make.open_problems()) == {"reconnect"}


class TestReadPayment:
    @pytest.fixture
    def two(self, unbound: int) -> list[Invoice]:
        """Two invoices of one customer in the ledger: 145 and 146."""
        bind_portal(unbound)
        portals.current().draft_ahead_days = 40
        invoices = make.draft(make.win())
        return [adopt(invoice, str(145 + n)) for n, invoice in enumerate(invoices)]

    def applied(self) -> dict[int, int]:
        rows = db.session.execute(select(PaymentApplied)).scalars()
        return {row.invoice_id: row.amount_minor for row in rows}

    def test_over_several_invoices_is_kept_for_each_and_has_them_read(self, two: list[Invoice]) -> None:
        pay(make.ledger_payment(("145", 100_000), ("146", 30_000)))

        assert self.applied() == {two[0].id: 100_000, two[1].id: 30_000}
        assert wanted() == {"145", "146"}

    def test_read_twice_is_kept_once(self, two: list[Invoice]) -> None:
        for _ in range(2):
            pay(make.ledger_payment(("145", 100_000)))

        assert self.applied() == {two[0].id: 100_000}

    def test_that_is_no_payment_of_our_invoices_is_nothing(self, two: list[Invoice]) -> None:
        pay(make.ledger_payment(("999", 5_000)))

        assert (self.applied(), wanted()) == ({}, set())

    def test_that_was_deleted_has_the_invoices_read_that_it_paid(self, two: list[Invoice]) -> None:
        pay(make.ledger_payment(("145", 100_000), ("146", 30_000)))
        wanted()
        pay(make.ledger_payment(paid_on=date.min, currency="", deleted=True))

        assert self.applied() == {}
        assert wanted() == {"145", "146"}

    def test_that_was_moved_to_another_invoice_has_both_read(self, two: list[Invoice]) -> None:
        pay(make.ledger_payment(("145", 100_000)))
        wanted()
        pay(make.ledger_payment(("146", 100_000)))

        assert self.applied() == {two[1].id: 100_000}
        assert wanted() == {"145", "146"}


class TestQueries:
    def test_count_list_and_hide(self, invoice: Invoice, unbound: int) -> None:
        assert queries.counts_by_state() == {"open": 1}
        assert [one.invoice.id for one in queries.listed(["open", "paid"])] == [invoice.id]
        assert queries.drafts() == []
        assert [one.id for one in queries.of_customer(invoice.customer_id)] == [invoice.id]

    def test_show_another_portal_nothing(self, unbound: int) -> None:
        with transaction(unbound):
            (approved,) = make.draft(make.win())
            adopt(approved, "145")
        with transaction(make.fresh_portal()):
            assert queries.counts_by_state() == {}
            assert queries.listed(["open"]) == []
            assert queries.of_customer(approved.customer_id) == []
            assert not queries.customers_billed([approved.customer_id])
            assert work.find(enqueue.INVOICE, approved.id) is None
