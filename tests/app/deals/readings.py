"""Reading a deal in tests: its document, or the one thing that isn't understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.deals import reading
from app.deals.reading import Reading
from app.ports import CrmDeal
from tests.factories import ZONE, crm_deal, crm_line


def read(deal: CrmDeal, *, zone: str = ZONE, home_currency: str = "USD", net_days: int = 30) -> Reading:
    """Read a deal; its items have the keys item-501, item-502 and so on."""
    keys = {line.id: f"item-{line.id}" for line in deal.lines}
    return reading.read(deal, zone=zone, home_currency=home_currency, net_days=net_days, keys=keys)


def document(deal: CrmDeal, **options: Any) -> dict[str, Any]:
    """Return the document of a deal that is understood."""
    found = read(deal, **options)
    assert found.findings == ()
    assert found.document is not None
    return found.document


def item(**properties: str | None) -> dict[str, Any]:
    """Return the one item of a deal whose one line differs from the usual one by `properties`."""
    (found,) = document(crm_deal(crm_line(**properties)))["items"]
    assert isinstance(found, Mapping)
    return dict(found)


def only_finding(deal: CrmDeal, **options: Any) -> tuple[str, str, str]:
    """Return (code, sentence, who) of the one thing that isn't understood."""
    found = read(deal, **options)
    assert found.document is None
    (finding,) = found.findings
    assert finding.holds == "Billing of this deal waits."
    assert finding.sentence.endswith(".")
    assert finding.action.endswith(".")
    return finding.code, finding.sentence, finding.who


def question(**properties: str | None) -> tuple[str, str]:
    """Return (code, sentence) of the one thing that sales is asked about a line that differs by `properties`."""
    code, sentence, who = only_finding(crm_deal(crm_line(**properties)))
    assert who == "sales"
    return code, sentence
