"""/api/v1/openapi.json: valid, complete, and true of what the core reads and answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api import routes
from app.billing import preview
from tests.app.billing.deal_document_page import Example, examples
from tests.app.billing.test_deal_document_docs import FIELDS, names

Json = dict[str, Any]
EXAMPLES = [example for example in examples() if not example.is_metrics]
BAD = [example for example in EXAMPLES if "field" in example.tables and "value" in example.tables["field"][0]]
GOOD = [example for example in EXAMPLES if example not in BAD]


@pytest.fixture(scope="module")
def described() -> Json:
    """The description, as a web application without anything else serves it."""
    app = Flask("described")
    routes.install(app)
    response = app.test_client().get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    found: Json = response.json
    return found


def checker(described: Json, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": described["components"]})


def faults(validator: Draft202012Validator, value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def paths(described: Json, schema: Json, at: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the path of every field below a schema."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        if name in seen:
            return
        yield from paths(described, described["components"]["schemas"][name], at, (*seen, name))
    for form in schema.get("anyOf", []):
        yield from paths(described, form, at, seen)
    if "items" in schema:
        yield from paths(described, schema["items"], at, seen)
    for name, inner in schema.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield path
        yield from paths(described, inner, path, seen)


class TestDescription:
    def test_is_valid_openapi_31(self, described: Json) -> None:
        assert described["openapi"] == "3.1.0"
        assert [error.message for error in OpenAPIV31SpecValidator(described).iter_errors()] == []

    def test_says_all_that_the_door_answers(self, described: Json) -> None:
        assert list(described["paths"]) == ["/api/v1/previews"]
        operation = described["paths"]["/api/v1/previews"]["post"]
        assert sorted(operation["responses"]) == ["200", "400", "413", "415", "422"]
        assert operation["requestBody"]["required"] is True
        assert operation["summary"] == "Answer what a deal document bills."

    def test_every_field_is_described(self, described: Json) -> None:
        schemas = described["components"]["schemas"]
        bare = [
            f"{name}.{field}"
            for name, schema in schemas.items()
            for field, inner in schema["properties"].items()
            if not inner.get("description") and "$ref" not in inner
        ]
        assert bare == []

    def test_knows_every_field_of_the_page_and_no_other(self, described: Json) -> None:
        known = set(paths(described, {"$ref": "#/components/schemas/DealDocument"}))
        assert set(FIELDS) - known == set()
        parents = {path.rpartition(".")[0] for path in known}
        # What an item, a change or a rhythm has in common with others stands once in the page's list.
        shared = ("items.billing.", "items.tax.", "items.discounts.", "changes.add.", "changes.replace.to.",
                  "changes.billing.", "changes.steps.", "changes.discounts.", "credits.when.")  # fmt: skip
        assert {path for path in known - parents if not path.startswith(shared)} - set(FIELDS) == set()

    @pytest.mark.parametrize("example", GOOD, ids=names)
    def test_takes_every_document_of_the_page_and_its_answer(self, described: Json, example: Example) -> None:
        assert faults(checker(described, "DealDocument"), example.document) == []
        assert faults(checker(described, "Answer"), preview(example.document).to_json()) == []

    @pytest.mark.parametrize("example", BAD, ids=names)
    def test_refuses_a_bad_document_but_takes_its_answer(self, described: Json, example: Example) -> None:
        assert len(faults(checker(described, "DealDocument"), example.document)) > 5
        assert faults(checker(described, "Answer"), preview(example.document).to_json()) == []

    def test_its_own_examples_are_true(self, described: Json) -> None:
        operation = described["paths"]["/api/v1/previews"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["examples"]
        for example in body.values():
            assert faults(checker(described, "DealDocument"), example["value"]) == []
        answers = operation["responses"]["200"]["content"]["application/json"]["examples"]
        assert answers["billed"]["value"] == preview(body["subscription"]["value"]).to_json()
        assert answers["billed"]["value"]["totals"]["net"] == "11600.00"
        assert answers["asked"]["value"]["status"] == "needs_clarification"
        refused = operation["responses"]["422"]["content"]["application/json"]["examples"]
        assert refused["faults"]["value"]["status"] == "invalid"

    @pytest.mark.parametrize(
        ("document", "word"),
        [
            ({"colour": "blue"}, "colour"),
            ({"start": "1 January"}, "1 January"),
            ({"term_months": 0}, "0"),
            ({"items": []}, "[]"),
            ({"items": [{"key": "a", "kind": "weekly"}]}, "weekly"),
            ({"billing": {"anchor": 32}}, "32"),
            ({"changes": [{"effective": "2027-01-01", "settle": "some"}]}, "some"),
        ],
    )
    def test_refuses_what_the_core_refuses(self, described: Json, document: Json, word: str) -> None:
        whole = GOOD[0].document | document
        (fault, *_) = faults(checker(described, "DealDocument"), whole)
        assert word in fault
        assert preview(whole).status == "invalid"
