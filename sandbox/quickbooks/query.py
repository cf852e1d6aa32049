"""The query language: `select ... from Entity where a and b orderby f startposition n maxresults m`.

Pure: parses a text and runs it over documents. Codes as QuickBooks: 4000 for what can't be parsed, 4001 for a name that
doesn't exist or can't be used there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.quickbooks import refusals
from sandbox.quickbooks.fields import Document, Field, Kind

DEFAULT_PAGE, MAX_PAGE = 100, 1000
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<name>[A-Za-z][\w.]*)|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<sign><=|>=|[=<>(),*]))"""
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ID_SIGNS = frozenset({"=", "in"})


@dataclass(frozen=True)
class Condition:
    """`field sign values`; one value except with `in`."""

    field: str
    sign: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A parsed query. `columns` are the names asked for besides `*`."""

    entity: str
    is_count: bool = False
    columns: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    start: int = 1
    limit: int = DEFAULT_PAGE


def parse(text: str) -> Query:
    """Read a query. Raises Refusal 4000."""
    return _Parser(_tokens(text)).query()


def entity_name(text: str) -> str | None:
    """Return the entity a query asks for, without checking the rest; for the journal."""
    found = re.search(r"\bfrom\s+(\w+)", text, re.IGNORECASE)
    return found.group(1) if found else None


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if found is None or found.lastgroup is None:
            raise refusals.bad_syntax(f'Encountered "{stripped[at : at + 20]}" at line 1, column {at + 1}.')
        tokens.append((found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return tokens


class _Parser:
    """One pass over the tokens."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        self._expect("select")
        is_count, columns = self._selection()
        self._expect("from")
        parts: dict[str, Any] = {"entity": self._take("name"), "is_count": is_count, "columns": columns}
        if self._skip("where"):
            parts["conditions"] = self._conditions()
        while self._at < len(self._tokens):
            parts.update(self._tail())
        return Query(**parts)

    def _selection(self) -> tuple[bool, tuple[str, ...]]:
        if self._skip("count"):
            for sign in "(*)":
                self._expect(sign)
            return True, ()
        columns = [self._column()]
        while self._skip(","):
            columns.append(self._column())
        if columns[0] != "*":
            # Provider fact: there is no projection; everything comes back, only the columns on demand differ.
            return False, tuple(columns)
        return False, tuple(columns[1:])

    def _column(self) -> str:
        return "*" if self._skip("*") else self._take("name")

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._skip("and"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        field = self._take("name")
        if self._skip("in"):
            self._expect("(")
            values = [self._value()]
            while self._skip(","):
                values.append(self._value())
            self._expect(")")
            return Condition(field, "in", tuple(values))
        if self._skip("like"):
            return Condition(field, "like", (self._value(),))
        sign = self._take("sign")
        if sign not in {"=", "<", ">", "<=", ">="}:
            raise self._trouble()
        return Condition(field, sign, (self._value(),))

    def _tail(self) -> dict[str, Any]:
        if self._skip("orderby") or (self._skip("order") and self._skip("by")):
            orders = [self._order()]
            while self._skip(","):
                orders.append(self._order())
            return {"order": tuple(orders)}
        if self._skip("startposition"):
            return {"start": max(1, int(self._take("number")))}
        if self._skip("maxresults"):
            return {"limit": min(MAX_PAGE, int(self._take("number")))}
        raise self._trouble()

    def _order(self) -> tuple[str, bool]:
        field = self._take("name")
        is_descending = self._skip("desc")
        if not is_descending:
            self._skip("asc")
        return field, is_descending

    def _value(self) -> str:
        kind, text = self._peek()
        if kind == "text":
            self._at += 1
            return _ESCAPED.sub(r"\1", text[1:-1])
        if kind == "number" or text.lower() in {"true", "false"}:
            self._at += 1
            return text
        raise self._trouble()

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "<EOF>")

    def _skip(self, word: str) -> bool:
        kind, text = self._peek()
        if kind == "text" or text.lower() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self._trouble()

    def _take(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise self._trouble()
        self._at += 1
        return text

    def _trouble(self) -> refusals.Refusal:
        return refusals.bad_syntax(f'Encountered "{self._peek()[1]}" at token {self._at + 1}.')


def select(query: Query, fields: Sequence[Field], documents: Iterable[Document]) -> list[Document]:
    """Return every document that fits, in order, not yet cut to a page. Raises Refusal 4001.

    Inactive ones are left out unless a condition names Active. Texts compare without regard to upper and lower case.
    """
    for column in query.columns:
        if column.split(".")[0] not in {field.name for field in fields}:
            raise refusals.bad_query(f"Property {column} not found for Entity {query.entity}")
    tests = [_test(query.entity, fields, condition) for condition in query.conditions]
    asks_for_inactive = any(condition.field == "Active" for condition in query.conditions)
    found = [
        one for one in documents if (asks_for_inactive or one.get("Active", True)) and all(test(one) for test in tests)
    ]
    for name, is_descending in reversed(query.order or (("Id", False),)):
        field = _find_field(query.entity, fields, name)
        found.sort(key=lambda one: _order_key(field, _value(one, name)), reverse=is_descending)
    return found


def page(query: Query, found: Sequence[Document]) -> list[Document]:
    """Cut to the page that was asked for; positions count from 1."""
    return list(found[query.start - 1 : query.start - 1 + query.limit])


def _find_field(entity: str, fields: Sequence[Field], name: str) -> Field:
    first, _, rest = name.partition(".")
    for field in fields:
        if field.name != first:
            continue
        if rest and field.kind is Kind.PART:
            return _find_field(entity, field.parts, rest)
        if field.is_queryable and not rest:
            return field
        raise refusals.bad_query(f"Property {name} can not be used in a query for Entity {entity}")
    raise refusals.bad_query(f"Property {name} not found for Entity {entity}")


def _value(document: Document, name: str) -> Any:
    """Return what a query compares: of a reference its id, of an e-mail address the address."""
    value: Any = document
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("value", value.get("Address"))
    return value


def _test(entity: str, fields: Sequence[Field], condition: Condition) -> Callable[[Document], bool]:
    field = _find_field(entity, fields, condition.field)
    if field.name == "Id" and condition.sign not in _ID_SIGNS:
        raise refusals.bad_query(f"Operator {condition.sign} can not be used with Id")
    wanted = [_comparable(field, value) for value in condition.values]

    def test(document: Document) -> bool:
        value = _value(document, condition.field)
        if value is None:
            return False
        if condition.sign == "like":
            return _is_like(str(value), condition.values[0])
        return _holds(_comparable(field, value), condition.sign, wanted)

    return test


def _holds(value: Any, sign: str, wanted: Sequence[Any]) -> bool:
    if sign in _ID_SIGNS:
        return value in wanted
    other = wanted[0]
    results = {"<": value < other, ">": value > other, "<=": value <= other, ">=": value >= other}
    return bool(results[sign])


def _is_like(value: str, pattern: str) -> bool:
    steps = (re.escape(step) for step in pattern.casefold().split("%"))
    return re.fullmatch(".*".join(steps), value.casefold(), re.DOTALL) is not None


def _comparable(field: Field, value: Any) -> Any:
    """Return a value that can be compared with others of the same property. Raises Refusal 4001."""
    try:
        if field.kind in (Kind.AMOUNT, Kind.NUMBER, Kind.WHOLE):
            return Decimal(str(value))
        if field.kind is Kind.FLAG:
            return str(value).lower() == "true"
        if field.name.endswith("Time"):
            moment = datetime.fromisoformat(str(value))
            return moment if moment.tzinfo else moment.astimezone()
    except (InvalidOperation, ValueError) as error:
        raise refusals.bad_query(f"Invalid value {value} for property {field.name}") from error
    return str(value).casefold()


def _order_key(field: Field, value: Any) -> tuple[bool, Any]:
    if value is None:
        return (False, "")
    if field.name == "Id":
        text = str(value)
        return (True, (not text.isdecimal(), int(text) if text.isdecimal() else 0, text))
    return (True, _comparable(field, value))
