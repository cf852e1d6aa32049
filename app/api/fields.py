"""The kinds of value a deal document and its answer are made of, as marshmallow fields that describe themselves.

These schemas describe and never load: the core is the one reader of documents, so that a fault reads the same at every
door. `tests/app/api` holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

_DAY = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_DECIMAL = r"^\d{1,26}(\.\d{1,12})?$"
_SIGNED = r"^-?\d{1,26}(\.\d{1,12})?$"


class Strict(Schema):
    """An object that knows all of its fields."""

    class Meta:
        """An unknown field is a fault: a misspelt one would be without effect in silence."""

        unknown = RAISE


def _described(description: str, example: object, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field's keywords: `required` and the like for marshmallow, all others for the description."""
    keywords = {name: more[name] for name in ("required", "allow_none", "validate", "data_key") if name in more}
    metadata = {name: value for name, value in more.items() if name not in keywords}
    if example is not None:
        metadata["examples"] = [example]
    return {**keywords, "metadata": {"description": description, **metadata}}


def text(description: str, example: str | None = None, **more: Any) -> fields.String:
    """Return a text that is not empty."""
    return fields.String(**_described(description, example, {"minLength": 1, **more}))


def words(description: str, example: str | None = None, **more: Any) -> fields.String:
    """Return a text that may be empty."""
    return fields.String(**_described(description, example, more))


def decimal(description: str, example: str = "100.00", **more: Any) -> fields.String:
    """Return a decimal of 0 or more, as text: at most 26 digits before and 12 after the point."""
    return fields.String(**_described(description, example, {"pattern": _DECIMAL, **more}))


def signed(description: str, example: str = "100.00", **more: Any) -> fields.String:
    """Return an amount of either sign, as text, with the decimals of the currency."""
    return fields.String(**_described(description, example, {"pattern": _SIGNED, **more}))


def percent(description: str, example: str = "20", **more: Any) -> fields.String:
    """Return a percentage of 0 or more, as text without a sign."""
    return decimal(description, example, **more)


def day(description: str, example: str = "2027-01-01", **more: Any) -> fields.String:
    """Return a date."""
    return fields.String(**_described(description, example, {**_DAY, **more}))


def interval(description: str, example: str = "P1M", **more: Any) -> fields.String:
    """Return an ISO 8601 interval of whole months or whole days."""
    return fields.String(**_described(description, example, {"pattern": r"^P(\d+[YMWD]|\d+Y\d+M)$", **more}))


def whole(description: str, least: int, most: int, example: int, **more: Any) -> fields.Integer:
    """Return a whole number."""
    return fields.Integer(**_described(description, example, {"minimum": least, "maximum": most, **more}))


def month(description: str, example: int = 3, **more: Any) -> fields.Integer:
    """Return a number of months, or a service month counted from 1."""
    return whole(description, 1, 1200, example, **more)


def flag(description: str, **more: Any) -> fields.Boolean:
    """Return true or false."""
    return fields.Boolean(**_described(description, None, more))


def choice(description: str, *allowed: str, **more: Any) -> fields.String:
    """Return one word out of `allowed`."""
    return fields.String(**_described(description, None, {"validate": validate.OneOf(allowed), **more}))


def one(schema: type[Schema], description: str, **more: Any) -> fields.Nested:
    """Return an object."""
    return fields.Nested(schema, **_described(description, None, more))


def many(schema: type[Schema], description: str, **more: Any) -> fields.List[Any]:
    """Return a list of objects."""
    return fields.List(fields.Nested(schema), **_described(description, None, more))


def forms(description: str, *allowed: Mapping[str, Any], example: object = None, **more: Any) -> fields.Raw:
    """Return a value told apart by its shape: one of several JSON schemas."""
    return fields.Raw(**_described(description, example, {"anyOf": list(allowed), **more}))


DAY_FORM: Mapping[str, Any] = _DAY
AMOUNT_FORM: Mapping[str, Any] = {"type": "string", "pattern": _DECIMAL}


def word_form(*allowed: str) -> Mapping[str, Any]:
    """Return the JSON schema of one word out of `allowed`, for `forms`."""
    return {"type": "string", "enum": list(allowed)}
