"""Reading JSON that strangers sent, strictly: what we could not write back or would silently lose is a fault.

Python's own reader takes NaN, keeps the last of two equal names, and runs out of stack on deep nesting. A document
about money may do none of that quietly.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, NoReturn

# A deal document is eight levels deep at most (changes, add, price, tiers); this leaves room and keeps every later
# walk over the value far from Python's own limit.
DEEPEST = 32


class BadJson(ValueError):
    """A text that is not the JSON we take; the message is a sentence fit for a person."""


def read(text: bytes | str) -> Any:
    """Return the value of one JSON text (RFC 8259, bytes are UTF-8, a byte order mark is ignored).

    Raises BadJson for anything else, and for NaN and infinities, numbers too large to be written back, a name that
    stands twice in one object, and nesting deeper than 32.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = json.loads(
            text.removeprefix("\ufeff"), parse_constant=_constant, parse_float=_number, object_pairs_hook=_object
        )
    except BadJson:
        raise
    except UnicodeDecodeError as fault:
        raise BadJson(f"This is not UTF-8 text (byte {fault.start + 1}).") from None
    except RecursionError:
        raise BadJson(_TOO_DEEP) from None
    except json.JSONDecodeError as fault:
        raise BadJson(f"This is not JSON: {fault.msg.lower()} at line {fault.lineno} column {fault.colno}.") from None
    except ValueError:
        # What is left is Python's limit on the digits of a whole number.
        raise BadJson("A number in this JSON has too many digits.") from None
    _check_depth(value)
    return value


_TOO_DEEP = f"This JSON is nested deeper than {DEEPEST} levels."


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise BadJson(_TOO_DEEP)


def _constant(word: str) -> NoReturn:
    raise BadJson(f"This is not JSON: {word} is no JSON number.")


def _number(digits: str) -> float:
    # Only ever echoed back as a wrong value: amounts are texts, and no field takes a number with a fraction.
    number = json.loads(digits)
    assert isinstance(number, float)
    if not math.isfinite(number):
        raise BadJson(f"This is not JSON we can read: the number {digits[:40]} is too large.")
    return number


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = max(counts, key=counts.__getitem__)
        raise BadJson(f"This JSON says {twice[:80]!r} twice in one object.")
    return found
