"""Reading a deal document: every fault at once, and a question for what only a person can answer."""

from __future__ import annotations

from datetime import date

import pytest

from app.billing import Answer, InvalidDocument, preview, read_document

from .builders import Json, deal, entry, lines, one_time, recurring

_FAULTY = deal(
    recurring(unit_price=100, quantity="ten", price_interval="monthly", colour="red"),
    one_time(when="soon"),
    {"kind": "subscription"},
    customer=" ",
    currency="usd",
    start="2027-02-30",
    term_months=0,
    payment={"net_days": -1, "from": "delivery"},
    billing={"intervall": "P1M"},
    issued=[entry("platform", "2027-02-01", "2027-02-01")],
    discount=[],
)
_FAULTS = [
    {"field": "customer", "value": " ", "allowed": "a text that is not empty"},
    {"field": "currency", "value": "usd", "allowed": "an ISO 4217 currency code such as USD"},
    {"field": "term_months", "value": 0, "allowed": "a whole number from 1 to 1200"},
    {"field": "start", "value": "2027-02-30", "allowed": "a date YYYY-MM-DD"},
    {"field": "billing.intervall", "value": "P1M", "allowed": "no such field; check its spelling"},
    {"field": "payment.net_days", "value": -1, "allowed": "a whole number from 0 to 3650"},
    {"field": "payment.from", "value": "delivery", "allowed": "one of invoice, end_of_month"},
    {
        "field": "items[0].quantity",
        "value": "ten",
        "allowed": 'a decimal as text, 0 or more, such as "100.00"',
    },
    {
        "field": "items[0].unit_price",
        "value": 100,
        "allowed": 'a decimal as text, 0 or more, such as "100.00"',
    },
    {
        "field": "items[0].price_interval",
        "value": "monthly",
        "allowed": "an ISO 8601 interval such as P1M, P3M or P1Y",
    },
    {"field": "items[0].colour", "value": "red", "allowed": "no such field; check its spelling"},
    {"field": "items[1].when", "value": "soon", "allowed": '"start" or a date YYYY-MM-DD'},
    {"field": "items[2].key", "value": None, "allowed": "a text that is not empty"},
    {
        "field": "items[2].kind",
        "value": "subscription",
        "allowed": "one of recurring, one_time, usage",
    },
    {
        "field": "items[2].unit_price",
        "value": None,
        "allowed": 'a decimal as text, 0 or more, such as "100.00"',
    },
    {
        "field": "issued[0].end",
        "value": "2027-02-01",
        "allowed": "a day after start (the first day not settled)",
    },
    {"field": "discount", "value": [], "allowed": "no such field; check its spelling"},
]


def faults(document: Json) -> dict[str, tuple[object, str]]:
    answer = preview(document)
    assert answer.status == "invalid", answer
    return {error.field: (error.value, error.allowed) for error in answer.errors}


def asked(answer: Answer) -> list[str]:
    return [question.field for question in answer.questions]


class TestInvalidDocument:
    def test_reports_every_fault_at_once_with_field_value_and_what_is_allowed(self) -> None:
        assert preview(_FAULTY).to_json() == {
            "status": "invalid",
            "reading": [],
            "terms": [],
            "questions": [],
            "notes": [],
            "documents": [],
            "totals": None,
            "renewal": None,
            "errors": _FAULTS,
        }

    @pytest.mark.parametrize("missing", ["customer", "currency", "start", "items"])
    def test_needs_four_fields(self, missing: str) -> None:
        document = deal()
        del document[missing]
        assert list(faults(document)) == [missing]

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"items": []}, "items"),
            ({"items": {}}, "items"),
            ({"items": ["platform"]}, "items[0]"),
            ({"items": [recurring(), recurring()]}, "items[1].key"),
            ({"items": [recurring(when="start")]}, "items[0].when"),
            ({"items": [one_time(price_interval="P1M")]}, "items[0].price_interval"),
            ({"items": [one_time(billing={"interval": "P1M"})]}, "items[0].billing"),
            ({"items": [recurring(quantity="-1")]}, "items[0].quantity"),
            ({"items": [recurring(unit_price="-1")]}, "items[0].unit_price"),
            ({"items": [recurring(unit_price="1e3")]}, "items[0].unit_price"),
            ({"items": [recurring(unit_price="0.0000000000001")]}, "items[0].unit_price"),
            ({"items": [recurring(quantity="100000000", unit_price="1000000")]}, "items[0].unit_price"),
            ({"items": [one_time(when={"month": 0})]}, "items[0].when.month"),
            ({"items": [one_time(when={})]}, "items[0].when.month"),
            ({"start": "20270101"}, "start"),
            ({"start": "2027-W01-1"}, "start"),
            ({"start": "0001-01-01"}, "start"),
            ({"term_months": True}, "term_months"),
            ({"term_months": "12"}, "term_months"),
            ({"currency": "XAU"}, "currency"),
            ({"billing": {"interval": "P0M"}}, "billing.interval"),
            ({"billing": {"anchor": 32}}, "billing.anchor"),
            ({"billing": {"timing": "late"}}, "billing.timing"),
            ({"billing": []}, "billing"),
            ({"terms": 5}, "terms"),
            ({"until": "tomorrow"}, "until"),
            ({"issued": [entry("platform", "2027-01-01", "2027-02-01", "12.345")]}, "issued[0].charged"),
            ({"issued": [entry("platform", "2027-01-01", "2027-02-01", kind="paid")]}, "issued[0].kind"),
            ({"issued": [{"item": "platform"}]}, "issued[0].start"),
            ({"control_total": "1.001"}, "control_total"),
            ({"discounts": [{"percent": "20", "amount": "5", "per": "month"}]}, "discounts[0].percent"),
            ({"discounts": [{"amount": "5"}]}, "discounts[0].per"),
            ({"discounts": [{"percent": "20", "form_month": 1}]}, "discounts[0].form_month"),
            ({"credits": [{}]}, "credits[0].amount"),
            ({"bill_to": [{"share": "50"}]}, "bill_to[0].name"),
            ({"renewal": {"price": {}}}, "renewal.price.same"),
            ({"usage": [{"meter": "calls"}]}, "usage[0].start"),
            ({"changes": [{"id": "c1", "effective": "2027-02-01"}]}, "changes[0].item"),
            (
                {"changes": [{"id": "c1", "effective": "2027-02-01", "add": recurring(colour="red")}]},
                "changes[0].add.colour",
            ),
            ({"changes": [{"id": "c1", "effective": "2027-02-01", "replace": {"from": "a"}}]}, "changes[0].replace.to"),
            ({"changes": [{"id": "c1", "effective": "2027-02-01", "cancel": "now"}]}, "changes[0].cancel"),
            ({"changes": [{"id": "c", "effective": "2027-02-01", "uncancel": False}]}, "changes[0].uncancel"),
        ],
    )
    def test_names_the_field(self, fields: Json, field: str) -> None:
        assert field in faults(deal(**fields))

    def test_says_why_a_money_text_is_refused(self) -> None:
        found = faults(deal(issued=[entry("platform", "2027-01-01", "2027-02-01", "12.345")]))
        assert found["issued[0].charged"] == (
            "12.345",
            'an amount of USD as text, 0 or more, such as "1.00" (12.345 has more decimals than USD has (2))',
        )

    @pytest.mark.parametrize("document", [None, [], "deal", 5])
    def test_may_be_no_object_at_all(self, document: object) -> None:
        answer = preview(document)
        assert [error.field for error in answer.errors] == [""]

    def test_is_raised_by_the_reader_with_all_faults(self) -> None:
        with pytest.raises(InvalidDocument, match="customer: a text that is not empty; currency") as invalid:
            read_document({"start": "2027-01-01", "items": [recurring()]})
        assert len(invalid.value.errors) == 2


class TestAsOf:
    def test_is_needed_one_way_or_the_other(self) -> None:
        document = deal()
        del document["as_of"]
        assert faults(document) == {"as_of": (None, "a date YYYY-MM-DD: what is known on that day")}
        assert preview(document, as_of=date(2027, 1, 1)).status == "ok"

    def test_is_reported_together_with_the_other_faults(self) -> None:
        document = deal(customer="")
        del document["as_of"]
        assert list(faults(document)) == ["customer", "as_of"]

    def test_given_by_the_caller_wins_over_the_document(self) -> None:
        document = deal(term_months=None, as_of="2027-01-01")
        assert preview(document).documents[-1].dated == date(2028, 1, 1)
        assert preview(document, as_of=date(2030, 6, 1)).documents[-1].dated == date(2031, 6, 1)


class TestFieldsThatAreBilled:
    @pytest.mark.parametrize(
        "fields",
        [
            {"relation": {"kind": "renewal", "of": ["deal-1"]}},
            {"billing": {"timing": "arrears"}},
            {"billing": {"anchor": "calendar"}},
            {"billing": {"anchor": 15}},
            {"billing": {"anchor": "2027-01-15"}},
            {"billing": {"stub": "with_last"}},
            {"billing": {"lead_days": 5}},
            {"billing": {"dates": [{"date": "2027-01-15", "share": "50"}]}},
            {"billing": {"interval": "P2W"}},
            {"payment": {"early": {"percent": "2", "days": 10}}},
            {"payment": {"late_fee": {"percent": "1.5", "per": "month"}}},
            {"renewal": {"auto": True}},
            {"renewal": {"term_months": 24}},
            {"renewal": {"notice_days": 90}},
            {"renewal": {"price": {"uplift_percent": "5"}}},
            {"renewal": {"price": {"index": "CPI", "cap": "5"}}},
            {"exits": [{"party": "customer", "after_month": 6, "notice_days": 30, "fee": "100.00"}]},
            {"discounts": [{"percent": "20", "to_month": 2}]},
            {"discounts": [{"amount": "5", "per": "month", "mode": "additive", "items": ["platform"]}]},
            {"credits": [{"amount": "50.00", "invoices": 2}]},
            {"tax": {"treatment": "inclusive"}},
            {"tax": {"code": "TAX"}},
            {"bill_to": [{"name": "Holding", "share": "40"}, {"name": "Acme"}]},
            {"po": {"number": "4711"}},
            {"contacts": {"to": ["ap@acme.example"]}},
            {"memo": "Thank you"},
            {"reference": "Q-17"},
            {"control_total": "1200.00"},
            {"changes": [{"id": "c1", "effective": "2027-02-01", "item": "platform", "quantity": "12"}]},
            {"changes": [{"id": "c1", "effective": "2027-02-01", "add": recurring("more", trial_until="2027-03-01")}]},
            {
                "changes": [
                    {"id": "c1", "effective": "2027-02-01", "replace": {"from": "platform", "to": recurring("b")}}
                ]
            },
            {"changes": [{"id": "c1", "effective": "2027-02-01", "billing": {"anchor": "calendar"}}]},
            {"changes": [{"id": "c1", "effective": "2027-02-01", "pause": {"until": "2027-03-01"}}]},
            {"changes": [{"id": "c1", "effective": "2027-02-01", "resume": {}}]},
            {"changes": [{"id": "c1", "effective": "2027-02-01", "cancel": "at", "settle": "123.45"}]},
            {"changes": [{"id": "c1", "effective": "2027-02-01", "uncancel": True, "settle": "unused"}]},
        ],
    )
    def test_of_the_deal_are_no_question(self, fields: Json) -> None:
        answer = preview(deal(**fields))
        assert (answer.status, answer.questions) == ("ok", ())
        assert answer.documents
        assert all(document.billable for document in answer.documents)

    @pytest.mark.parametrize(
        "item",
        [
            recurring(trial_until="2027-02-01"),
            recurring(start="2027-02-01"),
            recurring(end="2027-06-01"),
            recurring(term_months=6),
            recurring(tax={"treatment": "exempt"}),
            recurring(discounts=[{"amount": "5"}]),
            recurring(steps=[{"from_month": 13, "unit_price": "120.00"}]),
            {
                "key": "tiered",
                "kind": "recurring",
                "price": {"model": "graduated", "tiers": [{"up_to": None, "unit_price": "1"}]},
            },
            recurring(billing={"timing": "arrears"}),
            recurring(billing={"interval": "P1W"}),
            recurring(price_interval="P1D"),
            recurring(price_interval="P5M", billing={"interval": "P3M"}),
            one_time(when={"month": 3}),
            one_time(when={"event": "Go-live", "confirmed_on": "2027-03-01"}),
            {"key": "calls", "kind": "usage", "meter": "calls", "aggregate": "sum"},
        ],
    )
    def test_of_an_item_are_no_question(self, item: Json) -> None:
        answer = preview(deal(recurring("other"), item))
        assert (answer.status, answer.questions) == ("ok", ())
        assert [line[2] for line in lines(answer, "other")] == ["100.00"] * 12

    @pytest.mark.parametrize(
        "fields",
        [
            {"id": "deal-1"},
            {"relation": {"kind": "new", "of": []}},
            {"billing": {"interval": "P1M", "timing": "advance", "anchor": "deal_date", "stub": "own", "lead_days": 0}},
            {"billing": {"anchor": 1}},
            {"billing": {"anchor": "2027-01-01", "dates": []}},
            {"payment": {"net_days": 30, "from": "invoice", "early": None, "late_fee": None}},
            {"renewal": {"auto": False, "price": {"same": True}}},
            {"tax": {"treatment": "exclusive"}},
            {"exits": [], "discounts": [], "credits": [], "changes": [], "usage": [], "bill_to": [], "issued": []},
            {"po": {"required": False}, "contacts": {"to": [], "cc": []}, "memo": None, "control_total": None},
            {"terms": "  \n"},
            {"items": [recurring(sku="PLT-1", start="2027-01-01", end="2028-01-01", term_months=12, steps=[], tax={})]},
            {
                "items": [
                    recurring(quantity="1", price_interval="P1M", billing={"interval": "P1M"}),
                    one_time(when="start"),
                ]
            },
        ],
    )
    def test_change_nothing_while_they_say_what_is_true_anyway(self, fields: Json) -> None:
        said = preview(deal(**fields))
        assert said.status == "ok"
        if "items" not in fields:
            assert said.documents == preview(deal()).documents


class TestWhatOnlyAPersonKnows:
    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"po": {"required": True}}, "po.number"),
            ({"control_total": "1199.99"}, "control_total"),
            ({"control_total": "1200.00", "term_months": None}, "control_total"),
            (
                {"renewal": {"auto": True, "price": {"index": "CPI", "cap": "5"}}, "until": "2028-01-01"},
                "renewal.price",
            ),
            ({"renewal": {"auto": True, "price": {"cap_percent": "5"}}, "until": "2028-01-01"}, "renewal.price"),
            ({"issued": [entry("gone", "2027-01-01", "2027-02-01", "5.00")]}, "issued[0].item"),
            (
                {
                    "items": [
                        recurring(),
                        {
                            "key": "tiered",
                            "kind": "recurring",
                            "quantity": "11",
                            "price": {"model": "volume", "tiers": [{"up_to": "10", "unit_price": "1"}]},
                        },
                    ]
                },
                "items",
            ),
        ],
    )
    def test_is_one_question_that_names_the_field_and_nothing_is_billable(self, fields: Json, field: str) -> None:
        answer = preview(deal(**fields))
        assert answer.status == "needs_clarification"
        assert asked(answer) == [field]
        assert answer.documents
        assert not any(document.billable for document in answer.documents)

    @pytest.mark.parametrize(
        "fields",
        [
            {"control_total": "1200.00"},
            {"po": {"required": True, "number": "4711"}},
            # The renewal is not reached by what is shown, so its price is no question yet.
            {"renewal": {"auto": True, "price": {"index": "CPI"}}, "until": "2027-12-31"},
            # A total is compared with what was agreed before any change.
            {"control_total": "1200.00", "changes": [{"effective": "2027-07-01", "item": "platform", "quantity": "2"}]},
        ],
    )
    def test_is_no_question_when_it_is_known(self, fields: Json) -> None:
        assert preview(deal(**fields)).status == "ok"

    def test_of_a_total_offers_both_readings(self) -> None:
        question = preview(deal(control_total="1199.99")).questions[0]
        assert (
            question.text == "The parties wrote 1,199.99 USD as total, but the items come to 1,200.00 USD. Which holds?"
        )
        assert question.readings == ("1199.99", "1200.00")


class TestWhatIsCarried:
    def test_stands_in_the_notes_of_every_document_and_in_no_amount(self) -> None:
        plain = preview(deal())
        fields: Json = {
            "po": {"number": "4711"}, "memo": "Thank you", "reference": "Q-17",
            "payment": {"early": {"percent": "2", "days": 10}, "late_fee": {"percent": "1.5", "per": "month"}},
        }  # fmt: skip
        carried = preview(deal(**fields))
        assert carried.totals == plain.totals
        assert {document.notes for document in carried.documents} == {
            ("PO 4711", "Thank you", "Q-17", "2% discount if paid within 10 days.", "Late payments bear 1.5% a month.")
        }


class TestUsageNobodyBills:
    """A reading that is accepted and never counted is money lost in silence (users 23)."""

    def test_of_a_meter_that_no_item_has_is_a_question(self) -> None:
        reading = {"meter": "calls", "start": "2027-01-01", "end": "2027-02-01", "quantity": "5"}
        answer = preview(deal(usage=[reading]))
        assert [question.text for question in answer.questions] == [
            "calls was read for 1 Jan - 31 Jan 2027, but no item has this meter. Which one is meant?"
        ]

    def test_told_twice_is_a_question(self) -> None:
        item = {"key": "api", "name": "API", "kind": "usage", "meter": "calls", "unit_price": "0.10"}
        reading = {"meter": "calls", "start": "2027-01-01", "end": "2027-02-01", "quantity": "5"}
        done = {**reading, "quantity": "0", "complete": True}
        assert preview(deal(item, usage=[reading, done])).questions == ()
        answer = preview(deal(item, usage=[reading, {**done, "quantity": "7"}]))
        assert [question.text for question in answer.questions] == [
            "calls was read twice for 1 Jan - 31 Jan 2027. Is one a correction, or is the sum meant?"
        ]
        assert not any(document.billable for document in answer.documents)

    def test_after_the_last_day_of_service_is_a_question(self) -> None:
        item = {"key": "api", "kind": "usage", "meter": "calls", "unit_price": "0.10"}
        late = {"meter": "calls", "start": "2028-02-01", "end": "2028-03-01", "quantity": "5"}
        answer = preview(deal(recurring(), item, usage=[late]))
        assert [question.text for question in answer.questions] == [
            "calls was read for 1 Feb - 29 Feb 2028, when none of its items is in service. Is it right?"
        ]


class TestChangeIds:
    def test_name_one_day_only(self) -> None:
        changes = [
            {"id": "c", "effective": day, "item": "platform", "quantity": "2"} for day in ("2027-02-01", "2027-03-01")
        ]
        assert list(faults(deal(changes=changes))) == ["changes[1].id"]


class TestOneTimeItems:
    def test_after_the_last_day_of_service_are_a_question(self) -> None:
        answer = preview(deal(recurring(), one_time(when="2028-01-01")))
        assert [question.text for question in answer.questions] == [
            "Setup is billed on 1 Jan 2028, but service ends with 31 Dec 2027. Is the day right?"
        ]
        assert preview(deal(recurring(), one_time(when="2027-12-31"))).status == "ok"
        assert preview(deal(recurring(), one_time(when="2028-01-01"), term_months=None)).status == "ok"


class TestTerms:
    def test_are_a_question_and_the_documents_show_the_life_without_them(self) -> None:
        words = "First 2 months 20% discount, next 3 months 10% discount"
        answer = preview(deal(terms=words))
        assert answer.status == "needs_clarification"
        assert answer.questions[0].span == (0, len(words))
        assert f"“{words}”" in answer.questions[0].text
        plain = preview(deal())
        assert answer.totals == plain.totals
        assert [document.billable for document in answer.documents] == [False] * 12
        assert [document.billable for document in plain.documents] == [True] * 12
