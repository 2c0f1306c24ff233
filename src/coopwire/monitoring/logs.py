"""Writes logs to stderr: a line for people or a JSON object for machines, never the values of variables."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from coopwire.ports.tracing import about, here

_TOLD_BY_US = ("aiormq", "aio_pika", "aiokafka")
"""What a broker has against us the bus says itself; these log frames, and with them passwords and bodies."""
_ALREADY_TOLD = ("uvicorn.access", "aiohttp.access")
"""Requests are counted and carry an id; their lines hold addresses that may hold references."""


def configure(level: str, form: str) -> None:
    """Log what weighs `level` (debug … error) or more, as `text` or `json`; other libraries' logs likewise."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _at_work,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shown: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_shown_as(form)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*shared, _named], processors=shown)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _ALREADY_TOLD:
        logging.getLogger(name).disabled = True
    for name in _TOLD_BY_US:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _StandardError(logging.Handler):
    """Writes to what stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


def _shown_as(form: str) -> list[Processor]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    # The renderer's own choice would print the local variables of every frame, and secrets with them.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def _at_work(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What was being worked on when a line was written, and in which trace; what the line says itself wins."""
    for name, value in about().items():
        if value is not None:
            event.setdefault(name, value)
    traceparent = here()
    if traceparent is not None:
        event["trace_id"] = traceparent.split("-")[1]
    return event


def _named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Which library a line is from, where it is not ours."""
    record = event.get("_record")
    if record is not None:
        event["logger"] = record.name
    return event
