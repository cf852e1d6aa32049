"""A sample of the comparison of the engine with the day-by-day biller; all of it: `python -m tests.oracle`."""

from __future__ import annotations

import pytest

from tests.oracle.compare import compare_seed
from tests.oracle.documents import features_of
from tests.oracle.sequences import compare_sequence

CHUNK = 20
EVERYTHING = features_of([])


class TestEngineAgreesWithTheOracle:
    @pytest.mark.parametrize("first", range(0, 300, CHUNK))
    def test_on_documents_with_nothing_issued(self, first: int) -> None:
        found = [compare_seed(seed, EVERYTHING) for seed in range(first, first + CHUNK)]
        assert not [difference.text() for difference in found if difference]

    @pytest.mark.parametrize("first", range(0, 100, CHUNK))
    def test_on_whole_lives_settled_in_runs(self, first: int) -> None:
        found = [compare_sequence(seed, EVERYTHING, generous=seed % 2 == 1) for seed in range(first, first + CHUNK)]
        assert not [difference.text() for difference in found if difference]
