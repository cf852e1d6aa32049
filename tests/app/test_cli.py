"""The `dealwright` command: what it prints and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import time_machine

from app.cli import main

Capture = pytest.CaptureFixture[str]
Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
DEAL: Json = {
    "customer": "Acme Inc", "currency": "USD", "start": "2027-01-01", "term_months": 12, "as_of": "2026-11-21",
    "items": [{"key": "platform", "name": "Platform", "kind": "recurring", "quantity": "10", "unit_price": "100.00"}],
}  # fmt: skip
UNCLEAR = DEAL | {"terms": "Fees as discussed with Bob"}


def written(tmp_path: Path, *lines: object) -> str:
    """Write one JSON value a line; texts as they are."""
    file = tmp_path / "deals.json"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return str(file)


def told(capsys: Capture) -> str:
    return capsys.readouterr().out


def answers(capsys: Capture) -> list[Json]:
    return [json.loads(line) for line in told(capsys).splitlines()]


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def refused(argv: Sequence[str]) -> int | str | None:
    with pytest.raises(SystemExit) as end:
        main(argv)
    return end.value.code


class TestPreviewOfOneDocument:
    def test_is_a_table_with_each_line_and_its_reason(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["preview", written(tmp_path, DEAL)]) == 0
        text = told(capsys)
        assert text.startswith("Status: ok\n")
        assert text.count("Invoice to Acme Inc, due ") == 12
        assert text.count("net 1,000.00\n") == 12
        assert text.count("10 x 100.00 a month") == 13
        assert "1 Dec - 31 Dec 2027" in text
        assert "net       12,000.00\n" in text
        assert "The next term would start on 1 Jan 2028" in text

    @pytest.mark.parametrize(("terminal", "width"), [("40", 80), ("100", 100), ("300", 120)])
    def test_is_80_to_120_columns_wide(
        self, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, terminal: str, width: int
    ) -> None:
        monkeypatch.setenv("COLUMNS", terminal)
        long = {**UNCLEAR, "customer": "The Very Long Name of a Company " * 5}
        assert main(["preview", written(tmp_path, long)]) == 1
        widths = {len(line) for line in told(capsys).splitlines()}
        assert width - 8 <= max(widths) <= width

    def test_says_questions_and_that_nothing_is_billable(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["preview", written(tmp_path, UNCLEAR)]) == 1
        text = told(capsys)
        assert text.startswith("Status: needs clarification")
        assert "Fees as discussed with Bob" in text
        assert text.count(", not billable:") == 12

    def test_marks_a_credit_note_and_says_what_it_corrects(self, tmp_path: Path, capsys: Capture) -> None:
        change = {"id": "C-1", "effective": "2027-02-15", "item": "platform", "unit_price": "90.00", "settle": "unused"}
        months = (("2027-01-01", "2027-02-01"), ("2027-02-01", "2027-03-01"))
        issued = [
            {"item": "platform", "start": start, "end": end, "quantity": "10", "unit_price": "100.00",
             "charged": "1000.00", "document": f"INV-{start}"}
            for start, end in months
        ]  # fmt: skip
        document = {**DEAL, "term_months": 3, "as_of": "2027-02-10", "changes": [change], "issued": issued}
        assert main(["preview", written(tmp_path, document)]) == 0
        text = told(capsys)
        (head,) = (line for line in text.splitlines() if "CREDIT NOTE" in line)
        assert head.startswith("15 Feb 2027  CREDIT NOTE for change C-1 to Acme Inc, due ")
        assert head.endswith("net -50.00")
        assert "(corrects INV-2027-02-01)" in " ".join(text.split())
        assert text.count(" Invoice to ") == 1

    def test_says_why_a_document_is_not_sent(self, tmp_path: Path, capsys: Capture) -> None:
        free = {"key": "free", "kind": "recurring", "unit_price": "0"}
        assert main(["preview", written(tmp_path, DEAL | {"items": [free], "term_months": 1})]) == 0
        text = told(capsys)
        assert ", not sent:" in text
        assert "    Note: Not sent: every line is zero by itself." in text

    def test_says_every_error(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["preview", written(tmp_path, DEAL | {"currency": "usd", "colour": "blue"})]) == 1
        text = told(capsys)
        assert "Status: invalid" in text
        assert 'currency is "usd"; allowed: an ISO 4217 currency code' in text
        assert 'colour is "blue"; allowed: no such field' in text

    def test_writes_no_control_characters_of_a_name(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["preview", written(tmp_path, DEAL | {"customer": "Ac\x1b[2Jme\ud800"})]) == 0
        text = told(capsys)
        assert "\x1b" not in text
        assert "Ac\N{REPLACEMENT CHARACTER}[2Jme\N{REPLACEMENT CHARACTER}" in text

    def test_is_the_whole_answer_as_json(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["preview", written(tmp_path, DEAL), "--json"]) == 0
        assert json.loads(told(capsys))["totals"]["net"] == "12000.00"

    @pytest.mark.parametrize("given", [{}, {"as_of": None}])
    @time_machine.travel("2027-03-05T23:00:00+00:00", tick=False)
    def test_is_as_of_today_when_the_document_does_not_say(self, tmp_path: Path, capsys: Capture, given: Json) -> None:
        document = {name: value for name, value in DEAL.items() if name != "as_of"} | {"term_months": None} | given
        assert main(["preview", written(tmp_path, document), "--json"]) == 0
        assert json.loads(told(capsys))["documents"][-1]["date"] == "2028-03-01"

    @pytest.mark.parametrize("text", ["{", "", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 5000])
    def test_ends_with_2_and_names_a_file_that_is_no_json(self, tmp_path: Path, capsys: Capture, text: str) -> None:
        file = written(tmp_path, text)
        assert main(["preview", file]) == 2
        assert capsys.readouterr().err.startswith(f"{file}: This ")

    @pytest.mark.parametrize("form", ["--json", "--lines"])
    def test_ends_with_2_and_names_a_file_that_is_not_there(self, tmp_path: Path, capsys: Capture, form: str) -> None:
        file = str(tmp_path / "none.json")
        assert main(["preview", file, form]) == 2
        assert capsys.readouterr().err == f"{file}: No such file or directory\n"

    @pytest.mark.parametrize("argv", [[], ["--json"], ["x", "--json", "--lines"]])
    def test_refuses_what_makes_no_sense(self, capsys: Capture, argv: list[str]) -> None:
        assert refused(["preview", *argv]) == 2
        assert capsys.readouterr().err


class TestPreviewOfLines:
    def test_answers_each_line_in_order_and_ends_with_1_if_one_is_not_ok(self, tmp_path: Path, capsys: Capture) -> None:
        second = DEAL | {"currency": "EUR", "term_months": 1}
        assert main(["preview", written(tmp_path, DEAL, UNCLEAR, 7, second), "--lines"]) == 1
        found = answers(capsys)
        assert [each["status"] for each in found] == ["ok", "needs_clarification", "invalid", "ok"]
        assert found[3]["totals"]["net"] == "1000.00"

    def test_ends_with_0_when_all_are_ok(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["preview", written(tmp_path, DEAL, DEAL), "--lines"]) == 0
        assert len(answers(capsys)) == 2

    @pytest.mark.parametrize(
        "bad",
        [b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"1e999", b"1" * 9000, b'{"a":1,"a":2}'],
        ids=["open", "nan", "bytes", "deep", "deep-objects", "infinite", "digits", "twice"],
    )
    def test_goes_on_after_a_bad_line(self, monkeypatch: pytest.MonkeyPatch, capsys: Capture, bad: bytes) -> None:
        stdin(monkeypatch, b"\n".join([bad, json.dumps(DEAL).encode()]))
        assert main(["preview", "--lines"]) == 1
        first, second = answers(capsys)
        assert first["status"] == "invalid"
        (error,) = first["errors"]
        assert error["field"] == ""
        assert error["allowed"].startswith("one JSON object on one line.")
        assert len(error["value"]) <= 200
        assert second["status"] == "ok"

    @pytest.mark.parametrize("value", ["7", '"text"', "null", "[]", "true", "1.5"])
    def test_answers_a_line_that_is_no_object(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Capture, value: str
    ) -> None:
        stdin(monkeypatch, f"{value}\n".encode())
        assert main(["preview", "--lines"]) == 1
        (answer,) = answers(capsys)
        assert answer["errors"] == [
            {"field": "", "value": json.loads(value), "allowed": "an object with the fields of a deal document"}
        ]

    def test_leaves_out_blank_lines_and_reads_any_line_end(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        line = json.dumps(DEAL).encode()
        stdin(monkeypatch, b"\xef\xbb\xbf" + line + b"\r\n\n  \t\n" + line)
        assert main(["preview", "--lines"]) == 0
        assert len(answers(capsys)) == 2

    def test_a_line_ends_at_a_line_feed_only(self, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
        document = DEAL | {"customer": "Acme\u2028Inc"}
        stdin(monkeypatch, json.dumps(document, ensure_ascii=False).encode())
        assert main(["preview", "--lines"]) == 0
        (answer,) = answers(capsys)
        assert answer["documents"][0]["bill_to"] == "Acme\u2028Inc"

    def test_is_the_same_json_as_one_document(self, tmp_path: Path, capsys: Capture) -> None:
        file = written(tmp_path, UNCLEAR)
        main(["preview", file, "--json"])
        alone = json.loads(told(capsys))
        main(["preview", file, "--lines"])
        assert answers(capsys) == [alone]

    def test_answers_a_line_before_the_next_one_comes(self) -> None:
        argv = [sys.executable, "-m", "app.cli", "preview", "--lines"]
        line = json.dumps(DEAL).encode() + b"\n"
        with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            for _ in range(2):
                process.stdin.write(line)
                process.stdin.flush()
                assert json.loads(process.stdout.readline())["status"] == "ok"
            process.stdin.close()
            assert process.wait() == 0

    def test_ends_quietly_when_the_reader_leaves(self, tmp_path: Path) -> None:
        file = written(tmp_path, *[DEAL] * 200)
        argv = [sys.executable, "-m", "app.cli", "preview", file, "--lines"]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(argv, cwd=ROOT, **pipe) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 1


class TestMigrate:
    def test_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
        monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
        assert main(["migrate"]) == 2
        assert "DATABASE_OWNER_URL" in capsys.readouterr().err
