"""`dealwright metrics`: what it prints and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import time_machine

from app.cli import main
from tests.app.test_cli import DEAL, answers, refused, told, written

Capture = pytest.CaptureFixture[str]
Json = dict[str, Any]
ROW = {
    "month", "mrr", "list_mrr", "committed_mrr", "arr", "carr", "new", "expansion", "discount_end", "contraction",
    "churn", "reactivation", "renewal", "grr", "nrr", "customer_churn", "revenue_churn",
}  # fmt: skip


class TestMetricsOfAFile:
    def test_is_a_row_a_month_as_json(self, tmp_path: Path, capsys: Capture) -> None:
        argv = ["metrics", written(tmp_path, [DEAL]), "--json", "--from", "2027-01", "--to", "2027-02"]
        assert main(argv) == 0
        months = json.loads(told(capsys))["months"]
        assert [month["month"] for month in months] == ["2027-01", "2027-02"]
        assert [set(month) for month in months] == [ROW, ROW]
        assert [(month["mrr"], month["new"]) for month in months] == [("1000.00", "12000.00"), ("1000.00", "0.00")]

    def test_is_two_tables_for_people(self, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        assert main(["metrics", written(tmp_path, [DEAL]), "--from", "2026-12", "--to", "2027-02"]) == 0
        text = told(capsys)
        assert text.count("\n2027-01 ") == 2
        assert "12,000.00" in text
        assert "–" in text
        assert max(len(line) for line in text.splitlines()) <= 120

    def test_ends_with_1_when_a_document_is_bad_and_says_which(self, tmp_path: Path, capsys: Capture) -> None:
        file = written(tmp_path, [DEAL, DEAL | {"start": "2027-02-30"}])
        assert main(["metrics", file]) == 1
        assert 'documents[1].start is "2027-02-30"; allowed: a date' in told(capsys)
        assert main(["metrics", file, "--json"]) == 1
        assert json.loads(told(capsys))["errors"][0]["field"] == "documents[1].start"

    def test_ends_with_1_when_the_file_is_no_list(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["metrics", written(tmp_path, DEAL), "--json"]) == 1
        (error,) = json.loads(told(capsys))["errors"]
        assert (error["field"], error["allowed"]) == ("documents", "a list of deal documents")

    @pytest.mark.parametrize(
        ("first", "last", "field"),
        [("2027", "2027-02", "from"), ("2027-01", "2027-13", "to"), ("2027-03", "2027-02", "to")],
    )
    def test_ends_with_1_when_a_month_is_none(
        self, tmp_path: Path, capsys: Capture, first: str, last: str, field: str
    ) -> None:
        assert main(["metrics", written(tmp_path, [DEAL]), "--json", "--from", first, "--to", last]) == 1
        assert [error["field"] for error in json.loads(told(capsys))["errors"]] == [field]

    def test_ends_with_2_when_the_file_is_no_json(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["metrics", written(tmp_path, "{")]) == 2
        assert "This is not JSON" in capsys.readouterr().err

    @time_machine.travel("2027-01-15T12:00:00+00:00", tick=False)
    def test_is_as_of_today_where_a_document_does_not_say(self, tmp_path: Path, capsys: Capture) -> None:
        document = {name: value for name, value in DEAL.items() if name != "as_of"}
        assert main(["metrics", written(tmp_path, [document]), "--json", "--from", "2027-01", "--to", "2027-01"]) == 0
        assert json.loads(told(capsys))["months"][0]["mrr"] == "1000.00"

    @pytest.mark.parametrize("argv", [[], ["--json"], ["--lines", "--from", "2027-01"]])
    def test_refuses_what_makes_no_sense(self, capsys: Capture, argv: list[str]) -> None:
        assert refused(["metrics", *argv]) == 2
        assert capsys.readouterr().err


class TestMetricsOfLines:
    def test_answers_each_line_in_order_and_goes_on_after_a_bad_one(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        lines = [
            json.dumps({"documents": [DEAL], "from": "2027-01", "to": "2027-01"}),
            "{",
            json.dumps([DEAL]),
            json.dumps({"documents": DEAL, "from": 7, "until": "2027-01"}),
            json.dumps({"documents": [DEAL | {"currency": "usd"}], "from": "2027-01", "to": "2027-01"}),
            json.dumps({"documents": [DEAL], "from": "2027-02", "to": "2027-03"}),
        ]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode())))
        assert main(["metrics", "--lines"]) == 1
        found = answers(capsys)
        assert [[month["month"] for month in each.get("months", [])] for each in found] == [
            ["2027-01"], [], [], [], [], ["2027-02", "2027-03"],
        ]  # fmt: skip
        assert {each["status"] for each in found[1:5]} == {"invalid"}
        assert [error["field"] for error in found[3]["errors"]] == ["documents", "from", "until"]
        assert found[4]["errors"][0]["field"] == "documents[0].currency"
