"""Deals: stages, and what follows from them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.hubspot.errors import validation
from sandbox.hubspot.model import pipelines
from sandbox.hubspot.model.portal import Portal
from sandbox.hubspot.model.rules.plain import Rules, Values
from sandbox.hubspot.timestamps import iso, now_iso


def _prepare(portal: Portal, stored: Values, written: Values) -> Values:
    extra: Values = {}
    is_new = not stored
    after = {**stored, **written}
    if after.get("pipeline") is None:
        extra["pipeline"] = after["pipeline"] = pipelines.visible(portal)[0]["id"]
    if is_new and after.get("dealstage") is None:
        first = pipelines.stages(pipelines.get(portal, str(after["pipeline"])))[0]
        extra["dealstage"] = after["dealstage"] = first["id"]
    stage = pipelines.stage(portal, after["pipeline"], after.get("dealstage"))
    if stage is None and {"pipeline", "dealstage"} & set(written):
        message = f"{after.get('dealstage')} is not a stage of pipeline {after['pipeline']}"
        raise validation(message, code="INVALID_OPTION", names=["dealstage"])
    if stage is not None and stage["id"] != stored.get("dealstage"):
        extra[f"hs_v2_date_entered_{stage['id']}"] = now_iso()
        if pipelines.is_closed(stage) and "closedate" not in written:
            extra["closedate"] = close_date(portal)
    if is_new and after.get("deal_currency_code") is None:
        extra["deal_currency_code"] = portal.currency
    return extra


def close_date(portal: Portal) -> str:
    """The instant a deal that closes now gets: the present time of day, on the day people see."""
    zone = ZoneInfo(portal.zone)
    now = datetime.now(zone)
    return iso(datetime.combine(portal.kit.clock.today(zone), now.time(), zone))


def _computed(portal: Portal, stored: Values) -> Values:
    stage = pipelines.stage(portal, stored.get("pipeline"), stored.get("dealstage"))
    probability = pipelines.probability(stage)
    is_home = stored.get("deal_currency_code") in (None, portal.currency)
    return {
        "hs_is_closed": str(pipelines.is_closed(stage)).lower(),
        "hs_is_closed_won": str(pipelines.is_won(stage)).lower(),
        "hs_deal_stage_probability": str(probability) if probability is not None else None,
        "amount_in_home_currency": stored.get("amount") if is_home else None,
    }


RULES = Rules(_prepare, _computed)
