"""Account details."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.hubspot.routes.api import DATED, Call, for_account
from sandbox.kit.app import operation

blueprint = Blueprint("account", __name__)


@blueprint.get(f"/account-info/{DATED}/details")
@operation("account.details")
@for_account
def details(call: Call) -> ResponseReturnValue:
    """Return zone, currency, kind and addresses of the calling account."""
    call.need("oauth")
    portal = call.portal
    offset = datetime.now(ZoneInfo(portal.zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset is not None else 0
    hours, rest = divmod(abs(minutes), 60)
    hublet = portal.data["hublet"]
    return {
        "portalId": portal.hub_id,
        "accountType": portal.data["account_type"],
        "timeZone": portal.zone,
        "companyCurrency": portal.currency,
        "additionalCurrencies": [],
        "utcOffset": f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}",
        "utcOffsetMilliseconds": minutes * 60_000,
        "uiDomain": "app.hubspot.com" if hublet == "na1" else f"app-{hublet}.hubspot.com",
        "dataHostingLocation": hublet,
    }
