"""Reads of deals and their versions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.core.db import db
from app.core.errors import NotFound
from app.customers.models import Customer
from app.deals.models import BEFORE_GO_LIVE, Deal, DealVersion


def of_hubspot(hubspot_deal_id: int) -> Deal | None:
    """Return a deal by HubSpot's id."""
    return db.session.execute(select(Deal).where(Deal.hubspot_deal_id == hubspot_deal_id)).scalar_one_or_none()


def get(deal_id: int) -> Deal:
    """Return a deal of the bound portal by our id; NotFound otherwise."""
    found = db.session.execute(select(Deal).where(Deal.id == deal_id)).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such deal.")
    return found


def newest_version(deal_id: int) -> DealVersion | None:
    """Return the deal's newest version, if it has one."""
    return db.session.execute(
        select(DealVersion).where(DealVersion.deal_id == deal_id).order_by(DealVersion.number.desc()).limit(1)
    ).scalar_one_or_none()


def version(version_id: int) -> DealVersion:
    """Return one version."""
    return db.session.execute(select(DealVersion).where(DealVersion.id == version_id)).scalar_one()


def with_line(line_id: str) -> Deal | None:
    """Return the deal that had this line item when we last read it."""
    return db.session.execute(select(Deal).where(Deal.line_ids.contains([line_id])).limit(1)).scalar_one_or_none()


def of_customer(customer_id: int) -> Sequence[Deal]:
    """Return a customer's deals, oldest first."""
    return db.session.execute(select(Deal).where(Deal.customer_id == customer_id).order_by(Deal.id)).scalars().all()


def before_go_live() -> Sequence[Deal]:
    """Return won deals from before the go-live date: they wait for a person's import and never bill by themselves."""
    return db.session.execute(select(Deal).where(Deal.state == BEFORE_GO_LIVE).order_by(Deal.won_on)).scalars().all()


def of_company(hubspot_company_id: int) -> Sequence[Deal]:
    """Return the deals that had this company when we last read them."""
    return (
        db.session.execute(
            select(Deal)
            .join(Customer, Customer.id == Deal.customer_id)
            .where(Customer.hubspot_company_id == hubspot_company_id)
        ).scalars().all()
    )  # fmt: skip


def with_contact(contact_id: str) -> Sequence[Deal]:
    """Return the deals that had this contact when we last read them."""
    return db.session.execute(select(Deal).where(Deal.contact_ids.contains([contact_id]))).scalars().all()
