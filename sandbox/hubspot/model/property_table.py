"""The default properties of each record type: (name, label, type, field type, kind).

`kind` is "" for what anyone may write, "system" for what HubSpot writes, "computed" for what it calculates.
Enumerations take their options from OPTIONS.
"""

from __future__ import annotations

Row = tuple[str, str, str, str, str]

_RECORD: tuple[Row, ...] = (
    ("hs_object_id", "Record ID", "number", "number", "system"),
    ("createdate", "Create date", "datetime", "date", "system"),
    ("hs_lastmodifieddate", "Last modified date", "datetime", "date", "system"),
    ("hubspot_owner_id", "Owner", "enumeration", "select", ""),
)

_DEAL: tuple[Row, ...] = (
    ("dealname", "Deal name", "string", "text", ""),
    ("amount", "Amount", "number", "number", ""),
    ("amount_in_home_currency", "Amount in company currency", "number", "calculation_equation", "computed"),
    ("deal_currency_code", "Currency", "enumeration", "select", ""),
    ("pipeline", "Pipeline", "enumeration", "select", ""),
    ("dealstage", "Deal stage", "enumeration", "radio", ""),
    ("closedate", "Close date", "datetime", "date", ""),
    ("dealtype", "Deal type", "enumeration", "radio", ""),
    ("description", "Description", "string", "textarea", ""),
    ("hs_is_closed", "Is deal closed?", "bool", "calculation_read_time", "computed"),
    ("hs_is_closed_won", "Is closed won", "bool", "calculation_read_time", "computed"),
    ("hs_deal_stage_probability", "Deal probability", "number", "number", "computed"),
)

_COMPANY: tuple[Row, ...] = (
    ("name", "Company name", "string", "text", ""),
    ("domain", "Company domain name", "string", "text", ""),
    ("phone", "Phone number", "string", "phonenumber", ""),
    ("address", "Street address", "string", "text", ""),
    ("address2", "Street address 2", "string", "text", ""),
    ("city", "City", "string", "text", ""),
    ("state", "State/Region", "string", "text", ""),
    ("zip", "Postal code", "string", "text", ""),
    ("country", "Country/Region", "string", "text", ""),
    ("industry", "Industry", "string", "text", ""),
    ("numberofemployees", "Number of employees", "number", "number", ""),
    ("lifecyclestage", "Lifecycle stage", "enumeration", "radio", ""),
)

_CONTACT: tuple[Row, ...] = (
    ("firstname", "First name", "string", "text", ""),
    ("lastname", "Last name", "string", "text", ""),
    ("email", "Email", "string", "text", ""),
    ("phone", "Phone number", "string", "phonenumber", ""),
    ("jobtitle", "Job title", "string", "text", ""),
    ("company", "Company name", "string", "text", ""),
    ("lifecyclestage", "Lifecycle stage", "enumeration", "radio", ""),
    ("lastmodifieddate", "Last modified date", "datetime", "date", "system"),
)

_LINE_ITEM: tuple[Row, ...] = (
    ("name", "Name", "string", "text", ""),
    ("description", "Product description", "string", "textarea", ""),
    ("hs_sku", "SKU", "string", "text", ""),
    ("hs_product_id", "Product ID", "number", "number", ""),
    ("quantity", "Quantity", "number", "number", ""),
    ("price", "Unit price", "number", "number", ""),
    ("discount", "Unit discount", "number", "number", ""),
    ("hs_discount_percentage", "Discount percentage", "number", "number", ""),
    ("amount", "Net price", "number", "calculation_equation", "computed"),
    ("hs_pre_discount_amount", "Pre-discount amount", "number", "calculation_equation", "computed"),
    ("hs_total_discount", "Total discount", "number", "calculation_equation", "computed"),
    ("hs_line_item_currency_code", "Currency", "enumeration", "select", ""),
    ("recurringbillingfrequency", "Billing frequency", "enumeration", "select", ""),
    ("hs_recurring_billing_period", "Term", "string", "text", ""),
    (
        "hs_recurring_billing_number_of_payments",
        "Number of payments",
        "number",
        "calculation_equation",
        "computed",
    ),
    ("hs_recurring_billing_terms", "Billing terms", "string", "text", ""),
    ("hs_recurring_billing_start_date", "Billing start date", "date", "date", ""),
    ("hs_recurring_billing_end_date", "Billing end date", "date", "date", "computed"),
    ("hs_billing_start_delay_type", "Delayed billing start", "enumeration", "select", ""),
    ("hs_billing_start_delay_days", "Billing start delay (days)", "number", "number", ""),
    ("hs_billing_start_delay_months", "Billing start delay (months)", "number", "number", ""),
    ("hs_term_in_months", "Term in months", "number", "calculation_equation", "computed"),
    ("hs_pricing_model", "Pricing model", "enumeration", "select", ""),
    ("hs_tier_ranges", "Tier ranges", "string", "textarea", ""),
    ("hs_tier_prices", "Tier prices", "string", "textarea", ""),
    ("hs_tax_rate_group_id", "Tax rate", "string", "text", ""),
    ("hs_position_on_quote", "Position", "number", "number", ""),
)

ROWS: dict[str, tuple[Row, ...]] = {
    "deal": _RECORD + _DEAL,
    "company": _RECORD + _COMPANY,
    "contact": _RECORD + _CONTACT,
    "line_item": _RECORD + _LINE_ITEM,
}

FREQUENCIES: dict[str, str] = {
    "weekly": "Weekly",
    "biweekly": "Every two weeks",
    "monthly": "Monthly",
    "quarterly": "Quarterly",
    "per_six_months": "Semi-annually",
    "annually": "Annually",
    "per_two_years": "Every two years",
    "per_three_years": "Every three years",
    "per_four_years": "Every four years",
    "per_five_years": "Every five years",
}

START_KINDS: dict[str, str] = {
    "hs_recurring_billing_start_date": "On a date",
    "hs_billing_start_delay_days": "After days",
    "hs_billing_start_delay_months": "After months",
}

PRICING_MODELS: dict[str, str] = {
    "flat": "Flat",
    "volume": "Volume",
    "graduated": "Graduated",
    "stairstep": "Stairstep",
}

_LIFECYCLE = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing Qualified Lead",
    "salesqualifiedlead": "Sales Qualified Lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}

_CURRENCIES = {code: code for code in ("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY", "SEK")}

OPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("deal", "dealtype"): {"newbusiness": "New Business", "existingbusiness": "Existing Business"},
    ("deal", "deal_currency_code"): _CURRENCIES,
    ("company", "lifecyclestage"): _LIFECYCLE,
    ("contact", "lifecyclestage"): _LIFECYCLE,
    ("line_item", "recurringbillingfrequency"): FREQUENCIES,
    ("line_item", "hs_line_item_currency_code"): _CURRENCIES,
    ("line_item", "hs_billing_start_delay_type"): START_KINDS,
    ("line_item", "hs_pricing_model"): PRICING_MODELS,
}
