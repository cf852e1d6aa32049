"""Reads of customers."""

from __future__ import annotations

from sqlalchemy import select

from app.core.db import db
from app.core.errors import NotFound
from app.customers.models import Customer


def get(customer_id: int) -> Customer:
    """Return a customer of the bound portal; NotFound otherwise."""
    found = db.session.execute(select(Customer).where(Customer.id == customer_id)).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def of_company(hubspot_company_id: int) -> Customer | None:
    """Return the customer of a HubSpot company, if we know it."""
    return db.session.execute(
        select(Customer).where(Customer.hubspot_company_id == hubspot_company_id)
    ).scalar_one_or_none()
