"""Faults that a person or a test orders for calls to come."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

CALL_KINDS = frozenset(
    {"before", "after", "hang_before", "hang_after", "close_before", "close_after", "slow"},
)
WEBHOOK_KINDS = frozenset({"duplicate", "drop", "reorder", "delay"})
WEBHOOK_OPERATION = "webhook"
MAX_SECONDS = 600.0


class BadRule(ValueError):
    """A fault rule that cannot be understood; the message says which part."""


@dataclass(frozen=True)
class Fault:
    """One use of a rule. `seconds` is how long hang, slow, reorder and delay hold."""

    id: int
    kind: str
    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 2.0

    @property
    def skips_the_work(self) -> bool:
        return self.kind in {"before", "hang_before", "close_before"}

    @property
    def answers_nothing(self) -> bool:
        return self.kind.startswith(("hang_", "close_"))

    @property
    def holds(self) -> bool:
        return self.kind.startswith("hang_")


@dataclass
class _Rule:
    fault: Fault
    method: str | None
    path: str | None
    operation: str | None
    left: int

    def matches(self, method: str, path: str, operation: str | None) -> bool:
        is_webhook = operation == WEBHOOK_OPERATION
        if (self.fault.kind in WEBHOOK_KINDS) != is_webhook:
            return False
        if self.method is not None and self.method != method.upper():
            return False
        if self.path is not None and not fnmatchcase(path, self.path):
            return False
        return self.operation is None or fnmatchcase(operation or "", self.operation)

    def describe(self) -> dict[str, Any]:
        match = {"method": self.method, "path": self.path, "operation": self.operation}
        return {
            "id": self.fault.id,
            "match": {key: value for key, value in match.items() if value is not None},
            "kind": self.fault.kind,
            "status": self.fault.status,
            "seconds": self.fault.seconds,
            "times": self.left,
        }


class Faults:
    """The rules still to be used, in the order they were given. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._last_id = 0

    def order(self, rule: dict[str, Any]) -> int:
        """Add a rule (shape: the README's control API) and return its id. Raises BadRule."""
        with self._lock:
            parsed = _parse(rule, self._last_id + 1)
            self._last_id += 1
            self._rules.append(parsed)
            return self._last_id

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._rules.clear()

    def list(self) -> list[dict[str, Any]]:
        """Return the rules that still have uses left, as JSON-ready objects."""
        with self._lock:
            return [rule.describe() for rule in self._rules]

    def take(self, method: str, path: str, operation: str | None) -> Fault | None:
        """Use up one turn of the first rule that matches, and return its fault.

        Rules of the webhook kinds match only the operation "webhook", all others never do.
        """
        with self._lock:
            for rule in self._rules:
                if rule.matches(method, path, operation):
                    rule.left -= 1
                    if rule.left <= 0:
                        self._rules.remove(rule)
                    return rule.fault
        return None


def _parse(rule: Any, rule_id: int) -> _Rule:
    if not isinstance(rule, dict):
        raise BadRule("a fault is a JSON object")
    unknown = set(rule) - {"match", "kind", "status", "body", "headers", "seconds", "times"}
    if unknown:
        raise BadRule(f"unknown field: {', '.join(sorted(unknown))}")
    kind = rule.get("kind")
    if kind not in CALL_KINDS | WEBHOOK_KINDS:
        raise BadRule(f"kind must be one of {', '.join(sorted(CALL_KINDS | WEBHOOK_KINDS))}")
    headers = rule.get("headers") or {}
    if not isinstance(headers, dict):
        raise BadRule("headers must be an object")
    fault = Fault(
        id=rule_id,
        kind=kind,
        status=_whole_number(rule.get("status", 503), "status", 100, 599),
        body=rule.get("body"),
        headers={str(key): str(value) for key, value in headers.items()},
        seconds=_seconds(rule.get("seconds", 2)),
    )
    method, path, operation = _match(rule.get("match") or {})
    if operation == WEBHOOK_OPERATION and kind not in WEBHOOK_KINDS:
        raise BadRule("the operation webhook takes duplicate, drop, reorder or delay")
    left = _whole_number(rule.get("times", 1), "times", 1, 1_000_000)
    return _Rule(fault, method, path, operation, left)


def _match(match: Any) -> tuple[str | None, str | None, str | None]:
    if not isinstance(match, dict) or set(match) - {"method", "path", "operation"}:
        raise BadRule("match is an object with method, path and operation, each optional")
    if any(not isinstance(value, str) for value in match.values()):
        raise BadRule("method, path and operation are strings")
    method = match.get("method")
    return method.upper() if method else None, match.get("path"), match.get("operation")


def _whole_number(value: Any, name: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRule(f"{name} must be a whole number from {low} to {high}")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_SECONDS:
        raise BadRule(f"seconds must be a number from 0 to {MAX_SECONDS:.0f}")
    return float(value)
