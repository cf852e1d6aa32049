"""The keeper: a small program that starts processes for its owner and ends them all when the owner is gone.

The owner (`./dev`, or a test) talks to it in JSON lines over a socket on file descriptor 0. When that socket closes,
for whatever reason, `kill -9` of the owner included, or when the owner asks for the end, the keeper kills everything
below it and stops the servers among them in good order. It runs in a session of its own, so that signals to the
owner's terminal or process group do not reach it. On Linux it adopts orphaned grandchildren (PR_SET_CHILD_SUBREAPER),
and its children get a signal when the keeper itself is killed (PR_SET_PDEATHSIG). Single-threaded on purpose: that
signal is bound to the thread that forked. Standard library only, so that it starts in a few hundredths of a second.
"""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from typing import Any

from tools.supervisor import proctree

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
OWNER_CHECK_S = 0.5
SERVER_STOP_S = 10.0
KILL_S = 20.0
MARK = "DEALWRIGHT_RUN_MARK"


def _prctl() -> Callable[[int, int], object] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return lambda option, value: prctl(option, value, 0, 0, 0)


class Keeper:
    """Starts, signals and reaps children; `run` returns only when nothing is left of them."""

    def __init__(self, owner: int, token: str, delete: list[str]) -> None:
        self.owner, self.token, self.delete = owner, token, delete
        self.prctl = _prctl()
        self.children: dict[int, tuple[subprocess.Popen[bytes], dict[str, Any]]] = {}
        self.socket = socket.socket(fileno=0)
        self.buffer = b""
        self.is_over = False

    def run(self) -> None:
        """Serve the owner until it ends or is gone, then end everything."""
        wake_read, wake_write = socket.socketpair()
        wake_read.setblocking(False)
        wake_write.setblocking(False)
        signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        # Handlers rather than "ignore": an ignored signal would stay ignored in the programs that are started.
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "is_over", True))
        if self.prctl:
            self.prctl(PR_SET_CHILD_SUBREAPER, 1)
        watch = selectors.DefaultSelector()
        watch.register(self.socket, selectors.EVENT_READ, self.read_requests)
        watch.register(wake_read, selectors.EVENT_READ, lambda: wake_read.recv(4096))
        self.send({"ready": True})
        while not self.is_over:
            for key, _ in watch.select(OWNER_CHECK_S):
                key.data()
            self.reap()
            if os.getppid() != self.owner:
                # A fork of the owner may hold the socket open: its parent id tells the truth.
                self.is_over = True
        self.end_everything()

    def read_requests(self) -> None:
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.is_over = True
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.answer(json.loads(line))

    def send(self, message: dict[str, Any]) -> None:
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.is_over = True

    def answer(self, request: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"id": request["id"]}
        try:
            match request["do"]:
                case "spawn":
                    reply["pid"] = self.spawn(request)
                case "signal":
                    reply["sent"] = self.signal(request["pid"], request["signal"])
                case "clear":
                    reply["killed"] = self.clear(request["pid"])
                case "end":
                    self.is_over = True
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reply["error"] = str(error)
        self.send(reply)

    def spawn(self, request: dict[str, Any]) -> int:
        # The server's own quick-stop signal when the keeper is killed: a killed server would have to recover later.
        last_signal = request["stop_signal"] if request["is_server"] else signal.SIGKILL
        parent, prctl = os.getpid(), self.prctl

        def before_exec() -> None:
            # After the change of user, because that change clears the parent-death signal.
            if prctl:
                prctl(PR_SET_PDEATHSIG, last_signal)
                if os.getppid() != parent:
                    os._exit(1)

        user = request["user"]
        drop: dict[str, Any] = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        with open(request["log"], "ab") as log:
            child = subprocess.Popen(
                request["argv"],
                env=request["env"],
                cwd=request["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before_exec,  # safe: this program has one thread
                **drop,
            )
        self.children[child.pid] = (child, request)
        return child.pid

    def signal(self, pid: int, number: int) -> bool:
        """Signal one child; not yet reaped, so its id cannot belong to anybody else."""
        if pid not in self.children:
            return False
        os.kill(pid, number)
        return True

    def clear(self, pid: int) -> int:
        """Kill what a child that has ended left behind in its session, for example a worker's running job."""
        killed = 0
        for _ in range(200):
            processes = proctree.snapshot()
            left = proctree.in_session(pid, processes) & proctree.below([os.getpid()], processes)
            if pid in self.children or not left:
                break
            killed += self.kill(left)
            time.sleep(0.01)
            self.reap()
        return killed

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self.children:
                child, _ = self.children.pop(pid)
                child.returncode = os.waitstatus_to_exitcode(status)
                self.send({"exit": pid, "status": child.returncode})

    def kill(self, pids: set[int]) -> int:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue  # it ended meanwhile, or became somebody else's by its own doing
        return len(pids)

    def everything(self, but: Collection[int] = ()) -> set[int]:
        """Return all that lives below the keeper or carries this run's mark, without `but` and what is below it."""
        processes = proctree.snapshot()
        kept = {*but, *proctree.below(but, processes)}
        found = proctree.below([os.getpid()], processes) | proctree.marked(MARK, self.token)
        return found - kept - {os.getpid()}

    def end_everything(self) -> None:
        servers = {pid: request for pid, (_, request) in self.children.items() if request["is_server"]}
        self.kill_until_none(lambda: self.everything(servers))
        for pid, request in reversed(servers.items()):
            self.signal(pid, request["stop_signal"])
            deadline = time.monotonic() + SERVER_STOP_S
            while pid in self.children and time.monotonic() < deadline:
                time.sleep(0.01)
                self.reap()
        self.kill_until_none(self.everything)
        for folder in self.delete:
            shutil.rmtree(folder, ignore_errors=True)

    def kill_until_none(self, victims: Callable[[], set[int]]) -> None:
        deadline = time.monotonic() + KILL_S
        while (found := victims()) and time.monotonic() < deadline:
            self.kill(found)
            time.sleep(0.01)
            self.reap()
        self.reap()


if __name__ == "__main__":
    Keeper(int(sys.argv[1]), sys.argv[2], sys.argv[3:]).run()
