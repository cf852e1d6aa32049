"""Ports, locks, private files, output, and the launcher that finds a Python."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.tools.conftest import Checkout
from tools import chromium, environment, files, locks
from tools.errors import ToolError
from tools.output import Output
from tools.ports import HIGHEST, LOWEST, Ports, is_free
from tools.processes import ROOT, environment_of, in_start_order, program
from tools.supervisor.supervise import LONGEST_WAIT_S, STEADY_S, BackOff


class TestPorts:
    def test_stay_and_move_only_when_taken(self, tmp_path: Path) -> None:
        port = Ports(tmp_path / "ports.json").get("web")
        assert LOWEST <= port < HIGHEST
        assert Ports(tmp_path / "ports.json").get("web") == port
        with socket.create_server(("127.0.0.1", port)):
            assert not is_free(port)
            assert Ports(tmp_path / "ports.json").get("web") != port

    def test_are_never_given_twice(self, tmp_path: Path) -> None:
        ports = Ports(tmp_path / "ports.json")
        assert ports.get("a", prefer=21111) != ports.get("b", prefer=21111)


class TestFiles:
    def test_are_private_and_replaced_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        files.write_private(path, "one")
        files.write_private(path, "two")
        assert path.read_text() == "two"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [path]

    def test_broken_json_is_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "ports.json").write_text("{")
        with pytest.raises(ToolError, match="cannot be read"):
            files.read_json(tmp_path / "ports.json")

    def test_a_lock_is_held_by_every_copy_of_its_descriptor(self, tmp_path: Path) -> None:
        held = files.lock(tmp_path / "lock", wait_s=0, busy=lambda _: None)
        copy = os.dup(held)
        os.close(held)
        with pytest.raises(ToolError, match=f"process {os.getpid()}"):
            files.lock(tmp_path / "lock", wait_s=0, busy=lambda _: None)
        os.close(copy)
        os.close(files.lock(tmp_path / "lock", wait_s=0, busy=lambda _: None))


class TestOutput:
    def test_names_who_spoke_and_hides_servers_small_talk(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logs = {name: tmp_path / name for name in ("postgres", "worker:1", "web")}
        output = Output()
        for name, path in logs.items():
            path.touch()
            output.follow(name, path)
        logs["postgres"].write_text("[1] LOG:  ready\n[1] ERROR:  relation does not exist\n")
        logs["worker:1"].write_text("first\nhalf a li")
        logs["web"].write_text(
            '127.0.0.1 "GET /x" 200 2 bytes 1 ms\n[info] request path=/readyz x\n[info] request path=/x y\n'
        )
        time.sleep(0.3)
        with open(logs["worker:1"], "a") as file:
            file.write("ne\nlast, without an end")
        output.close()
        lines = sorted(capsys.readouterr().out.splitlines())
        assert lines == [
            "postgres   | [1] ERROR:  relation does not exist",
            "web        | [info] request path=/x y",
            "worker:1   | first",
            "worker:1   | half a line",
            "worker:1   | last, without an end",
        ]


class TestBackOff:
    def test_doubles_up_to_a_limit_and_begins_anew_after_a_steady_run(self) -> None:
        back_off = BackOff(started_at=0.0)
        assert [back_off.after_exit(1.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, LONGEST_WAIT_S]
        assert back_off.after_exit(STEADY_S + 1) == 0.5


class TestProcesses:
    def test_start_in_order(self) -> None:
        assert in_start_order(["clock", "worker:2", "worker:1", "valkey"]) == [
            "valkey",
            "worker:2",
            "worker:1",
            "clock",
        ]

    def test_only_migrations_know_the_owners_password(self) -> None:
        env = {"DATABASE_OWNER_URL": "secret", "DATABASE_URL": "x"}
        assert environment_of("release", env) == env
        assert environment_of("web", env) == {"DATABASE_URL": "x"}

    def test_the_development_file_names_every_process_that_production_has(self) -> None:
        for line in (ROOT / "Procfile").read_text().splitlines():
            name, _, command = line.partition(":")
            assert " ".join(program(name).argv[1:]).replace("'", "") in command.replace("'", "")


class TestEnvironment:
    def test_of_tests_holds_no_setting_left_in_a_shell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DATABASE_URL", "HUBSPOT_CLIENT_SECRETS", "https_proxy", "HTTP_PROXY", "SANDBOX_FAST"):
            monkeypatch.setenv(name, "x")
            assert name not in environment.scrubbed()

    def test_chromium_that_is_named_must_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(chromium.VARIABLE, "/no/such/browser")
        with pytest.raises(ToolError, match="is not a program"):
            chromium.ensure()


class TestChromium:
    def test_is_installed_as_root_on_debian_and_asked_for_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(chromium.VARIABLE, raising=False)
        monkeypatch.setattr(chromium, "MACOS", ())
        monkeypatch.setenv("PATH", str(tmp_path))
        apt = f'#!/bin/sh\necho "$@" >>"{tmp_path}/calls"\n[ "$1" = update ] || >"{tmp_path}/chromium"\n'
        apt += f'[ "$1" = update ] || /bin/chmod 755 "{tmp_path}/chromium"\n'
        (tmp_path / "apt-get").write_text(apt)
        (tmp_path / "apt-get").chmod(0o755)
        if os.geteuid() == 0 and Path("/etc/debian_version").exists():
            assert chromium.ensure() == str(tmp_path / "chromium")
            calls = (tmp_path / "calls").read_text().splitlines()
            assert calls[0].startswith("update")
            assert calls[1].endswith("chromium fonts-liberation")
        else:
            with pytest.raises(ToolError, match="the browser tests need Chromium"):
                chromium.ensure()
            assert not (tmp_path / "calls").exists()


class TestLocks:
    def test_are_up_to_date_and_name_no_address(self) -> None:
        assert locks.complaints() == []

    def test_tell_of_each_fault(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locks, "FOLDER", tmp_path)
        for name in locks.NAMES:
            shutil.copy(ROOT / "requirements" / f"{name}.in", tmp_path)
        lock = (ROOT / "requirements" / "run.txt").read_text()
        (tmp_path / "run.txt").write_text(lock + "--index-url https://registry.example/simple\n")
        (tmp_path / "run.in").write_text((tmp_path / "run.in").read_text() + "another\n")
        (tmp_path / "dev.txt").write_text(lock + "unpinned\n")
        said = "\n".join(locks.complaints())
        for part in ("run.txt was not made from today's run.in", "run.txt names an address", "without version or hash"):
            assert part in said


class TestLauncher:
    def test_says_in_a_sentence_that_python_is_missing(self, checkout: Checkout, tmp_path: Path) -> None:
        for name in ("dirname",):
            (tmp_path / name).symlink_to(shutil.which(name) or "")
        done = subprocess.run(
            [checkout.folder / "dev", "up"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.startswith("./dev needs Python 3.11 or newer")
        assert len(done.stderr.splitlines()) == 1

    def test_is_not_led_astray_by_a_folder_named_tools(self, checkout: Checkout, tmp_path: Path) -> None:
        (tmp_path / "tools").mkdir()
        (tmp_path / "tools" / "__init__.py").write_text("raise SystemExit('the wrong tools')")
        done = subprocess.run([checkout.folder / "dev"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert "start everything" in done.stdout

    def test_names_the_commands_for_an_unknown_one(self, checkout: Checkout) -> None:
        dev = checkout.dev("strat")
        assert dev.process.wait(30) == 2
        assert "there is no command 'strat'; there are up, test" in dev.text()
