"""Whole lives with changes, renewals, several payers and usage, for the golden stories."""

from __future__ import annotations

Json = dict[str, object]


def _item(key: str, name: str, unit_price: str, **fields: object) -> Json:
    return {"key": key, "name": name, "kind": "recurring", "unit_price": unit_price, **fields}


def _deal(currency: str, start: str, items: list[Json], **fields: object) -> Json:
    return {"customer": "Acme Inc", "currency": currency, "start": start, "items": items, **fields}


def _billed(item: str, start: str, end: str, charged: str, document: str) -> Json:
    return {"item": item, "start": start, "end": end, "charged": charged, "document": document}


LIVES: dict[str, tuple[str, Json]] = {
    "a-life-up-down-paused-and-cancelled": (
        "Ten seats month by month: more, fewer, paused, resumed, and cancelled half way through August",
        _deal(
            "EUR",
            "2027-01-01",
            [_item("seats", "Seats", "31.00", quantity="10")],
            term_months=None,
            as_of="2027-08-20",
            until="2027-12-31",
            payment={"net_days": 14},
            changes=[
                {"id": "five more seats", "effective": "2027-02-15", "item": "seats", "quantity": "15"},
                {"id": "three fewer", "effective": "2027-04-11", "item": "seats", "quantity": "12"},
                {"id": "summer break", "effective": "2027-06-16", "pause": {}},
                {"id": "back again", "effective": "2027-07-16", "resume": {}},
                {"id": "goodbye", "effective": "2027-08-16", "cancel": "at"},
            ],
        ),
    ),
    "cancelled-after-the-invoice": (
        "August was invoiced and paid for when the customer left on the 16th: half of it comes back",
        _deal(
            "EUR",
            "2027-07-01",
            [_item("seats", "Seats", "31.00", quantity="12"), _item("support", "Support", "100.00")],
            term_months=None,
            as_of="2027-08-20",
            changes=[{"id": "goodbye", "effective": "2027-08-16", "recorded": "2027-08-12", "cancel": "at"}],
            issued=[
                _billed("seats", "2027-07-01", "2027-08-01", "372.00", "1007"),
                _billed("support", "2027-07-01", "2027-08-01", "100.00", "1007"),
                _billed("seats", "2027-08-01", "2027-09-01", "372.00", "1008"),
                _billed("support", "2027-08-01", "2027-09-01", "100.00", "1008"),
            ],
        ),
    ),
    "annual-in-arrears-on-the-calendar": (
        "A yearly price paid afterwards, by calendar years: two stubs that are one year together",
        _deal(
            "USD",
            "2027-03-15",
            [_item("archive", "Archive", "3650.00", price_interval="P1Y")],
            term_months=36,
            billing={"interval": "P1Y", "timing": "arrears", "anchor": "calendar"},
            payment={"net_days": 0, "from": "end_of_month"},
            as_of="2027-03-01",
        ),
    ),
    "ramp-with-uplift-and-renewal": (
        "Seats that grow by agreement, then a renewal that costs 7% more",
        _deal(
            "USD",
            "2027-01-01",
            [
                _item(
                    "seats", "Seats", "40.00", quantity="50", price_interval="P1M",
                    steps=[
                        {"from_month": 4, "quantity": "80"},
                        {"from_month": 7, "quantity": "100", "unit_price": "38.00"},
                    ],
                ),
            ],
            term_months=12,
            billing={"interval": "P3M", "lead_days": 14},
            renewal={"auto": True, "notice_days": 60, "price": {"uplift_percent": "7"}},
            as_of="2026-12-01",
            until="2028-03-31",
        ),
    ),
    "two-payers-and-a-credit": (
        "The holding pays a third of each line, and both use up what they are owed",
        _deal(
            "USD",
            "2027-01-01",
            [
                _item("platform", "Platform", "999.99"),
                {
                    "key": "training", "name": "Training", "kind": "one_time", "unit_price": "250.00",
                    "when": "2027-02-01",
                },
            ],
            term_months=4,
            bill_to=[{"name": "Holding", "share": "33.33"}, {"name": "Acme Ltd"}],
            credits=[{"amount": "1500.00", "when": "2027-02-01"}],
            as_of="2027-01-01",
        ),
    ),
    "calls-with-a-commitment": (
        "Calls by tiers with a thousand included a month, and 300.00 a quarter committed",
        _deal(
            "USD",
            "2027-01-01",
            [
                {
                    "key": "calls", "name": "Calls", "kind": "usage", "meter": "calls",
                    "price": {
                        "model": "graduated",
                        "tiers": [{"up_to": "10000", "unit_price": "0.02"}, {"up_to": None, "unit_price": "0.01"}],
                    },
                    "included": {"quantity": "1000", "per": "month"},
                    "commit": {"amount": "300.00", "per": "quarter"},
                },
            ],
            term_months=6,
            as_of="2027-05-02",
            until="2027-05-31",
            usage=[
                {"meter": "calls", "start": "2027-01-01", "end": "2027-02-01", "quantity": "900", "complete": True},
                {"meter": "calls", "start": "2027-02-01", "end": "2027-03-01", "quantity": "6000", "complete": True},
                {"meter": "calls", "start": "2027-03-01", "end": "2027-04-01", "quantity": "3500", "complete": True},
                {"meter": "calls", "start": "2027-04-01", "end": "2027-05-01", "quantity": "14000", "complete": True},
            ],
        ),
    ),
}  # fmt: skip
