"""The RQ doorbell: "drain lane N", arguments plain, JSON on the wire. Losing a ring delays work, nothing else."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from app.core import log

QUEUE = "lanes"
# Jobs travel as import paths: renaming this function strands queued rings (the clock rings again).
DRAIN = "workers.jobs.drain_lane"
_JOB_TIMEOUT_S = 180
_KEEP_S = 60

_log = log.get(__name__)


class RqDoorbell:
    """Puts a ring into the queue; a failed ring changes nothing."""

    def __init__(self, redis: Redis) -> None:
        self._queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)

    def ring(self, lane_id: int) -> None:
        """Ask any worker to drain a lane."""
        try:
            self._queue.enqueue_call(
                DRAIN, args=(lane_id,), timeout=_JOB_TIMEOUT_S, result_ttl=0, failure_ttl=_KEEP_S, ttl=_JOB_TIMEOUT_S
            )
        except RedisError as error:
            _log.warning("the doorbell is silent; the clock will find the work", reason=type(error).__name__)
