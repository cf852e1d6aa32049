"""Changes that meet each other: old amounts that wait, steps, pauses and what the books hold already."""

from __future__ import annotations

from app.billing import preview

from .builders import Json, deal, entries_of, entry, lines, one_time, recurring, rows


def change(id: str, effective: str, **fields: object) -> Json:
    """Return a change of the platform."""
    return {"id": id, "effective": effective, "item": "platform", **fields}


class TestWaitingAmounts:
    def test_a_decrease_keeps_what_another_decrease_left_due(self) -> None:
        # 100 seats wait to become 20; an agreed amount ends the 100 with March; the drop to 0 then leaves the 20 due.
        changes = [
            change("c1", "2027-02-01", quantity="20"),
            change("c2", "2027-03-10", discounts=[], settle="12.34"),
            change("c3", "2027-03-20", quantity="0"),
        ]
        item = recurring(quantity="100", unit_price="1.00")
        answer = preview(deal(item, changes=changes))
        assert [row for row in rows(answer) if " - " in row][2:5] == [
            "27-03-01 - platform 27-03-01/27-04-01 100 100.00",
            "27-04-01 - platform 27-04-01/27-05-01 20 20.00",
            "27-05-01 - platform 27-05-01/27-06-01 20 20.00",
        ]

    def test_end_where_they_sink_below_what_is_agreed(self) -> None:
        # 5 % instead of 50 off from July waits; from July on the old amount is 50, the new one 95.
        item = recurring(discounts=[{"amount": "50", "per": "month", "from": "2027-07-01"}])
        answer = preview(deal(item, changes=[change("c", "2027-03-01", discounts=[{"percent": "5"}])]))
        assert [amount for _, _, amount in lines(answer)][4:8] == ["100.00", "100.00", "95.00", "95.00"]

    def test_keep_the_steps_of_a_change_that_was_in_force_before(self) -> None:
        changes = [
            change("c1", "2027-02-01", quantity="1"),
            change("c2", "2027-03-01", steps=[{"from": "2027-08-01", "unit_price": "1.00"}], settle="unused"),
            change("c3", "2027-04-01", unit_price="90.00"),
        ]
        answer = preview(deal(recurring(quantity="2"), changes=changes))
        assert [amount for _, _, amount in lines(answer)][2:8] == ["100.00"] * 5 + ["1.00"]


class TestWithoutProration:
    def test_other_steps_replace_one_that_was_taken_since_the_period_began(self) -> None:
        item = recurring(steps=[{"from_month": 4, "unit_price": "40.00"}])
        answer = preview(deal(item, changes=[change("c", "2027-04-05", steps=[], proration="none")]))
        assert [amount for _, _, amount in lines(answer)][3:7] == ["40.00", "-40.00", "100.00", "100.00"]

    def test_counts_from_the_start_of_a_merged_period(self) -> None:
        # 15 Jan - 28 Feb is one period (`with_first`), so is 1 Nov - 14 Jan.
        document = deal(start="2027-01-15", billing={"anchor": 1, "stub": "with_first"})
        up = change("c", "2027-02-10", quantity="2", proration="none")
        assert rows(preview({**document, "changes": [up]}), since="2027-02-10")[:2] == [
            "27-02-10 c platform 27-01-15/27-03-01 1 -154.84",
            "27-02-10 c platform 27-01-15/27-03-01 2 309.68",
        ]
        document = deal(start="2027-01-15", billing={"anchor": 1, "stub": "with_last"})
        up = change("c", "2028-01-05", quantity="2", proration="none")
        assert rows(preview({**document, "changes": [up]}), since="2027-12-15")[:2] == [
            "28-01-05 c platform 27-12-01/28-01-15 1 -145.16",
            "28-01-05 c platform 27-12-01/28-01-15 2 290.32",
        ]


class TestPeriodEnd:
    def test_is_the_end_of_a_merged_stub(self) -> None:
        end = {"id": "c", "effective": "2027-01-20", "cancel": "period_end", "settle": "unused"}
        document = deal(start="2027-01-15", billing={"anchor": 1, "stub": "with_first"}, changes=[end])
        assert lines(preview(document)) == [("2027-01-15", "2027-03-01", "154.84")]

    def test_of_a_period_that_begins_on_the_day_is_that_periods(self) -> None:
        end = {"id": "c", "effective": "2027-03-01", "cancel": "period_end", "settle": "unused"}
        assert lines(preview(deal(changes=[end])))[-1] == ("2027-03-01", "2027-04-01", "100.00")

    def test_of_a_leading_stub_is_not_the_end_of_a_trailing_one(self) -> None:
        # 1 Feb - 31 Dec and 1-31 Jan are two stubs of a calendar year; only a full period would take the second one in.
        document = deal(start="2027-02-01", billing={"interval": "P1Y", "anchor": "calendar", "stub": "with_last"})
        half = change("c", "2027-03-01", discounts=[{"percent": "50"}], settle="0.00")
        item = recurring(price_interval="P1M")
        answer = preview({**document, "items": [item], "changes": [half]})
        assert lines(answer)[-1] == ("2028-01-01", "2028-02-01", "50.00")


class TestReplacements:
    """What begins stands on the document that credits what it replaces: one amendment is netted (convention 10)."""

    def test_from_monthly_to_annual_is_one_document(self) -> None:
        annual = recurring("annual", price_interval="P1Y", billing={"interval": "P1Y", "anchor": "2027-03-12"})
        swap = {"id": "c", "effective": "2027-03-12", "replace": {"from": "platform", "to": annual}}
        document = deal(recurring(unit_price="10.00"), term_months=None, as_of="2027-03-12", until="2027-03-31")
        issued = entries_of(preview(document).documents)
        answer = preview({**document, "changes": [swap], "issued": issued})
        assert rows(answer) == [
            "27-03-12 c platform 27-03-12/27-04-01 1 -6.45",
            "27-03-12 c annual 27-03-12/28-03-12 1 100.00",
        ]
        assert [document.net.plain() for document in answer.documents][-1] == "93.55"
        issued += entries_of(answer.documents)
        assert preview({**document, "changes": [swap], "issued": issued}).documents == ()

    def test_on_the_first_day_of_a_period_are_netted_only_where_that_was_issued(self) -> None:
        swap = {"id": "c", "effective": "2027-03-01", "replace": {"from": "platform", "to": recurring("b")}}
        document = deal(recurring(unit_price="120.00"), changes=[swap], as_of="2027-03-01", until="2027-03-31")
        assert rows(preview(document), since="2027-03-01") == ["27-03-01 - b 27-03-01/27-04-01 1 100.00"]
        before = preview({**document, "changes": []})
        assert rows(preview({**document, "issued": entries_of(before.documents)})) == [
            "27-03-01 c platform 27-03-01/27-04-01 1 -120.00",
            "27-03-01 c b 27-03-01/27-04-01 1 100.00",
        ]

    def test_of_one_day_one_after_the_other_are_netted_with_the_first(self) -> None:
        swaps = [
            {"id": "c1", "effective": "2027-03-01", "replace": {"from": "platform", "to": recurring("b")}},
            {"id": "c2", "effective": "2027-03-01", "replace": {"from": "b", "to": recurring("c", unit_price="80.00")}},
        ]
        document = deal(changes=swaps, as_of="2027-03-01", until="2027-03-31")
        before = preview({**document, "changes": []})
        (own,) = preview({**document, "issued": entries_of(before.documents)}).documents
        assert (own.change, own.net.plain(), [line.item for line in own.lines]) == ("c1", "-20.00", ["platform", "c"])


class TestBooks:
    def test_of_a_late_change_hold_the_ones_before_it(self) -> None:
        """Everything is settled: a further run plans nothing, though a change in between has no entry of its own."""
        changes = [
            {"id": "pause", "effective": "2027-03-10", "pause": {"until": "2027-03-20"}},
            change("c1", "2027-04-05", discounts=[{"percent": "5"}], proration="none"),
            change("c2", "2027-05-14", quantity="20", proration="none"),
        ]
        document = deal(recurring(price_interval="P1M"), billing={"interval": "P1Y"}, changes=changes)
        document |= {"as_of": "2027-12-31"}
        first = preview(document)
        assert preview({**document, "issued": entries_of(first.documents)}).documents == ()

    def test_do_not_bring_back_a_one_time_item_of_days_without_a_contract(self) -> None:
        changes = [
            {"id": "c1", "effective": "2027-01-01", "cancel": "at", "settle": "unused"},
            {"id": "c2", "effective": "2027-01-10", "uncancel": {}},
        ]
        document = deal(recurring(), one_time(), changes=changes, as_of="2027-02-10")
        assert lines(preview(document), "setup") == []
        issued = [entry("platform", "2027-01-10", "2027-02-01", "70.97", change="c2")]
        assert lines(preview({**document, "issued": issued}), "setup") == []

    def test_know_what_a_decision_stood_for_under_a_change_written_down_early(self) -> None:
        # 10 % off from the renewal on, agreed a year before: what is waived in April 2028 was 90.00, not 100.00.
        early = change("c", "2027-06-15", discounts=[{"percent": "10"}], recorded="2027-01-01")
        document = deal(renewal={"auto": True, "price": {"same": True}}, changes=[early], until="2028-06-01")
        document |= {"as_of": "2028-06-01", "billing": {"timing": "arrears"}}
        told = [
            entry("platform", "2027-02-01", "2027-03-01", kind="skipped", quantity="1", unit_price="100.00"),
            entry("platform", "2028-04-01", "2028-05-01", "10", kind="override", quantity="1", unit_price="100.00"),
        ]
        answer = preview({**document, "issued": told})
        assert [row for row in rows(answer) if " c " in row] == []


class TestInstalments:
    def test_whose_group_is_broken_early_round_by_themselves(self) -> None:
        # 0.55 yen a month: 1 for each month alone; as parts of a quarter the last one takes the rest.
        item = recurring(unit_price="1.65", price_interval="P3M")
        swap = {"from": "platform", "to": recurring("other", unit_price="600", price_interval="P1M")}
        document = deal(item, currency="JPY", changes=[{"id": "c", "effective": "2027-06-29", "replace": swap}])
        whole = preview({**document, "changes": []})
        assert [amount for _, _, amount in lines(whole)][3:6] == ["1", "1", "0"]
        assert sum(int(amount) for _, _, amount in lines(preview(document), "platform")) == 2 + 3
