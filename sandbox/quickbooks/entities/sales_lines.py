"""Lines of a sales transaction: what a request may say, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sandbox.quickbooks import posting, refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities.base import resolve
from sandbox.quickbooks.fields import (
    Document,
    amount,
    anything,
    choice,
    day,
    flag,
    number,
    part,
    parts,
    ref,
    text,
    whole,
)
from sandbox.quickbooks.posting import DESCRIPTION, DISCOUNT, SALES, SUBTOTAL, Tax

MAX_LINES = 10_000
MAX_TAXABLE_LINES = 750
US_TAXABLE, US_EXEMPT = "TAX", "NON"
US_STATE_CODE = "2"

SALES_DETAIL = part(
    SALES,
    day("ServiceDate"),
    ref("ItemRef"),
    ref("ClassRef"),
    number("UnitPrice"),
    number("Qty"),
    ref("ItemAccountRef"),
    ref("TaxCodeRef"),
    amount("TaxInclusiveAmt"),
    *anything("DiscountAmt", "DiscountRate", "MarkupInfo", "TaxClassificationRef", "PriceLevelRef"),
)
LINE = parts(
    "Line",
    text("Id"),
    whole("LineNum"),
    text("Description", 4000),
    amount("Amount"),
    parts("LinkedTxn", text("TxnId"), text("TxnType"), text("TxnLineId")),
    choice("DetailType", SALES, DISCOUNT, SUBTOTAL, DESCRIPTION, "GroupLineDetail"),
    SALES_DETAIL,
    part(
        DISCOUNT,
        flag("PercentBased"),
        number("DiscountPercent"),
        ref("DiscountAccountRef"),
        ref("TaxCodeRef"),
        ref("ClassRef"),
    ),
    part(SUBTOTAL, *anything("ItemRef", "ServiceDate")),
    part("DescriptionLineDetail", day("ServiceDate"), ref("TaxCodeRef")),
    *anything("GroupLineDetail", "CustomField", "CustomExtensions"),
)


def taxes(books: Books) -> dict[str, Tax]:
    """Return what tax codes of lines mean: in the US the pseudo code TAX alone, elsewhere every code with a rate."""
    if books.is_us:
        state = _rate_of(books, books.find("TaxCode", US_STATE_CODE), US_STATE_CODE)
        return {US_TAXABLE: state} if state else {}
    rates = {code["Id"]: _rate_of(books, code, None) for code in books.all("TaxCode")}
    return {code: tax for code, tax in rates.items() if tax is not None}


def _rate_of(books: Books, code: Document | None, txn_code_id: str | None) -> Tax | None:
    details = (code or {}).get("SalesTaxRateList", {}).get("TaxRateDetail", [])
    rate = books.find("TaxRate", details[0]["TaxRateRef"]["value"]) if details else None
    return Tax(rate["Id"], Decimal(rate["RateValue"]), txn_code_id) if rate else None


def check(books: Books, lines: Sequence[Document], method: str, known: Mapping[str, Tax]) -> list[Document]:
    """Return the lines with names and tax codes filled in. Raises Refusal 2020, 2500, 610, 6000 or 6070."""
    if len(lines) > MAX_LINES:
        raise refusals.business(f"A transaction can not have more than {MAX_LINES} lines")
    checked = [_check_line(books, dict(line), method) for line in lines]
    if not any(line["DetailType"] == SALES for line in checked):
        raise refusals.missing("Line")
    taxed = [line for line in checked if line.get(SALES, {}).get("TaxCodeRef", {}).get("value") in known]
    if len(taxed) > MAX_TAXABLE_LINES:
        raise refusals.business(f"A taxable transaction can not have more than {MAX_TAXABLE_LINES} lines")
    return checked


def _check_line(books: Books, line: Document, method: str) -> Document:
    kind = line.get("DetailType")
    if kind is None:
        raise refusals.missing("Line.DetailType")
    if kind == SALES:
        return _check_sales(books, line, method)
    if kind == DISCOUNT:
        return _check_discount(books, line)
    if kind == DESCRIPTION:
        line.pop("Amount", None)
    elif kind != SUBTOTAL:
        raise refusals.business("Lines of groups are not supported here")
    return line


def _check_sales(books: Books, line: Document, method: str) -> Document:
    detail = dict(line.get(SALES) or {})
    line[SALES] = detail
    item = resolve(books, "Item", detail, "ItemRef")
    if item is None:
        # Provider fact: without an item the line is text, and its amount is ignored.
        line.pop("Amount", None)
        return line
    if "Amount" not in line:
        raise refusals.missing("Line.Amount")
    if not _is_product(line, detail):
        raise refusals.wrong_amount(line["Amount"])
    if item.get("Type") == "Service" and "IncomeAccountRef" not in item:
        raise refusals.Refusal("2390", "Item has no income account", f"Item {item['Name']} has no account", element="")
    resolve(books, "Class", detail, "ClassRef")
    _set_tax_code(books, detail, method)
    return line


def _is_product(line: Document, detail: Document) -> bool:
    """Say whether the amount (the one with tax, where that was sent) is exactly quantity times price."""
    if "Qty" not in detail or "UnitPrice" not in detail:
        return True
    product = Decimal(detail["Qty"]) * Decimal(detail["UnitPrice"])
    return product in (posting.amount_of(line), posting.gross_of(line))


def _set_tax_code(books: Books, detail: Document, method: str) -> None:
    """Provider fact: US lines say TAX or NON, NON when silent; elsewhere every line names a code of the company."""
    sent = detail.get("TaxCodeRef", {}).get("value")
    if books.is_us:
        if sent not in (None, US_TAXABLE, US_EXEMPT):
            raise refusals.invalid_reference("TaxCodeRef", str(sent))
        detail["TaxCodeRef"] = {"value": sent or US_EXEMPT}
    elif sent is not None:
        resolve(books, "TaxCode", detail, "TaxCodeRef")
        detail["TaxCodeRef"] = {"value": sent}
    elif method != posting.NOT_APPLICABLE:
        raise refusals.business("Make sure all your transactions have a tax rate before you save.")


def _check_discount(books: Books, line: Document) -> Document:
    if not books.prefers("SalesFormsPrefs", "AllowDiscount"):
        raise refusals.business("Discounts are not enabled for this company")
    detail = dict(line.get(DISCOUNT) or {})
    line[DISCOUNT] = detail
    resolve(books, "Account", detail, "DiscountAccountRef")
    if detail.get("PercentBased"):
        if not 0 <= Decimal(detail.get("DiscountPercent", "0")) <= posting.HUNDRED:
            raise refusals.business("A discount is between 0 and 100 percent")
    elif "Amount" not in line:
        raise refusals.missing("Line.Amount")
    return line
