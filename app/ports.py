"""What Dealwright needs of a CRM and of a ledger. Every write answers Done, Rejected or Unknown.

Two implementations each are foreseen: HubSpot and QuickBooks today, the next ledger tomorrow. What crosses here is
plain values of ours; SDK objects stay in `app.integrations`. Money is in minor units; days are local dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from app.core.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens as a provider issued them. `refresh_expires_at` is None where the provider sets no end."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


class TokenIssuer(Protocol):
    """A provider's OAuth endpoints."""

    def authorize_url(self, state: str) -> str: ...

    def exchange(self, code: str) -> Outcome:
        """Done(Grant), Rejected or Unknown; a code is never exchanged twice."""

    def refresh(self, refresh_token: str) -> Outcome:
        """Done(Grant), Rejected (REVOKED or CONFIGURATION) or Unknown."""

    def introspect(self, access_token: str) -> Outcome:
        """Done(Installation); only where the provider names the installer this way."""


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """A CRM account: zone (IANA), company currency, kind of account, where its pages are."""

    hub_id: int
    timezone: str
    currency: str
    account_type: str
    ui_domain: str


@dataclass(frozen=True, slots=True)
class Installation:
    """Who installed the app where, as the provider itself says of a token."""

    hub_id: int
    user_id: int
    user_email: str
    app_id: int
    hub_domain: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CrmLine:
    """A line item as HubSpot has it: raw property texts, nothing interpreted."""

    id: str
    properties: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class CrmStage:
    """The stage a deal is in, from pipeline metadata; None values where HubSpot didn't say."""

    id: str
    pipeline_id: str
    label: str
    is_closed: bool
    probability: str


@dataclass(frozen=True, slots=True)
class CrmDeal:
    """A deal read whole, as it is now. `stage` is None when the deal's stage is not in any pipeline's list."""

    id: int
    properties: Mapping[str, str | None]
    stage: CrmStage | None
    lines: tuple[CrmLine, ...]
    company: Mapping[str, str | None] | None
    company_ids: tuple[str, ...]
    primary_company_ids: tuple[str, ...]
    contacts: tuple[Mapping[str, str | None], ...] = ()


class Crm(Protocol):
    """Reads of the CRM. A missing deal is Done(None)."""

    def account(self, access_token: str) -> Outcome:
        """Done(AccountDetails)."""

    def read_deal(self, access_token: str, deal_id: int) -> Outcome:
        """Done(CrmDeal), or Done(None) when HubSpot says there is no such deal (any more)."""


@dataclass(frozen=True, slots=True)
class Company:
    """A ledger company file and what of its settings concerns us."""

    name: str
    currency: str
    country: str
    timezone: str
    multi_currency: bool
    custom_numbers: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """Which company file to talk to."""

    realm_id: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CustomerToCreate:
    """`marker` is ours and tells our record from a namesake."""

    name: str
    email: str | None
    currency: str
    marker: str


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """A record in the ledger: its id and sync token, and the fields we agreed on."""

    id: str
    sync_token: str
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerInvoice:
    """An invoice as the ledger has it. Money in minor units of `currency`."""

    id: str
    sync_token: str
    number: str
    issued_on: date
    due_on: date | None
    currency: str
    total_minor: int
    tax_minor: int
    balance_minor: int
    emailed: bool
    voided: bool
    deleted: bool
    customer_id: str
    marker: str
    payment_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LedgerPayment:
    """A payment and what of it went to which invoice."""

    id: str
    paid_on: date
    currency: str
    applied: Sequence[tuple[str, int]]
    deleted: bool = False


class Accounting(Protocol):
    """A ledger. `look_first` means: an earlier attempt's outcome is unknown, so look for its result before sending."""

    def company(self, account: LedgerAccount) -> Outcome:
        """Done(Company)."""

    def find_customers(self, account: LedgerAccount, name: str) -> Outcome:
        """Done(list[LedgerRecord]) of this exact name, inactive ones included."""

    def create_customer(
        self, account: LedgerAccount, request: bytes, request_id: str, *, look_first: bool
    ) -> Outcome: ...

    def create_item(self, account: LedgerAccount, request: bytes, request_id: str, *, look_first: bool) -> Outcome: ...

    def create_invoice(self, account: LedgerAccount, request: bytes, request_id: str, *, look_first: bool) -> Outcome:
        """Done(LedgerInvoice)."""

    def send_invoice(
        self, account: LedgerAccount, invoice_id: str, email: str, request_id: str, *, look_first: bool
    ) -> Outcome:
        """Done(LedgerInvoice)."""

    def read_invoice(self, account: LedgerAccount, invoice_id: str) -> Outcome:
        """Done(LedgerInvoice); a deleted one comes back with `deleted` set."""

    def read_payment(self, account: LedgerAccount, payment_id: str) -> Outcome:
        """Done(LedgerPayment)."""

    def customer_request(self, customer: CustomerToCreate) -> bytes:
        """Return the exact bytes that will create this customer."""

    def item_request(self, name: str, income_account_id: str) -> bytes:
        """Return the exact bytes that will create this item."""

    def invoice_request(
        self, frozen: Mapping[str, Any], customer_id: str, item_ids: Mapping[str, str], tax_code: str | None
    ) -> bytes:
        """Return the exact bytes of an approved invoice, its references filled in."""
