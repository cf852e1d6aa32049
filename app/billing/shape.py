"""Reading a deal document's JSON: every fault is collected with its field path, nothing stops at the first.

A `Reader` walks one JSON object. Each field is asked for by name with the `Kind` of value it must hold; what was never
asked for is an unknown field, and that is an error too, so a misspelt field is never silently without effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Generic, TypeVar

from app.billing.answer import FieldError, Question
from app.billing.calendar import Interval
from app.billing.money import Money, decimals_of, is_currency, parse_decimal

T = TypeVar("T")
D = TypeVar("D")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of value: how to read it (ValueError when it is not one), what is allowed in words, a stand-in.

    The stand-in lets reading go on after a fault; a document with faults is never built.
    """

    read: Callable[[object], T]
    allowed: str
    stand_in: T


@dataclass(frozen=True)
class Log:
    """What reading found: faults, and questions that only a person can answer."""

    errors: list[FieldError] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


class Reader:
    """One JSON object of the document at `path` ("" is the document itself)."""

    def __init__(self, fields: Mapping[str, object], path: str, log: Log) -> None:
        self._fields = fields
        self._path = path
        self._unread = set(fields)
        self.log = log

    def path(self, name: str) -> str:
        """Return the full path of a field: "items[0].unit_price"."""
        return f"{self._path}.{name}" if self._path else name

    def has(self, name: str) -> bool:
        """Say whether the field is given; null is as if it were absent."""
        return self._fields.get(name) is not None

    def fail(self, name: str, allowed: str) -> None:
        """Record a fault of a field together with the value found."""
        self.log.errors.append(FieldError(self.path(name), self._fields.get(name), allowed))

    def fault(self, path: str, value: object, allowed: str) -> None:
        """Record a fault that was found only when the whole document was read."""
        self.log.errors.append(FieldError(path, value, allowed))

    def ask(self, name: str, text: str) -> None:
        """Record a question about a field; `text` is a sentence that says what to answer."""
        self.log.questions.append(Question(text, self.path(name)))

    def get(self, name: str, kind: Kind[T], default: D) -> T | D:
        """Return the field's value, or `default` when it is absent or null."""
        self._unread.discard(name)
        value = self._fields.get(name)
        return default if value is None else self._read(value, name, kind)

    def need(self, name: str, kind: Kind[T]) -> T:
        """Return the field's value; its absence is a fault."""
        self._unread.discard(name)
        return self._read(self._fields.get(name), name, kind)

    def values(self, name: str, kind: Kind[T]) -> list[T]:
        """Return a list field's values; an absent list is empty."""
        return [self._read(value, f"{name}[{n}]", kind) for n, value in enumerate(self._list(name))]

    def record(self, name: str) -> Reader | None:
        """Return a reader of an object field, or None when it is absent or not an object (then a fault)."""
        self._unread.discard(name)
        return self._reader(self._fields.get(name), name) if self.has(name) else None

    def record_if_object(self, name: str) -> Reader | None:
        """Return a reader when the field holds an object; another form is left for `get`."""
        return self.record(name) if isinstance(self._fields.get(name), Mapping) else None

    def records(self, name: str) -> list[Reader]:
        """Return a reader for each object of a list field; an absent list is empty."""
        found = (self._reader(value, f"{name}[{n}]") for n, value in enumerate(self._list(name)))
        return [reader for reader in found if reader is not None]

    def one_of(self, names: tuple[str, ...], *, required: bool = True) -> str | None:
        """Return which one of `names` is given; several (or none, when required) are a fault of each of them."""
        given = [name for name in names if self.has(name)]
        if len(given) > 1:
            for name in given:
                self.fail(name, f"only one of {', '.join(names)}")
        elif not given and required:
            self.fail(names[0], f"one of {', '.join(names)}")
        return given[0] if given else None

    def close(self) -> None:
        """Call after the last field was asked for: what is left is unknown."""
        for name in self._fields:
            if name in self._unread:
                self.fail(name, "no such field; check its spelling")

    def _read(self, value: object, name: str, kind: Kind[T]) -> T:
        try:
            return kind.read(value)
        except ValueError as fault:
            allowed = kind.allowed if not fault.args else f"{kind.allowed} ({fault})"
            self.log.errors.append(FieldError(self.path(name), value, allowed))
            return kind.stand_in

    def _reader(self, value: object, name: str) -> Reader | None:
        if isinstance(value, Mapping):
            return Reader(value, self.path(name), self.log)
        self.log.errors.append(FieldError(self.path(name), value, "an object"))
        return None

    def _list(self, name: str) -> list[object]:
        self._unread.discard(name)
        value = self._fields.get(name)
        if value is None or isinstance(value, list):
            return value or []
        self.fail(name, "a list")
        return []


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _yes(value: object) -> bool:
    if value is not True:
        raise ValueError
    return True


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _day(value: object) -> date:
    # `date.fromisoformat` alone would also take 20270101 and week dates.
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise ValueError
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError
    return day


def _interval(value: object) -> Interval:
    if not isinstance(value, str):
        raise ValueError
    try:
        return Interval.parse(value)
    except ValueError:
        raise ValueError from None


def _currency(value: object) -> str:
    if not isinstance(value, str) or not is_currency(value):
        raise ValueError
    return value


def integer(least: int, most: int) -> Kind[int]:
    """Return the kind of whole JSON numbers from `least` to `most`."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError
        return value

    return Kind(read, f"a whole number from {least} to {most}", least)


def choice(*allowed: str) -> Kind[str]:
    """Return the kind of one word out of `allowed`."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError
        return value

    return Kind(read, f"one of {', '.join(allowed)}" if len(allowed) > 1 else f'"{allowed[0]}"', allowed[0])


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str):
        raise ValueError
    try:
        number = parse_decimal(value)
    except ValueError:
        raise ValueError from None
    if number < 0:
        raise ValueError
    return number


def _share(value: object) -> Fraction:
    number = _decimal(value)
    if number > 100:
        raise ValueError
    return Fraction(number)


def money(currency: str) -> Kind[Money]:
    """Return the kind of amounts in `currency`, 0 or more. An unknown currency is checked as if it were USD."""
    known = currency if is_currency(currency) else "USD"

    def read(value: object) -> Money:
        if not isinstance(value, str):
            raise ValueError
        amount = Money.parse(value, known)
        if amount.minor < 0:
            raise ValueError
        return amount

    places = decimals_of(known)
    example = f"1.{'0' * places}" if places else "1"
    return Kind(read, f'an amount of {known} as text, 0 or more, such as "{example}"', Money.zero(known))


TEXT = Kind(_text, "a text that is not empty", "")
WORDS = Kind(_words, "a text", "")
FLAG = Kind(_flag, "true or false", False)
YES = Kind(_yes, "true", True)
DAY = Kind(_day, "a date YYYY-MM-DD", date(2000, 1, 1))
INTERVAL = Kind(_interval, "an ISO 8601 interval such as P1M, P3M or P1Y", Interval(months=1))
CURRENCY = Kind(_currency, "an ISO 4217 currency code such as USD", "USD")
DECIMAL = Kind(_decimal, 'a decimal as text, 0 or more, such as "100.00"', Decimal(0))
PERCENT = Kind(_decimal, 'a percentage as text, 0 or more, such as "20"', Decimal(0))
SHARE = Kind(_share, 'a percentage as text, 0 to 100, such as "20"', Fraction(0))
MONTH = integer(1, 1200)
COUNT = integer(0, 1_000_000_000)
