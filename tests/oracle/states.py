"""What each item is, day by day, under a set of changes: agreed state, state due, pauses (rules 0010.12-16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from tests.oracle.dates import ONE_DAY, add_months, days_between
from tests.oracle.periods import Period, agreed_end, covered, horizon_of, period_of, periods_of, unit_of
from tests.oracle.prices import cost_of
from tests.oracle.reading import Change, Deal, Discount, Item, Step, read_discount, read_step

FAR = date.max


@dataclass(frozen=True, slots=True)
class State:
    """What is agreed of an item on a day."""

    quantity: Fraction
    unit_price: Fraction
    model: object
    uplift: Fraction
    discounts: tuple[Discount, ...]
    deal_discounts: bool = True

    @property
    def key(self) -> tuple[Fraction, Fraction]:
        """Return what tells buckets of one period apart: quantity and price (of a model: its uplift)."""
        return (self.quantity, self.uplift * (self.unit_price if self.model is None else 1))


@dataclass(slots=True)
class Life:
    """An item's days under one set of changes; `due` ignores pauses, `shortened` is `due` before any end by change."""

    item: Item
    end: date | None
    moved: bool
    periods: list[Period]
    ended: date | None = None
    due: dict[date, State] = field(default_factory=dict)
    full: dict[date, State] = field(default_factory=dict)
    held: dict[date, State] = field(default_factory=dict)
    paused: set[date] = field(default_factory=set)
    shortening: set[str] = field(default_factory=set)
    sums_back: dict[str, tuple[date, Period, State]] = field(default_factory=dict)
    costs: dict[tuple[State, date], Fraction] = field(default_factory=dict)

    def is_due(self, day: date) -> bool:
        """Claim that `day` is to be paid: in service, not paused, not in the trial."""
        trial = self.item.trial_until
        return day in self.due and day not in self.paused and (trial is None or day >= trial)


def day_of_change(change: Change, item: Item, deal: Deal) -> date:
    """Return the day of `change` for `item`, as if it were prorated."""
    day = change.effective
    if change.kind == "cancel":
        # The term of a contract with an end ends by itself, pauses that extend it included.
        ends_by_itself = change.body["cancel"] == "term_end" and not deal.auto and item.own_end is None
        day = FAR if ends_by_itself else cancel_day(change, deal)
    return max(day, item.start) if change.kind == "item" else day


def counts_from(change: Change, item: Item, deal: Deal, periods: list[Period]) -> date:
    """Return the day from which `change` counts for `item`."""
    day = day_of_change(change, item, deal)
    if not change.daily:
        day = period_of(day, periods).start
    return max(day, item.start) if change.kind == "item" else day


def term_end(deal: Deal, day: date) -> date | None:
    """Return the end of the contract term in progress on `day`, None for an open-ended contract."""
    if not deal.term_months:
        return None
    end = add_months(deal.start, deal.term_months)
    following = int(deal.renewal.get("term_months") or deal.term_months)
    terms = 0
    while deal.auto and end <= day:
        terms += 1
        end = add_months(deal.start, deal.term_months + terms * following)
    return end


def cancel_day(change: Change, deal: Deal) -> date:
    """Return the first day a cancellation no longer serves."""
    how = change.body["cancel"]
    if how == "term_end":
        end = term_end(deal, change.effective)
        assert end is not None
        notice = deal.renewal.get("notice_days")
        said = change.recorded if change.body.get("recorded") else change.effective
        while deal.auto and notice and said > end - timedelta(days=notice):
            following = term_end(deal, end)
            assert following is not None
            end = following
        return end
    if how == "period_end":
        return deal_period(change.effective, deal).end
    return change.effective


def deal_period(day: date, deal: Deal) -> Period:
    """Return the period of the deal's rhythm in progress on `day`; items may outlive the term, so nothing clips it."""
    whole = replace(deal.items[0], start=deal.start, own_end=None, trial_until=None, billing=deal.billing)
    return period_of(day, periods_of(whole, deal, None, horizon_of(deal)))


def without_undone(deal: Deal) -> tuple[Change, ...]:
    """Return the changes without the cancellations that were taken back before they bit (rule 0010.15).

    Pausing and resuming on one day is left out too. Taking back comes after the cancellation as written down, also
    where it is effective on an earlier day.
    """
    left = list(deal.changes)
    for change in sorted(deal.changes, key=written):
        if change.kind != "uncancel":
            continue
        earlier = [old for old in left if old.kind == "cancel" and written(old) < written(change)]
        bitten = [old for old in earlier if cancel_day(old, deal) < change.effective]
        undone = [old for old in earlier if old not in bitten]
        left = [one for one in left if one not in undone]
        if undone or not bitten:
            left.remove(change)
    for pause in [change for change in left if change.kind == "pause"]:
        same_day = (one for one in left if one.kind == "resume" and one.effective == pause.effective)
        resume = next((one for one in same_day if one.order > pause.order), None)
        if resume is not None:
            left = [one for one in left if one not in (pause, resume)]
    return tuple(left)


def written(change: Change) -> tuple[date, int]:
    """Return when a change was written down."""
    return (change.recorded, change.position)


def touches(change: Change, item: Item) -> bool:
    """Claim that `change` is about `item`."""
    if change.kind in ("item", "remove"):
        return change.key == item.key
    if change.kind in ("add", "replace"):
        return item.added_by == change.id or (change.kind == "replace" and change.body["replace"]["from"] == item.key)
    return item.kind != "one_time" or change.kind == "cancel"


def pauses_of(changes: Sequence[Change], item: Item, deal: Deal, periods: list[Period]) -> tuple[list[list[date]], int]:
    """Return the paused stretches [from, to) and by how many days they move the agreed end."""
    stretches: list[list[date]] = []
    extends: list[bool] = []
    for change in changes:
        if change.kind not in ("pause", "resume"):
            continue
        day = counts_from(change, item, deal, periods)
        current = next((i for i, (low, high) in enumerate(stretches) if low <= day < high), None)
        if change.kind == "pause" and current is None:
            until = change.body["pause"].get("until")
            stretches.append([day, date.fromisoformat(until) if until else FAR])
            extends.append(bool(change.body["pause"].get("extends_term")))
        if change.kind == "resume" and current is not None:
            stretches[current][1] = day
            extends[current] = extends[current] or bool(change.body["resume"].get("extends_term"))
    moved = sum((high - low).days for (low, high), more in zip(stretches, extends, strict=True) if more and high != FAR)
    return stretches, moved


def served(item: Item, deal: Deal, changes: Sequence[Change], end: date, periods: list[Period]) -> set[date]:
    """Return the days on which `item` is agreed to serve under `changes`."""
    days = set(days_between(item.start, end))
    if item.added_by and item.added_by not in {change.id for change in changes}:
        return set()
    for change in changes:
        day = counts_from(change, item, deal, periods)
        gone = change.kind == "cancel" or (change.kind == "remove" and change.key == item.key)
        gone = gone or (change.kind == "replace" and change.body["replace"]["from"] == item.key)
        if gone:
            days = {served_day for served_day in days if served_day < day}
        elif change.kind == "uncancel":
            days |= set(days_between(max(day, item.start), end))
    return days


def agreed_states(
    item: Item, deal: Deal, changes: Sequence[Change], end: date, periods: list[Period]
) -> dict[date, State]:
    """Return the state agreed for each day of service under `changes`, as if no old amount stayed due."""
    events: list[tuple[date, int, int, object, date]] = []
    steps = item.steps
    own = [change for change in changes if change.kind == "item" and change.key == item.key]
    for change in own:
        if "steps" in change.body:
            day = counts_from(change, item, deal, periods)
            later = tuple(read_step(part, deal.start) for part in change.body["steps"])
            steps = tuple(step for step in steps if step.day < day) + tuple(step for step in later if step.day >= day)
    events += [(step.day, 0, index, step, step.day) for index, step in enumerate(steps)]
    if item.own_end is None:
        events += [(day, 0, -1, "renewal", day) for day in renewals(deal, end)]
    events += [(c.effective, 1, i, c, counts_from(c, item, deal, periods)) for i, c in enumerate(own)]
    events.sort(key=lambda event: event[:3])
    edges = {item.start, *(event[4] for event in events)}
    found: dict[date, State] = {}
    state = None
    for day in days_between(item.start, end):
        if state is None or day in edges:
            state = state_on(day, item, deal, [(event[3], event[4]) for event in events])
        found[day] = state
    service = served(item, deal, changes, end, periods)
    return {day: state for day, state in found.items() if day in service}


def renewals(deal: Deal, end: date) -> list[date]:
    """Return the first days of the terms after the first one."""
    days: list[date] = []
    day = term_end(deal, deal.start) if deal.auto else None
    while day is not None and day < end:
        days.append(day)
        day = term_end(deal, day)
    return days


def state_on(day: date, item: Item, deal: Deal, events: Sequence[tuple[object, date]]) -> State:
    """Apply everything that counts on `day`, in order."""
    state = State(item.quantity, item.unit_price, item.model, Fraction(1), item.discounts)
    for event, since in events:
        if since > day:
            continue
        if event == "renewal":
            price = deal.renewal.get("price", {"same": True})
            if "uplift_percent" in price:
                up = 1 + Fraction(str(price["uplift_percent"])) / 100
                state = replace(state, uplift=state.uplift * up)
            if "list" in price:
                state = replace(state, discounts=(), deal_discounts=False)
        elif isinstance(event, Change):
            state = changed(state, event, deal)
        else:
            state = stepped(state, event)
    return state


def stepped(state: State, step: object) -> State:
    """Apply one step of the item."""
    assert isinstance(step, Step)
    if step.unit_price is not None:
        state = replace(state, unit_price=step.unit_price, uplift=Fraction(1))
    if step.quantity is not None:
        state = replace(state, quantity=step.quantity)
    if step.uplift is not None:
        state = replace(state, uplift=state.uplift * (1 + step.uplift / 100))
    return state


def changed(state: State, change: Change, deal: Deal) -> State:
    """Apply one change of the item's own fields."""
    if "unit_price" in change.body:
        state = replace(state, unit_price=Fraction(str(change.body["unit_price"])), uplift=Fraction(1))
    if "quantity" in change.body:
        state = replace(state, quantity=Fraction(str(change.body["quantity"])))
    if "discounts" in change.body:
        found = tuple(read_discount(part, deal.start) for part in change.body["discounts"])
        state = replace(state, discounts=found)
    return state


def life_of(item: Item, deal: Deal, changes: Sequence[Change], horizon: date) -> Life:
    """Return the days of a recurring item under `changes` (in their order)."""
    stretches, moved = pauses_of(changes, item, deal, periods_of(item, deal, agreed_end(item, deal), horizon))
    end = agreed_end(item, deal, moved)
    periods = periods_of(item, deal, end, horizon)
    life = Life(item, end, moved > 0, periods)
    stop = end or horizon
    added = added_order(item, changes) if item.added_by is not None else None
    present = [c for c in changes if added is None or c.order >= added or c.kind in ("cancel", "uncancel")]
    base = [change for change in present if change.id == item.added_by]
    life.due = agreed_states(item, deal, base, stop, periods)
    life.full = dict(life.due)
    for change in present:
        if change in base or not touches(change, item) or change.kind in ("pause", "resume"):
            continue
        base = [*base, change]
        apply(life, change, deal, base, stop)
    if end is None and any(change.kind == "cancel" for change in present) and life.due:
        last = max(life.due)
        life.ended = last + ONE_DAY if term_end(deal, last) == last + ONE_DAY else None
    for low, high in stretches:
        life.paused |= set(days_between(max(low, item.start), min(high, stop)))
    return life


def added_order(item: Item, changes: Sequence[Change]) -> tuple[date, date, int]:
    """Return the order of the change that adds `item`; the end of time when it is not among `changes`."""
    return next((change.order for change in changes if change.id == item.added_by), (FAR, FAR, 0))


def apply(life: Life, change: Change, deal: Deal, base: Sequence[Change], stop: date) -> None:
    """Lay `change`, the last of `base`, over the days due: at once, or when the old amount is no longer due."""
    item = life.item
    day = counts_from(change, item, deal, life.periods)
    new = agreed_states(item, deal, base, stop, life.periods)
    gone = change.kind in ("cancel", "remove", "replace") and change.id != item.added_by
    old = life.due.get(day)
    if gone or (old is not None and cost(new.get(day), life, deal, day) < cost(old, life, deal, day)):
        bites = decrease(life, change, deal, day)
        if change.kind == "replace" or change.settle not in (None, "none") or change.id in life.shortening:
            # Days that an end of service left due stay so, in the new state.
            left = {d: changed(s, change, deal) for d, s in life.held.items() if d >= day and d not in new}
            life.held = {d: s for d, s in life.held.items() if d < day} | ({} if gone else left)
        life.held |= {d: s for d, s in life.due.items() if day <= d < bites}
    # An increase above the old amount replaces it, be it by the change or by a step of the state that waits.
    rise = min((d for d in life.held if d >= day and exceeds(new.get(d), life, deal, d)), default=FAR)
    life.held = {d: s for d, s in life.held.items() if d < rise}
    life.due = {d: s for d, s in life.due.items() if d < day} | {d: s for d, s in new.items() if d >= day} | life.held
    life.full |= life.due


def exceeds(state: State | None, life: Life, deal: Deal, day: date) -> bool:
    """Claim that `state` costs as much or more on `day` than the old amount that stays due: then it waits no longer."""
    return 0 < cost(state, life, deal, day) >= cost(life.held[day], life, deal, day)


def cost(state: State | None, life: Life, deal: Deal, day: date) -> Fraction:
    """Return what the item costs per price interval on `day`, nothing when it isn't served."""
    if state is None:
        return Fraction(0)
    by_day = any(part.since or part.to for part in (*state.discounts, *deal.discounts))
    mark = (state, day if by_day else date.min)
    if mark not in life.costs:
        life.costs[mark] = rate_on(state, life.item, deal, day)
    return life.costs[mark]


def decrease(life: Life, change: Change, deal: Deal, day: date) -> date:
    """Return the day on which a decrease ends what was due before (rule 0010.13).

    What is in progress is judged on the change's own day, also where it counts from the period's start (rule 14).
    """
    fixed = life.item.own_end is not None or deal.term_months is not None
    settle = change.settle or ("unused" if change.kind == "replace" or not fixed else "none")
    if not life.periods:
        return day
    if settle == "unused":
        life.shortening.add(change.id)
        return day
    said = day_of_change(change, life.item, deal)
    period = period_of(said, life.periods)
    how = change.body.get("cancel")
    if how == "term_end":
        return day
    # On a period's first day the one in progress is the one before it: nothing of that is left.
    rest = max(day, period.end) if said > period.start else day
    if settle != "none":
        if rest > day and said in life.due:
            life.sums_back[change.id] = (said, period, life.due[said])
        return rest
    if not fixed:
        return rest
    # A cancellation at the period's end is of the term that this period ends in.
    of_term = term_end(deal, day - ONE_DAY if how == "period_end" else day)
    own = life.item.own_end is not None or not deal.auto
    end = life.end if own else of_term
    assert end is not None
    return end


def rate_on(state: State, item: Item, deal: Deal, day: date) -> Fraction:
    """Return what the whole item costs per price interval on `day`, after the discounts in force."""
    mine = [part for part in state.discounts if part.covers(day)]
    if state.deal_discounts:
        mine += [part for part in deal.discounts if part.covers(day) and covered(part.items, item)]
    unit, count = unit_of(item, deal)
    return cost_of(state.quantity, state.unit_price * state.uplift, state.model, state.uplift, mine, item, unit, count)
