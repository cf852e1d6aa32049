"""The Accounting port over python-quickbooks. Writes are looked for before they are sent a second time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import requests
from quickbooks.client import QuickBooks
from quickbooks.exceptions import QuickbooksException

from app.billing.money import decimals_of
from app.core.db import refuse_open_transaction
from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown
from app.integrations.http import Timeouts
from app.integrations.quickbooks import bodies
from app.integrations.quickbooks.faults import NOT_FOUND, failure
from app.integrations.quickbooks.session import WrongHost, client
from app.ports import Company, CustomerToCreate, LedgerAccount, LedgerInvoice, LedgerPayment, LedgerRecord

# Errors of the library's own reading of an answer (see its handling of faults without a code) are no bugs of ours.
_LIBRARY_ERRORS = (QuickbooksException, requests.RequestException, TypeError, ValueError, KeyError, AttributeError)


class QuickBooksLedger:
    """One library client per call; the realm and its token come with each."""

    def __init__(self, api_url: str, timeouts: Timeouts) -> None:
        self._api_url = api_url
        self._timeouts = timeouts

    def company(self, account: LedgerAccount) -> Outcome:
        """Read the company file's name, currency, country and the settings that concern us."""

        def read(qb: QuickBooks) -> Company:
            info = qb.get_single_object("companyinfo", account.realm_id)["CompanyInfo"]
            preferences = qb.get(f"{qb.api_url}/company/{account.realm_id}/preferences")["Preferences"]
            currency = preferences.get("CurrencyPrefs", {})
            accounts = self._query(qb, "Account", "select * from Account where AccountType = 'Income' maxresults 1000")
            tax_codes = (
                []
                if info.get("Country") == "US"
                else self._query(qb, "TaxCode", "select * from TaxCode maxresults 1000")
            )
            return Company(
                name=str(info.get("CompanyName", "")),
                currency=str(currency.get("HomeCurrency", {}).get("value", "")),
                country=str(info.get("Country", "")),
                timezone=str(info.get("DefaultTimeZone", "") or "UTC"),
                multi_currency=bool(currency.get("MultiCurrencyEnabled", False)),
                custom_numbers=bool(preferences.get("SalesFormsPrefs", {}).get("CustomTxnNumbers", False)),
                facts={
                    "income_accounts": [{"id": a["Id"], "name": a.get("Name", "")} for a in accounts],
                    "tax_codes": [{"id": c["Id"], "name": c.get("Name", "")} for c in tax_codes],
                },
            )

        return self._call(account, read)

    def find_customers(self, account: LedgerAccount, name: str) -> Outcome:
        """Return customers of exactly this name, inactive ones included."""
        return self._call(account, lambda qb: [_customer(c) for c in self._customers(qb, name)])

    def create_customer(self, account: LedgerAccount, request: bytes, request_id: str, *, look_first: bool) -> Outcome:
        """Adopt our own, link the one sure match, refuse a doubtful one, or create. Always looks first."""
        wanted = json.loads(request)
        found = self._call(account, lambda qb: self._customers(qb, wanted["DisplayName"]))
        if not isinstance(found, Done):
            return _not_sent(found)
        verdict = _match(wanted, found.value)
        if verdict is not None:
            return verdict
        return self._create(account, "Customer", request, request_id, _customer)

    def create_item(self, account: LedgerAccount, request: bytes, request_id: str, *, look_first: bool) -> Outcome:
        """Link the active item of this name, or create it. Always looks first."""
        name = json.loads(request)["Name"]
        statement = f"select * from Item where Name = '{_escape(name)}'"  # noqa: S608  # QuickBooks' query language, escaped
        found = self._call(account, lambda qb: self._query(qb, "Item", statement))
        if not isinstance(found, Done):
            return _not_sent(found)
        if found.value:
            return Done(_item(found.value[0]))
        return self._create(account, "Item", request, request_id, _item)

    def create_invoice(self, account: LedgerAccount, request: bytes, request_id: str, *, look_first: bool) -> Outcome:
        """Create an invoice; after an unknown outcome look for its marker among the customer's of that day first."""
        if look_first:
            wanted = json.loads(request)
            found = self._call(account, lambda qb: self._ours(qb, wanted))
            if not isinstance(found, Done):
                return _still_unknown(found)
            if len(found.value) > 1:
                numbers = ", ".join(invoice.number or invoice.id for invoice in found.value)
                return Rejected(FailureKind.REJECTED, f"it has this invoice more than once ({numbers}).", "found_twice")
            if found.value:
                return Done(found.value[0])
        return self._create(account, "Invoice", request, request_id, _invoice)

    def send_invoice(
        self, account: LedgerAccount, invoice_id: str, email: str, request_id: str, *, look_first: bool
    ) -> Outcome:
        """Let QuickBooks mail an invoice, unless it already did."""
        if look_first:
            seen = self.read_invoice(account, invoice_id)
            if not isinstance(seen, Done):
                return _still_unknown(seen)
            if seen.value.emailed or seen.value.deleted:
                return seen

        def send(qb: QuickBooks) -> LedgerInvoice:
            url = f"{qb.api_url}/company/{account.realm_id}/invoice/{invoice_id}/send"
            answer = qb.post(
                url, None, content_type="application/octet-stream", params={"sendTo": email}, request_id=request_id
            )
            return _invoice(answer["Invoice"])

        return self._call(account, send)

    def read_invoice(self, account: LedgerAccount, invoice_id: str) -> Outcome:
        """Read an invoice; one that is gone comes back marked deleted."""
        outcome = self._call(account, lambda qb: _invoice(qb.get_single_object("invoice", invoice_id)["Invoice"]))
        if isinstance(outcome, Rejected) and outcome.code == NOT_FOUND:
            return Done(_deleted(invoice_id))
        return outcome

    def read_payment(self, account: LedgerAccount, payment_id: str) -> Outcome:
        """Read a payment; one that is gone comes back marked deleted and applied to nothing."""
        outcome = self._call(account, lambda qb: _payment(qb.get_single_object("payment", payment_id)["Payment"]))
        if isinstance(outcome, Rejected) and outcome.code == NOT_FOUND:
            return Done(LedgerPayment(payment_id, date.min, "", (), deleted=True))
        return outcome

    def customer_request(self, customer: CustomerToCreate) -> bytes:
        return bodies.customer(customer)

    def item_request(self, name: str, income_account_id: str) -> bytes:
        return bodies.item(name, income_account_id)

    def invoice_request(
        self, frozen: Mapping[str, Any], customer_id: str, item_ids: Mapping[str, str], tax_code: str | None
    ) -> bytes:
        return bodies.invoice(frozen, customer_id, item_ids, tax_code)

    def _call(self, account: LedgerAccount, work: Callable[[QuickBooks], Any]) -> Outcome:
        refuse_open_transaction()
        qb = client(self._api_url, account, self._timeouts)
        try:
            return Done(work(qb))
        except WrongHost:
            raise
        except _LIBRARY_ERRORS as error:
            last = qb.session.last
            if last is not None and last.ok and not isinstance(error, QuickbooksException):
                return Unknown(f"QuickBooks' answer can't be read ({type(error).__name__}).")
            return failure(error, last)

    def _create(
        self,
        account: LedgerAccount,
        entity: str,
        request: bytes,
        request_id: str,
        parse: Callable[[dict[str, Any]], Any],
    ) -> Outcome:
        def create(qb: QuickBooks) -> Any:
            return parse(qb.create_object(entity, request.decode(), request_id=request_id, params={})[entity])

        return self._call(account, create)

    def _customers(self, qb: QuickBooks, name: str) -> list[dict[str, Any]]:
        where = f"DisplayName = '{_escape(name)}' and Active in (true, false)"
        return self._query(qb, "Customer", f"select * from Customer where {where}")  # noqa: S608  # escaped above

    def _ours(self, qb: QuickBooks, wanted: Mapping[str, Any]) -> list[LedgerInvoice]:
        customer = _escape(wanted["CustomerRef"]["value"])
        where = f"CustomerRef = '{customer}' and TxnDate = '{wanted['TxnDate']}' maxresults 1000"
        rows = self._query(qb, "Invoice", f"select * from Invoice where {where}")  # noqa: S608  # escaped above
        invoices = [_invoice(row) for row in rows]
        # A void writes "Voided" before the note, and people add to it: the mark itself is what counts.
        return [invoice for invoice in invoices if wanted["PrivateNote"] in invoice.marker]

    def _query(self, qb: QuickBooks, entity: str, statement: str) -> list[dict[str, Any]]:
        rows = qb.query(statement)["QueryResponse"].get(entity, [])
        return list(rows)


def _not_sent(outcome: Outcome) -> Outcome:
    """A look-up failed before anything was sent: that is never an unknown write."""
    return Rejected(FailureKind.TRANSIENT, outcome.reason, "look_up") if isinstance(outcome, Unknown) else outcome


def _still_unknown(outcome: Outcome) -> Outcome:
    """The look-up after an unknown outcome failed: the outcome stays unknown, unless the connection itself is gone."""
    if isinstance(outcome, Rejected) and outcome.kind in (FailureKind.TRANSIENT, FailureKind.REJECTED):
        return Unknown(outcome.message)
    return outcome


def _match(wanted: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Outcome | None:
    """Decide about customers of the same name: ours, the one sure match, a doubtful one, or None to create."""
    ours = [row for row in found if wanted["Notes"] in str(row.get("Notes") or "")]
    if ours:
        return Done(_customer(ours[0]))
    if not found:
        return None
    email = str(wanted.get("PrimaryEmailAddr", {}).get("Address", "")).lower()
    sure = [
        row
        for row in found
        if row.get("Active") and email and _email(row) == email and _currency(row) == wanted["CurrencyRef"]["value"]
    ]
    if len(sure) == 1:
        return Done(_customer(sure[0]))
    candidates = [
        {"id": row["Id"], "name": row["DisplayName"], "email": _email(row), "active": bool(row.get("Active"))}
        for row in found
    ]
    message = f'a customer "{wanted["DisplayName"]}" exists there, but its e-mail or currency is another.'
    return Rejected(FailureKind.REJECTED, message, "doubtful_match", detail={"candidates": candidates})


def _email(row: Mapping[str, Any]) -> str:
    return str((row.get("PrimaryEmailAddr") or {}).get("Address", "")).lower()


def _currency(row: Mapping[str, Any]) -> str:
    return str((row.get("CurrencyRef") or {}).get("value", ""))


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _customer(row: Mapping[str, Any]) -> LedgerRecord:
    snapshot = {"name": row["DisplayName"], "email": _email(row), "currency": _currency(row)}
    return LedgerRecord(str(row["Id"]), str(row["SyncToken"]), snapshot)


def _item(row: Mapping[str, Any]) -> LedgerRecord:
    return LedgerRecord(str(row["Id"]), str(row["SyncToken"]), {"name": row["Name"]})


def _invoice(row: Mapping[str, Any]) -> LedgerInvoice:
    currency = _currency(row)
    note = str(row.get("PrivateNote") or "")
    total, balance = _minor(row["TotalAmt"], currency), _minor(row["Balance"], currency)
    zero_lines = all(_minor(line.get("Amount") or 0, currency) == 0 for line in row.get("Line", []))
    return LedgerInvoice(
        id=str(row["Id"]),
        sync_token=str(row["SyncToken"]),
        number=str(row.get("DocNumber") or ""),
        issued_on=date.fromisoformat(row["TxnDate"]),
        due_on=date.fromisoformat(row["DueDate"]) if row.get("DueDate") else None,
        currency=currency,
        total_minor=total,
        tax_minor=_minor((row.get("TxnTaxDetail") or {}).get("TotalTax") or 0, currency),
        balance_minor=balance,
        emailed=row.get("EmailStatus") == "EmailSent" or bool((row.get("DeliveryInfo") or {}).get("DeliveryTime")),
        voided=total == 0 and balance == 0 and zero_lines and note.startswith("Voided"),
        deleted=False,
        customer_id=str(row["CustomerRef"]["value"]),
        marker=note,
        payment_ids=tuple(str(t["TxnId"]) for t in row.get("LinkedTxn", []) if t.get("TxnType") == "Payment"),
    )


def _deleted(invoice_id: str) -> LedgerInvoice:
    return LedgerInvoice(
        invoice_id,
        "",
        "",
        date.min,
        None,
        "",
        0,
        0,
        0,
        emailed=False,
        voided=False,
        deleted=True,
        customer_id="",
        marker="",
    )


def _payment(row: Mapping[str, Any]) -> LedgerPayment:
    currency = _currency(row)
    applied = [
        (str(link["TxnId"]), _minor(line["Amount"], currency))
        for line in row.get("Line", [])
        for link in line.get("LinkedTxn", [])
        if link.get("TxnType") == "Invoice"
    ]
    return LedgerPayment(str(row["Id"]), date.fromisoformat(row["TxnDate"]), currency, tuple(applied))


def _minor(value: object, currency: str) -> int:
    """Return minor units of a JSON number, exactly; a finer amount than the currency has is an unreadable answer."""
    scaled = Decimal(str(value)).scaleb(decimals_of(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} {currency} has too many decimals")
    return int(scaled)
