"""HubSpot's own Python client runs against the stand-in once its paths are rewritten to the dated ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.deals import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest
from hubspot.crm.deals.exceptions import NotFoundException, UnauthorizedException

from tests.sandbox.hubspot.client import ACME, ACME_DEAL, NORTHWIND, Client

_RULES = (
    (re.compile(r"/crm/v[34]/objects/"), "/crm/objects/2026-09/"),
    (re.compile(r"/crm/v[34]/associations/"), "/crm/associations/2026-09/"),
    (re.compile(r"/crm/v3/(pipelines|properties)/"), r"/crm/\1/2026-09/"),
)


@pytest.fixture
def sdk(installed: Client) -> Iterator[HubSpot]:
    """The SDK with a factory that rewrites the paths; its connections are closed at the end."""
    pools = []

    def factory(package: Any, api_name: str, config: dict[str, Any]) -> Any:
        configuration = package.Configuration(host=config["host"])
        configuration.access_token = config["access_token"]
        client = package.ApiClient(configuration=configuration)
        send = client.rest_client.request

        def rewritten(method: str, url: str, *args: Any, **options: Any) -> Any:
            for pattern, path in _RULES:
                url = pattern.sub(path, url)
            return send(method, url, *args, **options)

        client.rest_client.request = rewritten
        pools.append(client.rest_client.pool_manager)
        return getattr(package, api_name)(api_client=client)

    yield HubSpot(access_token=installed.token, host=installed.url, api_factory=factory)
    for pool in pools:
        pool.clear()


class TestOfficialClient:
    def test_reads_a_deal_with_associations(self, sdk: HubSpot) -> None:
        asked = {"properties": ["dealname", "hs_is_closed_won"], "associations": ["line_items"]}
        deal = sdk.crm.deals.basic_api.get_by_id(ACME_DEAL, **asked)

        assert (deal.properties["dealname"], deal.properties["hs_is_closed_won"]) == ("Acme - Platform", "false")
        assert len(deal.associations["line items"].results) == 2

    def test_reads_deals_in_a_batch(self, sdk: HubSpot) -> None:
        ids = [{"id": ACME_DEAL}, {"id": "30200000002"}]
        wanted = BatchReadInputSimplePublicObjectId(inputs=ids, properties=["amount"], properties_with_history=[])
        answer = sdk.crm.deals.batch_api.read(wanted)

        assert [deal.properties["amount"] for deal in answer.results] == ["3500.00", "12000.00"]

    def test_reads_associations(self, sdk: HubSpot) -> None:
        wanted = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": ACME_DEAL}])
        row = sdk.crm.associations.v4.batch_api.get_page("deals", "companies", wanted).results[0]

        assert (row._from.id, str(row.to[0].to_object_id)) == (ACME_DEAL, ACME)
        assert [kind.type_id for kind in row.to[0].association_types] == [5, 341]

    def test_reads_pipelines(self, sdk: HubSpot) -> None:
        pipelines = sdk.crm.pipelines.pipelines_api.get_all("deals").results

        assert [pipeline.label for pipeline in pipelines] == ["Sales Pipeline", "Expansion and renewals"]
        assert pipelines[0].stages[5].metadata == {"isClosed": "true", "probability": "1.0"}

    def test_searches(self, sdk: HubSpot) -> None:
        rule = {"propertyName": "dealname", "operator": "EQ", "value": "Acme - Platform"}
        wanted = PublicObjectSearchRequest(filter_groups=[{"filters": [rule]}], limit=5)

        assert [deal.id for deal in sdk.crm.deals.search_api.do_search(wanted).results] == [ACME_DEAL]

    def test_maps_errors(self, sdk: HubSpot, installed: Client) -> None:
        with pytest.raises(NotFoundException):
            sdk.crm.deals.basic_api.get_by_id("1")
        installed.parts.tokens.expire(NORTHWIND)
        with pytest.raises(UnauthorizedException):
            sdk.crm.deals.basic_api.get_by_id(ACME_DEAL)
