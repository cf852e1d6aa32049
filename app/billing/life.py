"""The life of the contract under a set of changes: terms, renewals, pauses, cancellation (conventions 2 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.billing.calendar import Grid, Period, add_months
from app.billing.deal import Change, DealDocument, Exit
from app.billing.money import Money
from app.billing.schedule import period_end, period_start

FAR = date(9999, 1, 1)
# How a decrease ends what was due: at once, at the end of the billing period in progress, at the end of the term.
AT_ONCE, PERIOD, TERM = "at_once", "period", "term"


@dataclass(frozen=True, slots=True)
class Ending:
    """A cancellation in force: service ends on `stop`; what is due ends as `mode` says, counted from `stop`.

    `mode` None: as the change settles each item by itself, inside its own fixed term or outside.
    """

    change: Change
    stop: date
    mode: str | None
    fee: Money | None = None
    fee_item: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """The contract's days. `term_end(n)` of a fixed contract; `agreed_end` None while nothing ends it.

    `gaps`: cancellations that took effect, each with the day on which it was taken back.
    """

    deal: DealDocument
    shift: int
    pauses: tuple[Period, ...]
    ending: Ending | None
    gaps: tuple[tuple[Ending, date], ...] = field(default=())

    @property
    def is_fixed(self) -> bool:
        """Whether there is a term at all."""
        return self.deal.end is not None

    def term_end(self, n: int) -> date:
        """Return the end of the n-th term of a fixed contract, 0 the initial one, moved by pauses that extend it."""
        months = (self.deal.term_months or 0) + n * (self.deal.renewal.term_months or self.deal.term_months or 0)
        return add_months(self.deal.start, months) + timedelta(days=self.shift)

    def term_of(self, day: date) -> int:
        """Return the number of the term in progress on `day`; without automatic renewal there is only the first."""
        n = 0
        while self.deal.renewal.auto and self.term_end(n) <= day:
            n += 1
        return n

    def end_of_term(self, day: date) -> date | None:
        """Return the end of the term in progress on `day`; None without a fixed end, or after the last term."""
        if not self.is_fixed:
            return None
        end = self.term_end(self.term_of(day))
        return end if day < end else None

    @property
    def agreed_end(self) -> date | None:
        """The contract's end as agreed or, once somebody ended an automatic renewal, the end of that term."""
        if not self.is_fixed:
            return None
        if not self.deal.renewal.auto:
            return self.term_end(0)
        if self.ending is None:
            return None
        end = self.term_end(self.term_of(self.ending.stop - timedelta(days=1)))
        return end if self.ends_with_term or end == self.ending.stop else None

    @property
    def ends_with_term(self) -> bool:
        """Whether a cancellation leaves the amounts due to the end of the term in progress."""
        ending = self.ending
        if ending is None or ending.mode is not None:
            return False
        return mode_of(ending.change, inside_term=self.end_of_term(ending.stop) is not None) == TERM


class _Walk:
    """Applies pauses and cancellations in order."""

    def __init__(self, deal: DealDocument) -> None:
        self.deal = deal
        self.paused_from: date | None = None
        self.extends = False
        self.paused: list[tuple[Period, bool]] = []
        self.ending: Ending | None = None
        self.gaps: list[tuple[Ending, date]] = []

    def life(self) -> Life:
        paused = list(self.paused)
        if self.paused_from is not None:
            paused.append((Period(self.paused_from, FAR), False))
        shift = 0
        if self.deal.end is not None:
            for days, extends in paused:
                shift += (
                    max((min(days.end, self.deal.end + timedelta(days=shift)) - days.start).days, 0) if extends else 0
                )
        return Life(self.deal, shift, tuple(days for days, _ in paused), self.ending, tuple(self.gaps))

    def _close(self, day: date, extends: bool) -> None:
        if self.paused_from is not None and self.paused_from < day:
            self.paused.append((Period(self.paused_from, day), extends or self.extends))
        self.paused_from, self.extends = None, False

    def pause(self, change: Change) -> None:
        if self.paused_from is not None or any(days.contains(change.effective) for days, _ in self.paused):
            return
        if change.until is not None:
            self.paused.append((Period(change.effective, change.until), change.extends_term))
        else:
            self.paused_from, self.extends = change.effective, change.extends_term

    def resume(self, change: Change) -> None:
        self._close(change.effective, change.extends_term)
        for n, (days, extends) in enumerate(self.paused):
            if days.start < change.effective < days.end:
                self.paused[n] = (Period(days.start, change.effective), extends or change.extends_term)
            elif days.start == change.effective:
                del self.paused[n]
                break

    def cancel(self, change: Change, boundaries: Grid) -> None:
        ending = _ending(self.life(), change, boundaries)
        if self.ending is None or ending.stop < self.ending.stop:
            self.ending = ending

    def uncancel(self, change: Change) -> None:
        if self.ending is not None and self.ending.stop < change.effective:
            self.gaps.append((self.ending, change.effective))
        self.ending = None


def _ending(life: Life, change: Change, boundaries: Grid) -> Ending:
    """Say when service ends and until when the old amount stays due (decision 0010.13)."""
    day = change.effective
    if not change.prorated and change.cancel == "at":
        day = period_start(boundaries, life.deal.billing.stub, life.deal.start, None, day)
    term_end = life.end_of_term(day)
    if change.cancel == "term_end" and life.is_fixed:
        return Ending(change, _noticed(life, change, day), AT_ONCE)
    if change.cancel in ("period_end", "term_end"):
        # The period that `day` falls in: its first day counts as a day in it.
        inside = day + timedelta(days=1)
        return Ending(change, period_end(boundaries, life.deal.billing.stub, life.deal.start, None, inside), None)
    if term_end is None:
        return Ending(change, day, None)
    number, way_out = _exit(life.deal, change)
    mode = AT_ONCE if way_out is not None and change.settle is None else None
    fee = way_out.fee if way_out is not None else None
    return Ending(change, day, mode, fee, f"exits[{number}]" if fee is not None else "")


def mode_of(change: Change, *, inside_term: bool) -> str:
    """Return when a decrease ends what was due, from its `settle` or the default (decision 0010.13)."""
    settle = change.settle or ("none" if inside_term else "unused")
    if isinstance(settle, Money):
        return PERIOD
    if settle == "none":
        return TERM if inside_term else PERIOD
    return AT_ONCE


def _noticed(life: Life, change: Change, day: date) -> date:
    """Return the end of the first term that the notice still reaches."""
    n = life.term_of(day)
    given = change.recorded or day
    notice = timedelta(days=life.deal.renewal.notice_days)
    while life.deal.renewal.auto and given > life.term_end(n) - notice:
        n += 1
    return life.term_end(n)


def _exit(deal: DealDocument, change: Change) -> tuple[int, Exit | None]:
    given = change.recorded or change.effective
    for n, way_out in enumerate(deal.exits):
        is_day = change.effective in way_out.dates
        is_after = way_out.from_day is not None and change.effective >= way_out.from_day
        if (is_day or is_after) and given + timedelta(days=way_out.notice_days) <= change.effective:
            return n, way_out
    return -1, None


def life_of(deal: DealDocument, changes: Sequence[Change], boundaries: Grid) -> Life:
    """Return the contract's life under `changes`, which are in order; `boundaries` are the deal's billing periods."""
    walk = _Walk(deal)
    for change in changes:
        if change.kind == "pause":
            walk.pause(change)
        elif change.kind == "resume":
            walk.resume(change)
        elif change.kind == "cancel":
            walk.cancel(change, boundaries)
        elif change.kind == "uncancel":
            walk.uncancel(change)
    return walk.life()
