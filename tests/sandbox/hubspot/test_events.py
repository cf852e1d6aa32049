"""Webhooks as the application receives them."""

from __future__ import annotations

import json
import time
from typing import Any

from sandbox.hubspot.model.events import FAST_RETRY_GAPS_S, RETRY_GAPS_S
from sandbox.hubspot.signing import sign_v1, sign_v3
from tests.sandbox.hubspot.client import ACME, ACME_DEAL, NORTHWIND, Client
from tests.sandbox.support import Receiver

DEALS = "/crm/objects/2026-09/deals"


def _events(receiver: Receiver, requests: int = 1) -> list[dict[str, Any]]:
    return [event for request in receiver.wait_for(requests) for event in json.loads(request.body)]


class TestEvents:
    def test_stage_change_has_the_fields_of_the_documentation(self, installed: Client, receiver: Receiver) -> None:
        installed.person_changes("deals", ACME_DEAL, dealstage="closedwon")

        stage, close = _events(receiver)
        known = {name: stage[name] for name in stage if name not in ("eventId", "subscriptionId", "occurredAt")}
        assert known == {
            "portalId": NORTHWIND,
            "appId": 771,
            "subscriptionType": "deal.propertyChange",
            "attemptNumber": 0,
            "objectId": int(ACME_DEAL),
            "propertyName": "dealstage",
            "propertyValue": "closedwon",
            "changeSource": "CRM_UI",
            "sourceId": "userId:501",
        }
        assert abs(stage["occurredAt"] - time.time() * 1000) < 60_000
        assert (close["propertyName"], close["propertyValue"].isdecimal()) == ("closedate", True)

    def test_changes_by_the_app_are_told_too(self, installed: Client, receiver: Receiver) -> None:
        installed.call("PATCH", f"{DEALS}/{ACME_DEAL}", {"properties": {"amount": ""}})

        event = _events(receiver)[0]
        assert (event["changeSource"], event["sourceId"], event["propertyValue"]) == ("INTEGRATION", "771", "")

    def test_creation_tells_no_property_change(self, installed: Client, receiver: Receiver) -> None:
        installed.call("POST", DEALS, {"properties": {"dealname": "x", "dealstage": "closedwon"}})

        assert [(event["subscriptionType"], event["changeFlag"]) for event in _events(receiver)] == [
            ("deal.creation", "NEW")
        ]

    def test_deletion_is_told(self, installed: Client, receiver: Receiver) -> None:
        installed.call("DELETE", f"{DEALS}/{ACME_DEAL}")

        assert [event["subscriptionType"] for event in _events(receiver)] == ["deal.deletion"]

    def test_line_items_are_told_and_never_as_their_deal(self, installed: Client, receiver: Receiver) -> None:
        installed.person_changes("line_items", "30200000001", quantity="12")

        events = _events(receiver)
        assert {event["subscriptionType"] for event in events} == {"line_item.propertyChange"}
        found = {event["propertyName"]: event["propertyValue"] for event in events}
        assert found == {"quantity": "12", "amount": "1200.00"}

    def test_association_is_told_once_for_each_subscribed_side(self, installed: Client, receiver: Receiver) -> None:
        line = {"properties": {"price": "1"}}
        line_id = installed.call("POST", "/crm/objects/2026-09/line_items", line).json()["id"]
        receiver.wait_for(1)
        path = f"/crm/objects/2026-09/line_items/{line_id}/associations/default/deals/{ACME_DEAL}"
        installed.call("PUT", path)

        events = json.loads(receiver.wait_for(2)[1].body)
        ends = {event["associationType"]: (event["fromObjectId"], event["toObjectId"]) for event in events}
        assert ends == {
            "LINE_ITEM_TO_DEAL": (int(line_id), int(ACME_DEAL)),
            "DEAL_TO_LINE_ITEM": (int(ACME_DEAL), int(line_id)),
        }
        assert {event["associationRemoved"] for event in events} == {False}

    def test_computed_and_unsubscribed_properties_are_silent(self, installed: Client, receiver: Receiver) -> None:
        installed.person_changes("companies", ACME, industry="Anvils", name="Acme Limited")

        assert [event["propertyName"] for event in _events(receiver)] == ["name"]

    def test_generic_form_names_the_type_of_the_record(self, installed: Client, receiver: Receiver) -> None:
        installed.control("subscriptions", {"form": "object", "properties": {"deal.propertyChange": ["dealname"]}})
        installed.person_changes("deals", ACME_DEAL, dealname="x", amount="1")

        event = _events(receiver)[0]
        names = ("subscriptionType", "objectTypeId", "propertyName", "isSensitive")
        assert [event[name] for name in names] == ["object.propertyChange", "0-3", "dealname", False]

    def test_accounts_without_the_app_send_nothing(self, hubspot: Client, receiver: Receiver) -> None:
        hubspot.person_changes("deals", ACME_DEAL, dealname="before the install")
        hubspot.install()
        hubspot.person_changes("deals", ACME_DEAL, dealname="with it")
        assert [event["propertyValue"] for event in _events(receiver)] == ["with it"]
        hubspot.control(f"portals/{NORTHWIND}/uninstall")
        hubspot.person_changes("deals", ACME_DEAL, dealname="after it")

        assert hubspot.parts.events.sender.wait_until_idle(2)
        time.sleep(0.1)  # Longer than events are gathered: what is not sent by now never is.
        assert len(receiver.requests) == 1


class TestDelivery:
    def test_bursts_travel_together_up_to_a_hundred(self, installed: Client, receiver: Receiver) -> None:
        inputs = [{"properties": {"dealname": str(number)}} for number in range(100)]
        installed.call("POST", f"{DEALS}/batch/create", {"inputs": inputs})
        installed.call("POST", DEALS, {"properties": {"dealname": "one more"}})

        sizes = sorted(len(json.loads(request.body)) for request in receiver.wait_for(2))
        assert sizes == [1, 100]

    def test_each_try_is_signed_anew_in_both_ways(self, installed: Client, receiver: Receiver) -> None:
        receiver.answers = [(500, b"")]
        installed.person_changes("deals", ACME_DEAL, dealname="x")

        first, second = receiver.wait_for(2)
        url = f"{receiver.origin}/webhooks/hubspot"
        for request in (first, second):
            timestamp = request.headers["x-hubspot-request-timestamp"]
            assert request.headers["x-hubspot-signature"] == sign_v1("secret-1", request.body)
            assert request.headers["x-hubspot-signature-version"] == "v1"
            made = sign_v3("secret-1", "POST", url, request.body, timestamp)
            assert request.headers["x-hubspot-signature-v3"] == made
        timestamps = [request.headers["x-hubspot-request-timestamp"] for request in (first, second)]
        assert timestamps[0] < timestamps[1]

    def test_retries_count_the_attempt_and_keep_the_event(self, installed: Client, receiver: Receiver) -> None:
        receiver.answers = [(404, b""), None]
        installed.person_changes("deals", ACME_DEAL, dealname="x")

        events = _events(receiver, 3)
        assert [event["attemptNumber"] for event in events] == [0, 1, 2]
        assert len({event["eventId"] for event in events}) == 1

    def test_ten_retries_over_a_day(self) -> None:
        assert (len(RETRY_GAPS_S), len(FAST_RETRY_GAPS_S)) == (10, 10)
        assert 20 * 3600 < sum(RETRY_GAPS_S) <= 24 * 3600

    def test_can_be_doubled_and_dropped(self, installed: Client, receiver: Receiver) -> None:
        installed.control("faults", {"match": {"operation": "webhook"}, "kind": "drop"})
        installed.control("faults", {"match": {"operation": "webhook"}, "kind": "duplicate"})
        installed.person_changes("deals", ACME_DEAL, dealname="lost")
        time.sleep(0.1)  # Longer than events are gathered, so that the next is a request of its own.
        installed.person_changes("deals", ACME_DEAL, dealname="twice")

        assert [event["propertyValue"] for event in _events(receiver, 2)] == ["twice", "twice"]
