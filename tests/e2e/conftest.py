"""One running stack per test process: every part its own process, the database a copy of the migrated template."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Cluster, Database, drop_database
from tests.e2e.office import AUTOMATIC, Office, open_office
from tools.stack import Stack

FAST = {
    "SANDBOX_FAST": "1", "CLOCK_TICK_S": "0.2", "WORK_RETRY_BASE_S": "0.3", "WORK_UNKNOWN_WAIT_S": "1",
    "HTTP_CONNECT_TIMEOUT_S": "1", "HTTP_READ_TIMEOUT_S": "3", "WORK_LEASE_S": "10", "WEB_CONCURRENCY": "1",
}  # fmt: skip


@pytest.fixture(scope="session")
def stack(cluster: Cluster, new_database: Callable[[], Database]) -> Iterator[Stack]:
    """The whole product and both stand-ins, with two workers."""
    database = new_database()
    processes = ["valkey", "hubspot", "quickbooks", "web", "worker:1", "worker:2", "clock"]
    with Stack(processes=processes, env={"DATABASE_URL": database.app_url, **FAST}, migrate=False) as running:
        yield running
    drop_database(cluster, database)


@pytest.fixture
def office(stack: Stack) -> Office:
    """A fresh portal with its own company file, billing automatically."""
    return open_office(stack, AUTOMATIC)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:  # type: ignore[misc]  # the hook's own protocol
    """Show what the processes said, where a test with a stack failed."""
    report = yield
    running = getattr(item, "funcargs", {}).get("stack")
    if report.when == "call" and report.failed and running is not None:
        for name in ("web", "worker:1", "worker:2", "clock", "hubspot", "quickbooks"):
            lines = running.log(name).read_text(errors="replace").splitlines()
            told = [line for line in lines if "status_code=200" not in line and '" 200 ' not in line][-25:]
            report.sections.append((f"log of {name}", "\n".join(told)))
    return report
