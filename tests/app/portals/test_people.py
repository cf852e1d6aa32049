"""People of a portal and what their roles let them do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.db import db, transaction
from app.core.errors import Invalid, NotAllowed, NotFound
from app.core.events import Audit
from app.portals import actions, queries
from app.portals.actions import Actor
from app.portals.models import ADMIN, APPROVER, VIEWER, Person
from tests.conftest import USER_EMAIL, USER_ID, Tenant


@pytest.fixture
def portal(shared_app: Flask, tenant: Tenant) -> Iterator[int]:
    """A fresh portal with its admin Ada, bound for the test; what a test does is rolled back."""
    with shared_app.app_context():
        from app.core.db import bind_portal

        bind_portal(tenant.id)
        yield tenant.id
        db.session.rollback()


def actor(role: str = ADMIN) -> Actor:
    """Return somebody of the bound portal with a role."""
    if role == ADMIN:
        found = queries.person_by_email(USER_EMAIL)
        assert found is not None
        return Actor(found.id, found.email, found.role)
    made = Person(email=f"{role}@northwind.example", role=role)
    db.session.add(made)
    db.session.flush()
    return Actor(made.id, made.email, made.role)


def audited() -> list[str]:
    db.session.flush()
    return list(db.session.execute(select(Audit.action).order_by(Audit.id)).scalars())


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "needed", "allowed"),
        [(VIEWER, VIEWER, True), (VIEWER, APPROVER, False), (VIEWER, ADMIN, False), (APPROVER, VIEWER, True),
         (APPROVER, APPROVER, True), (APPROVER, ADMIN, False), (ADMIN, APPROVER, True), (ADMIN, ADMIN, True)],
    )  # fmt: skip
    def test_include_the_lower_ones(self, role: str, needed: str, allowed: bool) -> None:
        person = Actor(1, "a@b.example", role)
        assert person.may(needed) is allowed
        if allowed:
            person.must_be(needed)
        else:
            with pytest.raises(NotAllowed, match=f"needs the role {needed}"):
                person.must_be(needed)


class TestSignedPerson:
    def test_is_known_from_the_first_signature_on_as_a_viewer(self, portal: int) -> None:
        first = actions.signed_person(hubspot_user_id=7, email=" Rep@Northwind.example ")
        assert (first.email, first.role, first.hubspot_user_id) == ("rep@northwind.example", VIEWER, 7)
        assert actions.signed_person(hubspot_user_id=7, email="rep@northwind.example").id == first.id

    def test_keeps_their_role_when_their_address_changes(self, portal: int) -> None:
        person = actions.signed_person(hubspot_user_id=USER_ID, email="ada.lovelace@northwind.example")
        assert (person.email, person.role) == ("ada.lovelace@northwind.example", ADMIN)

    def test_keeps_their_old_address_when_the_new_one_is_somebody_elses(self, portal: int) -> None:
        actions.signed_person(hubspot_user_id=7, email="rep@northwind.example")
        person = actions.signed_person(hubspot_user_id=7, email=USER_EMAIL)
        assert (person.email, person.hubspot_user_id) == ("rep@northwind.example", 7)

    def test_with_anothers_address_is_refused(self, portal: int) -> None:
        with pytest.raises(NotAllowed, match="belongs to another user"):
            actions.signed_person(hubspot_user_id=8, email=USER_EMAIL)

    def test_installer_is_the_first_admin_and_only_the_first(self, portal: int) -> None:
        later = actions.signed_person(hubspot_user_id=9, email="eve@northwind.example", first_admin=True)
        assert later.role == VIEWER
        assert audited() == ["became the first admin (installer)"]


class TestGrant:
    def test_changes_a_role_and_is_audited(self, portal: int) -> None:
        rep = actor(VIEWER)
        assert actions.grant_role(actor(), rep.person_id, APPROVER).role == APPROVER
        assert audited()[-1] == "made viewer@northwind.example approver (was viewer)"

    @pytest.mark.parametrize("role", [VIEWER, APPROVER])
    def test_is_refused_for_who_is_no_admin(self, portal: int, role: str) -> None:
        who = actor(role)
        with pytest.raises(NotAllowed):
            actions.grant_role(who, who.person_id, ADMIN)
        with pytest.raises(NotAllowed):
            actions.invite(who, "new@northwind.example", ADMIN)

    def test_is_refused_for_the_last_admin(self, portal: int) -> None:
        ada = actor()
        with pytest.raises(Invalid, match="one admin at least"):
            actions.grant_role(ada, ada.person_id, VIEWER)
        actions.invite(ada, "second@northwind.example", ADMIN)
        assert actions.grant_role(ada, ada.person_id, VIEWER).role == VIEWER

    @pytest.mark.parametrize("role", ["", "owner", "ADMIN"])
    def test_is_refused_for_what_is_no_role(self, portal: int, role: str) -> None:
        with pytest.raises(Invalid, match="not a role"):
            actions.grant_role(actor(), actor().person_id, role)

    def test_is_404_for_a_person_of_another_portal(self, portal: int, shared_app: Flask, other_tenant: Tenant) -> None:
        with shared_app.app_context(), transaction(other_tenant.id):
            foreign = db.session.execute(select(Person.id)).scalar_one()
        with pytest.raises(NotFound):
            actions.grant_role(actor(), foreign, ADMIN)


class TestInvite:
    def test_adds_a_person_or_changes_the_one_known(self, portal: int) -> None:
        first = actions.invite(actor(), " Finance@Northwind.example", APPROVER)
        assert (first.email, first.role, first.hubspot_user_id) == ("finance@northwind.example", APPROVER, None)
        assert actions.invite(actor(), "finance@northwind.example", ADMIN).id == first.id

    @pytest.mark.parametrize("email", ["", "finance", "x" * 250 + "@b.example"])
    def test_is_refused_for_what_is_no_address(self, portal: int, email: str) -> None:
        with pytest.raises(Invalid, match="e-mail"):
            actions.invite(actor(), email, VIEWER)


class TestChoose:
    def test_changes_the_billing_choices(self, portal: int) -> None:
        changed = actions.choose(
            actor(), invoice_mode="approval", first_invoice_by_person=True, draft_ahead_days=None, net_days=14
        )
        assert (changed.invoice_mode, changed.draft_ahead, changed.net_days) == ("approval", 7, 14)
        assert audited()[-1] == "changed the billing settings"

    def test_draft_ahead_is_none_for_automatic_and_what_was_chosen_otherwise(self, portal: int) -> None:
        choices: dict[str, Any] = {"first_invoice_by_person": False, "net_days": 30}
        assert actions.choose(actor(), invoice_mode="automatic", draft_ahead_days=None, **choices).draft_ahead == 0
        assert actions.choose(actor(), invoice_mode="automatic", draft_ahead_days=3, **choices).draft_ahead == 3

    @pytest.mark.parametrize(
        ("change", "field"),
        [({"invoice_mode": "sometimes"}, "invoice_mode"), ({"draft_ahead_days": -1}, "draft_ahead_days"),
         ({"draft_ahead_days": 61}, "draft_ahead_days"), ({"net_days": -1}, "net_days"),
         ({"net_days": 366}, "net_days")],
    )  # fmt: skip
    def test_refuses_what_makes_no_sense_and_names_the_field(
        self, portal: int, change: dict[str, object], field: str
    ) -> None:
        choices: dict[str, Any] = {
            "invoice_mode": "automatic", "first_invoice_by_person": False, "draft_ahead_days": 0, "net_days": 30,
        }  # fmt: skip
        with pytest.raises(Invalid) as refused:
            actions.choose(actor(), **{**choices, **change})
        assert refused.value.fields == {"field": field}

    def test_is_for_admins(self, portal: int) -> None:
        with pytest.raises(NotAllowed):
            actions.choose(
                actor(APPROVER), invoice_mode="automatic", first_invoice_by_person=False, draft_ahead_days=0, net_days=1
            )


class TestDescribe:
    def test_keeps_zone_currency_and_go_live_day_of_the_first_install(self, portal: int) -> None:
        found = queries.current()
        actions.describe(
            found, name="New name", ui_domain="app-eu1.hubspot.com", account_type="SANDBOX", zone="Europe/Berlin",
            currency="EUR", today=date(2030, 1, 1),
        )  # fmt: skip
        assert (found.name, found.ui_domain, found.account_type) == ("New name", "app-eu1.hubspot.com", "SANDBOX")
        assert (found.timezone, found.currency, found.go_live_on) == ("America/New_York", "USD", date(2026, 1, 1))

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "US Eastern", "a\x00b"])
    def test_refuses_what_is_no_time_zone(self, zone: str) -> None:
        with pytest.raises(Invalid) as refused:
            actions.checked_zone(zone)
        assert refused.value.fields == {"field": "timezone"}


class TestOpenPortal:
    def test_is_the_same_for_the_same_account(self, shared_app: Flask, tenant: Tenant) -> None:
        with shared_app.app_context():
            assert actions.open_portal(tenant.hub_id) == tenant.id
            assert queries.id_of_hubspot(tenant.hub_id) == tenant.id
            assert queries.id_of_hubspot(1) is None
            assert tenant.id in queries.active_ids()
