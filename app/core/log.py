"""Structured logs: one line a record, with portal, request and work ids, and nothing secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_SECRET_WORDS = ("token", "secret", "password", "authorization", "signature", "code", "cookie")
_HARMLESS = ("status_code", "error_code", "code_path")


def configure(log_format: str) -> None:
    """Send all logs to standard error, as JSON lines or as readable text."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    # JSON has no way to write an exception by itself: without the first of these two its traceback would be lost.
    final: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if log_format == "text":
        final = [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Their records name whole URLs, queries included.
    for noisy in ("urllib3", "authlib", "requests_oauthlib"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def bind(**ids: object) -> None:
    """Add ids (portal, request, work, lane) to every later line of this thread of work."""
    structlog.contextvars.bind_contextvars(**ids)


def clear() -> None:
    """Forget the ids at the end of a request or a job."""
    structlog.contextvars.clear_contextvars()


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key in event:
        event[key] = _hide(key, event[key])
    return event


def _hide(key: str, value: Any) -> Any:
    lowered = key.lower()
    if lowered not in _HARMLESS and any(word in lowered for word in _SECRET_WORDS):
        return "[hidden]"
    if isinstance(value, Mapping):
        return {name: _hide(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hide("", inner) for inner in value]
    return value
