"""Frequencies, starts, terms and renewals of the line items, and the one contract that is made of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.problems.actions import FINANCE, SALES
from tests.app.deals.readings import document, item, only_finding, question, read
from tests.factories import crm_deal, crm_line, setup_line

EVERY_FREQUENCY = {
    "weekly": "P1W", "biweekly": "P2W", "monthly": "P1M", "quarterly": "P3M", "per_six_months": "P6M",
    "annually": "P1Y", "per_two_years": "P2Y", "per_three_years": "P3Y", "per_four_years": "P4Y",
    "per_five_years": "P5Y",
}  # fmt: skip
EVERY_START = {
    "hs_recurring_billing_start_date": "2027-05-05", "hs_billing_start_delay_days": "10",
    "hs_billing_start_delay_months": "2",
}  # fmt: skip
PAYMENTS = "hs_recurring_billing_number_of_payments"


def support(**properties: str | None) -> Any:
    return crm_line("503", **({"name": "Support"} | properties))


class TestFrequency:
    @pytest.mark.parametrize(("frequency", "interval"), [*EVERY_FREQUENCY.items(), (" monthly ", "P1M")])
    def test_is_read(self, frequency: str, interval: str) -> None:
        term = "P52W" if interval.endswith("W") else "P60M"
        got = document(crm_deal(crm_line(recurringbillingfrequency=frequency, hs_recurring_billing_period=term)))

        assert got["items"][0]["price_interval"] == interval
        assert got["billing"] == {"interval": interval}

    @pytest.mark.parametrize("frequency", ["Monthly", "daily", "per_six_years", "x"])
    def test_asks_about_an_unknown_one(self, frequency: str) -> None:
        assert question(recurringbillingfrequency=frequency) == (
            "frequency", f'"Platform" is billed "{frequency}", which Dealwright doesn\'t know.',
        )  # fmt: skip

    @pytest.mark.parametrize("frequency", [None, "", " "])
    def test_makes_an_item_without_one_a_one_time_item(self, frequency: str | None) -> None:
        got = document(crm_deal(setup_line(recurringbillingfrequency=frequency)))

        assert got["items"][0]["kind"] == "one_time"
        assert "price_interval" not in got["items"][0]
        assert "billing" not in got

    def test_gives_lines_of_another_frequency_their_own_billing(self) -> None:
        weekly = crm_line("504", recurringbillingfrequency="weekly", hs_recurring_billing_period="P52W")
        got = document(crm_deal(crm_line(), support(recurringbillingfrequency="annually"), weekly, setup_line()))

        assert got["billing"] == {"interval": "P1M"}
        assert [item.get("billing") for item in got["items"]] == [None, {"interval": "P1Y"}, {"interval": "P1W"}, None]


class TestStart:
    def test_is_the_lines_billing_start_date(self) -> None:
        found = read(crm_deal(crm_line(hs_recurring_billing_start_date="2027-04-15"), setup_line()))

        assert found.document is not None
        assert (found.document["start"], found.start_on, found.won_on) == (
            "2027-04-15", date(2027, 4, 15), date(2027, 3, 1),
        )  # fmt: skip
        assert "start" not in found.document["items"][0]

    def test_may_be_before_the_win(self) -> None:
        assert document(crm_deal(crm_line(hs_recurring_billing_start_date="2027-02-01")))["start"] == "2027-02-01"

    @pytest.mark.parametrize(
        ("properties", "start"),
        [
            ({"hs_billing_start_delay_days": "14"}, "2027-03-15"),
            ({"hs_billing_start_delay_days": "14.0"}, "2027-03-15"),
            ({"hs_billing_start_delay_months": "1"}, "2027-04-01"),
            ({"hs_billing_start_delay_days": "0", "hs_billing_start_delay_months": "0"}, "2027-03-01"),
            ({"hs_billing_start_delay_days": "0", "hs_recurring_billing_start_date": "2027-05-01"}, "2027-05-01"),
        ],
    )
    def test_is_delayed_from_the_close_date(self, properties: dict[str, str], start: str) -> None:
        assert document(crm_deal(crm_line(**properties)))["start"] == start

    def test_delayed_by_months_keeps_to_the_months_end(self) -> None:
        deal = crm_deal(crm_line(hs_billing_start_delay_months="1"), closedate="2027-01-31")

        assert document(deal)["start"] == "2027-02-28"

    @pytest.mark.parametrize(
        ("kind", "start"),
        [
            ("hs_recurring_billing_start_date", "2027-05-05"),
            ("hs_billing_start_delay_days", "2027-03-11"),
            ("hs_billing_start_delay_months", "2027-05-01"),
        ],
    )
    def test_is_what_hubspot_says_counts(self, kind: str, start: str) -> None:
        assert document(crm_deal(crm_line(hs_billing_start_delay_type=kind, **EVERY_START)))["start"] == start

    def test_asks_when_there_are_several_and_none_is_said_to_count(self) -> None:
        assert question(**EVERY_START) == (
            "bad_start",
            'The billing start of "Platform" is a date and a number of days and a number of months, '
            "and only one can hold.",
        )

    @pytest.mark.parametrize("kind", list(EVERY_START))
    def test_asks_when_what_counts_is_empty(self, kind: str) -> None:
        code, sentence = question(hs_billing_start_delay_type=kind)

        assert code == "bad_start"
        assert sentence.startswith('The billing start of "Platform" is to be a ')

    def test_asks_about_an_unknown_kind(self) -> None:
        assert question(hs_billing_start_delay_type="at_payment") == (
            "bad_start", 'HubSpot has "at_payment" as the kind of billing start of "Platform".',
        )  # fmt: skip

    @pytest.mark.parametrize(
        "raw", ["soon", "2027-02-29", "1803877200000", "01/03/2027", "2027-03-01x", "0001-01-01", "9999-01-01"]
    )
    def test_asks_about_one_that_is_no_date(self, raw: str) -> None:
        assert question(hs_recurring_billing_start_date=raw) == (
            "bad_start", f'HubSpot has "{raw}" as the billing start date of "Platform".',
        )  # fmt: skip

    @pytest.mark.parametrize("raw", ["-1", "1.5", "99999", "two", "3651"])
    def test_asks_about_a_delay_that_is_no_number(self, raw: str) -> None:
        assert question(hs_billing_start_delay_days=raw) == (
            "bad_start", f'HubSpot has "{raw}" as the days by which the billing of "Platform" starts later.',
        )  # fmt: skip

    def test_asks_for_the_close_date_a_delay_counts_from_once(self) -> None:
        deal = crm_deal(crm_line(hs_billing_start_delay_months="1"), closedate=None)

        assert only_finding(deal)[0] == "no_close_date"


class TestSeveralStarts:
    def test_begin_with_the_earliest_and_the_others_have_their_own(self) -> None:
        later = support(hs_recurring_billing_start_date="2027-04-15")
        found = read(crm_deal(crm_line(), later))

        assert found.document is not None
        assert (found.document["start"], found.document["term_months"]) == ("2027-03-01", 12)
        platform, extra = found.document["items"]
        assert {"start", "billing", "term_months"} & set(platform) == set()
        assert (extra["start"], extra["billing"]) == ("2027-04-15", {"interval": "P1M", "anchor": "2027-04-15"})
        assert found.sources["item-503.start"] == "the line item's billing start"

    def test_keep_each_lines_own_term(self) -> None:
        later = support(hs_recurring_billing_start_date="2027-04-15")

        assert document(crm_deal(crm_line(), later))["items"][1]["term_months"] == 12

    def test_that_end_together_need_no_term_of_their_own(self) -> None:
        later = support(hs_recurring_billing_start_date="2027-09-01", hs_recurring_billing_period="P6M")

        assert "term_months" not in document(crm_deal(crm_line(), later))["items"][1]

    def test_begin_with_the_close_date_where_a_line_names_none(self) -> None:
        first, later = support(hs_billing_start_delay_days="30"), crm_line()

        assert document(crm_deal(first, later))["start"] == "2027-03-01"
        assert document(crm_deal(first, later))["items"][0]["start"] == "2027-03-31"


class TestTerm:
    @pytest.mark.parametrize(
        ("term", "months"), [("P12M", 12), ("P1Y", 12), ("P1Y6M", 18), ("P36M", 36), (" P1M ", 1), ("P2Y", 24)]
    )
    def test_is_read_in_months(self, term: str, months: int) -> None:
        assert document(crm_deal(crm_line(hs_recurring_billing_period=term)))["term_months"] == months

    @pytest.mark.parametrize(
        "term", ["P", "P0M", "12", "1 year", "P1Y2W", "P1.5Y", "p12m", "PT12M", "P-1M", "P1201M", "P999Y", "P0D"]
    )
    def test_asks_about_one_that_is_none(self, term: str) -> None:
        assert question(hs_recurring_billing_period=term) == (
            "bad_term", f'HubSpot has "{term}" as the term of "Platform".',
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("frequency", "term", "words"),
        [
            ("monthly", "P7D", "monthly"), ("annually", "P52W", "annually"), ("monthly", "P1M15D", "monthly"),
            ("weekly", "P12M", "weekly"), ("biweekly", "P1Y", "every two weeks"),
        ],
    )  # fmt: skip
    def test_asks_about_one_that_does_not_fit_the_frequency(self, frequency: str, term: str, words: str) -> None:
        assert question(recurringbillingfrequency=frequency, hs_recurring_billing_period=term) == (
            "bad_term", f'"Platform" has the term "{term}", which doesn\'t fit being billed {words}.',
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("frequency", "term", "end", "months"),
        [
            ("weekly", "P52W", "2028-02-28", 12), ("weekly", "P364D", "2028-02-28", 12),
            ("weekly", "P7D", "2027-03-08", 1), ("weekly", "P1W", "2027-03-08", 1), ("weekly", "P31D", None, 1),
            ("biweekly", "P104W", "2029-02-26", 24),
        ],
    )  # fmt: skip
    def test_in_weeks_is_the_items_end_and_the_deals_month_it_falls_in(
        self, frequency: str, term: str, end: str | None, months: int
    ) -> None:
        deal = crm_deal(crm_line(recurringbillingfrequency=frequency, hs_recurring_billing_period=term))
        got = document(deal)

        assert (got["items"][0].get("end"), got["term_months"]) == (end, months)
        assert "term_months" not in got["items"][0]

    def test_of_the_deal_is_the_longest_one(self) -> None:
        shorter = support(hs_recurring_billing_period="P6M")
        longer = crm_line("504", name="Archive", hs_recurring_billing_period="P2Y")
        got = document(crm_deal(crm_line(), shorter, longer))

        assert got["term_months"] == 24
        assert [item.get("term_months") for item in got["items"]] == [12, 6, None]

    def test_is_the_same_however_it_is_written(self) -> None:
        got = document(crm_deal(crm_line(), support(hs_recurring_billing_period="P1Y")))

        assert got["term_months"] == 12
        assert [item.get("term_months") for item in got["items"]] == [None, None]

    def test_is_twelve_months_where_only_one_time_items_are_sold(self) -> None:
        assert document(crm_deal(setup_line(hs_recurring_billing_period="P7D")))["term_months"] == 12

    @pytest.mark.parametrize("term", [None, "", "  "])
    def test_is_asked_for_where_hubspot_says_nothing(self, term: str | None) -> None:
        assert question(hs_recurring_billing_period=term) == (
            "no_term", '"Platform" has no term, so Dealwright doesn\'t know how long to bill it.',
        )  # fmt: skip


class TestNumberOfPayments:
    @pytest.mark.parametrize(
        ("frequency", "term", "payments"),
        [
            ("monthly", "P12M", "12"), ("quarterly", "P2Y", "8"), ("weekly", "P52W", "52"), ("annually", "P1Y", "1"),
            ("weekly", "P7D", "1"), ("biweekly", "P52W", "26.0"), ("per_five_years", "P60M", "1"),
            ("monthly", "P1Y", None),
        ],
    )  # fmt: skip
    def test_agrees_with_the_term(self, frequency: str, term: str, payments: str | None) -> None:
        item(recurringbillingfrequency=frequency, hs_recurring_billing_period=term, **{PAYMENTS: payments})

    @pytest.mark.parametrize(
        ("frequency", "term", "payments", "words"),
        [
            ("annually", "P18M", "1", "18 months, billed annually"),
            ("monthly", "P12M", "24", "12 months, billed monthly"),
            ("biweekly", "P5W", "2", "35 days, billed every two weeks"),
        ],
    )
    def test_asks_when_it_is_another_term(self, frequency: str, term: str, payments: str, words: str) -> None:
        code, sentence = question(
            recurringbillingfrequency=frequency, hs_recurring_billing_period=term, **{PAYMENTS: payments}
        )

        assert code == "bad_term"
        assert sentence == (f'The term of "Platform" is {words}, but HubSpot\'s number of payments is {payments}.')

    @pytest.mark.parametrize(("frequency", "payments", "months"), [("monthly", "24", 24), ("quarterly", "4", 12)])
    def test_is_the_term_where_there_is_none(self, frequency: str, payments: str, months: int) -> None:
        line = crm_line(recurringbillingfrequency=frequency, hs_recurring_billing_period=None, **{PAYMENTS: payments})

        assert document(crm_deal(line))["term_months"] == months

    @pytest.mark.parametrize("raw", ["-1", "many", "1.5", "1201", "99999"])
    def test_asks_when_it_is_no_number(self, raw: str) -> None:
        code, sentence, who = only_finding(crm_deal(crm_line(**{PAYMENTS: raw})))

        assert (code, who) == ("bad_term", SALES)
        assert sentence == f'HubSpot has "{raw}" as the number of payments of "Platform".'


class TestOpenEnd:
    @pytest.mark.parametrize(
        "says",
        [
            {PAYMENTS: None},
            {PAYMENTS: ""},
            {PAYMENTS: "0"},
            {"hs_recurring_billing_terms": "AUTOMATICALLY_RENEW"},
            {"hs_recurring_billing_terms": "automatically_renew", PAYMENTS: None},
        ],
    )
    def test_is_what_hubspot_says_it_is(self, says: dict[str, str | None]) -> None:
        got = document(crm_deal(crm_line(hs_recurring_billing_period=None, **says)))

        assert got["term_months"] is None
        assert "renewal" not in got

    @pytest.mark.parametrize(
        "says",
        [
            {},
            {"hs_recurring_billing_terms": "FIXED"},
            {"hs_recurring_billing_terms": "FIXED", PAYMENTS: None},
            {PAYMENTS: None, "hs_recurring_billing_end_date": "2028-02-29"},
        ],
    )
    def test_is_a_question_where_hubspot_does_not_say_so(self, says: dict[str, str | None]) -> None:
        assert question(hs_recurring_billing_period=None, **says)[0] == "no_term"

    def test_of_one_line_leaves_the_others_their_term(self) -> None:
        got = document(crm_deal(crm_line(), support(hs_recurring_billing_period=None, **{PAYMENTS: None})))

        assert got["term_months"] is None
        assert [item.get("term_months") for item in got["items"]] == [12, None]


class TestRenewal:
    RENEWS = "AUTOMATICALLY_RENEW"

    def test_is_automatic_where_a_term_renews(self) -> None:
        found = read(crm_deal(crm_line(hs_recurring_billing_terms=self.RENEWS)))

        assert found.document is not None
        assert (found.document["renewal"], found.document["term_months"]) == ({"auto": True}, 12)
        assert found.sources["renewal"] == "the line items' billing terms"

    @pytest.mark.parametrize("terms", [None, "", "FIXED", "fixed"])
    def test_is_not_where_the_term_is_fixed(self, terms: str | None) -> None:
        assert "renewal" not in document(crm_deal(crm_line(hs_recurring_billing_terms=terms)))

    def test_leaves_the_lines_that_do_not_renew_their_own_end(self) -> None:
        longer = crm_line("504", name="Archive", hs_recurring_billing_period="P2Y")
        got = document(crm_deal(support(), crm_line(hs_recurring_billing_terms=self.RENEWS), longer))

        assert (got["renewal"], got["term_months"]) == ({"auto": True}, 12)
        assert [item.get("term_months") for item in got["items"]] == [12, None, 24]

    @pytest.mark.parametrize(
        "other",
        [
            {"hs_recurring_billing_terms": "AUTOMATICALLY_RENEW", "hs_recurring_billing_period": "P2Y"},
            {"hs_recurring_billing_terms": "AUTOMATICALLY_RENEW", "hs_recurring_billing_start_date": "2027-04-01"},
            {"hs_recurring_billing_terms": "AUTOMATICALLY_RENEW", "hs_recurring_billing_period": None},
            {"hs_recurring_billing_start_date": "2027-02-01"},
        ],
    )
    def test_asks_finance_where_no_one_contract_renews(self, other: dict[str, str | None]) -> None:
        deal = crm_deal(crm_line(hs_recurring_billing_terms=self.RENEWS), support(**other))
        code, sentence, who = only_finding(deal)

        assert (code, who) == ("renewals", FINANCE)
        assert sentence == (
            "Some line items renew automatically and others start or end in another way, "
            "so the deal has no one day on which it renews."
        )

    def test_asks_finance_about_a_term_in_weeks(self) -> None:
        line = crm_line(
            recurringbillingfrequency="weekly", hs_recurring_billing_period="P52W",
            hs_recurring_billing_terms=self.RENEWS,
        )  # fmt: skip
        code, sentence, who = only_finding(crm_deal(line))

        assert (code, who) == ("not_supported", FINANCE)
        assert sentence == '"Platform" renews after a term in weeks, which Dealwright doesn\'t bill yet.'

    def test_asks_about_billing_terms_it_does_not_know(self) -> None:
        assert question(hs_recurring_billing_terms="EVERGREEN") == (
            "bad_renewal", 'HubSpot has "EVERGREEN" as the billing terms of "Platform".',
        )  # fmt: skip


class TestOneTimeItem:
    @pytest.mark.parametrize(
        ("properties", "when"),
        [
            ({}, None),
            ({"hs_recurring_billing_start_date": "2027-03-01"}, None),
            ({"hs_recurring_billing_start_date": "2027-05-01"}, "2027-05-01"),
            ({"hs_recurring_billing_start_date": "2027-02-01"}, "2027-02-01"),
            ({"hs_billing_start_delay_days": "45"}, "2027-04-15"),
            ({"hs_billing_start_delay_months": "6"}, "2027-09-01"),
        ],
    )
    def test_is_billed_on_the_day_it_names(self, properties: dict[str, str], when: str | None) -> None:
        got = document(crm_deal(crm_line(), setup_line(**properties)))

        assert got["start"] == "2027-03-01"
        assert got["items"][1].get("when") == when

    def test_does_not_move_the_start_of_the_deal(self) -> None:
        got = document(crm_deal(setup_line(hs_recurring_billing_start_date="2027-05-01")))

        assert (got["start"], got["items"][0]["when"]) == ("2027-03-01", "2027-05-01")

    def test_goes_with_the_service_where_it_names_no_day(self) -> None:
        got = document(crm_deal(crm_line(hs_recurring_billing_start_date="2027-04-15"), setup_line()))

        assert "when" not in got["items"][1]

    def test_names_where_its_day_came_from(self) -> None:
        found = read(crm_deal(setup_line(hs_recurring_billing_start_date="2027-05-01")))

        assert found.sources["item-502.when"] == "the line item's billing start"
