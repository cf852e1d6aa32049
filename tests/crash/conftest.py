"""One set of running processes for all cases of a test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Cluster, Database, drop_database
from tests.crash.harness import Ground


@pytest.fixture(scope="session")
def ground(cluster: Cluster, new_database: Callable[[], Database]) -> Iterator[Ground]:
    """The running processes."""
    database = new_database()
    made = Ground(database)
    yield made
    made.close()
    drop_database(cluster, database)
