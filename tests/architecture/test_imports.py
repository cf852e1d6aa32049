"""The import rules of docs/architecture.md, read from the syntax trees."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each feature may use the ones before it.
FEATURES = ("portals", "problems", "connections", "access", "inbox", "customers", "deals", "subscriptions", "payments",
            "invoices", "standing")  # fmt: skip
DOORS = ("app.console", "app.api", "app.commands", "app.webhooks", "cards", "oauth", "workers")
# The request edge: Flask, sessions and health checks, used by every door and by nothing inside.
EDGE = ("app.edge", "app.sessions", "app.health")
OURS = ("app", "cards", "oauth", "workers", "migrations", "sandbox", "tools", "tests", "bench")
# What wires the process; it may see everything and is imported at process start only.
BOOTSTRAP = ("app.bootstrap", "app.cli", "app")
# Billing is the standard library and what decision records name.
BILLING_MAY = {"lark"}


def modules(*packages: str) -> list[tuple[str, Path]]:
    """Return (dotted name, file) of every module of these packages."""
    found = []
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found.append((name, path))
    return found


def imports(path: Path) -> Iterator[str]:
    """Yield every dotted name a module imports, those inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.partition(".")[0] in OURS}


def names(found: list[tuple[str, Path]]) -> list[str]:
    return [name for name, _ in found]


BILLING = modules("app/billing")
CORE = modules("app/core")
FEATURE_MODULES = [pair for feature in FEATURES for pair in modules(f"app/{feature}")]
INTEGRATIONS = modules("app/integrations")
DOOR_MODULES = [pair for door in DOORS for pair in modules(door.replace(".", "/"))]


@pytest.mark.parametrize(("name", "path"), BILLING, ids=names(BILLING))
def test_billing_is_pure(name: str, path: Path) -> None:
    for imported in imports(path):
        top = imported.partition(".")[0]
        assert within(imported, "app.billing", "app") or top in sys.stdlib_module_names or top in BILLING_MAY, imported
        assert top != "app" or imported == "app" or within(imported, "app.billing"), imported


@pytest.mark.parametrize(("name", "path"), CORE, ids=names(CORE))
def test_core_knows_no_feature(name: str, path: Path) -> None:
    assert all(within(imported, "app.core") or imported == "app" for imported in ours(path)), ours(path)


@pytest.mark.parametrize(("name", "path"), FEATURE_MODULES, ids=names(FEATURE_MODULES))
def test_features_use_only_earlier_features(name: str, path: Path) -> None:
    own = name.split(".")[1]
    earlier = [f"app.{feature}" for feature in FEATURES[: FEATURES.index(own) + 1]]
    for imported in ours(path):
        assert imported == "app" or within(imported, "app.billing", "app.core", "app.ports", *earlier), imported


@pytest.mark.parametrize(("name", "path"), INTEGRATIONS, ids=names(INTEGRATIONS))
def test_integrations_know_ports_billing_and_core(name: str, path: Path) -> None:
    for imported in ours(path):
        assert imported == "app" or within(imported, "app.ports", "app.billing", "app.core", "app.integrations"), (
            imported
        )


@pytest.mark.parametrize(("name", "path"), DOOR_MODULES, ids=names(DOOR_MODULES))
def test_doors_use_features_and_core_and_not_one_another(name: str, path: Path) -> None:
    own = next(door for door in DOORS if within(name, door))
    for imported in ours(path):
        others = [door for door in DOORS if door != own]
        assert not within(imported, *others), f"{name} uses another door: {imported}"
        assert not within(imported, "app.integrations", "migrations", "sandbox", "tools", "tests"), imported
        if within(imported, "app.bootstrap"):
            assert name == "workers.process", f"{name}: the bootstrap is for process start only"


def test_flask_lives_in_doors_and_edge_only() -> None:
    for name, path in modules("app", "cards", "oauth", "workers"):
        if within(name, *DOORS, *EDGE) or name in BOOTSTRAP:
            continue
        assert not any(within(imported, "flask") for imported in imports(path)), name


def test_the_edge_is_used_by_doors_and_bootstrap_only() -> None:
    for name, path in modules("app", "cards", "oauth", "workers"):
        if within(name, *DOORS, *EDGE) or name in BOOTSTRAP:
            continue
        assert not any(within(imported, *EDGE) for imported in imports(path)), name


def test_stand_ins_and_tools_import_nothing_of_the_product() -> None:
    for name, path in modules("sandbox", "tools"):
        assert not any(
            within(imported, "app", "cards", "oauth", "workers", "migrations") for imported in imports(path)
        ), name


def test_sdks_stay_in_integrations() -> None:
    for name, path in modules("app", "cards", "oauth", "workers"):
        if within(name, "app.integrations"):
            continue
        assert not any(within(imported, "hubspot", "quickbooks") for imported in imports(path)), name
