"""Where a customer or a deal stands: the most urgent thing in one sentence, totals, the next charge, the risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.billing import Money
from app.connections.models import CONNECTED, NEEDS_RECONNECT, Connection
from app.deals.models import BEFORE_GO_LIVE, Deal
from app.invoices.models import Invoice
from app.portals.models import Portal
from app.problems.models import Problem
from app.standing import answer
from app.standing.facts import Facts, NextCharge
from app.subscriptions.models import Subscription

TODAY = date(2027, 4, 10)
CHARGE = NextCharge(date(2027, 5, 1), Money(100_000, "USD"), "10 x 100.00 a month, 1 May - 31 May 2027")
QUICKBOOKS = Connection(provider="quickbooks", state=CONNECTED)
HUBSPOT = Connection(provider="hubspot", state=CONNECTED)


def an_invoice(state: str = "open", balance: int | None = 100_000, **changes: Any) -> Invoice:
    """Return an invoice over 1,000.00 USD, due 30 April."""
    values: dict[str, Any] = {
        "id": 1, "state": state, "balance_minor": balance, "total_minor": 100_000, "net_minor": 100_000,
        "currency": "USD", "scheduled_on": date(2027, 4, 1), "issued_on": date(2027, 4, 1),
        "due_on": date(2027, 4, 30), "paid_on": None, "needs_person": [], "number": "1001", "kind": "invoice",
    }  # fmt: skip
    return Invoice(**(values | changes))


def late(days: int, balance: int = 100_000, **changes: Any) -> Invoice:
    return an_invoice("sent", balance, due_on=TODAY - timedelta(days=days), **changes)


def waiting_draft(**changes: Any) -> Invoice:
    return an_invoice("draft", None, **({"needs_person": ["This portal approves every invoice."]} | changes))


def facts(*invoices: Invoice, **changes: Any) -> Facts:
    """Return the facts of a company with a subscription, everything connected."""
    base = Facts(
        portal=Portal(currency="USD", timezone="America/New_York"), today=TODAY,
        as_of=datetime(2027, 4, 10, 15, 30, 12, 987, tzinfo=UTC), customer=None, deal=None, invoices=invoices,
        subscriptions=[Subscription()], next_charge=None, contract_ends_on=None, problems=[],
        connections=[HUBSPOT, QUICKBOOKS], external_ids={},
    )  # fmt: skip
    return replace(base, **changes)


PROBLEM = Problem(sentence='"Platform" has no term.', customer_id=1, who="sales", action="Set it.", holds="It waits.")
PORTAL_WIDE = Problem(sentence="Odd.", who="admin", action="Mend it.", holds="All waits.")
LOST = Connection(provider="quickbooks", state=NEEDS_RECONNECT)
HUBSPOT_LOST = Connection(provider="hubspot", state=NEEDS_RECONNECT)
ON_ITS_WAY = an_invoice("approved", None)
CREDIT: dict[str, Any] = {"kind": "credit_note", "net_minor": -16_000, "total_minor": None}
TO_APPROVE = {"needs_person": ["Credits are always approved by a person."], **CREDIT}
PAID = an_invoice("paid", 0, paid_on=date(2027, 4, 5))


class TestSentence:
    @pytest.mark.parametrize(
        ("given", "text", "tone"),
        [
            (
                facts(late(3), connections=[HUBSPOT, LOST]),
                "QuickBooks has to be connected again; until then invoices wait.",
                "danger",
            ),
            (
                facts(connections=[HUBSPOT_LOST, QUICKBOOKS]),
                "HubSpot has to be connected again; until then invoices wait.",
                "danger",
            ),
            (facts(connections=[HUBSPOT]), "QuickBooks is not connected yet; invoices wait.", "warning"),
            (facts(late(1), problems=[PROBLEM]), "1,000.00 USD is overdue, the oldest by 1 day.", "danger"),
            (
                facts(late(40), late(2, 50_000), an_invoice()),
                "1,500.00 USD is overdue, the oldest by 40 days.",
                "danger",
            ),
            (
                facts(late(2), late(2, 7_000, currency="EUR")),
                "70.00 EUR and 1,000.00 USD is overdue, the oldest by 2 days.",
                "danger",
            ),
            (
                facts(waiting_draft(), problems=[PORTAL_WIDE, PROBLEM]),
                'Billing waits: "Platform" has no term.',
                "warning",
            ),
            (
                facts(an_invoice(), waiting_draft()),
                "An invoice over 1,000.00 USD waits for approval by finance.",
                "info",
            ),
            (
                facts(waiting_draft(), waiting_draft()),
                "2 invoices over 2,000.00 USD wait for approval by finance.",
                "info",
            ),
            (
                facts(PAID, an_invoice("draft", None, **TO_APPROVE)),
                "A credit of 160.00 USD waits for approval by finance.",
                "info",
            ),
            (
                facts(an_invoice("draft", None, **TO_APPROVE), an_invoice("draft", None, **TO_APPROVE)),
                "2 credits of 320.00 USD wait for approval by finance.",
                "info",
            ),
            (
                facts(waiting_draft(), an_invoice("draft", None, **TO_APPROVE)),
                "An invoice over 1,000.00 USD waits for approval by finance.",
                "info",
            ),
            (
                facts(PAID, an_invoice("approved", None, **CREDIT), next_charge=CHARGE),
                "Everything is paid. The next charge is 1,000.00 USD on 1 May 2027.",
                "success",
            ),
            (facts(an_invoice(), ON_ITS_WAY), "1,000.00 USD is open, due by 30 Apr 2027.", "info"),
            (
                facts(an_invoice("partly_paid", 40_000), an_invoice(due_on=date(2027, 4, 20))),
                "1,400.00 USD is open; 1,000.00 USD of it is due by 20 Apr 2027.",
                "info",
            ),
            (
                facts(PAID, ON_ITS_WAY, next_charge=CHARGE),
                "An invoice over 1,000.00 USD is on its way to QuickBooks.",
                "info",
            ),
            (
                facts(PAID, an_invoice("sending", None)),
                "An invoice over 1,000.00 USD is on its way to QuickBooks.",
                "info",
            ),
            (
                facts(PAID, next_charge=CHARGE),
                "Everything is paid. The next charge is 1,000.00 USD on 1 May 2027.",
                "success",
            ),
            (facts(PAID), "Everything is paid.", "success"),
            (facts(next_charge=CHARGE), "The first charge is 1,000.00 USD on 1 May 2027.", "info"),
            (
                facts(deal=Deal(state=BEFORE_GO_LIVE)),
                "This deal was won before Dealwright went live; finance decides whether to import it.",
                "neutral",
            ),
            (
                facts(deal=Deal(state="open"), subscriptions=[]),
                "Nothing is billed for this deal yet. Billing starts when a deal is won.",
                "neutral",
            ),
            (
                facts(subscriptions=[], connections=[]),
                "Nothing is billed for this company yet. Billing starts when a deal is won.",
                "neutral",
            ),
        ],
    )
    def test_tells_the_most_urgent_thing(self, given: Facts, text: str, tone: str) -> None:
        said = answer.sentence(given)

        assert (said.text, said.tone) == (text, tone)

    def test_says_nothing_of_a_draft_that_the_rule_will_approve_or_whose_day_has_not_come(self) -> None:
        coming = waiting_draft(scheduled_on=TODAY + timedelta(days=1))
        said = answer.sentence(facts(an_invoice("draft", None), coming, next_charge=CHARGE))

        assert said.text == "The first charge is 1,000.00 USD on 1 May 2027."

    def test_counts_no_voided_or_deleted_invoice(self) -> None:
        said = answer.sentence(facts(an_invoice("voided", 0), an_invoice("deleted", 0)))

        assert said.tone == "neutral"


class TestTotals:
    def test_are_kept_apart_per_currency_with_the_portals_own_first(self) -> None:
        given = facts(
            late(5, 30_000, currency="EUR"), an_invoice(), an_invoice("partly_paid", 1), late(1, 7, currency="AUD")
        )

        assert [(str(total.open), str(total.overdue)) for total in answer.totals(given)] == [
            ("1,000.01 USD", "0.00 USD"), ("0.07 AUD", "0.07 AUD"), ("300.00 EUR", "300.00 EUR"),
        ]  # fmt: skip

    def test_are_zero_in_the_portals_currency_when_nothing_is_in_the_ledger(self) -> None:
        (total,) = answer.totals(facts(waiting_draft(), ON_ITS_WAY))

        assert (str(total.open), str(total.overdue)) == ("0.00 USD", "0.00 USD")


class TestStatusWords:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("draft", "Draft"), ("approved", "Approved"), ("sending", "Being sent"), ("open", "Open"), ("sent", "Sent"),
            ("partly_paid", "Partly paid"), ("paid", "Paid"), ("voided", "Voided"), ("deleted", "Deleted"),
        ],
    )  # fmt: skip
    def test_are_those_of_people(self, state: str, words: str) -> None:
        assert answer.status_words(an_invoice(state), TODAY) == words

    @pytest.mark.parametrize(
        ("days", "words"), [(0, "Sent"), (1, "Sent, overdue by 1 day"), (45, "Sent, overdue by 45 days")]
    )
    def test_say_for_how_long_it_is_overdue(self, days: int, words: str) -> None:
        assert answer.status_words(late(days), TODAY) == words


class TestRisk:
    def test_is_low_without_a_reason(self) -> None:
        assert answer.risk(facts(an_invoice())).to_json() == {"score": 0, "level": "low", "reasons": []}

    def test_counts_days_and_share_of_what_is_overdue(self) -> None:
        found = answer.risk(facts(late(30, 60_000), late(3, 10_000), an_invoice("sent", 30_000)))

        assert found.reasons == ("An invoice is 30 days overdue.", "70% of the open amount is overdue.")
        assert found.level == "medium"

    def test_counts_payments_that_came_late_within_a_year(self) -> None:
        def paid(days_late: int, paid_on: date = date(2027, 3, 1)) -> Invoice:
            return an_invoice("paid", 0, paid_on=paid_on, due_on=paid_on - timedelta(days=days_late))

        found = answer.risk(facts(paid(20), paid(10), paid(0), paid(-5), paid(90, date(2026, 4, 9))))

        assert found.reasons == ("2 payments in the last 12 months came late, 15 days late on average.",)

    @pytest.mark.parametrize(
        ("ends", "score"),
        [(TODAY + timedelta(days=91), 0), (TODAY + timedelta(days=30), 50), (TODAY - timedelta(days=1), 70)],
    )
    def test_counts_a_contract_that_ends(self, ends: date, score: int) -> None:
        assert answer.risk(facts(contract_ends_on=ends)).score == score


class TestConnectionStates:
    def test_name_each_provider(self) -> None:
        assert answer.connection_states(facts(connections=[LOST])) == {
            "hubspot": "not_connected", "quickbooks": "needs_reconnect",
        }  # fmt: skip


class TestJson:
    def test_is_plain_values(self) -> None:
        given = facts(
            late(2), next_charge=CHARGE, problems=[PROBLEM], external_ids={1: "145"},
            contract_ends_on=date(2028, 2, 29),
        )  # fmt: skip

        assert answer.to_json(given, "https://books.example/app/invoice?txnId={id}") == {
            "status": {"text": "1,000.00 USD is overdue, the oldest by 2 days.", "tone": "danger"},
            "totals": [{"currency": "USD", "open": "1000.00", "overdue": "1000.00"}],
            "next_charge": {
                "date": "2027-05-01", "amount": "1000.00", "currency": "USD",
                "why": "10 x 100.00 a month, 1 May - 31 May 2027",
            },
            "invoices": [
                {
                    "kind": "invoice", "number": "1001", "date": "2027-04-01", "due": "2027-04-08", "total": "1000.00",
                    "balance": "1000.00", "currency": "USD", "status": "sent", "overdue": True,
                    "status_text": "Sent, overdue by 2 days", "url": "https://books.example/app/invoice?txnId=145",
                }
            ],
            "churn_risk": {
                "score": 25, "level": "low",
                "reasons": ["100% of the open amount is overdue.", "An invoice is 2 days overdue."],
            },
            "problems": [
                {"text": '"Platform" has no term.', "who": "sales", "action": "Set it.", "holds": "It waits."}
            ],
            "connections": {"hubspot": "connected", "quickbooks": "connected"},
            "as_of": "2027-04-10T15:30:12+00:00",
        }  # fmt: skip

    def test_shows_an_invoice_that_is_not_in_the_ledger_by_its_net(self) -> None:
        draft = an_invoice("draft", None, total_minor=None, issued_on=None, number=None, net_minor=12_345)
        (shown,) = answer.to_json(facts(draft), "x{id}")["invoices"]

        assert (shown["date"], shown["total"], shown["balance"]) == ("2027-04-01", "123.45", "123.45")
        assert (shown["url"], shown["number"]) == (None, None)


class TestCreditNote:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("draft", "Credit note, draft"), ("approved", "Credit note, to be issued in QuickBooks by hand"),
            ("voided", "Credit note, voided"),
        ],
    )  # fmt: skip
    def test_is_said_to_be_one(self, state: str, words: str) -> None:
        assert answer.status_words(an_invoice(state, None, **CREDIT), TODAY) == words

    def test_is_never_open_nor_a_balance(self) -> None:
        found = facts(an_invoice("approved", None, **CREDIT))
        (shown,) = answer.to_json(found, "{id}")["invoices"]

        assert (shown["kind"], shown["total"], shown["balance"]) == ("credit_note", "-160.00", "0.00")
        assert [total.open.minor for total in answer.totals(found)] == [0]
