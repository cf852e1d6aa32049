"""MRR of one deal on one day."""

from __future__ import annotations

from datetime import date

import pytest

from app.billing import read_document
from app.billing.metrics import mrr

from .builders import Json, deal, one_time, recurring


class TestMrr:
    @pytest.mark.parametrize(
        ("items", "value"),
        [
            ([recurring(quantity="10")], "1000.00"),
            ([recurring(unit_price="1200.00", price_interval="P1Y")], "100.00"),
            ([recurring(unit_price="100.00", price_interval="P3M")], "33.33"),
            ([recurring(unit_price="2400.00", price_interval="P2Y", billing={"interval": "P1M"})], "100.00"),
            ([recurring(billing={"interval": "P1Y"})], "100.00"),
            ([one_time()], "0.00"),
            ([recurring(), one_time()], "100.00"),
            # 33.333.. twice is 66.67 when rounded once, not 66.66.
            ([recurring("a", price_interval="P3M"), recurring("b", price_interval="P3M")], "66.67"),
        ],
    )
    def test_is_the_monthly_value_of_recurring_items(self, items: list[Json], value: str) -> None:
        assert mrr(read_document(deal(*items)), date(2027, 6, 15)).plain() == value

    @pytest.mark.parametrize(
        ("on", "value"),
        [("2026-12-31", "0.00"), ("2027-01-01", "100.00"), ("2027-12-31", "100.00"), ("2028-01-01", "0.00")],
    )
    def test_lives_from_the_start_up_to_the_end(self, on: str, value: str) -> None:
        assert mrr(read_document(deal()), date.fromisoformat(on)).plain() == value

    def test_of_an_open_ended_deal_goes_on(self) -> None:
        assert mrr(read_document(deal(term_months=None)), date(2050, 1, 1)).plain() == "100.00"
