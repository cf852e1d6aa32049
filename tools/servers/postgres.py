"""One PostgreSQL cluster: made at the first start, recovered after an unclean stop."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tools.errors import ToolError
from tools.files import write_private
from tools.home import Home
from tools.output import tail
from tools.supervisor import proctree
from tools.supervisor.client import Child, Keeper, Launch, closing_on_error

SUPERUSER, OWNER, APP, DATABASE = "postgres", "dw_owner", "app_rw", "dealwright"
START_S = 120.0  # recovery after a crash reads the log since the last checkpoint
NO_SUCH_PID = 2**22 + 1  # above the highest process id that Linux and macOS give out

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "[%p] ",
    "log_checkpoints": "off",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """A running cluster. URLs are `postgresql://`; the passwords in them are those of `home.keys`."""

    home: Home
    child: Child
    port: int
    own_keeper: Keeper | None = None

    @property
    def url_superuser(self) -> str:
        """URL of the superuser without a database; add `/NAME`."""
        return f"postgresql://{SUPERUSER}:{self.home.keys['POSTGRES_PASSWORD']}@127.0.0.1:{self.port}"

    def owner_url(self, database: str = DATABASE) -> str:
        """URL of the role that owns the schema and migrates it."""
        return f"postgresql://{OWNER}:{self.home.keys['OWNER_PASSWORD']}@127.0.0.1:{self.port}/{database}"

    def app_url(self, database: str = DATABASE) -> str:
        """URL of the role that the product runs as: no superuser, bound by row-level security."""
        return f"postgresql://{APP}:{self.home.keys['APP_PASSWORD']}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Shut down cleanly, disconnecting who is connected. May be called twice."""
        if self.child.status is None:
            self.child.stop(timeout_s=20)
        if self.own_keeper:
            self.own_keeper.close()


def start_postgres(data_dir: Path | Home, *, fsync: bool = False, keeper: Keeper | None = None) -> Postgres:
    """Start the cluster of `data_dir`, make it first if need be, and wait until it takes connections.

    Without `fsync` a crash of the machine (not of the server) may lose data: for tests. Without `keeper` the server
    has one of its own. Raises ToolError with the reason when it does not come up.
    """
    home = data_dir if isinstance(data_dir, Home) else Home.at(data_dir)
    if keeper is not None:
        return _start(home, keeper, fsync, None)
    own_keeper = Keeper(home.log("keeper"))
    with closing_on_error(own_keeper.close):
        return _start(home, own_keeper, fsync, own_keeper)


def _start(home: Home, keeper: Keeper, fsync: bool, own_keeper: Keeper | None) -> Postgres:
    cluster = home.place.folder / "postgres"
    if cluster.is_dir():
        _check_version(home, cluster)
        _clear_stale_pid(cluster)
    else:
        _make_cluster(home, keeper, cluster, fsync)
    server = _run(home, keeper, cluster, fsync, own_keeper)
    with closing_on_error(server.child.stop):
        _set_up(server)
    return server


def _make_cluster(home: Home, keeper: Keeper, cluster: Path, fsync: bool) -> None:
    """Run initdb beside the final place and rename, so that an interrupted one is never taken for a cluster."""
    new = cluster.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    password = cluster.with_name("password")
    write_private(password, home.keys["POSTGRES_PASSWORD"])
    if home.place.user:
        os.chown(password, *home.place.user)
    argv = [str(home.place.initdb), "-D", str(new), "--username", SUPERUSER, "--pwfile", str(password)]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    argv += ["--builtin-locale=C.UTF-8", "--no-instructions", *([] if fsync else ["--no-sync"])]
    log = home.log("postgres")
    try:
        child = keeper.spawn(_launch(home, argv, log))
        if child.wait(START_S) != 0:
            raise ToolError(f"PostgreSQL could not make its data folder:\n{tail(log)}")
    finally:
        password.unlink()
    new.rename(cluster)


def _launch(home: Home, argv: list[str], log: Path) -> Launch:
    env = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
    folder, user = home.place.folder, home.place.user
    return Launch(argv, env, folder, log, user=user, is_server=True, stop_signal=signal.SIGINT)


def _run(home: Home, keeper: Keeper, cluster: Path, fsync: bool, own_keeper: Keeper | None) -> Postgres:
    for attempt in range(4):
        port = home.ports.change("postgres") if attempt else home.ports.get("postgres")
        settings = {**SETTINGS, "port": str(port), **({} if fsync else FOR_TESTS)}
        argv = [str(home.place.postgres), "-D", str(cluster)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        log = home.log("postgres")
        child = keeper.spawn(_launch(home, argv, log))
        server = Postgres(home, child, port, own_keeper)
        with closing_on_error(child.stop):
            _wait_ready(server)
        if child.status is None:
            return server
        if "could not bind" not in tail(log):
            break
    raise ToolError(f"PostgreSQL ended while it started (exit code {child.status}). It said:\n{tail(log)}")


def _wait_ready(server: Postgres) -> None:
    """Return when the server takes connections, or when it has ended."""
    deadline = time.monotonic() + START_S
    while server.child.status is None:
        try:
            psycopg.connect(f"{server.url_superuser}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise ToolError(
                    f"{server.home.folder / 'secrets.json'} does not hold the password that the database was made "
                    "with. Put the file back, or start anew with ./dev up --fresh."
                ) from error
            if time.monotonic() > deadline:
                raise ToolError(f"PostgreSQL takes no connections after {START_S:.0f} s: {error}") from error
            server.child.wait(0.02)
        else:
            return


def _set_up(server: Postgres) -> None:
    """Make roles, extension and database where they are missing, and set the roles' passwords."""
    with psycopg.connect(f"{server.url_superuser}/postgres", autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role, key in ((OWNER, "OWNER_PASSWORD"), (APP, "APP_PASSWORD")):
            verb = sql.SQL("ALTER" if role in roles else "CREATE")
            rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD")
            password = sql.Literal(server.home.keys[key])
            connection.execute(sql.SQL("{} ROLE {} {} {}").format(verb, sql.Identifier(role), rights, password))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            return
        with psycopg.connect(f"{server.url_superuser}/template1", autocommit=True) as template:
            template.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        names = sql.Identifier(DATABASE), sql.Identifier(OWNER)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))


def _check_version(home: Home, cluster: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    version = subprocess.run([home.place.postgres, "--version"], capture_output=True, text=True, check=True).stdout
    if version.split()[-1].split(".")[0] != made_by:
        raise ToolError(
            f"the data in {cluster} was made by PostgreSQL {made_by}, but the installed wheel is {version.strip()}. "
            "Dump and restore it by hand, or start anew with ./dev up --fresh."
        )


def _clear_stale_pid(cluster: Path) -> None:
    """Make a pid file that a killed server left harmless.

    PostgreSQL refuses to start while the process id in it exists, even when that id now belongs to another program.
    Only the id is replaced: the rest of the file lets PostgreSQL find backends that still hold the shared memory.
    A server that really runs on this data (its owner was killed a moment ago) is told to stop and waited for.
    """
    file = cluster / "postmaster.pid"
    try:
        first, _, rest = file.read_text().partition("\n")
    except FileNotFoundError:
        return
    pid = int(first) if first.strip().isdigit() else 0
    deadline = time.monotonic() + 30
    while pid and _runs_on(pid, cluster):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        if time.monotonic() > deadline:
            raise ToolError(f"another PostgreSQL (process {pid}) runs on {cluster} and does not stop.")
        time.sleep(0.05)
    if file.exists():
        with open(file, "r+") as stream:  # in place, so that the file keeps its owner
            stream.truncate()
            stream.write(f"{NO_SUCH_PID}\n{rest}")


def _runs_on(pid: int, cluster: Path) -> bool:
    """Say whether `pid` is a PostgreSQL server on `cluster`: servers make their data folder their working folder."""
    if proctree.PROC.is_dir():
        try:
            return Path(f"/proc/{pid}/cwd").samefile(cluster)
        except OSError:
            return False
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return f"-D {cluster}" in shown.stdout
