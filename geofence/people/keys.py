"""API keys: how one is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from geofence import ids
from geofence.errors import InputError
from geofence.model.account import SCOPES, Key, Scope

KeyKind = Literal["pk", "sk"]


class NewKey(NamedTuple):
    """A key and its secret, which is stored nowhere."""

    key: Key
    secret: str


def make_key(
    project_id: str,
    kind: KeyKind,
    now_ms: int,
    *,
    scopes: Iterable[Scope] | None = None,
    name: str = "",
    secret: str = "",
    key_id: str = "",
) -> NewKey:
    """A new key, not stored yet.

    Args:
        project_id: The project that it opens.
        kind: `sk` (secret) or `pk` (publishable).
        now_ms: The time of its creation (epoch ms UTC).
        scopes: All that the kind may have where none are named.
        name: How people tell it from others.
        secret: A random one where none is given.
        key_id: A random one where none is given.

    Raises:
        InputError: The kind may not have one of the scopes (code `invalid_scope`).
    """
    chosen = tuple(scopes or SCOPES[kind])
    if not set(chosen) <= set(SCOPES[kind]):
        allowed = ", ".join(SCOPES[kind])
        raise InputError(f"A key of kind {kind} has scopes of {allowed}.", code="invalid_scope")
    secret = secret or ids.new_secret(kind)
    key = Key(
        id=key_id or ids.new("key"),
        project_id=project_id,
        kind=kind,
        scopes=chosen,
        digest=ids.digest(secret),
        tail=secret[-4:],
        name=name,
        created_ms=now_ms,
    )
    return NewKey(key, secret)
