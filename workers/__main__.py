"""`python -m workers`: one RQ worker."""

from __future__ import annotations

import gc
import sys

from redis import Redis
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core import log
from app.core.doorbell import QUEUE
from workers.process import after_fork, application

# With RQ's defaults a killed worker's job is found after minutes; the lane's lease is what matters, but why wait.
JOB_MONITORING_INTERVAL_S = 5
MAINTENANCE_INTERVAL_S = 30
WORKER_TTL_S = 60


class LaneWorker(Worker):
    """Forks a work-horse per job; the child drops the parent's database connections first."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        after_fork()
        super().main_work_horse(job, queue)


def main() -> int:
    """Work until told to stop."""
    settings = application().extensions["dealwright"].settings
    connection = Redis.from_url(settings.redis_url)
    worker = LaneWorker(
        [Queue(QUEUE, connection=connection, serializer=JSONSerializer)],
        connection=connection,
        serializer=JSONSerializer,
        job_monitoring_interval=JOB_MONITORING_INTERVAL_S,
        maintenance_interval=MAINTENANCE_INTERVAL_S,
        worker_ttl=WORKER_TTL_S,
        log_job_description=False,
    )
    # A work-horse whose collector walked what the parent built would copy all of it, at every job.
    gc.collect()
    gc.freeze()
    log.get(__name__).info("worker is ready")
    worker.work(with_scheduler=False, logging_level="WARNING")
    return 0


if __name__ == "__main__":
    sys.exit(main())
