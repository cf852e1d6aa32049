"""Random changes of a deal document, in an order that a person could have made them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.oracle.dates import add_months

if TYPE_CHECKING:
    from tests.oracle.documents import Draw

Body = dict[str, Any]
KINDS = ("quantity", "price", "change_steps", "change_discounts", "pause", "cancel", "add", "remove", "replace")
QUANTITIES = ("1", "2", "5", "12", "20", "3.5", "0")


def with_changes(draw: Draw, body: Body) -> None:
    """Add changes to `body`, as many as its features allow."""
    kinds = [kind for kind in KINDS if kind in draw.features]
    if not kinds or draw.rng.random() > 0.7:
        return
    start = date.fromisoformat(body["start"])
    end = add_months(start, body["term_months"] or 12)
    count = draw.rng.choice((1, 1, 1, 2, 2, 3, 4, 6))
    days = sorted(draw.day(start, end) for _ in range(count))
    plan = Plan(draw, body, end)
    for day in days:
        if plan.ended is None:
            plan.change(draw.rng.choice(kinds), day)
    if plan.changes:
        body["changes"] = plan.changes


class Plan:
    """Changes so far, and what is in service after them."""

    def __init__(self, draw: Draw, body: Body, end: date) -> None:
        self.draw, self.body, self.end = draw, body, end
        self.changes: list[Body] = []
        self.live = [item for item in body["items"] if item["kind"] == "recurring"]
        self.added = 0
        self.ended: date | None = None
        self.paused_to: date | None = None
        self.known_from: dict[str | None, str] = {}
        self.set_on: set[tuple[str, str, date]] = set()

    def change(self, kind: str, day: date) -> None:
        """Add one change of that kind on that day, when it makes sense there."""
        made: Body | None = getattr(self, f"_{kind}")(day)
        if made is None:
            return
        change: Body = {"id": f"c{len(self.changes) + 1}", "effective": day.isoformat(), **made}
        if kind not in ("pause", "add", "cancel") and self.draw.uses("proration", 0.2) and "replace" not in made:
            change["proration"] = "none"
        if self.draw.uses("recorded", 0.4):
            change["recorded"] = (day + timedelta(days=self.draw.rng.randrange(-40, 30))).isoformat()
        self._after_the_add(kind, change)
        self.changes.append(change)

    def _after_the_add(self, kind: str, change: Body) -> None:
        """Nobody changes an item before the change that adds it is known."""
        new = change.get("add") or change.get("replace", {}).get("to")
        about = change.get("item") or change.get("remove") or change.get("replace", {}).get("from")
        known = self.known_from.get(str(about))
        if known is not None:
            change["recorded"] = max(known, change.get("recorded", known))
        if new is not None and "recorded" in change:
            self.known_from[new["key"]] = change["recorded"]

    def settle(self, *, amounts: bool = True) -> Body:
        """Draw what comes back on a decrease."""
        if amounts and self.draw.uses("amount_settle", 0.15) and not self._arrears():
            return {"settle": {"USD": "12.34", "JPY": "50", "KWD": "1.234"}[self.body["currency"]]}
        if self.draw.uses("settle", 0.6):
            return {"settle": self.draw.rng.choice(("unused", "unused", "none"))}
        return {}

    def _arrears(self) -> bool:
        billings = [self.body.get("billing", {}), *(item.get("billing", {}) for item in self.live)]
        return any(billing.get("timing") == "arrears" for billing in billings)

    def _pick(self, day: date, field: str | None = None) -> Body | None:
        """Draw an item in service on `day` whose `field` nobody set that day."""
        found = [item for item in self.live if self._serves(item, day) and (item["key"], field, day) not in self.set_on]
        if not found:
            return None
        item: Body = self.draw.rng.choice(found)
        if field:
            self.set_on.add((item["key"], field, day))
        return item

    def _set_today(self, item: Body, day: date) -> bool:
        return any(key == item["key"] and when == day for key, _, when in self.set_on)

    def _serves(self, item: Body, day: date) -> bool:
        first = date.fromisoformat(str(item.get("start", self.body["start"])))
        if item["key"].startswith("added") and first == day:
            return False
        last = date.fromisoformat(item["end"]) if "end" in item else self.end
        if "term_months" in item:
            last = add_months(first, item["term_months"])
        return first <= day < last

    def _quantity(self, day: date) -> Body | None:
        item = self._pick(day, "quantity")
        return {"item": item["key"], "quantity": self.draw.rng.choice(QUANTITIES), **self.settle()} if item else None

    def _price(self, day: date) -> Body | None:
        from tests.oracle.documents import price_of

        item = self._pick(day, "unit_price")
        if item is None or "price" in item:
            return None
        return {"item": item["key"], "unit_price": price_of(self.draw, self.body), **self.settle()}

    def _change_steps(self, day: date) -> Body | None:
        from tests.oracle.documents import steps_of

        item = self._pick(day, "steps")
        if item is None:
            return None
        start = date.fromisoformat(self.body["start"])
        return {"item": item["key"], "steps": steps_of(self.draw, self.body, item, start, day), **self.settle()}

    def _change_discounts(self, day: date) -> Body | None:
        item = self._pick(day, "discounts")
        if item is None or any(part.get("per") in ("invoice", "once") for part in item.get("discounts", ())):
            return None
        percent = self.draw.rng.choice(("5", "10", "50"))
        later = {"to": (day + timedelta(days=self.draw.rng.randrange(1, 100))).isoformat()}
        discounts = self.draw.rng.choice(([], [{"percent": percent}], [{"percent": percent, **later}]))
        return {"item": item["key"], "discounts": discounts, **self.settle()}

    def _pause(self, day: date) -> Body | None:
        if self.paused_to is not None and day < self.paused_to:
            return {"resume": {}}
        pause: Body = {}
        own_ends = any("end" in item or "term_months" in item for item in self.body["items"])
        until = day + timedelta(days=self.draw.rng.choice((1, 5, 14, 31, 60)))
        if self.draw.rng.random() < 0.6:
            pause["until"] = until.isoformat()
            fixed = self.body["term_months"] and "renewal" not in self.body and not own_ends
            if self.draw.rng.random() < 0.3 and fixed and until < self.end:
                pause["extends_term"] = True
        self.paused_to = until if "until" in pause else date.max
        return {"pause": pause}

    def _cancel(self, day: date) -> Body | None:
        how = ["at", "at", "period_end"] + (["term_end"] if self.body["term_months"] else [])
        made: Body = {"cancel": self.draw.rng.choice(how), **self.settle()}
        self.ended = day
        plain = made["cancel"] == "at" and made.get("settle") in (None, "none", "unused")
        if self.draw.uses("uncancel", 0.4) and plain and not self.changes:
            self.changes.append({"id": f"c{len(self.changes) + 1}", "effective": day.isoformat(), **made})
            self.ended = None
            back = min(day + timedelta(days=self.draw.rng.choice((0, 1, 10, 45))), self.end - timedelta(days=1))
            self.changes.append({"id": f"c{len(self.changes) + 1}", "effective": back.isoformat(), "uncancel": {}})
            self.ended = back
            return None
        return made

    def _add(self, day: date) -> Body | None:
        from tests.oracle.documents import recurring_of

        self.added += 1
        item = recurring_of(self.draw, self.body, f"added{self.added}", added=True)
        self.live.append({**item, "start": day.isoformat()})
        return {"add": item}

    def _remove(self, day: date) -> Body | None:
        item = self._pick(day)
        if item is None or self._set_today(item, day):
            return None
        made = {"remove": item["key"], **self.settle()}
        self.live.remove(item)
        return made

    def _replace(self, day: date) -> Body | None:
        from tests.oracle.documents import recurring_of

        item = self._pick(day)
        if item is None or self._set_today(item, day):
            return None
        self.live.remove(item)
        self.added += 1
        new = recurring_of(self.draw, self.body, f"added{self.added}", added=True)
        self.live.append({**new, "start": day.isoformat()})
        return {"replace": {"from": item["key"], "to": new}, **self.settle(amounts=False)}
