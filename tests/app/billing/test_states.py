"""Invoice states: which event leads where, what the ledger's reading means, and when money is late."""

from __future__ import annotations

from datetime import date

import pytest

from app.billing.states import (
    FINAL_STATES,
    LEDGER_EVENTS,
    LEDGER_STATES,
    TRANSITIONS,
    InvoiceEvent,
    InvoiceState,
    TransitionRefused,
    UnknownEvent,
    UnknownState,
    is_overdue,
    ledger_state,
    transition,
)


class TestTransition:
    @pytest.mark.parametrize(
        ("state", "event", "then"),
        [
            ("draft", "approve", "approved"),
            ("draft", "discard", "deleted"),
            ("approved", "send", "sending"),
            ("approved", "take_back", "draft"),
            ("approved", "discard", "deleted"),
            ("sending", "refuse", "approved"),
            ("sending", "ledger_open", "open"),
            ("sending", "ledger_voided", "voided"),
            ("open", "ledger_sent", "sent"),
            ("sent", "ledger_partly_paid", "partly_paid"),
            ("partly_paid", "ledger_paid", "paid"),
            ("paid", "ledger_voided", "voided"),
            ("voided", "ledger_deleted", "deleted"),
        ],
    )
    def test_leads_through_an_invoice_life(self, state: str, event: str, then: str) -> None:
        assert transition(state, event) == then

    def test_lets_ledger_states_move_in_any_direction(self) -> None:
        for state in LEDGER_STATES:
            for target in LEDGER_STATES | FINAL_STATES:
                assert transition(state, LEDGER_EVENTS[target]) == target

    def test_takes_the_same_news_twice(self) -> None:
        for state in LEDGER_STATES | FINAL_STATES:
            assert transition(state, LEDGER_EVENTS[state]) == state

    @pytest.mark.parametrize(
        ("state", "event"),
        [
            ("draft", "send"),
            ("draft", "ledger_paid"),
            ("approved", "approve"),
            ("approved", "ledger_open"),
            ("sending", "take_back"),
            ("sending", "discard"),
            ("sent", "take_back"),
            ("paid", "discard"),
            ("voided", "ledger_open"),
            ("deleted", "approve"),
        ],
    )
    def test_refuses_what_may_not_happen_and_says_so(self, state: str, event: str) -> None:
        with pytest.raises(TransitionRefused, match=f"an invoice that is {state} cannot ") as refused:
            transition(state, event)
        assert (refused.value.state, refused.value.event) == (state, event)

    def test_names_unknown_words(self) -> None:
        with pytest.raises(UnknownState, match="'overdue' is not an invoice state"):
            transition("overdue", "approve")
        with pytest.raises(UnknownEvent, match="'explode' is not an invoice event"):
            transition("draft", "explode")

    def test_table_is_whole(self) -> None:
        assert set(TRANSITIONS) == set(InvoiceState)
        assert {event for events in TRANSITIONS.values() for event in events} == set(InvoiceEvent)
        for event in InvoiceEvent:
            refused = TransitionRefused(InvoiceState.PARTLY_PAID, event)
            assert str(refused).startswith("an invoice that is partly paid cannot ")


class TestLedgerState:
    @pytest.mark.parametrize(
        ("total", "balance", "marks", "state"),
        [
            (100, 100, "", "open"),
            (100, 100, "emailed", "sent"),
            (100, 99, "emailed", "partly_paid"),
            (100, 1, "", "partly_paid"),
            (100, 0, "", "paid"),
            (100, 0, "emailed", "paid"),
            (0, 0, "lines_zero", "paid"),
            (0, 0, "", "paid"),
            (0, 0, "voided lines_zero", "voided"),
            (0, 0, "voided lines_zero emailed", "voided"),
            (100, 100, "voided", "open"),
            (0, 0, "voided", "paid"),
            (100, 50, "deleted", "deleted"),
            (0, 0, "deleted voided lines_zero", "deleted"),
        ],
    )
    def test_follows_the_written_order(self, total: int, balance: int, marks: str, state: str) -> None:
        flags = {name: name in marks.split() for name in ("emailed", "voided", "deleted", "lines_zero")}
        assert ledger_state(total_minor=total, balance_minor=balance, **flags) == state


class TestIsOverdue:
    @pytest.mark.parametrize(
        ("state", "balance", "due", "today", "overdue"),
        [
            ("open", 1, "2027-01-31", "2027-02-01", True),
            ("sent", 1, "2027-01-31", "2027-01-31", False),
            ("partly_paid", 1, "2027-01-31", "2027-03-01", True),
            ("sent", 0, "2027-01-31", "2027-03-01", False),
            ("paid", 0, "2027-01-31", "2027-03-01", False),
            ("draft", 100, "2027-01-31", "2027-03-01", False),
            ("voided", 0, "2027-01-31", "2027-03-01", False),
        ],
    )
    def test_needs_a_balance_after_the_due_date(
        self, state: str, balance: int, due: str, today: str, overdue: bool
    ) -> None:
        assert is_overdue(state, balance, date.fromisoformat(due), date.fromisoformat(today)) is overdue
