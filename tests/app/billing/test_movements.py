"""How recurring revenue moves between month ends, per customer (convention 14, decision 0010.23)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.billing import preview
from app.billing.calendar import add_months
from app.billing.changes import Clash
from app.billing.movements import movement
from app.billing.recurring import Contract

from .builders import Json, deal, recurring
from .metrics_builders import MOVEMENTS, contract, moved, rows, yearly
from .strategies import changed_deals

RENEWAL: Json = {"kind": "renewal", "of": ["D-1"]}
REPLACES: Json = {"kind": "replaces", "of": ["D-1"]}
NOT_RENEWED: list[Json] = [{"effective": "2027-06-01", "cancel": "term_end"}]
ENDS: list[Json] = [{"effective": "2027-04-01", "cancel": "at"}]
FIRST_MONTHS: list[Json] = [{"percent": "20", "to_month": 2}, {"percent": "10", "from_month": 3, "to_month": 5}]


def old(price: str = "40000.00", **fields: object) -> Json:
    return yearly(price, id="D-1", **fields)


def next_deal(price: str, start: str = "2028-01-01", relation: Json = RENEWAL, **fields: object) -> Json:
    return yearly(price, id="D-2", start=start, relation=relation, **fields)


def open_ended(*items: Json, **fields: object) -> Json:
    return deal(*items, term_months=None, **fields)


class TestRenewal:
    @pytest.mark.parametrize(
        "documents",
        [
            [old(renewal={"auto": True, "price": {"uplift_percent": "32.5"}})],
            [old(), next_deal("53000.00")],
            [old(), next_deal("53000.00", relation=REPLACES)],
            [next_deal("53000.00", start="2028-01-20"), old()],
            [old(renewal={"auto": True}, changes=NOT_RENEWED), next_deal("53000.00")],
            [old(), next_deal("", items=[recurring("other", unit_price="13250.00", price_interval="P3M")])],
        ],
    )  # fmt: skip
    def test_has_the_same_numbers_whether_one_deal_or_two_carry_it(self, documents: list[Json]) -> None:
        found = rows(documents, "2027-12", "2028-02")
        assert moved(documents, "2027-12", "2028-02") == {
            "2028-01": {"renewal": "40000.00", "expansion": "13000.00"},
        }
        assert [row["arr"] for row in found.values()] == ["40000.00", "53000.00", "53000.00"]
        assert [row["nrr"] for row in found.values()] == ["100", "132.5", "100"]
        assert [row["grr"] for row in found.values()] == ["100", "100", "100"]

    def test_for_less_is_a_contraction(self) -> None:
        documents = [old(), next_deal("30000.00")]
        assert moved(documents, "2027-12", "2028-02") == {"2028-01": {"renewal": "30000.00", "contraction": "10000.00"}}
        row = rows(documents, "2028-01", "2028-01")["2028-01"]
        assert (row["grr"], row["nrr"], row["revenue_churn"], row["customer_churn"]) == ("75", "75", "0", "0")

    def test_after_a_gap_is_churn_on_the_effective_end_and_then_a_reactivation(self) -> None:
        documents = [old(), next_deal("53000.00", start="2028-03-01")]
        assert moved(documents, "2027-11", "2028-04") == {
            "2028-01": {"churn": "40000.00"},
            "2028-03": {"reactivation": "53000.00"},
        }

    def test_with_a_trial_over_the_month_end_is_a_gap(self) -> None:
        items = [recurring(unit_price="100.00", trial_until="2028-02-10")]
        documents = [old(), next_deal("", items=items)]
        assert moved(documents, "2027-12", "2028-02") == {
            "2028-01": {"churn": "40000.00"},
            "2028-02": {"reactivation": "1200.00"},
        }

    def test_is_in_the_month_of_the_new_terms_first_day(self) -> None:
        document = deal(start="2027-01-31", term_months=1, renewal={"auto": True})
        assert moved([document], "2027-01", "2027-04") == {
            "2027-01": {"new": "1200.00"},
            # 31 January plus a month: the second term begins on 28 February.
            "2027-02": {"renewal": "1200.00"},
            "2027-03": {"renewal": "1200.00"},
            "2027-04": {"renewal": "1200.00"},
        }

    def test_on_the_last_day_of_a_month_is_in_that_month(self) -> None:
        one = [old(start="2027-01-31", renewal={"auto": True})]
        two = [old(start="2027-01-31"), next_deal("40000.00", start="2028-01-31")]
        for documents in (one, two):
            assert moved(documents, "2027-12", "2028-03") == {"2028-01": {"renewal": "40000.00"}}

    def test_of_several_contracts_in_one_is_counted_once(self) -> None:
        documents = [
            old("1000.00"),
            {**old("2000.00"), "id": "D-3"},
            next_deal("2500.00", relation={"kind": "renewal", "of": ["D-1", "D-3"]}),
        ]
        assert moved(documents, "2027-12", "2028-01") == {
            "2028-01": {"renewal": "2500.00", "contraction": "500.00"},
        }

    def test_in_several_deals_is_one_renewal(self) -> None:
        documents = [old("2000.00"), next_deal("1200.00"), {**next_deal("1300.00"), "id": "D-3"}]
        assert moved(documents, "2027-12", "2028-01") == {
            "2028-01": {"renewal": "2000.00", "expansion": "500.00"},
        }

    def test_before_the_term_ends_is_one_when_the_old_deal_is_cancelled_for_it(self) -> None:
        changes: list[Json] = [{"effective": "2027-09-10", "cancel": "at", "settle": "unused"}]
        documents = [old("1200.00", changes=changes), next_deal("1500.00", start="2027-09-10")]
        assert moved(documents, "2027-08", "2027-10") == {"2027-09": {"renewal": "1200.00", "expansion": "300.00"}}

    def test_is_none_when_a_deal_replaces_another_inside_its_term(self) -> None:
        changes: list[Json] = [{"effective": "2027-09-10", "cancel": "at", "settle": "unused"}]
        documents = [old("1200.00", changes=changes), next_deal("1500.00", start="2027-09-10", relation=REPLACES)]
        assert moved(documents, "2027-08", "2027-10") == {"2027-09": {"expansion": "300.00"}}

    def test_of_another_customers_deal_is_churn_and_new(self) -> None:
        documents = [old(), next_deal("53000.00", customer="Birch Ltd")]
        assert moved(documents, "2027-12", "2028-01") == {"2028-01": {"churn": "40000.00", "new": "53000.00"}}

    def test_without_a_relation_is_none_though_the_customer_stays(self) -> None:
        documents = [old(), next_deal("53000.00", relation={"kind": "new"})]
        assert moved(documents, "2027-12", "2028-01") == {"2028-01": {"expansion": "13000.00"}}

    def test_leaves_out_an_item_that_outlives_the_term(self) -> None:
        items = [
            recurring(unit_price="1000.00", price_interval="P1Y"),
            recurring("care", unit_price="200.00", price_interval="P1Y", end="2029-01-01"),
        ]
        assert moved([old("", items=items), next_deal("1100.00")], "2027-12", "2028-01") == {
            "2028-01": {"renewal": "1000.00", "expansion": "100.00"},
        }

    def test_by_a_deal_that_began_earlier_is_counted_beside_its_own(self) -> None:
        monthly = deal(id="D-2", start="2027-11-01", term_months=1, renewal={"auto": True}, relation=RENEWAL)
        found = moved([old("1200.00"), monthly], "2027-12", "2028-01")
        assert found["2028-01"] == {"renewal": "1200.00", "contraction": "1200.00"}

    def test_is_none_when_the_contract_does_not_go_on(self) -> None:
        document = old(renewal={"auto": True}, changes=NOT_RENEWED)
        assert moved([document], "2027-02", "2028-03") == {"2028-01": {"churn": "40000.00"}}


class TestMovement:
    def test_of_a_first_deal_is_new_and_of_a_second_one_expansion(self) -> None:
        documents = [deal(), deal(start="2027-03-10"), deal(start="2027-03-10", customer="Birch Ltd")]
        assert moved(documents, "2026-12", "2027-04") == {
            "2027-01": {"new": "1200.00"},
            "2027-03": {"expansion": "1200.00", "new": "1200.00"},
        }

    def test_is_new_only_once_even_before_the_months_shown(self) -> None:
        documents = [open_ended(changes=ENDS), deal(start="2027-08-01")]
        assert moved(documents, "2027-08", "2027-08") == {"2027-08": {"reactivation": "1200.00"}}
        assert moved(documents, "2027-01", "2027-08") == {
            "2027-01": {"new": "1200.00"}, "2027-04": {"churn": "1200.00"}, "2027-08": {"reactivation": "1200.00"},
        }  # fmt: skip

    def test_of_a_pause_over_a_month_end_is_churn_and_reactivation(self) -> None:
        document = open_ended(changes=[{"effective": "2027-03-15", "pause": {"until": "2027-05-10"}}])
        assert moved([document], "2027-02", "2027-06") == {
            "2027-03": {"churn": "1200.00"}, "2027-05": {"reactivation": "1200.00"},
        }  # fmt: skip

    def test_within_a_month_is_none(self) -> None:
        document = open_ended(changes=[{"effective": "2027-03-05", "pause": {"until": "2027-03-31"}}])
        within = deal(customer="Birch Ltd", start="2027-03-02", items=[recurring(end="2027-03-31")])
        assert moved([document, within], "2027-02", "2027-04") == {}

    def test_of_one_customer_is_netted(self) -> None:
        documents = [open_ended(changes=ENDS), deal(recurring(unit_price="150.00", start="2027-04-20"))]
        assert moved(documents, "2027-02", "2027-05") == {"2027-04": {"expansion": "600.00"}}

    @pytest.mark.parametrize(
        ("change", "figures"),
        [
            ({"item": "platform", "quantity": "3"}, {"expansion": "2400.00"}),
            ({"item": "platform", "unit_price": "80.00"}, {"contraction": "240.00"}),
            ({"add": recurring("more")}, {"expansion": "1200.00"}),
            ({"replace": {"from": "platform", "to": recurring("more", unit_price="70")}}, {"contraction": "360.00"}),
            ({"item": "platform", "discounts": [{"percent": "25"}]}, {"contraction": "300.00"}),
            ({"remove": "platform"}, {"churn": "1200.00"}),
            ({"cancel": "at"}, {"churn": "1200.00"}),
        ],
    )
    def test_of_a_change_is_in_the_month_it_bites(self, change: Json, figures: dict[str, str]) -> None:
        document = open_ended(changes=[{"effective": "2027-03-31", **change}])
        assert moved([document], "2027-02", "2027-05") == {"2027-03": figures}


class TestDiscountEnd:
    def test_is_what_the_discount_was_worth(self) -> None:
        document = deal(recurring(quantity="10", discounts=FIRST_MONTHS))
        assert moved([document], "2027-02", "2027-12") == {
            "2027-03": {"discount_end": "1200.00"}, "2027-06": {"discount_end": "1200.00"},
        }  # fmt: skip
        assert rows([document], "2027-03", "2027-03")["2027-03"]["nrr"] == "112.5"

    def test_of_the_deal_counts_too(self) -> None:
        for fields in ({"percent": "20"}, {"amount": "20", "per": "month"}, {"amount": "60", "per": "invoice"}):
            document = deal(billing={"interval": "P3M"}, discounts=[{**fields, "to_month": 3}])
            document["items"] = [recurring(price_interval="P1M")]
            assert moved([document], "2027-02", "2027-12") == {"2027-04": {"discount_end": "240.00"}}

    @pytest.mark.parametrize(
        ("change", "figures"),
        [
            # Two more seats at the full price; ten seats lost 20%.
            ({"quantity": "12"}, {"discount_end": "2400.00", "expansion": "2400.00"}),
            # The item grew by 1,200 only.
            ({"quantity": "9"}, {"discount_end": "1200.00"}),
            ({"quantity": "8"}, {}),
            ({"quantity": "7"}, {"contraction": "1200.00"}),
            # Twice as many seats at a better discount: none ended.
            ({"quantity": "20", "discounts": [{"percent": "25"}]}, {"expansion": "8400.00"}),
            ({"discounts": []}, {"discount_end": "2400.00"}),
        ],
    )
    def test_is_at_most_what_the_item_grew(self, change: Json, figures: dict[str, str]) -> None:
        item = recurring(quantity="10", discounts=[{"percent": "20", "to_month": 2}])
        changes: list[Json] = [{"effective": "2027-03-01", "item": "platform", **change}]
        assert moved([open_ended(item, changes=changes)], "2027-02", "2027-05") == (
            {"2027-03": figures} if figures else {}
        )

    def test_beside_an_item_that_goes_is_counted_beside_the_contraction(self) -> None:
        item = recurring(quantity="10", discounts=[{"percent": "20", "to_month": 2}])
        document = open_ended(item, recurring("more"), changes=[{"effective": "2027-03-10", "remove": "more"}])
        assert moved([document], "2027-02", "2027-05") == {
            "2027-03": {"discount_end": "2400.00", "contraction": "1200.00"},
        }

    def test_is_none_when_a_discount_begins(self) -> None:
        document = deal(recurring(discounts=[{"percent": "20", "from_month": 3}]))
        assert moved([document], "2027-02", "2027-12") == {"2027-03": {"contraction": "240.00"}}

    def test_by_a_renewal_at_list_price_is_its_uplift(self) -> None:
        item = recurring(discounts=[{"percent": "20"}])
        one = [deal(item, renewal={"auto": True, "price": {"list": True}})]
        two = [deal(item, id="D-1"), next_deal("1200.00")]
        for documents in (one, two):
            assert moved(documents, "2027-12", "2028-02") == {"2028-01": {"renewal": "960.00", "expansion": "240.00"}}

    def test_by_its_window_in_a_renewal_is_not_uplift(self) -> None:
        item = recurring(discounts=[{"percent": "20", "to_month": 12}])
        one = [deal(item, renewal={"auto": True, "price": {"uplift_percent": "5"}})]
        two = [deal(item, id="D-1"), next_deal("1260.00")]
        for documents in (one, two):
            assert moved(documents, "2027-12", "2028-02") == {
                "2028-01": {"renewal": "960.00", "discount_end": "240.00", "expansion": "60.00"},
            }

    def test_before_another_discount_is_what_one_was_better_than_the_other(self) -> None:
        discounts: list[Json] = [{"percent": "20", "to_month": 12}, {"percent": "10", "from_month": 13}]
        one = [deal(recurring(discounts=discounts), renewal={"auto": True, "price": {"uplift_percent": "5"}})]
        new = [recurring(unit_price="105.00", discounts=[{"percent": "10"}])]
        two = [deal(recurring(discounts=discounts[:1]), id="D-1"), next_deal("", items=new)]
        for documents in (one, two):
            assert moved(documents, "2027-12", "2028-02") == {
                "2028-01": {"renewal": "960.00", "discount_end": "120.00", "expansion": "54.00"},
            }

    def test_shows_in_a_contract_that_renews_each_month(self) -> None:
        item = recurring(discounts=[{"percent": "20", "to_month": 2}])
        found = moved([deal(item, term_months=1, renewal={"auto": True})], "2027-02", "2027-03")
        assert found["2027-03"] == {"renewal": "960.00", "discount_end": "240.00"}


class TestRates:
    def test_are_empty_where_nothing_was_before(self) -> None:
        row = rows([deal()], "2027-01", "2027-01")["2027-01"]
        assert [row[name] for name in ("grr", "nrr", "customer_churn", "revenue_churn")] == [None] * 4

    def test_have_two_decimals_and_leave_out_who_is_new(self) -> None:
        documents = [open_ended(customer=name) for name in ("Acme", "Birch", "Cedar")]
        documents[0]["changes"] = ENDS
        documents[1]["changes"] = [{"effective": "2027-04-10", "item": "platform", "quantity": "2"}]
        documents.append(deal(customer="Dune", start="2027-04-10"))
        row = rows(documents, "2027-04", "2027-04")["2027-04"]
        assert [row[name] for name in ("grr", "nrr", "customer_churn", "revenue_churn")] == [
            "66.67", "100", "33.33", "33.33",
        ]  # fmt: skip


def month_ends(first: date, months: int) -> list[date]:
    """Return the last days of months, from the one before `first`'s month."""
    begin = first.replace(day=1)
    return [add_months(begin, n) - timedelta(days=1) for n in range(months)]


def held(documents: list[Json]) -> list[Contract]:
    found = []
    for document in documents:
        try:
            found.append(contract(document, date(2033, 1, 1)))
        except Clash:
            # Two random changes may contradict each other; such a deal has no figures.
            continue
    return found


class TestProperties:
    @settings(max_examples=80)
    @given(st.lists(changed_deals(), min_size=1, max_size=3), st.data())
    def test_movements_explain_every_change_exactly(self, documents: list[Json], data: st.DataObject) -> None:
        for n, document in enumerate(documents):
            kind = data.draw(st.sampled_from(["new", "renewal", "replaces"]))
            document |= {"id": f"D-{n}", "relation": {"kind": kind, "of": [f"D-{m}" for m in range(n)]}}
        contracts = held(documents)
        ends = month_ends(min((each.deal.start for each in contracts), default=date(2027, 1, 1)), 30)
        is_known = False
        for before, day in pairwise(ends):
            moved_ = movement(contracts, before, day, is_known=is_known)
            start, end = (sum((each.mrr(on) for each in contracts), Fraction(0)) for on in (before, day))
            up = moved_.new + moved_.reactivation + moved_.expansion + moved_.discount_end
            assert start + up - moved_.contraction - moved_.churn == end
            assert all(getattr(moved_, name) >= 0 for name in MOVEMENTS)
            assert moved_.contraction + moved_.churn <= moved_.start == start
            assert moved_.renewal <= min(start, end)
            is_known = is_known or end > 0

    @settings(max_examples=80)
    @given(changed_deals())
    def test_levels_are_in_order(self, document: Json) -> None:
        for each in held([document]):
            for day in month_ends(each.deal.start, 30):
                assert 0 <= each.committed(day) <= each.mrr(day) <= each.list_mrr(day)
                assert each.signed(day) >= 0

    @settings(max_examples=100)
    @given(
        st.integers(1, 90_000), st.sampled_from(["0", "5", "7.5"]), st.sampled_from([None, "10", "33.3"]),
        st.sampled_from([11, 12, 13]), st.dates(date(2026, 12, 1), date(2027, 2, 28)),
    )  # fmt: skip
    def test_one_deal_or_two_have_the_same_numbers(
        self, minor: int, uplift: str, percent: str | None, to_month: int, start: date
    ) -> None:
        price = Decimal(minor) / 100
        discounts = [] if percent is None else [{"percent": percent, "to_month": to_month}]
        item = recurring(unit_price=str(price), discounts=discounts)
        document = deal(item, id="D-1", start=start.isoformat(), as_of="2026-11-21")
        one = {**document, "renewal": {"auto": True, "price": {"uplift_percent": uplift}}}
        following = add_months(start, 12).isoformat()
        longer = discounts if to_month > 12 else []
        raised = str(price * (100 + Decimal(uplift)) / 100)
        left = [{"percent": each["percent"], "to_month": to_month - 12} for each in longer]
        two = deal(recurring(unit_price=raised, discounts=left), id="D-2", start=following, relation=RENEWAL)
        months = (following[:7], following[:7])
        found = [rows(documents, *months)[months[0]] for documents in ([one], [document, two])]
        for row in found:
            del row["committed_mrr"], row["carr"]
        assert found[0] == found[1]

    @settings(max_examples=100)
    @given(
        st.lists(st.tuples(st.integers(0, 99_999), st.integers(0, 9)), min_size=1, max_size=3),
        st.lists(
            st.fixed_dictionaries(
                {"from_month": st.integers(1, 6), "to_month": st.integers(6, 12)},
                optional={"mode": st.just("additive")},
            ).flatmap(
                lambda window: st.one_of(
                    st.sampled_from(["10", "33.3", "100"]).map(lambda percent: {"percent": percent, **window}),
                    st.tuples(st.integers(0, 50), st.sampled_from(["unit", "month", "period", "invoice"])).map(
                        lambda off: {"amount": str(off[0]), "per": off[1], **window}
                    ),
                )
            ),
            max_size=3,
        ),
        st.booleans(),
    )
    def test_a_month_is_worth_what_it_bills(
        self, prices: list[tuple[int, int]], discounts: list[Json], on_deal: bool
    ) -> None:
        items = [
            recurring(f"item{n}", unit_price=str(Decimal(minor) / 100), quantity=str(quantity))
            for n, (minor, quantity) in enumerate(prices)
        ]
        if not on_deal:
            items[0]["discounts"] = discounts
        document = deal(*items, discounts=discounts if on_deal else [])
        found = rows([document], "2027-01", "2027-12")
        billed = {each.dated.isoformat()[:7]: each.net.minor for each in preview(document).documents}
        for month, row in found.items():
            # Lines are rounded one by one, the month's figure once.
            assert abs(int(row["mrr"].replace(".", "")) - billed[month]) <= len(items)
