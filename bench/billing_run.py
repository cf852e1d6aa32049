"""The real billing run over many subscriptions, beside a bare bulk insert of the very rows that it wrote.

A month is billed through the runner, as when the clock rings; then its rows are taken out and inserted again from
memory, in as many transactions, by SQLAlchemy's bulk insert. All portals bill the same months in turn, so that the
machine's moods meet them alike, and the median month counts. The first month is not counted: it warms caches up, and
PostgreSQL picks poor indexes for tables of which it has no statistics yet.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select

from app.billing import preview
from app.core.db import Base, transaction
from app.invoices import drafting, ground
from app.subscriptions import queries as subscriptions
from bench import calibration, places
from bench.portal import FIRST_DAY, Portal, opened

# Invoice mode and number of subscriptions; the first two are compared with each other.
PORTALS = (("approval", 1_000), ("approval", 10_000), ("automatic", 1_000))
ROUNDS = 5
AIM_RATIO, AIM_GROWTH = 0.5, 0.15
# What a run writes, in an order that foreign keys allow.
WRITTEN = ("invoice", "invoice_line", "billed_entry", "event", "audit", "work")
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, and of processors: this process and the database's side of its connections."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Month:
    """What a month's `drafts` cost: by the run, inserted bare, and (processor only) as previews of the core alone.

    `loop_s` is the calibration loop's processor time just before: how fast the machine was.
    """

    drafts: int
    run: Cost
    bare: Cost
    preview_s: float
    loop_s: float

    @property
    def ratio(self) -> float:
        """Drafts of the run for each draft that the bare insert writes in the same time."""
        return self.bare.wall_s / self.run.wall_s

    @property
    def ratio_without_core(self) -> float:
        """The same by processor time, with the core's own time taken off the run."""
        return self.bare.cpu_s / (self.run.cpu_s - self.preview_s)

    @property
    def loops(self) -> float:
        """Processor time of a draft in calibration loops."""
        return self.run.cpu_s / self.drafts / self.loop_s


def report(place: places.Place) -> list[str]:
    """Bill every portal month by month and return the lines of a table, then ratios and growth."""
    measured = measure(place, PORTALS, ROUNDS)
    lines = [
        "billing run",
        "  mode       subscriptions  drafts/s  bare/s  ratio   ms a draft (processor, core)  in loops",
    ]
    lines += [_row(mode, count, months) for (mode, count), months in zip(PORTALS, measured, strict=True)]
    small, large = measured[0], measured[1]
    lines.append(f"  ratio to the bare insert: {_median(large, lambda m: m.ratio):.2f} (aim: {AIM_RATIO} or better)")
    without = _median(large, lambda m: m.ratio_without_core)
    lines.append(f"  the same by processor time, without the core's previews: {without:.2f}")
    lines.append(growth("time", small, large, lambda m: m.run.wall_s / m.drafts))
    lines.append(growth("processor time in calibration loops", small, large, lambda m: m.loops))
    return lines


def measure(place: places.Place, wanted: Sequence[tuple[str, int]], rounds: int) -> list[list[Month]]:
    """Return the months of each wanted portal (its invoice mode and number of subscriptions)."""
    with ExitStack() as stack:
        portals = []
        for mode, count in wanted:
            database = stack.enter_context(places.database(place))
            portals.append(stack.enter_context(opened(database, mode=mode, count=count)))
        for portal in portals:
            portal.run()
            portal.approve(FIRST_DAY)
            portal.database.analyze()
        months: list[list[Month]] = [[] for _ in portals]
        for n in range(rounds):
            day = FIRST_DAY.replace(month=FIRST_DAY.month + 1 + n)
            for portal, told in zip(portals, months, strict=True):
                told.append(bill(portal, day))
        return months


def bill(portal: Portal, day: date) -> Month:
    """Bill a month and measure it, then the same rows inserted bare, which are left; approve what it drafted.

    Raises RuntimeError when not every subscription got its one draft: then the figures would mean nothing.
    """
    portal.move_to(day)
    loop_s = calibration.processor_s(calibration.loop, 0.2)
    before = {table: portal.database.highest_id(table) for table in WRITTEN}
    run = _timed(portal, portal.run)
    rows = written(portal, before)
    if (drafts := len(rows["invoice"])) != portal.count:
        raise RuntimeError(f"{portal.count} subscriptions got {drafts} drafts on {day}")
    portal.database.take_out(before)
    bare = _timed(portal, lambda: insert_bare(portal, rows))
    preview_s = _preview_s(portal, day) * drafts
    portal.approve(day)
    return Month(drafts, run, bare, preview_s, loop_s)


def written(portal: Portal, after: Mapping[str, int]) -> Rows:
    """Return the rows of each table with a higher id than this, in order."""
    found = {}
    with portal.app.app_context(), transaction(portal.id) as session:
        for name, highest in after.items():
            table = Base.metadata.tables[name]
            rows = session.execute(select(table).where(table.c.id > highest).order_by(table.c.id)).mappings()
            found[name] = [dict(row) for row in rows]
    return found


def insert_bare(portal: Portal, rows: Rows) -> None:
    """Insert rows in as many transactions as the run had batches."""
    batches = -(-portal.count // drafting.BATCH)
    with portal.app.app_context():
        for n in range(batches):
            with transaction(portal.id) as session:
                for name, found in rows.items():
                    if part := found[n * len(found) // batches : (n + 1) * len(found) // batches]:
                        session.execute(insert(Base.metadata.tables[name]), part)


def _timed(portal: Portal, work: Callable[[], None]) -> Cost:
    # As a worker does before its first job: what was made before is not walked by the collector again.
    gc.collect()
    gc.freeze()
    try:
        theirs, cpu, wall = portal.database.processor_s(), time.process_time(), time.perf_counter()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    finally:
        gc.unfreeze()
    return Cost(wall, cpu + portal.database.processor_s() - theirs)


def _preview_s(portal: Portal, day: date) -> float:
    """Return the processor time that the core takes for a subscription, on documents as the run had them."""
    with portal.app.app_context(), transaction(portal.id):
        batch = subscriptions.lock_free(subscriptions.active_after(0, drafting.BATCH))
        known = ground.read(batch)
        until = day + timedelta(days=known.portal.draft_ahead)
        documents = [known.document(one) | {"until": until.isoformat()} for one in batch]
    began = time.process_time()
    for document in documents:
        preview(document, as_of=day)
    return (time.process_time() - began) / len(documents)


def _row(mode: str, count: int, months: Sequence[Month]) -> str:
    rate = _median(months, lambda m: m.drafts / m.run.wall_s)
    bare = _median(months, lambda m: m.drafts / m.bare.wall_s)
    wall = 1000 * _median(months, lambda m: m.run.wall_s / m.drafts)
    cpu = 1000 * _median(months, lambda m: m.run.cpu_s / m.drafts)
    core = 1000 * _median(months, lambda m: m.preview_s / m.drafts)
    ratio, loops = _median(months, lambda m: m.ratio), _median(months, lambda m: m.loops)
    return (
        f"  {mode:9}  {count:13,}  {rate:8,.0f}  {bare:6,.0f}  {ratio:5.2f}   {wall:10.2f} ({cpu:9.2f}, {core:4.2f})"
        f"  {loops:8.2f}"
    )


def growth(what: str, small: Sequence[Month], large: Sequence[Month], cost: Callable[[Month], float]) -> str:
    """Compare a draft's cost month by month, and tell the median."""
    times = statistics.median(cost(b) / cost(a) for a, b in zip(small, large, strict=True))
    verdict = "flat" if times <= 1 + AIM_GROWTH else "NOT FLAT"
    return f"  {what} of a draft at {large[0].drafts:,} for {small[0].drafts:,} subscriptions: {times:.2f} ({verdict})"


def _median(months: Sequence[Month], figure: Callable[[Month], float]) -> float:
    return statistics.median(figure(month) for month in months)
