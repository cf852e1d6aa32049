"""Deals read whole through HubSpot's own client, and every way in which that can fail."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from app.core.db import db
from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown
from app.integrations.hubspot import transport
from app.integrations.hubspot.crm import HubSpotCrm
from app.ports import AccountDetails, CrmDeal, CrmStage
from tests.app.integrations.conftest import TIMEOUTS
from tests.app.integrations.faults import HELD_S, HTML, rejected, told, value
from tests.sandbox.hubspot.client import ACME, ACME_DEAL, NORTHWIND, Client
from tests.sandbox.support import Receiver, receiving

DEAL = int(ACME_DEAL)
DEALS, LINES, COMPANIES = (
    "/crm/objects/2026-09/deals/*",
    "/crm/objects/2026-09/line_items/batch/read",
    "/crm/objects/2026-09/companies/*",
)
CONTACTS, PIPELINES = "/crm/objects/2026-09/contacts/batch/read", "/crm/pipelines/2026-09/deals"
ASSOCIATED = "/crm/associations/2026-09/deals/*/batch/read"
EVERY_CALL = [DEALS, ASSOCIATED, LINES, COMPANIES, CONTACTS, PIPELINES]


def read(crm: HubSpotCrm, hubspot: Client, deal_id: int = DEAL) -> CrmDeal:
    found = value(crm.read_deal(hubspot.token, deal_id))
    assert isinstance(found, CrmDeal)
    return found


def order(hubspot: Client, path: str, kind: str = "before", **rule: Any) -> None:
    """Order a fault for the next call of a path."""
    assert hubspot.control("faults", {"match": {"path": path}, "kind": kind, **rule}).ok


def create(hubspot: Client, kind: str, properties: dict[str, str], *associations: dict[str, Any]) -> str:
    body = {"hub_id": NORTHWIND, "type": kind, "properties": properties, "associations": list(associations)}
    answer = hubspot.control("objects", body)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


class TestReadDeal:
    def test_reads_properties_stage_company_and_contacts(self, crm: HubSpotCrm, hubspot: Client) -> None:
        deal = read(crm, hubspot)

        assert deal.id == DEAL
        assert (deal.properties["dealname"], deal.properties["dealtype"]) == ("Acme - Platform", "newbusiness")
        assert deal.properties["hs_is_closed_won"] == "false"
        assert deal.stage == CrmStage("contractsent", "default", "Contract Sent", False, "0.9")
        assert deal.company is not None
        assert (deal.company["name"], deal.company["hs_object_id"]) == ("Acme Inc", ACME)
        assert (deal.company_ids, deal.primary_company_ids) == ((ACME,), (ACME,))
        assert [contact["email"] for contact in deal.contacts] == ["billing@acme.example"]
        assert all(str(contact["hs_object_id"]).isdigit() for contact in deal.contacts)

    def test_reads_line_items_as_text(self, crm: HubSpotCrm, hubspot: Client) -> None:
        platform, setup = read(crm, hubspot).lines

        assert (platform.properties["name"], platform.properties["price"]) == ("Platform seat", "100.00")
        assert platform.properties["recurringbillingfrequency"] == "monthly"
        assert platform.properties["hs_recurring_billing_period"] == "P12M"
        assert setup.properties["recurringbillingfrequency"] in (None, "")
        assert platform.properties["hs_tax_rate_group_id"] is None

    def test_puts_lines_in_the_order_of_the_quote_and_the_rest_behind(self, crm: HubSpotCrm, hubspot: Client) -> None:
        first, second = (line.id for line in read(crm, hubspot).lines)
        create(hubspot, "line_items", {"name": "No place", "price": "1"}, {"to_type": "deals", "to_id": ACME_DEAL})
        hubspot.person_changes("line_items", first, hs_position_on_quote="10")
        hubspot.person_changes("line_items", second, hs_position_on_quote="9")

        names = [line.properties["name"] for line in read(crm, hubspot).lines]
        assert names == ["Set-up", "Platform seat", "No place"]

    def test_reads_the_won_stage_of_a_pipeline_whose_ids_are_numbers(self, crm: HubSpotCrm, hubspot: Client) -> None:
        hubspot.person_changes("deals", ACME_DEAL, pipeline="75283014", dealstage="148302214")
        deal = read(crm, hubspot)

        assert deal.stage == CrmStage("148302214", "75283014", "Signed", True, "1.0")
        assert deal.properties["hs_is_closed_won"] == "true"

    def test_takes_the_primary_of_several_companies(self, crm: HubSpotCrm, hubspot: Client) -> None:
        link = {"to_type": "deals", "to_id": ACME_DEAL}
        other = create(hubspot, "companies", {"name": "Partner Ltd"}, link)
        deal = read(crm, hubspot)

        assert set(deal.company_ids) == {ACME, other}
        assert deal.primary_company_ids == (ACME,)
        assert deal.company is not None
        assert deal.company["name"] == "Acme Inc"

    def test_finds_a_deal_with_nothing_on_it(self, crm: HubSpotCrm, hubspot: Client) -> None:
        bare = create(hubspot, "deals", {"dealname": "Bare", "pipeline": "default", "dealstage": "contractsent"})
        deal = read(crm, hubspot, int(bare))

        assert (deal.lines, deal.company, deal.company_ids, deal.contacts) == ((), None, (), ())

    def test_reads_more_than_a_hundred_line_items(self, crm: HubSpotCrm, hubspot: Client) -> None:
        for n in range(101):
            create(hubspot, "line_items", {"name": f"L{n}", "price": "1"}, {"to_type": "deals", "to_id": ACME_DEAL})

        assert len(read(crm, hubspot).lines) == 103

    def test_answers_none_for_a_deal_that_is_not_there(self, crm: HubSpotCrm, hubspot: Client) -> None:
        assert crm.read_deal(hubspot.token, 1) == Done(None)

    def test_answers_none_for_a_deal_that_was_deleted(self, crm: HubSpotCrm, hubspot: Client) -> None:
        assert hubspot.control(f"objects/{NORTHWIND}/deals/{ACME_DEAL}", {"archived": True}).ok

        assert crm.read_deal(hubspot.token, DEAL) == Done(None)

    def test_calls_dated_paths_only(self, crm: HubSpotCrm, hubspot: Client) -> None:
        since = hubspot.http.get(f"{hubspot.url}/_sandbox/journal").json()["next"]
        read(crm, hubspot)
        crm.account(hubspot.token)
        calls = hubspot.http.get(f"{hubspot.url}/_sandbox/journal", params={"since": since}).json()["calls"]

        assert len(calls) == 9
        assert [call["path"] for call in calls if not re.search(r"/2026-09(/|$)", call["path"])] == []
        assert {call["status"] for call in calls} == {200}


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (400, ("rejected", FailureKind.REJECTED)), (401, ("rejected", FailureKind.EXPIRED)),
            (403, ("rejected", FailureKind.REJECTED)), (423, ("rejected", FailureKind.TRANSIENT)),
            (429, ("rejected", FailureKind.THROTTLED)), (477, ("rejected", FailureKind.THROTTLED)),
            (500, ("unknown", None)), (502, ("unknown", None)), (503, ("unknown", None)), (504, ("unknown", None)),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("path", [DEALS, LINES])
    def test_of_each_status_have_their_outcome(
        self, crm: HubSpotCrm, hubspot: Client, path: str, status: int, expected: tuple[str, FailureKind | None]
    ) -> None:
        order(hubspot, path, status=status)

        assert told(crm.read_deal(hubspot.token, DEAL)) == expected
        assert told(crm.read_deal(hubspot.token, DEAL)) == ("done", None)

    @pytest.mark.parametrize("path", EVERY_CALL)
    @pytest.mark.parametrize(
        ("kind", "rule", "expected"),
        [
            ("before", {"status": 500}, ("unknown", None)),
            ("before", {"status": 401}, ("rejected", FailureKind.EXPIRED)),
            ("before", {"status": 200, "body": HTML}, ("unknown", None)),
            ("before", {"status": 502, "body": HTML}, ("unknown", None)),
            ("before", {"status": 200, "body": {}}, ("unknown", None)),
            ("close_before", {}, ("unknown", None)),
            ("close_after", {}, ("unknown", None)),
        ],
    )
    def test_of_each_call_have_their_outcome(
        self,
        crm: HubSpotCrm,
        hubspot: Client,
        path: str,
        kind: str,
        rule: Any,
        expected: tuple[str, FailureKind | None],
    ) -> None:
        order(hubspot, path, kind, **rule)

        assert told(crm.read_deal(hubspot.token, DEAL)) == expected

    @pytest.mark.parametrize("path", [path for path in EVERY_CALL if path != DEALS])
    def test_of_404_behind_the_deal_never_mean_that_the_deal_is_gone(
        self, crm: HubSpotCrm, hubspot: Client, path: str
    ) -> None:
        order(hubspot, path, status=404)

        assert told(crm.read_deal(hubspot.token, DEAL)) != ("done", None)

    @pytest.mark.parametrize("path", [DEALS, LINES])
    @pytest.mark.parametrize("kind", ["hang_before", "hang_after"])
    def test_of_a_time_out_are_unknown(self, crm: HubSpotCrm, hubspot: Client, path: str, kind: str) -> None:
        order(hubspot, path, kind, seconds=HELD_S)
        outcome = crm.read_deal(hubspot.token, DEAL)

        assert isinstance(outcome, Unknown)
        assert outcome.reason.startswith("HubSpot did not answer")

    @pytest.mark.parametrize(
        ("status", "headers", "wait_s"),
        [
            (429, {"Retry-After": "7"}, 7),
            (429, {}, 10),
            (429, {"Retry-After": "soon"}, 10),
            (477, {"Retry-After": "90"}, 90),
            (477, {}, 3600),
            (423, {}, 3),
        ],
    )
    def test_say_when_to_come_back(
        self, crm: HubSpotCrm, hubspot: Client, status: int, headers: dict[str, str], wait_s: float
    ) -> None:
        order(hubspot, DEALS, status=status, headers=headers)

        assert rejected(crm.read_deal(hubspot.token, DEAL)).retry_after_s == wait_s

    @pytest.mark.parametrize("path", [LINES, CONTACTS])
    def test_of_207_with_errors_make_the_answer_unusable(self, crm: HubSpotCrm, hubspot: Client, path: str) -> None:
        partial = {
            "status": "COMPLETE",
            "results": [],
            "numErrors": 1,
            "startedAt": "2027-03-01T00:00:00Z",
            "completedAt": "2027-03-01T00:00:01Z",
            "errors": [
                {
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "message": "Could not get some",
                    "errors": [],
                    "context": {},
                    "links": {},
                }
            ],
        }
        order(hubspot, path, status=207, body=partial)

        assert told(crm.read_deal(hubspot.token, DEAL)) == ("unknown", None)

    def test_of_a_line_that_left_between_two_calls_are_read_again(self, crm: HubSpotCrm, hubspot: Client) -> None:
        short = {
            "status": "COMPLETE",
            "results": [],
            "startedAt": "2027-03-01T00:00:00Z",
            "completedAt": "2027-03-01T00:00:01Z",
        }
        order(hubspot, LINES, status=200, body=short)

        assert told(crm.read_deal(hubspot.token, DEAL)) == ("unknown", None)

    def test_of_association_errors_other_than_none_found_are_unknown(self, crm: HubSpotCrm, hubspot: Client) -> None:
        partial = {
            "status": "COMPLETE",
            "results": [],
            "numErrors": 1,
            "startedAt": "2027-03-01T00:00:00Z",
            "completedAt": "2027-03-01T00:00:01Z",
            "errors": [
                {
                    "status": "error",
                    "category": "INTERNAL_ERROR",
                    "message": "odd",
                    "errors": [],
                    "context": {},
                    "links": {},
                }
            ],
        }
        order(hubspot, ASSOCIATED, status=207, body=partial)

        assert told(crm.read_deal(hubspot.token, DEAL)) == ("unknown", None)

    def test_of_an_expired_token_say_so(self, crm: HubSpotCrm, hubspot: Client) -> None:
        hubspot.parts.tokens.expire(NORTHWIND)

        assert rejected(crm.read_deal(hubspot.token, DEAL)).kind is FailureKind.EXPIRED

    def test_of_a_refused_connection_are_transient(self, hubspot: Client) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            crm = HubSpotCrm(f"http://127.0.0.1:{nobody.getsockname()[1]}", TIMEOUTS)
            outcome = crm.read_deal(hubspot.token, DEAL)

            assert outcome == Rejected(FailureKind.TRANSIENT, "HubSpot can't be reached.", "unreachable")
            assert crm.account(hubspot.token) == outcome

    def test_never_show_the_token(self, crm: HubSpotCrm, hubspot: Client, caplog: pytest.LogCaptureFixture) -> None:
        texts = []
        with caplog.at_level("DEBUG"):
            for status in (400, 401, 403, 500):
                order(hubspot, DEALS, status=status)
                texts.append(repr(crm.read_deal(hubspot.token, DEAL)))

        assert hubspot.token not in "".join([*texts, caplog.text])


class TestHost:
    def test_other_than_the_apis_is_refused_before_anything_leaves(self, hubspot: Client) -> None:
        with receiving() as other:
            sdk = transport.client(hubspot.url, hubspot.token, TIMEOUTS)
            send = sdk.crm.deals.basic_api.api_client.rest_client.request
            with pytest.raises(transport.WrongHost):
                send("GET", f"{other.origin}/crm/v3/objects/deals/1")

            assert other.requests == []

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_is_not_left_by_a_redirect(self, crm: HubSpotCrm, hubspot: Client, status: int) -> None:
        other: Receiver
        with receiving() as other:
            order(hubspot, DEALS, status=status, headers={"Location": f"{other.origin}/steal"}, body="")

            assert told(crm.read_deal(hubspot.token, DEAL)) == ("unknown", None)
            assert other.requests == []


class TestTransaction:
    def test_that_is_open_refuses_the_call(self, crm: HubSpotCrm, hubspot: Client) -> None:
        db.session().begin()
        calls: list[Callable[[], Outcome]] = [
            lambda: crm.read_deal(hubspot.token, DEAL),
            lambda: crm.account(hubspot.token),
        ]
        for call in calls:
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                call()


class TestAccount:
    def test_is_read(self, crm: HubSpotCrm, hubspot: Client) -> None:
        details = value(crm.account(hubspot.token))

        assert isinstance(details, AccountDetails)
        assert (details.hub_id, details.timezone, details.currency) == (NORTHWIND, "America/New_York", "USD")
        assert details.account_type == "STANDARD"

    @pytest.mark.parametrize(
        ("kind", "rule"),
        [
            ("before", {"status": 401}), ("before", {"status": 500}), ("before", {"status": 200, "body": HTML}),
            ("before", {"status": 200, "body": {"portalId": None}}), ("before", {"status": 200, "body": [1]}),
            ("close_before", {}), ("hang_before", {"seconds": HELD_S}),
        ],
    )  # fmt: skip
    def test_is_unknown_when_it_cannot_be_read(
        self, crm: HubSpotCrm, hubspot: Client, kind: str, rule: dict[str, Any]
    ) -> None:
        order(hubspot, "/account-info/*", kind, **rule)

        assert told(crm.account(hubspot.token)) == ("unknown", None)


@pytest.mark.parametrize(
    ("given", "dated"),
    [
        ("https://api.hubapi.com/crm/v3/objects/deals/7?properties=a", "https://api.hubapi.com/crm/objects/2026-09/deals/7?properties=a"),
        ("https://api.hubapi.com/crm/v4/associations/deals/companies/batch/read", "https://api.hubapi.com/crm/associations/2026-09/deals/companies/batch/read"),
        ("https://api.hubapi.com/crm/v3/pipelines/deals", "https://api.hubapi.com/crm/pipelines/2026-09/deals"),
        ("https://api.hubapi.com/crm/objects/2026-09/deals/7", "https://api.hubapi.com/crm/objects/2026-09/deals/7"),
    ],
)  # fmt: skip
def test_undated_paths_become_dated(given: str, dated: str) -> None:
    assert transport.dated(given) == dated
