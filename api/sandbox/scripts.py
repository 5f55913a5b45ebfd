"""How the sandbox behaves towards one token or address.

Asked for by its first letters, or set from outside.

A token `quota=2:abc` or an address `450+ann@example.com` carries its behaviour with it; anything
else is answered well.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

PUSH = (
    "ok", "unregistered", "quota", "quota-date", "unavailable", "internal", "invalid-token",
    "invalid-payload", "sender-mismatch", "auth-error", "unauthorized", "not-found",
    "hang", "slow", "html", "empty", "nameless", "truncated", "drop", "redirect", "endless",
)  # fmt: skip
MAIL = ("ok", "450", "550", "policy", "535", "content", "hang", "drop")


class Script(NamedTuple):
    """What to do.

    A behaviour of the lists above, with its number (seconds; for `slow` milliseconds).
    """

    behaviour: str = "ok"
    number: float = 0.0


class Scripts:
    """Behaviours set from outside, by token or address. Safe from several threads."""

    def __init__(self) -> None:
        self._set: dict[str, tuple[Script, int | None]] = {}
        self._lock = threading.Lock()

    def put(self, to: str, text: str, times: int | None = None) -> None:
        """From now on (or for the next `times`) answer `to` like this: `unregistered`, `quota=5`.

        `*` is everybody.

        Raises `ValueError` for an unknown behaviour.
        """
        script = read(text)
        if script is None:
            raise ValueError(f"unknown behaviour; known are {', '.join(sorted({*PUSH, *MAIL}))}")
        with self._lock:
            self._set[to] = (script, times)

    def clear(self) -> None:
        """Forget everything that was set."""
        with self._lock:
            self._set.clear()

    def of(self, to: str, mark: str) -> Script:
        """The behaviour set for `to` or for all, else that which its text up to `mark` names."""
        if self._set:
            with self._lock:
                found = self._take(to) or self._take("*")
            if found is not None:
                return found
        prefix, marked, _ = to.partition(mark)
        return (read(prefix) if marked else None) or Script()

    def _take(self, to: str) -> Script | None:
        entry = self._set.get(to)
        if entry is None:
            return None
        script, times = entry
        if times is not None:
            if times <= 1:
                del self._set[to]
            else:
                self._set[to] = (script, times - 1)
        return script


def read(text: str) -> Script | None:
    """`behaviour` or `behaviour=number`; None when there is no such behaviour."""
    behaviour, _, number = text.partition("=")
    if behaviour not in PUSH and behaviour not in MAIL:
        return None
    try:
        return Script(behaviour, float(number or 0))
    except ValueError:
        return None
