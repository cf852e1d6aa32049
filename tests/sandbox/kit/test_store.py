"""State, the movable day, reset, and the life of the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from sandbox.kit.app import create_base, get_kit
from sandbox.kit.clock import DayClock
from sandbox.kit.store import Store
from tests.sandbox.support import served


class TestStore:
    def test_survives_a_restart(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "sub" / "x.json")
        store.data["deals"] = {"1": "Acme"}
        store.changed()
        store.close()

        again = Store(tmp_path / "sub" / "x.json")
        assert (again.data, again.is_new) == ({"deals": {"1": "Acme"}}, False)
        again.close()

    def test_is_saved_shortly_after_a_change(self, tmp_path: Path) -> None:
        path = tmp_path / "x.json"
        store = Store(path)
        store.data["a"] = 1
        store.changed()
        deadline = time.monotonic() + 3
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)

        assert json.loads(path.read_text()) == {"a": 1}
        store.close()

    def test_leaves_no_half_written_file(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "x.json")
        store.data["a"] = 1
        store.save()
        store.data["bad"] = object()
        with pytest.raises(TypeError):
            store.save()

        assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1}
        assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
        del store.data["bad"]
        store.close()


class TestDayClock:
    def test_follows_the_real_date_in_the_zone(self) -> None:
        zone = ZoneInfo("Pacific/Kiritimati")
        assert DayClock(Store(None)).today("Pacific/Kiritimati") == datetime.now(zone).date()

    def test_stands_where_it_was_moved_in_every_zone(self) -> None:
        clock = DayClock(Store(None))
        clock.move(date(2027, 1, 31))

        assert {clock.today("UTC"), clock.today(ZoneInfo("Asia/Tokyo"))} == {date(2027, 1, 31)}
        clock.move(None)
        assert clock.moved_to() is None

    def test_is_moved_over_http(self) -> None:
        app = create_base("x")
        with served(app) as url:
            assert requests.post(f"{url}/_sandbox/clock", json={"date": "2027-02-01"}, timeout=5).json() == {
                "date": "2027-02-01"
            }
            assert requests.post(f"{url}/_sandbox/clock", json={"date": "soon"}, timeout=5).status_code == 400
            assert get_kit(app).clock.today("UTC") == date(2027, 2, 1)


class TestReset:
    def test_seeds_again_and_forgets_everything_else(self) -> None:
        app = create_base("x")
        kit = get_kit(app)
        kit.on_reset(lambda: kit.store.data.update(seeded=True))
        kit.seed_if_new()
        with served(app) as url:
            requests.get(f"{url}/nothing", timeout=5)
            kit.store.data["more"] = 1
            kit.clock.move(date(2027, 1, 1))
            kit.faults.order({"kind": "before"})

            requests.post(f"{url}/_sandbox/reset", timeout=5)

            assert kit.store.data == {"seeded": True}
            assert (kit.faults.list(), kit.clock.moved_to()) == ([], None)
            assert requests.get(f"{url}/_sandbox/journal", timeout=5).json() == {"next": 1, "calls": []}


class TestProcess:
    def test_starts_fast_says_so_and_ends_on_sigterm_with_its_state_saved(self, tmp_path: Path) -> None:
        environment = {
            **os.environ,
            "SANDBOX_STATE_DIR": str(tmp_path),
            "SANDBOX_HUBSPOT_PORT": "0",
            "SANDBOX_HUBSPOT_CLIENT_ID": "c",
            "SANDBOX_HUBSPOT_CLIENT_SECRET": "s",
            "SANDBOX_HUBSPOT_APP_ID": "1",
            "SANDBOX_HUBSPOT_REDIRECT_URLS": "http://localhost/x",
            "SANDBOX_APP_ORIGIN": "http://localhost",
        }
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.hubspot"], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        with process.stdout:
            line = process.stdout.readline()
            started_s = time.monotonic() - began
            url = line.split()[-1]
            health = requests.get(f"{url}/healthz", timeout=5).json()
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()

        assert (process.wait(5), health, rest) == (0, {"ok": True}, "")
        assert line.startswith("hubspot stand-in ready on http://127.0.0.1:")
        assert started_s < 5
        assert "portals" in json.loads((tmp_path / "hubspot.json").read_text())
