"""Many rows in one statement end like rows written one by one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.core.bulk import fresh_ids, insert_rows
from app.core.db import bound_portal, db
from app.core.events import Event, record_all
from app.deals.models import Deal
from app.invoices.models import Invoice, InvoiceLine
from app.portals.models import Portal
from tests import factories as make
from tests.factories import portal as portal
from tests.factories import product as product
from tests.factories import unbound as unbound


def line(invoice_id: int, position: int, **changes: Any) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id, "position": position, "item_key": "a", "name": 'Quote " and ü \\ line\nbreak',
        "start_on": date(2027, 3, 1), "end_on": date(2027, 4, 1), "quantity": Decimal("1E+1"),
        "unit_price": Decimal("0.000000000001"), "amount_minor": 2**53 + 1, "why": "", "due_amount_minor": None,
        **changes,
    }  # fmt: skip


@pytest.fixture
def invoice(portal: Portal) -> Invoice:
    (made,) = make.draft(make.win())
    return made


class TestInsertRows:
    def test_writes_each_value_exactly_and_lets_the_rest_be_its_default(self, invoice: Invoice) -> None:
        insert_rows("invoice_line", [line(invoice.id, 7), line(invoice.id, 8, due_amount_minor=5)])
        rows = db.session.execute(select(InvoiceLine).where(InvoiceLine.position >= 7).order_by(InvoiceLine.position))
        first, second = rows.scalars()

        assert (first.quantity, first.unit_price) == (Decimal(10), Decimal("0.000000000001"))
        assert first.amount_minor == 2**53 + 1
        assert (first.name, first.start_on) == ('Quote " and ü \\ line\nbreak', date(2027, 3, 1))
        assert (first.portal_id, first.discount_minor, first.corrects) == (bound_portal(), 0, "")
        assert (first.due_amount_minor, second.due_amount_minor) == (None, 5)

    def test_of_nothing_is_nothing(self, portal: Portal) -> None:
        insert_rows("invoice_line", [])

    def test_keeps_another_portals_rows_out(self, invoice: Invoice) -> None:
        with pytest.raises(DBAPIError), db.session.begin_nested():
            insert_rows("event", [{"portal_id": bound_portal() + 1, "kind": "x", "subject_kind": "y", "subject_id": "1",
                                   "data": {}}])  # fmt: skip


def test_fresh_ids_are_new_and_in_order(portal: Portal) -> None:
    ids = fresh_ids("deal", 3)
    deal = Deal(hubspot_deal_id=1)
    db.session.add(deal)
    db.session.flush()

    assert sorted(set(ids)) == ids
    assert deal.id > ids[-1]


def test_events_of_many_are_written_in_order(portal: Portal) -> None:
    record_all("made.up", "deal", [(2, {"n": {"deep": [1, None]}}), (1, {})])
    rows = db.session.execute(select(Event.subject_id, Event.data).where(Event.kind == "made.up").order_by(Event.id))

    assert [tuple(row) for row in rows] == [("2", {"n": {"deep": [1, None]}}), ("1", {})]
