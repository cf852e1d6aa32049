"""The ground of the crash matrix: real processes, and for each case a portal and a company file of its own.

One stack serves all cases of a test process: two workers, clock, web, both stand-ins and a Valkey, over a database of
its own. Timings are settings, short here. A case ends where a person would look: in QuickBooks' books, read over
HTTP, and in our own rows; what must be true of every case then is written once, in `outcome.assert_exactly_once`.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import psycopg
import requests
from psycopg.rows import dict_row
from redis import Redis

from app.bootstrap import build_process
from app.connections import actions as connections
from app.connections.keeper import TokenKeeper
from app.connections.models import QUICKBOOKS
from app.core import work
from app.core.db import db, transaction
from app.core.doorbell import RqDoorbell
from app.core.outcome import Done
from app.edge import wiring
from app.ports import LedgerAccount
from app.settings import Settings
from tests.conftest import Database, make_portal
from tests.factories import ZONE, actor, crm_deal, crm_line, observe, setup_line
from tools.stack import Stack

T = TypeVar("T")
LEASE_S = 1.8
# Longer than the lease, as in production: it is what holds a repetition back, after a crash too.
UNKNOWN_WAIT_S = 2.4
TIMINGS = {
    "WORK_LEASE_S": str(LEASE_S), "WORK_SLICE_S": "20", "WORK_UNKNOWN_WAIT_S": str(UNKNOWN_WAIT_S),
    "WORK_RETRY_BASE_S": "0.2", "HTTP_CONNECT_TIMEOUT_S": "0.2", "HTTP_READ_TIMEOUT_S": "0.4", "CLOCK_TICK_S": "0.25",
}  # fmt: skip
# How long the stand-in holds a connection that is never answered: longer than the read time-out.
HANG_S = 0.8
DEADLINE_S = 45.0
SERVICES = ("valkey", "hubspot", "quickbooks", "web", "worker:1", "worker:2", "clock")
STEPS = ("quickbooks.customer", "quickbooks.item", "quickbooks.invoice", "quickbooks.mail")
# Cases of one of these are prepared and recover beside each other.
BATCHES = [(step, requestid) for step in STEPS for requestid in ("honour", "forget")]
# The stand-in's names of each step's write, and of the look-up that has to come before a second one.
WRITE = dict(zip(STEPS, ("customer.create", "item.create", "invoice.create", "invoice.send"), strict=True))
LOOK = dict(zip(STEPS, ("customer.query", "item.query", "invoice.query", "invoice.read"), strict=True))
_hub_ids = itertools.count(6_000_001)


@dataclass
class Case:
    """One won deal on its way into one company file, and what the harness saw of it."""

    portal_id: int
    realm_id: str
    portal_lane: int
    lane: int
    customer: str = "Acme Inc"
    email: str = "billing@acme.example"
    items: tuple[str, ...] = ("Platform", "Set-up")
    net_minor: int = 350_000
    # Sends whose outcome nobody knows: the row's kind and subject, and when the send began.
    unknown: set[tuple[str, str, datetime]] = field(default_factory=set)
    item_names: dict[str, str] = field(default_factory=dict)


class Ground:
    """The running processes, and what a test does to them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        env = {
            "DATABASE_URL": database.app_url, "DEALWRIGHT_ENV": "test", "WEB_CONCURRENCY": "1", "SANDBOX_FAST": "1",
            **TIMINGS,
        }  # fmt: skip
        self.stack = Stack(processes=SERVICES, env=env, migrate=False)
        self.armed = self.stack.home.folder / "failpoint"
        self.stack.env["FAILPOINT"] = f"@{self.armed}"
        self.stack.start()
        self._batches: dict[tuple[str, ...], dict[str, Case] | None] = {}
        self._rows = psycopg.connect(database.superuser_url, autocommit=True, row_factory=dict_row)
        self._doorbell = RqDoorbell(Redis.from_url(self.stack.env["REDIS_URL"]))
        # What a test itself asks QuickBooks for is no part of the case, and is waited for.
        patient = {"HTTP_CONNECT_TIMEOUT_S": "10", "HTTP_READ_TIMEOUT_S": "10", "WORK_LEASE_S": "60", "FAILPOINT": ""}
        self.app = build_process(Settings.from_environ(self.stack.env | patient))

    def close(self) -> None:
        """End all processes."""
        with self.app.app_context():
            db.engine.dispose()
        self._rows.close()
        self.stack.stop()

    # ------------------------------------------------------------------------------------------ looking

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Return rows of the database, as the superuser sees them."""
        return self._rows.execute(statement, values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        """Change rows of the database past the product, as passing time would."""
        self._rows.execute(statement, values)

    def work(self, case: Case, kind: str) -> list[dict[str, Any]]:
        """Return the case's rows of work of a kind."""
        return self.rows("SELECT * FROM work WHERE portal_id = %s AND kind = %s ORDER BY id", case.portal_id, kind)

    def journal(self, case: Case, *operations: str) -> list[dict[str, Any]]:
        """Return the calls that reached QuickBooks for the case's company, oldest first."""
        answer = requests.get(f"{self.stack.url('quickbooks')}/_sandbox/journal", params={"bodies": "1"}, timeout=10)
        calls = [call for call in answer.json()["calls"] if f"/company/{case.realm_id}/" in call["path"]]
        for call in calls:
            call["instant"] = datetime.fromisoformat(call["at"])
            call["request_id"] = "".join(parse_qs(call["query"]).get("requestid", []))
        return [call for call in calls if not operations or call["operation"] in operations]

    def books(self, case: Case) -> dict[str, Any]:
        """Return the company's documents as QuickBooks' API shows them."""
        url = f"{self.stack.url('quickbooks')}/_sandbox/books"
        answer = requests.get(url, params={"realm_id": case.realm_id}, timeout=10)
        answer.raise_for_status()
        books: dict[str, Any] = answer.json()
        return books

    def settle(self, *cases: Case) -> None:
        """Wait until every delivery is done, or has to wait for a person, and notice unknown sends meanwhile."""

        def are_settled() -> bool:
            self.revive()
            work = self.notice(*cases)
            return all(self._is_settled(case, [row["state"] for row in work[case.portal_id]]) for case in cases)

        wait_until(f"{len(cases)} deliveries to be done", are_settled, pause_s=0.05)

    def notice(self, *cases: Case) -> dict[int, list[dict[str, Any]]]:
        """Note the sends of unknown outcome as they are now; return the rows of delivery by portal."""
        found: dict[int, list[dict[str, Any]]] = {case.portal_id: [] for case in cases}
        by_portal = {case.portal_id: case for case in cases}
        statement = "SELECT * FROM work WHERE portal_id = ANY(%s) AND kind = ANY(%s)"
        for row in self.rows(statement, list(by_portal), list(STEPS)):
            found[row["portal_id"]].append(row)
            if row["outcome_unknown"] and row["send_began_at"] is not None and row["state"] == "waiting":
                by_portal[row["portal_id"]].unknown.add((row["kind"], row["subject"], row["send_began_at"]))
        return found

    def _is_settled(self, case: Case, states: Sequence[str]) -> bool:
        return "parked" in states or (len(states) == len(case.items) + 3 and set(states) == {"done"})

    # ------------------------------------------------------------------------------------------ preparing

    def batch(self, *key: str, make: Callable[[], dict[str, Case]]) -> dict[str, Case]:
        """Return cases that were made beside each other, which saves most of the waiting; made when first asked for."""
        if key not in self._batches:
            self._batches[key] = None
            self._batches[key] = make()
        made = self._batches[key]
        assert made is not None, "the batch of this case failed; the first of its tests says how"
        return made

    def case(self) -> Case:
        """Return a fresh portal connected to a fresh company file; nothing is won yet."""
        self.revive()
        realm_id = self.company()
        with self.app.app_context():
            portal_id = make_portal(next(_hub_ids))
        self.connect(portal_id, realm_id)
        with self.app.app_context(), transaction(portal_id):
            work.lane("portal")
        return self.case_of(portal_id, realm_id)

    def case_of(self, portal_id: int, realm_id: str) -> Case:
        """Return the case of a portal that is connected already."""
        lanes = {row["kind"]: row["id"] for row in self.rows("SELECT * FROM lane WHERE portal_id = %s", portal_id)}
        return Case(portal_id, realm_id, lanes.get("portal", 0), lanes["quickbooks"])

    def company(self) -> str:
        """Open a company file in QuickBooks and return its realm id."""
        opened = self.control("quickbooks", "companies", name="Books", currency="USD", country="US", timezone=ZONE)
        return str(opened["realm_id"])

    def connect(self, portal_id: int, realm_id: str) -> None:
        """Connect a portal to a company as its admin does: consent, code, tokens, the company's facts, the account."""
        with self.app.app_context():
            grant = wiring().issuers[QUICKBOOKS].exchange(self._consent(realm_id))
            assert isinstance(grant, Done), grant
            company = wiring().accounting.company(LedgerAccount(realm_id, grant.value.access_token))
            assert isinstance(company, Done), company
            with transaction(portal_id):
                connection = connections.connect(
                    wiring().ring, provider=QUICKBOOKS, environment="sandbox", account_id=realm_id, name="Books",
                    grant=grant.value, by="ada@northwind.example",
                )  # fmt: skip
                connections.describe_company(connection, company.value)
                connections.choose_accounts(actor("admin"), income_account_id="79", tax_code_id=None)

    def access_token(self, case: Case) -> str:
        """Return the access token of the case's connection."""
        with self.app.app_context():
            token = TokenKeeper(wiring().ring, wiring().issuers).fresh(case.portal_id, case.lane)
        assert isinstance(token, str), token
        return token

    def win(self, case: Case) -> None:
        """Win the case's deal today, seen by a read of the deal; from here on the workers go by themselves."""
        today = datetime.now(ZoneInfo(ZONE)).date()
        deal = crm_deal(crm_line(), setup_line(), deal_id=case.portal_id, closedate=_noon(today))
        work.use_doorbell(self._doorbell)  # another application of this test process may have wired its own meanwhile
        with self.app.app_context(), transaction(case.portal_id):
            observe(deal)

    def _consent(self, realm_id: str) -> str:
        env = self.stack.env
        ask = {
            "client_id": env["QUICKBOOKS_CLIENT_ID"], "response_type": "code", "state": "crash", "realm_id": realm_id,
            "redirect_uri": f"{env['PUBLIC_ORIGIN']}/oauth/quickbooks/callback", "decision": "connect",
            "scope": "com.intuit.quickbooks.accounting",
        }  # fmt: skip
        answer = requests.post(env["QUICKBOOKS_AUTHORIZE_URL"], data=ask, timeout=10, allow_redirects=False)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    # ------------------------------------------------------------------------------------------ disturbing

    def control(self, stand_in: str, what: str, **body: Any) -> dict[str, Any]:
        """Tell a stand-in something through its control API."""
        answer = requests.post(f"{self.stack.url(stand_in)}/_sandbox/{what}", json=body, timeout=10)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def fault(self, case: Case, operation: str, kind: str, **more: Any) -> int:
        """Order a fault for the case's next call of this operation; return the rule's id."""
        match = {"path": f"/v3/company/{case.realm_id}/*", "operation": operation}
        return int(self.control("quickbooks", "faults", match=match, kind=kind, **more)["id"])

    def is_used(self, rule_id: int) -> bool:
        """Whether the call that a fault was ordered for has arrived."""
        rules = requests.get(f"{self.stack.url('quickbooks')}/_sandbox/faults", timeout=10).json()["faults"]
        return rule_id not in [rule["id"] for rule in rules]

    def ring(self, lane: int) -> None:
        """Ring a lane, so that a worker looks at it now."""
        self._doorbell.ring(lane)

    @contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """Nothing is rung by the clock meanwhile: who died stays dead."""
        self.stack.kill("clock", signal.SIGSTOP)
        try:
            yield
        finally:
            self.stack.kill("clock", signal.SIGCONT)

    def arm(self, point: str, how: str = "kill") -> None:
        """Let the next worker process that passes a failpoint die there, or freeze with `stop`."""
        draft = self.armed.with_suffix(".draft")
        draft.write_text(f"{point} {how}", encoding="utf-8")
        draft.rename(self.armed)

    def hit(self) -> int:
        """Wait until a process met the armed failpoint; return its id."""

        def taken() -> Path | None:
            return next(iter(self.armed.parent.glob(f"{self.armed.name}.[0-9]*")), None)

        left = wait_until(f"a worker to reach {self.armed.read_text() if self.armed.exists() else 'it'}", taken)
        left.unlink()
        return int(left.suffix[1:])

    def kill_at(self, case: Case, point: str) -> None:
        """Win the case's deal and return when its worker has died at a failpoint. Call it with the clock stopped."""
        self.arm(point)
        self.win(case)
        pid = self.hit()
        wait_until("the worker to be gone", lambda: not is_alive(pid))
        for row in self.rows("SELECT * FROM work WHERE portal_id = %s AND state = 'sending'", case.portal_id):
            case.unknown.add((row["kind"], row["subject"], row["send_began_at"]))

    def workhorse(self, case: Case) -> int:
        """Return the id of the process that drains the case's ledger lane at this moment."""
        holder = self.rows("SELECT holder FROM lane WHERE id = %s", case.lane)[0]["holder"]
        parent = int(holder.rpartition(":")[2])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        assert len(children) == 1, f"worker {parent} has {len(children)} work-horses"
        return int(children[0])

    def revive(self) -> None:
        """Start again what ended, as a supervisor does: workers end by themselves when they lose the queue."""
        for name in SERVICES:
            if not self.stack.is_running(name):
                self.stack.clear(name)
                self.stack.start(name)


def wait_until(what: str, look: Callable[[], T | None], *, pause_s: float = 0.02) -> T:
    """Look until there is something to see; fail with what never came."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"waited {DEADLINE_S:.0f} s for {what}"
        time.sleep(pause_s)


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no mere entry that its parent has yet to take."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def resume(pid: int) -> None:
    """Let a frozen process go on."""
    os.kill(pid, signal.SIGCONT)


def _noon(day: date) -> str:
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(ZONE)).astimezone(UTC).isoformat()
