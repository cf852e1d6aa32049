"""Documents of a deal from what is due day by day: regular ones and the changes' own (rules 0010.17 and 18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle.amounts import Due, Key, all_dues, split
from tests.oracle.clashes import clash_of
from tests.oracle.dates import days_between
from tests.oracle.periods import Period, covered, horizon_of, invoice_date, one_time_date, one_time_day
from tests.oracle.prices import cost_of, rounded
from tests.oracle.reading import Change, Deal, Discount, Item, read_deal
from tests.oracle.states import Life, cancel_day, deal_period, life_of, state_on, term_end, touches, without_undone
from tests.oracle.values import DayValues, discounts_of, in_common, touched


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `start` and `end` are None where the conventions leave them open (lines of changes, one-time items)."""

    item: str
    start: date | None
    end: date | None
    quantity: Fraction
    unit_price: Fraction
    amount: Fraction


@dataclass(slots=True)
class Document:
    """An invoice or credit note of one payer."""

    date: date
    bill_to: str
    change: str | None
    lines: list[Line] = field(default_factory=list)

    @property
    def net(self) -> Fraction:
        """Return the sum of the lines."""
        return sum((line.amount for line in self.lines), Fraction(0))


@dataclass(frozen=True, slots=True)
class OracleAnswer:
    """`status` is `ok`, `rejected` or `needs_clarification`."""

    status: str
    documents: tuple[Document, ...] = ()
    reason: str | None = None

    def by_item(self) -> dict[str, Fraction]:
        """Return the sum of each item."""
        found: dict[str, Fraction] = {}
        for document in self.documents:
            for line in document.lines:
                found[line.item] = found.get(line.item, Fraction(0)) + line.amount
        return found


@dataclass(slots=True)
class View:
    """Every recurring item under one set of changes."""

    lives: dict[str, Life]
    dues: dict[str, dict[date, list[Due]]]
    values: dict[str, DayValues]


class Biller:
    """Bills one deal with nothing issued."""

    def __init__(self, deal: Deal) -> None:
        self.deal = deal
        self.horizon = horizon_of(deal)
        self.changes = without_undone(deal)
        self.views: dict[tuple[str, frozenset[str]], tuple[Life, DayValues, dict[date, list[Due]]]] = {}
        self.recurring = [item for item in deal.items if item.kind == "recurring"]
        self.charged: dict[tuple[str, date, Key, int], Fraction] = {}
        self.documents: dict[tuple[date, str | None, int], Document] = {}
        self.shares: dict[str, dict[tuple[date, int], Fraction]] = {}
        self.share_amounts()

    # Amounts of the deal, taken from all lines of a period together (rule 0010.11).

    def share_amounts(self) -> None:
        """Work out each item's share of the deal's amounts, as the regular document of each period finds them."""
        starts = {period.start for item in self.recurring for period in self.view(item, self.changes)[0].periods}
        for index, part in enumerate(self.deal.discounts):
            if in_common(part, self.deal):
                taken = False
                for start in sorted(starts):
                    if not (taken and part.per == "once"):
                        taken = self.share(index, part, start) or taken
        self.views.clear()

    def share(self, index: int, part: Discount, start: date) -> bool:
        """Share out one amount for the period that starts on `start`; claim that its window touches it."""
        touches_any = False
        lines: list[tuple[Item, Fraction, Fraction]] = []
        for item in self.recurring:
            agreed = self.view(item, self.changes)[0].periods
            period = next((period for period in agreed if period.start == start), None)
            day = start - timedelta(days=item.billing.lead_days)
            if period is not None and item.billing.timing == "arrears":
                day = period.end
            seen = [change for change in self.changes if change.effective <= max(day, start)]
            self.views.clear()
            life, values, _ = self.view(item, seen)
            period = next((period for period in life.periods if period.start == start), None)
            if period is None or not covered(part.items, item) or not touched(part, period, item.trial_until):
                continue
            touches_any = True
            if values.buckets(period):
                lines.append((item, values.left_before(period, index), values.measured(part, period)))
        left = sum((value for _, value, _ in lines), Fraction(0))
        if left > 0:
            exact = min(lines[0][2], left)
            whole = rounded(exact, self.deal.decimals)
            parts = spread(whole, [value for _, value, _ in lines], self.deal.decimals)
            for (item, _, _), piece in zip(lines, parts, strict=True):
                self.shares.setdefault(item.key, {})[start, index] = piece
        return touches_any

    # What is due under a set of changes.

    def view(self, item: Item, seen: Iterable[Change]) -> tuple[Life, DayValues, dict[date, list[Due]]]:
        """Return the item's days, values and dues under the changes `seen`."""
        mine = [change for change in self.changes if change in set(seen)]
        mark = (item.key, frozenset(change.id for change in mine))
        if mark not in self.views:
            life = life_of(item, self.deal, mine, self.horizon)
            values = DayValues(life, self.deal, self.shares.get(item.key))
            self.views[mark] = (life, values, all_dues(life, values, self.deal))
        return self.views[mark]

    def shortens(self, change: Change, item: Item) -> bool:
        """Claim that every document sees `change`: a cancellation, removal, pause or `unused` decrease."""
        life = self.view(item, self.changes)[0]
        replaced = change.kind == "replace" and item.added_by != change.id
        return replaced or change.kind in ("pause", "cancel", "remove") or change.id in life.shortening

    def dues(self, item: Item, period: Period, seen: Sequence[Change]) -> list[Due]:
        """Return what a document that sees `seen` finds due for `period`, early cuts included."""
        return self.view(item, self.shortened(item, period, seen))[2].get(period.start, [])

    def shortened(self, item: Item, period: Period, seen: Sequence[Change]) -> Sequence[Change]:
        """Return `seen` and every later change that only lessens what is due of `period`."""
        found = self.view(item, seen)[2].get(period.start, [])
        for change in self.changes:
            if change not in seen and touches(change, item) and self.shortens(change, item):
                other = self.view(item, [*seen, change])[2].get(period.start, [])
                if total(other) <= total(found):
                    seen, found = [*seen, change], other
        return seen

    # Writing documents.

    def write(self, day: date, change: str | None, payer: int, line: Line) -> None:
        """Add a line to the document of that day, change and payer."""
        name = self.deal.payers[payer][0]
        mark = (day, change, payer)
        self.documents.setdefault(mark, Document(day, name, change)).lines.append(line)

    def regular(self, item: Item, period: Period, day: date) -> None:
        """Write the regular lines of one period."""
        seen = [change for change in self.changes if change.effective <= max(day, period.start)]
        for due in self.dues(item, period, seen):
            for payer in range(len(self.deal.payers)):
                for stretch in due.stretches:
                    line = Line(item.key, stretch.start, stretch.end, *due.key, stretch.amounts[payer])
                    self.write(day, None, payer, line)
                    mark = (item.key, period.start, due.key, payer)
                    self.charged[mark] = self.charged.get(mark, Fraction(0)) + line.amount

    def correction(self, item: Item, period: Period, day: date, name: str) -> None:
        """Write what a change's own document charges or gives back for one period."""
        seen = [change for change in self.changes if change.effective <= max(day, period.start)]
        due = {due.key: due for due in self.dues(item, period, seen)}
        before = {mark[2] for mark in self.charged if mark[:2] == (item.key, period.start)}
        for key in [*before, *(key for key in due if key not in before)]:
            for payer in range(len(self.deal.payers)):
                mark = (item.key, period.start, key, payer)
                now = due[key].amounts[payer] if key in due else Fraction(0)
                more = now - self.charged.get(mark, Fraction(0))
                self.charged[mark] = now
                if more:
                    self.write(day, name, payer, Line(item.key, None, None, *key, more))

    # The plan.

    def scheduled(self) -> list[tuple[date, Item, Period]]:
        """Return every billing period with its scheduled date."""
        found: list[tuple[date, Item, Period]] = []
        for item in self.recurring:
            life = self.view(item, self.changes)[0]
            for period in life.periods:
                days = [day for day in days_between(period.start, period.end) if life.is_due(day)]
                found.append((invoice_date(item, period, days[-1] if days else None), item, period))
        return sorted(found, key=lambda entry: entry[0])

    def bill(self) -> tuple[Document, ...]:
        """Return the documents dated on or before `until`, in order."""
        schedule = self.scheduled()
        adding = {change.id: change for change in self.changes}
        stubs = [
            (day, item, period)
            for day, item, period in schedule
            if item.added_by
            and period.leading
            and item.billing.timing == "advance"
            and adding[item.added_by].effective == period.start
        ]
        regular = [entry for entry in schedule if entry not in stubs]
        groups = self.amendments()
        days = sorted({entry[0] for entry in regular} | {day for day, _, _ in groups})
        for day in days:
            for when, item, period in regular:
                if when == day:
                    self.regular(item, period, day)
            for when, changes, items in groups:
                if when == day:
                    self.amend(day, changes, items, regular, stubs)
        self.one_time()
        self.use_credits()
        return tuple(
            self.documents[mark]
            for mark in sorted(self.documents, key=lambda mark: (mark[0], mark[1] or "", mark[2]))
            if mark[0] <= self.deal.until
        )

    def amendments(self) -> list[tuple[date, list[Change], list[Item]]]:
        """Return the changes of one day that touch one item, together, with the items they touch."""
        groups: list[tuple[date, list[Change], list[Item]]] = []
        for change in self.changes:
            items = [item for item in self.deal.items if touches(change, item)]
            day = change.effective
            near = [group for group in groups if group[0] == day and any(item in group[2] for item in items)]
            for group in near:
                groups.remove(group)
                items += [item for item in group[2] if item not in items]
            together = [*(old for group in near for old in group[1]), change]
            groups.append((day, sorted(together, key=lambda one: one.order), items))
        return groups

    def amend(
        self,
        day: date,
        changes: Sequence[Change],
        items: Sequence[Item],
        regular: Sequence[tuple[date, Item, Period]],
        stubs: Sequence[tuple[date, Item, Period]],
    ) -> None:
        """Write the own document of changes that belong together."""
        name = changes[-1].id
        for when, item, period in regular:
            if item in items and when < day:
                self.correction(item, period, day, name)
        for _, item, period in stubs:
            if (item in items and item.added_by in {change.id for change in changes}) or (
                item in items and period.start < day
            ):
                self.correction(item, period, day, name)
        for change in changes:
            self.give_back(change, items, day, name)

    def give_back(self, change: Change, items: Sequence[Item], day: date, name: str) -> None:
        """Write the agreed sum that a change gives back, at most what was charged for the days not served."""
        caps: list[tuple[Item, Key, Fraction]] = []
        for item in items:
            if item.kind != "recurring":
                continue
            seen: Sequence[Change] = [one for one in self.changes if one.effective <= day]
            life = self.view(item, seen)[0]
            if change.id in life.sums_back:
                since, period, state = life.sums_back[change.id]
                life, values, _ = self.view(item, self.shortened(item, period, seen))
                worth = values.of_period(period)
                days = [d for d in days_between(since, period.end) if life.is_due(d)]
                cap = rounded(sum((worth[d] for d in days), Fraction(0)), self.deal.decimals)
                caps.append((item, state.key, cap))
        whole = sum((cap for _, _, cap in caps), Fraction(0))
        if not whole:
            return
        amount = min(whole, Fraction(str(change.settle)))
        for (item, key, _), part in zip(
            caps, spread(amount, [cap for _, _, cap in caps], self.deal.decimals), strict=True
        ):
            for payer, piece in enumerate(split(part, part, self.deal)):
                if piece:
                    self.write(day, name, payer, Line(item.key, None, None, *key, -piece))

    def one_time(self) -> None:
        """Write the one-time items."""
        by_id = {change.id: change for change in self.changes}
        for item in self.deal.items:
            day = one_time_day(item, self.deal) if item.kind == "one_time" else None
            if day is None or self.gone_before(item, day):
                continue
            state = state_on(day, item, self.deal, [])
            active = [part for part in discounts_of(state, Life(item, None, False, []), self.deal) if part.covers(day)]
            value = cost_of(*state.key, state.model, Fraction(1), active, item, item.price_interval, 1)
            when, name = one_time_date(item, day), None
            if item.added_by and item.when == "start":
                when, name = day, self.document_of(by_id[item.added_by])
            for payer, amount in enumerate(split(rounded(value, self.deal.decimals), value, self.deal)):
                self.write(when, name, payer, Line(item.key, None, None, *state.key, amount))

    def use_credits(self) -> None:
        """Take what is owed to the customer off the first invoices (rule 0010.21), by payer."""
        for number, credit in enumerate(self.deal.credits):
            amount, count = Fraction(credit["amount"]), credit.get("invoices", 1)
            when = credit.get("when", "start")
            since = date.min if when == "start" else date.fromisoformat(when)
            carry = credit.get("carry", True)
            for payer, share in enumerate(split(amount, amount, self.deal)):
                parts = [rounded(share / count, self.deal.decimals)] * (count - 1)
                parts.append(share - sum(parts, Fraction(0)))
                self.use_credit(f"credits[{number}]", payer, parts, since, carry=carry)

    def use_credit(self, name: str, payer: int, parts: list[Fraction], since: date, *, carry: bool) -> None:
        """Take one payer's parts of a credit off its invoices; what one cannot take is carried or lost."""
        carried = Fraction(0)
        for mark in sorted(self.documents, key=lambda mark: (mark[0], mark[1] or "", mark[2])):
            document = self.documents[mark]
            if mark[2] != payer or document.date < since or document.net <= 0:
                continue
            carried += parts.pop(0) if parts else 0
            taken = min(carried, document.net)
            carried = carried - taken if carry or parts else Fraction(0)
            if taken:
                document.lines.append(Line(name, None, None, Fraction(1), taken, -taken))

    def document_of(self, change: Change) -> str:
        """Return the name of the own document that `change` is part of."""
        return next(changes[-1].id for _, changes, _ in self.amendments() if change in changes)

    def gone_before(self, item: Item, day: date) -> bool:
        """Claim that the contract, a cancellation or a removal ends before the one-time item's day."""
        if self.deal.end is not None and day >= self.deal.end:
            return True
        fixed = self.deal.term_months is not None
        for change in self.changes:
            settle = change.settle or ("none" if fixed else "unused")
            if change.kind == "cancel":
                end: date | None = cancel_day(change, self.deal)
                if settle == "none" and fixed and change.body["cancel"] != "term_end":
                    end = term_end(self.deal, change.effective)
                elif settle != "unused" and change.body["cancel"] == "at":
                    period = deal_period(change.effective, self.deal)
                    end = period.end if change.effective > period.start else change.effective
                stop = cancel_day(change, self.deal)
                taken_back = any(c.kind == "uncancel" and stop < c.effective <= day for c in self.changes)
                if end is not None and end <= day and not taken_back:
                    return True
            if change.kind == "remove" and change.key == item.key and change.effective <= day:
                return True
        return False


def total(dues: Sequence[Due]) -> Fraction:
    """Return the sum of what is due."""
    return sum((amount for due in dues for amount in due.amounts), Fraction(0))


def spread(amount: Fraction, weights: Sequence[Fraction], decimals: int) -> list[Fraction]:
    """Spread `amount` in proportion to `weights`: largest remainder first, ties by position."""
    minor = amount * 10**decimals
    exact = [minor * weight / sum(weights, Fraction(0)) for weight in weights]
    parts = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in order[: int(minor) - sum(parts)]:
        parts[index] += 1
    return [Fraction(part, 10**decimals) for part in parts]


def question_of(deal: Deal) -> str | None:
    """Return what a person has to answer first: a one-time item on or after the agreed end of the contract."""
    for item in deal.items:
        day = one_time_day(item, deal) if item.kind == "one_time" else None
        if day is not None and deal.end is not None and day >= deal.end:
            return f"{item.key} on {day} is not inside the contract"
    return None


def oracle(document: Mapping[str, Any]) -> OracleAnswer:
    """Bill a valid deal document with nothing issued."""
    deal = read_deal(document)
    if reason := clash_of(deal):
        return OracleAnswer("rejected", reason=reason)
    if asked := question_of(deal):
        return OracleAnswer("needs_clarification", reason=asked)
    return OracleAnswer("ok", Biller(deal).bill())
