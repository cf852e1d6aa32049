"""A bookkeeper's view of a QuickBooks company over its own API, with an authorisation of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tools.robot import TIMEOUT_S, Stuck


@dataclass(frozen=True)
class BookedInvoice:
    """An invoice in the books."""

    id: str
    sync_token: str
    number: str
    customer: str
    dated: date
    total: Decimal
    balance: Decimal
    emailed: bool
    raw: dict[str, Any]


class Books:
    """One company's books."""

    def __init__(self, env: dict[str, str], realm_id: str) -> None:
        self._env, self._realm_id = env, realm_id
        self._base = f"{env['QUICKBOOKS_API_URL']}/v3/company/{realm_id}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept"] = "application/json"
        self._authorise()

    def _authorise(self) -> None:
        """Give consent and exchange the code, as an accountant's own tool would."""
        env = self._env
        redirect = f"{env['PUBLIC_ORIGIN']}/oauth/quickbooks/callback"
        ask = {
            "client_id": env["QUICKBOOKS_CLIENT_ID"], "response_type": "code", "redirect_uri": redirect,
            "scope": "com.intuit.quickbooks.accounting", "state": "bookkeeper", "realm_id": self._realm_id,
            "decision": "connect",
        }  # fmt: skip
        answer = self._session.post(env["QUICKBOOKS_AUTHORIZE_URL"], data=ask, timeout=TIMEOUT_S, allow_redirects=False)
        code = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("code", [""])[0]
        token = self._session.post(
            env["QUICKBOOKS_TOKEN_URL"],
            data={"grant_type": "authorization_code", "code": code, "redirect_uri": redirect},
            auth=(env["QUICKBOOKS_CLIENT_ID"], env["QUICKBOOKS_CLIENT_SECRET"]),
            timeout=TIMEOUT_S,
        )
        if token.status_code != 200:
            raise Stuck(f"the books can't be opened ({token.status_code})")
        self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of a query, amounts as Decimals."""
        answer = self._session.get(
            f"{self._base}/query", params={"query": statement, "minorversion": "75"}, timeout=TIMEOUT_S
        )
        answer.raise_for_status()
        rows = answer.json(parse_float=Decimal, parse_int=Decimal)["QueryResponse"]
        return [row for value in rows.values() if isinstance(value, list) for row in value]

    def invoices(self) -> list[BookedInvoice]:
        """Return every invoice of the company."""
        return [
            BookedInvoice(
                str(row["Id"]), str(row["SyncToken"]), str(row.get("DocNumber", "")), row["CustomerRef"]["name"],
                date.fromisoformat(row["TxnDate"]), _cents(row["TotalAmt"]), _cents(row["Balance"]),
                row.get("EmailStatus") == "EmailSent", row,
            )
            for row in self.query("select * from Invoice maxresults 1000")
        ]  # fmt: skip

    def one(self, customer: str, dated: date) -> BookedInvoice:
        """Return the one invoice of a customer and day; Stuck if there isn't exactly one."""
        found = [i for i in self.invoices() if i.customer == customer and i.dated == dated]
        if len(found) != 1:
            raise Stuck(f"the books have {len(found)} invoices of {customer} on {dated}")
        return found[0]

    def pay(self, customer: str, dated: date, amount: Decimal) -> None:
        """Take a payment for one invoice."""
        invoice = self.one(customer, dated)
        self._write(
            "payment",
            {
                "CustomerRef": invoice.raw["CustomerRef"],
                "TotalAmt": float(amount),
                "Line": [{"Amount": float(amount), "LinkedTxn": [{"TxnId": invoice.id, "TxnType": "Invoice"}]}],
            },
        )

    def add_a_cent(self, customer: str, dated: date) -> None:
        """Change an invoice's first line by a cent, as a slip of the bookkeeper's would."""
        invoice = self.one(customer, dated)
        lines = [dict(line) for line in invoice.raw["Line"] if line["DetailType"] == "SalesItemLineDetail"]
        amount = float(_cents(lines[0]["Amount"]) + Decimal("0.01"))
        lines[0] |= {
            "Amount": amount,
            "SalesItemLineDetail": lines[0]["SalesItemLineDetail"] | {"Qty": 1, "UnitPrice": amount},
        }
        self._write(
            "invoice", {"Id": invoice.id, "SyncToken": invoice.sync_token, "sparse": True, "Line": _plain(lines)}
        )

    def void(self, invoice: BookedInvoice) -> None:
        """Void an invoice."""
        self._write("invoice", {"Id": invoice.id, "SyncToken": invoice.sync_token}, operation="void")

    def create_customer(self, name: str, email: str) -> None:
        """Enter a customer by hand."""
        self._write("customer", {"DisplayName": name, "PrimaryEmailAddr": {"Address": email}})

    def rename_customer(self, old: str, new: str) -> None:
        """Give a customer another name."""
        found = next(row for row in self.query("select * from Customer") if row["DisplayName"] == old)
        self._write(
            "customer", {"Id": found["Id"], "SyncToken": found["SyncToken"], "sparse": True, "DisplayName": new}
        )

    def _write(self, entity: str, body: dict[str, Any], operation: str = "") -> None:
        query = {"minorversion": "75"} | ({"operation": operation} if operation else {})
        answer = self._session.post(f"{self._base}/{entity}", params=query, json=body, timeout=TIMEOUT_S)
        if answer.status_code != 200:
            raise Stuck(f"the bookkeeper could not write a {entity}: {answer.text[:300]}")


def _cents(value: Decimal | int | float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _plain(value: Any) -> Any:
    """Return JSON with Decimals as numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
