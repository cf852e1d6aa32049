"""The core's answer as schemas."""

from __future__ import annotations

from marshmallow import fields

from app.api.fields import Strict, choice, day, decimal, flag, forms, many, one, signed, text, words


class Question(Strict):
    """What a person has to answer before the deal is invoiced."""

    text = words("The question", required=True)
    span = fields.List(fields.Integer(), allow_none=True, required=True, metadata={
        "description": "The characters [from, to) of `terms` it is about; null when it is about a field",
    })  # fmt: skip
    readings = fields.List(words("A reading"), required=True, metadata={"description": "What could be meant"})


class Line(Strict):
    """One item over one stretch of days. `gross` - `discount` = `amount`."""

    item = words("Key of the item, or `credits[n]`", "platform", required=True)
    start = day("First day", required=True)
    end = day("The first day not in it", "2027-02-01", required=True)
    quantity = words("Quantity", "10", required=True)
    unit_price = words("Price of one for each price interval, before discounts", "100.00", required=True)
    gross = signed("Quantity x price x intervals served", "1000.00", required=True)
    discount = signed("What was taken off", "200.00", required=True)
    amount = signed("What is charged; negative when it gives back", "800.00", required=True)
    fraction = words("Share of the price unit, such as 9/30; empty when whole", "", required=True)
    terms = fields.List(fields.Integer(), required=True, metadata={"description": "Positions in the answer's `terms`"})
    corrects = words("The issued document, or the item and days, that it corrects", allow_none=True, required=True)
    change = words("The change that made the line; null on a regular one", allow_none=True, required=True)
    why = words("How the amount came to be", "10 x 100.00 a month, less 20%, 1 Jan - 31 Jan 2027", required=True)


class Document(Strict):
    """An invoice or credit note to issue."""

    kind = choice("Which", "invoice", "credit_note", required=True)
    date = day("Its scheduled date", required=True)
    due = day("When it is due", "2027-01-31", required=True)
    bill_to = words("Who pays", "Acme Inc", required=True)
    change = words("The change whose own document it is; null for a regular one", allow_none=True, required=True)
    lines = many(Line, "What is charged and given back", required=True)
    net = signed("Sum of the lines", "800.00", required=True)
    notes = fields.List(words("A note"), required=True, metadata={"description": "What else to know"})
    sent = flag("False when every line is zero by itself: recorded, sent to nobody", required=True)
    billable = flag("False while a question is open", required=True)


class Totals(Strict):
    """Sums over the documents shown."""

    net = signed("All of them", "13800.00", required=True)
    by_item = fields.Dict(keys=fields.String(), values=signed("Amount", "11300.00"), required=True, metadata={
        "description": "Each item's part, by its key",
    })  # fmt: skip


class NextTerm(Strict):
    """What follows the term in progress."""

    notice_deadline = day("Last day on which notice can be given", "2027-11-02", allow_none=True, required=True)
    next_start = day("First day after the term", "2028-01-01", required=True)
    price = fields.Dict(keys=fields.String(), values=decimal("Price"), allow_none=True, required=True, metadata={
        "description": "Unit price of each item in the next term; null if unknown, or if nothing renews by itself",
    })  # fmt: skip


class Fault(Strict):
    """One fault of a document."""

    field = words("Path of the field; empty for the document itself", "items[0].unit_price", required=True)
    value = forms("What was found there", {}, example="ten", required=True)
    allowed = words("What is allowed, in words", 'a decimal as text, 0 or more, such as "100.00"', required=True)


class Answer(Strict):
    """Every document still to issue with the reason of each cent, or a precise question."""

    status = choice("What kind of answer this is", "ok", "needs_clarification", "rejected", "invalid", required=True)
    reading = fields.List(words("A sentence"), required=True, metadata={"description": "How the deal was understood"})
    terms = fields.List(fields.Dict(), required=True, metadata={
        "description": "What was read in `terms`, in the document's own fields, each with its `span`",
    })  # fmt: skip
    questions = many(Question, "What is open; nothing is invoiced until it is answered", required=True)
    notes = fields.List(words("A note"), required=True, metadata={"description": "What else to know"})
    documents = many(Document, "What to issue, by date", required=True)
    totals = one(Totals, "Sums; null when there are no documents to sum", allow_none=True, required=True)
    renewal = one(NextTerm, "The next term; null when open ended", allow_none=True, required=True)
    errors = many(Fault, "Every fault at once; only when `invalid`")
    reason = text("Why, naming what clashes; only when `rejected`", allow_none=True)


class ErrorFields(Strict):
    """What went wrong with the request itself."""

    code = text("A stable word", "bad_json", required=True)
    message = text("A sentence for a person", "This is not JSON: expecting value at line 1 column 1.", required=True)
    fields_ = fields.Dict(data_key="fields", required=True, metadata={"description": "Details"})


class Error(Strict):
    """A request that could not be answered."""

    error = one(ErrorFields, "What went wrong", required=True)
