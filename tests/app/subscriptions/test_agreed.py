"""An edit of a deal, told as steps that can be dated, or as a sentence where no dated change can express it."""

from __future__ import annotations

from typing import Any

import pytest

from app.subscriptions import agreed

REPRICED = 'The way "Platform" is priced or invoiced changed.'


def item(key: str = "platform", **changes: Any) -> dict[str, Any]:
    return {
        "key": key, "name": key.capitalize(), "kind": "recurring", "quantity": "10", "unit_price": "100",
        "price_interval": "P1M", **changes,
    }  # fmt: skip


def once(key: str = "set-up", **changes: Any) -> dict[str, Any]:
    return {"key": key, "name": "Set-up", "kind": "one_time", "quantity": "1", "unit_price": "2500", **changes}


def deal(*items: dict[str, Any], interval: str = "P1M", **changes: Any) -> dict[str, Any]:
    return {
        "id": "1", "customer": "Acme", "currency": "USD", "start": "2027-03-01", "term_months": 12,
        "payment": {"net_days": 30}, "billing": {"interval": interval}, "items": list(items or (item(),)), **changes,
    }  # fmt: skip


def bodies(found: agreed.Difference) -> list[dict[str, Any]]:
    assert found.impossible == ()
    return [dict(step.body) for step in found.steps]


class TestContent:
    @pytest.mark.parametrize(
        "other",
        [
            deal(item(name="Platform Pro")), deal(item(sku="P-1")), deal(customer="Acme Holding"),
            deal(payment={"net_days": 14}), deal(start="2027-06-01"),
        ],
    )  # fmt: skip
    def test_leaves_out_what_applies_silently(self, other: dict[str, Any]) -> None:
        assert agreed.content(other) == agreed.content(deal())

    @pytest.mark.parametrize("other", [deal(item(quantity="11")), deal(term_months=24), deal(item(), once())])
    def test_has_everything_else(self, other: dict[str, Any]) -> None:
        assert agreed.content(other) != agreed.content(deal())


class TestSteps:
    @pytest.mark.parametrize(
        ("field", "value"),
        [("quantity", "12"), ("unit_price", "120"), ("discounts", [{"percent": "10"}]),
         ("steps", [{"from_month": 7, "unit_price": "110"}])],
    )  # fmt: skip
    def test_set_what_differs_of_an_item_and_nothing_else(self, field: str, value: Any) -> None:
        found = agreed.difference(deal(), deal(item(**{field: value})))

        assert bodies(found) == [{"item": "platform", field: value}]
        assert found.steps[0].item == "platform"

    def test_take_one_number_written_differently_for_the_same(self) -> None:
        assert agreed.difference(deal(), deal(item(quantity="10.0", unit_price="100.00"))).steps == ()

    def test_tell_what_was_before_and_in_words(self) -> None:
        (step,) = agreed.difference(deal(), deal(item(quantity="8", unit_price="90"))).steps

        assert step.before == {"quantity": "10", "unit_price": "100"}
        assert step.words == '"Platform" changed: quantity 10 → 8, price 100 → 90'

    def test_add_and_remove_items_by_key(self) -> None:
        support = item("support")
        assert bodies(agreed.difference(deal(), deal(item(), support))) == [{"add": support}]
        assert bodies(agreed.difference(deal(item(), support), deal())) == [{"remove": "support"}]

    def test_change_the_billing_interval_with_its_prices_told_per_the_old_one(self) -> None:
        quarterly = deal(item(unit_price="300", price_interval="P3M"), interval="P3M")
        assert bodies(agreed.difference(deal(), quarterly)) == [{"billing": {"interval": "P3M"}}]

    def test_change_interval_and_price_at_once(self) -> None:
        yearly = deal(item(unit_price="1320", price_interval="P1Y"), interval="P1Y")
        assert bodies(agreed.difference(deal(), yearly)) == [
            {"item": "platform", "unit_price": "110"}, {"billing": {"interval": "P1Y"}},
        ]  # fmt: skip

    def test_leave_out_a_one_time_item_that_was_billed_and_taken_out(self) -> None:
        assert agreed.difference(deal(item(), once()), deal(), billed_once={"set-up"}).steps == ()


class TestImpossible:
    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (deal(term_months=24), "The deal's term changed."),
            (deal(item(price={"model": "volume"}, unit_price=None)), REPRICED),
            (deal(item(billing={"interval": "P3M"})), REPRICED),
            (deal(item(start="2027-05-01")), REPRICED),
            # A third of a cent can't be told per month.
            (deal(item(unit_price="100", price_interval="P3M"), interval="P3M"), REPRICED),
            (deal(billing={"interval": "P1M", "timing": "arrears"}), "The way the deal is invoiced changed."),
            (deal(discounts=[{"percent": "5"}]), "The deal's discount changed."),
        ],
    )  # fmt: skip
    def test_is_said_in_a_sentence(self, wanted: dict[str, Any], said: str) -> None:
        assert agreed.difference(deal(), wanted).impossible == (said,)

    def test_is_another_price_of_what_was_billed_once(self) -> None:
        found = agreed.difference(deal(once()), deal(once(unit_price="3000")), billed_once={"set-up"})
        assert found.impossible == ('"Set-up" changed: price 2500 → 3000, after it was invoiced.',)

    def test_is_an_item_that_ended_before(self) -> None:
        found = agreed.difference(deal(), deal(item(), item("support")), ended={"support"})
        assert found.impossible == ('"Support" was ended earlier and is among the line items again.',)


class TestApplied:
    def test_reads_the_changes_one_after_the_other(self) -> None:
        changes: list[dict[str, Any]] = [
            {"item": "platform", "quantity": "12"}, {"add": item("support")}, {"item": "support", "unit_price": "7"},
            {"billing": {"interval": "P3M"}}, {"item": "platform", "quantity": "14"}, {"remove": "gone"},
        ]  # fmt: skip
        now = agreed.applied(deal(), changes)

        assert [(one["key"], one["quantity"], one["unit_price"]) for one in now["items"]] == [
            ("platform", "14", "100"), ("support", "10", "7"),
        ]  # fmt: skip
        assert now["billing"] == {"interval": "P3M"}
        assert deal()["items"] == [item()]
