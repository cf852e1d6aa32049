"""Every way in which a call of QuickBooks can fail, and what each means."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.core.db import db
from app.core.outcome import FailureKind, Outcome, Rejected
from app.integrations.quickbooks import session
from app.integrations.quickbooks.accounting import QuickBooksLedger
from app.ports import LedgerAccount
from tests.app.integrations.conftest import TIMEOUTS
from tests.app.integrations.faults import HELD_S, HTML, rejected, told
from tests.app.integrations.ledger_calls import (
    create,
    make_customer,
    order,
    request,
)
from tests.sandbox.quickbooks.harness import DE, US, StandIn
from tests.sandbox.support import receiving


def fault(code: str, message: str = "Something", detail: str = "") -> dict[str, Any]:
    return {
        "Fault": {"Error": [{"Message": message, "Detail": detail, "code": code}], "type": "ValidationFault"},
        "time": "x",
    }


Call = Callable[[QuickBooksLedger, LedgerAccount, str], Outcome]
WRITE: Call = lambda ledger, account, customer: create(ledger, account, request(ledger, customer))  # noqa: E731  # a table's entry
READ: Call = lambda ledger, account, customer: ledger.read_invoice(account, "145")  # noqa: E731  # the same


class TestFaults:
    @pytest.mark.parametrize(("operation", "call"), [("invoice.create", WRITE), ("invoice.read", READ)])
    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ({"status": 401}, ("rejected", FailureKind.EXPIRED)),
            (
                {"status": 403, "body": fault("3100", "ApplicationAuthorizationFailed")},
                ("rejected", FailureKind.REVOKED),
            ),
            ({"status": 400, "body": fault("003100")}, ("rejected", FailureKind.REVOKED)),
            ({"status": 429}, ("rejected", FailureKind.THROTTLED)),
            ({"status": 429, "body": "<?xml version='1.0'?><IntuitResponse/>"}, ("rejected", FailureKind.THROTTLED)),
            ({"status": 400, "body": fault("3001", "ThrottleExceeded")}, ("rejected", FailureKind.THROTTLED)),
            ({"status": 200, "body": fault("6240", "Duplicate Name")}, ("rejected", FailureKind.REJECTED)),
            ({"status": 200, "body": fault("3100")}, ("rejected", FailureKind.REVOKED)),
            ({"status": 400, "body": fault("6210")}, ("rejected", FailureKind.REJECTED)),
            ({"status": 400, "body": fault("")}, ("rejected", FailureKind.REJECTED)),
            (
                {"status": 400, "body": fault("6000", "business", "An unexpected error occurred")},
                ("rejected", FailureKind.TRANSIENT),
            ),
            ({"status": 400, "body": fault("10000")}, ("unknown", None)),
            ({"status": 500, "body": fault("6240")}, ("unknown", None)),
            ({"status": 500}, ("unknown", None)),
            ({"status": 502, "body": HTML}, ("unknown", None)),
            ({"status": 503}, ("unknown", None)),
            ({"status": 504, "body": HTML}, ("unknown", None)),
            ({"status": 408}, ("unknown", None)),
            ({"status": 400, "body": HTML}, ("unknown", None)),
            ({"status": 200, "body": HTML}, ("unknown", None)),
            ({"status": 200, "body": "[]"}, ("unknown", None)),
            ({"status": 200, "body": {}}, ("unknown", None)),
            ({"status": 200, "body": {"Fault": {}}}, ("unknown", None)),
            ({"kind": "close_before"}, ("unknown", None)),
            ({"kind": "close_after"}, ("unknown", None)),
            ({"kind": "hang_before", "seconds": HELD_S}, ("unknown", None)),
        ],
    )
    def test_have_their_outcome(
        self,
        ledger: QuickBooksLedger,
        account: LedgerAccount,
        quickbooks: StandIn,
        customer: str,
        operation: str,
        call: Call,
        rule: dict[str, Any],
        expected: tuple[str, FailureKind | None],
    ) -> None:
        order(quickbooks, operation, **rule)

        assert told(call(ledger, account, customer)) == expected

    @pytest.mark.parametrize(("header", "wait_s"), [("7", 7), ("soon", None), (None, None)])
    def test_of_throttling_say_when_to_come_back(
        self,
        ledger: QuickBooksLedger,
        account: LedgerAccount,
        quickbooks: StandIn,
        header: str | None,
        wait_s: float | None,
    ) -> None:
        order(quickbooks, "invoice.read", status=429, headers={"Retry-After": header} if header else {})

        assert rejected(ledger.read_invoice(account, "145")).retry_after_s == wait_s

    def test_of_a_token_that_ended_are_expired(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn
    ) -> None:
        quickbooks.control("tokens", realm_id=US, end="access")

        assert rejected(ledger.read_invoice(account, "145")).kind is FailureKind.EXPIRED

    def test_of_another_companys_token_are_a_revocation(self, ledger: QuickBooksLedger, account: LedgerAccount) -> None:
        outcome = rejected(ledger.read_invoice(replace(account, realm_id=DE), "145"))

        assert (outcome.kind, outcome.code) == (FailureKind.REVOKED, "3100")

    def test_of_a_refused_connection_are_transient(self, account: LedgerAccount) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            ledger = QuickBooksLedger(f"http://127.0.0.1:{nobody.getsockname()[1]}", TIMEOUTS)

            assert ledger.read_invoice(account, "145") == Rejected(
                FailureKind.TRANSIENT, "QuickBooks can't be reached.", "unreachable"
            )
            assert told(create(ledger, account, request(ledger, "58"))) == ("rejected", FailureKind.TRANSIENT)

    def test_never_show_the_token(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn, caplog: pytest.LogCaptureFixture
    ) -> None:
        texts = []
        with caplog.at_level("DEBUG"):
            for rule in ({"status": 401}, {"status": 403}, {"status": 500}, {"kind": "close_before"}):
                order(quickbooks, "invoice.read", **rule)
                texts.append(repr(ledger.read_invoice(account, "145")))

        assert account.access_token not in "".join([*texts, caplog.text])


class TestHost:
    def test_other_than_the_apis_is_refused_before_anything_leaves(
        self, quickbooks: StandIn, account: LedgerAccount
    ) -> None:
        with receiving() as other:
            qb = session.client(quickbooks.base, account, TIMEOUTS)
            with pytest.raises(session.WrongHost):
                qb.get(f"{other.origin}/v3/company/1/invoice/1")

            assert other.requests == []

    def test_is_not_left_by_a_redirect(
        self, ledger: QuickBooksLedger, account: LedgerAccount, quickbooks: StandIn
    ) -> None:
        with receiving() as other:
            order(quickbooks, "invoice.read", status=302, headers={"Location": f"{other.origin}/steal"}, body="")

            assert told(ledger.read_invoice(account, "145")) == ("unknown", None)
            assert other.requests == []


class TestTransaction:
    def test_that_is_open_refuses_every_call(self, ledger: QuickBooksLedger, account: LedgerAccount) -> None:
        db.session().begin()
        every: list[Callable[[], Outcome]] = [
            lambda: ledger.company(account),
            lambda: ledger.find_customers(account, "Acme"),
            lambda: make_customer(ledger, account),
            lambda: ledger.create_item(account, ledger.item_request("A", "79"), "r", look_first=False),
            lambda: create(ledger, account, request(ledger, "58")),
            lambda: ledger.send_invoice(account, "1", "a@b.example", "r", look_first=True),
            lambda: ledger.read_invoice(account, "1"),
            lambda: ledger.read_payment(account, "1"),
        ]
        for call in every:
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                call()
