"""The record pages of a deal and a company."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import context
from sandbox.hubspot.model import associations, objects, pipelines
from sandbox.hubspot.model.portal import Actor, Portal
from sandbox.hubspot.model.property_table import FREQUENCIES, PRICING_MODELS, START_KINDS
from sandbox.hubspot.object_types import COMPANY, CONTACT, DEAL, LINE_ITEM, ObjectType
from sandbox.hubspot.routes.pages.words import date_of, noon
from sandbox.kit.app import page

blueprint = Blueprint("records", __name__)
_DEAL_FIELDS = ("dealname", "amount", "closedate", "dealtype", "description")
_LINE_FIELDS = (
    "name",
    "quantity",
    "price",
    "hs_discount_percentage",
    "recurringbillingfrequency",
    "hs_recurring_billing_period",
    "hs_recurring_billing_start_date",
)
# Folded away on the page unless a line has one of them.
_MORE_FIELDS = (
    "discount",
    "hs_pricing_model",
    "hs_tier_ranges",
    "hs_tier_prices",
    "hs_billing_start_delay_type",
    "hs_billing_start_delay_days",
    "hs_billing_start_delay_months",
    "hs_recurring_billing_terms",
)


@blueprint.get("/portals/<int:hub_id>/deals/<deal_id>")
@page
def deal(hub_id: int, deal_id: str) -> ResponseReturnValue:
    """Show a deal with its line items."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        record = objects.get(portal, DEAL, deal_id)
        values = objects.values(portal, DEAL, record)
        pipeline = pipelines.get(portal, str(values["pipeline"]))
        return render_template(
            "deal.html",
            portal=portal,
            id=deal_id,
            values=values,
            lines=[
                {**line, "has_more": any(line.get(name) for name in _MORE_FIELDS)}
                for line in _linked(portal, DEAL, deal_id, LINE_ITEM)
            ],
            companies=_linked(portal, DEAL, deal_id, COMPANY),
            contacts=_linked(portal, DEAL, deal_id, CONTACT),
            pipeline=pipeline,
            stages=pipelines.stages(pipeline),
            current=pipelines.stage(portal, values["pipeline"], values["dealstage"]),
            frequencies=FREQUENCIES,
            pricing_models=PRICING_MODELS,
            start_kinds=START_KINDS,
            close_day=date_of(closes, portal.zone) if (closes := values.get("closedate")) else "",
        )


@blueprint.post("/portals/<int:hub_id>/deals/<deal_id>")
@page
def change_deal(hub_id: int, deal_id: str) -> ResponseReturnValue:
    """Change the deal's own fields, or delete it."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        actor = Actor.person(portal.user["id"])
        if request.form.get("action") == "delete":
            objects.archive(portal, DEAL, deal_id, actor)
            return redirect(url_for("board.board", hub_id=hub_id))
        written = _sent(request.form, _DEAL_FIELDS)
        before = objects.get(portal, DEAL, deal_id)["properties"].get("closedate")
        if before and written.get("closedate") == date_of(before, portal.zone).isoformat():
            # The form knows the day only: an unchanged day keeps its time.
            del written["closedate"]
        elif written.get("closedate"):
            written["closedate"] = noon(written["closedate"], portal.zone)
        objects.update(portal, DEAL, deal_id, written, actor)
    return redirect(url_for("records.deal", hub_id=hub_id, deal_id=deal_id))


@blueprint.post("/portals/<int:hub_id>/deals/<deal_id>/lines")
@page
def add_line(hub_id: int, deal_id: str) -> ResponseReturnValue:
    """Add a line item to the deal."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        actor = Actor.person(portal.user["id"])
        objects.get(portal, DEAL, deal_id)
        line_id = objects.create(portal, LINE_ITEM, _sent(request.form, _LINE_FIELDS + _MORE_FIELDS), actor)["id"]
        associations.link(portal, LINE_ITEM, line_id, DEAL, deal_id, actor)
        _total(portal, deal_id, actor)
    return redirect(url_for("records.deal", hub_id=hub_id, deal_id=deal_id, _anchor="lines"))


@blueprint.post("/portals/<int:hub_id>/deals/<deal_id>/lines/<line_id>")
@page
def change_line(hub_id: int, deal_id: str, line_id: str) -> ResponseReturnValue:
    """Change or remove a line item."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        actor = Actor.person(portal.user["id"])
        if request.form.get("action") == "remove":
            objects.archive(portal, LINE_ITEM, line_id, actor)
        else:
            objects.update(portal, LINE_ITEM, line_id, _sent(request.form, _LINE_FIELDS + _MORE_FIELDS), actor)
        _total(portal, deal_id, actor)
    return redirect(url_for("records.deal", hub_id=hub_id, deal_id=deal_id, _anchor="lines"))


@blueprint.get("/portals/<int:hub_id>/companies/<company_id>")
@page
def company(hub_id: int, company_id: str) -> ResponseReturnValue:
    """Show a company with its deals, contacts and the app's card."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        record = objects.get(portal, COMPANY, company_id)
        deals = _linked(portal, COMPANY, company_id, DEAL)
        for row in deals:
            stage = pipelines.stage(portal, row["pipeline"], row["dealstage"])
            row["stage_label"] = stage["label"] if stage else row["dealstage"]
        return render_template(
            "company.html",
            portal=portal,
            id=company_id,
            values=objects.values(portal, COMPANY, record),
            deals=deals,
            contacts=_linked(portal, COMPANY, company_id, CONTACT),
        )


def _linked(portal: Portal, kind: ObjectType, object_id: str, to: ObjectType) -> list[dict[str, Any]]:
    """The values of the linked records, each with its `id`."""
    ids = associations.linked_ids(portal, kind, object_id, to)
    records = [objects.get(portal, to, to_id) for to_id in ids]
    return [{**objects.values(portal, to, record), "id": record["id"]} for record in records]


def _sent(form: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: form[name].strip() for name in names if name in form}


def _total(portal: Portal, deal_id: str, actor: Actor) -> None:
    """Saving lines in HubSpot's pages sets the deal's amount; writing them by API does not."""
    lines = _linked(portal, DEAL, deal_id, LINE_ITEM)
    amount = sum((Decimal(line["amount"] or 0) for line in lines), Decimal(0))
    objects.update(portal, DEAL, deal_id, {"amount": str(amount)}, actor)
