"""One database for the folder; each test has a portal of its own in it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.core.db import db
from app.core.outcome import Done
from app.invoices import enqueue
from app.invoices.models import Invoice, LedgerItem
from app.invoices.push import CreateCustomer, CreateInvoice, CreateItem
from app.portals.models import Portal
from tests import factories as make
from tests.app.invoices.pushing import step, theirs
from tests.factories import portal as portal
from tests.factories import product as product
from tests.factories import unbound as unbound


@pytest.fixture
def invoice(portal: Portal) -> Invoice:
    """An approved invoice over 1,000.00 for Acme."""
    (approved,) = make.draft(make.win())
    assert approved.state == "approved"
    return approved


@pytest.fixture
def linked(invoice: Invoice) -> Invoice:
    """The same with its customer and item in the ledger."""
    make.push(step(CreateCustomer), enqueue.CUSTOMER, invoice.customer_id, Done(make.ledger_record("58")))
    (item_id,) = db.session.execute(select(LedgerItem.id)).scalars()
    make.push(step(CreateItem), enqueue.ITEM, item_id, Done(make.ledger_record("19", "Platform")))
    return invoice


@pytest.fixture
def in_ledger(linked: Invoice) -> Invoice:
    """The same, created in the ledger and not mailed yet."""
    make.push(step(CreateInvoice), enqueue.INVOICE, linked.id, Done(theirs(linked)))
    return linked


@pytest.fixture
def by_hand(portal: Portal) -> Portal:
    """The portal after approval."""
    portal.invoice_mode = "approval"
    return portal


@pytest.fixture
def drafted(by_hand: Portal) -> Invoice:
    """One draft: ten seats at 100.00 from 1 March, and a set-up fee."""
    (draft,) = make.draft(make.win(make.crm_deal(make.crm_line(), make.setup_line())))
    return draft
