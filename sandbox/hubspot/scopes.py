"""The scopes an app can ask for, in the words of the consent page."""

from __future__ import annotations

_OBJECTS = ("deals", "companies", "contacts", "line_items", "products", "quotes", "invoices", "subscriptions")

DESCRIPTIONS: dict[str, str] = {
    "oauth": "Basic account information",
    "crm.objects.owners.read": "Read owners",
    "e-commerce": "Products and line items",
    "tax_rates.read": "Read tax rates",
    "timeline": "Timeline events",
    "timeline.write": "Write timeline events",
    "external-settings-access": "Account settings",
    "crm.objects.commercepayments.read": "Read payments",
    "crm.objects.commercepayments.write": "Change payments",
    **{
        f"crm.objects.{name}.{verb}": f"{word} {name.replace('_', ' ')}"
        for name in _OBJECTS
        for verb, word in (("read", "Read"), ("write", "Change"))
    },
    **{
        f"crm.schemas.{name}.{verb}": f"{word} property settings of {name.replace('_', ' ')}"
        for name in _OBJECTS
        for verb, word in (("read", "Read"), ("write", "Change"))
    },
}
