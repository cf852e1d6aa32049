"""The card endpoints. They answer from our database alone."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.access import actions as access
from app.edge import wiring
from app.standing import answer, facts
from cards.schemas import BillingSchema
from cards.signature import person_of, verify

blueprint = Blueprint("cards", __name__, url_prefix="/cards/v1")
_ANSWER = BillingSchema()


@blueprint.get("/companies/<int:company_id>/billing")
def company_billing(company_id: int) -> ResponseReturnValue:
    """Where a company stands; 404 for one that isn't this portal's, or that nothing was won for yet."""
    verify()
    return jsonify(_ANSWER.dump(answer.to_json(facts.of_company(company_id), _invoice_url())))


@blueprint.get("/deals/<int:deal_id>/billing")
def deal_billing(deal_id: int) -> ResponseReturnValue:
    """Where a deal stands; 404 for one that isn't this portal's, or that we haven't seen."""
    verify()
    return jsonify(_ANSWER.dump(answer.to_json(facts.of_deal(deal_id), _invoice_url())))


@blueprint.post("/signin-link")
def signin_link() -> ResponseReturnValue:
    """Return a one-time link of 60 seconds into the console for the HubSpot user who asks.

    HubSpot repeats a request after a 5xx once; each request gets its own link, so a repeat is harmless.
    """
    token = access.make_link(person_of(verify()))
    return jsonify(url=f"{wiring().settings.public_origin}/signin?token={token}", expires_in_s=60)


def _invoice_url() -> str:
    return wiring().settings.quickbooks_app_url + "/app/invoice?txnId={id}"
