"""One Valkey server with an append-only file."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from tools.errors import ToolError
from tools.files import write_private
from tools.home import Home
from tools.output import tail
from tools.supervisor.client import Child, Keeper, Launch, closing_on_error

START_S = 30.0
CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
daemonize no
logfile ""
databases 64
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
"""


@dataclass(frozen=True)
class Valkey:
    """A running Valkey server with 64 databases."""

    home: Home
    child: Child
    port: int
    own_keeper: Keeper | None = None

    @property
    def url(self) -> str:
        """URL without a database number; add `/N`, N from 0 to 63."""
        return f"redis://:{self.home.keys['VALKEY_PASSWORD']}@127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop, with everything written to disk. May be called twice."""
        if self.child.status is None:
            self.child.stop()
        if self.own_keeper:
            self.own_keeper.close()


def start_valkey(data_dir: Path | Home, *, keeper: Keeper | None = None) -> Valkey:
    """Start the server of `data_dir` and wait until it answers.

    A file that was cut off in the middle of a write is loaded up to there. One that cannot be loaded at all is put
    aside as `valkey.unreadable-N` and the server starts empty: losing it delays work and loses none, because the
    database says what is due. Raises ToolError when the server does not come up.
    """
    home = data_dir if isinstance(data_dir, Home) else Home.at(data_dir)
    if keeper is not None:
        return _run(home, keeper, None)
    own_keeper = Keeper(home.log("keeper"))
    with closing_on_error(own_keeper.close):
        return _run(home, own_keeper, own_keeper)


def _run(home: Home, keeper: Keeper, own_keeper: Keeper | None) -> Valkey:
    folder = home.place.folder / "valkey"
    log = home.log("valkey")
    for attempt in range(4):
        port = home.ports.get("valkey")
        config = _configure(home, folder, port)
        size = log.stat().st_size
        argv, env = [str(home.place.valkey), str(config)], {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
        child = keeper.spawn(Launch(argv, env, home.place.folder, log, user=home.place.user, is_server=True))
        server = Valkey(home, child, port, own_keeper)
        if _is_ready(server):
            return server
        said = log.read_text(errors="replace")[size:]
        child.stop()
        if "bind" in said:
            home.ports.change("valkey")
        elif any(word in said for word in ("Bad file format", "appendonlydir", "manifest")):
            folder.rename(_unused(folder))
        elif attempt:
            break
    raise ToolError(f"Valkey did not start (exit code {child.status}). It said:\n{tail(log)}")


def _configure(home: Home, folder: Path, port: int) -> Path:
    """Write the configuration to a file, because a password among the arguments would show in every process list."""
    folder.mkdir(mode=0o700, exist_ok=True)
    config = folder.with_name("valkey.conf")
    write_private(config, CONFIG.format(port=port, password=home.keys["VALKEY_PASSWORD"], folder=folder))
    if home.place.user:
        for path in (folder, config):
            os.chown(path, *home.place.user)
    return config


def _unused(folder: Path) -> Path:
    number = 1
    while (path := folder.with_name(f"valkey.unreadable-{number}")).exists():
        number += 1
    return path


def _is_ready(server: Valkey) -> bool:
    """Wait until the server answers; False when it ended, or did not answer in time."""
    deadline = time.monotonic() + START_S
    password = server.home.keys["VALKEY_PASSWORD"]
    while server.child.status is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=2) as connection:
                connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(1024)):
                    answer += part
        except OSError:
            answer = b""
        if answer == b"+OK\r\n+PONG\r\n":
            return True
        server.child.wait(0.02)  # while it loads its file it answers "-LOADING"
    return False
