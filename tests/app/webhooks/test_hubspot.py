"""HubSpot's door: signed batches become evidence and wanted deals; nothing else gets in."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.db import db, transaction
from app.core.work import Work
from app.inbox.models import InboxEvent
from tests.app.core.planted import connect_hubspot, plant_deal, wanted
from tests.app.core.signed import ORIGIN, hubspot_headers, now_ms, post_hubspot_events, send_signed
from tests.conftest import APP_ID, Tenant

READ_DEAL = "hubspot.read_deal"
_numbers = itertools.count(1)


@pytest.fixture
def client(shared_app: Flask) -> FlaskClient:
    return shared_app.test_client()


@pytest.fixture
def portal(shared_app: Flask, tenant: Tenant) -> Tenant:
    """A portal that is connected to HubSpot."""
    with shared_app.app_context():
        connect_hubspot(shared_app, tenant.id, tenant.hub_id)
    return tenant


@pytest.fixture
def other(shared_app: Flask, other_tenant: Tenant) -> Tenant:
    """Another portal that is connected to HubSpot."""
    with shared_app.app_context():
        connect_hubspot(shared_app, other_tenant.id, other_tenant.hub_id)
    return other_tenant


def event(
    portal: Tenant, object_id: int | str = 101, kind: str = "deal.propertyChange", **fields: Any
) -> dict[str, Any]:
    """Return one event as HubSpot writes it; `fields` win, and None takes one out."""
    made = {
        "eventId": next(_numbers), "subscriptionId": 1, "portalId": portal.hub_id, "appId": APP_ID,
        "occurredAt": 1_790_000_000_000, "subscriptionType": kind, "attemptNumber": 0, "objectId": object_id,
        "propertyName": "dealstage", "propertyValue": "closedwon", "changeSource": "CRM_UI",
    } | fields  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def inbox(app: Flask, portal: Tenant) -> list[InboxEvent]:
    with app.app_context(), transaction(portal.id):
        return list(db.session.execute(select(InboxEvent).order_by(InboxEvent.id)).scalars())


class TestReceive:
    def test_stores_the_event_and_marks_its_deal_as_wanted(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        sent = event(portal, 101)
        answer = post_hubspot_events(client, [sent])
        assert (answer.status_code, answer.data) == (200, b"")
        (kept,) = inbox(shared_app, portal)
        assert (kept.source, kept.kind, kept.object_id, kept.payload) == (
            "hubspot", "deal.propertyChange", "101", sent,
        )  # fmt: skip
        assert kept.occurred_at is not None
        assert kept.occurred_at.year == 2026
        assert wanted(shared_app, portal.id) == {READ_DEAL: ["101"]}

    def test_writes_the_portal_from_the_signed_body_onto_every_row(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, other: Tenant
    ) -> None:
        batch = [event(portal, 101), event(other, 202), event(portal, 103)]
        assert post_hubspot_events(client, batch).status_code == 200
        assert [kept.object_id for kept in inbox(shared_app, portal)] == ["101", "103"]
        assert [kept.object_id for kept in inbox(shared_app, other)] == ["202"]
        assert wanted(shared_app, portal.id) == {READ_DEAL: ["101", "103"]}
        assert wanted(shared_app, other.id) == {READ_DEAL: ["202"]}

    def test_burst_about_one_deal_is_one_wanted_row(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        post_hubspot_events(client, [event(portal, 101) for _ in range(20)])
        assert len(inbox(shared_app, portal)) == 20
        assert wanted(shared_app, portal.id) == {READ_DEAL: ["101"]}

    def test_takes_more_than_a_hundred_events(self, shared_app: Flask, client: FlaskClient, portal: Tenant) -> None:
        assert post_hubspot_events(client, [event(portal, 1000 + n) for n in range(150)]).status_code == 200
        assert len(inbox(shared_app, portal)) == 150
        assert len(wanted(shared_app, portal.id)[READ_DEAL]) == 150

    def test_stores_and_drops_what_belongs_to_no_feature(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        assert post_hubspot_events(client, [event(portal, 7, "ticket.creation")]).status_code == 200
        assert len(inbox(shared_app, portal)) == 1
        assert wanted(shared_app, portal.id) == {}

    def test_portal_without_a_connection_keeps_the_evidence(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant
    ) -> None:
        assert post_hubspot_events(client, [event(tenant)]).status_code == 200
        assert len(inbox(shared_app, tenant)) == 1
        assert wanted(shared_app, tenant.id) == {}


class TestRepeats:
    def test_same_event_again_is_one_row_whatever_its_attempt_number(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        sent = event(portal)
        for attempt in range(3):
            assert post_hubspot_events(client, [sent | {"attemptNumber": attempt}]).status_code == 200
        assert len(inbox(shared_app, portal)) == 1

    def test_same_event_twice_in_one_batch_is_one_row(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        sent = event(portal)
        assert post_hubspot_events(client, [sent, sent]).status_code == 200
        assert len(inbox(shared_app, portal)) == 1

    def test_event_id_alone_does_not_make_a_repeat(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        sent = event(portal)
        for changes in ({}, {"objectId": 102}, {"occurredAt": 1}, {"propertyName": "amount"},
                        {"subscriptionType": "deal.creation"}):  # fmt: skip
            post_hubspot_events(client, [sent | changes])
        assert len(inbox(shared_app, portal)) == 5

    def test_repeat_that_comes_after_the_deal_was_read_has_it_read_again(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        sent = event(portal)
        post_hubspot_events(client, [sent])
        with shared_app.app_context(), transaction(portal.id):
            row = db.session.execute(select(Work).where(Work.kind == READ_DEAL)).scalar_one()
            row.state, row.served = "done", row.wanted
        post_hubspot_events(client, [sent])
        assert wanted(shared_app, portal.id) == {READ_DEAL: ["101"]}

    def test_same_batch_in_another_order_changes_nothing(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        batch = [event(portal, 101), event(portal, 102, occurredAt=5), event(portal, 103, occurredAt=1)]
        post_hubspot_events(client, batch)
        post_hubspot_events(client, batch[::-1])
        assert len(inbox(shared_app, portal)) == 3
        assert wanted(shared_app, portal.id) == {READ_DEAL: ["101", "102", "103"]}


class TestForeignEvents:
    def test_of_a_portal_without_the_app_are_dropped_with_200(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        stranger = Tenant(0, 999_999_999)
        assert post_hubspot_events(client, [event(stranger), event(portal)]).status_code == 200
        assert len(inbox(shared_app, portal)) == 1

    @pytest.mark.parametrize("app_id", [APP_ID + 1, str(APP_ID), None])
    def test_of_another_app_are_ignored(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, app_id: Any
    ) -> None:
        assert post_hubspot_events(client, [event(portal, appId=app_id)]).status_code == 200
        assert inbox(shared_app, portal) == []

    @pytest.mark.parametrize(
        "body", [b"", b"not json", b"{}", b"null", b"7", b'"x"', b"\xff\xfe", b"[", b'[1, null, [], "x"]', b"[[[[]]]]"]
    )
    def test_signed_body_that_is_no_list_of_events_is_taken_with_200(self, client: FlaskClient, body: bytes) -> None:
        assert post_hubspot_events(client, body).status_code == 200

    @pytest.mark.parametrize(
        "fields",
        [
            {"portalId": None}, {"portalId": "4001001"}, {"portalId": 10**30}, {"portalId": -1}, {"portalId": 1.5},
            {"portalId": True}, {"subscriptionType": None}, {"subscriptionType": 5}, {"objectId": None},
            {"objectId": "abc"}, {"objectId": "²"}, {"objectId": -1}, {"objectId": 1e3}, {"objectId": {}},
            {"occurredAt": None}, {"occurredAt": "soon"}, {"occurredAt": 10**30}, {"occurredAt": -(10**17)},
            {"subscriptionType": "deal.merge", "mergedObjectIds": 7},
            {"subscriptionType": "deal.merge", "mergedObjectIds": "7"},
            {"subscriptionType": "deal.merge", "mergedObjectIds": [None, {}]},
            {"propertyValue": "a\x00b"}, {"propertyValue": "\ud800"}, {"subscriptionType": "a\x00b"},
        ],
        ids=repr,
    )  # fmt: skip
    def test_strange_event_holds_up_no_other_of_its_batch(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, fields: dict[str, Any]
    ) -> None:
        """A 5xx would have the whole batch repeated for a day, and then lost."""
        assert post_hubspot_events(client, [event(portal, 55, **fields), event(portal, 101)]).status_code == 200
        assert "101" in wanted(shared_app, portal.id)[READ_DEAL]
        assert "101" in [kept.object_id for kept in inbox(shared_app, portal)]


class TestTouchedDeals:
    @pytest.fixture(autouse=True)
    def _deals(self, shared_app: Flask, portal: Tenant) -> None:
        with shared_app.app_context():
            plant_deal(portal.id, 101, 501, lines=("901", "902"), contacts=("701",))
            plant_deal(portal.id, 102, 501, lines=("903",), contacts=("701", "702"))
            plant_deal(portal.id, 103, 502)

    @pytest.mark.parametrize(
        ("kind", "object_id", "fields", "expected"),
        [
            ("deal.creation", 104, {}, ["104"]),
            ("deal.deletion", 101, {}, ["101"]),
            ("deal.restore", 101, {}, ["101"]),
            ("line_item.propertyChange", 902, {}, ["101"]),
            ("line_item.deletion", 903, {}, ["102"]),
            ("line_item.creation", 999, {}, []),
            ("company.propertyChange", 501, {}, ["101", "102"]),
            ("company.deletion", 502, {}, ["103"]),
            ("contact.propertyChange", 701, {}, ["101", "102"]),
            ("contact.privacyDeletion", 702, {}, ["102"]),
            ("contact.creation", 799, {}, []),
            ("object.propertyChange", 101, {"objectTypeId": "0-3"}, ["101"]),
            ("object.propertyChange", 901, {"objectTypeId": "0-8"}, ["101"]),
            ("object.propertyChange", 502, {"objectTypeId": "0-2"}, ["103"]),
            ("object.propertyChange", 702, {"objectTypeId": "0-1"}, ["102"]),
            ("object.propertyChange", 101, {"objectTypeId": "0-5"}, []),
            ("deal.merge", 101, {"primaryObjectId": 101, "mergedObjectIds": [102], "newObjectId": 105},
             ["101", "102", "105"]),
            ("company.merge", 501, {"primaryObjectId": 501, "mergedObjectIds": [502], "newObjectId": 501},
             ["101", "102", "103"]),
        ],
    )  # fmt: skip
    def test_are_wanted(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, kind: str, object_id: int,
        fields: dict[str, Any], expected: list[str],
    ) -> None:  # fmt: skip
        assert post_hubspot_events(client, [event(portal, object_id, kind, **fields)]).status_code == 200
        assert wanted(shared_app, portal.id).get(READ_DEAL, []) == expected

    def test_of_an_association_are_those_on_its_deal_side(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        association = {"objectId": None, "fromObjectId": 108, "toObjectId": 999, "associationType": "DEAL_TO_LINE_ITEM"}
        post_hubspot_events(client, [event(portal, 0, "deal.associationChange", **association)])
        assert wanted(shared_app, portal.id) == {READ_DEAL: ["108"]}

    def test_of_another_portal_with_the_same_line_are_left_alone(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, other: Tenant
    ) -> None:
        post_hubspot_events(client, [event(other, 902, "line_item.propertyChange")])
        assert wanted(shared_app, portal.id) == {}
        assert wanted(shared_app, other.id) == {}


class TestRefused:
    def refused(self, app: Flask, portal: Tenant, answer: Any, status: int = 401) -> None:
        assert answer.status_code == status
        assert answer.json["error"]["message"]
        assert inbox(app, portal) == []
        assert wanted(app, portal.id) == {}

    def test_stores_nothing_when_the_signature_is_wrong(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        self.refused(shared_app, portal, post_hubspot_events(client, [event(portal)], secret="wrong"))

    def test_stores_nothing_when_there_is_no_signature(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        self.refused(shared_app, portal, client.post("/webhooks/hubspot", json=[event(portal)]))

    @pytest.mark.parametrize("age_ms", [301_000, -310_000])
    def test_stores_nothing_when_the_signature_is_too_old_or_from_the_future(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, age_ms: int
    ) -> None:
        self.refused(shared_app, portal, post_hubspot_events(client, [event(portal)], at_ms=now_ms() - age_ms))

    def test_stores_nothing_when_a_version_1_signature_comes_alone(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        headers = {"X-HubSpot-Signature": "a" * 64, "X-HubSpot-Signature-Version": "v1"}
        self.refused(shared_app, portal, client.post("/webhooks/hubspot", json=[event(portal)], headers=headers))

    @pytest.mark.parametrize(
        "target", ["/webhooks/hubspot?x=1", "/webhooks/hubspot?", "/webhooks/%68ubspot", "/webhooks/hubspo%74"]
    )
    def test_stores_nothing_when_the_target_is_not_exactly_its_address(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant, target: str
    ) -> None:
        body = json.dumps([event(portal)]).encode()
        self.refused(shared_app, portal, send_signed(client, target, method="POST", body=body))

    def test_stores_nothing_when_a_card_signed_the_request(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        """A card's fetch always ends in /cards/ and always carries a query; neither makes a webhook."""
        body = json.dumps([event(portal)]).encode()
        headers = hubspot_headers("POST", f"{ORIGIN}/cards/v1/signin-link?userId=1", body)
        self.refused(shared_app, portal, client.post("/webhooks/hubspot", data=body, headers=headers))

    def test_signature_of_a_webhook_opens_no_card(self, client: FlaskClient, portal: Tenant) -> None:
        headers = hubspot_headers("POST", f"{ORIGIN}/webhooks/hubspot", b"[]")
        answer = client.post(f"/cards/v1/signin-link?portalId={portal.hub_id}", data=b"[]", headers=headers)
        assert answer.status_code == 401

    def test_stores_nothing_when_the_signature_is_of_another_origin(
        self, shared_app: Flask, client: FlaskClient, portal: Tenant
    ) -> None:
        body = json.dumps([event(portal)]).encode()
        headers = hubspot_headers("POST", "http://evil.example/webhooks/hubspot", body)
        headers |= {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        self.refused(shared_app, portal, client.post("/webhooks/hubspot", data=body, headers=headers))

    def test_is_413_when_the_body_is_too_large(self, shared_app: Flask, client: FlaskClient, portal: Tenant) -> None:
        self.refused(shared_app, portal, post_hubspot_events(client, b"[" + b" " * (5 * 1024 * 1024) + b"]"), 413)

    def test_is_405_for_another_method(self, client: FlaskClient) -> None:
        answer = client.get("/webhooks/hubspot")
        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]
