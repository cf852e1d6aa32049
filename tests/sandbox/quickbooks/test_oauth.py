"""Consent, tokens, rotation, revocation."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kit.store import Store
from sandbox.quickbooks.grants import ACCESS_LIFE_S, CODE_LIFE_S, HARD_LIFE_S, REFRESH_LIFE_S, Grants, InvalidGrant
from tests.sandbox.quickbooks.harness import (
    CLIENT,
    DE,
    REDIRECT,
    SCOPE,
    US,
    Company,
    StandIn,
    code_of,
    query_of,
)

ASKED = {
    "client_id": CLIENT[0],
    "response_type": "code",
    "scope": SCOPE,
    "redirect_uri": REDIRECT,
    "state": "a b&c",
}


class TestConsent:
    def test_page_names_the_companies_and_refuses_to_be_framed(self, stand_in: StandIn) -> None:
        response = stand_in.session.get(f"{stand_in.base}/connect/oauth2", params=ASKED)
        assert response.ok
        assert "Northwind Software Inc" in response.text
        assert "Alpenglow GmbH" in response.text
        assert response.headers["X-Frame-Options"] == "DENY"

    def test_connect_returns_code_state_and_realm(self, stand_in: StandIn) -> None:
        response = stand_in.consent(DE, state="a b&c")
        assert response.headers["Location"].startswith(REDIRECT + "?")
        answer = query_of(response)
        assert answer["state"] == "a b&c"
        assert answer["realmId"] == DE
        assert len(answer["code"]) <= 512

    def test_cancel_returns_access_denied(self, stand_in: StandIn) -> None:
        answer = query_of(stand_in.consent(US, decision="cancel"))
        assert answer == {"error": "access_denied", "state": "state-1"}

    def test_unknown_scope_returns_invalid_scope(self, stand_in: StandIn) -> None:
        assert query_of(stand_in.consent(US, scope="com.intuit.everything"))["error"] == "invalid_scope"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"redirect_uri": REDIRECT + "/"},
            {"redirect_uri": REDIRECT + "?a=1"},
            {"client_id": "other"},
            {"response_type": "token"},
            {"realm_id": "1"},
        ],
    )
    def test_what_does_not_fit_the_registration_is_not_redirected(
        self, stand_in: StandIn, wrong: dict[str, str]
    ) -> None:
        assert stand_in.consent(US, **wrong).status_code == 400


class TestTokens:
    def test_code_gives_tokens(self, stand_in: StandIn) -> None:
        company = stand_in.connect(US)
        assert company.tokens["token_type"] == "bearer"
        assert company.tokens["expires_in"] == 3600
        assert company.tokens["x_refresh_token_expires_in"] == 8_726_400
        assert "x_refresh_token_hard_expires_in" not in company.tokens
        assert company.get("companyinfo/" + US).ok

    def test_hard_expiry_only_with_its_header(self, stand_in: StandIn) -> None:
        company = stand_in.connect(US)
        answer = stand_in.token(
            headers={"x-include-refresh-token-hard-expires-in": "true"},
            grant_type="refresh_token",
            refresh_token=company.tokens["refresh_token"],
        ).json()
        assert 0 <= HARD_LIFE_S - answer["x_refresh_token_hard_expires_in"] <= 5

    def test_code_works_once_and_its_second_use_ends_the_grant(self, stand_in: StandIn) -> None:
        code = query_of(stand_in.consent(US))["code"]
        form: dict[str, Any] = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        company = Company(stand_in, US, stand_in.token(**form).json())
        again = stand_in.token(**form)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert company.get("customer/1").status_code == 401

    def test_code_needs_its_redirect(self, stand_in: StandIn) -> None:
        code = query_of(stand_in.consent(US))["code"]
        answer = stand_in.token(grant_type="authorization_code", code=code, redirect_uri="http://localhost/x")
        assert answer.json()["error"] == "invalid_grant"

    def test_wrong_client_is_401_invalid_client(self, stand_in: StandIn) -> None:
        answer = stand_in.token(auth=(CLIENT[0], "wrong"), grant_type="refresh_token", refresh_token="x")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_unknown_grant_type(self, stand_in: StandIn) -> None:
        assert stand_in.token(grant_type="password").json()["error"] == "unsupported_grant_type"

    def test_value_stays_within_the_day(self, stand_in: StandIn) -> None:
        company = stand_in.connect(US)
        old = company.tokens["refresh_token"]
        answer = stand_in.token(grant_type="refresh_token", refresh_token=old).json()
        assert answer["refresh_token"] == old
        assert answer["access_token"] != company.tokens["access_token"]

    def test_ordered_rotation_kills_the_previous_value(self, stand_in: StandIn) -> None:
        stand_in.control("settings", rotate="always")
        company = stand_in.connect(US)
        old = company.tokens["refresh_token"]
        new = stand_in.token(grant_type="refresh_token", refresh_token=old).json()["refresh_token"]
        assert new != old
        dead = stand_in.token(grant_type="refresh_token", refresh_token=old)
        assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")
        assert stand_in.token(grant_type="refresh_token", refresh_token=new).ok

    @pytest.mark.parametrize("which", ["access_token", "refresh_token"])
    def test_revoking_either_token_ends_the_grant(self, stand_in: StandIn, which: str) -> None:
        company = stand_in.connect(US)
        url = f"{stand_in.base}/v2/oauth2/tokens/revoke"
        assert stand_in.session.post(url, json={"token": company.tokens[which]}, auth=CLIENT).status_code == 200
        assert company.get("customer/1").status_code == 401
        refresh = stand_in.token(grant_type="refresh_token", refresh_token=company.tokens["refresh_token"])
        assert refresh.json()["error"] == "invalid_grant"

    def test_revoking_an_unknown_token_is_400(self, stand_in: StandIn) -> None:
        url = f"{stand_in.base}/v2/oauth2/tokens/revoke"
        assert stand_in.session.post(url, json={"token": "x"}, auth=CLIENT).status_code == 400
        assert stand_in.session.post(url, json={"token": "x"}).status_code == 401

    def test_person_can_end_access_or_everything(self, stand_in: StandIn) -> None:
        company = stand_in.connect(US)
        refresh = {"grant_type": "refresh_token", "refresh_token": company.tokens["refresh_token"]}
        stand_in.control("tokens", realm_id=US, end="access")
        assert company.get("customer/1").status_code == 401
        assert stand_in.token(**refresh).ok
        stand_in.control("tokens", realm_id=US, end="revoked")
        assert stand_in.token(**refresh).status_code == 400


class TestOtherCompany:
    def test_token_of_another_realm_is_403(self, stand_in: StandIn) -> None:
        company = stand_in.connect(US)
        company.url = company.url.replace(US, DE)
        assert code_of(company.get("customer/1"), 403) == "3100"


class TestLifetimes:
    """Time is given, so that days pass at once."""

    def setup_method(self) -> None:
        self.now = 1_000_000.0
        self.grants = Grants(Store(None), clock=lambda: self.now)

    def connect(self) -> tuple[str, str]:
        tokens = self.grants.exchange(self.grants.consent(US, REDIRECT, SCOPE), REDIRECT)
        return tokens.access_token, tokens.refresh_token

    def test_code_expires(self) -> None:
        code = self.grants.consent(US, REDIRECT, SCOPE)
        self.now += CODE_LIFE_S + 1
        with pytest.raises(InvalidGrant):
            self.grants.exchange(code, REDIRECT)

    def test_access_token_expires(self) -> None:
        access, _ = self.connect()
        self.now += ACCESS_LIFE_S - 1
        assert self.grants.realm_of(access) == US
        self.now += 1
        assert self.grants.realm_of(access) is None

    def test_value_changes_at_the_first_refresh_after_a_day(self) -> None:
        _, old = self.connect()
        self.now += 24 * 3600 - 1
        assert self.grants.refresh(old, False).refresh_token == old
        self.now += 1
        new = self.grants.refresh(old, False).refresh_token
        assert new != old
        with pytest.raises(InvalidGrant):
            self.grants.refresh(old, False)

    def test_refresh_token_expires_when_unused(self) -> None:
        _, refresh = self.connect()
        assert self.grants.connected_realms() == {US}
        self.now += REFRESH_LIFE_S
        assert self.grants.connected_realms() == set()
        with pytest.raises(InvalidGrant):
            self.grants.refresh(refresh, False)

    def test_five_years_are_the_end_whatever_is_refreshed(self) -> None:
        _, refresh = self.connect()
        end = self.now + HARD_LIFE_S
        while self.now < end - REFRESH_LIFE_S / 2:
            self.now += REFRESH_LIFE_S / 2
            tokens = self.grants.refresh(refresh, False)
            refresh = tokens.refresh_token
        assert tokens.refresh_expires_in_s == tokens.hard_expires_in_s < REFRESH_LIFE_S
        self.now = end
        with pytest.raises(InvalidGrant):
            self.grants.refresh(refresh, False)
