"""Cursors: the sort key of a page's last item, opaque to clients."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import msgspec

from api.http.problems import Refusal
from geofence.limits import is_storable
from geofence.ports.listing import Key


def seal(noun: str, key: Key) -> str:
    """A cursor of the noun's list."""
    packed = base64.urlsafe_b64encode(msgspec.json.encode((noun, key)))
    return packed.decode().rstrip("=")


def unseal(noun: str, cursor: str | None, is_key: Callable[[Key], bool]) -> Key | None:
    """The sort key in a cursor; raises a 400 `Refusal` for one that this list did not give."""
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        of, key = msgspec.json.decode(packed, type=tuple[str, Key])
    except (binascii.Error, ValueError, RecursionError):
        raise bad_cursor() from None
    parts = key if isinstance(key, list) else [key]
    fits = all(is_storable(part) if isinstance(part, str) else abs(part) < 2**63 for part in parts)
    if of != noun or not fits or not is_key(key):
        raise bad_cursor()
    return key


def bad_cursor() -> Refusal:
    """The refusal of a cursor that is not of this list."""
    return Refusal(400, "bad_cursor", "The cursor is not one that this list gave.")
