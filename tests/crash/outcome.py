"""What must be true of every case at its end, whatever happened on the way: stated once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.crash.harness import LOOK, STEPS, UNKNOWN_WAIT_S, WRITE, Case, Ground

# Faults before which the stand-in did the work, whether or not it said so.
_WORKED = (None, "after", "hang_after", "close_after", "slow")
_REFUSED = (401, 403, 429)


def assert_exactly_once(ground: Ground, case: Case) -> None:
    """One customer, its items, one invoice and one mail are in QuickBooks' books; our rows know them; nothing is open.

    And on the way there nothing was repeated blindly: see `blind_repeats`.
    """
    items = ground.rows("SELECT id, name FROM ledger_item WHERE portal_id = %s", case.portal_id)
    case.item_names = {str(row["id"]): row["name"] for row in items}
    wrong = [*_books(ground, case), *_rows(ground, case), *blind_repeats(case, ground.journal(case))]
    assert not wrong, "\n".join([*wrong, "", *_story(ground, case)])


def _books(ground: Ground, case: Case) -> list[str]:
    books = ground.books(case)
    customers = [one for one in books["customers"] if one["DisplayName"] == case.customer]
    items = sorted(one["Name"] for one in books["items"] if one["Name"] in case.items)
    mine = [one for one in books["invoices"] if one["CustomerRef"]["name"] == case.customer]
    mails = [(mail["id"], mail["to"]) for mail in books["mails"] if mail["customer"] == case.customer]
    wrong = [] if len(customers) == 1 else [f"{len(customers)} customers in the books"]
    wrong += [] if items == sorted(case.items) else [f"items in the books: {items}"]
    if len(mine) != 1:
        return [*wrong, f"{len(mine)} invoices in the books"]
    if round(mine[0]["TotalAmt"] * 100) != case.net_minor:
        wrong.append(f"the invoice in the books is over {mine[0]['TotalAmt']}")
    return wrong if mails == [(mine[0]["Id"], case.email)] else [*wrong, f"mails sent: {mails}"]


def _rows(ground: Ground, case: Case) -> list[str]:
    """Compare our rows with the books: links, the invoice's state and figures, no work left and no problem open."""
    books, portal = ground.books(case), case.portal_id
    theirs = {
        ("customer", one["Id"]) for one in books["customers"] if one["DisplayName"] == case.customer
    } | {("item", one["Id"]) for one in books["items"] if one["Name"] in case.items}  # fmt: skip
    mine = [one for one in books["invoices"] if one["CustomerRef"]["name"] == case.customer]
    numbers = [(one["Id"], one["DocNumber"]) for one in mine]
    theirs |= {("invoice", external_id) for external_id, _ in numbers}
    refs = ground.rows("SELECT resource, external_id FROM external_ref WHERE portal_id = %s", portal)
    ours = [(row["resource"], row["external_id"]) for row in refs]
    wrong = [] if sorted(ours) == sorted(theirs) else [f"we know {sorted(ours)}, the books have {sorted(theirs)}"]
    invoices = ground.rows("SELECT state, number, total_minor, mailed_at FROM invoice WHERE portal_id = %s", portal)
    have = [(i["state"], i["number"], i["total_minor"], i["mailed_at"] is not None) for i in invoices]
    want = [("sent", number, case.net_minor, True) for _, number in numbers]
    wrong += [] if have == want else [f"our invoice is {have}, and should be {want}"]
    settled = ground.rows("SELECT charged_minor FROM billed_entry WHERE portal_id = %s AND released_at IS NULL", portal)
    if sum(row["charged_minor"] for row in settled) != case.net_minor or len(settled) != len(case.items):
        wrong.append(f"settled: {settled}")
    for row in ground.rows("SELECT * FROM work WHERE portal_id = %s", portal):
        if row["state"] == "parked" or (row["kind"] in STEPS and (row["state"] != "done" or row["outcome_unknown"])):
            wrong.append(f"{row['kind']} {row['subject']} is {row['state']}: {row['last_error']}")
    problems = ground.rows("SELECT sentence FROM problem WHERE portal_id = %s AND closed_at IS NULL", portal)
    return wrong + [f"open problem: {problem['sentence']}" for problem in problems]


def blind_repeats(case: Case, calls: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the journal has against us: a write repeated though it was done, unlike the first, without a look

    for its result, or before the wait was over. `case.unknown` says when sends of unknown outcome began.
    """
    wrong = []
    for step in STEPS:
        looks = [call for call in calls if call["operation"] == LOOK[step]]
        for name, writes in _by_record([call for call in calls if call["operation"] == WRITE[step]]).items():
            # An item's unknown outcome says nothing about another item's sends.
            began = [
                at
                for kind, subject, at in case.unknown
                if kind == step and (kind != "quickbooks.item" or case.item_names[subject] == name)
            ]
            wrong += [f"{step}: {what}" for what in (*_repeats(writes, looks), *_too_early(began, writes, looks))]
    return wrong


def _by_record(writes: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Group a step's writes by the record they make; all of a case's are of one, but for its items."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for call in writes:
        body = call["request_body"]
        name = str(body.get("Name", "")) if isinstance(body, dict) else ""
        grouped.setdefault(name, []).append(call)
    return grouped


def _repeats(writes: Sequence[dict[str, Any]], looks: Sequence[dict[str, Any]]) -> list[str]:
    wrong = []
    for earlier, later in pairwise(writes):
        if later["request_id"] != earlier["request_id"] or not later["request_id"]:
            wrong.append("a repetition came under another request id")
        if later["request_body"] != earlier["request_body"]:
            wrong.append("a repetition had other bytes")
        if earlier["fault"] in _WORKED and earlier["status"] in (None, 200, 500):
            wrong.append("it was sent again though QuickBooks had done it")
        elif earlier["status"] not in _REFUSED and not any(earlier["n"] < look["n"] < later["n"] for look in looks):
            wrong.append("it was sent again without looking first")
    return wrong


def _too_early(
    unknown: Sequence[datetime], writes: Sequence[dict[str, Any]], looks: Sequence[dict[str, Any]]
) -> list[str]:
    """Between the beginning of a send of unknown outcome and the end of its wait there is that send and no other."""
    wrong = []
    for began in unknown:
        over = began + timedelta(seconds=UNKNOWN_WAIT_S)
        if len([call for call in writes if _floor(began) <= call["instant"] < _floor(over)]) > 1:
            wrong.append(f"sent again within {UNKNOWN_WAIT_S} s of a send of unknown outcome")
        after = [call for call in writes if call["instant"] >= over]
        if after and not any(_floor(over) <= look["instant"] <= after[0]["instant"] for look in looks):
            wrong.append("sent after an unknown outcome without looking once the wait was over")
    return wrong


def _floor(instant: datetime) -> datetime:
    """The journal's instants are whole milliseconds."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _story(ground: Ground, case: Case) -> list[str]:
    """Return what happened, for the person who reads a failure."""
    calls = [
        f"{call['at']} {call['operation']} {call['status']} {call['fault'] or ''} {call['request_id'][:8]}"
        for call in ground.journal(case)
    ]
    rows = [
        f"{row['kind']} {row['subject']} {row['state']} attempts {row['attempts']} {row['last_error'] or ''}"
        for row in ground.rows("SELECT * FROM work WHERE portal_id = %s ORDER BY id", case.portal_id)
    ]
    return [*calls, *rows, *(f"unknown: {kind} {subject} {began}" for kind, subject, began in sorted(case.unknown))]
