"""What customers, vendors and employees share: names, and that no two of them may have the same one."""

from __future__ import annotations

from sandbox.quickbooks import refusals
from sandbox.quickbooks.books import Books
from sandbox.quickbooks.entities.base import currency_ref
from sandbox.quickbooks.fields import Document, Field, text

NAME_PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
SHARING_NAMES = ("Customer", "Vendor", "Employee")
SEQUENCE = "name"

PERSON_NAME: tuple[Field, ...] = (
    text("Title", 16),
    text("GivenName", 100).queryable(),
    text("MiddleName", 100).queryable(),
    text("FamilyName", 100).queryable(),
    text("Suffix", 16).queryable(),
)


def set_names(books: Books, document: Document) -> None:
    """Fill DisplayName and PrintOnCheckName; refuse none (2020), forbidden characters, and a taken name (6240)."""
    built = " ".join(str(document[part]) for part in NAME_PARTS if document.get(part))
    name = str(document.get("DisplayName") or built).strip()
    if not name:
        raise refusals.missing("DisplayName")
    if set(name) & set(":\t\n"):
        raise refusals.business("A name can not hold a colon, a tab or a new line")
    document["DisplayName"] = name
    document.setdefault("PrintOnCheckName", name[:110])
    _check_unique(books, document)


def _check_unique(books: Books, document: Document) -> None:
    """Provider fact: unique over customers, vendors and employees together, inactive ones included."""
    wanted = fold(str(document["DisplayName"]))
    for entity in SHARING_NAMES:
        for other in books.all(entity):
            if fold(str(other["DisplayName"])) == wanted and other["Id"] != document.get("Id"):
                raise refusals.duplicate_name()


def fold(name: str) -> str:
    """Return what is compared of a name: upper and lower case and outer blanks don't count."""
    return name.strip().casefold()


def set_currency(books: Books, document: Document, before: Document | None) -> None:
    """Fix the currency at creation: the home currency unless one was sent; a change later is refused."""
    sent = document.get("CurrencyRef")
    if before is not None:
        fixed = before["CurrencyRef"]["value"]
        if sent is not None and sent["value"] != fixed:
            raise refusals.business("The currency can not be changed once it is set")
        document["CurrencyRef"] = currency_ref(fixed)
        return
    code = sent["value"] if sent else books.currency
    if code != books.currency and not books.prefers("CurrencyPrefs", "MultiCurrencyEnabled"):
        raise refusals.business(f"Multicurrency is not enabled, so the currency can not be {code}")
    document["CurrencyRef"] = currency_ref(code)
