"""A whole Dealwright, or a part of one, as real processes: for `./dev up`, the demo, end-to-end and crash tests.

    with Stack() as stack:                                  # everything, throw-away, on free ports
        requests.get(stack.url("web") + "/healthz")

    stack = Stack(processes=["valkey", "hubspot", "quickbooks", "web", "worker:1", "worker:2"],
                  env={"DATABASE_URL": url, "WORK_LEASE_S": "1"}, migrate=False)
    stack.start()                                           # in order, each waited for
    stack.stop("worker:1")                                  # in good order
    stack.start("worker:1", env={"FAILPOINT": "invoice.sent"})
    stack.wait("worker:1", timeout_s=20)                    # -> -9: it killed itself
    stack.kill("worker:2")                                  # SIGKILL to that process alone; a job it runs lives on
    stack.clear("worker:2")                                 # ... until here
    stack.kill("valkey"); stack.start("valkey", empty=True) # the queue is lost and empty
    print(stack.log("web").read_text())
    stack.stop()                                            # everything; a throw-away stack deletes its data

Process names: `postgres`, `valkey`, `hubspot`, `quickbooks`, `web`, `worker`, `clock`; several of one kind are told
apart by a suffix, `worker:1`. Commands are those of `Procfile.dev`. Nothing restarts by itself here.

Whatever happens to this process, `kill -9` included, nothing that a stack started lives on.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tools import environment, programs
from tools.errors import ToolError
from tools.files import lock, read_json, write_private
from tools.home import Home
from tools.output import tail
from tools.processes import (
    ALL,
    APP,
    OWNER_URL,
    ROOT,
    SERVERS,
    STAND_INS,
    environment_of,
    in_start_order,
    kind_of,
    program,
)
from tools.servers.postgres import Postgres, start_postgres
from tools.servers.valkey import Valkey, start_valkey
from tools.supervisor import proctree
from tools.supervisor.client import Child, Keeper, Launch

READY_S = 60.0
RELEASE_S = 300.0
RUNNING = "running.json"
STOP_ORDER = (("release", "clock", "worker"), ("web",), STAND_INS, ("valkey",), ("postgres",))


class Stack:
    """Processes over one data directory.

    `data_dir` None: a new one under the system's temporary folder, deleted at the end. `env` is added to what the
    processes are told and wins; with DATABASE_URL (and DATABASE_OWNER_URL, for migrations) or REDIS_URL in it, that
    embedded server is not started. `processes` names what `start()` starts; migrations run before the first of web,
    worker and clock unless `migrate` is False or the owner's URL is unknown. `fsync` makes PostgreSQL safe against
    a crash of the machine. `on_start` hears the name of each process before it starts, `on_exit` the name of each that
    ends (from another thread).
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        env: Mapping[str, str] | None = None,
        processes: Sequence[str] = ALL,
        migrate: bool = True,
        fsync: bool = False,
        prefer_ports: Mapping[str, int] | None = None,
        on_start: Callable[[str], None] | None = None,
        on_exit: Callable[[str], None] | None = None,
    ) -> None:
        self.processes = in_start_order(list(processes))
        self.is_throwaway = data_dir is None
        self.home = Home.at(data_dir) if data_dir else Home.throwaway()
        self.migrate, self.fsync, self.on_start, self.on_exit = migrate, fsync, on_start, on_exit
        self._children: dict[str, Child] = {}
        self._servers: dict[str, Postgres | Valkey] = {}
        self._keeper: Keeper | None = None
        self._lock: int | None = None
        self.env = environment.of(self.home, env or {}, prefer_ports or {})
        """What every process is told (`DATABASE_URL` and `REDIS_URL` once the servers run); may be changed."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self, name: str | None = None, *, env: Mapping[str, str] | None = None, empty: bool = False) -> None:
        """Start one process, or all of `processes` in order, and return when it is ready.

        `env` is for this process and this start only. `empty` deletes a server's data first. Raises ToolError with
        the last lines of its log when a process does not become ready; if it was starting all, everything is stopped.
        """
        if name is None:
            try:
                self._start_all()
            except BaseException:
                self.stop()
                raise
        elif kind_of(name) in SERVERS:
            self._start_server(name, empty=empty)
        else:
            self.launch(name, env)
            self._wait_ready(name)

    def launch(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Start one process that is not a server, as `start` does, without waiting until it is ready."""
        if self.is_running(name):
            raise ToolError(f"{name} already runs.")
        if self.on_start:
            self.on_start(name)
        whole = {**environment_of(name, self.env), **(env or {})}
        self._children[name] = self._open().spawn(Launch(program(name).argv, whole, ROOT, self.home.log(name)))

    def stop(self, name: str | None = None) -> None:
        """Stop one process in good order, or all, last started first, and then delete a throw-away's data."""
        if name is not None:
            self._child(name).stop()
            return
        if self._keeper and self._keeper.is_alive:
            self._stop_children()
        self._children.clear()
        if self._keeper:
            self._keeper.close()
            self._keeper = None
        if self._lock is not None:
            (self.home.folder / RUNNING).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None
        if self.is_throwaway and self.home.folder.exists():
            self.home.delete()

    @staticmethod
    def delete_data(data_dir: Path) -> None:
        """Delete a data directory that a stack made, and the servers' folder that it names.

        Raises ToolError when a stack runs on it, or when it was not made by a stack.
        """
        if data_dir.is_dir() and any(data_dir.iterdir()):
            home = Home.at(data_dir)
            held = lock(home.folder / "lock", wait_s=60, busy=_busy)
            home.delete()
            os.close(held)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal one process alone, its children not; after SIGKILL, return when it is gone."""
        self._child(name).signal(number)
        if number == signal.SIGKILL:
            self.wait(name, timeout_s=10)

    def clear(self, name: str) -> None:
        """Kill what a process that has ended left behind, such as a worker's running job."""
        self._child(name).clear()

    def wait(self, name: str, timeout_s: float) -> int:
        """Wait for a process to end and return its exit code, negative for a signal. Raises TimeoutError."""
        status = self._child(name).wait(timeout_s)
        if status is None:
            raise TimeoutError(f"{name} still runs after {timeout_s} s")
        return status

    def is_running(self, name: str) -> bool:
        """Say whether a process was started and has not ended."""
        return name in self._children and self._children[name].status is None

    def pid(self, name: str) -> int:
        """Return the process id of a process that was started."""
        return self._child(name).pid

    def log(self, name: str) -> Path:
        """Return the file that has a process's standard output and error, of all its starts in this run."""
        return self.home.log(name)

    def url(self, name: str) -> str:
        """Return where a process answers: the public origin for `web`; the superuser's URL for `postgres`."""
        if name == "web":
            return self.env["PUBLIC_ORIGIN"]
        if name in ("hubspot", "quickbooks"):
            return f"http://127.0.0.1:{self.env[f'SANDBOX_{name.upper()}_PORT']}"
        server = self._servers.get(name)
        if server is None:
            raise ToolError(f"{name} has no address: it was not started by this stack.")
        return server.url_superuser if isinstance(server, Postgres) else server.url

    @property
    def keeper(self) -> Keeper:
        """The keeper that owns this stack's processes; started, and the data directory locked, when first asked for."""
        return self._open()

    def run(self, argv: Sequence[str], *, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command in this stack's environment (owner's URL included) and return its output as text."""
        env = self._open().mark(self.env)
        return subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)

    # ------------------------------------------------------------------------------------------------ inside

    def _child(self, name: str) -> Child:
        if name not in self._children:
            raise ToolError(f"{name} was not started.")
        return self._children[name]

    def _open(self) -> Keeper:
        """Lock the data directory and start the keeper, once."""
        if self._keeper is None:
            self._lock = lock(self.home.folder / "lock", wait_s=60, busy=_busy)
            (self.home.folder / RUNNING).unlink(missing_ok=True)
            if any(self._is_needed(name) and kind_of(name) in SERVERS for name in self.processes):
                _ = self.home.place  # before the keeper, which is told what to delete
            outside = programs.elsewhere(self.home.folder)
            delete = [self.home.folder, *([outside] if outside else [])] if self.is_throwaway else []
            self._keeper = Keeper(self.home.log("keeper"), delete=delete, hold=[self._lock], on_exit=self._exited)
        return self._keeper

    def _exited(self, child: Child) -> None:
        names = [name for name, known in self._children.items() if known is child]
        if names and self.on_exit:
            self.on_exit(names[0])

    def _is_needed(self, name: str) -> bool:
        given = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}.get(name)
        return given is None or name in self._servers or given not in self.env

    def _start_all(self) -> None:
        self._open()
        for name in self.processes:
            if kind_of(name) in SERVERS and self._is_needed(name):
                self._start_server(name)
        stand_ins, app = ([name for name in self.processes if kind_of(name) in kinds] for kinds in (STAND_INS, APP))
        for name in stand_ins:  # they come up while the migrations run
            self.launch(name)
        if app and self.migrate and OWNER_URL in self.env:
            self._migrate()
        for name in stand_ins:
            self._wait_ready(name)
        for name in app:
            self.launch(name)
        for name in app:
            self._wait_ready(name)
        self._remember()

    def _stop_children(self) -> None:
        """Stop what takes work first and what holds data last; each group at once."""
        for kinds in STOP_ORDER:
            group = [child for name, child in self._children.items() if kind_of(name) in kinds and child.status is None]
            for child in group:
                child.signal(child.launch.stop_signal)
            for child in group:
                child.stop(timeout_s=20 if child.launch.is_server else 10, is_asked=True)

    def _wait_ready(self, name: str) -> None:
        """Wait until a process that has a probe answers it with 200; without one, running is enough."""
        child, what = self._children[name], program(name)
        if not what.probe:
            return
        port = int(child.launch.env["PORT" if what.kind == "web" else f"SANDBOX_{what.kind.upper()}_PORT"])
        deadline = time.monotonic() + READY_S
        while not _answers(port, what.probe):
            if child.wait(0.03) is not None:
                raise ToolError(f"{name} ended while it started ({ending(child.status)}):\n{tail(self.log(name))}")
            if time.monotonic() > deadline:
                raise ToolError(f"{name} is not ready after {READY_S:.0f} s:\n{tail(self.log(name))}")

    def _start_server(self, name: str, *, empty: bool = False) -> None:
        if self.is_running(name):
            raise ToolError(f"{name} already runs.")
        if self.on_start:
            self.on_start(name)
        keeper, data = self._open(), self.home.place.folder / name
        if empty and data.exists():
            shutil.rmtree(data)
        server: Postgres | Valkey
        if name == "postgres":
            server = start_postgres(self.home, fsync=self.fsync, keeper=keeper)
            self.env |= {"DATABASE_URL": server.app_url(), OWNER_URL: server.owner_url()}
        else:
            server = start_valkey(self.home, keeper=keeper)
            self.env["REDIS_URL"] = f"{server.url}/0"
        self._servers[name], self._children[name] = server, server.child

    def _migrate(self) -> None:
        self.launch("release")
        status = self._children.pop("release").wait(RELEASE_S)
        if status != 0:
            raise ToolError(f"the migrations failed ({ending(status)}):\n{tail(self.log('release'))}")

    def _remember(self) -> None:
        """Leave the environment for other `./dev` commands, as long as this stack runs."""
        write_private(self.home.folder / RUNNING, json.dumps({"pid": os.getpid(), "env": self.env}, indent=1))


def running_environment(data_dir: Path) -> dict[str, str] | None:
    """Return the environment of the stack that runs on `data_dir` now, started by whichever process; None if none."""
    known = read_json(data_dir / RUNNING)
    return dict(known["env"]) if known and proctree.is_running(known["pid"]) else None


def refuse_if_running(data_dir: Path) -> None:
    """Raise ToolError, naming the process, when a stack runs on a data directory."""
    known = read_json(data_dir / RUNNING)
    busy = _busy(str(known["pid"])) if known else None
    if busy:
        raise ToolError(busy)


def ending(status: int | None) -> str:
    """Put an exit code in words."""
    if status is None:
        return "it does not end"
    return f"exit code {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _busy(holder: str) -> str | None:
    if holder.isdigit() and proctree.is_running(int(holder)):
        return f"./dev already runs on this data directory (process {holder}); stop it first."
    return None  # it was killed, and its keeper is still ending what it ran
