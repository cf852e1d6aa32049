"""The deal of the tables of changes, and what is planned of it early or late."""

from __future__ import annotations

from app.billing import preview

from .builders import Json, deal, entries_of, recurring, rows

FIXED, OPEN = 12, None
APR_1 = "2027-04-01"
MARCH = "27-03-01 - platform 27-03-01/27-04-01 10 1000.00"
APRIL = "27-04-01 - platform 27-04-01/27-05-01 {} {}"
HALF = "27-03-01 - platform 27-03-01/27-03-16 10 483.87"
BACK = "27-03-16 c platform 27-03-16/27-04-01 10 -516.13"


def seats(**fields: object) -> Json:
    return recurring(quantity="10", **fields)


def changed(*changes: Json, term: int | None = FIXED, items: tuple[Json, ...] = (), **fields: object) -> Json:
    """Return the deal with changes; the first is "c" on 16 March unless it says otherwise."""
    written = [{"id": "c" if n == 0 else f"c{n}", "effective": "2027-03-16", **c} for n, c in enumerate(changes)]
    document = deal(*(items or (seats(),)), term_months=term, changes=written, **fields)
    return {"until": "2027-04-30", **document}


def early(document: Json) -> list[str]:
    """Return what is planned from March on when everything is known before anything was issued."""
    answer = preview(document)
    assert answer.status == "ok", answer.reason
    return rows(answer, since="2027-03-01")


def late(document: Json, issued_until: str = "2027-03-10") -> list[str]:
    """Return what is left to issue when the change becomes known after March was issued."""
    before = preview({**document, "changes": [], "until": issued_until})
    answer = preview({**document, "issued": entries_of(before.documents), "as_of": "2027-03-20"})
    assert answer.status == "ok", answer.reason
    return rows(answer)
