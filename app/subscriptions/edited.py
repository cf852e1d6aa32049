"""An edited deal beside what was agreed and issued: which steps lead there, from which day, and what is to be asked.

Reads and compares; writes nothing. Convention 10: an edit of HubSpot's carries no date, so it counts from the first
service period that is not issued yet, up or down, without proration or credit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.billing import preview
from app.billing.calendar import add_months
from app.billing.money import Money, total
from app.deals.models import DealVersion
from app.subscriptions import agreed
from app.subscriptions.agreed import Difference, Step
from app.subscriptions.models import CONSOLE, HUBSPOT_EDIT, Amendment, BilledEntry, Subscription
from app.subscriptions.settled import core_document, with_change


@dataclass(frozen=True, slots=True)
class Dated:
    """A step with the day from which it counts."""

    step: Step
    effective: date


@dataclass(frozen=True, slots=True)
class Opens:
    """The first day that is not issued: of each item that was issued at all, and of the deal."""

    of_item: Mapping[str, date]
    of_deal: date

    def of(self, key: str | None) -> date:
        """Return the first open day of an item; the deal's for one that was never issued."""
        return self.of_item.get(key or "", self.of_deal)


@dataclass(frozen=True, slots=True)
class Edit:
    """What the deal says now, beside what counts. `stale`: earlier edits that no issued period knows; they give way."""

    base: DealVersion
    wanted: DealVersion
    document: dict[str, Any]
    stale: tuple[Amendment, ...]
    steps: tuple[Dated, ...]
    impossible: tuple[str, ...]
    conflicts: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Decrease:
    """Steps that leave less than agreed, and how much less to the end of the term; or why nothing can be billed so."""

    steps: tuple[Dated, ...]
    missing: Money | None = None
    refused: str | None = None


def read(
    subscription: Subscription,
    versions: tuple[DealVersion, DealVersion, DealVersion],
    entries: Sequence[BilledEntry],
    amendments: Sequence[Amendment],
) -> Edit:
    """Compare an edited deal with what counts. `versions`: the base, the adopted and the wanted one."""
    base, adopted, wanted = versions
    start = subscription.start_on
    opens = first_open(agreed.applied(base.document, _bodies(amendments)), entries, start)
    stale = tuple(one for one in amendments if _is_stale(one, opens, wanted.id))
    kept = [one for one in amendments if one not in stale]
    ours = [one for one in kept if one.source == HUBSPOT_EDIT]
    before = agreed.applied(base.document, _bodies(ours))
    found = _difference(before, wanted.document, base, entries, kept)
    steps = tuple(Dated(step, _effective(before, step, opens)) for step in found.steps)
    over = [
        f"{one.step.words}, and its whole term is invoiced already." for one in steps if _is_over(before, one, start)
    ]
    return Edit(
        base=base,
        wanted=wanted,
        document=core_document(subscription, adopted, entries, base=base, amendments=kept),
        stale=stale,
        steps=steps,
        impossible=(*found.impossible, *over),
        conflicts=_conflicts(found, kept),
    )


def first_open(document: Mapping[str, Any], entries: Sequence[BilledEntry], start: date) -> Opens:
    """Return the first days that no live entry covers nor leaves behind it.

    The deal's is that of the items invoiced in the deal's own rhythm; one-time items have no next period.
    """
    ends: dict[str, date] = {}
    for entry in entries:
        assert entry.period.upper is not None
        ends[entry.item_key] = max(entry.period.upper, ends.get(entry.item_key, start))
    recurring = [item for item in document["items"] if item["kind"] != "one_time" and item["key"] in ends]
    own = [ends[item["key"]] for item in recurring if "billing" not in item]
    rest = [ends[item["key"]] for item in recurring if "billing" in item]
    once = {item["key"] for item in document["items"] if item["kind"] == "one_time"}
    of_item = {key: end for key, end in ends.items() if key not in once}
    return Opens(of_item, max(own) if own else min(rest, default=start))


def decreased(edit: Edit, today: date) -> Decrease:
    """Return the steps after which their item costs less than agreed, or why the core can't take the steps at all.

    Only inside a fixed term: elsewhere a decrease simply counts. The core compares; both are asked for the whole term.
    """
    if edit.document.get("term_months", 12) is None:
        return Decrease(())
    after = preview(trial(edit.document, edit.steps, today), as_of=today)
    if after.status != "ok":
        said = after.reason or " ".join(question.text for question in after.questions)
        return Decrease((), refused=said or "The core doesn't take it.")
    of_items = [dated for dated in edit.steps if "item" in dated.step.body or "remove" in dated.step.body]
    costs, left = _costs(edit.document, today), _costs(trial(edit.document, of_items, today), today)
    less = tuple(
        dated
        for dated in of_items
        if (key := dated.step.item or "") in costs and (key not in left or left[key].minor < costs[key].minor)
    )
    nothing = Money.zero(edit.document["currency"])
    gone = total((costs[d.step.item or ""] - left.get(d.step.item or "", nothing) for d in less), nothing.currency)
    return Decrease(less, gone)


def _costs(document: Mapping[str, Any], today: date) -> dict[str, Money]:
    """Return what each item still costs to the end of the term."""
    totals = preview(document, as_of=today).totals
    return dict(totals.by_item) if totals is not None else {}


def trial(document: Mapping[str, Any], steps: Sequence[Dated], today: date) -> dict[str, Any]:
    """Return a document with these steps in it, as if decreases counted at once."""
    changes = list(document.get("changes", ()))
    for number, dated in enumerate(steps):
        frame = {"id": f"trial-{number}", "effective": dated.effective.isoformat(), "recorded": today.isoformat()}
        settle = {} if "add" in dated.step.body or "billing" in dated.step.body else {"settle": "unused"}
        changes = with_change(changes, frame | dict(dated.step.body) | settle)
    return {**document, "changes": changes}


def _difference(
    before: Mapping[str, Any],
    wanted: Mapping[str, Any],
    base: DealVersion,
    entries: Sequence[BilledEntry],
    kept: Sequence[Amendment],
) -> Difference:
    everything = [*base.document["items"], *(one.body["add"] for one in kept if "add" in one.body)]
    once = {item["key"] for item in everything if item["kind"] == "one_time"}
    billed = {entry.item_key for entry in entries}
    ended = {str(one.body["remove"]) for one in kept if "remove" in one.body}
    return agreed.difference(before, wanted, billed_once=once & billed, ended=ended)


def _effective(document: Mapping[str, Any], step: Step, opens: Opens) -> date:
    """Return the first open day of a step's item; of one that starts later, its own start."""
    item: Mapping[str, Any] = next((one for one in document["items"] if one["key"] == step.item), {})
    day = opens.of(step.item)
    return max(day, date.fromisoformat(item["start"])) if item.get("start", "start") != "start" else day


def _is_over(document: Mapping[str, Any], dated: Dated, start: date) -> bool:
    """Whether a step would count from a day on which nothing of it is served any more: nothing would ever show it."""
    if (document.get("renewal") or {}).get("auto"):
        return False
    item: Mapping[str, Any] = next((one for one in document["items"] if one["key"] == dated.step.item), {})
    if item.get("end"):
        return dated.effective >= date.fromisoformat(item["end"])
    months = item.get("term_months", document.get("term_months", 12))
    return months is not None and dated.effective >= add_months(start, months)


def _is_stale(amendment: Amendment, opens: Opens, wanted_id: int) -> bool:
    """Whether an earlier edit of the deal is not issued yet, so that the newer edit simply replaces it."""
    if amendment.source != HUBSPOT_EDIT or amendment.deal_version_id == wanted_id:
        return False
    key = amendment.body.get("item") or amendment.body.get("remove") or (amendment.body.get("add") or {}).get("key")
    return amendment.effective >= opens.of_deal and amendment.effective >= opens.of(key)


def _conflicts(found: Difference, kept: Sequence[Amendment]) -> dict[str, dict[str, Any]]:
    """Return {item: {field: value}} that a person set in the console last, and that the deal now sets otherwise."""
    last: dict[tuple[str, str], Amendment] = {}
    for one in kept:
        for field in agreed.CHANGEABLE:
            if "item" in one.body and field in one.body:
                last[one.body["item"], field] = one
    conflicts: dict[str, dict[str, Any]] = {}
    for step in found.steps:
        for field in agreed.CHANGEABLE:
            console = last.get((step.item or "", field))
            if field not in step.body or console is None or console.source != CONSOLE:
                continue
            if console.body[field] != step.body[field]:
                conflicts.setdefault(step.item or "", {})[field] = console.body[field]
    return conflicts


def _bodies(amendments: Sequence[Amendment]) -> list[dict[str, Any]]:
    return [one.body for one in amendments]
