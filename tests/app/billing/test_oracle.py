"""A sample of the comparison of the engine with the day-by-day biller; all of it: `python -m tests.oracle`."""

from __future__ import annotations

import pytest

from tests.oracle.compare import compare_seed
from tests.oracle.documents import CORNERS, CORNERS_OF_LIVES, features_of
from tests.oracle.sequences import compare_sequence

CHUNK = 20
COMPARED = features_of(())


class TestEngineAgreesWithTheOracle:
    @pytest.mark.parametrize("first", range(0, 300, CHUNK))
    def test_on_documents_with_nothing_issued(self, first: int) -> None:
        seeds = [seed for seed in range(first, first + CHUNK) if seed not in CORNERS]
        found = [compare_seed(seed, COMPARED) for seed in seeds]
        assert not [difference.text() for difference in found if difference]

    @pytest.mark.parametrize("first", range(0, 200, CHUNK))
    def test_on_whole_lives_settled_in_runs(self, first: int) -> None:
        seeds = [seed for seed in range(first, first + CHUNK) if seed not in CORNERS_OF_LIVES]
        found = [compare_sequence(seed, COMPARED, generous=seed % 2 == 1) for seed in seeds]
        assert not [difference.text() for difference in found if difference]
