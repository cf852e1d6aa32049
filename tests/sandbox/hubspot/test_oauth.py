"""Consent, exchange, refresh, introspection and uninstall."""

from __future__ import annotations

import pytest

from sandbox.hubspot.app import create_app
from sandbox.hubspot.settings import Settings
from tests.sandbox.hubspot.client import ALPENGLOW, NORTHWIND, REDIRECT, SCOPES, Client


class TestConsent:
    def test_page_shows_app_accounts_and_scopes(self, hubspot: Client) -> None:
        query = {"client_id": "client-1", "redirect_uri": REDIRECT, "scope": SCOPES, "state": "x"}
        page = hubspot.http.get(f"{hubspot.url}/oauth/authorize", params=query).text

        expected = ["Dealwright", "Northwind Software", "Alpenglow GmbH", "crm.objects.deals.read", "Cancel"]
        assert [text for text in expected if text not in page] == []

    def test_account_can_be_chosen_in_the_path(self, hubspot: Client) -> None:
        query = {"client_id": "client-1", "redirect_uri": REDIRECT, "scope": SCOPES}
        page = hubspot.http.get(f"{hubspot.url}/oauth/{ALPENGLOW}/authorize", params=query).text

        assert "Alpenglow GmbH" in page
        assert "Northwind Software" not in page

    def test_state_comes_back_unchanged(self, hubspot: Client) -> None:
        answer = hubspot.answer_of(hubspot.consent(state="a b&c=d/ü"))

        assert answer["state"] == "a b&c=d/ü"

    def test_cancel_leads_back_with_an_error(self, hubspot: Client) -> None:
        answer = hubspot.answer_of(hubspot.consent(decision="cancel"))

        assert (answer["error"], answer["state"]) == ("access_denied", "state-1")
        assert "code" not in answer

    @pytest.mark.parametrize(
        "change",
        [
            {"client_id": "other"},
            {"redirect_uri": "http://localhost:9000/elsewhere"},
            {"scope": ""},
            {"scope": "oauth crm.pipelines.deals.read"},
        ],
    )
    def test_what_is_wrong_is_shown_and_never_reaches_the_app(self, hubspot: Client, change: dict[str, str]) -> None:
        answer = hubspot.consent(**change)

        assert answer.status_code == 400
        assert "Location" not in answer.headers

    def test_install_url_must_name_every_required_scope(self, settings: Settings) -> None:
        changed = {**vars(settings), "required_scopes": ("oauth", "crm.objects.deals.read")}
        with create_app(Settings(**changed)).test_client() as browser:
            query = {"client_id": "client-1", "redirect_uri": REDIRECT, "scope": "oauth"}
            answer = browser.get("/oauth/authorize", query_string=query)

        assert answer.status_code == 400
        assert "crm.objects.deals.read" in answer.text

    def test_optional_scopes_may_be_withheld(self, hubspot: Client) -> None:
        wanted = {"scope": "oauth", "optional_scope": "crm.objects.deals.read"}

        assert hubspot.install(**wanted)["scopes"] == ["crm.objects.deals.read", "oauth"]
        assert hubspot.install(**wanted, withhold_optional="1")["scopes"] == ["oauth"]


class TestExchange:
    @pytest.mark.parametrize("version", ["2026-09", "2026-03"])
    def test_gives_tokens_of_the_account(self, hubspot: Client, version: str) -> None:
        form = {"grant_type": "authorization_code", "code": hubspot.code(), "redirect_uri": REDIRECT}
        answer = hubspot.token_call(version=version, **form).json()

        facts = {name: answer[name] for name in ("expires_in", "token_type", "token_use", "hub_id", "user_id")}
        assert facts == {
            "expires_in": 1800,
            "token_type": "bearer",
            "token_use": "access_token",
            "hub_id": NORTHWIND,
            "user_id": 501,
        }
        assert answer["scopes"] == sorted(SCOPES.split())
        assert len(answer["access_token"]) > 300
        assert answer["refresh_token"].startswith("na1-")

    def test_takes_forms_only(self, hubspot: Client) -> None:
        answer = hubspot.http.post(f"{hubspot.url}/oauth/2026-09/token", json={"grant_type": "refresh_token"})

        assert answer.status_code == 415

    @pytest.mark.parametrize(
        ("change", "error", "status"),
        [
            ({"client_id": "x"}, "invalid_client", "BAD_CLIENT_ID"),
            ({"client_secret": "x"}, "invalid_client", "BAD_CLIENT_SECRET"),
            ({"grant_type": "password"}, "unsupported_grant_type", "BAD_GRANT_TYPE"),
            ({"redirect_uri": "http://localhost:9000/nowhere"}, "invalid_request", "BAD_REDIRECT_URI"),
            ({"redirect_uri": "http://localhost:9000/other"}, "invalid_request", "BAD_REDIRECT_URI"),
            ({"code": "x"}, "invalid_grant", "BAD_AUTH_CODE"),
        ],
    )
    def test_errors_carry_both_vocabularies(
        self, hubspot: Client, change: dict[str, str], error: str, status: str
    ) -> None:
        answer = hubspot.exchange(**{"code": hubspot.code(), **change})

        body = answer.json()
        assert (answer.status_code, body["error"], body["status"]) == (400, error, status)
        assert body["error_description"] == body["message"] != ""

    def test_code_works_once(self, hubspot: Client) -> None:
        code = hubspot.code()
        hubspot.exchange(code)

        assert hubspot.exchange(code).json()["status"] == "BAD_AUTH_CODE"

    def test_app_counts_as_installed_after_the_exchange_only(self, hubspot: Client) -> None:
        def is_installed() -> bool:
            portals = hubspot.http.get(f"{hubspot.url}/_sandbox/portals").json()["portals"]
            return bool(portals[0]["installed"])

        code = hubspot.code()
        before = is_installed()
        hubspot.exchange(code)
        assert (before, is_installed()) == (False, True)


class TestRefresh:
    def test_gives_a_new_access_token_and_the_same_refresh_token(self, installed: Client) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": installed.refresh_token}
        answer = installed.token_call(**form).json()

        assert answer["refresh_token"] == installed.refresh_token
        assert answer["access_token"] != installed.token
        installed.get("/crm/objects/2026-09/deals")
        installed.token = answer["access_token"]
        installed.get("/crm/objects/2026-09/deals")

    def test_unknown_token_is_an_invalid_grant(self, hubspot: Client) -> None:
        answer = hubspot.token_call(grant_type="refresh_token", refresh_token="na1-x")

        assert answer.status_code == 400
        assert (answer.json()["error"], answer.json()["status"]) == ("invalid_grant", "BAD_REFRESH_TOKEN")

    def test_revoked_token_ends_but_access_lives_on(self, installed: Client) -> None:
        assert installed.token_call("token/revoke", token=installed.refresh_token).status_code == 200

        form = {"grant_type": "refresh_token", "refresh_token": installed.refresh_token}
        assert installed.token_call(**form).json()["status"] == "BAD_REFRESH_TOKEN"
        installed.get("/crm/objects/2026-09/deals")

    def test_uninstall_ends_everything(self, installed: Client) -> None:
        assert installed.call("DELETE", "/appinstalls/2026-09/external-install").status_code == 204

        form = {"grant_type": "refresh_token", "refresh_token": installed.refresh_token}
        assert installed.token_call(**form).json()["status"] == "BAD_REFRESH_TOKEN"
        assert installed.call("GET", "/crm/objects/2026-09/deals").status_code == 401

    def test_installing_again_gives_the_same_account_new_tokens(self, installed: Client) -> None:
        old = installed.refresh_token
        answer = installed.install()

        assert (answer["hub_id"], answer["refresh_token"] != old) == (NORTHWIND, True)


class TestIntrospection:
    def test_names_account_app_and_installer(self, installed: Client) -> None:
        answer = installed.token_call("token/introspect", token=installed.token, token_type_hint="access_token").json()

        names = ("active", "hub_id", "user_id", "app_id", "user", "token_use")
        assert [answer[name] for name in names] == [True, NORTHWIND, 501, 771, "ada@northwind.example", "access_token"]
        assert answer["scopes"] == sorted(SCOPES.split())
        assert answer["signed_access_token"]["hublet"] == "na1"
        assert 0 < answer["expires_in"] <= 1800

    def test_expired_or_unknown_is_inactive(self, installed: Client) -> None:
        installed.parts.tokens.expire(NORTHWIND)

        assert installed.token_call("token/introspect", token=installed.token).json() == {"active": False}
        assert installed.token_call("token/introspect", token="x").json() == {"active": False}


class TestBearer:
    def test_missing_or_wrong_is_invalid(self, hubspot: Client) -> None:
        answer = hubspot.http.get(f"{hubspot.url}/crm/objects/2026-09/deals")

        assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")

    def test_lives_half_an_hour(self, installed: Client) -> None:
        tokens = installed.parts.tokens
        real = tokens.now
        tokens.now = lambda: real() + 1_799
        installed.get("/crm/objects/2026-09/deals")
        tokens.now = lambda: real() + 1_801

        answer = installed.call("GET", "/crm/objects/2026-09/deals")

        body = answer.json()
        assert (answer.status_code, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
        assert body["context"]["expire time"]

    def test_moved_day_does_not_age_it(self, installed: Client) -> None:
        installed.control("clock", {"date": "2027-06-01"})

        installed.get("/crm/objects/2026-09/deals")

    def test_can_be_made_to_expire_now(self, installed: Client) -> None:
        assert installed.control("tokens/expire", {"hub_id": NORTHWIND}).json() == {"expired": 1}

        assert installed.call("GET", "/crm/objects/2026-09/deals").json()["category"] == "EXPIRED_AUTHENTICATION"

    def test_lacking_scope_is_named(self, hubspot: Client) -> None:
        hubspot.install(scope="oauth crm.objects.deals.read")

        answer = hubspot.call("GET", "/crm/objects/2026-09/companies")

        body = answer.json()
        assert (answer.status_code, body["category"]) == (403, "MISSING_SCOPES")
        assert body["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.companies.read"]}

    def test_reaches_its_own_account_only(self, hubspot: Client) -> None:
        hubspot.install(ALPENGLOW)

        assert hubspot.get("/account-info/2026-09/details")["portalId"] == ALPENGLOW
        assert hubspot.call("GET", "/crm/objects/2026-09/deals/30200000001").status_code == 404
