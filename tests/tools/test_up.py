"""`./dev up` as a person meets it: killed, interrupted, started again, as another user, from awkward places."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg
import pytest

from tests.tools.conftest import Checkout, all_gone
from tools.supervisor import proctree

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def owner_url(checkout: Checkout) -> str:
    return json.loads((checkout.data / "running.json").read_text())["env"]["DATABASE_OWNER_URL"]


def count_starts(checkout: Checkout) -> int:
    """Add one row to a table that lives as long as the data does, and return how many there are."""
    with psycopg.connect(owner_url(checkout)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS started (at timestamptz DEFAULT now())")
        connection.execute("INSERT INTO started DEFAULT VALUES")
        return connection.execute("SELECT count(*) FROM started").fetchone()[0]


def owners(pids: Iterable[int]) -> set[int]:
    """Return the users of those processes that still run: a stack's own short commands end at any moment."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            found.add(Path(f"/proc/{pid}").stat().st_uid)
    return found


class TestKilled:
    def test_leaves_nothing_and_recovers_at_the_next_start(self, checkout: Checkout) -> None:
        dev = checkout.up()
        assert count_starts(checkout) == 1
        everything = dev.everything()
        names = {(Path(f"/proc/{pid}/comm").read_text().strip()) for pid in everything}
        assert {"postgres", "valkey-server"} <= names
        dev.ends(signal.SIGKILL)
        assert all_gone(everything) == set()

        again = checkout.up()
        assert count_starts(checkout) == 2
        assert again.ends(signal.SIGINT) == 0

    def test_leaves_nothing_when_its_whole_process_group_is_killed(self, checkout: Checkout) -> None:
        dev = checkout.up()
        everything = dev.everything()
        assert os.getpgid(dev.process.pid) == dev.process.pid
        os.killpg(dev.process.pid, signal.SIGKILL)
        dev.process.wait(10)
        assert all_gone(everything) == set()

    def test_stops_with_a_sentence_when_the_keeper_is_killed(self, checkout: Checkout) -> None:
        dev = checkout.up()
        everything = dev.everything()
        keeper = next(p.pid for p in proctree.snapshot() if p.parent == dev.process.pid)
        os.kill(keeper, signal.SIGKILL)
        assert dev.process.wait(30) == 1
        assert all_gone(everything) == set()

    def test_kills_the_job_that_a_killed_worker_left(self, checkout: Checkout) -> None:
        dev = checkout.up()
        worker, job = map(int, dev.wait_for(r"worker (\d+) job (\d+)").groups())
        os.kill(worker, signal.SIGKILL)
        dev.wait_for(r"worker ended \(signal SIGKILL\); it starts again in 0.5 s")
        assert all_gone({worker, job}) == set()
        dev.wait_for(rf"worker (?!{worker} )\d+ job \d+")


class TestOrderlyStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_stops_everything_and_exits_0(self, checkout: Checkout, number: signal.Signals) -> None:
        dev = checkout.up()
        everything = dev.everything()
        assert dev.ends(number) == 0
        assert all_gone(everything, timeout_s=0) == set()
        assert "worker stops" in dev.text()
        log = (checkout.data / "logs" / "postgres.log").read_text()
        assert "received fast shutdown request" in log
        assert "database system is shut down" in log
        assert not (checkout.data / "running.json").exists()

    def test_interrupted_while_it_starts(self, checkout: Checkout) -> None:
        dev = checkout.dev("up", "--only", "postgres,valkey,worker,clock")
        dev.wait_for("starting")
        everything = dev.everything()
        assert dev.ends(signal.SIGINT) == 0
        assert all_gone(everything) == set()

    def test_a_server_that_ends_stops_everything_with_a_sentence(self, checkout: Checkout) -> None:
        dev = checkout.up()
        everything = dev.everything()
        pid_file = checkout.servers / "postgres" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        assert dev.process.wait(30) == 1
        assert re.search(r"postgres ended \(signal SIGKILL\), so everything stops", dev.text())
        assert all_gone(everything) == set()


class TestRestart:
    def test_backs_off_and_goes_on(self, checkout: Checkout) -> None:
        dev = checkout.up()
        clock = int(dev.wait_for(r"clock (\d+)").group(1))
        (checkout.folder / "clock-fails").touch()
        os.kill(clock, signal.SIGTERM)
        waits = [dev.wait_for(rf"clock ended \((.*)\); it starts again in {wait} s") for wait in ("0.5", "1")]
        assert [match.group(1) for match in waits] == ["signal SIGTERM", "exit code 3"]
        (checkout.folder / "clock-fails").unlink()
        dev.wait_for(rf"clock (?!{clock}\b)\d+")
        assert dev.process.poll() is None


class TestStartedAgain:
    def test_keeps_data_and_ports(self, checkout: Checkout) -> None:
        first = checkout.up()
        before = owner_url(checkout), count_starts(checkout)
        first.ends(signal.SIGINT)
        began = time.monotonic()
        checkout.up()
        assert time.monotonic() - began < 10
        assert (owner_url(checkout), count_starts(checkout)) == (before[0], 2)

    def test_chooses_another_port_when_the_remembered_one_is_taken(self, checkout: Checkout) -> None:
        checkout.up().ends(signal.SIGINT)
        ports = json.loads((checkout.data / "ports.json").read_text())
        taken = []
        for name in ("postgres", "valkey"):
            taken.append(socket.create_server(("127.0.0.1", ports[name])))
        checkout.up()
        now = json.loads((checkout.data / "ports.json").read_text())
        assert now["postgres"] != ports["postgres"]
        assert now["valkey"] != ports["valkey"]
        assert now["web"] == ports["web"]
        for server in taken:
            server.close()

    def test_ignores_a_pid_file_whose_id_belongs_to_another_program(self, checkout: Checkout) -> None:
        dev = checkout.up()
        count_starts(checkout)
        pid_file = checkout.servers / "postgres" / "postmaster.pid"
        content = pid_file.read_text()
        dev.ends(signal.SIGINT)
        owner = pid_file.parent.stat()
        with subprocess.Popen(["sleep", "600"]) as other:
            pid_file.write_text("\n".join([str(other.pid), *content.split("\n")[1:]]))
            os.chown(pid_file, owner.st_uid, owner.st_gid)
            checkout.up()
            assert count_starts(checkout) == 2
            assert other.poll() is None
            other.kill()

    def test_loads_a_queue_file_that_was_cut_off(self, checkout: Checkout) -> None:
        checkout.up().ends(signal.SIGKILL)
        file = next(checkout.servers.glob("valkey/appendonlydir/*.incr.aof"))
        with open(file, "ab") as stream:
            stream.write(b"*3\r\n$3\r\nSET\r\n$1\r\nk")
        checkout.up()

    def test_starts_with_an_empty_queue_when_its_file_is_unreadable(self, checkout: Checkout) -> None:
        checkout.up().ends(signal.SIGINT)
        file = next(checkout.servers.glob("valkey/appendonlydir/*.incr.aof"))
        file.write_bytes(b"nonsense" * 100)
        checkout.up()
        assert (checkout.servers / "valkey.unreadable-1").is_dir()

    def test_refuses_a_second_one_beside_it(self, checkout: Checkout) -> None:
        first = checkout.up()
        second = checkout.dev("up", "--only", "postgres")
        assert second.process.wait(30) == 1
        assert f"already runs on this data directory (process {first.process.pid})" in second.text()

    def test_fresh_begins_anew_and_leaves_what_is_not_ours(self, checkout: Checkout) -> None:
        checkout.up().ends(signal.SIGINT)
        dev = checkout.up("--fresh")
        assert count_starts(checkout) == 1
        dev.ends(signal.SIGINT)
        marker = checkout.data / "made-by-dealwright"
        marker.rename(checkout.folder / "marker")
        refused = checkout.dev("up", "--fresh", "--only", "postgres")
        assert refused.process.wait(30) == 1
        assert "was not made by ./dev" in refused.text()
        assert (checkout.data / "secrets.json").exists()
        (checkout.folder / "marker").rename(marker)


class TestPlaces:
    @as_root
    def test_starts_as_root_from_a_clone_that_only_root_can_enter(self, make_checkout: Callable[..., Checkout]) -> None:
        checkout = make_checkout("closed/my checkout")
        checkout.folder.chmod(0o700)
        checkout.folder.parent.chmod(0o700)
        before = modes(checkout.folder.parent)
        dev = checkout.up()
        assert count_starts(checkout) == 1
        elsewhere = Path(json.loads((checkout.data / "servers.json").read_text())["folder"])
        assert (elsewhere / "servers").stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert not (checkout.data / "servers").exists()
        everything = dev.everything()
        dev.ends(signal.SIGKILL)
        assert all_gone(everything) == set()
        again = checkout.up()
        assert count_starts(checkout) == 2
        again.ends(signal.SIGINT)
        assert {path: mode for path, mode in modes(checkout.folder.parent).items() if path in before} == before
        checkout.up("--fresh").ends(signal.SIGINT)
        assert not elsewhere.exists()

    @as_root
    def test_changes_no_mode_and_runs_servers_as_nobody(self, checkout: Checkout) -> None:
        outside = [checkout.folder, *checkout.folder.parents]
        before = [path.stat().st_mode for path in outside]
        dev = checkout.up()
        nobody = pwd.getpwnam("nobody").pw_uid
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in dev.everything() if is_server(pid)}
        assert owners == {nobody}
        assert checkout.servers.stat().st_uid == nobody
        dev.ends(signal.SIGINT)
        assert [path.stat().st_mode for path in outside] == before

    @as_root
    def test_starts_as_an_ordinary_user(self, make_checkout: Callable[..., Checkout]) -> None:
        entry = pwd.getpwnam("nobody")
        checkout = make_checkout("of an ordinary user", user=(entry.pw_uid, entry.pw_gid))
        dev = checkout.up()
        assert count_starts(checkout) == 1
        everything = dev.everything()
        assert owners(everything) == {entry.pw_uid}
        dev.ends(signal.SIGKILL)
        assert all_gone(everything) == set()
        checkout.up().ends(signal.SIGINT)

    def test_secrets_are_private(self, checkout: Checkout) -> None:
        dev = checkout.up()
        for name in ("secrets.json", "running.json", "logs/postgres.log"):
            assert stat.S_IMODE((checkout.data / name).stat().st_mode) == 0o600
        command_lines = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in dev.everything()]
        secrets = json.loads((checkout.data / "secrets.json").read_text()).values()
        assert not [line for line in command_lines for secret in secrets if secret in line]


def modes(folder: Path) -> dict[Path, int]:
    """Return the mode of everything below `folder` outside the data directory."""
    return {path: path.lstat().st_mode for path in (folder, *folder.rglob("*")) if ".data" not in path.parts}


def is_server(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().strip() in ("postgres", "valkey-server")
