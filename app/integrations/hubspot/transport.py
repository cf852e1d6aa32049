"""One transport for the HubSpot SDK: dated paths, time-outs, one host, no hidden retries.

The SDK (12.0.0) still calls /crm/v3 and /crm/v4, which HubSpot closes in 2027; each path is rewritten to the dated
version held here. `api_request()` of the SDK bypasses all this and is banned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

import urllib3

from app.integrations.http import Timeouts

VERSION = "2026-09"
_REWRITES = (
    (re.compile(r"/crm/v[34]/objects/"), f"/crm/objects/{VERSION}/"),
    (re.compile(r"/crm/v[34]/associations/"), f"/crm/associations/{VERSION}/"),
    (re.compile(r"/crm/v3/(pipelines|properties|owners)/"), rf"/crm/\1/{VERSION}/"),
)


class WrongHost(RuntimeError):
    """A call was about to leave for a host that isn't HubSpot's API."""


def dated(url: str) -> str:
    """Return the address with its undated API version replaced by the dated one."""
    for pattern, replacement in _REWRITES:
        url = pattern.sub(replacement, url)
    return url


def client(api_url: str, access_token: str, timeouts: Timeouts) -> Any:
    """Return an SDK client for one account and one job."""
    from hubspot import HubSpot

    expected = urlsplit(api_url).netloc

    def factory(package: Any, api_name: str, config: Mapping[str, Any]) -> Any:
        configuration = package.Configuration()
        configuration.host = api_url
        configuration.access_token = config["access_token"]
        configuration.retries = urllib3.Retry(0)
        api_client = package.ApiClient(configuration=configuration)
        api_client.user_agent = f"dealwright; hubspot-api-client-python {metadata.version('hubspot-api-client')}"
        send = api_client.rest_client.request

        def request(method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if urlsplit(url).netloc != expected:
                raise WrongHost(urlsplit(url).netloc)
            kwargs["_request_timeout"] = timeouts.pair()
            return send(method, dated(url), *args, **kwargs)

        api_client.rest_client.request = request
        return getattr(package, api_name)(api_client=api_client)

    return HubSpot(access_token=access_token, api_factory=factory)
