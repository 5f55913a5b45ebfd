"""Who is calling.

API keys from wherever trackers put them, looked up by SHA-256, and what each may do.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.http.problems import Refusal
from api.http.query_params import refuse_unknown
from geofence import ids
from geofence.model.account import Key, Scope
from geofence.ports.queries import Queries

REMEMBERED_S = 2.0
REMEMBERED_KEYS = 4096
_log = structlog.get_logger()
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="geofence"'}


class Caller(NamedTuple):
    """A key that was shown, and the secret itself (only to derive from.

    Never stored, never logged).
    """

    key: Key
    secret: str

    @property
    def project_id(self) -> str:
        """The tenant this key opens."""
        return self.key.project_id


class KeyRing:
    """Keys by digest, remembered for two seconds.

    A key revoked elsewhere stops working within that time.
    """

    def __init__(self, queries: Queries, tick: Callable[[], float] = time.monotonic) -> None:
        self._reading = queries
        self._tick = tick
        self._known: OrderedDict[str, tuple[float, Key]] = OrderedDict()
        self._lock = threading.Lock()

    def remembered(self, digest: str) -> Key | None:
        """The key if it was looked up just now; touches no database."""
        with self._lock:
            found = self._known.get(digest)
        return found[1] if found and found[0] > self._tick() else None

    def look_up(self, digest: str) -> Key | None:
        """The key from the record, revoked ones left out.

        Unknown ones are not remembered, so a new key works at once.
        """
        key = self._reading.key_of(digest)
        with self._lock:
            if key is None or key.revoked_ms is not None:
                self._known.pop(digest, None)
                return None
            self._known[digest] = (self._tick() + REMEMBERED_S, key)
            self._known.move_to_end(digest)
            if len(self._known) > REMEMBERED_KEYS:
                self._known.popitem(last=False)
        return key

    def forget(self, digest: str) -> None:
        """Look the key up again at its next use."""
        with self._lock:
            self._known.pop(digest, None)


async def identify(request: Request, *, in_query: bool = False) -> Caller:
    """The caller of a request; raises a 401 `Refusal` without a key that opens something."""
    secret = shown_secret(request, in_query=in_query)
    if not secret:
        raise Refusal(
            401, "unauthorized", "Send an API key: Authorization: Bearer sk_...", headers=_CHALLENGE
        )
    ring: KeyRing = request.app.state.services.keys
    digest = ids.digest(secret)
    key = ring.remembered(digest) or await run_in_threadpool(ring.look_up, digest)
    if key is None:
        _log.warning("API key refused", method=request.method, why="unknown or revoked")
        raise Refusal(
            401, "unauthorized", "This API key is unknown or was revoked.", headers=_CHALLENGE
        )
    request.scope["key_id"] = key.id  # for the access log
    return Caller(key, secret)


def permit(caller: Caller, *scopes: Scope) -> Caller:
    """The caller, if its key has one of the scopes; else a 403 `Refusal`."""
    if not set(scopes) & set(caller.key.scopes):
        raise Refusal(403, "scope", f"This API key lacks the scope {' or '.join(scopes)}.")
    return caller


def allow(*scopes: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the caller of a route that needs one of these scopes.

    The query must hold nothing that the route does not know.
    """

    return _Allow(scopes)


class _Allow:
    """The dependency; its `scopes` are read by the OpenAPI document."""

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> Caller:
        found = permit(await identify(request), *self.scopes)
        refuse_unknown(request)
        return found


def shown_secret(request: Request, *, in_query: bool) -> str:
    """The key as sent.

    `Bearer`, a bare Authorization value, the password of Basic, or `?key=` where that is allowed.
    """
    header = request.headers.get("authorization", "").strip()
    if not header:
        return request.query_params.get("key", "") if in_query else ""
    scheme, _, rest = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            return _password(rest.strip())
    return header


def _password(encoded: str) -> str:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return password or user
