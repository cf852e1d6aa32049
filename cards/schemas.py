"""The card's answer as schemas: what leaves this door has exactly these fields."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from app.standing.answer import WORDS

TONES = ("success", "info", "warning", "danger", "neutral")
_AMOUNT = validate.Regexp(r"^-?\d+(\.\d+)?$")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class StatusSchema(_Strict):
    text = fields.String(required=True)
    tone = fields.String(required=True, validate=validate.OneOf(TONES))


class TotalSchema(_Strict):
    currency = fields.String(required=True)
    open = fields.String(required=True, validate=_AMOUNT)
    overdue = fields.String(required=True, validate=_AMOUNT)


class NextChargeSchema(_Strict):
    date = fields.String(required=True)
    amount = fields.String(required=True, validate=_AMOUNT)
    currency = fields.String(required=True)
    why = fields.String(required=True)


class InvoiceSchema(_Strict):
    kind = fields.String(required=True, validate=validate.OneOf(["invoice", "credit_note"]))
    number = fields.String(required=True, allow_none=True)
    date = fields.String(required=True)
    due = fields.String(required=True)
    total = fields.String(required=True, validate=_AMOUNT)
    balance = fields.String(required=True, validate=_AMOUNT)
    currency = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(WORDS)))
    overdue = fields.Boolean(required=True)
    status_text = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)


class ChurnRiskSchema(_Strict):
    score = fields.Integer(required=True, validate=validate.Range(0, 100))
    level = fields.String(required=True, validate=validate.OneOf(["low", "medium", "high"]))
    reasons = fields.List(fields.String(), required=True)


class ProblemSchema(_Strict):
    text = fields.String(required=True)
    who = fields.String(required=True, validate=validate.OneOf(["sales", "finance", "admin", "operator"]))
    action = fields.String(required=True)
    holds = fields.String(required=True)


class ConnectionsSchema(_Strict):
    hubspot = fields.String(required=True)
    quickbooks = fields.String(required=True)


class BillingSchema(_Strict):
    """GET /cards/v1/companies/<id>/billing and GET /cards/v1/deals/<id>/billing."""

    status = fields.Nested(StatusSchema, required=True)
    totals = fields.List(fields.Nested(TotalSchema), required=True)
    next_charge = fields.Nested(NextChargeSchema, required=True, allow_none=True)
    invoices = fields.List(fields.Nested(InvoiceSchema), required=True)
    churn_risk = fields.Nested(ChurnRiskSchema, required=True)
    problems = fields.List(fields.Nested(ProblemSchema), required=True)
    connections = fields.Nested(ConnectionsSchema, required=True)
    as_of = fields.String(required=True)
