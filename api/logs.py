"""Log lines on stderr, as JSON or for eyes.

What is logged holds no position, no secret, no address of a person.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from api.http.request_id import CURRENT


def set_up_logs(level: str = "info", form: str = "auto") -> None:
    """Send our lines and those of the libraries one way.

    `form` is `json`, `console` or `auto` (console on a terminal).
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    readable = form == "console" or (form == "auto" and sys.stderr.isatty())
    logging.basicConfig(level=level.upper(), handlers=[_handler(shared, readable)], force=True)
    # alembic and uvicorn log each step at info level; the service logs what matters of it itself
    for chatty in ("alembic", "uvicorn", "uvicorn.error", "httpx"):
        logging.getLogger(chatty).setLevel(
            max(logging.WARNING, logging.getLevelName(level.upper()))
        )


def _handler(shared: list[Any], readable: bool) -> logging.Handler:
    end: Any = structlog.processors.JSONRenderer()
    if readable:
        plain = structlog.dev.plain_traceback
        end = structlog.dev.ConsoleRenderer(exception_formatter=plain)
    tidy: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        end,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=tidy)
    )
    return handler


def _add_request_id(_logger: Any, _method: str, event: Any) -> Any:
    """Name the request in whose course a line is written."""
    if request := CURRENT.get():
        event["request_id"] = request
    return event
