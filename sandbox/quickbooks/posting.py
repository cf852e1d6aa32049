"""Arithmetic of a sales transaction: lines, subtotal, discount, tax, total. Pure; money is Decimal with two decimals.

The rounding of tax (half away from zero, once per rate) is this stand-in's own: QuickBooks doesn't document its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.quickbooks import figures
from sandbox.quickbooks.fields import Document

SALES, DISCOUNT, SUBTOTAL, DESCRIPTION = (
    "SalesItemLineDetail",
    "DiscountLineDetail",
    "SubTotalLineDetail",
    "DescriptionOnly",
)
EXCLUDED, INCLUSIVE, NOT_APPLICABLE = "TaxExcluded", "TaxInclusive", "NotApplicable"
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Tax:
    """What a tax code of a line means: one rate, in percent; and the code named on the transaction (US only)."""

    rate_id: str
    percent: Decimal
    txn_code_id: str | None = None


@dataclass(frozen=True)
class Posted:
    """A computed transaction; `lines` end with the subtotal and, if any, the discount."""

    lines: list[Document]
    tax_detail: Document
    total: Decimal


def post(
    lines: Sequence[Document],
    taxes: Mapping[str, Tax],
    method: str = EXCLUDED,
    *,
    discount_lowers_tax: bool = False,
    last_line_id: int = 0,
) -> Posted:
    """Compute a transaction from cleaned lines. Lines of subtotals are dropped and made anew. New lines get ids above
    `last_line_id`.

    With TaxInclusive the amounts sent hold the tax: `Amount` becomes the net part, `TaxInclusiveAmt` what was sent.
    """
    kept = [dict(line) for line in lines if line["DetailType"] not in (SUBTOTAL, DISCOUNT)]
    if method == INCLUSIVE:
        _take_tax_out(kept, taxes)
    subtotal = figures.total(amount_of(line) for line in kept)
    discounts = [_discount(line, subtotal) for line in lines if line["DetailType"] == DISCOUNT]
    discount = figures.total(amount_of(line) for line in discounts)
    bases = {} if method == NOT_APPLICABLE else _bases(kept, taxes)
    if discount_lowers_tax and subtotal:
        left = (subtotal - discount) / subtotal
        bases = {code: base * left for code, base in bases.items()}
    tax_lines = [_tax_line(taxes[code], base) for code, base in bases.items()]
    if method == INCLUSIVE and not discounts:
        _fit_to_gross(kept, tax_lines)
    tax = figures.total(Decimal(line["Amount"]) for line in tax_lines)
    _number(kept + discounts, last_line_id)
    below = {"Amount": figures.amount_text(subtotal), "DetailType": SUBTOTAL, SUBTOTAL: {}}
    detail = _tax_detail(tax, tax_lines, [taxes[code] for code in bases])
    return Posted([*kept, below, *discounts], detail, subtotal - discount + tax)


def amount_of(line: Document) -> Decimal:
    """Return a line's amount; text lines have none."""
    return Decimal(line.get("Amount", "0"))


def gross_of(line: Document) -> Decimal:
    """Return a line's amount with the tax in it where that was sent; a zero there is a client's empty default."""
    sent = Decimal(line.get(SALES, {}).get("TaxInclusiveAmt", "0"))
    return sent or amount_of(line)


def voided(lines: Sequence[Document]) -> list[Document]:
    """Return lines as a void leaves them: all amounts and quantities nothing."""
    result = []
    for line in lines:
        copy = dict(line) | ({"Amount": "0.00"} if "Amount" in line else {})
        if SALES in copy:
            detail = {name: value for name, value in copy[SALES].items() if name != "TaxInclusiveAmt"}
            copy[SALES] = detail | ({"Qty": "0"} if "Qty" in detail else {})
        result.append(copy)
    return result


def _discount(line: Document, subtotal: Decimal) -> Document:
    detail = line.get(DISCOUNT, {})
    if not detail.get("PercentBased"):
        return dict(line)
    share = subtotal * Decimal(detail.get("DiscountPercent", "0")) / HUNDRED
    return dict(line) | {"Amount": figures.amount_text(share)}


def _bases(lines: Sequence[Document], taxes: Mapping[str, Tax]) -> dict[str, Decimal]:
    """Return what is taxable per tax code, in order of first use."""
    bases: dict[str, Decimal] = {}
    for line in lines:
        code = line.get(SALES, {}).get("TaxCodeRef", {}).get("value")
        if code in taxes:
            bases[code] = bases.get(code, figures.ZERO) + amount_of(line)
    return bases


def _take_tax_out(lines: Sequence[Document], taxes: Mapping[str, Tax]) -> None:
    for line in lines:
        detail = line.get(SALES)
        tax = taxes.get(detail.get("TaxCodeRef", {}).get("value")) if detail else None
        if detail is None or tax is None:
            continue
        gross = gross_of(line)
        line[SALES] = detail | {"TaxInclusiveAmt": figures.amount_text(gross)}
        line["Amount"] = figures.amount_text(gross / (1 + tax.percent / HUNDRED))


def _fit_to_gross(lines: Sequence[Document], tax_lines: list[Document]) -> None:
    """Make net and tax add up to the amounts that hold the tax; the last rate takes the cents of rounding."""
    if not tax_lines:
        return
    gross = figures.total(gross_of(line) for line in lines)
    net = figures.total(amount_of(line) for line in lines)
    others = figures.total(Decimal(line["Amount"]) for line in tax_lines[:-1])
    tax_lines[-1]["Amount"] = figures.amount_text(gross - net - others)


def _tax_line(tax: Tax, base: Decimal) -> Document:
    taxable = figures.to_cents(base)
    return {
        "Amount": figures.amount_text(taxable * tax.percent / HUNDRED),
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": tax.rate_id},
            "PercentBased": True,
            "TaxPercent": figures.plain_text(tax.percent),
            "NetAmountTaxable": figures.amount_text(taxable),
        },
    }


def _tax_detail(total_tax: Decimal, tax_lines: list[Document], used: Sequence[Tax]) -> Document:
    detail: Document = {"TotalTax": figures.amount_text(total_tax)}
    if tax_lines:
        detail["TaxLine"] = tax_lines
    if len(used) == 1 and used[0].txn_code_id is not None:
        detail["TxnTaxCodeRef"] = {"value": used[0].txn_code_id}
    return detail


def _number(lines: Sequence[Document], last: int) -> None:
    """Give new lines ids above those that exist, and every line its place."""
    last = max([last, *(int(line["Id"]) for line in lines if str(line.get("Id", "")).isdecimal())])
    for place, line in enumerate(lines, start=1):
        if not str(line.get("Id", "")).isdecimal():
            last += 1
            line["Id"] = str(last)
        line["LineNum"] = place
