"""The query language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from quickbooks.objects.customer import Customer
from quickbooks.objects.item import Item

from sandbox.quickbooks.query import parse
from sandbox.quickbooks.refusals import Refusal
from tests.sandbox.quickbooks.harness import Company, code_of


@pytest.fixture
def names(us: Company) -> Company:
    """Return a company with customers beside the seeded one."""
    for name in ("Alpha", "beta", "Gamma's \\ Shop & Co", "Delta 100%"):
        us.customer(DisplayName=name, PrimaryEmailAddr={"Address": f"{name[0].lower()}@x.example"})
    us.make("customer", {"Id": "1", "SyncToken": "0", "sparse": True, "Active": False})
    return us


def found(company: Company, rest: str) -> list[str]:
    answer = company.found(f"select * from Customer {rest}")
    return [one["DisplayName"] for one in answer.get("Customer", [])]


class TestWhere:
    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ("where DisplayName = 'Alpha'", ["Alpha"]),
            ("WHERE displayname = 'x'", None),
            ("where DisplayName in ('Alpha', 'beta')", ["Alpha", "beta"]),
            ("where DisplayName like 'a%'", ["Alpha"]),
            ("where DisplayName LIKE '%a' and DisplayName > 'b'", ["beta"]),
            ("where PrimaryEmailAddr = 'b@x.example'", ["beta"]),
            ("where Balance = '0' and Id in ('3', '4')", ["Alpha", "beta"]),
            ("where Balance > '0'", []),
            ("where DisplayName = 'Gamma\\'s \\\\ Shop & Co'", ["Gamma's \\ Shop & Co"]),
            ("where DisplayName like 'Delta 100%'", ["Delta 100%"]),
            ("where Active = false", ["Cedar & Finch Outfitters"]),
        ],
    )
    def test_finds(self, names: Company, where: str, expected: list[str] | None) -> None:
        if expected is None:
            assert code_of(names.query(f"select * from Customer {where}")) == "4001"
        else:
            assert found(names, where) == expected

    def test_inactive_ones_only_when_asked(self, names: Company) -> None:
        assert "Cedar & Finch Outfitters" not in found(names, "")
        assert len(found(names, "where Active in (true, false)")) == 5

    def test_times_compare_as_instants(self, names: Company) -> None:
        now = datetime.now(UTC)
        earlier = (now - timedelta(minutes=5)).isoformat()
        later = (now + timedelta(minutes=5)).isoformat()
        assert len(found(names, f"where MetaData.LastUpdatedTime > '{earlier}'")) == 4
        assert found(names, f"where MetaData.LastUpdatedTime > '{later}'") == []

    def test_dates_and_references_of_invoices(self, us: Company) -> None:
        us.invoice({"Id": "1"}, TxnDate="2026-01-31", PrivateNote="mark")
        us.invoice({"Id": "1"}, TxnDate="2026-02-01")
        rest = "where CustomerRef = '1' and TxnDate >= '2026-02-01'"
        assert len(us.found(f"select * from Invoice {rest}")["Invoice"]) == 1
        assert us.found("select count(*) from Invoice where TxnDate < '2026-02-01'") == {"totalCount": 1}


class TestPages:
    def test_order_and_position(self, names: Company) -> None:
        assert found(names, "orderby DisplayName desc")[0] == "Gamma's \\ Shop & Co"
        assert found(names, "ORDER BY DisplayName STARTPOSITION 2 MAXRESULTS 2") == ["beta", "Delta 100%"]
        assert found(names, "maxresults 2 startposition 4") == ["Delta 100%"]
        assert names.found("select * from Customer startposition 9") == {}

    def test_default_page_is_100_of_at_most_1000(self) -> None:
        assert parse("select * from Item").limit == 100
        assert parse("select * from Item maxresults 5000").limit == 1000

    def test_get_and_post_are_alike(self, names: Company) -> None:
        text = "select * from Customer where DisplayName = 'Gamma\\'s \\\\ Shop & Co'"
        got = names.get("query", query=text).json()["QueryResponse"]
        assert got == names.found(text)

    def test_client_library_reads(self, names: Company) -> None:
        client = names.client()
        assert [one.DisplayName for one in Customer.filter(DisplayName="Alpha", qb=client)] == ["Alpha"]
        assert Customer.count("Active in (true, false)", qb=client) == 5
        assert next(one.Name for one in Item.all(order_by="Name", qb=client)) == "Onboarding"


class TestOnDemand:
    def test_sku_must_be_named(self, us: Company) -> None:
        us.make("item", {"Name": "X", "Sku": "S-1", "IncomeAccountRef": {"value": "79"}})
        assert "Sku" not in us.found("select * from Item where Sku = 'S-1'")["Item"][0]
        assert us.found("select *, Sku from Item where Sku = 'S-1'")["Item"][0]["Sku"] == "S-1"


class TestRefusals:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "select",
            "select * Customer",
            "select * from Customer where",
            "select * from Customer where DisplayName = Alpha",
            "select * from Customer where DisplayName = 'Gamma's'",
            "select * from Customer where DisplayName = 'a' or DisplayName = 'b'",
            "select * from Customer, Item",
            "select * from Customer maxresults ten",
            "select * from Customer where DisplayName != 'a'",
            "delete from Customer",
        ],
    )
    def test_syntax(self, us: Company, text: str) -> None:
        assert code_of(us.query(text)) == "4000"

    @pytest.mark.parametrize(
        "text",
        [
            "select * from Deal",
            "select * from Customer where Colour = 'red'",
            "select * from Customer orderby Colour",
            "select Colour from Customer",
            "select * from Invoice where PrivateNote = 'x'",
            "select * from Customer where Id > '1'",
            "select * from Invoice where TotalAmt > 'much'",
            "select * from Customer where MetaData.CreateTime > 'now'",
        ],
    )
    def test_names_and_values(self, us: Company, text: str) -> None:
        assert code_of(us.query(text)) == "4001"

    def test_escapes_are_needed(self) -> None:
        assert parse("select * from Item where Name = 'a\\'b\\\\'").conditions[0].values == ("a'b\\",)
        with pytest.raises(Refusal):
            parse("select * from Item where Name = 'a'b'")
