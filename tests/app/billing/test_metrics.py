"""Which months are shown, what is asked for badly, and what one deal is worth (convention 14, decision 0010.23)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.billing import InvalidDocument
from app.billing.metrics import contract_value, metrics

from .builders import Json, deal, entry, one_time, recurring
from .metrics_builders import level, rows, yearly

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
USAGE: Json = {"key": "calls", "kind": "usage", "unit_price": "1.00", "meter": "calls"}


def open_ended(*items: Json, **fields: object) -> Json:
    return deal(*items, term_months=None, **fields)


class TestMonths:
    @pytest.mark.parametrize(
        ("documents", "first", "last"),
        [
            ([deal()], "2027-01", "2028-01"),
            ([deal(), deal(start="2026-05-15", term_months=1)], "2026-05", "2028-01"),
            ([open_ended()], "2027-01", "2028-01"),
            ([open_ended(as_of="2027-05-20")], "2027-01", "2028-05"),
            ([deal(renewal={"auto": True}, as_of="2029-05-20")], "2027-01", "2030-05"),
            ([open_ended(changes=[{"effective": "2027-03-15", "cancel": "at"}])], "2027-01", "2027-03"),
            ([open_ended(), deal(term_months=36)], "2027-01", "2030-01"),
            ([deal(recurring(end="2028-04-10"), term_months=3)], "2027-01", "2028-04"),
            ([deal(one_time())], "2027-01", "2028-01"),
        ],
    )
    def test_go_by_default_from_the_earliest_start_to_the_latest_end(
        self, documents: list[Json], first: str, last: str
    ) -> None:
        months = list(rows(documents))
        assert (months[0], months[-1]) == (first, last)
        without = [{name: value for name, value in each.items() if name != "as_of"} for each in documents]
        assert next(iter(rows(without))) == first

    def test_are_all_there_across_a_year(self) -> None:
        assert list(rows([deal()], "2027-11", "2028-02")) == ["2027-11", "2027-12", "2028-01", "2028-02"]

    def test_may_lie_outside_the_deals(self) -> None:
        assert list(rows([deal()], "2030-01")) == ["2030-01"]
        assert list(rows([deal()], None, "2026-01")) == ["2026-01"]

    def test_without_documents_are_none(self) -> None:
        assert metrics([], "2027-01", "2027-12").to_json() == {"months": []}


class TestFaults:
    def faults(self, *args: object) -> list[tuple[object, object]]:
        body = metrics(*args).to_json()  # type: ignore[arg-type]  # bad input is the point
        assert body["status"] == "invalid"
        errors = body["errors"]
        assert isinstance(errors, list)
        assert all(set(error) == {"field", "value", "allowed"} and error["allowed"] for error in errors)
        return [(error["field"], error["value"]) for error in errors]

    def test_of_all_documents_come_at_once(self) -> None:
        documents = [deal(), 7, deal(recurring(unit_price="x"), start="soon"), {}, deal(currency="EUR")]
        assert self.faults(documents, "2027-13", "27-01") == [
            ("from", "2027-13"), ("to", "27-01"), ("documents[1]", 7), ("documents[2].start", "soon"),
            ("documents[2].items[0].unit_price", "x"), ("documents[3].customer", None),
            ("documents[3].currency", None), ("documents[3].start", None), ("documents[3].items", None),
            ("documents[4].currency", "EUR"),
        ]  # fmt: skip

    @pytest.mark.parametrize("month", ["2027", "2027-1", "2027-00", "1899-12", "3000-01", "2027-01-01", 202701])
    def test_of_a_month(self, month: object) -> None:
        assert self.faults([deal()], month) == [("from", month)]

    def test_of_months_in_the_wrong_order(self) -> None:
        assert self.faults([deal()], "2027-02", "2027-01") == [("to", "2027-01")]

    @pytest.mark.parametrize("documents", [{}, "[]", None, 3])
    def test_of_something_that_is_no_list(self, documents: object) -> None:
        assert self.faults(documents) == [("documents", documents)]

    def test_of_changes_that_clash_say_why(self) -> None:
        changes = [
            {"id": "up", "effective": "2027-03-01", "item": "platform", "quantity": "2"},
            {"id": "down", "effective": "2027-03-01", "item": "platform", "quantity": "3"},
        ]
        answer = metrics([deal(), deal(changes=changes), deal(currency="EUR")])
        assert [error.field for error in answer.errors] == ["documents[2].currency", "documents[1].changes"]
        assert "“up” and “down”" in answer.errors[1].allowed

    def test_of_a_quantity_that_no_tier_holds_is_no_silent_zero(self) -> None:
        closed: Json = {"model": "volume", "tiers": [{"up_to": "5", "unit_price": "10.00"}]}
        item = {name: value for name, value in recurring(price=closed).items() if name != "unit_price"}
        change = {"effective": "2027-03-01", "item": "platform", "quantity": "6"}
        assert rows([deal(item)], "2027-01", "2027-01")["2027-01"]["mrr"] == "10.00"
        assert self.faults([deal(item, changes=[change])]) == [("documents[0].items", "6")]

    def test_of_words_are_none_they_do_not_count_while_they_are_open(self) -> None:
        assert level("mrr", [deal(terms="half price")], ["2027-06"]) == {"2027-06": "100.00"}


class TestContractValue:
    @pytest.mark.parametrize(
        ("document", "tcv", "acv"),
        [
            (deal(recurring(quantity="10"), one_time()), "14500.00", "12000.00"),
            (yearly("40000.00", term_months=36), "120000.00", "40000.00"),
            (deal(term_months=6), "600.00", "1200.00"),
            (deal(term_months=18), "1800.00", "1200.00"),
            (deal(recurring(discounts=[{"percent": "20", "to_month": 2}])), "1160.00", "1160.00"),
            (deal(recurring(discounts=[{"amount": "50", "per": "once"}])), "1150.00", "1150.00"),
            (deal(recurring(steps=[{"from_month": 7, "unit_price": "120.00"}])), "1320.00", "1320.00"),
            (deal(recurring(trial_until="2027-02-01")), "1100.00", "1100.00"),
            (deal(recurring(), USAGE), "1200.00", "1200.00"),
            (deal(billing={"timing": "arrears"}), "1200.00", "1200.00"),
            (deal(billing={"interval": "P1M", "anchor": 15}), "1200.00", "1200.00"),
            (yearly("100.00", billing={"interval": "P1M"}), "100.00", "100.00"),
            # The last instalment is invoiced after the service is over.
            (yearly("100.00", billing={"dates": [{"date": "2027-01-01"}, {"date": "2028-03-01"}]}), "100.00", "100.00"),
            (deal(recurring(), one_time(when={"event": "go-live"})), "1200.00", "1200.00"),
            (deal(recurring(), one_time(when={"event": "a", "confirmed_on": "2027-03-01"})), "3700.00", "1200.00"),
            # As agreed: neither the next term nor a change, a credit, a payer or what was issued counts.
            (deal(renewal={"auto": True}, changes=[{"effective": "2027-03-01", "cancel": "at"}]), "1200.00", "1200.00"),
            (deal(credits=[{"amount": "300.00"}], bill_to=[{"name": "A", "share": "50"}]), "1200.00", "1200.00"),
            (deal(issued=[entry("platform", "2027-01-01", "2027-02-01", "100.00")]), "1200.00", "1200.00"),
            (yearly("100", currency="JPY", term_months=7), "58", "99"),
            (open_ended(), None, None),
        ],
    )  # fmt: skip
    def test_is_what_the_term_bills(self, document: Json, tcv: str | None, acv: str | None) -> None:
        assert contract_value(document).to_json() == {"tcv": tcv, "acv": acv}

    def test_of_a_bad_document_is_refused(self) -> None:
        with pytest.raises(InvalidDocument):
            contract_value({"customer": "Acme Inc"})

    def test_of_a_quantity_that_no_tier_holds_is_refused(self) -> None:
        closed: Json = {"model": "volume", "tiers": [{"up_to": "5", "unit_price": "10.00"}]}
        item = {"key": "seats", "kind": "recurring", "quantity": "6", "price": closed}
        with pytest.raises(InvalidDocument, match="last tier"):
            contract_value(deal(item))


def test_the_page_says_what_comes_out() -> None:
    text = PAGE.read_text(encoding="utf-8")
    fenced = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert fenced
    asked = json.loads(fenced[1])
    found = rows(asked["documents"], asked["from"], asked["to"])
    tables = re.findall(r"(?:^\|.*\n)+", text[fenced.end() :], re.MULTILINE)
    shown: set[str] = set()
    for table in tables:
        heads, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
        shown |= set(heads)
        for line in lines:
            row = dict(zip(heads, line, strict=True))
            assert {name: value.replace(",", "") for name, value in row.items()} == {
                name: found[row["month"]][name] for name in heads
            }
        assert [line[0] for line in lines] == list(found)
    assert shown == set(next(iter(found.values())))
