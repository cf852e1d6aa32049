"""Reads a deal as it is now and follows it: the HubSpot lane's step. A burst of events costs one read."""

from __future__ import annotations

from collections.abc import Iterable

from app.connections import actions as connections
from app.connections import queries as connection_queries
from app.core import work
from app.core.outcome import Done, Outcome, Rejected
from app.core.runner import NotNow, Plan
from app.core.work import PARKED, Work
from app.deals import actions as deals
from app.portals import queries as portals
from app.ports import Crm, CrmDeal
from app.problems import actions as problems
from app.problems.actions import OPERATOR, Finding
from app.subscriptions import actions

READ_DEAL = "hubspot.read_deal"


def want_deals(hubspot_deal_ids: Iterable[int | str]) -> None:
    """Mark deals of the bound portal as wanted."""
    connection = connection_queries.crm()
    if connection is not None:
        work.refresh_all(work.lane("hubspot", connection.id).id, READ_DEAL, hubspot_deal_ids)


class ReadDeal:
    """Step: read one deal whole and decide what it means."""

    kind = READ_DEAL
    writes = False
    calls = 8

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def plan(self, row: Work, access_token: str) -> Plan | NotNow:
        return Plan(row.id, row.portal_id, row.subject, "", b"", False, access_token, {})

    def send(self, plan: Plan) -> Outcome:
        return self._crm.read_deal(plan.access_token, int(plan.subject))

    def record(self, row: Work, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self._record_deal(int(row.subject), outcome.value)
            problems.close_problems("work", row.id)
            return
        if isinstance(outcome, Rejected):
            connection = connection_queries.crm()
            if connection is not None:
                connections.call_failed(connection, outcome, row)
        if row.state == PARKED:
            finding = Finding(
                code="read_failed", sentence=f"Deal {row.subject} can't be read from HubSpot: {row.last_error}",
                holds="What changed on that deal isn't seen.", who=OPERATOR, action="Try again.",
            )  # fmt: skip
            problems.open_problem(finding, "work", row.id, work_id=row.id)

    def _record_deal(self, hubspot_deal_id: int, deal: CrmDeal | None) -> None:
        if deal is None:
            ours = deals.gone(hubspot_deal_id)
            if ours is not None:
                actions.deal_is_gone(ours)
            return
        portal = portals.current()
        actions.follow(deals.observe(deal, portal), portal)
