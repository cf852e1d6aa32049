"""The HubSpot lane's step: one read of a wanted deal, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.connections import queries as connections
from app.connections.models import NEEDS_RECONNECT
from app.core.outcome import Done, FailureKind, Outcome, Rejected, Unknown
from app.core.work import DONE, PARKED, WAITING, Work
from app.edge import wiring
from app.portals.models import Portal
from app.problems import actions as problems
from app.subscriptions import watch
from app.subscriptions.models import HELD, Subscription
from tests import factories as make


@pytest.fixture
def wanted(portal: Portal) -> Work:
    """Deal 301, wanted of a connected HubSpot account."""
    make.connect_crm(portal.hubspot_portal_id)
    watch.want_deals([301])
    return make.row(watch.READ_DEAL, 301)


def read(row: Work, outcome: Outcome) -> None:
    """Read the deal with a made-up outcome."""
    step: Any = watch.ReadDeal(wiring().crm)
    plan = make.planned(step, row)
    assert (plan.subject, plan.look_first) == ("301", False)
    make.record(step, row, outcome)


class TestWant:
    def test_of_a_burst_is_one_read(self, wanted: Work) -> None:
        for _ in range(9):
            watch.want_deals(["301"])

        assert make.how_many(Work, Work.kind == watch.READ_DEAL) == 1
        assert make.row(watch.READ_DEAL, 301).wanted == 10

    def test_runs_a_finished_read_again(self, wanted: Work) -> None:
        wanted.state = DONE
        watch.want_deals([301])

        assert make.row(watch.READ_DEAL, 301).state == WAITING

    def test_is_nothing_without_a_connection(self, portal: Portal) -> None:
        watch.want_deals([301])

        assert make.how_many(Work, Work.kind == watch.READ_DEAL) == 0


class TestRecord:
    def test_follows_the_deal(self, wanted: Work) -> None:
        read(wanted, Done(make.crm_deal()))

        assert make.how_many(Subscription) == 1
        assert wanted.state == DONE

    def test_holds_the_subscription_of_a_deal_that_is_gone(self, wanted: Work) -> None:
        subscription = make.win()
        read(wanted, Done(None))

        assert subscription.state == HELD
        assert set(make.open_problems()) == {"deal_gone"}

    def test_is_nothing_for_a_missing_deal_we_never_met(self, wanted: Work) -> None:
        read(wanted, Done(None))

        assert (make.how_many(Subscription), make.open_problems()) == (0, {})

    @pytest.mark.parametrize("outcome", [Unknown("HubSpot answered 503."), Rejected(FailureKind.TRANSIENT, "locked.")])
    def test_reads_again_by_itself(self, wanted: Work, outcome: Outcome) -> None:
        read(wanted, outcome)

        assert (wanted.state, wanted.outcome_unknown, make.open_problems()) == (WAITING, False, {})

    def test_asks_the_operator_about_what_is_refused_until_it_is_read(self, wanted: Work) -> None:
        read(wanted, Rejected(FailureKind.REJECTED, "HubSpot refuses access: scopes.", "MISSING_SCOPES"))
        problem = make.open_problems()["read_failed"]

        assert (wanted.state, problem.who) == (PARKED, "operator")
        assert problem.sentence == "Deal 301 can't be read from HubSpot: HubSpot refuses access: scopes."

        problems.retry(make.actor(), problem.id)
        read(wanted, Done(make.crm_deal()))
        assert make.open_problems() == {}

    def test_waits_for_a_new_connection_when_the_old_one_was_taken_away(self, wanted: Work) -> None:
        read(wanted, Rejected(FailureKind.REVOKED, "the authorisation was withdrawn.", "invalid_grant"))
        connection = connections.crm()

        assert connection is not None
        assert connection.state == NEEDS_RECONNECT
        assert (wanted.state, set(make.open_problems())) == (WAITING, {"reconnect"})
