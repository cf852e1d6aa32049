"""Who may ask: a signed request that names user, portal, e-mail and app exactly once each, of an installed portal."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.db import transaction
from app.portals import queries as portals
from tests.app.core.signed import ORIGIN, as_card, hubspot_headers, now_ms, send_signed
from tests.cards.books import COMPANY, DEAL, Books, open_invoice
from tests.conftest import APP_ID, SECRET, USER_EMAIL, USER_ID, Tenant

COMPANY_BILLING, DEAL_BILLING = f"/cards/v1/companies/{COMPANY}/billing", f"/cards/v1/deals/{DEAL}/billing"
SetBooks = Callable[[Callable[[Books], None]], None]


@pytest.fixture(autouse=True)
def _books(set_books: SetBooks) -> None:
    set_books(open_invoice)


def values(portal: Tenant) -> dict[str, str]:
    return {
        "userId": str(USER_ID), "portalId": str(portal.hub_id), "userEmail": quote(USER_EMAIL, safe=""),
        "appId": str(APP_ID),
    }  # fmt: skip


def ask(client: FlaskClient, *pairs: tuple[str, str], path: str = COMPANY_BILLING) -> TestResponse:
    """Send a signed request with exactly this query."""
    return send_signed(client, f"{path}?{'&'.join(f'{name}={value}' for name, value in pairs)}")


def refused(answer: TestResponse, status: int = 401) -> None:
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]["message"]
    assert "1200" not in answer.text


class TestAccepted:
    def test_as_hubspot_sends_it_with_an_encoded_address(self, client: FlaskClient, tenant: Tenant) -> None:
        """HubSpot encodes the @ in the query and decodes it before it signs."""
        answer = as_card(client, COMPANY_BILLING, tenant.hub_id)
        assert answer.status_code == 200
        assert "%40" in answer.request.query_string.decode()

    def test_with_the_address_unencoded(self, client: FlaskClient, tenant: Tenant) -> None:
        assert ask(client, *(values(tenant) | {"userEmail": USER_EMAIL}).items()).status_code == 200

    def test_with_values_of_the_card_beside_the_four_and_in_any_order(
        self, client: FlaskClient, tenant: Tenant
    ) -> None:
        pairs = [("objectId", "5"), *reversed(values(tenant).items()), ("x", "a%20b%26c%2Bd")]
        assert ask(client, *pairs).status_code == 200

    def test_at_both_ends_of_the_five_minutes(self, client: FlaskClient, tenant: Tenant) -> None:
        query = "&".join(f"{name}={value}" for name, value in values(tenant).items())
        for age_ms in (299_000, -299_000):
            headers = hubspot_headers("GET", f"{ORIGIN}{COMPANY_BILLING}?{query}", at_ms=now_ms() - age_ms)
            assert client.get(f"{COMPANY_BILLING}?{query}", headers=headers).status_code == 200

    def test_answer_is_not_to_be_stored_by_anybody(self, client: FlaskClient, tenant: Tenant) -> None:
        assert as_card(client, COMPANY_BILLING, tenant.hub_id).headers["Cache-Control"] == "no-store"


class TestTheFour:
    @pytest.mark.parametrize("name", ["userId", "portalId", "userEmail", "appId"])
    def test_missing_one_is_refused(self, client: FlaskClient, tenant: Tenant, name: str) -> None:
        refused(ask(client, *((n, v) for n, v in values(tenant).items() if n != name)))

    @pytest.mark.parametrize("name", ["userId", "portalId", "userEmail", "appId"])
    def test_one_that_comes_twice_is_refused_even_with_the_same_value(
        self, client: FlaskClient, tenant: Tenant, name: str
    ) -> None:
        """A card could put a rival of the same name into its own address."""
        for rival in (values(tenant)[name], "1", ""):
            refused(ask(client, (name, rival), *values(tenant).items()))
            refused(ask(client, *values(tenant).items(), (name, rival)))

    def test_one_that_comes_twice_under_an_encoded_name_is_refused(self, client: FlaskClient, tenant: Tenant) -> None:
        refused(ask(client, ("portal%49d", "1"), *values(tenant).items()))

    @pytest.mark.parametrize("name", ["userId", "portalId", "appId"])
    @pytest.mark.parametrize(
        "value", ["", "-1", "%2B1", "1.0", "1e3", "0x1", "abc", "1%0A", "%201", "%D9%A1", "1" * 20, "9" * 19, "1%00"]
    )
    def test_number_of_another_form_is_refused(
        self, client: FlaskClient, tenant: Tenant, name: str, value: str
    ) -> None:
        refused(ask(client, *(values(tenant) | {name: value}).items()))

    @pytest.mark.parametrize(
        "value", ["", "ada", "@", "a%40", "%40b", "a%40b%40c", "a%20b%40c.example", "a%40b.example,c%40d.example%20",
                  "a%0A%40b", "x" * 65 + "%40b.example", "a%40" + "b" * 256, "a%00%40b.example"],
    )  # fmt: skip
    def test_what_is_not_one_address_is_refused(self, client: FlaskClient, tenant: Tenant, value: str) -> None:
        refused(ask(client, *(values(tenant) | {"userEmail": value}).items()))

    def test_another_app_is_refused(self, client: FlaskClient, tenant: Tenant) -> None:
        refused(as_card(client, COMPANY_BILLING, tenant.hub_id, appId=APP_ID + 1))

    def test_names_are_told_apart_by_case(self, client: FlaskClient, tenant: Tenant) -> None:
        pairs = [(name.lower() if name == "portalId" else name, value) for name, value in values(tenant).items()]
        refused(ask(client, *pairs))


class TestSignature:
    def test_is_needed(self, client: FlaskClient, tenant: Tenant) -> None:
        refused(client.get(COMPANY_BILLING, query_string=values(tenant)))

    @pytest.mark.parametrize("name", ["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"])
    @pytest.mark.parametrize("value", [None, "", "x", "ä", "NaN", "-5", "9" * 4000])
    def test_is_refused_when_a_header_is_missing_or_strange(
        self, client: FlaskClient, tenant: Tenant, name: str, value: str | None
    ) -> None:
        target = f"{COMPANY_BILLING}?{'&'.join(f'{n}={v}' for n, v in values(tenant).items())}"
        headers = hubspot_headers("GET", ORIGIN + target)
        del headers[name]
        if value is not None:
            headers[name] = value
        refused(client.get(target, headers=headers))

    def test_is_refused_when_old_or_from_the_future(self, client: FlaskClient, tenant: Tenant) -> None:
        target = f"{COMPANY_BILLING}?{'&'.join(f'{n}={v}' for n, v in values(tenant).items())}"
        for age_ms in (301_000, -301_000):
            headers = hubspot_headers("GET", ORIGIN + target, at_ms=now_ms() - age_ms)
            refused(client.get(target, headers=headers))

    @pytest.mark.parametrize("change", ["path", "query", "method", "body", "secret"])
    def test_is_of_exactly_this_request(self, client: FlaskClient, tenant: Tenant, change: str) -> None:
        target = f"{COMPANY_BILLING}?{'&'.join(f'{n}={v}' for n, v in values(tenant).items())}"
        sent = {
            "path": target.replace(str(COMPANY), str(COMPANY + 1)),
            "query": target.replace(f"userId={USER_ID}", "userId=1"),
        }.get(change, target)
        headers = hubspot_headers(
            "POST" if change == "method" else "GET", ORIGIN + target, b"x" if change == "body" else b"",
            secret="other" if change == "secret" else SECRET,
        )  # fmt: skip
        refused(client.get(sent, headers=headers))

    def test_is_checked_against_our_own_origin_whatever_host_is_named(
        self, client: FlaskClient, tenant: Tenant
    ) -> None:
        target = f"{COMPANY_BILLING}?{'&'.join(f'{n}={v}' for n, v in values(tenant).items())}"
        named = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
        refused(client.get(target, headers=hubspot_headers("GET", f"https://evil.example{target}") | named))
        assert client.get(target, headers=hubspot_headers("GET", ORIGIN + target) | named).status_code == 200

    @pytest.mark.parametrize(
        "path",
        [
            COMPANY_BILLING.replace("companies", "%63ompanies"), COMPANY_BILLING.replace("/billing", "%2Fbilling"),
            COMPANY_BILLING + "%3Fa=1", COMPANY_BILLING.replace("8001", "%38001"), COMPANY_BILLING + "%00",
        ],
    )  # fmt: skip
    def test_encoded_character_in_the_path_is_refused_or_not_found(
        self, client: FlaskClient, tenant: Tenant, path: str
    ) -> None:
        assert ask(client, *values(tenant).items(), path=path).status_code in (401, 404)

    def test_encoded_path_of_a_real_card_is_refused(self, client: FlaskClient, tenant: Tenant) -> None:
        refused(ask(client, *values(tenant).items(), path="/%63ards/v1" + COMPANY_BILLING.removeprefix("/cards/v1")))
        refused(ask(client, *values(tenant).items(), path=COMPANY_BILLING.replace("billing", "billin%67")))


class TestPortal:
    def test_without_the_app_is_told_so(self, client: FlaskClient) -> None:
        answer = as_card(client, COMPANY_BILLING, 999_999_999)
        refused(answer, 403)
        assert "isn't installed" in answer.text

    def test_that_uninstalled_is_told_so(self, shared_app: Flask, client: FlaskClient, tenant: Tenant) -> None:
        with shared_app.app_context(), transaction(tenant.id):
            portals.current().state = "uninstalled"
        answer = as_card(client, COMPANY_BILLING, tenant.hub_id)
        refused(answer, 403)
        assert "uninstalled" in answer.text

    @pytest.mark.parametrize("path", [COMPANY_BILLING, DEAL_BILLING])
    def test_does_not_see_the_records_of_another(
        self, client: FlaskClient, tenant: Tenant, other_tenant: Tenant, path: str
    ) -> None:
        assert as_card(client, path, tenant.hub_id).status_code == 200
        refused(as_card(client, path, other_tenant.hub_id), 404)

    @pytest.mark.parametrize("record", ["0", "1", str(2**63), "9" * 40])
    def test_gets_404_for_a_record_nobody_knows(self, client: FlaskClient, tenant: Tenant, record: str) -> None:
        for kind in ("companies", "deals"):
            assert as_card(client, f"/cards/v1/{kind}/{record}/billing", tenant.hub_id).status_code == 404

    @pytest.mark.parametrize("record", ["abc", "-1", "1.5", ""])
    def test_gets_404_for_what_is_no_id(self, client: FlaskClient, tenant: Tenant, record: str) -> None:
        assert as_card(client, f"/cards/v1/companies/{record}/billing", tenant.hub_id).status_code == 404
