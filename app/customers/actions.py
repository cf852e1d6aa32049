"""Verbs of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core import clock
from app.core.db import db
from app.customers import queries
from app.customers.models import Customer


def observe(company: Mapping[str, str | None], contacts: Sequence[Mapping[str, str | None]]) -> Customer:
    """Write what HubSpot says of a company and its contacts as they are now; return the customer.

    The billing contact is the deal's only contact with an e-mail. With none or several the known one stays (another
    deal of the customer may have named it); where none is known, mailing asks.
    """
    company_id = int(company["hs_object_id"] or 0)
    customer = queries.of_company(company_id)
    if customer is None:
        customer = Customer(hubspot_company_id=company_id, name="")
        db.session.add(customer)
    customer.name = (company.get("name") or company.get("domain") or f"Company {company_id}").strip()
    by_email = {(c.get("email") or "").strip().lower(): c for c in contacts if (c.get("email") or "").strip()}
    if customer.billing_email not in by_email and len(by_email) == 1:
        ((customer.billing_email, contact),) = by_email.items()
        customer.billing_contact = " ".join(filter(None, (contact.get("firstname"), contact.get("lastname")))) or None
    customer.snapshot = {"company": dict(company)}
    customer.synced_at = clock.now()
    db.session.flush()
    return customer
