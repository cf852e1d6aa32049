"""What is written of a deal when it is read: snapshot, items under our keys, versions."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.core.db import db, transaction
from app.core.events import Event
from app.deals import actions, queries
from app.deals.actions import Observed, document_hash
from app.deals.models import GONE, LOST, OPEN, WON, Deal, DealItem, DealVersion
from app.portals import queries as portals
from app.portals.models import Portal
from app.ports import CrmDeal, CrmStage
from tests import factories as make


def observe(portal: Portal, deal: CrmDeal) -> Observed:
    observed = actions.observe(deal, portal)
    db.session.flush()
    return observed


def items() -> dict[str, tuple[str, str]]:
    """Return {key: (name, line id)} of the portal's items."""
    rows = db.session.execute(select(DealItem)).scalars()
    return {item.key: (item.name, item.hubspot_line_id) for item in rows}


class TestObserve:
    def test_writes_the_deal_its_customer_and_its_first_version(self, portal: Portal) -> None:
        observed = observe(portal, make.crm_deal())
        deal = observed.deal

        assert (deal.state, deal.name, deal.stage_label) == (WON, "Acme - Platform", "Closed Won")
        assert (deal.won_on, deal.line_ids, deal.contact_ids) == (date(2027, 3, 1), ["501"], ["801"])
        assert observed.customer is not None
        assert deal.customer_id == observed.customer.id
        assert observed.version is not None
        assert (observed.version.number, observed.version.document["start"]) == (1, "2027-03-01")
        assert deal.snapshot["lines"]["501"]["price"] == "100.00"

    def test_writes_nothing_new_when_nothing_changed(self, portal: Portal) -> None:
        first = observe(portal, make.crm_deal())
        second = observe(portal, make.crm_deal())

        assert first.version is second.version
        assert (make.how_many(Deal), make.how_many(DealVersion), make.how_many(DealItem)) == (1, 1, 1)
        assert make.how_many(Event, Event.kind == "deal.version") == 1

    def test_writes_a_version_when_a_price_changed_and_one_more_when_it_is_set_back(self, portal: Portal) -> None:
        prices = ["100.00", "120.00", "100.00"]
        numbers = [observe(portal, make.crm_deal(make.crm_line(price=price))).version for price in prices]

        assert [version.number for version in numbers if version] == [1, 2, 3]

    def test_writes_no_version_while_a_finding_holds_the_deal(self, portal: Portal) -> None:
        observed = observe(portal, make.crm_deal(make.crm_line(price=None)))

        assert observed.version is None
        assert [finding.code for finding in observed.findings] == ["bad_number"]
        assert observed.won

    @pytest.mark.parametrize(("stage", "state"), [(make.OPEN, OPEN), (make.LOST, LOST), (make.WON, WON), (None, OPEN)])
    def test_tells_open_lost_and_won_apart(self, portal: Portal, stage: CrmStage | None, state: str) -> None:
        observed = observe(portal, make.crm_deal(stage=stage))

        assert observed.deal.state == state
        assert observed.won is (state == WON)

    def test_takes_no_deal_for_won_while_stage_and_flag_disagree(self, portal: Portal) -> None:
        observed = observe(portal, make.crm_deal(hs_is_closed_won="false"))

        assert not observed.won
        assert [finding.code for finding in observed.findings] == ["stage_unclear"]
        assert observed.deal.won_on is None

    def test_calls_a_deal_without_a_name_by_its_id(self, portal: Portal) -> None:
        assert observe(portal, make.crm_deal(dealname=None)).deal.name == "Deal 301"

    def test_leaves_another_portals_deal_of_the_same_id_alone(self, portal: Portal) -> None:
        observe(portal, make.crm_deal())
        db.session.commit()
        other = make.fresh_portal()
        with transaction(other):
            observe(portals.current(), make.crm_deal(make.crm_line(price="7.00"), dealname="Theirs"))
        with transaction(portal.id):
            deal = queries.of_hubspot(301)
            assert deal is not None
            assert (deal.name, make.how_many(Deal)) == ("Acme - Platform", 1)


class TestItemKeys:
    def test_stay_when_a_line_is_added_again_under_another_id(self, portal: Portal) -> None:
        first = observe(portal, make.crm_deal())
        again = observe(portal, make.crm_deal(make.crm_line("777")))

        assert items() == {"platform": ("Platform", "777")}
        assert again.version is first.version

    def test_stay_when_a_line_is_renamed_and_then_added_again(self, portal: Portal) -> None:
        observe(portal, make.crm_deal())
        observe(portal, make.crm_deal(make.crm_line(name="Platform Pro")))
        observe(portal, make.crm_deal(make.crm_line("777", name="Platform Pro")))

        assert items() == {"platform": ("Platform Pro", "777")}

    def test_forget_a_line_that_left_before_anything_was_won(self, portal: Portal) -> None:
        observe(portal, make.crm_deal(make.crm_line(), make.setup_line(), stage=make.OPEN))
        observe(portal, make.crm_deal(stage=make.OPEN))

        assert items() == {"platform": ("Platform", "501")}


class TestGone:
    def test_marks_the_deal_once(self, portal: Portal) -> None:
        observe(portal, make.crm_deal())
        for _ in range(2):
            deal = actions.gone(301)
            assert deal is not None
            assert deal.state == GONE
        db.session.flush()

        assert make.how_many(Event, Event.kind == "deal.gone") == 1

    def test_is_nothing_to_us_for_a_deal_we_never_met(self, portal: Portal) -> None:
        assert actions.gone(302) is None
        assert make.how_many(Deal) == 0


class TestDocumentHash:
    def test_does_not_depend_on_the_order_of_fields(self) -> None:
        assert document_hash({"a": 1, "b": {"c": 2, "d": 3}}) == document_hash({"b": {"d": 3, "c": 2}, "a": 1})

    def test_differs_where_a_value_differs(self) -> None:
        assert document_hash({"a": "1"}) != document_hash({"a": "1.0"})
