"""Both providers' token endpoints: what a grant is, what an end is, and that no secret is ever told."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core import clock
from app.core.db import db
from app.core.outcome import FailureKind, Outcome, Rejected
from app.ports import Grant, Installation, LedgerAccount
from oauth.providers import HUBSPOT_SCOPES, HubSpotIssuer, QuickBooksIssuer
from tests.app.integrations.conftest import READ_TIMEOUT_S
from tests.app.integrations.faults import HELD_S, HTML, rejected, told, value
from tests.sandbox.hubspot import client as hubspot_tests
from tests.sandbox.hubspot.client import NORTHWIND, Client
from tests.sandbox.quickbooks import harness
from tests.sandbox.quickbooks.harness import US, StandIn, query_of

TIMEOUT = (1.0, READ_TIMEOUT_S)
SECRET = "secret-1"


def hubspot_issuer(url: str, **changes: Any) -> HubSpotIssuer:
    options: dict[str, Any] = {
        "client_id": "client-1", "client_secret": SECRET, "app_url": url, "api_url": url,
        "redirect_uri": hubspot_tests.REDIRECT, "timeout": TIMEOUT,
    }  # fmt: skip
    return HubSpotIssuer(**(options | changes))


def quickbooks_issuer(url: str, **changes: Any) -> QuickBooksIssuer:
    options: dict[str, Any] = {
        "client_id": "client-1", "client_secret": SECRET, "authorize_url": f"{url}/connect/oauth2",
        "token_url": f"{url}/oauth2/v1/tokens/bearer", "redirect_uri": harness.REDIRECT, "timeout": TIMEOUT,
    }  # fmt: skip
    return QuickBooksIssuer(**(options | changes))


class Provider:
    """One of the two, so that what both promise is tested of both."""

    def __init__(
        self, url: str, make: Callable[..., Any], code: Callable[[], str], order: Callable[[dict[str, Any]], object]
    ) -> None:
        self.url, self.make, self.code, self.order = url, make, code, order
        self.issuer = make(url)

    def grant(self) -> Grant:
        found = value(self.issuer.exchange(self.code()))
        assert isinstance(found, Grant)
        return found


@pytest.fixture(params=["hubspot", "quickbooks"])
def provider(request: pytest.FixtureRequest) -> Provider:
    if request.param == "hubspot":
        hubspot: Client = request.getfixturevalue("hubspot")
        return Provider(hubspot.url, hubspot_issuer, hubspot.code, lambda rule: hubspot.control("faults", rule))
    quickbooks: StandIn = request.getfixturevalue("quickbooks")
    return Provider(
        quickbooks.base, quickbooks_issuer, lambda: query_of(quickbooks.consent(US))["code"],
        lambda rule: quickbooks.control("faults", **rule),
    )  # fmt: skip


class TestExchange:
    def test_gives_tokens_with_their_lives(self, provider: Provider) -> None:
        grant = provider.grant()

        assert grant.access_token
        assert grant.refresh_token
        life = grant.access_expires_at - clock.now()
        assert timedelta(minutes=29) < life <= timedelta(hours=1)

    def test_of_a_code_used_before_is_a_revocation(self, provider: Provider) -> None:
        code = provider.code()
        assert told(provider.issuer.exchange(code)) == ("done", None)

        assert told(provider.issuer.exchange(code)) == ("rejected", FailureKind.REVOKED)

    def test_of_an_unknown_code_is_a_revocation(self, provider: Provider) -> None:
        assert rejected(provider.issuer.exchange("no-such-code")).code == "invalid_grant"

    def test_with_another_redirect_address_gives_nothing(self, provider: Provider) -> None:
        issuer = provider.make(provider.url, redirect_uri="http://localhost:9000/other")

        assert told(issuer.exchange(provider.code()))[0] == "rejected"


class TestRefresh:
    def test_gives_a_new_access_token(self, provider: Provider) -> None:
        first = provider.grant()
        second = value(provider.issuer.refresh(first.refresh_token))

        assert second.access_token != first.access_token
        assert second.refresh_token

    def test_of_an_ended_token_is_a_revocation(self, provider: Provider) -> None:
        assert told(provider.issuer.refresh("no-such-token")) == ("rejected", FailureKind.REVOKED)

    def test_rotates_where_the_provider_does(self, quickbooks: StandIn) -> None:
        quickbooks.control("settings", rotate="always")
        issuer = quickbooks_issuer(quickbooks.base)
        first = value(issuer.exchange(query_of(quickbooks.consent(US))["code"]))
        second = value(issuer.refresh(first.refresh_token))

        assert second.refresh_token != first.refresh_token
        assert told(issuer.refresh(first.refresh_token)) == ("rejected", FailureKind.REVOKED)
        assert told(issuer.refresh(second.refresh_token)) == ("done", None)

    def test_knows_the_refresh_tokens_own_end_where_there_is_one(self, quickbooks: StandIn, hubspot: Client) -> None:
        ledger = value(quickbooks_issuer(quickbooks.base).exchange(query_of(quickbooks.consent(US))["code"]))
        crm = value(hubspot_issuer(hubspot.url).exchange(hubspot.code()))

        assert ledger.refresh_expires_at is not None
        assert timedelta(days=100) < ledger.refresh_expires_at - clock.now() < timedelta(days=102)
        assert crm.refresh_expires_at is None
        assert "crm.objects.deals.read" in crm.scopes

    def test_after_the_app_was_taken_out_is_a_revocation(self, quickbooks: StandIn, hubspot: Client) -> None:
        ledger = quickbooks_issuer(quickbooks.base)
        tokens = value(ledger.exchange(query_of(quickbooks.consent(US))["code"]))
        quickbooks.control("tokens", realm_id=US, end="revoked")
        crm = hubspot_issuer(hubspot.url)
        theirs = value(crm.exchange(hubspot.code()))
        assert hubspot.control(f"portals/{NORTHWIND}/uninstall").ok

        assert rejected(ledger.refresh(tokens.refresh_token)).kind is FailureKind.REVOKED
        assert rejected(crm.refresh(theirs.refresh_token)).kind is FailureKind.REVOKED


class TestOurOwnFault:
    @pytest.mark.parametrize("changes", [{"client_secret": "wrong-secret"}, {"client_id": "wrong-client"}])
    def test_is_configuration_and_never_a_mark_against_the_customer(
        self, provider: Provider, changes: dict[str, str]
    ) -> None:
        grant = provider.grant()
        issuer = provider.make(provider.url, **changes)

        for outcome in (issuer.refresh(grant.refresh_token), issuer.exchange(provider.code())):
            assert (rejected(outcome).kind, rejected(outcome).code) == (FailureKind.CONFIGURATION, "invalid_client")

    def test_is_also_what_an_unheard_of_refusal_counts_as(self, provider: Provider) -> None:
        grant = provider.grant()
        order(provider, status=400, body={"error": "something_new"})

        assert rejected(provider.issuer.refresh(grant.refresh_token)).kind is FailureKind.CONFIGURATION


class TestNobodyKnows:
    @pytest.mark.parametrize(
        "rule",
        [
            {"status": 500},
            {"status": 503},
            {"status": 502, "body": HTML},
            {"status": 429, "body": {"message": "slow"}},
            {"status": 400, "body": HTML},
            {"status": 200, "body": HTML},
            {"status": 200, "body": {}},
            {"status": 200, "body": {"access_token": "a"}},
            {"status": 200, "body": [1]},
            {"kind": "close_before"},
            {"kind": "close_after"},
            {"kind": "hang_before", "seconds": HELD_S},
        ],
    )
    def test_is_unknown(self, provider: Provider, rule: dict[str, Any]) -> None:
        grant = provider.grant()
        order(provider, **rule)

        assert told(provider.issuer.refresh(grant.refresh_token)) == ("unknown", None)

    def test_is_said_of_a_service_that_is_not_there(self) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}"

            for make in (hubspot_issuer, quickbooks_issuer):
                assert told(make(url).refresh("x")) == ("unknown", None)


class TestIntrospect:
    def test_names_the_installer(self, hubspot: Client) -> None:
        issuer = hubspot_issuer(hubspot.url)
        found = value(issuer.introspect(value(issuer.exchange(hubspot.code())).access_token))

        assert isinstance(found, Installation)
        assert (found.hub_id, found.user_id, found.user_email) == (NORTHWIND, 501, "ada@northwind.example")
        assert found.app_id == 771

    def test_of_a_token_that_ended_vouches_for_nobody(self, hubspot: Client) -> None:
        assert told(hubspot_issuer(hubspot.url).introspect("no-such-token")) == ("unknown", None)

    @pytest.mark.parametrize(
        "rule", [{"status": 500}, {"status": 200, "body": HTML}, {"status": 200, "body": {"active": True}}]
    )
    def test_is_unknown_when_it_cannot_be_read(self, hubspot: Client, rule: dict[str, Any]) -> None:
        hubspot.control("faults", {"match": {"operation": "oauth.introspect"}, "kind": "before", **rule})

        assert told(hubspot_issuer(hubspot.url).introspect(hubspot.token)) == ("unknown", None)

    def test_is_nothing_quickbooks_has(self, quickbooks: StandIn) -> None:
        assert isinstance(quickbooks_issuer(quickbooks.base).introspect("x"), Rejected)


class TestAuthorizeUrl:
    def test_asks_for_exactly_what_is_needed(self, provider: Provider) -> None:
        url = provider.issuer.authorize_url("state-1")
        query = parse_qs(urlsplit(url).query)

        assert (query["client_id"], query["state"], query["response_type"]) == (["client-1"], ["state-1"], ["code"])
        assert query["redirect_uri"][0].startswith("http://localhost:")
        assert "+" not in url
        assert SECRET not in url

    def test_names_hubspots_scopes_with_spaces(self) -> None:
        url = hubspot_issuer("https://app.hubspot.com").authorize_url("s")

        assert parse_qs(urlsplit(url).query)["scope"] == [" ".join(HUBSPOT_SCOPES)]
        assert urlsplit(url).path == "/oauth/authorize"


class TestSecrets:
    def test_are_in_no_text_and_no_log(self, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
        texts: list[str] = []
        with caplog.at_level(logging.DEBUG):
            code = provider.code()
            grant = value(provider.issuer.exchange(code))
            outcomes: list[Outcome] = [provider.issuer.exchange(code)]
            for rule in (
                {"status": 500, "body": f"refused {SECRET}"}, {"status": 400, "body": {"error": "invalid_grant"}},
                {"status": 400, "body": {"error": "x", "error_description": f"bad {grant.refresh_token}"}},
                {"status": 200, "body": HTML}, {"kind": "close_before"}, {"kind": "hang_before", "seconds": HELD_S},
            ):  # fmt: skip
                order(provider, **rule)
                outcomes.append(provider.issuer.refresh(grant.refresh_token))
            outcomes.append(provider.issuer.introspect(grant.access_token))
            texts += [repr(outcome) for outcome in outcomes]
            texts += [repr(grant), repr(LedgerAccount("1", grant.access_token))]

        said = "".join([*texts, caplog.text])
        for secret in (SECRET, code, grant.access_token, grant.refresh_token):
            assert secret not in said


class TestTransaction:
    def test_that_is_open_refuses_the_call(self, provider: Provider) -> None:
        db.session().begin()
        calls: list[Callable[[], Outcome]] = [
            lambda: provider.issuer.exchange("x"),
            lambda: provider.issuer.refresh("x"),
        ]
        if isinstance(provider.issuer, HubSpotIssuer):
            calls.append(lambda: provider.issuer.introspect("x"))
        for call in calls:
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                call()


def order(provider: Provider, **rule: Any) -> None:
    """Order a fault for the next call of the token endpoint."""
    provider.order({"match": {"operation": "oauth.token"}, "kind": "before", **rule})
