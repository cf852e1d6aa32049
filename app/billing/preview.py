"""The core's one entry: a deal document in, the documents to issue out, or a precise question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from app.billing import documents as papers
from app.billing.answer import Answer, FieldError, Question, Renewal
from app.billing.books import Books
from app.billing.calendar import Period, add_months, people_date
from app.billing.changes import Clash, known_changes
from app.billing.deal import Change, DealDocument, InvalidDocument, Item, Settled
from app.billing.due import key_of, shown_price, trimmed
from app.billing.intake import read_document
from app.billing.life import FAR
from app.billing.metering import usage_moves
from app.billing.money import Money, decimals_of, plain_decimal
from app.billing.plan import Move, Planner
from app.billing.pricing import TierExceeded
from app.billing.reading import sentences
from app.billing.reckoning import Reckoner

_SHOWN_MONTHS_OPEN_ENDED = 12


def preview(document: object, *, as_of: date | None = None, carry: bool = False) -> Answer:
    """Return everything still to issue for the deal, dated by schedule, each line with its reason.

    `document` is the parsed JSON of a deal document, a mapping of its fields; anything else is an `invalid` answer too.
    `as_of` is what is known on that day; it wins over the document's own `as_of`, and one of the two is needed (there
    is no clock here). Never raises for a bad document: the answer is `invalid` with every fault at once. Documents
    are sorted by date, then payer; `carry` puts a change's lines on the next regular invoice within 31 days. Amounts
    are rounded once per bucket, half away from zero, then added.
    """
    if not isinstance(document, Mapping):
        return Answer("invalid", errors=(FieldError("", document, "an object with the fields of a deal document"),))
    known = document if as_of is None else {**document, "as_of": as_of.isoformat()}
    missing: tuple[FieldError, ...] = ()
    if known.get("as_of") is None:
        missing = (FieldError("as_of", None, "a date YYYY-MM-DD: what is known on that day"),)
    try:
        deal = read_document(known)
    except InvalidDocument as invalid:
        return Answer("invalid", errors=invalid.errors + missing)
    if deal.as_of is None:
        return Answer("invalid", errors=missing)
    try:
        changes = known_changes(deal, deal.as_of)
    except Clash as clash:
        return Answer("rejected", reading=tuple(sentences(deal)), reason=str(clash))
    return _answer(replace(deal, changes=changes), deal.as_of, carry=carry)


def _answer(deal: DealDocument, as_of: date, *, carry: bool) -> Answer:
    deal, priced = _priced(deal)
    unknown = [*_unknown_items(deal), *_unknown_readings(deal), *_after_the_end(deal)]
    until = last_document_day(deal, as_of)
    reckoner = reckoner_of(deal, until)
    planner = Planner(reckoner, Books(reckoner), as_of, until)
    moves = planner.run()
    metered = usage_moves(reckoner, as_of, until)
    questions = (*deal.questions, *priced, *unknown, *metered.questions, *_prices(planner, deal), *_control(deal))
    every = _limited(deal, [*moves, *metered.moves])
    planned = papers.documents(deal, every, billable=not questions, carry=carry)
    return Answer(
        status="needs_clarification" if questions else "ok",
        reading=tuple(sentences(deal)),
        questions=questions,
        notes=metered.notes,
        documents=tuple(planned),
        totals=papers.totals(deal, planned),
        renewal=_renewal(deal, reckoner, as_of),
    )


def last_document_day(deal: DealDocument, as_of: date) -> date:
    """Return the last document date shown, included: `until`, else the end of the term in progress.

    An item that outlives the term is shown to its own end; an open-ended deal for twelve months from the later of its
    start and `as_of`.
    """
    if deal.until is not None:
        return deal.until
    if deal.end is None:
        return add_months(max(deal.start, as_of), _SHOWN_MONTHS_OPEN_ENDED)
    life = Reckoner(deal, deal.changes, frozenset(), deal.end).final.life
    end = life.term_end(life.term_of(as_of))
    dates = [entry.on for entry in deal.billing.dates]
    return max([end, *dates, *(item.end for item in deal.all_items() if item.end is not None)])


def reckoner_of(deal: DealDocument, until: date) -> Reckoner:
    """Return the reckoner of a deal; a change one of whose lines is settled is seen by every document."""
    settled = _in_books(deal.changes, deal.issued)
    first = max([until, *(entry.period.end for entry in deal.issued)])
    reckoner = Reckoner(deal, deal.changes, settled, first)
    labelled = tuple(_labelled(reckoner, deal, entry) for entry in deal.issued)
    if labelled == deal.issued:
        return reckoner
    return Reckoner(replace(deal, issued=labelled), deal.changes, _in_books(deal.changes, labelled), first)


def _in_books(changes: Sequence[Change], entries: Sequence[Settled]) -> frozenset[str]:
    """Return the changes that settled entries were made under: each entry's own, and what came before it to its item.

    The document of a change sees every change before it, so what it settled holds those too.
    """
    order = {change.id: n for n, change in enumerate(changes)}
    found: set[str] = set()
    for item, change in {(entry.item, entry.change) for entry in entries if entry.change is not None}:
        found.add(change)
        before = changes[: order.get(change, 0)]
        found |= {c.id for c in before if not c.items or item in c.items}
    return frozenset(found)


def _labelled(reckoner: Reckoner, deal: DealDocument, entry: Settled) -> Settled:
    """Return an entry with the change it belongs to, also where it doesn't say so."""
    changes = _said_by(reckoner, deal, entry)
    return replace(entry, change=changes[-1].id) if changes else entry


def _said_by(reckoner: Reckoner, deal: DealDocument, entry: Settled) -> list[Change]:
    """Return the changes that an unlabelled entry belongs to: one that begins inside a period, on their day.

    Not where a step begins on that day too, or where the entry is not of the state that the changes lead to.
    """
    item = next((item for item in reckoner.items if item.key == entry.item), None)
    if entry.change is not None or item is None or item.kind != "recurring":
        return []
    if any(period.start == entry.period.start for period in reckoner.periods(item)):
        return []
    found = [c for c in deal.changes if c.effective == entry.period.start and (not c.items or item.key in c.items)]
    plain = reckoner.base(FAR, without=frozenset(c.position for c in found)).course(item.key)
    if plain is None or any(segment.start == entry.period.start for segment in plain.segments):
        return []
    course = reckoner.final.course(item.key)
    if entry.quantity is None or entry.unit_price is None or course is None:
        return found
    said = (trimmed(entry.quantity), trimmed(entry.unit_price))
    return found if key_of(course.state_at(entry.period.start), item, deal.currency) == said else []


def _priced(deal: DealDocument) -> tuple[DealDocument, list[Question]]:
    """Leave out items whose quantity exceeds a closed last tier: a question, never the last rate (convention 11)."""
    questions = []
    broken: set[str] = set()
    for item in deal.all_items():
        if item.price is None or item.kind == "usage":
            continue
        reckoner = Reckoner(deal, deal.changes, frozenset(), deal.end or deal.start)
        try:
            course = reckoner.final.course(item.key)
            for segment in course.segments if course else ():
                segment.state.price(item, deal.currency)
        except TierExceeded as exceeded:
            questions.append(Question(f"{item.name}: {exceeded}", "items"))
            broken.add(item.key)
    if not broken:
        return deal, []
    kept = tuple(item for item in deal.items if item.key not in broken)
    changes = tuple(c for c in deal.changes if not broken & set(c.items))
    return replace(deal, items=kept, changes=changes), questions


def _unknown_items(deal: DealDocument) -> list[Question]:
    known = {item.key for item in deal.all_items()}
    known |= {papers.credit_key(n) for n in range(len(deal.credits))} | {f"exits[{n}]" for n in range(len(deal.exits))}
    return [
        Question(
            f"{entry.item} was settled for {entry.period}, but the deal has no such item. Which item is meant?",
            f"issued[{n}].item",
        )
        for n, entry in enumerate(deal.issued)
        if entry.item not in known
    ]


def _unknown_readings(deal: DealDocument) -> list[Question]:
    """Ask about usage that no item would ever bill, or that is told twice."""
    questions = []
    read: set[tuple[str, Period]] = set()
    for reading in deal.usage:
        if reading.quantity and (reading.meter, reading.period) in read:
            text = f"{reading.meter} was read twice for {reading.period}. Is one a correction, or is the sum meant?"
            questions.append(Question(text, reading.field))
        read.add((reading.meter, reading.period))
        items = [item for item in deal.all_items() if item.usage is not None and item.usage.meter == reading.meter]
        if not items:
            text = f"{reading.meter} was read for {reading.period}, but no item has this meter. Which one is meant?"
            questions.append(Question(text, reading.field))
        elif reading.quantity and not any(_serves(deal, item, reading.period) for item in items):
            text = f"{reading.meter} was read for {reading.period}, when none of its items is in service. Is it right?"
            questions.append(Question(text, reading.field))
    return questions


def _serves(deal: DealDocument, item: Item, days: Period) -> bool:
    end = item.end or (None if deal.renewal.auto else deal.end)
    return days.end > item.start and (end is None or days.start < end or any(c.extends_term for c in deal.changes))


def _after_the_end(deal: DealDocument) -> list[Question]:
    """Ask about a one-time item on a day that its agreed service no longer has."""
    questions = []
    for item in deal.all_items():
        end = item.end or (None if deal.renewal.auto else deal.end)
        if item.kind == "one_time" and item.milestone is None and item.on and end and item.on >= end:
            text = (
                f"{item.name} is billed on {people_date(item.on)}, but service ends with "
                f"{people_date(end - timedelta(days=1))}. Is the day right?"
            )
            questions.append(Question(text, "items"))
    return questions


def _limited(deal: DealDocument, moves: Sequence[Move]) -> list[Move]:
    """Order lines as people read them: by date, then the deal's order of items, then days."""
    order = {item.key: n for n, item in enumerate(deal.all_items())}
    return sorted(moves, key=lambda move: (move.dated, order.get(move.item.key, len(order)), move.start, move.amount))


def _prices(planner: Planner, deal: DealDocument) -> list[Question]:
    """Ask for the price of a renewal that is reached and not known."""
    first = min((move.start for move in planner.unknown), default=None)
    if first is None:
        return []
    text = f"The price follows {deal.renewal.words}. What does each item cost from the renewal on {first.isoformat()}?"
    return [Question(text, "renewal.price")]


def _control(deal: DealDocument) -> list[Question]:
    """Compare what the parties wrote as total with what the items come to, before any change."""
    if deal.control_total is None:
        return []
    if deal.end is None:
        return [Question("A total was written, but the deal has no end, so none can be checked.", "control_total")]
    plain = replace(deal, changes=(), issued=(), credits=(), payers=())
    until = max([deal.end, *(item.end for item in deal.items if item.end is not None)])
    plain = replace(plain, renewal=replace(deal.renewal, auto=False))
    reckoner = Reckoner(plain, (), frozenset(), until)
    moves = Planner(reckoner, Books(reckoner), until, until).run()
    amount = Money(sum(move.amount for move in moves), deal.currency)
    if amount == deal.control_total:
        return []
    text = f"The parties wrote {deal.control_total} as total, but the items come to {amount}. Which holds?"
    return [Question(text, "control_total", readings=(deal.control_total.plain(), amount.plain()))]


def _renewal(deal: DealDocument, reckoner: Reckoner, as_of: date) -> Renewal | None:
    """Say when the term in progress ends, until when notice can be given, and what the next term costs."""
    life = reckoner.final.life
    if not life.is_fixed:
        return None
    if life.ending is not None and not life.ends_with_term:
        return Renewal(life.ending.stop)
    if life.ending is not None or not deal.renewal.auto:
        return Renewal(life.agreed_end) if life.agreed_end else None
    end = life.term_end(life.term_of(max(as_of, deal.start)))
    notice = end - timedelta(days=deal.renewal.notice_days)
    return Renewal(end, notice, _next_prices(deal, reckoner, end))


def _next_prices(deal: DealDocument, reckoner: Reckoner, day: date) -> tuple[tuple[str, str], ...] | None:
    found = []
    places = decimals_of(deal.currency)
    for item in reckoner.items:
        course = reckoner.final.course(item.key) if item.kind == "recurring" else None
        if course is None or (course.end is not None and course.end <= day):
            continue
        state = course.state_at(day)
        if not state.is_known:
            return None
        found.append((item.key, plain_decimal(shown_price(state, item, deal.currency), places)))
    return tuple(found)
