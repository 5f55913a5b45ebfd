"""The id of a request: the client's own where it is sane, otherwise one made here.

It stands in the answer (`X-Request-Id`), in problem documents and in the request's log lines.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

HEADER = b"x-request-id"
CURRENT: ContextVar[str] = ContextVar("request_id", default="")

_SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")
# unguessable by process, then counted: no system call for each request
_PREFIX = f"req_{secrets.token_hex(6)}"
_COUNT = itertools.count(1)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id to answer with.

    Args:
        headers: As ASGI gives them, names in lower case.

    Returns:
        The client's id if it has at most 128 letters, digits and `._:/+=-`; otherwise a new one.
    """
    for name, value in headers:
        if name == HEADER and _SANE.fullmatch(value):
            return value.decode("ascii")
    return f"{_PREFIX}{next(_COUNT):06x}"
