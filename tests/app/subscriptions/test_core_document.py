"""A subscription as the core reads it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import Range

from app.billing import preview
from app.deals.models import DealVersion
from app.subscriptions.models import Amendment, BilledEntry, Subscription
from app.subscriptions.settled import core_document, item_names, with_change

START = date(2027, 3, 1)
DOCUMENT: dict[str, Any] = {
    "id": "1", "customer": "Acme Inc", "currency": "USD", "start": "2027-01-31", "term_months": 12,
    "payment": {"net_days": 30}, "billing": {"interval": "P1M"},
    "items": [{"key": "platform", "name": "Platform", "kind": "recurring", "quantity": "10", "unit_price": "100",
               "price_interval": "P1M"}],
}  # fmt: skip
SUBSCRIPTION = Subscription(start_on=START, currency="USD")


def version(**changes: Any) -> DealVersion:
    return DealVersion(document=DOCUMENT | changes)


def amendment(change: str = "amendment-1", recorded: date = START, **body: Any) -> Amendment:
    effective = date.fromisoformat(body.pop("effective", "2027-04-01"))
    return Amendment(change=change, effective=effective, recorded_on=recorded, body=body)


def entry(**changes: Any) -> BilledEntry:
    values: dict[str, Any] = {
        "item_key": "platform", "period": Range(START, date(2027, 4, 1), bounds="[)"), "charged_minor": 100_000,
        "credited_minor": 0, "currency": "USD", "kind": "billed", "change": "", "bill_to": "",
    }  # fmt: skip
    return BilledEntry(**(values | changes))


class TestWhatIsIssued:
    def test_has_every_field_that_is_known(self) -> None:
        full = entry(quantity=Decimal("10.000000000000"), unit_price=Decimal("1E+2"), change="amendment-1",
                     document="invoice of 1 Mar 2027", kind="override")  # fmt: skip
        assert core_document(SUBSCRIPTION, version(), [full])["issued"] == [
            {"item": "platform", "start": "2027-03-01", "end": "2027-04-01", "charged": "1000.00", "credited": "0.00",
             "kind": "override", "quantity": "10", "unit_price": "100", "change": "amendment-1",
             "document": "invoice of 1 Mar 2027"}
        ]  # fmt: skip

    def test_names_the_payer_only_where_several_pay(self) -> None:
        one = entry(bill_to="Parent Inc")
        assert "bill_to" not in core_document(SUBSCRIPTION, version(), [one])["issued"][0]
        split = version(bill_to=[{"name": "Acme Inc", "share": "60"}, {"name": "Parent Inc", "share": "40"}])
        assert core_document(SUBSCRIPTION, split, [one])["issued"][0]["bill_to"] == "Parent Inc"

    def test_leaves_nothing_to_bill_twice(self) -> None:
        document = core_document(SUBSCRIPTION, version(), [entry(quantity=Decimal(10), unit_price=Decimal(100))])
        answer = preview(document | {"until": "2027-04-30"}, as_of=date(2027, 4, 2))
        assert [(one.dated, one.net.minor) for one in answer.documents] == [(date(2027, 4, 1), 100_000)]


class TestWhatWasAgreed:
    def test_is_the_base_with_its_amendments_in_order(self) -> None:
        newest = version(customer="Acme Holding", payment={"net_days": 14})
        document = core_document(
            SUBSCRIPTION, newest, [], base=version(), amendments=[amendment(quantity="12", item="platform")]
        )

        assert document["start"] == "2027-03-01"
        assert (document["customer"], document["payment"]) == ("Acme Holding", {"net_days": 14})
        assert document["changes"] == [
            {"id": "amendment-1", "effective": "2027-04-01", "recorded": "2027-03-01", "item": "platform",
             "quantity": "12"}
        ]  # fmt: skip
        assert preview(document, as_of=START).status == "ok"

    def test_has_the_names_of_the_newest_version(self) -> None:
        renamed = version(items=[DOCUMENT["items"][0] | {"name": "Platform Pro", "sku": "P-2", "quantity": "99"}])
        document = core_document(SUBSCRIPTION, renamed, [], base=version())

        assert document["items"] == [DOCUMENT["items"][0] | {"name": "Platform Pro", "sku": "P-2"}]

    def test_names_added_items_too(self) -> None:
        added = amendment(add={"key": "support", "name": "Support"})
        document = core_document(SUBSCRIPTION, version(), [], base=version(), amendments=[added])

        assert item_names(version(), document) == {"platform": "Platform", "support": "Support"}

    def test_is_the_version_itself_while_nothing_is_amended(self) -> None:
        assert "changes" not in core_document(SUBSCRIPTION, version(), [])


class TestTwoOfOneDay:
    def change(self, number: int, **body: Any) -> dict[str, Any]:
        return {"id": f"c{number}", "effective": "2027-04-01", "recorded": "2027-03-01", "item": "platform"} | body

    def test_leave_the_later_value(self) -> None:
        changes = with_change([self.change(1, quantity="12", unit_price="90")], self.change(2, quantity="15"))
        assert changes == [self.change(1, unit_price="90"), self.change(2, quantity="15")]

    def test_leave_nothing_of_one_that_is_said_again_whole(self) -> None:
        changes = with_change([self.change(1, quantity="12", settle="unused")], self.change(2, quantity="15"))
        assert changes == [self.change(2, quantity="15")]

    def test_of_other_days_or_items_both_stand(self) -> None:
        first = self.change(1, quantity="12")
        for other in ({"item": "support"}, {"effective": "2027-05-01"}, {"recorded": "2027-03-02"}):
            assert with_change([first], self.change(2, quantity="15", **other))[0] == first

    def test_are_no_clash_for_the_core(self) -> None:
        made = [amendment("a", item="platform", quantity="12"), amendment("b", item="platform", quantity="15")]
        answer = preview(core_document(SUBSCRIPTION, version(), [], base=version(), amendments=made), as_of=START)

        assert answer.status == "ok"
        assert answer.documents[1].lines[0].quantity == 15
