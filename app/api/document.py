"""The deal document as schemas. Every field's meaning with examples: docs/deal-document.md."""

from __future__ import annotations

from marshmallow import fields

from app.api.fields import (
    AMOUNT_FORM,
    DAY_FORM,
    Strict,
    choice,
    day,
    decimal,
    flag,
    forms,
    many,
    month,
    one,
    percent,
    text,
    whole,
    word_form,
    words,
)
from app.api.item import Billing, Discount, Item, Step, Tax


class Relation(Strict):
    """How the deal stands to other deals of the customer."""

    kind = choice("What it does to them; `new` by default", "new", "renewal", "adds", "replaces")
    of = fields.List(text("The other deal's `id`", "D-1000"), metadata={"description": "Those deals"})


class Early(Strict):
    """A discount for paying early, printed and sent to the ledger, never taken off a total here."""

    percent = percent("How much", "2", required=True)
    days = whole("Paid within this many days", 0, 3650, 10, required=True)


class LateFee(Strict):
    """A fee for paying late, printed and sent to the ledger, never added to a total here."""

    percent = percent("How much", "1.5", required=True)
    per = text("For each of these", "month")


class Payment(Strict):
    """When documents are due."""

    net_days = whole("Days to pay; 30 by default", 0, 3650, 30)
    from_ = choice("What they count from: the document's date (the default), or the end of its month", "invoice",
                   "end_of_month", data_key="from")  # fmt: skip
    early = one(Early, "Discount for paying early")
    late_fee = one(LateFee, "Fee for paying late")


class RenewalPrice(Strict):
    """The price of the next term, in one of the forms `same`, `uplift_percent`, `list`, `index`, `cap_percent`."""

    same = flag("The price stays")
    uplift_percent = percent("The price then in force rises by this", "5")
    list = flag("The list price: every discount ends with the term")
    index = text("An index; until its value is known the renewal is a question", "CPI-U")
    floor = percent("With `index`: it rises by this at least", "2")
    cap = percent("With `index`: it rises by this at most", "6")
    cap_percent = percent("To be agreed, but it rises by this at most: a question at renewal", "7")


class Renewal(Strict):
    """What happens at the end of a fixed term."""

    auto = flag("Whether the contract goes on by itself; false by default")
    term_months = month("Length of the next term; the same as before by default", 12)
    notice_days = whole("Days before the end by which notice is given", 0, 3650, 60)
    price = one(RenewalPrice, "Price of the next term; `same` by default")


class Exit(Strict):
    """An early way out of a fixed term: after a month, or on one of some dates."""

    party = text("Who may leave", "customer")
    after_month = month("On or after this many service months", 6)
    dates = fields.List(day("A date on which one may leave", "2027-07-01"), metadata={"description": "Only on these"})
    notice_days = whole("Days of notice", 0, 3650, 30)
    fee = decimal("Charged when the way out is used", "500.00")


class Credit(Strict):
    """An amount owed to the customer; unlike a discount, what an invoice can't take is carried."""

    amount = decimal("How much in all", "300.00", required=True)
    when = forms("From when: the start (the default), a date, a service month, or a milestone", word_form("start"),
                 DAY_FORM, {"$ref": "#/components/schemas/When"}, example="2027-03-01")  # fmt: skip
    invoices = whole("Over how many invoices it is spread evenly", 1, 1200, 3)
    carry = flag("Whether what is left goes on to later invoices; true by default")


class Replacement(Strict):
    """One item instead of another from a day on."""

    from_ = text("Key of the item that ends", "basic", data_key="from", required=True)
    to = one(Item, "The item that begins", required=True)


class Pause(Strict):
    """Recurring items are not due until the service is resumed."""

    until = day("The first day served again, if it is known", "2027-06-01")
    extends_term = flag("Whether the contract's end moves by the days paused")


class Resume(Strict):
    """The service goes on."""

    extends_term = flag("Whether the contract's end moves by the days paused")


class Change(Strict):
    """A dated amendment: one of item, add, remove, replace, billing, pause, resume, cancel and uncancel."""

    id = text("Its name, by which documents and settled entries point to it", "C-1")
    effective = day("The day that belongs to the new state first", "2027-04-16", required=True)
    recorded = day("When it became known; before that day it doesn't count. `as_of` by default", "2027-04-02")
    proration = choice(
        "`none`: it counts from the start of the period it falls in; `daily` by default", "daily", "none"
    )
    settle = forms("What comes back on a decrease: nothing, the unused days, or an amount", word_form("none", "unused"),
                   AMOUNT_FORM, example="unused")  # fmt: skip
    item = text("Key of the item whose fields change", "platform")
    quantity = decimal("The item's new quantity", "12")
    unit_price = decimal("The item's new price", "90.00")
    steps = many(Step, "The item's new steps")
    discounts = many(Discount, "The item's new discounts, instead of all it had")
    add = one(Item, "An item that begins")
    remove = text("Key of an item that ends", "addon")
    replace = one(Replacement, "One item instead of another")
    billing = one(Billing, "Another billing rhythm")
    pause = one(Pause, "Stop the service for a while")
    resume = one(Resume, "Go on after a pause")
    cancel = choice("End the deal: on `effective`, at the period's end, or at the term's end", "at", "period_end",
                    "term_end")  # fmt: skip
    uncancel = forms("Take a cancellation back", {"const": True}, {"type": "object", "maxProperties": 0}, example=True)


class Payer(Strict):
    """One of several who pay, line by line."""

    name = text("Who", "Acme Holding", required=True)
    share = percent("How much of each line; the last one takes the rest", "60")


class Po(Strict):
    """The customer's purchase order, printed on invoices."""

    number = text("Its number", "PO-7731")
    required = flag("Whether invoices may not go out without one; false by default")
    per = text("What each order is for", "year")


class Contacts(Strict):
    """Who receives the invoices instead of the customer's usual address."""

    to = fields.List(text("An address", "ap@acme.example"), metadata={"description": "To"})
    cc = fields.List(text("An address", "cfo@acme.example"), metadata={"description": "Copies"})


class Usage(Strict):
    """One reading of a meter. Raw events never enter the document."""

    meter = text("Which meter", "api_calls", required=True)
    start = day("First day", "2027-01-01", required=True)
    end = day("The first day not in it", "2027-02-01", required=True)
    quantity = decimal("How much", "12500", required=True)
    complete = flag("Whether nothing more will come for the days before `end`; false by default")


class Issued(Strict):
    """Days of an item that are settled: by an issued document, or by a person's decision. Append-only."""

    item = text("Key of the item", "platform", required=True)
    start = day("First day", "2027-01-01", required=True)
    end = day("The first day not in it", "2027-02-01", required=True)
    quantity = decimal("The line's quantity", "10")
    unit_price = decimal("The line's price", "100.00")
    change = text("The change whose own document it was", "C-1")
    charged = decimal("What was charged, 0 or more", "1000.00")
    credited = decimal("What was given back, 0 or more", "0")
    bill_to = text("Who it was billed to", "Acme Inc")
    document = text("Which document", "INV-1001")
    kind = choice("What settled it; `billed` by default", "billed", "skipped", "waived", "held", "override")


class DealDocument(Strict):
    """What was agreed, what changed, what was used and what was already issued. Null is as if a field were absent."""

    id = text("Identity of the deal", "D-1001")
    relation = one(Relation, "How it stands to other deals of the customer")
    customer = text("Name or key of the customer", "Acme Inc", required=True)
    currency = text("ISO 4217 code; every amount is in it", "USD", pattern="^[A-Z]{3}$", required=True)
    start = day("First day of service", required=True)
    term_months = month("Length of the contract in service months; 12 by default, null when open ended", 12,
                        allow_none=True)  # fmt: skip
    billing = one(Billing, "In which rhythm it is invoiced")
    payment = one(Payment, "When documents are due")
    renewal = one(Renewal, "What happens at the end of the term")
    exits = many(Exit, "Early ways out")
    items = many(Item, "What is sold", minItems=1, required=True)
    discounts = many(Discount, "Discounts on the deal; those without `items` cover its recurring items")
    credits = many(Credit, "Amounts owed to the customer")
    terms = words("Free text with further terms. Words that aren't understood are a question, never ignored",
                  "First 2 months 20% discount")  # fmt: skip
    changes = many(Change, "Dated amendments")
    tax = one(Tax, "Tax treatment of all items; the ledger decides the tax")
    bill_to = many(Payer, "Who pays; the customer by default")
    po = one(Po, "Purchase order")
    contacts = one(Contacts, "Recipients")
    memo = text("Printed on the invoice", "Thank you")
    reference = text("Printed on the invoice", "Project Apollo")
    control_total = decimal("What the parties wrote as total; a difference is a question", "13800.00")
    usage = many(Usage, "What the meters read")
    issued = many(Issued, "What is settled already")
    as_of = day("What is known on this day; today (in UTC) by default", "2026-11-21")
    until = day("Last document date shown, included; the end of the term by default", "2027-12-31")
