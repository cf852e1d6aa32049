"""`tools.stack` and `tools.servers` as tests of the product use them."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.tools.conftest import Checkout, all_gone
from tools.errors import ToolError
from tools.home import Home
from tools.servers import start_postgres, start_valkey
from tools.stack import Stack

STORY = """\
import json, os, re, signal, sys, time
from tools.supervisor import proctree
from tools.stack import Stack

def job(name):
    while not (found := re.findall(r"job (\\d+)", stack.log(name).read_text())):
        time.sleep(0.02)
    return int(found[-1])

stack = Stack(processes=["worker:1", "worker:2", "valkey"], env={"WORK_LEASE_S": "1"})
with stack:
    told = {"order": stack.processes, "lease": stack.env["WORK_LEASE_S"], "folder": str(stack.home.folder)}
    first = job("worker:1")
    stack.kill("worker:1")
    told["killed"] = stack.wait("worker:1", timeout_s=5)
    told["job lives on"] = proctree.is_running(first)
    stack.clear("worker:1")
    told["job is cleared"] = not proctree.is_running(first)
    stack.start("worker:1", env={"FAILPOINT": "here"})
    told["env of one start"] = b"FAILPOINT=here" in open(f"/proc/{stack.pid('worker:1')}/environ", "rb").read()
    told["others go on"] = stack.is_running("worker:2")
    url = stack.url("valkey")
    stack.kill("valkey")
    stack.start("valkey", empty=True)
    told["same address"] = stack.url("valkey") == url
    told["run"] = stack.run([sys.executable, "-c", "import os; print(os.environ['REDIS_URL'])"]).stdout.strip()
    told["redis"] = stack.env["REDIS_URL"]
    job("worker:2")
    stack.stop("worker:2")
    told["stopped"] = stack.log("worker:2").read_text().splitlines()[-1]
told["gone"] = not stack.home.folder.exists()
print(json.dumps(told))
"""


class TestStack:
    def test_lets_a_test_kill_stop_and_start_single_processes(self, checkout: Checkout) -> None:
        argv = [checkout.folder / ".venv" / "bin" / "python", "-c", STORY]
        done = subprocess.run(argv, cwd=checkout.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told.pop("run") == told.pop("redis")
        assert told.pop("folder")
        assert told == {
            "order": ["valkey", "worker:1", "worker:2"],
            "lease": "1",
            "killed": -signal.SIGKILL,
            "job lives on": True,
            "job is cleared": True,
            "env of one start": True,
            "others go on": True,
            "same address": True,
            "stopped": "worker stops",
            "gone": True,
        }

    def test_says_what_a_process_printed_that_does_not_start(self, checkout: Checkout) -> None:
        (checkout.folder / "Procfile.dev").write_text("web: python -c 'raise SystemExit(\"no settings\")'\n")
        dev = checkout.dev("up", "--only", "web")
        assert dev.process.wait(60) == 1
        assert "web ended while it started (exit code 1):" in dev.text()
        assert "no settings" in dev.text()

    def test_refuses_a_name_that_nobody_knows(self) -> None:
        with pytest.raises(ToolError, match="there is no process 'wbe'"):
            Stack(processes=["wbe"])

    def test_uses_given_servers_instead_of_its_own(self) -> None:
        given = {"DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
        with Stack(processes=["postgres", "valkey"], env=given) as stack:
            assert not stack.is_running("postgres")
            assert not stack.is_running("valkey")
            assert {name: stack.env[name] for name in given} == given


class TestServers:
    def test_have_the_roles_the_extension_and_the_database(self) -> None:
        home = Home.throwaway()
        postgres = start_postgres(home.folder)
        with psycopg.connect(f"{postgres.url_superuser}/dealwright") as connection:
            roles = connection.execute(
                "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreatedb FROM pg_roles "
                "WHERE rolname IN ('dw_owner', 'app_rw') ORDER BY rolname"
            ).fetchall()
            assert roles == [("app_rw", True, False, False, False), ("dw_owner", True, False, False, False)]
            extensions = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
            assert "btree_gist" in extensions
        with psycopg.connect(postgres.owner_url()) as connection:
            connection.execute("CREATE TABLE ours (id bigint)")
        with psycopg.connect(postgres.app_url()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE theirs (id bigint)")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.app_url().replace("app_rw:", "app_rw:x"))
        postgres.stop()
        postgres.stop()
        home.delete()

    def test_say_that_the_password_file_was_lost(self) -> None:
        home = Home.throwaway()
        start_postgres(home.folder).stop()
        (home.folder / "secrets.json").unlink()
        with pytest.raises(ToolError, match=r"secrets\.json does not hold the password"):
            start_postgres(home.folder)
        home.delete()

    def test_say_that_the_data_is_of_another_version(self) -> None:
        home = Home.throwaway()
        start_postgres(home.folder).stop()
        (home.place.folder / "postgres" / "PG_VERSION").write_text("15\n")
        with pytest.raises(ToolError, match="was made by PostgreSQL 15, but"):
            start_postgres(home.folder)
        home.delete()

    def test_valkey_keeps_what_it_was_told_and_asks_for_its_password(self) -> None:
        import redis

        home = Home.throwaway()
        server = start_valkey(home.folder)
        client = redis.Redis.from_url(f"{server.url}/63")
        client.set("kept", "yes")
        client.close()
        with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        server.stop()
        again = start_valkey(home.folder)
        client = redis.Redis.from_url(f"{again.url}/63")
        assert client.get("kept") == b"yes"
        client.close()
        again.stop()
        home.delete()

    def test_leave_a_folder_alone_that_is_not_theirs(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(ToolError, match="was not made by"):
            start_postgres(tmp_path)
        with pytest.raises(ToolError, match="was not made by"):
            Home(tmp_path).delete()
        assert (tmp_path / "thesis.txt").exists()


class TestForeground:
    def test_a_killed_run_of_the_tests_leaves_nothing(self, checkout: Checkout) -> None:
        (checkout.folder / "tests").mkdir()
        hanging = "import time\ndef test_hangs():\n    print('hangs here', flush=True)\n    time.sleep(600)\n"
        (checkout.folder / "tests" / "test_hanging.py").write_text(hanging)
        dev = checkout.dev("test", "-s", "-n", "0", "tests/test_hanging.py")
        dev.wait_for("hangs here")
        everything = dev.everything()
        assert dev.ends(signal.SIGKILL) == -signal.SIGKILL
        assert all_gone(everything) == set()

    def test_the_last_line_is_pytests_summary(self, checkout: Checkout) -> None:
        (checkout.folder / "tests").mkdir()
        seen = "import os\ndef test_sees():\n    assert os.environ['DEALWRIGHT_TEST_POSTGRES'].startswith('postgresql://')\n"
        (checkout.folder / "tests" / "test_seen.py").write_text(seen)
        dev = checkout.dev("test", "tests/test_seen.py")
        assert dev.process.wait(60) == 0
        assert "1 passed" in dev.text().strip().splitlines()[-1]

    def test_a_command_sees_the_running_stack(self, checkout: Checkout) -> None:
        checkout.up()
        run = checkout.dev("run", "python", "-c", "import os; print(os.getcwd(), os.environ['REDIS_URL'])")
        assert run.process.wait(60) == 0
        folder, url = run.text().split()
        assert folder == "/"
        assert url.startswith("redis://:")

    def test_the_clock_needs_a_date_and_a_running_stack(self, checkout: Checkout) -> None:
        wrong = checkout.dev("clock", "31.1.2027")
        assert wrong.process.wait(60) == 1
        assert "is not a date written YYYY-MM-DD" in wrong.text()
        alone = checkout.dev("clock", "2027-01-31")
        assert alone.process.wait(60) == 1
        assert "nothing runs here" in alone.text()
