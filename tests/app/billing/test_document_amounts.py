"""Amounts that are taken from a document, once or from each (convention 7, decision 0010.11)."""

from __future__ import annotations

import pytest

from app.billing import preview

from .builders import Json, dated, deal, lines, one_time, recurring


def netted(document: Json, n: int = 3) -> list[str]:
    """Return the net of the first documents."""
    return [net for _, net in dated(preview(document))[:n]]


class TestOfAnItem:
    def test_are_of_all_its_days_of_the_period_old_and_new(self) -> None:
        # 0.07 of the old price, 534.98 of the new: 33.33 off both, though the old days alone are worth less.
        item = recurring(unit_price="0.125", price_interval="P1M", discounts=[{"amount": "33.33", "per": "invoice"}])
        change = {"id": "c", "effective": "2027-04-30", "item": "platform", "unit_price": "1234.56"}
        answer = preview(deal(item, start="2027-02-13", changes=[change]))
        assert lines(answer)[3:6] == [
            ("2027-04-13", "2027-04-30", "0.07"),
            ("2027-04-30", "2027-05-13", "501.65"),
            ("2027-05-13", "2027-06-13", "1201.23"),
        ]
        own = next(document for document in answer.documents if document.change == "c")
        assert own.net.plain() == "501.72"

    def test_are_of_what_the_days_are_worth_not_of_how_many_they_are(self) -> None:
        # A year of which the last month is free: the 10.00 is whole although that month can't take its part.
        item = recurring(
            price_interval="P1M",
            steps=[{"from_month": 12, "quantity": "0"}],
            discounts=[{"amount": "10", "per": "once"}],
        )
        assert netted(deal(item, billing={"interval": "P1Y"})) == ["1090.00"]

    def test_once_set_by_a_change_are_of_the_first_period_that_has_them(self) -> None:
        change = {
            "id": "c",
            "effective": "2027-03-01",
            "item": "platform",
            "discounts": [{"amount": "30", "per": "once"}],
        }
        assert netted(deal(changes=[change]), 5) == ["100.00", "100.00", "70.00", "100.00", "100.00"]

    def test_shrink_with_a_period_that_is_shortened_later(self) -> None:
        item = recurring(discounts=[{"amount": "30", "per": "invoice"}])
        change = {"id": "c", "effective": "2027-04-16", "cancel": "at", "settle": "unused"}
        assert netted(deal(item, changes=[change]), 9)[3:] == ["35.00"]


class TestOfTheDeal:
    @pytest.mark.parametrize("per", ["period", "once"])
    def test_are_capped_by_the_worth_of_the_period(self, per: str) -> None:
        item = recurring(unit_price="0", price_interval="P1M", steps=[{"from_month": 10, "unit_price": "7.77"}])
        document = deal(item, billing={"interval": "P1Y"}, discounts=[{"amount": "33.33", "per": per}])
        assert netted(document) == ["0.00"]

    def test_are_shared_by_all_that_begins_on_the_day(self) -> None:
        monthly = recurring()
        yearly = recurring("support", unit_price="300.00", price_interval="P1Y", billing={"interval": "P1Y"})
        document = deal(monthly, yearly, discounts=[{"amount": "40", "per": "once"}])
        assert netted(document) == ["360.00", "100.00", "100.00"]
        document = deal(monthly, yearly, discounts=[{"amount": "40", "per": "invoice"}])
        assert netted(document) == ["360.00", "60.00", "60.00"]

    def test_cover_a_one_time_item_that_they_name(self) -> None:
        document = deal(recurring(), one_time(), discounts=[{"amount": "250", "per": "once", "items": ["setup"]}])
        assert netted(document) == ["2350.00", "100.00", "100.00"]
        document = deal(
            recurring(), one_time(), discounts=[{"amount": "260", "per": "once", "items": ["platform", "setup"]}]
        )
        assert lines(preview(document))[:2] == [
            ("2027-01-01", "2027-02-01", "90.00"),
            ("2027-01-01", "2027-01-02", "2250.00"),
        ]
