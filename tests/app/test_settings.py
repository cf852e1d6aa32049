"""Settings: complete or not at all, and safe in production."""

from __future__ import annotations

import base64

import pytest

from app.settings import Settings, SettingsError
from tests.conftest import environment

REQUIRED = (
    "PUBLIC_ORIGIN", "DATABASE_URL", "REDIS_URL", "SECRET_KEYS", "LOOKUP_KEY", "HUBSPOT_CLIENT_ID",
    "HUBSPOT_CLIENT_SECRETS", "HUBSPOT_APP_ID", "QUICKBOOKS_CLIENT_ID", "QUICKBOOKS_CLIENT_SECRET",
    "QUICKBOOKS_VERIFIER_TOKENS",
)  # fmt: skip
KEY = base64.urlsafe_b64encode(b"z" * 32).decode()


def given(**changes: str) -> dict[str, str]:
    return environment(
        "postgresql://app_rw:database-pass@127.0.0.1:1/x", "redis://:redis-pass@127.0.0.1:2/0", **changes
    )


def production(**changes: str) -> dict[str, str]:
    """A complete environment that production accepts: provider addresses by default, no sandbox setting."""
    kept = {
        name: value
        for name, value in given().items()
        if not name.endswith("_URL") or name in ("DATABASE_URL", "REDIS_URL")
    }
    for name in ("SANDBOX", "MOVABLE_CLOCK", "DEALWRIGHT_ENV", "QUICKBOOKS_ENVIRONMENT"):
        del kept[name]
    return kept | {"PUBLIC_ORIGIN": "https://billing.example", **changes}


def complaints(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(environ)
    return str(refused.value)


class TestMissing:
    def test_names_every_missing_setting_at_once_when_nothing_is_set(self) -> None:
        said = complaints({})
        assert [name for name in REQUIRED if f"{name} is missing" not in said] == []

    @pytest.mark.parametrize("name", REQUIRED)
    def test_names_the_one_that_is_missing(self, name: str) -> None:
        assert complaints(given(**{name: " "})) == f"Dealwright can't start:\n  - {name} is missing"

    def test_stops_the_process_when_raised_at_its_start(self) -> None:
        assert issubclass(SettingsError, SystemExit)


class TestWrong:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DEALWRIGHT_ENV", "staging"),
            ("PUBLIC_ORIGIN", "localhost:8700"),
            ("PUBLIC_ORIGIN", "ftp://localhost"),
            ("HUBSPOT_APP_ID", "seven"),
            ("HUBSPOT_APP_ID", "-1"),
            ("QUICKBOOKS_ENVIRONMENT", "test"),
            ("QUICKBOOKS_API_URL", "quickbooks"),
            ("SANDBOX", "yes"),
            ("LOG_FORMAT", "xml"),
            ("WORK_LEASE_S", "soon"),
            ("WORK_LEASE_S", "0"),
            ("WORK_LEASE_S", "nan"),
            ("WORK_UNKNOWN_WAIT_S", "inf"),
            ("HUBSPOT_CLIENT_SECRETS", " , "),
            ("QUICKBOOKS_VERIFIER_TOKENS", ","),
        ],
    )
    def test_is_named_when_a_value_can_not_be_used(self, name: str, value: str) -> None:
        assert name in complaints(given(**{name: value}))

    @pytest.mark.parametrize("value", ["k1:short", f"k1:{KEY[:-6]}", "k1:", f"k1:{KEY},k0:x", ","])
    def test_is_named_when_a_key_is_not_32_bytes(self, value: str) -> None:
        assert "SECRET_KEYS" in complaints(given(SECRET_KEYS=value))

    def test_lookup_key_is_named_when_it_is_not_32_bytes(self) -> None:
        assert "LOOKUP_KEY" in complaints(given(LOOKUP_KEY="abc"))

    @pytest.mark.parametrize("value", [KEY, f":{KEY}", f"k1:{KEY},{KEY}"])
    def test_key_without_its_id_is_refused_and_never_printed(self, value: str) -> None:
        said = complaints(given(SECRET_KEYS=value))
        assert "SECRET_KEYS" in said
        assert KEY not in said

    def test_lease_that_two_calls_could_outlast_is_refused(self) -> None:
        said = complaints(given(WORK_LEASE_S="10", HTTP_CONNECT_TIMEOUT_S="1", HTTP_READ_TIMEOUT_S="4"))
        assert "WORK_LEASE_S is 10" in said

    def test_lease_that_outlasts_two_calls_and_a_margin_is_taken(self) -> None:
        taken = Settings.from_environ(given(WORK_LEASE_S="10", HTTP_CONNECT_TIMEOUT_S="1", HTTP_READ_TIMEOUT_S="3"))
        assert taken.lease_margin_s == 1

    def test_key_id_that_comes_twice_is_refused_because_one_of_the_keys_would_be_lost(self) -> None:
        assert "each id once" in complaints(given(SECRET_KEYS=f"k1:{KEY},k1:{KEY}"))


class TestProduction:
    def test_is_the_environment_when_none_is_named(self) -> None:
        settings = Settings.from_environ(production())
        assert settings.is_production
        assert settings.environment == "production"

    @pytest.mark.parametrize(("name", "value"), [("SANDBOX", "1"), ("MOVABLE_CLOCK", "1"), ("FAILPOINT", "x.before")])
    def test_refuses_a_sandbox_setting(self, name: str, value: str) -> None:
        assert f"{name} is for the sandbox" in complaints(production(**{name: value}))

    @pytest.mark.parametrize(
        "name",
        [
            "PUBLIC_ORIGIN", "HUBSPOT_API_URL", "HUBSPOT_APP_URL", "QUICKBOOKS_API_URL", "QUICKBOOKS_AUTHORIZE_URL",
            "QUICKBOOKS_TOKEN_URL", "QUICKBOOKS_REVOKE_URL", "QUICKBOOKS_APP_URL",
        ],
    )  # fmt: skip
    def test_refuses_a_plain_http_address(self, name: str) -> None:
        assert f"{name} must be https" in complaints(production(**{name: "http://127.0.0.1:9"}))

    def test_names_all_sandbox_settings_at_once(self) -> None:
        said = complaints(given(DEALWRIGHT_ENV="production", FAILPOINT="x"))
        assert said.count("is for the sandbox") == 3
        assert said.count("must be https") == 8

    def test_has_the_providers_own_addresses_by_default(self) -> None:
        settings = Settings.from_environ(production())
        assert settings.hubspot_api_url == "https://api.hubapi.com"
        assert settings.quickbooks_api_url == "https://quickbooks.api.intuit.com"
        assert settings.quickbooks_environment == "production"


class TestComplete:
    def test_reads_lists_in_their_order_and_keys_with_their_ids(self) -> None:
        settings = Settings.from_environ(given(HUBSPOT_CLIENT_SECRETS="new, old,", SECRET_KEYS=f"k2:{KEY},k1:{KEY}"))
        assert settings.hubspot_client_secrets == ("new", "old")
        assert [key_id for key_id, _ in settings.secret_keys] == ["k2", "k1"]
        assert all(len(key) == 32 for _, key in settings.secret_keys)

    def test_addresses_carry_no_trailing_slash(self) -> None:
        assert Settings.from_environ(given(PUBLIC_ORIGIN="http://localhost:1/")).public_origin == "http://localhost:1"

    def test_sandbox_settings_are_off_by_default(self) -> None:
        environ = given()
        del environ["SANDBOX"], environ["MOVABLE_CLOCK"]
        settings = Settings.from_environ(environ)
        assert (settings.sandbox, settings.movable_clock, settings.failpoint) == (False, False, "")


class TestRepr:
    def test_hides_every_secret(self) -> None:
        environ = given(SECRET_KEYS=f"k1:{KEY}")
        settings = Settings.from_environ(environ)
        secrets = ["database-pass", "redis-pass", KEY, "zzzz"]
        secrets += [environ[n] for n in ("HUBSPOT_CLIENT_SECRETS", "QUICKBOOKS_CLIENT_SECRET", "LOOKUP_KEY")]
        for shown in (repr(settings), str(settings), f"{settings}", repr([settings])):
            assert [secret for secret in secrets if secret in shown] == []
