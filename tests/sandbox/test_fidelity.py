"""FIDELITY.md names a test for each claim, and each of those tests exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "sandbox/FIDELITY.md").read_text().splitlines()
    if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line)
]
_CLAIMS = [row for row in _ROWS if row[0] != "claim"]


def _is_there(node_id: str) -> bool:
    """Whether `file::Class::function` (parameters aside) is defined."""
    path, *names = node_id.split("[")[0].split("::")
    file = ROOT / path
    if not file.is_file() or not names or not names[-1].startswith("test_"):
        return False
    body = ast.parse(file.read_text()).body
    for name in names:
        found = next((node for node in body if getattr(node, "name", None) == name), None)
        if not isinstance(found, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        body = found.body
    return True


class TestFidelity:
    def test_has_claims_for_hubspot(self) -> None:
        assert len(_CLAIMS) > 40

    @pytest.mark.parametrize("row", _CLAIMS, ids=lambda row: row[0][:60])
    def test_each_claim_has_a_source_and_a_test_that_exists(self, row: list[str]) -> None:
        assert len(row) == 3, "a row is: claim | reference | test"
        claim, reference, test = row
        assert claim
        assert reference
        node_ids = re.findall(r"tests/[^`\s,]+", test)
        assert node_ids, "a claim needs a test"
        assert [node_id for node_id in node_ids if not _is_there(node_id)] == []

    def test_missing_test_would_be_found(self) -> None:
        here = "tests/sandbox/test_fidelity.py::TestFidelity"

        assert _is_there(f"{here}::test_missing_test_would_be_found")
        assert not _is_there(f"{here}::test_no_such")
        assert not _is_there("tests/sandbox/no_such.py::test_x")
