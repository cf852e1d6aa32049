"""The list of accounts, and the deal board."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import context
from sandbox.hubspot.model import associations, objects, pipelines
from sandbox.hubspot.model.portal import Actor, Portal
from sandbox.hubspot.object_types import COMPANY, CONTACT, DEAL, LINE_ITEM, find
from sandbox.hubspot.routes.pages.words import day, moment, money
from sandbox.kit.app import page

blueprint = Blueprint(
    "board", __name__, template_folder="../../templates", static_folder="../../static", static_url_path="/static"
)


@blueprint.app_context_processor
def _everywhere() -> dict[str, Any]:
    return {"money": money, "day": day, "moment": moment, "app_name": context().settings.app_name}


@blueprint.get("/")
@page
def portals() -> ResponseReturnValue:
    """List the accounts."""
    here = context()
    with here.kit.store.lock:
        rows = [
            {
                "portal": portal,
                "deals": len(objects.listed(portal, DEAL)),
                "companies": len(objects.listed(portal, COMPANY)),
            }
            for portal in here.portals.all()
        ]
        return render_template("portals.html", rows=rows, app_origin=here.settings.app_origin)


@blueprint.get("/favicon.ico")
@page
def icon() -> ResponseReturnValue:
    """Browsers ask for it."""
    return "", 204


@blueprint.get("/portals/<int:hub_id>/")
@page
def portal(hub_id: int) -> ResponseReturnValue:
    """Lead to the board."""
    return redirect(url_for("board.board", hub_id=hub_id))


@blueprint.get("/portals/<int:hub_id>/board")
@page
def board(hub_id: int) -> ResponseReturnValue:
    """Show the deals of one pipeline, a column for each stage."""
    here = context()
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        every = pipelines.visible(portal)
        chosen = pipelines.get(portal, request.args.get("pipeline", every[0]["id"]))
        cards = [_card(portal, record) for record in objects.listed(portal, DEAL)]
        columns = [
            _column(portal, stage, [card for card in cards if card["stage"] == (chosen["id"], stage["id"])])
            for stage in pipelines.stages(chosen)
        ]
        return render_template("board.html", portal=portal, pipelines=every, chosen=chosen, columns=columns)


@blueprint.post("/portals/<int:hub_id>/deals/<deal_id>/stage")
@page
def move(hub_id: int, deal_id: str) -> ResponseReturnValue:
    """Move a deal to a stage of its pipeline: by the board's script, or as a plain form."""
    here = context()
    stage_id = request.form.get("stage", "")
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        objects.update(portal, DEAL, deal_id, {"dealstage": stage_id}, Actor.person(portal.user["id"]))
    if request.headers.get("Accept") == "application/json":
        return {"ok": True}
    if request.form.get("next") == "deal":
        return redirect(url_for("records.deal", hub_id=hub_id, deal_id=deal_id))
    return redirect(url_for("board.board", hub_id=hub_id, pipeline=request.form.get("pipeline")))


@blueprint.post("/portals/<int:hub_id>/deals")
@page
def add_deal(hub_id: int) -> ResponseReturnValue:
    """Make a deal in the first stage of a pipeline, for a company."""
    here = context()
    form = request.form
    with here.kit.store.lock:
        portal = here.portals.get(hub_id)
        actor = Actor.person(portal.user["id"])
        written = {"dealname": form.get("dealname"), "pipeline": form.get("pipeline")}
        stage = pipelines.stages(pipelines.get(portal, form.get("pipeline", "")))[0]
        record = objects.create(portal, DEAL, {**written, "dealstage": stage["id"]}, actor)
        name = form.get("company", "").strip()
        if name:
            associations.link(portal, DEAL, record["id"], COMPANY, _company(portal, name, actor), actor)
    return redirect(url_for("records.deal", hub_id=hub_id, deal_id=record["id"]))


@blueprint.get("/contacts/<int:hub_id>/record/<kind>/<object_id>")
@page
def record_link(hub_id: int, kind: str, object_id: str) -> ResponseReturnValue:
    """The address HubSpot itself gives records."""
    found = find(kind)
    if found is COMPANY:
        return redirect(url_for("records.company", hub_id=hub_id, company_id=object_id))
    if found is DEAL:
        return redirect(url_for("records.deal", hub_id=hub_id, deal_id=object_id))
    to = COMPANY if found is CONTACT else DEAL
    with context().kit.store.lock:
        ids = associations.linked_ids(context().portals.get(hub_id), find(kind), object_id, to)
    if not ids:
        return redirect(url_for("board.board", hub_id=hub_id))
    return redirect(url_for("board.record_link", hub_id=hub_id, kind=to.id, object_id=ids[0]))


def _company(portal: Portal, name: str, actor: Actor) -> str:
    for record in objects.listed(portal, COMPANY):
        if (record["properties"].get("name") or "").lower() == name.lower():
            return str(record["id"])
    return str(objects.create(portal, COMPANY, {"name": name}, actor)["id"])


def _card(portal: Portal, record: dict[str, Any]) -> dict[str, Any]:
    values = record["properties"]
    company_ids = associations.linked_ids(portal, DEAL, record["id"], COMPANY)
    company = objects.get(portal, COMPANY, company_ids[0])["properties"].get("name") if company_ids else None
    return {
        "id": record["id"],
        "name": values.get("dealname") or "(no name)",
        "amount": values.get("amount"),
        "currency": values.get("deal_currency_code") or portal.currency,
        "closes": values.get("closedate"),
        "company": company,
        "lines": len(associations.linked_ids(portal, DEAL, record["id"], LINE_ITEM)),
        "stage": (values.get("pipeline"), values.get("dealstage")),
    }


def _column(portal: Portal, stage: dict[str, Any], cards: list[dict[str, Any]]) -> dict[str, Any]:
    home = [Decimal(card["amount"]) for card in cards if card["amount"] and card["currency"] == portal.currency]
    outcome = "won" if pipelines.is_won(stage) else "lost" if pipelines.is_closed(stage) else "open"
    return {"stage": stage, "cards": cards, "total": str(sum(home, Decimal(0))), "outcome": outcome}
