"""QuickBooks' door: signed CloudEvents are hints to read, of companies that are connected here."""

from __future__ import annotations

import itertools
import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.db import db, transaction
from app.inbox.models import InboxEvent
from tests.app.core.planted import connect_quickbooks, wanted
from tests.app.core.signed import post_quickbooks_events
from tests.conftest import Tenant

READ_INVOICE, READ_PAYMENT = "quickbooks.read_invoice", "quickbooks.read_payment"
_realms = itertools.count(9_130_500_000_000_001)


@pytest.fixture
def client(shared_app: Flask) -> FlaskClient:
    return shared_app.test_client()


@pytest.fixture
def realm(shared_app: Flask, tenant: Tenant) -> str:
    """The company that the portal is connected to."""
    realm_id = str(next(_realms))
    with shared_app.app_context():
        connect_quickbooks(shared_app, tenant.id, realm_id)
    return realm_id


def event(realm: str, kind: str = "qbo.invoice.updated.v1", entity: str = "145", **fields: Any) -> dict[str, Any]:
    """Return one CloudEvent as QuickBooks writes it."""
    return {
        "specversion": "1.0", "id": str(uuid4()), "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
        "type": kind, "time": "2026-10-07T19:59:07.034359333Z", "intuitentityid": entity, "intuitaccountid": realm,
        "data": {},
    } | fields  # fmt: skip


def inbox(app: Flask, portal: Tenant) -> list[InboxEvent]:
    with app.app_context(), transaction(portal.id):
        return list(db.session.execute(select(InboxEvent).order_by(InboxEvent.id)).scalars())


class TestReceive:
    def test_stores_the_event_and_marks_its_invoice_as_wanted(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        sent = event(realm)
        answer = post_quickbooks_events(client, [sent])
        assert (answer.status_code, answer.data) == (200, b"")
        (kept,) = inbox(shared_app, tenant)
        assert (kept.source, kept.kind, kept.object_id) == ("quickbooks", "qbo.invoice.updated.v1", "145")
        assert kept.dedupe_key == f"{sent['source']}|{sent['id']}"
        assert kept.occurred_at is not None
        assert kept.occurred_at.isoformat() == "2026-10-07T19:59:07.034359+00:00"
        assert wanted(shared_app, tenant.id) == {READ_INVOICE: ["145"]}

    @pytest.mark.parametrize(
        "kind",
        ["qbo.invoice.created.v1", "qbo.invoice.emailed.v1", "qbo.invoice.deleted.v1", "qbo.invoice.void.v1",
         "qbo.invoice.voided.v1", "QBO.Invoice.Voided.v1", "qbo.Invoice.Update.v2"],
    )  # fmt: skip
    def test_reads_the_invoice_however_the_operation_is_spelled(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str, kind: str
    ) -> None:
        post_quickbooks_events(client, [event(realm, kind)])
        assert wanted(shared_app, tenant.id) == {READ_INVOICE: ["145"]}

    def test_payment_is_wanted_as_a_payment(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        post_quickbooks_events(client, [event(realm, "qbo.payment.created.v1", "7"), event(realm, entity="145")])
        assert wanted(shared_app, tenant.id) == {READ_PAYMENT: ["7"], READ_INVOICE: ["145"]}

    def test_other_entities_are_kept_as_evidence_only(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        post_quickbooks_events(client, [event(realm, "qbo.customer.merged.v1", data={"deletedid": "5"})])
        assert len(inbox(shared_app, tenant)) == 1
        assert wanted(shared_app, tenant.id) == {}

    def test_repeat_is_one_row_and_reads_again(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        sent = event(realm)
        assert [post_quickbooks_events(client, [sent, sent]).status_code for _ in range(3)] == [200] * 3
        assert len(inbox(shared_app, tenant)) == 1
        assert wanted(shared_app, tenant.id) == {READ_INVOICE: ["145"]}

    def test_same_id_of_another_source_is_another_event(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        sent = event(realm)
        post_quickbooks_events(client, [sent, sent | {"source": "intuit.other"}])
        assert len(inbox(shared_app, tenant)) == 2


class TestCompanies:
    def test_of_one_batch_reach_each_their_own_portal(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, other_tenant: Tenant, realm: str
    ) -> None:
        other_realm = str(next(_realms))
        with shared_app.app_context():
            connect_quickbooks(shared_app, other_tenant.id, other_realm)
        batch = [event(realm, entity="1"), event(other_realm, entity="2"), event(realm, entity="3")]
        assert post_quickbooks_events(client, batch).status_code == 200
        assert wanted(shared_app, tenant.id) == {READ_INVOICE: ["1", "3"]}
        assert wanted(shared_app, other_tenant.id) == {READ_INVOICE: ["2"]}

    def test_that_two_portals_share_reach_both(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, other_tenant: Tenant, realm: str
    ) -> None:
        with shared_app.app_context():
            connect_quickbooks(shared_app, other_tenant.id, realm)
        post_quickbooks_events(client, [event(realm)])
        assert wanted(shared_app, tenant.id) == wanted(shared_app, other_tenant.id) == {READ_INVOICE: ["145"]}

    def test_that_are_not_connected_are_dropped_with_200(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        assert post_quickbooks_events(client, [event("1"), event(realm)]).status_code == 200
        assert len(inbox(shared_app, tenant)) == 1

    def test_that_were_disconnected_are_dropped(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        from datetime import date

        from app.connections import actions, queries

        with shared_app.app_context(), transaction(tenant.id):
            connection = queries.ledger()
            assert connection is not None
            actions.disconnect(connection, "ada@x.example", date(2026, 1, 1))
        post_quickbooks_events(client, [event(realm)])
        assert inbox(shared_app, tenant) == []

    def test_realm_id_is_stored_nowhere_in_clear(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        post_quickbooks_events(client, [event(realm), event(realm, "qbo.payment.created.v1", "7")])
        url = shared_app.config["SQLALCHEMY_DATABASE_URI"].set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            connection.execute("SELECT set_config('app.portal', %s, true)", [str(tenant.id)])
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            seen = ""
            for (table,) in tables:
                if table not in ("alembic_version", "oauth_state", "sandbox_clock"):
                    seen += repr(connection.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall())
        assert "quickbooks" in seen
        assert realm not in seen
        assert realm.encode().hex() not in seen


class TestStrangeBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"", b"nothing", b"{}", b"null", b"[]", b"[null, 1, []]", b"\xff",
            json.dumps({"eventNotifications": [{"realmId": "1", "dataChangeEvent": {"entities": []}}]}).encode(),
        ],
    )  # fmt: skip
    def test_signed_body_that_is_no_list_of_events_is_taken_with_200(self, client: FlaskClient, body: bytes) -> None:
        assert post_quickbooks_events(client, body).status_code == 200

    @pytest.mark.parametrize(
        "fields",
        [{"intuitentityid": None}, {"intuitentityid": "x"}, {"intuitentityid": "²"}, {"time": None}, {"time": "then"},
         {"type": "invoice"}, {"type": "qbo.invoice"}, {"type": 5}, {"id": None}, {"source": None},
         {"intuitaccountid": None}, {"intuitaccountid": {}}, {"data": "a\x00b"}, {"id": "a\x00b"}],
        ids=repr,
    )  # fmt: skip
    def test_strange_event_holds_up_no_other_of_its_batch(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str, fields: dict[str, Any]
    ) -> None:
        batch = [event(realm, entity="55") | fields, event(realm, entity="145")]
        assert post_quickbooks_events(client, batch).status_code == 200
        assert "145" in wanted(shared_app, tenant.id)[READ_INVOICE]


class TestRefused:
    def test_stores_nothing_when_the_signature_is_wrong_or_missing(
        self, shared_app: Flask, client: FlaskClient, tenant: Tenant, realm: str
    ) -> None:
        assert post_quickbooks_events(client, [event(realm)], token="wrong").status_code == 401
        assert client.post("/webhooks/quickbooks", json=[event(realm)]).status_code == 401
        assert inbox(shared_app, tenant) == []
        assert wanted(shared_app, tenant.id) == {}

    def test_is_413_when_the_body_is_too_large(self, client: FlaskClient) -> None:
        assert post_quickbooks_events(client, b" " * (5 * 1024 * 1024 + 1)).status_code == 413
