"""Customers follow their HubSpot company; the billing e-mail is never guessed among several."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.core.db import db, transaction
from app.core.errors import NotFound
from app.customers import actions, queries
from app.customers.models import Customer
from app.portals.models import Portal
from tests import factories as make

WILE = {"hs_object_id": "801", "email": "Billing@Acme.example ", "firstname": "Wile", "lastname": "Carter"}
DANA = {"hs_object_id": "802", "email": "dana@acme.example", "firstname": None, "lastname": None}
NOBODY = {"hs_object_id": "803", "email": "", "firstname": "No", "lastname": "Mail"}


class TestObserve:
    def test_writes_one_customer_however_often_it_is_read(self, portal: Portal) -> None:
        ids = {actions.observe(make.ACME, [WILE]).id for _ in range(3)}

        assert len(ids) == 1
        assert make.how_many(Customer) == 1

    @pytest.mark.parametrize(
        ("contacts", "email", "name"),
        [
            ([], None, None),
            ([WILE], "billing@acme.example", "Wile Carter"),
            ([NOBODY], None, None),
            ([WILE, NOBODY], "billing@acme.example", "Wile Carter"),
            ([DANA], "dana@acme.example", None),
            ([WILE, DANA], None, None),
        ],
    )
    def test_takes_the_only_contact_with_an_e_mail_for_the_billing_contact(
        self, portal: Portal, contacts: list[Mapping[str, str | None]], email: str | None, name: str | None
    ) -> None:
        customer = actions.observe(make.ACME, contacts)

        assert (customer.billing_email, customer.billing_contact) == (email, name)

    def test_keeps_the_known_contact_when_another_joins(self, portal: Portal) -> None:
        actions.observe(make.ACME, [WILE])

        assert actions.observe(make.ACME, [DANA, WILE]).billing_email == "billing@acme.example"

    def test_follows_when_the_contact_was_replaced(self, portal: Portal) -> None:
        actions.observe(make.ACME, [WILE])

        assert actions.observe(make.ACME, [DANA]).billing_email == "dana@acme.example"

    def test_follows_the_company_when_it_is_renamed(self, portal: Portal) -> None:
        actions.observe(make.ACME, [])

        assert actions.observe({**make.ACME, "name": " Acme Holding "}, []).name == "Acme Holding"

    @pytest.mark.parametrize(
        ("name", "domain", "shown"), [(None, "acme.example", "acme.example"), ("", "", "Company 901")]
    )
    def test_calls_a_company_without_a_name_by_domain_or_id(
        self, portal: Portal, name: str | None, domain: str | None, shown: str
    ) -> None:
        assert actions.observe({**make.ACME, "name": name, "domain": domain}, []).name == shown


class TestQueries:
    def test_find_a_customer_by_company(self, portal: Portal) -> None:
        customer = actions.observe(make.ACME, [])

        assert queries.of_company(901) is customer
        assert queries.get(customer.id) is customer
        assert queries.of_company(902) is None

    def test_do_not_find_another_portals_customer(self, portal: Portal) -> None:
        customer_id = actions.observe(make.ACME, []).id
        db.session.commit()

        with transaction(make.fresh_portal()):
            assert queries.of_company(901) is None
            with pytest.raises(NotFound):
                queries.get(customer_id)
