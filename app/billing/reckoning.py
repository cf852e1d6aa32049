"""Reckoning: amounts due in minor units for any item and period, as any document sees them.

One rounding for each bucket; the parts of a price interval that is billed in instalments add up to it (conventions 4
and 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from app.billing.calendar import Period
from app.billing.changes import SHORTENING
from app.billing.course import Course
from app.billing.deal import Change, DealDocument, Item
from app.billing.due import ZERO, Bucket, Courses, Stretch, View, end_of, scale_of, stretches
from app.billing.life import FAR
from app.billing.measure import NOTHING, Measure, measure
from app.billing.money import round_half_up
from app.billing.schedule import BillingPeriod, Rhythm, billing_periods, instalments_of
from app.billing.spread import Spread

_MOST_DAYS_AHEAD = 366


class Reckoner:
    """Answers what is due, with every view and every amount computed once."""

    def __init__(self, deal: DealDocument, changes: Sequence[Change], settled: frozenset[str], until: date) -> None:
        self.deal = deal
        self.changes = tuple(changes)
        self.settled = settled
        self.until = until
        self.scale = scale_of(deal.currency)
        self.items = list(deal.items) + [c.added for c in changes if c.added is not None]
        # By the changes seen, and those of them that are early.
        self._views: dict[tuple[frozenset[int], frozenset[int]], View] = {}
        self._courses: Courses = {}
        self._periods: dict[str, list[BillingPeriod]] = {}
        # The last day of each group of instalments, by item.
        self._ends: dict[str, dict[tuple[int, int | None], date]] = {}
        self.final = self.view(FAR)
        self._spread = Spread(self)

    def view(self, day: date) -> View:
        """Return what a document sees whose date, or whose period's start, is `day` (convention 10)."""
        later = {c.position for c in self.changes if c.effective > day and c.id not in self.settled}
        early = {c.position for c in self.changes if c.position in later and c.kind in SHORTENING}
        return self._view([c for c in self.changes if c.position not in later or c.position in early], early)

    def _view(self, seen: Sequence[Change], early: Iterable[int] = ()) -> View:
        key = (frozenset(c.position for c in seen), frozenset(early))
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = View(self.deal, seen, key[1], self._horizon(), self._courses)
        return found

    def in_force(self, day: date) -> View:
        """Return what a document of `day` sees without anything early: what is in force, and what is in the books."""
        return self._view([c for c in self.changes if c.effective <= day or c.id in self.settled])

    def base(self, day: date, *, without: frozenset[int] = frozenset()) -> View:
        """Return what a document of `day` sees without anything that is not in force yet, and without some changes."""
        return self._view([c for c in self.changes if c.effective <= day and c.position not in without])

    def then(self, day: date, change: str | None) -> View:
        """Return what a document of `day`, or a change's own, saw: later changes only where they were recorded by then.

        A change whose day of recording is not said counts as recorded afterwards (it defaults to `as_of`).
        """
        early = {
            c.position
            for c in self.changes
            if c.effective > day and c.id != change and c.kind in SHORTENING and c.recorded and c.recorded <= day
        }
        return self._view(
            [c for c in self.changes if c.effective <= day or c.id == change or c.position in early], early
        )

    def _horizon(self) -> date:
        """Return the day up to which prices have to be known: what begins up to `until` ends before it."""
        longest = [self.deal.billing.interval]
        for item in self.items:
            longest += [item.price_interval, item.billing.interval]
        longest += [change.billing.interval for change in self.changes if change.billing is not None]
        days = max(interval.months * 31 + interval.days for interval in longest)
        return self.until + timedelta(days=_MOST_DAYS_AHEAD + 2 * days)

    def is_altered(self, item: Item, period: BillingPeriod, day: date, changes: Iterable[Change]) -> bool:
        """Say whether some changes make a difference to what is due of a period, as seen on `day`."""
        after = self.base(day)
        before = self.base(day, without=frozenset(change.position for change in changes))
        if item.key not in before.items or item.key not in after.items:
            return True
        return _outline(self.buckets(before, item, period)) != _outline(self.buckets(after, item, period)) or (
            self.totals(before, item, period) != self.totals(after, item, period)
        )

    def periods(self, item: Item) -> list[BillingPeriod]:
        """Return the item's billing periods that start up to the horizon, in whole instalment groups."""
        found = self._periods.get(item.key)
        if found is None:
            course = self.final.course(item.key)
            assert course is not None
            found = self._one_time(item, course) if item.kind == "one_time" else self._tiled(item, course)
            self._periods[item.key] = found
        return found

    def is_over(self, item: Item, period: BillingPeriod, day: date) -> bool:
        """Say whether a change on `day` can't touch a period: it ended, and so did the price interval it is part of."""
        if period.share is not None or period.uncut_end > day:
            return False
        if period.group is None:
            return True
        ends = self._ends.get(item.key)
        if ends is None:
            ends = self._ends[item.key] = {(id(p.rhythm), p.group): p.uncut_end for p in self.periods(item)}
        return ends[id(period.rhythm), period.group] <= day

    def _one_time(self, item: Item, course: Course) -> list[BillingPeriod]:
        if item.on is None:
            return []
        rhythm = course.rhythms[0]
        has_lead = item.has_lead and rhythm.billing.timing == "advance"
        dated = item.on - timedelta(days=rhythm.billing.lead_days if has_lead else 0)
        following = item.on + timedelta(days=1)
        return [BillingPeriod(item.on, following, following, rhythm, on=dated)]

    def _tiled(self, item: Item, course: Course) -> list[BillingPeriod]:
        # A cancellation of a contract that renews shortens what is due, never its periods.
        end = item.end or (None if self.deal.renewal.auto else course.agreed_end)
        until = self.until + timedelta(days=max(rhythm.billing.lead_days for rhythm in course.rhythms))
        if any(rhythm.billing.stub != "own" for rhythm in course.rhythms):
            # What a stub is merged with shows only in the periods after it.
            until = max(rhythm.billing.interval.add_to(until, 2) for rhythm in course.rhythms)
        if end is not None and item.first_due >= end:
            return []
        merges_first = item.start == self.deal.start
        found = billing_periods(item, course.rhythms, item.start, end, until, merges_first=merges_first)
        # A trial leaves the boundaries where they are; its days belong to no period.
        return [
            p if p.start >= item.first_due else replace(p, start=item.first_due)
            for p in found
            if p.end > item.first_due
        ]

    def dated(self, item: Item, period: BillingPeriod) -> date:
        """Return the scheduled date of a period's document (convention 12)."""
        if item.kind == "one_time" or period.on is not None:
            return item.start if self.own_document(item, period) else period.dated
        if self.own_document(item, period):
            return period.start
        if item.kind == "recurring" and period.rhythm.billing.timing == "advance":
            return period.dated
        course = self.view(period.end).course(item.key)
        if course is None:
            return period.end
        served = course.served(period.start, end_of(course, period))
        return min(end_of(course, period), served[-1].end) if served else period.end

    def own_document(self, item: Item, period: BillingPeriod) -> str | None:
        """Return the change on whose own document a period stands: what an added item begins with (convention 10)."""
        rhythm = period.rhythm
        if rhythm.change is not None and period.start == rhythm.start and self._is_cut(item, period):
            return rhythm.change if item.kind == "recurring" and rhythm.billing.timing == "advance" else None
        if item.change is None or period.start != item.start:
            return None
        if item.kind == "one_time":
            return item.change if item.milestone is None else None
        is_advance = item.kind == "recurring" and period.rhythm.billing.timing == "advance"
        return item.change if is_advance and period.is_stub else None

    def _is_cut(self, item: Item, period: BillingPeriod) -> bool:
        """Say whether a change of rhythm cut the period before this one."""
        return any(p.end == period.start and p.uncut_end > p.end for p in self.periods(item))

    def seen_at(self, item: Item, period: BillingPeriod, dated: date) -> View:
        """Return the view of the document dated `dated` on a period: with early changes only where that is not more."""
        day = max(dated, period.start)
        found = self.view(day)
        if found.early and item.key in found.items:
            plain = self.in_force(day)
            if sum(self.totals(found, item, period)) > sum(self.totals(plain, item, period)):
                return plain
        return found

    def buckets(self, view: View, item: Item, period: BillingPeriod) -> list[Bucket]:
        """Return what is due of an item in a period, exactly."""
        course = view.course(item.key)
        return view.buckets(item, period, self._spread.kept(course, period)) if course is not None else []

    def totals(self, view: View, item: Item, period: BillingPeriod) -> list[int]:
        """Return the rounded amount due of each bucket, in minor units; instalments take their rest."""
        key = (item.key, period.start)
        found = view.totals.get(key)
        if found is None:
            if period.group is None:
                found = [self.rounded(bucket.net) for bucket in self.buckets(view, item, period)]
                view.totals[key] = found
            else:
                self._instalments(view, item, period)
                found = view.totals[key]
        if key not in view.given:
            # Instalments are found together, but each period gives back for itself.
            view.given.add(key)
            self._give_back(view, item, period, found)
        return found

    def parts(self, view: View, item: Item, period: BillingPeriod) -> list[tuple[Bucket, list[int]]]:
        """Return each bucket with what every payer owes of it: each discount and gift is split like the amount."""
        totals = self.totals(view, item, period)
        found = []
        for bucket, total in zip(self.buckets(view, item, period), totals, strict=True):
            found.append((bucket, self.split(total, bucket.net)))
        for n, back in view.backs.get((item.key, period.start), {}).items():
            bucket, _ = found[n]
            before = self.split(totals[n] + back, bucket.net)
            given = self.split(back, Fraction(back, self.scale))
            found[n] = (bucket, [one - other for one, other in zip(before, given, strict=True)])
        return found

    def rounded(self, amount: Fraction) -> int:
        """Round an exact amount to minor units, half away from zero."""
        return round_half_up(amount * self.scale)

    def value(self, view: View, item: Item, period: BillingPeriod, bucket: Bucket, days: Iterable[Period]) -> Fraction:
        """Return the exact value of some days in a bucket's state."""
        course = view.course(item.key)
        if course is None or item.kind == "one_time":
            return bucket.net if course is not None else ZERO
        return sum((part.net for part in self.stretches(view, item, period, bucket, days)), ZERO)

    def stretches(
        self, view: View, item: Item, period: BillingPeriod, bucket: Bucket, days: Iterable[Period]
    ) -> list[Stretch]:
        """Return some days in a bucket's state, with their exact value."""
        course = view.course(item.key)
        assert course is not None
        if period.share is not None:
            whole = sum((stretch.measure.units for stretch in bucket.stretches), ZERO)
            return [self._slice(bucket, one, whole) for one in days]
        kept = self._spread.kept(course, period)
        return [part for one in days for part in stretches(self.deal, course, bucket.state, one, kept)]

    def _slice(self, bucket: Bucket, days: Period, whole: Fraction) -> Stretch:
        part = Fraction(days.days, bucket.days)
        worth = whole * part
        gross = sum((stretch.gross for stretch in bucket.stretches), ZERO) * part
        return Stretch(
            days.start, days.end, Measure(0, ((worth.numerator, worth.denominator),)), gross, bucket.net * part
        )

    def measured(
        self, view: View, item: Item, period: BillingPeriod, days: Iterable[Period]
    ) -> tuple[Measure, Rhythm | None]:
        """Return how many units some days of a recurring item are, and of which rhythm; nothing for other items."""
        course = view.course(item.key) or self.final.course(item.key)
        if course is None or item.kind != "recurring" or period.share is not None:
            return NOTHING, None
        rhythm = course.rhythm_at(period.start)
        found = NOTHING
        for one in days:
            found = found + measure(rhythm.units, one.start, one.end, course.last)
        return found, rhythm

    def split(self, total: int, exact: Fraction) -> list[int]:
        """Split a rounded amount over the payers: each its rounded share of the exact one, the last the rest.

        Nobody takes more than is left, so a rest is never a gift.
        """
        payers = self.deal.payers
        if len(payers) < 2:
            return [total]
        parts: list[int] = []
        left = total
        for payer in payers[:-1]:
            parts.append(min(self.rounded(exact * (payer.share or ZERO) / 100), max(left, 0)))
            left -= parts[-1]
        return [*parts, left]

    def _instalments(self, view: View, item: Item, period: BillingPeriod) -> None:
        members = self._members(view, item, period)
        found = [self.buckets(view, item, member) for member in members]
        if not self._is_whole(view, item, members, found):
            for member, buckets in zip(members, found, strict=True):
                view.totals[item.key, member.start] = [self.rounded(bucket.net) for bucket in buckets]
            return
        left = whole = self.rounded(sum((buckets[0].net for buckets in found), ZERO))
        for member, buckets in zip(members, found, strict=True):
            part = left if member is members[-1] else min(self.rounded(buckets[0].net), left)
            left -= part
            view.totals[item.key, member.start] = [part]
            view.wholes[item.key, member.start] = whole

    def _members(self, view: View, item: Item, period: BillingPeriod) -> list[BillingPeriod]:
        """Return the periods that share a price interval; the two stubs of a whole term belong together."""
        every = [p for p in self.periods(item) if p.rhythm is period.rhythm and p.group is not None]
        members = [p for p in every if p.group == period.group]
        size = instalments_of(item, period.rhythm, is_closed=every[-1].is_last)
        stub = every[0] if every and every[0].group == -1 else None
        if stub is None or period.share is not None:
            return members
        course = view.course(item.key)
        last = [p for p in every if p.group == every[-1].group]
        final = last[-1]
        boundaries = period.rhythm.boundaries
        has_tail = len(last) < size or boundaries.at(boundaries.index(final.end)) != final.end
        is_one = course is not None and course.is_whole and final.is_last and has_tail
        if is_one and (period is stub or period.group == every[-1].group):
            return [stub, *last]
        return members

    def _is_whole(
        self, view: View, item: Item, members: Sequence[BillingPeriod], found: Sequence[Sequence[Bucket]]
    ) -> bool:
        """Say whether all of a price interval is due at one quantity and price, so that its parts add up to it."""
        if not members[-1].is_last:
            return False
        if any(len(buckets) != 1 for buckets in found):
            return False
        if members[0].share is None and len({buckets[0].key for buckets in found}) > 1:
            return False
        return all(buckets[0].days == (p.end - p.start).days for p, buckets in zip(members, found, strict=True))

    def unserved(self, view: View, item: Item, period: BillingPeriod, day: date) -> Fraction:
        """Return what the days from `day` on are worth of a period that is in progress then."""
        course = view.course(item.key)
        if course is None or item.kind != "recurring" or not period.start < day < end_of(course, period):
            return ZERO
        found = ZERO
        for bucket in self.buckets(view, item, period):
            days = [Period(max(day, s.start), s.end) for s in bucket.stretches if s.end > day]
            found += self.value(view, item, period, bucket, days)
        return found

    def _give_back(self, view: View, item: Item, period: BillingPeriod, totals: list[int]) -> None:
        """Take a fixed amount of a change (`settle: "123.45"`) from what stays due of the period in progress."""
        course = view.course(item.key)
        if course is None or not totals:
            return
        for back in course.backs:
            most = self.rounded(self.unserved(view, item, period, back.day))
            left = min(self._spread.back(view, item, back), most)
            # Of the state on the change's day first; what that can't give, the states after it do.
            buckets = self.buckets(view, item, period)
            here = next((n for n, b in enumerate(buckets) if any(s.start <= back.day < s.end for s in b.stretches)), 0)
            for n in [*range(here, len(totals)), *range(here)]:
                given = min(left, totals[n])
                if not given:
                    continue
                left -= given
                totals[n] -= given
                backs = view.backs.setdefault((item.key, period.start), {})
                backs[n] = backs.get(n, 0) + given


def _outline(buckets: Sequence[Bucket]) -> list[tuple[object, ...]]:
    return [(bucket.key, bucket.net, tuple((s.start, s.end) for s in bucket.stretches)) for bucket in buckets]
