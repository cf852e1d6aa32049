"""What is special about each kind of record. A new kind adds a module here and a line below."""

from sandbox.hubspot.model.rules import deals, line_items, plain
from sandbox.hubspot.model.rules.plain import Rules

BY_TYPE: dict[str, Rules] = {
    "deal": deals.RULES,
    "line_item": line_items.RULES,
    "company": plain.RULES,
    "contact": plain.CONTACT_RULES,
}
