"""The plan: every document still to issue, found by going through the days once (conventions 8-12).

On its day each regular document settles what it sees to be due and not settled yet; on its effective date each change
brings what was documented before to what is now due; what differs at the end, without a change to explain it, is a
correction. Settled entries and planned documents stand in the same books, so running twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.billing.books import BILLED, Booked, Books, common, minus
from app.billing.calendar import Period, merged
from app.billing.deal import Change, Item, Settled
from app.billing.due import Bucket, Key, Stretch, View, exact_sum
from app.billing.measure import NOTHING, Measure
from app.billing.pricing import decimal_of
from app.billing.reckoning import Reckoner
from app.billing.schedule import BillingPeriod, Rhythm


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the plan: an amount for one item and payer, and what it is made of, all in minor units.

    `bucket` is what is due now (None when nothing is any more); `charged` and `due` are set on a correction of
    something settled, named by `corrects`; `most` where no more than that was really charged and can come back.
    """

    item: Item
    dated: date
    payer: int
    start: date
    end: date
    key: Key
    amount: int
    gross: int
    measure: Measure
    rhythm: Rhythm | None
    stretches: tuple[Stretch, ...] = ()
    change: str | None = None
    corrects: str | None = None
    charged: int = 0
    due: int = 0
    is_correction: bool = False
    exact: Fraction | None = None
    whole: int | None = None
    most: int | None = None
    note: str = ""
    words: str = ""


class Planner:
    """Goes through the days of one deal."""

    def __init__(self, reckoner: Reckoner, books: Books, as_of: date, until: date) -> None:
        self.reckoner = reckoner
        self.books = books
        self.as_of = as_of
        self.until = until
        self.moves: list[Move] = []
        self.unknown: list[Move] = []
        self._keeps = bool(reckoner.changes) or bool(reckoner.deal.issued)
        self._done: set[tuple[str, date]] = set()
        self._is_correcting = False

    def run(self) -> list[Move]:
        """Return every line of documents dated up to `until`, in the order of their days."""
        turns: list[tuple[date, int, int, int]] = []
        items = self.reckoner.items
        for n, item in enumerate(items):
            if item.kind == "usage":
                continue
            for at, period in enumerate(self.reckoner.periods(item)):
                dated = self.reckoner.dated(item, period)
                if dated <= self.until:
                    turns.append((dated, 1, n, at))
        days = sorted({c.effective for c in self.reckoner.changes if c.effective <= self.until})
        turns += [(day, 0, 0, 0) for day in days]
        for dated, kind, n, at in sorted(turns):
            if kind:
                self._regular(items[n], self.reckoner.periods(items[n])[at], dated)
            else:
                self._changes(dated)
        if self._keeps:
            self._corrections()
        return self.moves

    def _regular(self, item: Item, period: BillingPeriod, dated: date) -> None:
        view = self.reckoner.seen_at(item, period, dated)
        if item.key not in view.items:
            return
        label = self.reckoner.own_document(item, period)
        booked = self.books.of(item, period)
        for bucket, parts in self.reckoner.parts(view, item, period):
            for payer, part in enumerate(parts):
                settled = (booked or {}).get(payer)
                if not settled:
                    whole = view.wholes.get((item.key, period.start))
                    self._charge(item, period, bucket, payer, part, dated, label, whole=whole)
                else:
                    self._open(view, item, period, bucket, payer, part, dated, label, settled, inside=False)
        self._done.add((item.key, period.start))

    def _charge(
        self, item: Item, period: BillingPeriod, bucket: Bucket, payer: int, total: int, dated: date, label: str | None,
        runs: Sequence[Sequence[Stretch]] | None = None, whole: int | None = None, note: str = "",
    ) -> None:  # fmt: skip
        """Put a bucket on a document: a line for each uninterrupted run of days, the last of them the rest."""
        runs = bucket.runs if runs is None else runs
        left = total
        for n, run in enumerate(runs):
            net = exact_sum([stretch.net for stretch in run])
            part = left if n + 1 == len(runs) else self.reckoner.split(self.reckoner.rounded(net), net)[payer]
            left -= part
            gross = exact_sum([stretch.gross for stretch in run])
            before = part
            if gross is not net and gross != net:
                before = self.reckoner.split(self.reckoner.rounded(gross), gross)[payer]
            self._move(
                Move(
                    item, dated, payer, run[0].start, run[-1].end, bucket.key, part,
                    before, _measured(run), bucket.rhythm, tuple(run), label, exact=net,
                    whole=whole, note=note,
                    is_correction=self._is_correcting,
                ),
                period, is_known=bucket.state.is_known,
            )  # fmt: skip

    def _move(
        self, move: Move, period: BillingPeriod, days: Iterable[Period] | None = None, *, is_known: bool = True
    ) -> None:
        self.moves.append(move)
        if not is_known:
            self.unknown.append(move)
        if self._keeps:
            covered = list(days) if days is not None else [Period(s.start, s.end) for s in move.stretches]
            booked = self.books.booked(move.item, period, move.payer, move.key)
            label = move.corrects or f"{move.item.key} {move.start.isoformat()}/{move.end.isoformat()}"
            booked.add(move.amount, move.amount, covered, label)

    def _open(
        self, view: View, item: Item, period: BillingPeriod, bucket: Bucket, payer: int, total: int, dated: date,
        label: str | None, settled: dict[Key, Booked], *, inside: bool | None,
    ) -> None:  # fmt: skip
        """Charge the days of a bucket that nothing settled yet.

        `inside`: only days that another bucket settled (True), only days that none did (False), or all of them.
        """
        mine = settled.get(bucket.key)
        days = [Period(stretch.start, stretch.end) for stretch in bucket.stretches]
        covered = common(days, mine.days) if mine else []
        open_days = minus(days, covered)
        taken = merged([p for booked in settled.values() for p in booked.days])
        wanted = open_days
        if inside is not None:
            wanted = common(open_days, taken) if inside else minus(open_days, taken)
        if not wanted:
            return
        left = total - self._settled(view, item, period, bucket, mine, payer, total)
        others = minus(open_days, wanted)
        # Days that stay open take their own value; what is charged now is the rest, so the parts add up to the whole.
        left -= self._part(view, item, period, bucket, others, payer, left) if others else 0
        runs = _runs(bucket, wanted, taken, self.reckoner, view, item, period)
        note = f" (the days of {_span(bucket)} that are not settled yet)" if covered else ""
        self._charge(item, period, bucket, payer, left, dated, label, runs, total, note)

    def _settled(
        self,
        view: View,
        item: Item,
        period: BillingPeriod,
        bucket: Bucket,
        booked: Booked | None,
        payer: int,
        total: int,
    ) -> int:
        """Return what is due for the settled days of a bucket: block by block, never more than there is."""
        if booked is None:
            return 0
        days = [Period(stretch.start, stretch.end) for stretch in bucket.stretches]
        if not minus(days, booked.days):
            return total
        due = 0
        for block in booked.blocks:
            mine = common(days, block)
            due += min(self._part(view, item, period, bucket, mine, payer, total), max(total - due, 0))
        return due

    def _part(
        self,
        view: View,
        item: Item,
        period: BillingPeriod,
        bucket: Bucket,
        days: Sequence[Period],
        payer: int,
        total: int,
    ) -> int:
        """Return what is due for some days of a bucket: all of them its total, else their exact value rounded."""
        if not days:
            return 0
        if sum(one.days for one in days) == bucket.days:
            return total
        exact = self.reckoner.value(view, item, period, bucket, days)
        return self.reckoner.split(self.reckoner.rounded(exact), exact)[payer]

    def _changes(self, day: date) -> None:
        """Write the own documents of the changes effective on `day`."""
        changes = [c for c in self.reckoner.changes if c.effective == day]
        everything = [c for c in changes if c.kind not in ("item", "add", "remove")]
        for item in self.reckoner.items:
            mine = [c for c in changes if item.key in c.items or c in everything]
            if not mine or item.kind == "usage":
                continue
            label = mine[-1].id
            for period in self.reckoner.periods(item):
                if self.reckoner.is_over(item, period, day):
                    continue
                # A document that is dated after the change saw it, and whatever came up to its date.
                seen = max(day, period.start, self.reckoner.dated(item, period))
                if self._is_documented(item, period) and self.reckoner.is_altered(item, period, seen, mine):
                    self._bring(item, period, self.reckoner.seen_at(item, period, seen), day, label)
        self._fees(changes, day)

    def _is_documented(self, item: Item, period: BillingPeriod) -> bool:
        return self.books.of(item, period) is not None or (item.key, period.start) in self._done

    def _bring(self, item: Item, period: BillingPeriod, view: View, dated: date, label: str | None) -> None:
        """Bring a documented period to what is due now: credits and charges on one document."""
        booked = self.books.of(item, period)
        if booked is None and (item.key, period.start) in self._done:
            booked = {payer: {} for payer in range(max(len(self.reckoner.deal.payers), 1))}
        if booked is None:
            return
        for payer, settled in list(booked.items()):
            if label is not None and label in self.books.settled_by.get(payer, ()):
                continue
            first = len(self.moves)
            known = item.key in view.items
            now = self.reckoner.parts(view, item, period) if known else []
            parts = {bucket.key: split[payer] for bucket, split in now}
            due = {bucket.key: bucket for bucket, _ in now}
            for key in list(settled):
                self._correct(
                    view, item, period, payer, key, settled[key], due.get(key), parts.get(key, 0), dated, label
                )
            inside = None if (item.key, period.start) in self._done else True
            for key, bucket in due.items():
                self._open(view, item, period, bucket, payer, parts[key], dated, label, settled, inside=inside)
            self._cap(settled, first)

    def _correct(
        self, view: View, item: Item, period: BillingPeriod, payer: int, key: Key, booked: Booked,
        bucket: Bucket | None, total: int, dated: date, label: str | None,
    ) -> None:  # fmt: skip
        """Correct what was settled of one bucket to what is due for its days."""
        days = [Period(s.start, s.end) for s in bucket.stretches] if bucket else []
        kept = common(days, booked.days)
        due = self._settled(view, item, period, bucket, booked, payer, total) if bucket else 0
        amount = due - booked.net
        if not amount:
            return
        back = minus(booked.days, kept) if amount < 0 else kept
        back = back or booked.days
        measured, rhythm = self.reckoner.measured(view, item, period, back)
        gross = amount
        if rhythm is not None and amount < 0 and back != booked.days:
            exact = Fraction(key[0]) * Fraction(key[1]) * measured.units / rhythm.per_price
            gross = min(-self.reckoner.split(self.reckoner.rounded(exact), exact)[payer], amount)
        self._move(
            Move(
                item, dated, payer, back[0].start, back[-1].end, key, amount, gross, measured, rhythm, (), label,
                corrects=booked.label, charged=booked.net, due=due, is_correction=label is None,
            ),
            period, [],
        )  # fmt: skip

    def _cap(self, settled: dict[Key, Booked], first: int) -> None:
        """Never give back more than was really charged: what a person waived is not paid out."""
        moves = self.moves[first:]
        given = -sum(move.amount for move in moves)
        charged = sum(booked.money for booked in settled.values()) + given
        excess = given - max(charged, 0)
        if excess <= 0:
            return
        for n in range(len(self.moves) - 1, first - 1, -1):
            move = self.moves[n]
            if move.amount < 0 and excess > 0:
                cut = min(excess, -move.amount)
                excess -= cut
                settled[move.key].add(cut, cut, [])
                self.moves[n] = _less(move, cut, max(charged, 0))
        self.moves[first:] = [move for move in self.moves[first:] if move.amount or not move.corrects]

    def _fees(self, changes: Sequence[Change], day: date) -> None:
        """Charge the fee of an early way out in the document of the cancellation that uses it."""
        ending = self.reckoner.view(day).life.ending
        if ending is None or ending.fee is None or ending.change not in changes:
            return
        if ending.fee_item in self.books.by_item:
            return
        item = self.reckoner.items[0]
        fee = Fraction(ending.fee.minor, self.reckoner.scale)
        for payer, part in enumerate(self.reckoner.split(ending.fee.minor, fee)):
            price = decimal_of(Fraction(part, self.reckoner.scale))
            self.moves.append(fee_move(item, ending.fee_item, day, payer, part, price, ending.change.id))

    def _corrections(self) -> None:
        """What differs at the end, without a change to explain it."""
        self._is_correcting = True
        for item, period in self.books.actual():
            self._bring(item, period, self.reckoner.view(max(self.until, period.start)), self.as_of, None)
        self._orphans()

    def _orphans(self) -> None:
        """Give back what was charged for days that the agreement doesn't have."""
        together: dict[tuple[str, int, Period], list[Settled]] = {}
        for orphan in self.books.orphans:
            if orphan.entry.kind == BILLED:
                together.setdefault((orphan.entry.item, orphan.payer, orphan.entry.period), []).append(orphan.entry)
        for (key, payer, days), entries in together.items():
            net = sum(entry.net.minor for entry in entries)
            item = next(item for item in self.reckoner.items if item.key == key)
            if net > 0:
                price = (entries[0].quantity or item.quantity, entries[0].unit_price or item.unit_price)
                self.moves.append(
                    Move(
                        item, self.as_of, payer, days.start, days.end, price, -net, -net, NOTHING, None,
                        corrects=entries[0].document or str(days), charged=net, is_correction=True,
                    )
                )  # fmt: skip


def _less(move: Move, cut: int, most: int) -> Move:
    return replace(move, amount=move.amount + cut, gross=move.gross + cut, most=most)


def fee_move(item: Item, key: str, day: date, payer: int, amount: int, price: Decimal, change: str) -> Move:
    """Return the line of an early exit's fee; `item` only lends its shape, the line is named by `key`."""
    fee = replace(item, key=key, name="Early exit fee", kind="one_time")
    following = Period.of_day(day).end
    return Move(
        fee, day, payer, day, following, (Decimal(1), price), amount, amount, Measure(1), None, change=change,
        words="Fee for leaving early",
    )  # fmt: skip


def _runs(
    bucket: Bucket, days: Sequence[Period], taken: Sequence[Period], reckoner: Reckoner, view: View, item: Item,
    period: BillingPeriod,
) -> list[list[Stretch]]:  # fmt: skip
    """Return a bucket's lines for some of its days: one for each gap between settled days."""
    if item.kind == "one_time" or sum(one.days for one in days) == bucket.days:
        return bucket.runs
    found: list[list[Stretch]] = []
    for run in bucket.runs:
        lines: list[list[Period]] = []
        for one in common([Period(stretch.start, stretch.end) for stretch in run], days):
            if lines and not common([Period(lines[-1][-1].end, one.start)], taken):
                lines[-1].append(one)
            else:
                lines.append([one])
        found += [reckoner.stretches(view, item, period, bucket, mine) for mine in lines]
    return found


def _span(bucket: Bucket) -> Period:
    stretches = bucket.stretches
    return Period(stretches[0].start, stretches[-1].end)


def _measured(run: Sequence[Stretch]) -> Measure:
    if len(run) == 1:
        return run[0].measure
    total = NOTHING
    for stretch in run:
        total = total + stretch.measure
    return total
