"""Currencies of 0, 2 and 3 decimals, nothing at all and one minor unit: worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from app.billing import preview

from .builders import Json, dated, deal, entries_of, lines, one_time, recurring, rows


class TestStubs:
    @pytest.mark.parametrize(
        ("currency", "price", "expected"),
        [
            # 15 - 31 January is 17/31, February whole, the first fourteen days of March the other 14/31.
            ("USD", "99.99", ["54.83", "99.99", "45.16"]),
            ("USD", "0.01", ["0.01", "0.01", "0.00"]),
            ("USD", "0", ["0.00", "0.00", "0.00"]),
            ("JPY", "1000", ["548", "1000", "452"]),
            ("JPY", "1", ["1", "1", "0"]),
            ("KWD", "1.000", ["0.548", "1.000", "0.452"]),
            ("KWD", "0.001", ["0.001", "0.001", "0.000"]),
            # Half a yen a month: 0.274, 0.5 and 0.226; the two stubs together are a month, which is one yen.
            ("JPY", "0.5", ["0", "1", "1"]),
            ("KWD", "99.9995", ["54.838", "100.000", "45.162"]),
        ],
    )
    def test_are_rounded_at_the_decimals_of_the_currency(self, currency: str, price: str, expected: list[str]) -> None:
        document = deal(
            recurring(unit_price=price), currency=currency, start="2027-01-15", term_months=2,
            billing={"anchor": "calendar"},
        )  # fmt: skip
        assert [amount for _, _, amount in lines(preview(document))] == expected


class TestChanges:
    @pytest.mark.parametrize(
        ("currency", "price", "expected"),
        [
            # From 1 to 2 on 16 April, half of the month: the half that stays rounds up, so its other half comes back
            # as what is left of the whole.
            ("USD", "10.01", ["-5.00", "10.01"]),
            ("JPY", "1001", ["-500", "1001"]),
            ("KWD", "1.001", ["-0.500", "1.001"]),
            ("USD", "0.01", ["0.01"]),
            ("JPY", "1", ["1"]),
            ("KWD", "0.001", ["0.001"]),
            ("USD", "0", ["0.00"]),
        ],
    )
    def test_credit_and_charge_minor_units(self, currency: str, price: str, expected: list[str]) -> None:
        change = {"id": "c", "effective": "2027-04-16", "item": "platform", "quantity": "2"}
        document = deal(
            recurring(unit_price=price), currency=currency, start="2027-04-01", changes=[change], until="2027-04-30"
        )
        before = preview({**document, "changes": []})
        after = preview({**document, "issued": entries_of(before.documents)})
        assert [amount for _, _, amount in lines(after)] == expected

    @pytest.mark.parametrize(
        ("currency", "price", "back"),
        [("USD", "10.01", "-5.00"), ("JPY", "1001", "-500"), ("KWD", "1.001", "-0.500"), ("USD", "0.01", None)],
    )
    def test_give_back_what_the_rest_is(self, currency: str, price: str, back: str | None) -> None:
        change = {"id": "c", "effective": "2027-04-16", "cancel": "at", "settle": "unused"}
        document = deal(
            recurring(unit_price=price), currency=currency, start="2027-04-01", changes=[change], until="2027-05-30"
        )
        before = preview({**document, "changes": [], "until": "2027-04-30"})
        after = preview({**document, "issued": entries_of(before.documents)})
        assert [amount for _, _, amount in lines(after)] == ([back] if back else [])


class TestDiscounts:
    @pytest.mark.parametrize(
        ("currency", "price", "discount", "expected"),
        [
            ("USD", "99.99", {"percent": "10"}, "89.99"),
            ("JPY", "999", {"percent": "10"}, "899"),
            ("KWD", "99.995", {"percent": "10"}, "89.996"),
            # Half away from zero: 0.005, 0.5 and 0.0005.
            ("USD", "0.01", {"percent": "50"}, "0.01"),
            ("JPY", "1", {"percent": "50"}, "1"),
            ("KWD", "0.001", {"percent": "50"}, "0.001"),
            # A discount is capped at what it reduces.
            ("JPY", "100", {"amount": "500", "per": "month"}, "0"),
            ("USD", "100.00", {"percent": "100"}, "0.00"),
        ],
    )
    def test_round_the_line_once(self, currency: str, price: str, discount: Json, expected: str) -> None:
        document = deal(recurring(unit_price=price), currency=currency, term_months=1, discounts=[discount])
        assert [amount for _, _, amount in lines(preview(document))] == [expected]

    @pytest.mark.parametrize(
        ("currency", "amount", "prices", "expected"),
        [
            # 10.00 over 100, 100 and 100: 3.34, 3.33, 3.33 off (largest remainder, ties by position).
            ("USD", "10.00", ["100.00", "100.00", "100.00"], ["96.66", "96.67", "96.67"]),
            ("JPY", "10", ["100", "100", "100"], ["96", "97", "97"]),
            ("KWD", "0.010", ["1.000", "1.000", "1.000"], ["0.996", "0.997", "0.997"]),
            # In proportion to what is left of each: 7 of 10 and 3 of 10 of one minor unit.
            ("JPY", "1", ["70", "30"], ["69", "30"]),
            # More than there is: the rest is lost.
            ("USD", "10.00", ["1.00", "2.00"], ["0.00", "0.00"]),
        ],
    )
    def test_of_an_amount_on_the_deal_are_spread(
        self, currency: str, amount: str, prices: list[str], expected: list[str]
    ) -> None:
        items = [recurring(f"item{n}", unit_price=price) for n, price in enumerate(prices)]
        discount = {"amount": amount, "per": "invoice"}
        answer = preview(deal(*items, currency=currency, term_months=1, discounts=[discount]))
        assert [found for _, _, found in lines(answer)] == expected

    @pytest.mark.parametrize(
        ("mode", "expected"),
        # 20% and 10%: of the remainder 720.00, of the price 700.00.
        [("multiplicative", "720.00"), ("additive", "700.00")],
    )
    def test_apply_in_the_order_written(self, mode: str, expected: str) -> None:
        discounts = [{"percent": "20", "mode": mode}, {"percent": "10", "mode": mode}]
        answer = preview(deal(recurring(unit_price="1000.00"), term_months=1, discounts=discounts))
        assert [found for _, _, found in lines(answer)] == [expected]

    def test_of_the_line_come_before_those_of_the_deal(self) -> None:
        # (100.00 - 10.00) x 90%: 81.00, not 100.00 x 90% - 10.00.
        item = recurring(discounts=[{"amount": "10.00"}])
        answer = preview(deal(item, term_months=1, discounts=[{"percent": "10"}]))
        assert [found for _, _, found in lines(answer)] == ["81.00"]

    def test_without_items_cover_recurring_ones_only(self) -> None:
        answer = preview(deal(recurring(), one_time(), term_months=1, discounts=[{"percent": "10"}]))
        assert [found for _, _, found in lines(answer)] == ["90.00", "2500.00"]
        named = preview(deal(recurring(), one_time(), term_months=1, discounts=[{"percent": "10", "items": ["setup"]}]))
        assert [found for _, _, found in lines(named)] == ["100.00", "2250.00"]


class TestPayers:
    @pytest.mark.parametrize(
        ("currency", "price", "shares", "expected"),
        [
            ("USD", "100.00", ["33.33", "33.33"], ["33.33", "33.33", "33.34"]),
            ("USD", "0.01", ["50"], ["0.01", "0.00"]),
            ("JPY", "1001", ["50"], ["501", "500"]),
            ("KWD", "0.001", ["40"], ["0.000", "0.001"]),
            ("USD", "99.99", ["100"], ["99.99", "0.00"]),
            ("USD", "99.99", ["0"], ["0.00", "99.99"]),
        ],
    )
    def test_take_their_share_of_each_line_and_the_last_the_rest(
        self, currency: str, price: str, shares: list[str], expected: list[str]
    ) -> None:
        payers: list[Json] = [{"name": f"Payer {n}", "share": share} for n, share in enumerate(shares)]
        document = deal(
            recurring(unit_price=price), currency=currency, term_months=1, bill_to=[*payers, {"name": "Rest"}]
        )
        assert [found for _, _, found in lines(preview(document))] == expected

    def test_never_pay_less_than_nothing_for_instalments(self) -> None:
        # 0.02 a quarter in three parts: 0.01, 0.01 and nothing left. The first payer takes all of each part.
        document = deal(
            recurring(unit_price="0.02", price_interval="P3M"), term_months=3,
            bill_to=[{"name": "All", "share": "100"}, {"name": "Rest"}],
        )  # fmt: skip
        assert [(d.bill_to, d.net.plain()) for d in preview(document).documents] == [
            ("All", "0.01"), ("Rest", "0.00"), ("All", "0.01"), ("Rest", "0.00"), ("All", "0.00"), ("Rest", "0.00"),
        ]  # fmt: skip


class TestCredits:
    def test_are_used_up_to_what_an_invoice_is_worth_and_carried(self) -> None:
        answer = preview(deal(credits=[{"amount": "250.00"}], term_months=4))
        ahead = preview(deal(credits=[{"amount": "250.00"}], term_months=1, billing={"lead_days": 20}))
        assert dated(ahead) == [("2026-12-12", "0.00")]
        assert [document.net.plain() for document in answer.documents] == ["0.00", "0.00", "50.00", "100.00"]
        assert [row.split()[2] for row in rows(answer)].count("credits[0]") == 3
        # Charges and credits that net to zero are issued, not skipped.
        assert all(document.sent for document in answer.documents)

    def test_without_carry_lose_the_rest_also_in_a_later_run(self) -> None:
        document = deal(credits=[{"amount": "250.00", "carry": False}], term_months=3)
        books = entries_of(preview(document, as_of=date(2027, 1, 1)).documents[:1])
        again = preview({**document, "issued": books})
        assert [one.net.plain() for one in again.documents] == ["100.00", "100.00"]

    def test_without_carry_lose_the_rest(self) -> None:
        answer = preview(deal(credits=[{"amount": "250.00", "carry": False}], term_months=3))
        assert [document.net.plain() for document in answer.documents] == ["0.00", "100.00", "100.00"]

    @pytest.mark.parametrize(
        ("currency", "amount", "expected"),
        [("USD", "100.00", ["66.67", "66.67", "66.66", "100.00"]), ("JPY", "100", ["67", "67", "66", "100"])],
    )
    def test_over_several_invoices_are_even_and_the_last_the_rest(
        self, currency: str, amount: str, expected: list[str]
    ) -> None:
        credit = {"amount": amount, "invoices": 3}
        answer = preview(deal(recurring(unit_price="100"), currency=currency, credits=[credit], term_months=4))
        assert [document.net.plain() for document in answer.documents] == expected

    def test_that_were_used_are_not_used_again(self) -> None:
        document = deal(credits=[{"amount": "250.00", "when": "2027-02-01"}], term_months=4)
        first = preview({**document, "until": "2027-02-28"})
        assert [d.net.plain() for d in first.documents] == ["100.00", "0.00"]
        again = preview({**document, "issued": entries_of(first.documents)})
        assert [d.net.plain() for d in again.documents] == ["0.00", "50.00"]
