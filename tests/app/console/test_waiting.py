"""What the first page says of drafts that wait."""

from __future__ import annotations

import warnings

from app.console import queries
from app.invoices import approval
from app.invoices.planning import ROUTINE
from app.portals.models import Portal
from tests import factories as make


class TestWaiting:
    def test_counts_drafts_by_reason_without_the_routine_one(self, portal: Portal) -> None:
        portal.invoice_mode, portal.first_invoice_by_person = "approval", True
        make.draft(make.win())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            waiting = queries.waiting(make.TODAY, routine=ROUTINE)

        assert (waiting.count, waiting.sums) == (1, [("USD", 100_000)])
        assert waiting.reasons == [("It is this customer's first invoice.", 1)]

    def test_says_nothing_when_nothing_waits(self, portal: Portal) -> None:
        assert queries.waiting(make.TODAY, routine=ROUTINE).count == 0

    def test_leaves_out_drafts_about_whose_deal_a_question_is_open(self, portal: Portal) -> None:
        portal.invoice_mode, portal.draft_ahead_days = "approval", 31
        won = make.win()
        march, _ = make.draft(won)
        approval.approve_one(make.actor(), march.id, march.version)
        march.state = "open"
        assert (queries.approvable_count(), queries.waiting(make.TODAY, routine=ROUTINE).count) == (1, 1)
        make.observe(make.crm_deal(make.crm_line(price="80.00")))
        make.draft(won)

        assert (set(make.open_problems()), len(make.invoices(won.id, "draft"))) == ({"deal_decreased"}, 1)
        assert (queries.approvable_count(), queries.waiting(make.TODAY, routine=ROUTINE).count) == (0, 0)
