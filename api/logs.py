"""Log lines on stderr, as JSON or for eyes.

What is logged holds no position, no secret, no address of a person.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def set_up_logs(level: str = "info", form: str = "auto") -> None:
    """Send our lines and those of the libraries one way.

    `form` is `json`, `console` or `auto` (console on a terminal).
    """
    readable = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    end: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if readable
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    tidy: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*tidy, end])
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # alembic and uvicorn tell their life at info level; what matters of it we say ourselves
    for chatty in ("alembic", "uvicorn", "uvicorn.error", "httpx"):
        logging.getLogger(chatty).setLevel(
            max(logging.WARNING, logging.getLevelName(level.upper()))
        )
