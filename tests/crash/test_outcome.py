"""A bug would be seen: what the matrix asserts of its cases is not true of books and journals with one planted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.crash.harness import UNKNOWN_WAIT_S, WRITE, Case, Ground
from tests.crash.outcome import assert_exactly_once, blind_repeats

Calls = list[dict[str, Any]]


@pytest.fixture(scope="module")
def repeated(ground: Ground) -> tuple[Case, Calls]:
    """A case whose invoice and mail were sent twice, each because nothing was done the first time; and its journal."""
    ground.control("quickbooks", "settings", requestid="forget")
    case = ground.case()
    ground.fault(case, "invoice.create", "close_before")
    ground.fault(case, "invoice.send", "close_before")
    ground.win(case)
    ground.settle(case)
    assert_exactly_once(ground, case)
    calls = ground.journal(case)
    assert len(_of(calls, "invoice.create")) == len(_of(calls, "invoice.send")) == 2
    return case, calls


def _of(calls: Calls, operation: str) -> Calls:
    return [call for call in calls if call["operation"] == operation]


def _without_look(calls: Calls) -> Calls:
    return [call for call in calls if call["operation"] not in ("invoice.query", "invoice.read")]


def _too_early(calls: Calls) -> Calls:
    for call in calls:
        if call["operation"] != "invoice.read" and call["n"] > _of(calls, "invoice.create")[0]["n"]:
            call["instant"] -= timedelta(seconds=UNKNOWN_WAIT_S / 2)
    return calls


def _other_id(calls: Calls) -> Calls:
    _of(calls, "invoice.create")[1]["request_id"] = "another"
    return calls


def _other_bytes(calls: Calls) -> Calls:
    _of(calls, "invoice.create")[1]["request_body"] = {"TxnDate": "2027-01-01"}
    return calls


def _done_before(calls: Calls) -> Calls:
    _of(calls, "invoice.send")[0]["fault"] = "hang_after"
    return calls


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (_without_look, "without looking"), (_too_early, "of a send of unknown outcome"),
        (_other_id, "another request id"), (_other_bytes, "other bytes"), (_done_before, "QuickBooks had done it"),
    ],
)  # fmt: skip
def test_blind_repeats_are_told(repeated: tuple[Case, Calls], plant: Callable[[Calls], Calls], said: str) -> None:
    case, calls = repeated
    assert blind_repeats(case, calls) == []
    assert any(said in wrong for wrong in blind_repeats(case, plant(copy.deepcopy(calls))))


def test_a_second_invoice_in_the_books_is_told(ground: Ground) -> None:
    case = ground.case()
    ground.win(case)
    ground.settle(case)
    assert_exactly_once(ground, case)
    first = ground.journal(case, WRITE["quickbooks.invoice"])[0]
    token = ground.access_token(case)
    requests.post(
        f"{ground.stack.url('quickbooks')}{first['path']}?minorversion=75", json=first["request_body"], timeout=10,
        headers={"Authorization": f"Bearer {token}"},
    ).raise_for_status()  # fmt: skip
    with pytest.raises(AssertionError, match="2 invoices in the books"):
        assert_exactly_once(ground, case)
