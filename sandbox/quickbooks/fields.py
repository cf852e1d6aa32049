"""The little language in which each entity declares its properties, and what follows from a declaration.

A declaration gives: which properties a request may have (2010), how values are read, kept and shown, which of them a
query may name, and which are only ever set by QuickBooks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from sandbox.quickbooks import figures, refusals

Document = dict[str, Any]


class Kind(Enum):
    """How a property is read and shown."""

    TEXT = "text"
    FLAG = "flag"
    AMOUNT = "amount"
    NUMBER = "number"
    WHOLE = "whole"
    DATE = "date"
    REF = "ref"
    PART = "part"
    PARTS = "parts"
    ANY = "any"


@dataclass(frozen=True)
class Field:
    """One property. `choices` empty means any value; `limit` counts characters."""

    name: str
    kind: Kind = Kind.TEXT
    limit: int | None = None
    parts: tuple[Field, ...] = ()
    choices: tuple[str, ...] = ()
    is_read_only: bool = False
    is_queryable: bool = False

    def read_only(self) -> Field:
        """Return the same property, set by QuickBooks alone: what is sent is silently ignored."""
        return replace(self, is_read_only=True)

    def queryable(self) -> Field:
        """Return the same property, usable in `where` and `orderby`."""
        return replace(self, is_queryable=True)


def text(name: str, limit: int | None = None) -> Field:
    """A text."""
    return Field(name, limit=limit)


def choice(name: str, *choices: str) -> Field:
    """A text out of a list."""
    return Field(name, choices=choices)


def flag(name: str) -> Field:
    """True or false."""
    return Field(name, Kind.FLAG)


def amount(name: str) -> Field:
    """Money of the transaction's currency."""
    return Field(name, Kind.AMOUNT)


def number(name: str) -> Field:
    """A quantity, price or rate."""
    return Field(name, Kind.NUMBER)


def whole(name: str) -> Field:
    """A whole number."""
    return Field(name, Kind.WHOLE)


def day(name: str) -> Field:
    """A date, `YYYY-MM-DD`."""
    return Field(name, Kind.DATE)


def ref(name: str) -> Field:
    """A reference `{value, name}`."""
    return Field(name, Kind.REF)


def part(name: str, *parts: Field) -> Field:
    """An object."""
    return Field(name, Kind.PART, parts=parts)


def parts(name: str, *members: Field) -> Field:
    """A list of objects."""
    return Field(name, Kind.PARTS, parts=members)


def anything(*names: str) -> tuple[Field, ...]:
    """Properties that QuickBooks has and the stand-in only keeps and gives back."""
    return tuple(Field(name, Kind.ANY) for name in names)


def read_only(*fields: Field) -> tuple[Field, ...]:
    """Mark several properties as set by QuickBooks alone."""
    return tuple(field.read_only() for field in fields)


def queryable(*fields: Field) -> tuple[Field, ...]:
    """Mark several properties as usable in queries."""
    return tuple(field.queryable() for field in fields)


SYSTEM: tuple[Field, ...] = (
    text("domain").read_only(),
    flag("sparse").read_only(),
    text("status").read_only(),
    text("Id").read_only().queryable(),
    text("SyncToken").read_only(),
    part(
        "MetaData",
        *read_only(*queryable(text("CreateTime"), text("LastUpdatedTime"))),
        *read_only(*anything("CreatedByRef", "LastModifiedByRef", "LastChangedInQB", "Synchronized")),
    ).read_only(),
)


def address(name: str) -> Field:
    """A postal address; the lines hold 500 characters, the other parts what they hold in practice."""
    lines = (text(f"Line{n}", 500) for n in range(1, 6))
    others = ("City", "Country", "CountryCode", "CountrySubDivisionCode", "PostalCode", "PostalCodeSuffix")
    unchecked = anything("Lat", "Long", "Note", "Tag")
    return part(name, text("Id"), *lines, *(text(other, 255) for other in others), *unchecked)


def email(name: str) -> Field:
    """An e-mail address of at most 100 characters; a query names it by the property itself."""
    return part(name, text("Address", 100), *anything("Default", "Tag", "Id"))


def phone(name: str) -> Field:
    """A telephone number of at most 30 characters."""
    unchecked = anything("DeviceType", "CountryCode", "AreaCode", "Default", "Tag", "Id")
    return part(name, text("FreeFormNumber", 30), *unchecked)


def clean(entity: str, fields: Sequence[Field], body: Mapping[str, Any]) -> Document:
    """Return what a request may set, as the books keep it; None marks a property that is to be emptied.

    An empty text counts as null, as QuickBooks takes it. Raises Refusal 2010 or 2050.
    """
    known = {field.name: field for field in fields}
    cleaned: Document = {}
    for name, value in body.items():
        field = known.get(name)
        if field is None:
            raise refusals.unknown_property(entity, name, list(known))
        if not field.is_read_only:
            cleaned[name] = None if value is None or value == "" else _clean_value(entity, field, value)
    return cleaned


def _clean_value(entity: str, field: Field, value: Any) -> Any:
    if field.kind is Kind.PART:
        return _clean_part(entity, field, value)
    if field.kind is Kind.PARTS:
        if not isinstance(value, list):
            raise refusals.bad_property(f'"{field.name}" is not a list')
        return [_clean_part(entity, field, one) for one in value]
    if field.kind is Kind.REF:
        return _clean_ref(field, value)
    if field.kind is Kind.ANY:
        return _plain(value)
    return _clean_simple(field, value)


def _clean_part(entity: str, field: Field, value: Any) -> Document:
    if not isinstance(value, dict):
        raise refusals.bad_property(f'"{field.name}" is not an object')
    cleaned = clean(entity, field.parts, value)
    return {name: one for name, one in cleaned.items() if one is not None}


def _clean_ref(field: Field, value: Any) -> Document | None:
    if not isinstance(value, dict) or not set(value) <= {"value", "name", "type"}:
        raise refusals.bad_property(f'"{field.name}" is not a reference')
    target = value.get("value")
    if target is None or target == "":
        return None
    if isinstance(target, bool) or not isinstance(target, str | int):
        raise refusals.bad_property(f'"{field.name}" is not a reference')
    return {"value": str(target)}


def _clean_simple(field: Field, value: Any) -> Any:
    try:
        if field.kind is Kind.AMOUNT:
            return figures.amount_text(figures.parse(value))
        if field.kind is Kind.NUMBER:
            return figures.plain_text(figures.parse(value))
        if field.kind is Kind.WHOLE:
            return int(figures.parse(value))
        if field.kind is Kind.DATE:
            return date.fromisoformat(value[:10]).isoformat()
    except (figures.NotANumber, TypeError, ValueError) as error:
        raise refusals.bad_property(f'Can not read "{field.name}" from {value!r}') from error
    if field.kind is Kind.FLAG:
        if not isinstance(value, bool) and value not in ("true", "false"):
            raise refusals.bad_property(f'"{field.name}" is not a boolean')
        return value is True or value == "true"
    return _clean_text(field, value)


def _clean_text(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise refusals.bad_property(f'"{field.name}" is not a text')
    result = str(value)
    if field.choices and result not in field.choices:
        raise refusals.bad_property(f'"{field.name}" can not be {result!r}')
    if field.limit is not None and len(result) > field.limit:
        raise refusals.too_long(field.name, field.limit, len(result))
    return result


def _plain(value: Any) -> Any:
    """Return a JSON value the store can keep; numbers in here are never computed with."""
    if isinstance(value, Decimal):
        return figures.wire_number(str(value))
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def show(fields: Sequence[Field], document: Mapping[str, Any], leave_out: frozenset[str] = frozenset()) -> Document:
    """Return a document as QuickBooks writes it, in the order of the declaration."""
    return {
        field.name: _show_value(field, document[field.name])
        for field in fields
        if field.name in document and field.name not in leave_out
    }


def _show_value(field: Field, value: Any) -> Any:
    if field.kind is Kind.AMOUNT:
        return figures.wire_amount(value)
    if field.kind is Kind.NUMBER:
        return figures.wire_number(value)
    if field.kind is Kind.PART:
        return show(field.parts, value)
    if field.kind is Kind.PARTS:
        return [show(field.parts, one) for one in value]
    return value
