"""What can go wrong, drawn as a tree. A class's docstring is its message, `code` never changes.

GeofenceError
├── InputError                  the caller's mistake; `errors` are (JSON pointer, detail) pairs
│   ├── NotFound
│   ├── Conflict
│   └── TooLarge
├── Busy                        try again later; nothing was stored
└── RecordError
    └── RecordLocked
"""

from __future__ import annotations


class GeofenceError(Exception):
    """Something went wrong."""

    code = "internal"

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        super().__init__(self.detail)


class InputError(GeofenceError):
    """The request cannot be understood."""

    code = "invalid"

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        errors: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code or type(self).code
        self.errors = errors


class NotFound(InputError):
    """There is nothing of that name in this project."""

    code = "not_found"


class Conflict(InputError):
    """It exists already with other content."""

    code = "conflict"


class TooLarge(InputError):
    """The request is larger than a limit allows."""

    code = "too_large"


class Busy(GeofenceError):
    """The service has more work than it can take; nothing was stored, send the same again."""

    code = "busy"


class RecordError(GeofenceError):
    """The database refused."""

    code = "record"
    # whether it will refuse the next one, too: a full disk, a connection that went; not a wait for
    # another unit
    lasting = False


class RecordLocked(RecordError):
    """Another process writes to this database file."""

    code = "record_locked"
