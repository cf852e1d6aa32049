"""Examples in the interface's description. The answers are the core's own, so they can't be out of date."""

from __future__ import annotations

from typing import Any

from app.billing import preview

DOCUMENTS: dict[str, Any] = {
    "subscription": {
        "summary": "A yearly licence, invoiced once",
        "value": {
            "customer": "Acme Inc",
            "currency": "USD",
            "start": "2027-01-01",
            "term_months": 12,
            "billing": {"interval": "P1Y"},
            "items": [
                {
                    "key": "licence",
                    "name": "Licence",
                    "kind": "recurring",
                    "quantity": "10",
                    "unit_price": "100.00",
                    "price_interval": "P1M",
                    "discounts": [{"percent": "20", "from_month": 1, "to_month": 2}],
                }
            ],
            "as_of": "2026-11-21",
        },
    },
}

_UNCLEAR = {**DOCUMENTS["subscription"]["value"], "terms": "The usual conditions apply to the third site"}

ANSWERS: dict[str, Any] = {
    "billed": {"summary": "One invoice", "value": preview(DOCUMENTS["subscription"]["value"]).to_json()},
    "asked": {"summary": "Words that need a person", "value": preview(_UNCLEAR).to_json()},
}
FAULTS: dict[str, Any] = {
    "faults": {
        "summary": "Every fault at once",
        "value": preview({"customer": "Acme Inc", "currency": "usd", "items": [], "as_of": "2026-11-21"}).to_json(),
    },
}
