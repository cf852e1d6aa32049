"""The benchmarks measure what they say: documents that bill, growth that is told, a run with all its rows."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import date

import pytest

from app.billing import preview
from bench import billing_run, places, previews
from bench.portal import FIRST_DAY, opened
from bench.previews import Figure
from tests.conftest import Cluster, environment
from tools.commands import bench as command
from tools.errors import ToolError
from tools.processes import ROOT

WIDTHS = [*itertools.product(previews.MONTHS, previews.ITEMS, previews.CHANGES), previews.MORE_CHANGES]
APRIL = date(2027, 4, 1)


@pytest.fixture
def place(cluster: Cluster) -> places.Place:
    """The test's servers, as `./dev bench` would name its own."""
    environ = environment("postgresql://none", f"{cluster.redis_url}/9")
    return places.Place(cluster.superuser_url, cluster.owner_password, cluster.app_password, environ)


class TestPreviews:
    @pytest.mark.parametrize("width", WIDTHS, ids=str)
    def test_each_document_bills_every_month_and_change(self, width: tuple[int, int, int]) -> None:
        months, items, changes = width
        answer = preview(previews.document(months, items, changes))
        assert answer.status == "ok", answer.to_json()
        assert len([one for one in answer.documents if one.change is None]) == months
        assert len({line.item for one in answer.documents for line in one.lines}) == items
        changed = [one.change for one in answer.documents if one.change is not None]
        assert sorted(changed) == sorted(f"c{n}" for n in range(changes))

    @pytest.mark.parametrize(("power", "told"), [(1, "linear or better"), (2, "MORE THAN LINEAR")])
    def test_growth_tells_linear_from_quadratic(self, power: int, told: str) -> None:
        figures = {
            (m, i, c): Figure(m, i, c, 1.0, 1 / (m**power * i**power * (1 + c**power))) for m, i, c in WIDTHS
        }  # fmt: skip
        lines = previews.growth(figures)
        assert len(lines) == len(previews.ITEMS) * 2 + len(previews.MONTHS) * 2 + 1
        assert [line for line in lines if told not in line] == []


class TestBillingRun:
    def test_small_one_measures_every_month_of_every_portal(self, place: places.Place) -> None:
        wanted = [("approval", 20), ("automatic", 20)]
        measured = billing_run.measure(place, wanted, rounds=2)
        assert [[month.drafts for month in months] for months in measured] == [[20, 20], [20, 20]]
        for month in itertools.chain(*measured):
            assert min(month.run.wall_s, month.bare.wall_s, month.preview_s, month.loop_s) > 0
            assert month.run.cpu_s > month.preview_s

    @pytest.mark.parametrize("mode", ["approval", "automatic"])
    def test_bare_insert_leaves_what_the_run_wrote(
        self, place: places.Place, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with places.database(place) as database, opened(database, mode=mode, count=3) as portal:
            portal.run()
            portal.approve(FIRST_DAY)
            before = {table: database.highest_id(table) for table in billing_run.WRITTEN}
            monkeypatch.setattr(type(portal), "approve", lambda *_: 0)
            seen: list[billing_run.Rows] = []
            bare = billing_run.insert_bare
            monkeypatch.setattr(
                billing_run, "insert_bare", lambda portal, rows: (seen.append(rows), bare(portal, rows))
            )
            billing_run.bill(portal, APRIL)
            left = billing_run.written(portal, before)
        assert left == seen[0]
        assert {row["scheduled_on"] for row in left["invoice"]} == {APRIL}
        of_approval = {"invoice": 3, "invoice_line": 3, "event": 3, "billed_entry": 0, "audit": 0, "work": 0}
        of_automatic = {"invoice": 3, "invoice_line": 3, "event": 6, "billed_entry": 3, "audit": 3, "work": 6}
        assert {name: len(rows) for name, rows in left.items()} == (
            of_approval if mode == "approval" else of_automatic
        )  # fmt: skip

    def test_figures_of_a_run_that_bills_nothing_are_refused(self, place: places.Place) -> None:
        with places.database(place) as database, opened(database, mode="approval", count=2) as portal:
            portal.run()
            portal.approve(FIRST_DAY)
            with pytest.raises(RuntimeError, match="2 subscriptions got 0 drafts on 2027-03-02"):
                billing_run.bill(portal, date(2027, 3, 2))

    def test_growth_with_the_number_of_subscriptions_is_told(self) -> None:
        def month(drafts: int, wall_s: float) -> billing_run.Month:
            cost = billing_run.Cost(wall_s, wall_s)
            return billing_run.Month(drafts, cost, cost, wall_s / 2, 0.001)

        small = [month(1_000, 1.0), month(1_000, 2.0), month(1_000, 1.0)]
        for each, verdict in ((1.1, "1.10 (flat)"), (1.3, "1.30 (NOT FLAT)")):
            large = [month(10_000, 10 * each), month(10_000, 20 * each), month(10_000, 99.0)]
            assert billing_run.growth("time", small, large, lambda m: m.run.wall_s / m.drafts).endswith(verdict)


class TestCommand:
    def test_refuses_a_part_that_there_is_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(command.Home, "throwaway", lambda: pytest.fail("nothing is to be made for it"))
        with pytest.raises(ToolError, match="no benchmark 'previewz'; there are previews, run"):
            command.main(["previews", "previewz"])

    def test_is_listed_in_the_help(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tools", "help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert "  bench  previews and the billing run" in done.stdout
