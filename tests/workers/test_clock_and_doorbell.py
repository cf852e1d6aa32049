"""The clock finds what is due, the doorbell says which lane: both may fail or repeat without harm."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.core import doorbell, work
from app.core.db import transaction
from app.core.doorbell import RqDoorbell
from tests.conftest import ROOT, Cluster, Database, Tenant, environment
from workers import clock


class Listener:
    """A doorbell that notes the rings."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    def ring(self, lane_id: int) -> None:
        self.rung.append(lane_id)


@pytest.fixture
def valkey(cluster: Cluster) -> Iterator[Redis]:
    """A database of the run's Valkey that no other test uses."""
    connection = Redis.from_url(f"{cluster.redis_url}/11")
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


@pytest.fixture
def bell() -> Iterator[Listener]:
    before = work._doorbell[0]
    listener = Listener()
    work.use_doorbell(listener)
    yield listener
    work.use_doorbell(before)


def rings(valkey: Redis) -> list[tuple[str, list[int]]]:
    """Return (job, arguments) of everything that waits in the queue, read without the library that wrote it."""
    found = []
    job_ids: Any = valkey.lrange(f"rq:queue:{doorbell.QUEUE}", 0, -1)
    for job_id in job_ids:
        packed: Any = valkey.hget(f"rq:job:{job_id.decode()}", "data")
        name, _, args, _ = json.loads(zlib.decompress(packed))
        found.append((name, args))
    return found


class TestTick:
    def test_rings_every_lane_that_has_due_work(self, shared_app: Flask, tenant: Tenant, bell: Listener) -> None:
        with shared_app.app_context():
            with transaction(tenant.id):
                due, idle = work.lane("portal").id, work.lane("other").id
                work.want(due, "billing.run", "daily")
            bell.rung.clear()
            assert clock.tick(0) == len(bell.rung)
        assert due in bell.rung
        assert idle not in bell.rung

    def test_does_not_ring_again_before_the_wait_is_over(
        self, shared_app: Flask, tenant: Tenant, bell: Listener
    ) -> None:
        with shared_app.app_context():
            with transaction(tenant.id):
                due = work.lane("portal").id
                work.want(due, "billing.run", "daily")
            clock.tick(60)
            bell.rung.clear()
            clock.tick(60)
        assert due not in bell.rung


class TestDoorbell:
    def test_puts_a_plain_ring_into_the_queue(self, valkey: Redis) -> None:
        RqDoorbell(valkey).ring(42)
        assert rings(valkey) == [("workers.jobs.drain_lane", [42])]

    def test_ring_is_readable_by_the_worker_and_lives_a_few_minutes(self, valkey: Redis) -> None:
        RqDoorbell(valkey).ring(42)
        (job,) = Queue(doorbell.QUEUE, connection=valkey, serializer=JSONSerializer).jobs
        assert (job.func_name, job.args, job.kwargs) == ("workers.jobs.drain_lane", [42], {})
        assert (job.timeout, job.result_ttl, job.failure_ttl) == (180, 0, 60)
        assert 0 < valkey.ttl(f"rq:job:{job.id}") <= 180

    def test_may_be_rung_twice(self, valkey: Redis) -> None:
        bell = RqDoorbell(valkey)
        bell.ring(42)
        bell.ring(42)
        assert len(rings(valkey)) == 2

    def test_silence_of_valkey_changes_nothing(self) -> None:
        with Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1) as unreachable:
            RqDoorbell(unreachable).ring(42)

    def test_work_is_kept_when_valkey_is_gone(self, shared_app: Flask, tenant: Tenant) -> None:
        before = work._doorbell[0]
        with Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1) as unreachable:
            work.use_doorbell(RqDoorbell(unreachable))
            with shared_app.app_context(), transaction(tenant.id):
                work.want(work.lane("portal").id, "billing.run", "daily")
        work.use_doorbell(before)
        with shared_app.app_context(), transaction(tenant.id):
            assert work.find("billing.run", "daily") is not None


class TestJobs:
    def test_name_in_queued_rings_is_a_function(self) -> None:
        module, _, name = doorbell.DRAIN.rpartition(".")
        assert doorbell.DRAIN == "workers.jobs.drain_lane"
        assert callable(getattr(importlib.import_module(module), name))


class TestClockProcess:
    def test_rings_what_is_due_and_ends_when_it_is_told_to(
        self, cluster: Cluster, database: Database, valkey: Redis
    ) -> None:
        from app.bootstrap import build_process
        from app.core.db import db
        from app.settings import Settings
        from tests.conftest import make_portal

        environ = environment(database.app_url, f"{cluster.redis_url}/11", CLOCK_TICK_S="0.05")
        app = build_process(Settings.from_environ(environ))
        before = work._doorbell[0]
        work.use_doorbell(Listener())
        with app.app_context():
            portal_id = make_portal(7_000_000 + int(uuid4().int % 1_000_000))
            with transaction(portal_id):
                lane_id = work.lane("portal").id
                work.want(lane_id, "billing.run", "daily")
            db.engine.dispose()
        work.use_doorbell(before)
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.clock"], cwd=ROOT, env={**os.environ, **environ}, stderr=subprocess.DEVNULL
        )
        try:
            pause = threading.Event()
            for _ in range(600):
                if rings(valkey):
                    break
                pause.wait(0.05)
            assert rings(valkey)[0] == ("workers.jobs.drain_lane", [lane_id])
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
