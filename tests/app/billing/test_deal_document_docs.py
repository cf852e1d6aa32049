"""docs/deal-document.md tells the truth: each example comes out as its tables say, and no field is without one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import pytest

from app.billing import preview
from tests.app.billing.deal_document_page import Example, Row, examples

EXAMPLES = examples()
PLAIN = [example for example in EXAMPLES if not example.is_metrics]
_SEVERAL = re.compile(r"(\S+) to (\S+) \((\d+)\)")
# Every field of the deal document; inside items and the like a name stands after its parent.
_FIELDS_TEXT = """
    id relation.kind relation.of customer currency start term_months
    billing.interval billing.timing billing.anchor billing.stub billing.lead_days billing.dates.date billing.dates.share
    payment.net_days payment.from payment.early.percent payment.early.days payment.late_fee.percent payment.late_fee.per
    renewal.auto renewal.term_months renewal.notice_days renewal.price.same renewal.price.uplift_percent
    renewal.price.list renewal.price.index renewal.price.floor renewal.price.cap renewal.price.cap_percent
    exits.party exits.after_month exits.dates exits.notice_days exits.fee
    items.key items.name items.kind items.quantity items.unit_price items.price_interval items.sku items.start items.end
    items.trial_until items.term_months items.billing items.tax items.discounts items.steps
    items.when items.when.month items.when.event items.when.confirmed_on
    items.price.model items.price.tiers.up_to items.price.tiers.unit_price items.price.tiers.flat_fee
    items.price.tiers.percent items.price.package_size items.price.percent items.price.minimum items.price.maximum
    items.price.free items.meter items.aggregate items.included.quantity items.included.per
    items.included.rollover_months items.commit.amount items.commit.per items.commit.settle items.prepaid.quantity
    items.prepaid.amount items.prepaid.expires_months items.cap.amount items.cap.per
    items.steps.from_month items.steps.from items.steps.unit_price items.steps.quantity items.steps.uplift_percent
    discounts.percent discounts.amount discounts.per discounts.from_month discounts.to_month discounts.from discounts.to
    discounts.items discounts.mode credits.amount credits.when credits.invoices credits.carry terms
    changes.id changes.effective changes.recorded changes.proration changes.settle changes.item changes.quantity
    changes.unit_price changes.steps changes.discounts changes.add changes.remove changes.replace.from
    changes.replace.to changes.billing changes.pause.until changes.pause.extends_term changes.resume.extends_term
    changes.cancel changes.uncancel tax.treatment tax.code bill_to.name bill_to.share
    po.number po.required po.per contacts.to contacts.cc memo reference control_total
    usage.meter usage.start usage.end usage.quantity usage.complete
    issued.item issued.start issued.end issued.quantity issued.unit_price issued.change issued.charged issued.credited
    issued.bill_to issued.document issued.kind as_of until
"""
FIELDS = _FIELDS_TEXT.split()
# Every word that a field may hold.
WORDS = {
    "relation.kind": "new renewal adds replaces",
    "billing.timing": "advance arrears",
    "billing.stub": "own with_first with_last",
    "tax.treatment": "inclusive exempt",
    "items.kind": "recurring one_time usage",
    "items.price.model": "flat per_unit graduated volume package stairstep percentage",
    "items.aggregate": "sum max last",
    "items.commit.settle": "period_end term_end",
    "discounts.per": "unit month period invoice once",
    "discounts.mode": "multiplicative additive",
    "changes.proration": "daily none",
    "changes.settle": "none unused",
    "changes.cancel": "at period_end term_end",
    "issued.kind": "billed skipped waived held override",
}


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every field; lists leave no mark in the path."""
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            yield path, each
            continue
        for name, inner in each.items():
            below = f"{path}.{name}" if path else name
            yield below, None
            yield from walk(inner, below)


def at(body: Any, path: str) -> Any:
    """Return what stands at a path such as documents[0].lines[1].amount."""
    for name, position in re.findall(r"([a-z_]+)|\[(\d+)\]", path):
        body = body[name] if name else body[int(position)]
    return body


def names(example: Example) -> str:
    return f"line-{example.line}"


def plain(amount: str) -> str:
    return amount.replace(",", "")


def spread(rows: list[Row]) -> list[Row]:
    """Write "2027-02-01 to 2027-12-01 (11)" out as eleven rows; only the first and last of them name a date."""
    result: list[Row] = []
    for row in rows:
        if not (several := _SEVERAL.fullmatch(row["date"])):
            result.append(row)
            continue
        dates = [several[1], *[""] * (int(several[3]) - 2), several[2]]
        result += [{**row, "date": day} for day in dates]
    return result


def told(document: dict[str, Any], row: Row) -> Row:
    """Return of an answer's document what a row of the page says."""
    lines = [f"{line['item']} {line['amount']}" for line in document["lines"]]
    whole = {
        "date": document["date"], "due": document["due"], "net": document["net"], "kind": document["kind"],
        "to": document["bill_to"], "change": document.get("change") or "", "lines": ", ".join(sorted(lines)),
    }  # fmt: skip
    return {name: whole[name] if row["date"] or name != "date" else "" for name in row}


def expected(row: Row) -> Row:
    known = {**row, "net": plain(row["net"])}
    if "lines" in row:
        known["lines"] = ", ".join(sorted(plain(part) for part in row["lines"].split(", ")))
    return known


def says(value: Any, wanted: str) -> bool:
    found = value if isinstance(value, str) else json.dumps(value)
    return fnmatchcase(found, wanted) if "*" in wanted else found == wanted


@pytest.mark.parametrize("example", EXAMPLES, ids=names)
def test_every_example_says_what_comes_out(example: Example) -> None:
    known = {"month"} if example.is_metrics else {"date", "in the answer", "field"}
    assert known & set(example.tables)


@pytest.mark.parametrize("example", [each for each in PLAIN if "date" in each.tables], ids=names)
def test_documents_come_out_as_the_page_says(example: Example) -> None:
    body = preview(example.document).to_json()
    rows = spread(example.tables["date"])
    documents = body["documents"]
    assert isinstance(documents, list)
    assert "errors" not in body
    assert len(documents) == len(rows), [(document["date"], document["net"]) for document in documents]
    assert [told(*pair) for pair in zip(documents, rows, strict=True)] == [expected(row) for row in rows]
    if not any("answer" in title for title in example.tables):
        assert body["status"] == "ok"


@pytest.mark.parametrize("example", [each for each in PLAIN if "in the answer" in each.tables], ids=names)
def test_answers_hold_what_the_page_says(example: Example) -> None:
    body = preview(example.document).to_json()
    rows = [(row["in the answer"].strip("`"), row["is"]) for row in example.tables["in the answer"]]
    assert [(path, at(body, path)) for path, wanted in rows if not says(at(body, path), wanted)] == []


@pytest.mark.parametrize("example", [each for each in PLAIN if "value" in each.tables.get("field", [{}])[0]], ids=names)
def test_all_errors_of_a_bad_document_come_at_once(example: Example) -> None:
    body = preview(example.document).to_json()
    rows = example.tables["field"]
    assert body["status"] == "invalid"
    errors = body["errors"]
    assert isinstance(errors, list)
    found = {error["field"]: (json.dumps(error["value"]), error["allowed"]) for error in errors}
    assert len(found) == len(errors)
    assert sorted(found) == sorted(row["field"].strip("`") for row in rows)
    assert [row["field"] for row in rows if found[row["field"].strip("`")][0] != row["value"]] == []
    assert [
        found[row["field"].strip("`")] for row in rows if not says(found[row["field"].strip("`")][1], row["allowed"])
    ] == []


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.is_metrics], ids=names)
def test_months_come_out_as_the_page_says(example: Example) -> None:
    from app.billing.metrics import metrics

    body = metrics(example.said["documents"], example.said["from"], example.said["to"]).to_json()
    rows = example.tables["month"]
    assert [{name: month[name] for name in rows[0]} for month in body["months"]] == [
        {name: plain(value) for name, value in row.items()} for row in rows
    ]


class TestPage:
    def found(self) -> list[tuple[str, Any]]:
        documents = [document for each in EXAMPLES for document in each.said.get("documents", [each.said])]
        return [pair for document in documents for pair in walk(document)]

    def test_has_an_example_of_every_field(self) -> None:
        assert set(FIELDS) - {path for path, _ in self.found()} == set()

    @pytest.mark.parametrize("path", WORDS)
    def test_has_an_example_of_every_word(self, path: str) -> None:
        said = {value for found, value in self.found() if found == path or found.endswith(f".{path}")}
        assert set(WORDS[path].split()) - said == set()

    def test_has_an_example_of_every_form_of_anchor_and_when(self) -> None:
        said = {path: [] for path in ("billing.anchor", "items.when", "changes.settle")}
        for path, value in self.found():
            if path in said and value is not None:
                said[path].append(value)
        assert {"deal_date", "calendar", 15, "2027-02-01"} <= set(said["billing.anchor"])
        assert {"start", "2027-03-05"} <= set(said["items.when"])
        assert "120.00" in said["changes.settle"]

    def test_dates_and_amounts_of_its_tables_are_written_alike(self) -> None:
        for example in PLAIN:
            for row in spread(example.tables.get("date", [])):
                assert not row["date"] or date.fromisoformat(row["date"])
                if "lines" in row:
                    amounts = (part.rpartition(" ")[2] for part in row["lines"].split(", "))
                    assert sum(Decimal(plain(amount)) for amount in amounts) == Decimal(plain(row["net"])), example.line
