"""One running stack per test process: every part its own process, the database a copy of the migrated template."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import Cluster, Database, drop_database
from tests.e2e.office import APPROVAL, AUTOMATIC, Office, open_office
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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, found by `./dev test`."""
    with sync_playwright() as playwright:
        path = os.environ.get("DEALWRIGHT_CHROMIUM", "/usr/bin/chromium")
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh browser profile; any script error or refused resource fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    shown = context.new_page()
    trouble: list[str] = []
    shown.on("pageerror", lambda error: trouble.append(str(error)))
    shown.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    yield shown
    context.close()
    assert trouble == []


@pytest.fixture
def careful(stack: Stack) -> Office:
    """A portal in which a person approves."""
    return open_office(stack, APPROVAL)


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
