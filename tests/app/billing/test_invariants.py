"""What holds for every deal, whatever changes, settlements and runs come in whatever order."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.billing import preview
from app.billing.calendar import add_months

from .builders import Json, deal, entries_of, entry, recurring
from .runs import after_runs, assert_same_books, at_once, compared, final, last_day, net, proposed
from .strategies import CURRENCIES, STARTS, changed_deals, iso, plain_deals, run_days

few = settings(max_examples=40, deadline=None, derandomize=True, database=None)
more = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def known(document: Json) -> Json:
    """Return the document when it is billable with all that is ever known."""
    assume(preview(document, as_of=last_day(document)).status == "ok")
    return document


class TestWhatWasSettledIsWhatIsDue:
    @more
    @given(changed_deals(), st.data())
    def test_after_runs_on_random_days(self, document: Json, data: st.DataObject) -> None:
        known(document)
        days = data.draw(run_days(document))
        books = after_runs(document, days)
        assert_same_books(final(document, books), at_once(document))

    @few
    @given(changed_deals(most=2), st.data())
    def test_when_credit_notes_wait_while_invoices_go_out(self, document: Json, data: st.DataObject) -> None:
        known(document)
        days = data.draw(run_days(document))
        books = after_runs(document, days, keeps=lambda planned: planned.kind == "invoice")
        assert_same_books(final(document, books), at_once(document))

    @few
    @given(changed_deals(most=2), st.data())
    def test_when_runs_die_half_way(self, document: Json, data: st.DataObject) -> None:
        known(document)
        random = data.draw(st.randoms(use_true_random=False))
        books = after_runs(document, data.draw(run_days(document)), keeps=lambda planned: random.random() < 0.5)
        assert_same_books(final(document, books), at_once(document))


class TestRuns:
    @few
    @given(changed_deals(), st.data())
    def test_twice_on_a_day_add_nothing(self, document: Json, data: st.DataObject) -> None:
        known(document)
        books: list[Json] = []
        for day in data.draw(run_days(document)):
            books += entries_of(proposed(document, books, day))
            assert proposed(document, books, day) == []

    @few
    @given(plain_deals(), st.data())
    def test_in_any_order_end_in_the_same_books(self, document: Json, data: st.DataObject) -> None:
        days = data.draw(st.permutations(data.draw(run_days(document))))
        books = after_runs(document, days, as_of=last_day(document))
        assert_same_books(final(document, books), at_once(document))

    @few
    @given(plain_deals(), st.dates(date(2026, 1, 1), date(2032, 1, 1)))
    def test_on_another_day_change_no_amount(self, document: Json, as_of: date) -> None:
        assert preview(document).documents == preview(document, as_of=as_of).documents

    @settings(few, max_examples=15)
    @given(plain_deals(), st.randoms(use_true_random=False))
    def test_document_by_document_in_any_order_issue_the_same(self, document: Json, random: Random) -> None:
        documents = list(preview(document).documents)
        random.shuffle(documents)
        books: list[Json] = []
        while documents:
            planned = documents.pop()
            books += entries_of([planned])
            again = preview({**document, "issued": books}).documents
            assert sorted(d.dated for d in again) == sorted(d.dated for d in documents)
            assert sum(d.net.minor for d in again) == sum(d.net.minor for d in documents)


def days_of(line: Json) -> list[date]:
    """Return the service days of an entry."""
    start, end = date.fromisoformat(str(line["start"])), date.fromisoformat(str(line["end"]))
    return [start + timedelta(days=n) for n in range((end - start).days)]


@st.composite
def daily_deals(draw: st.DrawFn) -> Json:
    """Return a monthly deal whose every day is worth whole cents many times over, with changes of one item."""
    start = draw(STARTS)
    months = draw(st.sampled_from([3, 6, 12]))
    term = draw(st.sampled_from([months, None]))
    item = recurring(unit_price="3100.00", quantity=draw(st.sampled_from(["1", "2", "10"])))
    billing = {
        "interval": "P1M",
        "timing": draw(st.sampled_from(["advance", "arrears"])),
        "anchor": draw(st.sampled_from(["deal_date", "calendar", 15, 31])),
    }
    until = iso(add_months(start, months + 2))
    document = deal(item, start=iso(start), term_months=term, billing=billing, until=until)
    days = draw(st.lists(st.integers(0, months * 28 - 1), min_size=1, max_size=3, unique=True))
    changes: list[Json] = []
    for n, offset in enumerate(sorted(days)):
        day = start + timedelta(days=offset)
        body: Json = draw(
            st.sampled_from(
                [
                    {"item": "platform", "quantity": "3"},
                    {"item": "platform", "quantity": "1"},
                    {"item": "platform", "unit_price": "6200.00"},
                    {"pause": {"until": iso(day + timedelta(days=10))}},
                    {"cancel": "at"},
                    {"uncancel": True},
                ]
            )
        )
        settle = {} if "pause" in body or "uncancel" in body else {"settle": "unused"}
        recorded = {"recorded": iso(day + timedelta(days=draw(st.sampled_from([-40, 0, 20]))))}
        changes.append({"id": f"c{n}", "effective": iso(day), **body, **settle, **recorded})
    return {**document, "changes": changes}


class TestNothingIsBilledTwice:
    @more
    @given(daily_deals(), st.data())
    def test_on_any_day_of_service(self, document: Json, data: st.DataObject) -> None:
        known(document)
        books = final(document, after_runs(document, data.draw(run_days(document))))
        served: defaultdict[date, int] = defaultdict(int)
        for line in books:
            for day in days_of(line):
                served[day] += (net(line) > 0) - (net(line) < 0)
        assert {day: count for day, count in served.items() if count not in (0, 1)} == {}

    @more
    @given(daily_deals(), st.data())
    def test_nor_on_a_day_outside_the_contract(self, document: Json, data: st.DataObject) -> None:
        known(document)
        # A line around a pause does not say which of its days are served.
        assume("pause" not in str(document["changes"]))
        # A cancellation that was taken back before its day never was; `service_end` reads the days one after the other.
        assume(not is_taken_back_early(document))
        books = final(document, after_runs(document, data.draw(run_days(document))))
        start = date.fromisoformat(str(document["start"]))
        term = document["term_months"]
        end = date.max if term is None else add_months(start, int(str(term)))
        gone = service_end(document)
        worth: defaultdict[date, Fraction] = defaultdict(Fraction)
        for line in books:
            days = days_of(line)
            assert start <= days[0] <= days[-1] < end
            for day in days:
                worth[day] += net(line) / len(days)
        assert all(amount >= 0 for day, amount in worth.items() if amount and day < gone)
        assert abs(sum((amount for day, amount in worth.items() if day >= gone), Fraction(0))) <= Fraction(3, 100)


def is_taken_back_early(document: Json) -> bool:
    """Say whether an un-cancelling is effective before a cancellation."""
    changes: list[Json] = document["changes"]  # type: ignore[assignment]  # a list of objects
    backs = [str(change["effective"]) for change in changes if "uncancel" in change]
    return any("cancel" in change and back <= str(change["effective"]) for change in changes for back in backs)


def service_end(document: Json) -> date:
    """Return the first day not served of a deal whose changes cancel and un-cancel on their days."""
    gone = date.max
    changes: list[Json] = document["changes"]  # type: ignore[assignment]  # a list of objects
    for change in changes:
        day = date.fromisoformat(str(change["effective"]))
        if "cancel" in change:
            gone = min(gone, day)
        elif "uncancel" in change:
            # Later than the end it starts service again, with a gap in between; that is left to its own table.
            assume(gone == date.max or day <= gone)
            gone = date.max
    return gone


class TestDaysOfOldAndNew:
    @more
    @given(
        STARTS, st.integers(0, 360), st.sampled_from(["3", "0.5"]), st.sampled_from(["deal_date", "calendar", 15, 31]),
        st.booleans(), CURRENCIES,
    )  # fmt: skip
    def test_add_up_to_the_unit(
        self, start: date, offset: int, quantity: str, anchor: object, is_issued: bool, currency: str
    ) -> None:
        day = iso(start + timedelta(days=offset))
        change = {"id": "c", "effective": day, "item": "platform", "quantity": quantity, "settle": "unused"}
        document = deal(
            recurring(unit_price="3100"), currency=currency, start=iso(start), term_months=13,
            billing={"anchor": anchor}, changes=[change], until=iso(add_months(start, 13)),
        )  # fmt: skip
        books: list[Json] = []
        if is_issued:
            plain = {**document, "changes": []}
            books = after_runs(plain, [start + timedelta(days=offset)])
        documents = proposed(document, books, last_day(document))
        served = Fraction(0)
        for planned in documents:
            for line in planned.lines:
                sign = -1 if line.amount.minor < 0 else 1
                served += sign * sum((Fraction(part) for part in line.fraction.split(" + ")), Fraction(0))
        assert served + settled_units(books, document) == 13


def settled_units(books: list[Json], document: Json) -> Fraction:
    """Return how many months the books settled: what the same deal without changes says of the same lines."""
    fractions = {
        (line.period.start.isoformat(), line.period.end.isoformat()): line.fraction
        for planned in preview({**document, "changes": []}).documents
        for line in planned.lines
    }
    return sum(
        (Fraction(part) for e in books for part in fractions[str(e["start"]), str(e["end"])].split(" + ")), Fraction(0)
    )


class TestNeverBackMoreThanCharged:
    @few
    @given(changed_deals(), st.data())
    def test_on_the_days_of_any_line(self, document: Json, data: st.DataObject) -> None:
        known(document)
        books: list[Json] = []
        for day in [*data.draw(run_days(document)), date.fromisoformat(str(document["until"]))]:
            books += entries_of(proposed(document, books, day))
            for key, amount in compared(books, [])[0].items():
                assert amount >= 0, key


class TestChangesThatChangeNothing:
    @more
    @given(plain_deals(), st.data())
    def test_change_no_document(self, document: Json, data: st.DataObject) -> None:
        items: list[Json] = document["items"]  # type: ignore[assignment]  # a list of objects
        same = [item for item in items if item["kind"] == "recurring" and not {"start", "end", "steps"} & set(item)]
        start = date.fromisoformat(str(document["start"]))
        term = int(str(document["term_months"] or 12))
        day = start + timedelta(days=data.draw(st.integers(0, (add_months(start, term) - start).days - 1)))
        forms: list[list[Json]] = [
            [{"pause": {}}, {"resume": {}}],
            [{"resume": {"extends_term": True}}],
            [{"uncancel": True}],
            [{"cancel": "at"}, {"uncancel": True}],
            [{"cancel": "period_end"}, {"uncancel": True}],
        ]
        for item in same:
            forms.append([{"item": item["key"], "quantity": item["quantity"]}])
            if "renewal" not in document:
                forms.append([{"item": item["key"], "unit_price": item["unit_price"]}])
        added = [
            {"id": f"c{n}", "effective": iso(day), "recorded": iso(day), **body}
            for n, body in enumerate(data.draw(st.sampled_from(forms)))
        ]
        before = [planned.to_json() for planned in preview(document, as_of=last_day(document)).documents]
        after = preview({**document, "changes": added}, as_of=last_day(document))
        assert after.status == "ok"
        assert [planned.to_json() for planned in after.documents] == before

    @few
    @given(plain_deals(), st.data())
    def test_nor_any_after_it_was_issued(self, document: Json, data: st.DataObject) -> None:
        items: list[Json] = document["items"]  # type: ignore[assignment]  # a list of objects
        same = [item for item in items if item["kind"] == "recurring" and not {"start", "end", "steps"} & set(item)]
        assume(same)
        item = data.draw(st.sampled_from(same))
        start = date.fromisoformat(str(document["start"]))
        term = int(str(document["term_months"] or 12))
        day = start + timedelta(days=data.draw(st.integers(0, (add_months(start, term) - start).days - 1)))
        change = {"id": "c", "effective": iso(day), "item": item["key"], "quantity": item["quantity"]}
        books = after_runs(document, data.draw(run_days(document)))
        day = last_day(document)
        assert proposed({**document, "changes": [change]}, books, day) == proposed(document, books, day)


class TestDecisionsOfAPerson:
    @few
    @given(plain_deals(payers=False), st.sampled_from(["skipped", "waived", "held", "override"]), st.data())
    def test_are_never_billed_back(self, document: Json, kind: str, data: st.DataObject) -> None:
        documents = preview(document).documents
        every = [line for planned in documents for line in entries_of([planned])]
        assume(every)
        chosen = data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=3, unique_by=str))
        issued = [{**line, "charged": "0", "kind": kind} for line in chosen]
        left = entries_of(proposed({**document, "issued": issued}, issued, last_day(document)))
        spared = [line for line in every if line not in chosen]
        assert_same_books(left, spared)

    @few
    @given(daily_deals(), st.sampled_from(["skipped", "waived", "override"]), st.data())
    def test_are_only_added_to_by_later_changes(self, document: Json, kind: str, data: st.DataObject) -> None:
        known(document)
        # The first invoice is let off before anything changes: the life is worth that much less, and never pays out.
        plain = {**document, "changes": []}
        first = preview(plain).documents[0]
        [line] = entries_of([first])
        issued = [{**line, "charged": "0", "kind": kind}]
        due = sum((net(e) for e in at_once(document)), Fraction(0))
        books = [*issued, *entries_of(proposed(document, issued, last_day(document)))]
        settled = sum((net(e) for e in books), Fraction(0))
        assert settled >= 0
        assert due - net(line) <= settled <= due


class TestAnyDocument:
    @settings(few, max_examples=200)
    @given(changed_deals(most=2), st.randoms(use_true_random=False))
    def test_has_an_answer_whatever_is_wrong_with_it(self, document: Json, random: Random) -> None:
        spoiled = copy.deepcopy({**document, "issued": [entry("item0", "2027-01-01", "2027-02-01", "5")]})
        for _ in range(random.randint(1, 4)):
            spoil(spoiled, random)
        answer = preview(spoiled)
        assert answer.status in ("ok", "needs_clarification", "rejected", "invalid")
        assert (answer.status == "invalid") is bool(answer.errors)
        body = answer.to_json()
        assert json.loads(json.dumps(body)) == body


_WRONG: list[object] = [
    *[None, True, False, 0, -1, 1, 31, 1.5, 10**30, [], {}, [[]], [{}], {"month": 1}, {"month": 1200}],
    *["", " ", "0", "-1", "1e9", "NaN", "100", "99999999999999999999", "0.000000000001", "\x00", "item0", "new0"],
    *["P1M", "P0D", "P9999M", "P1W", "2027-02-30", "2027-01-31", "9999-12-31", "0001-01-01"],
    *["calendar", "none", "unused", "term_end", "term"],
]


def spoil(value: object, random: Random) -> None:
    """Change one value somewhere inside: replaced, taken out, doubled, moved to another name."""
    while isinstance(value, dict | list) and value:
        keys: list[object] = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = random.choice(keys)
        inside = value[key]  # type: ignore[index]  # a key of that very value
        if isinstance(inside, dict | list) and inside and random.random() < 0.8:
            value = inside
            continue
        act = random.randrange(4)
        if act == 0:
            del value[key]  # type: ignore[arg-type]  # the same
        elif act == 1 and isinstance(value, list):
            value.append(copy.deepcopy(inside))
        elif act == 2 and isinstance(value, dict):
            value[random.choice(["unit_price", "interval", "start", "end", "until", "item", "dates", "x"])] = inside
        else:
            value[key] = copy.deepcopy(random.choice(_WRONG))  # type: ignore[index]  # the same
        return
