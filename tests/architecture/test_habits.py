"""Habits a machine can check: one home for time, environment and commits; no floats for money; small modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_imports import modules

PRODUCT = modules("app", "cards", "oauth", "workers")
ALL = modules("app", "cards", "oauth", "workers", "sandbox", "tools", "bench")
LONGEST_MODULE, LONGEST_FUNCTION = 400, 40
# The one home of each habit: everything else asks there.
HOMES = {
    "datetime.now": {"app.core.clock"},
    "date.today": set(),
    "os.environ": {"app.settings", "app.cli"},
    "print": {"app.cli"},
    "session.commit": {"app.core.db", "app.edge", "app.cli"},
}


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (dotted name, line) of every call and attribute read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno
        elif isinstance(node, ast.Attribute):
            yield ast.unparse(node), node.lineno


@pytest.mark.parametrize("habit", HOMES)
def test_has_one_home(habit: str) -> None:
    for name, path in PRODUCT:
        if name in HOMES[habit]:
            continue
        for called, line in calls(path):
            assert called != habit, f"{name}:{line} uses {called}"
            assert not called.endswith(f".{habit}"), f"{name}:{line} uses {called}"


def test_money_is_never_a_float() -> None:
    for name, path in PRODUCT:
        for called, line in calls(path):
            assert called != "float" or name in {"app.settings", "app.integrations.http"}, f"{name}:{line}"


@pytest.mark.parametrize(("name", "path"), ALL, ids=[name for name, _ in ALL])
def test_modules_and_functions_are_small(name: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_MODULE, f"{name} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{name}.{node.name} has {length} lines"


def test_broad_catches_stay_at_the_edge() -> None:
    for name, path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
                assert not broad, f"{name}:{node.lineno}"
