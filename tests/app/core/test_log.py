"""Logs: one JSON line a record, with its ids and without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.core import log


@pytest.fixture
def lines() -> Iterator[Any]:
    """What is logged inside the test, parsed; the process's own handlers come back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log.configure("json")
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.clear()
    root.handlers[:] = before
    root.setLevel(level)


class TestRedaction:
    @pytest.mark.parametrize(
        "name",
        [
            "token", "access_token", "refreshToken", "client_secret", "password", "Authorization",
            "X-HubSpot-Signature-v3", "code", "cookie", "set_cookie",
        ],
    )  # fmt: skip
    def test_hides_the_value_when_the_name_says_secret(self, lines: Any, name: str) -> None:
        log.get("t").info("called", **{name: "s3cr3t"})
        assert lines()[0][name] == "[hidden]"

    def test_hides_what_was_bound_for_the_whole_request(self, lines: Any) -> None:
        log.bind(session_token="s3cr3t")
        log.get("t").info("called")
        assert "s3cr3t" not in json.dumps(lines())

    def test_hides_secrets_inside_a_mapping(self, lines: Any) -> None:
        log.get("t").info(
            "called", headers={"Authorization": "Bearer s3cr3t", "Accept": "json"}, many=[{"token": "s3"}]
        )
        line = lines()[0]
        assert line["headers"] == {"Authorization": "[hidden]", "Accept": "json"}
        assert line["many"] == [{"token": "[hidden]"}]

    def test_keeps_status_codes(self, lines: Any) -> None:
        log.get("t").info("request", status_code=200, error_code="6240")
        assert (lines()[0]["status_code"], lines()[0]["error_code"]) == (200, "6240")


class TestLines:
    def test_carry_level_time_and_the_ids_of_their_work(self, lines: Any) -> None:
        log.bind(portal=7, work=9)
        log.get("t").warning("late", days=3)
        (line,) = lines()
        assert (line["event"], line["level"], line["portal"], line["work"], line["days"]) == (
            "late",
            "warning",
            7,
            9,
            3,
        )
        assert line["timestamp"].endswith("Z")

    def test_carry_no_ids_of_work_that_is_over(self, lines: Any) -> None:
        log.bind(portal=7)
        log.clear()
        log.get("t").info("next")
        assert "portal" not in lines()[0]

    def test_of_libraries_are_json_with_ids_too(self, lines: Any) -> None:
        log.bind(portal=7)
        logging.getLogger("elsewhere").warning("slow %s", "query")
        assert (lines()[0]["event"], lines()[0]["portal"]) == ("slow query", 7)

    def test_of_chatty_libraries_leave_out_addresses_with_their_queries(self, lines: Any) -> None:
        logging.getLogger("urllib3.connectionpool").info("GET /oauth?code=s3cr3t")
        assert lines() == []

    def test_carry_the_traceback_when_an_error_is_given(self, lines: Any) -> None:
        try:
            raise LookupError("inside")
        except LookupError as error:
            log.get("t").error("failed", exc_info=error)
        (line,) = lines()
        assert "test_carry_the_traceback" in json.dumps(line)
        assert "LookupError" in json.dumps(line)

    def test_carry_the_traceback_of_a_librarys_error(self, lines: Any) -> None:
        try:
            raise LookupError("inside")
        except LookupError:
            logging.getLogger("elsewhere").exception("failed")
        assert "test_carry_the_traceback" in json.dumps(lines())


class TestText:
    def test_is_readable_and_redacted(self, lines: Any) -> None:
        log.configure("text")
        stream = io.StringIO()
        handler = logging.getLogger().handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(stream)
        structlog.get_logger("t").info("called", token="s3cr3t", portal=7)
        assert "called" in stream.getvalue()
        assert "portal=7" in stream.getvalue()
        assert "s3cr3t" not in stream.getvalue()
