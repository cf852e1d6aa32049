"""What happened to a draft since a person was shown a version of it."""

from __future__ import annotations

from app.billing.money import Money
from app.console import invoices, queries
from app.console.invoices import Moment
from app.invoices.models import Invoice


def since(invoice: Invoice, version: int) -> list[Moment]:
    """Return who changed what after this version, oldest first; a version that no person made tells its net."""
    told, by_people = [], set()
    for audit in queries.audit_of("invoice", invoice.id):
        if "edit" in audit.detail and audit.detail.get("version", 0) > version:
            by_people.add(audit.detail["version"])
            told.append(
                Moment(audit.created_at, audit.actor, invoices.act(audit.action, audit.detail, invoice.currency))
            )
    for event in queries.events_of("invoice", invoice.id):
        number = event.data.get("version", 0)
        if event.kind == "invoice.drafted" and number > version and number not in by_people:
            net = Money(event.data["net_minor"], invoice.currency)
            told.append(Moment(event.created_at, "Dealwright", f"Wrote it anew over {net}, as what is due changed"))
    return sorted(told, key=lambda moment: moment.at)
