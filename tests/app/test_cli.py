"""The `dealwright` command: what it prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import main

DEAL = {
    "customer": "Acme Inc", "currency": "USD", "start": "2027-01-01", "term_months": 12,
    "items": [{"key": "platform", "name": "Platform", "kind": "recurring", "quantity": "10", "unit_price": "100.00"}],
}  # fmt: skip


def written(tmp_path: Path, *documents: object) -> str:
    file = tmp_path / "deals.json"
    file.write_text("\n".join(json.dumps(document) for document in documents))
    return str(file)


class TestPreview:
    def test_prints_each_document_with_its_reason(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["preview", written(tmp_path, DEAL)]) == 0
        told = capsys.readouterr().out
        assert told.count("10 x 100.00 a month") == 13
        assert "2027-12-01" in told

    def test_prints_the_whole_answer_as_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["preview", written(tmp_path, DEAL), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["totals"]["net"] == "12000.00"

    def test_answers_line_by_line_and_fails_if_one_is_not_billable(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = DEAL | {"terms": "First month free"}
        assert main(["preview", written(tmp_path, DEAL, asked, 7), "--lines"]) == 1
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [answer["status"] for answer in answers] == ["ok", "needs_clarification", "invalid"]

    @pytest.mark.parametrize("text", ["{", ""])
    def test_says_where_a_file_is_no_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
        file = tmp_path / "deals.json"
        file.write_text(text)
        assert main(["preview", str(file)]) == 2
        assert str(file) in capsys.readouterr().err


class TestMigrate:
    def test_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
        assert main(["migrate"]) == 2
        assert "DATABASE_OWNER_URL" in capsys.readouterr().err
