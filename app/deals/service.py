"""When a line item serves: its first day, how long it runs, and whether it renews.

Facts of HubSpot's properties: `hs_billing_start_delay_type` names the sibling that counts (a date, days or months);
with a delay HubSpot fills in no date, and it counts from the close date. `hs_recurring_billing_period` is the
contract's length, not the cycle, and fits the billing frequency (months with months, weeks with weeks). The number of
payments follows from it and is empty when the line runs until it is cancelled. Of `hs_recurring_billing_terms` the two
values seen in live accounts are known; any other is a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.billing.calendar import MAX_MONTHS, Interval, add_months
from app.deals.notes import Notes, is_nothing
from app.problems.actions import FINANCE

FREQUENCIES = {
    "weekly": ("P1W", "weekly"),
    "biweekly": ("P2W", "every two weeks"),
    "monthly": ("P1M", "monthly"),
    "quarterly": ("P3M", "quarterly"),
    "per_six_months": ("P6M", "every six months"),
    "annually": ("P1Y", "annually"),
    "per_two_years": ("P2Y", "every two years"),
    "per_three_years": ("P3Y", "every three years"),
    "per_four_years": ("P4Y", "every four years"),
    "per_five_years": ("P5Y", "every five years"),
}
# A day outside is a slip of the keyboard, and a deal document couldn't hold the end of a long term from there.
FIRST_YEAR, LAST_YEAR = 1970, 2199
_DATE = "hs_recurring_billing_start_date"
_DAYS, _MONTHS = "hs_billing_start_delay_days", "hs_billing_start_delay_months"
_STARTS = {_DATE: "a date", _DAYS: "a number of days", _MONTHS: "a number of months"}
_MOST = {_DAYS: 3650, _MONTHS: 120}
_FIXED, _RENEWS = "FIXED", "AUTOMATICALLY_RENEW"
_TERM = re.compile(r"P(?:([0-9]{1,4})W|(?=[0-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})D)?)")
_COUNT = re.compile(r"([0-9]{1,4})(?:\.0*)?")
# Not above a hundred years, as MAX_MONTHS.
_MOST_DAYS = 36500


@dataclass(frozen=True, slots=True)
class Service:
    """A recurring line's service from `start`: for `length` (None: until cancelled), then over again if it `renews`."""

    start: date
    length: Interval | None
    renews: bool = False

    @property
    def end(self) -> date | None:
        """The first day not served."""
        if self.length is None:
            return None
        return add_months(self.start, self.length.months) + timedelta(days=self.length.days)


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    p: Mapping[str, str | None]
    notes: Notes

    def text(self, prop: str) -> str:
        return (self.p.get(prop) or "").strip()

    def ask(self, code: str, sentence: str, action: str) -> None:
        self.notes.ask(code, sentence, action)


def is_sane(day: date) -> bool:
    """Say whether a day is one that a deal can start on."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def frequency(properties: Mapping[str, str | None]) -> str:
    """Return the billing frequency's text; empty for a one-time line."""
    return (properties.get("recurringbillingfrequency") or "").strip()


def first_day(name: str, properties: Mapping[str, str | None], won_on: date | None, notes: Notes) -> date | None:
    """Return the day on which billing of a line starts, or None where the line itself names none.

    `won_on` is the close date, from which delays count.
    """
    line = _Line(name, properties, notes)
    given = [prop for prop in _STARTS if not is_nothing(line.text(prop))]
    chosen = line.text("hs_billing_start_delay_type") or (given[0] if len(given) == 1 else "")
    if not chosen and not given:
        return None
    if not chosen:
        words = " and ".join(_STARTS[prop] for prop in given)
        line.ask(
            "bad_start", f'The billing start of "{name}" is {words}, and only one can hold.',
            "Keep one billing start on the line item: a date, a number of days or a number of months.",
        )  # fmt: skip
    elif chosen not in _STARTS:
        line.ask(
            "bad_start", f'HubSpot has "{chosen}" as the kind of billing start of "{name}".',
            "Choose the billing start of the line item anew.",
        )  # fmt: skip
    elif not line.text(chosen):
        line.ask(
            "bad_start", f'The billing start of "{name}" is to be {_STARTS[chosen]}, but none is set.',
            "Set the billing start of the line item.",
        )  # fmt: skip
    else:
        return _dated(line) if chosen == _DATE else _delayed(line, chosen, won_on)
    return None


def _dated(line: _Line) -> date | None:
    raw = line.text(_DATE)
    try:
        day = date.fromisoformat(raw[:10]) if re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", raw) else None
    except ValueError:
        day = None
    if day is None or not is_sane(day):
        line.ask(
            "bad_start", f'HubSpot has "{raw}" as the billing start date of "{line.name}".',
            "Correct the line item.",
        )  # fmt: skip
        return None
    return day


def _delayed(line: _Line, prop: str, won_on: date | None) -> date | None:
    raw = line.text(prop)
    count = _count(raw)
    if count is None or count > _MOST[prop]:
        unit = "days" if prop == _DAYS else "months"
        line.ask(
            "bad_start", f'HubSpot has "{raw}" as the {unit} by which the billing of "{line.name}" starts later.',
            "Correct the line item.",
        )  # fmt: skip
        return None
    if won_on is None:
        return None
    return won_on + timedelta(days=count) if prop == _DAYS else add_months(won_on, count)


def read(name: str, properties: Mapping[str, str | None], start: date, notes: Notes) -> Service:
    """Return the service of a recurring line that starts on `start`; what isn't understood is asked."""
    line = _Line(name, properties, notes)
    terms = line.text("hs_recurring_billing_terms").upper()
    if terms not in ("", _FIXED, _RENEWS):
        line.ask(
            "bad_renewal", f'HubSpot has "{terms}" as the billing terms of "{name}".',
            "Choose a fixed number of payments or automatic renewal on the line item.",
        )  # fmt: skip
    length = _length(line, terms)
    renews = terms == _RENEWS and length is not None
    if renews and length is not None and not length.months:
        notes.ask(
            "not_supported", f'"{name}" renews after a term in weeks, which Dealwright doesn\'t bill yet.',
            "Give the line item a fixed term, or let it run until it is cancelled.", FINANCE,
        )  # fmt: skip
    return Service(start, length, renews)


def _length(line: _Line, terms: str) -> Interval | None:
    """Return the contract's length; None when the line runs until it is cancelled (or when that is now a question)."""
    raw = line.text("hs_recurring_billing_period")
    payments = _payments(line)
    if raw:
        term = _term(line, raw)
        if term is not None:
            _compare(line, term, payments)
        return term
    cycle = _cycle(line)
    if payments and cycle:
        return _times(cycle, payments)
    if terms == _RENEWS or _says_until_cancelled(line, terms):
        return None
    line.ask(
        "no_term", f'"{line.name}" has no term, so Dealwright doesn\'t know how long to bill it.',
        'Set "Term" on the line item, for example 12 months.',
    )  # fmt: skip
    return None


def _says_until_cancelled(line: _Line, terms: str) -> bool:
    """HubSpot says it by an empty number of payments; where that was not read, or a fixed end is told, it doesn't."""
    prop = "hs_recurring_billing_number_of_payments"
    return prop in line.p and terms != _FIXED and not line.text("hs_recurring_billing_end_date")


def _term(line: _Line, raw: str) -> Interval | None:
    found = _TERM.fullmatch(raw)
    weeks, years, months, days = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    in_months, in_days = years * 12 + months, weeks * 7 + days
    if not (in_months or in_days) or in_months > MAX_MONTHS or in_days > _MOST_DAYS:
        line.ask(
            "bad_term", f'HubSpot has "{raw}" as the term of "{line.name}".',
            'Set "Term" on the line item, for example 12 months.',
        )  # fmt: skip
        return None
    cycle = _cycle(line)
    if (in_months and in_days) or (cycle is not None and bool(cycle.months) != bool(in_months)):
        words = f", which doesn't fit being billed {_words(line)}" if cycle else ""
        line.ask(
            "bad_term", f'"{line.name}" has the term "{raw}"{words}.',
            'Set "Term" on the line item to a whole number of payments.',
        )  # fmt: skip
        return None
    return Interval(months=in_months, days=in_days)


def _payments(line: _Line) -> int | None:
    raw = line.text("hs_recurring_billing_number_of_payments")
    if is_nothing(raw):
        return None
    count, cycle = _count(raw), _cycle(line)
    if count is None or (cycle and (cycle.months * count > MAX_MONTHS or cycle.days * count > _MOST_DAYS)):
        line.ask(
            "bad_term", f'HubSpot has "{raw}" as the number of payments of "{line.name}".',
            'Set "Term" on the line item, for example 12 months.',
        )  # fmt: skip
        return None
    return count


def _compare(line: _Line, term: Interval, payments: int | None) -> None:
    """The payments that HubSpot counts are the second opinion on a term, as its net price is on a price."""
    cycle = _cycle(line)
    if payments is None or cycle is None or term == _times(cycle, payments):
        return
    told = f"{term.months} months" if term.months else f"{term.days} days"
    line.ask(
        "bad_term",
        f'The term of "{line.name}" is {told}, billed {_words(line)}, but HubSpot\'s number of payments is {payments}.',
        'Set "Term" on the line item to a whole number of payments.',
    )


def _times(cycle: Interval, payments: int) -> Interval:
    return Interval(months=cycle.months * payments, days=cycle.days * payments)


def _cycle(line: _Line) -> Interval | None:
    known = FREQUENCIES.get(frequency(line.p))
    return Interval.parse(known[0]) if known else None


def _words(line: _Line) -> str:
    return FREQUENCIES[frequency(line.p)][1]


def _count(raw: str) -> int | None:
    found = _COUNT.fullmatch(raw)
    return int(found[1]) if found else None
