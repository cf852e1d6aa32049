"""Webhooks: shape, signature, which events, retries, connected companies only."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64encode
from typing import Any

import pytest

from sandbox.quickbooks.books import Change
from sandbox.quickbooks.events import signature
from tests.sandbox.quickbooks.harness import (
    CLIENT,
    DE,
    US,
    VERIFIER,
    Company,
    Receiver,
    StandIn,
    fixture,
    invoice_body,
)


def kinds(receiver: Receiver, company: Company) -> list[tuple[str, str]]:
    """Return (type, id) of everything so far, once all is delivered."""
    assert company.stand_in.app.extensions["quickbooks"].notifier.wait_until_idle(5)
    return [(event["type"], event["intuitentityid"]) for event in receiver.events()]


class TestSignature:
    @pytest.mark.parametrize("vector", fixture("signatures"))
    def test_published_vectors(self, vector: dict[str, str]) -> None:
        assert signature(vector["payload"].encode(), vector["verifier_token"]) == vector["intuit-signature"]

    def test_is_over_the_raw_bytes(self, us: Company, receiver: Receiver) -> None:
        us.customer(DisplayName="Grün & Söhne")
        receiver.wait_for(1)
        headers, body = receiver.posts[0]
        expected = b64encode(hmac.new(VERIFIER.encode(), body, hashlib.sha256).digest()).decode()
        assert headers["intuit-signature"] == expected
        assert headers["content-type"] == "application/cloudevents+json"


class TestShape:
    def test_cloud_event(self, us: Company, receiver: Receiver) -> None:
        made = us.customer()
        receiver.wait_for(1)
        events = json.loads(receiver.posts[0][1])
        published = fixture("cloudevent")[0]
        assert set(published) - {"_source"} <= set(events[0])
        assert events[0]["type"] == "qbo.customer.created.v1"
        assert events[0]["specversion"] == "1.0"
        assert (events[0]["intuitaccountid"], events[0]["intuitentityid"]) == (US, made["Id"])
        assert events[0]["data"] == {}


class TestEvents:
    def test_life_of_an_invoice(self, us: Company, receiver: Receiver) -> None:
        made = us.invoice({"Id": "1"}, "10", BillEmail={"Address": "a@x.example"})
        us.make("invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"})
        us.make(f"invoice/{made['Id']}/send", {})
        us.make("invoice", {"Id": made["Id"], "SyncToken": "2"}, operation="void")
        us.make("invoice", {"Id": made["Id"], "SyncToken": "3"}, operation="delete")
        words = ["created", "updated", "emailed", "voided", "deleted"]
        assert kinds(receiver, us) == [(f"qbo.invoice.{word}.v1", made["Id"]) for word in words]

    def test_payment_brings_its_own_and_that_of_the_invoice(self, us: Company, receiver: Receiver) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        kinds(receiver, us)
        receiver.clear()
        payment = us.pay(invoice, 4)
        assert kinds(receiver, us) == [
            ("qbo.payment.created.v1", payment["Id"]),
            ("qbo.invoice.updated.v1", invoice["Id"]),
        ]
        assert len(receiver.posts) == 1

    def test_payment_by_hand_does_the_same(self, us: Company, receiver: Receiver) -> None:
        invoice = us.invoice({"Id": "1"}, "10")
        kinds(receiver, us)
        receiver.clear()
        us.stand_in.control("payments", realm_id=US, invoice_id=invoice["Id"], amount="2.50", date="2026-05-05")
        assert [kind for kind, _ in kinds(receiver, us)] == ["qbo.payment.created.v1", "qbo.invoice.updated.v1"]
        assert us.read(f"invoice/{invoice['Id']}")["Balance"] == 7.5

    def test_merge_names_both_ids(self, us: Company, receiver: Receiver) -> None:
        kept, gone = us.customer(), us.customer()
        invoice = us.invoice(gone, "10")
        kinds(receiver, us)
        receiver.clear()
        us.stand_in.control("merge", realm_id=US, kept=kept["Id"], gone=gone["Id"])
        assert kinds(receiver, us) == [("qbo.customer.merged.v1", kept["Id"])]
        assert receiver.events()[0]["data"] == {"deletedid": gone["Id"]}
        assert us.get(f"customer/{gone['Id']}").status_code == 400
        assert us.read(f"invoice/{invoice['Id']}")["CustomerRef"]["value"] == kept["Id"]
        assert us.read(f"customer/{kept['Id']}")["Balance"] == 10.0

    def test_items_and_preferences(self, us: Company, receiver: Receiver) -> None:
        item = us.make("item", {"Name": "X", "IncomeAccountRef": {"value": "79"}})
        us.stand_in.control("preferences", realm_id=US, preferences={"SalesFormsPrefs": {"AllowDeposit": True}})
        assert kinds(receiver, us) == [("qbo.item.created.v1", item["Id"]), ("qbo.preferences.updated.v1", "1")]

    def test_refused_and_replayed_requests_bring_none(self, us: Company, receiver: Receiver) -> None:
        body = invoice_body({"Id": "1"})
        us.make("invoice", body, requestid="r")
        us.make("invoice", body, requestid="r")
        us.post("invoice", {})
        assert len(kinds(receiver, us)) == 1

    def test_one_post_may_hold_several_companies(self, stand_in: StandIn, receiver: Receiver) -> None:
        us, de = stand_in.connect(US), stand_in.connect(DE)
        notifier = stand_in.app.extensions["quickbooks"].notifier
        for company in (us, de):
            notifier.tell(Change(company.realm_id, "Customer", "updated", "1"))
        kinds(receiver, us)
        assert {event["intuitaccountid"] for event in receiver.events()} == {US, DE}
        assert len(receiver.posts) == 1

    def test_same_thing_within_a_moment_is_told_once(self, us: Company, receiver: Receiver) -> None:
        notifier = us.stand_in.app.extensions["quickbooks"].notifier
        for _ in range(3):
            notifier.tell(Change(US, "Customer", "updated", "1"))
        assert len(kinds(receiver, us)) == 1


class TestDelivery:
    def test_only_for_connected_companies(self, stand_in: StandIn, receiver: Receiver) -> None:
        us, de = stand_in.connect(US), stand_in.connect(DE)
        stand_in.session.post(
            f"{stand_in.base}/v2/oauth2/tokens/revoke", json={"token": de.tokens["refresh_token"]}, auth=CLIENT
        )
        opened = stand_in.app.extensions["quickbooks"]
        with opened.books(DE) as books:
            books.tell("Invoice", "updated", "1")
        us.customer()
        assert [kind for kind, _ in kinds(receiver, us)] == ["qbo.customer.created.v1"]

    def test_unanswered_one_is_sent_again_with_the_same_bytes(self, us: Company, receiver: Receiver) -> None:
        receiver.answers[:] = [500, 302, 200]
        us.customer()
        receiver.wait_for(3)
        assert kinds(receiver, us)[0] == kinds(receiver, us)[2]
        assert len({body for _, body in receiver.posts}) == 1

    @pytest.mark.parametrize(("kind", "posts"), [("drop", 0), ("duplicate", 2)])
    def test_ordered_faults(self, us: Company, receiver: Receiver, kind: str, posts: int) -> None:
        us.stand_in.control("faults", match={"operation": "webhook"}, kind=kind)
        us.customer()
        kinds(receiver, us)
        assert len(receiver.posts) == posts

    def test_arrives_within_a_moment(self, us: Company, receiver: Receiver) -> None:
        started = time.monotonic()
        us.customer()
        receiver.wait_for(1)
        assert time.monotonic() - started < 1

    def test_journal_shows_it_without_the_signature(self, us: Company, receiver: Receiver) -> None:
        us.customer()
        kinds(receiver, us)
        calls: list[dict[str, Any]] = us.stand_in.look("journal", bodies="1")["calls"]
        sent = [call for call in calls if call["operation"] == "webhook"]
        assert [call["status"] for call in sent] == [200]
        assert us.tokens["access_token"] not in json.dumps(calls)
        assert receiver.posts[0][0]["intuit-signature"] not in json.dumps(calls)
