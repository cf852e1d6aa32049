"""Change data capture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quickbooks.cdc import change_data_capture
from quickbooks.objects.invoice import Invoice

from tests.sandbox.quickbooks.harness import Company, code_of

LONG_AGO = "2011-10-10T09:00:00-07:00"


def blocks(company: Company, entities: str, since: str) -> list[dict[str, Any]]:
    response = company.get("cdc", entities=entities, changedSince=since)
    assert response.ok, response.text
    found: list[dict[str, Any]] = response.json()["CDCResponse"][0]["QueryResponse"]
    return found


class TestChanges:
    def test_full_objects_with_deletions_last(self, us: Company) -> None:
        first, second = us.invoice({"Id": "1"}), us.invoice({"Id": "1"})
        us.make("invoice", {"Id": first["Id"], "SyncToken": "0"}, operation="delete")
        # Lower case as in the recording, whose instant is far older than the 30 days of the documentation.
        block = blocks(us, "invoice", LONG_AGO)[0]
        assert list(block) == ["Invoice", "startPosition", "maxResults"]
        assert block["Invoice"][0] == second
        assert (block["Invoice"][1]["status"], block["Invoice"][1]["Id"]) == ("Deleted", first["Id"])
        assert block["maxResults"] == 2

    def test_block_per_entity_and_empty_without_changes(self, us: Company) -> None:
        us.customer()
        later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        assert blocks(us, "Invoice,Payment,Customer", later) == [{}, {}, {}]
        assert [len(block) for block in blocks(us, "Invoice, Payment,Customer", LONG_AGO)] == [0, 0, 3]

    def test_client_library_reads_it(self, us: Company) -> None:
        made = us.invoice({"Id": "1"})
        answer = change_data_capture([Invoice], LONG_AGO, qb=us.client())
        assert [one.Id for one in answer.Invoice] == [made["Id"]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("entities", "since", "code"),
        [
            ("", LONG_AGO, "2020"),
            ("Invoice", "", "2020"),
            ("Invoice", "yesterday", "4001"),
            ("Deal", LONG_AGO, "4001"),
            ("TaxCode", LONG_AGO, "4001"),
        ],
    )
    def test_parameters(self, us: Company, entities: str, since: str, code: str) -> None:
        assert code_of(us.get("cdc", entities=entities, changedSince=since)) == code
