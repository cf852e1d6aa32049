"""The Crm port over HubSpot's SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import requests

from app.core.db import refuse_open_transaction
from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown
from app.integrations.http import Timeouts, never_left
from app.integrations.hubspot import faults
from app.integrations.hubspot.transport import VERSION, client
from app.ports import AccountDetails, CrmDeal, CrmLine, CrmStage

DEAL_PROPERTIES = (
    "dealname", "amount", "deal_currency_code", "pipeline", "dealstage", "closedate", "dealtype", "hubspot_owner_id",
    "hs_is_closed", "hs_is_closed_won", "hs_lastmodifieddate",
)  # fmt: skip
LINE_PROPERTIES = (
    "name", "description", "hs_sku", "hs_product_id", "quantity", "price", "discount", "hs_discount_percentage",
    "amount", "hs_line_item_currency_code", "recurringbillingfrequency", "hs_recurring_billing_period",
    "hs_recurring_billing_start_date", "hs_recurring_billing_terms", "hs_billing_start_delay_days",
    "hs_billing_start_delay_months", "hs_billing_start_delay_type", "hs_recurring_billing_number_of_payments",
    "hs_recurring_billing_end_date", "hs_pricing_model", "hs_tier_ranges", "hs_tier_prices", "hs_total_discount",
    "hs_tax_rate_group_id", "hs_position_on_quote",
)  # fmt: skip
COMPANY_PROPERTIES = ("name", "domain")
CONTACT_PROPERTIES = ("email", "firstname", "lastname")
PRIMARY_COMPANY = 5
NOT_ASSOCIATED = "crm.associations.NO_ASSOCIATIONS_FOUND"
_PAGE = 100


class PartialAnswer(Exception):
    """HubSpot answered 207, or left out what we asked for: a failure, whatever the status says."""


class HubSpotCrm:
    """Reads deals whole. One SDK client per call: its access token is the account's."""

    def __init__(self, api_url: str, timeouts: Timeouts) -> None:
        self._api_url = api_url
        self._timeouts = timeouts

    def account(self, access_token: str) -> Outcome:
        """Read the account's zone, currency and kind."""
        refuse_open_transaction()
        url = f"{self._api_url}/account-info/{VERSION}/details"
        try:
            answer = requests.get(
                url,
                headers={"Authorization": f"Bearer {access_token}"},
                timeout=self._timeouts.pair(),
                allow_redirects=False,
            )
            body = answer.json() if answer.ok else {}
        except requests.RequestException as error:
            if never_left(error):
                return Rejected(FailureKind.TRANSIENT, "HubSpot can't be reached.", "unreachable")
            return Unknown("HubSpot's account details could not be read.")
        if not answer.ok or not isinstance(body, dict) or not str(body.get("portalId", "")).isdigit():
            return Unknown(f"HubSpot's account details could not be read ({answer.status_code}).")
        return Done(
            AccountDetails(
                hub_id=int(body["portalId"]),
                timezone=str(body.get("timeZone") or "UTC"),
                currency=str(body.get("companyCurrency") or "USD"),
                account_type=str(body.get("accountType") or "STANDARD"),
                ui_domain=str(body.get("uiDomain") or ""),
            )
        )

    def read_deal(self, access_token: str, deal_id: int) -> Outcome:
        """Read a deal with stage, line items, companies and contacts as they are now."""
        from hubspot.crm.associations.v4.exceptions import ApiException as AssociationError
        from hubspot.crm.companies.exceptions import ApiException as CompanyError
        from hubspot.crm.contacts.exceptions import ApiException as ContactError
        from hubspot.crm.deals.exceptions import ApiException as DealError
        from hubspot.crm.line_items.exceptions import ApiException as LineError
        from hubspot.crm.pipelines.exceptions import ApiException as PipelineError

        refuse_open_transaction()
        sdk = client(self._api_url, access_token, self._timeouts)
        try:
            return Done(self._whole(sdk, deal_id))
        except DealError as error:
            return Done(None) if error.status == 404 else faults.api_failure(error)
        except (AssociationError, CompanyError, ContactError, LineError, PipelineError) as error:
            if error.status == 404:
                # It went between two of our calls; the next reading no longer finds it linked.
                return Rejected(FailureKind.TRANSIENT, "A record of the deal is gone from HubSpot.", "404")
            return faults.api_failure(error)
        except faults.TRANSPORT_ERRORS as error:
            return faults.transport_failure(error)
        except (PartialAnswer, ValueError, TypeError, AttributeError) as error:
            return Unknown(f"HubSpot's answer can't be read ({type(error).__name__}: {error}).")

    def _whole(self, sdk: Any, deal_id: int) -> CrmDeal:
        deal = sdk.crm.deals.basic_api.get_by_id(str(deal_id), properties=list(DEAL_PROPERTIES))
        lines = self._associated(sdk, deal_id, "line_items")
        companies = self._associated(sdk, deal_id, "companies")
        contacts = self._associated(sdk, deal_id, "contacts")
        primary = [company for company, types in companies.items() if PRIMARY_COMPANY in types]
        chosen = primary if len(primary) == 1 else list(companies) if len(companies) == 1 else []
        return CrmDeal(
            id=deal_id,
            properties=dict(deal.properties),
            stage=self._stage(sdk, deal.properties),
            lines=self._lines(sdk, list(lines)),
            company=self._company(sdk, chosen[0]) if chosen else None,
            company_ids=tuple(companies),
            primary_company_ids=tuple(primary),
            contacts=self._contacts(sdk, list(contacts)),
        )

    def _associated(self, sdk: Any, deal_id: int, to: str) -> dict[str, set[int]]:
        """Return {record id: association type ids} of what the deal is associated with."""
        from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest as Inputs

        answer = sdk.crm.associations.v4.batch_api.get_page(
            "deals", to, batch_input_public_fetch_associations_batch_request=Inputs(inputs=[{"id": str(deal_id)}])
        )
        _only_unassociated(getattr(answer, "errors", None) or [])
        found: dict[str, set[int]] = {}
        for result in answer.results:
            if getattr(result, "paging", None) is not None:
                raise PartialAnswer(f"deal {deal_id} has more {to} than one page")
            for target in result.to:
                found[str(target.to_object_id)] = {int(kind.type_id) for kind in target.association_types}
        return found

    def _lines(self, sdk: Any, ids: list[str]) -> tuple[CrmLine, ...]:
        from hubspot.crm.line_items import BatchReadInputSimplePublicObjectId as Inputs

        read = _batches(
            ids,
            lambda some: sdk.crm.line_items.batch_api.read(
                Inputs(inputs=[{"id": i} for i in some], properties=list(LINE_PROPERTIES), properties_with_history=[])
            ),
        )
        lines = [CrmLine(record_id, properties) for record_id, properties in read]
        return tuple(sorted(lines, key=lambda line: (_position(line), int(line.id))))

    def _contacts(self, sdk: Any, ids: list[str]) -> tuple[Mapping[str, str | None], ...]:
        from hubspot.crm.contacts import BatchReadInputSimplePublicObjectId as Inputs

        read = _batches(
            ids,
            lambda some: sdk.crm.contacts.batch_api.read(
                Inputs(
                    inputs=[{"id": i} for i in some], properties=list(CONTACT_PROPERTIES), properties_with_history=[]
                )
            ),
        )
        return tuple(properties | {"hs_object_id": record_id} for record_id, properties in read)

    def _company(self, sdk: Any, company_id: str) -> Mapping[str, str | None]:
        company = sdk.crm.companies.basic_api.get_by_id(company_id, properties=list(COMPANY_PROPERTIES))
        return dict(company.properties) | {"hs_object_id": str(company.id)}

    def _stage(self, sdk: Any, properties: Mapping[str, str | None]) -> CrmStage | None:
        for pipeline in sdk.crm.pipelines.pipelines_api.get_all("deals").results:
            for stage in pipeline.stages:
                if pipeline.id == properties.get("pipeline") and stage.id == properties.get("dealstage"):
                    metadata = stage.metadata or {}
                    closed = str(metadata.get("isClosed", "")).lower() == "true"
                    return CrmStage(stage.id, pipeline.id, stage.label, closed, str(metadata.get("probability", "")))
        return None


def _batches(ids: list[str], read: Callable[[list[str]], Any]) -> list[tuple[str, dict[str, str | None]]]:
    """Read records in batches of 100; a missing one makes the whole answer partial, because money hangs on it."""
    records: list[tuple[str, dict[str, str | None]]] = []
    for start in range(0, len(ids), _PAGE):
        some = ids[start : start + _PAGE]
        answer = read(some)
        if getattr(answer, "num_errors", 0):
            raise PartialAnswer(f"{answer.num_errors} of {len(some)} records could not be read")
        records += [(str(result.id), dict(result.properties)) for result in answer.results]
    _all_there(ids, (record_id for record_id, _ in records))
    return records


def _only_unassociated(errors: Iterable[Any]) -> None:
    """A record without associations comes back as an error entry of a 207; any other entry makes the answer partial."""
    for error in errors:
        if getattr(error, "sub_category", None) != NOT_ASSOCIATED:
            raise PartialAnswer(str(getattr(error, "message", "an association could not be read")))


def _all_there(wanted: Iterable[str], got: Iterable[str]) -> None:
    missing = set(wanted) - set(got)
    if missing:
        raise PartialAnswer(f"records {', '.join(sorted(missing))} were not in the answer")


def _position(line: CrmLine) -> int:
    raw = line.properties.get("hs_position_on_quote") or ""
    return int(raw) if raw.isdigit() else 1_000_000
